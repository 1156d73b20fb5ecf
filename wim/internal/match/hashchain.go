package match

import (
	"math/bits"
	"unsafe"
)

// Slack is the number of bytes that must follow the data of a finder. They are read, but do not affect the matches.
const Slack = 8

// HashChain finds matches by hashes of four bytes, whose positions are chained, the nearest first, and of three bytes, of which it
// keeps only the nearest position. It suits greedy and lazy parsing.
//
// Each position of the data must be passed to exactly one call of Longest or Skip, in ascending order. A HashChain is not safe for
// concurrent use.
type HashChain struct {
	data  []byte // with its slack
	size  uint64 // of the data
	base  uint64 // added to positions in the tables
	shift uint64 // makes a hash of four bytes from a product
	next  []uint32
	head4 []uint32
	head3 []uint32
}

// lastPlace is the largest entry of the tables. base grows with each chunk, so that the tables need not be cleared for each. When an
// entry would exceed lastPlace, the tables are cleared and base starts again.
const lastPlace = 1 << 31

const (
	hash3Bits = 13
	hashMul   = 0x9E3779B1 // 2^32 divided by the golden ratio, for multiplicative hashing
)

// NewHashChain returns a HashChain for data of at most size bytes, 1 to 1<<30.
func NewHashChain(size int) *HashChain {
	n := hashBits(size)
	return &HashChain{
		base:  1,
		shift: uint64(32 - n),
		next:  make([]uint32, size),
		head4: make([]uint32, 1<<n),
		head3: make([]uint32, 1<<hash3Bits),
	}
}

// HashChainMemory estimates how many bytes NewHashChain allocates.
func HashChainMemory(size int) int64 {
	return 4 * (int64(size) + 1<<hashBits(size) + 1<<hash3Bits)
}

// hashBits returns the number of bits of a hash of four bytes: about one value for each position.
func hashBits(size int) int {
	return min(max(bits.Len(uint(size-1)), 12), 18)
}

// Start starts with new data, the first size bytes of buf, which has at least Slack bytes more. The HashChain keeps buf, which must
// not change until the last position was passed.
func (h *HashChain) Start(buf []byte, size int) {
	if size > len(h.next) || len(buf)-size < Slack {
		panic("match: HashChain: data is too large, or has no slack")
	}
	h.base += h.size
	h.data, h.size = buf, uint64(size)
	if h.base+uint64(len(h.next)) > lastPlace {
		h.base = 1
		clear(h.head4)
		clear(h.head3)
	}
}

// Longest inserts position pos and returns the longest match there that is longer than atLeast bytes (2 or more), the nearest of
// equally long ones. It tries up to depth positions with the same hash, or fewer if it finds a match of nice bytes. No match extends
// past the end of the data. If there is no match, length is 0.
func (h *HashChain) Longest(pos, atLeast, nice, depth int) (length, dist int) {
	at := uint64(pos)
	left := h.size - at
	if left < 4 || at >= h.size {
		return 0, 0
	}
	data := unsafe.Pointer(unsafe.SliceData(h.data))
	next := unsafe.Pointer(unsafe.SliceData(h.next))
	base := h.base
	here := unsafe.Add(data, at)
	v := *(*uint32)(here)

	// Read the latest positions with the same hashes, and replace them by pos.
	p3 := (*uint32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(h.head3)), uint64(v<<8*hashMul>>(32-hash3Bits))<<2))
	p4 := (*uint32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(h.head4)), uint64(v*hashMul)>>(h.shift&63)<<2))
	c3, c4 := uint64(*p3), uint64(*p4)
	*p3, *p4 = uint32(base+at), uint32(base+at)
	*(*uint32)(unsafe.Add(next, at<<2)) = uint32(c4)

	best, from := uint64(atLeast), uint64(0)
	if best < 3 {
		if c3 >= base && (*(*uint32)(unsafe.Add(data, c3-base))^v)<<8 == 0 {
			from = base + at - c3
		}
		best = 3
	}
	if best >= left {
		if from != 0 {
			return 3, int(from)
		}
		return 0, 0
	}
	found := uint64(0)
	if from != 0 {
		found = 3
	}
	tail := *(*uint32)(unsafe.Add(here, best-3))
	for n := depth; c4 >= base && n > 0; n-- {
		p := c4 - base
		there := unsafe.Add(data, p)
		c4 = uint64(*(*uint32)(unsafe.Add(next, p<<2)))
		// A longer match has the same first four bytes, and the same four that end one byte past the best match so far.
		if *(*uint32)(unsafe.Add(there, best-3)) != tail || *(*uint32)(there) != v {
			continue
		}
		l := uint64(4)
		for l < left {
			x := *(*uint64)(unsafe.Add(there, l)) ^ *(*uint64)(unsafe.Add(here, l))
			if x != 0 {
				l += uint64(bits.TrailingZeros64(x)) >> 3
				break
			}
			l += 8
		}
		l = min(l, left)
		if l > best {
			best, found, from = l, l, at-p
			if l >= uint64(nice) || l == left {
				break
			}
			tail = *(*uint32)(unsafe.Add(here, best-3))
		}
	}
	return int(found), int(from)
}

// Skip inserts n positions from pos on without looking for matches.
func (h *HashChain) Skip(pos, n int) {
	at, end := uint64(pos), uint64(pos+n)
	if h.size < 4 {
		return
	}
	end = min(end, h.size-3)
	data := unsafe.Pointer(unsafe.SliceData(h.data))
	next := unsafe.Pointer(unsafe.SliceData(h.next))
	head3 := unsafe.Pointer(unsafe.SliceData(h.head3))
	head4 := unsafe.Pointer(unsafe.SliceData(h.head4))
	place, shift := h.base+at, h.shift
	for ; at < end; at++ {
		v := *(*uint32)(unsafe.Add(data, at))
		p4 := (*uint32)(unsafe.Add(head4, uint64(v*hashMul)>>(shift&63)<<2))
		*(*uint32)(unsafe.Add(next, at<<2)) = *p4
		*p4 = uint32(place)
		*(*uint32)(unsafe.Add(head3, uint64(v<<8*hashMul>>(32-hash3Bits))<<2)) = uint32(place)
		place++
	}
}
