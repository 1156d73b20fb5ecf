package match

import (
	"math/bits"
	"unsafe"
)

// Slack is how many bytes there must be behind the data that a finder works on. They are read and do not matter.
const Slack = 8

// HashChain finds matches by hashes of four bytes, whose places are chained, the nearest first, and of three, of which
// only the nearest place is known. It suits greedy and lazy parsing.
//
// Each position of the data is given to exactly one call of Longest or Skip, in ascending order. A HashChain is
// for one goroutine at a time.
type HashChain struct {
	data  []byte // with its slack
	size  uint64 // of the data
	base  uint64 // what is added to a position to put it into the tables
	shift uint64 // makes a hash of four bytes from a product
	next  []uint32
	head4 []uint32
	head3 []uint32
}

// Places in the tables are counted on from one chunk to the next, so that the tables need not be cleared for each. When
// they have counted this far, they are cleared and begin again.
const lastPlace = 1 << 31

const (
	hash3Bits = 13
	hashMul   = 0x9E3779B1 // 2^32 divided by the golden ratio, for multiplicative hashing
)

// NewHashChain makes a finder for data of up to size bytes, 1 to 1<<30.
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

// HashChainMemory is about what NewHashChain(size) takes, in bytes.
func HashChainMemory(size int) int64 {
	return 4 * (int64(size) + 1<<hashBits(size) + 1<<hash3Bits)
}

// hashBits is the size of a hash of four bytes: about one value for each position.
func hashBits(size int) int {
	return min(max(bits.Len(uint(size-1)), 12), 18)
}

// Start begins with new data, the first size bytes of buf. Behind them buf has at least Slack bytes more. It is kept,
// and must not change until the last position was given.
func (h *HashChain) Start(buf []byte, size int) {
	if size > len(h.next) || len(buf)-size < Slack {
		panic("match: HashChain: data does not fit, or has no slack")
	}
	h.base += h.size
	h.data, h.size = buf, uint64(size)
	if h.base+uint64(len(h.next)) > lastPlace {
		h.base = 1
		clear(h.head4)
		clear(h.head3)
	}
}

// Longest takes position pos and finds the longest match that begins there and is longer than atLeast bytes (2 or
// more), the nearest of equally long ones. It tries up to depth places with the same four bytes, or fewer if it has
// found a match of nice bytes. No match goes beyond the end of the data. A length of atLeast or less says that there
// is none.
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

	// The newest places with the same hash, which pos becomes now.
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
		// A longer match has these four bytes, which end behind the best one so far, and the first four.
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

// Skip takes n positions from pos on, of which no matches are wanted.
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
