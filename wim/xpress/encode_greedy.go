package xpress

import (
	"math/bits"
	"unsafe"
)

// recent is the working space of greedy parsing: for each hash of four bytes, the last two positions with it, the later one in
// the low half. Positions are stored with base added, which grows with each chunk, so that the table need not be cleared.
type recent struct {
	places [1 << recentBits]uint64
	base   uint64 // added to positions of the current chunk; entries below it belong to earlier chunks
	size   uint64 // of the current chunk
}

const (
	recentBits = 13
	lastPlace  = 1<<32 - maxChunk // the largest base
	hashMul    = 0x9E3779B1       // 2^32 divided by the golden ratio, for multiplicative hashing
)

// greedy sets tokens for the chunk of n bytes in buf and their freqs. It returns the number of tokens, and of matches with a
// 16-bit length. At each position it tries the last two positions with the same hash, and takes the longer match at once.
//
// It is one leaf function with its state in locals, as the fast decoder is. All entries from base on are positions before
// pos, and the slack of buf makes eight bytes readable at any of them.
func (e *Encoder) greedy(n int) (count, huge int) {
	r := e.recent
	r.base += r.size
	r.size = uint64(n)
	if r.base > lastPlace || r.base == 0 {
		clear(r.places[:])
		r.base = 1
	}
	data := unsafe.Pointer(unsafe.SliceData(e.buf))
	places := unsafe.Pointer(&r.places)
	tokens := unsafe.Pointer(unsafe.SliceData(e.tokens))
	to := tokens
	base, size := r.base, uint64(n)
	freqs := &e.freqs
	clear(freqs[:])
	freqs[endSymbol] = 1
	pos := uint64(0)
	for pos+4 <= size {
		here := unsafe.Add(data, pos)
		v := *(*uint32)(here)
		p := (*uint64)(unsafe.Add(places, uint64(v*hashMul>>(32-recentBits))<<3))
		last := *p
		*p = last<<32 | (base + pos)
		var best, dist uint64
		if c := last & 0xFFFFFFFF; c >= base {
			there := unsafe.Add(data, c-base)
			if *(*uint32)(there) == v {
				best, dist = 4, base+pos-c
				for best < size-pos {
					x := *(*uint64)(unsafe.Add(there, best)) ^ *(*uint64)(unsafe.Add(here, best))
					if x != 0 {
						best += uint64(bits.TrailingZeros64(x)) >> 3
						break
					}
					best += 8
				}
			}
			if c = last >> 32; c >= base {
				there = unsafe.Add(data, c-base)
				if *(*uint32)(there) == v {
					length := uint64(4)
					for length < size-pos {
						x := *(*uint64)(unsafe.Add(there, length)) ^ *(*uint64)(unsafe.Add(here, length))
						if x != 0 {
							length += uint64(bits.TrailingZeros64(x)) >> 3
							break
						}
						length += 8
					}
					if length > best {
						best, dist = length, base+pos-c
					}
				}
			}
		}
		if best == 0 {
			freqs[v&0xFF]++
			*(*uint32)(to) = v & 0xFF
			to = unsafe.Add(to, 4)
			pos++
			continue
		}
		best = min(best, size-pos)
		end := pos + best
		best -= minMatch
		if best >= longLength+hugeLength {
			huge++
		}
		freqs[(256+uint64(bits.Len64(dist>>1))<<4+min(best, longLength))&(numSyms-1)]++
		*(*uint32)(to) = uint32(dist<<16 | best)
		to = unsafe.Add(to, 4)
		for stop := min(end, size-3); pos+1 < stop; {
			pos++
			v := *(*uint32)(unsafe.Add(data, pos))
			p := (*uint64)(unsafe.Add(places, uint64(v*hashMul>>(32-recentBits))<<3))
			*p = *p<<32 | (base + pos)
		}
		pos = end
	}
	for ; pos < size; pos++ {
		literal := *(*uint8)(unsafe.Add(data, pos))
		freqs[literal]++
		*(*uint32)(to) = uint32(literal)
		to = unsafe.Add(to, 4)
	}
	return int(uintptr(to)-uintptr(tokens)) / 4, huge
}
