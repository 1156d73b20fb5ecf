package xpress

import (
	"math/bits"
	"unsafe"
)

// chains is the working space of lazy parsing: for each hash of four bytes a chain of positions, the nearest first, and for
// each hash of three bytes the nearest position.
//
// Positions have 16 bits, so that the tables stay in the processor's caches. The part of them that a chunk uses is cleared
// for each chunk. An unset entry is 0, which is also the position of the first byte: every chain ends there, and the first
// byte is tried whatever its hash is. That does no harm, because the bytes are always compared.
type chains struct {
	// Arrays in one struct, so that one address reaches all: the compiler is short of registers.
	head4 [1 << hash4Bits]uint16
	head3 [1 << hash3Bits]uint16
	next  [maxChunk]uint16
}

const (
	hash4Bits = 15
	hash3Bits = 13
	leastBits = 8              // smallest size of both hashes, for small chunks
	atHead3   = 2 << hash4Bits // offset of head3 in chains
	atNext    = atHead3 + 2<<hash3Bits
)

// lazy sets tokens for the chunk of n bytes in buf and their freqs. It returns the number of tokens, and of matches with a
// 16-bit length.
//
// It takes the longest match at each position, the nearest of equally long ones, unless the next position has a better
// one: each byte more counts as about four bits, against the bits of the distances. It tries up to depth positions, half as
// many for the next position. A match of nice bytes is taken at once. A match of three bytes is taken only up to a distance
// of farThree, and never at the next position.
//
// It is one leaf function with its state in locals, for Go's WebAssembly. All indexes are positions before at, or hashes with
// as many bits as their tables; the slack of buf makes eight bytes readable at any position.
func (e *Encoder) lazy(n int) (count, huge int) {
	z := e.chains
	order := max(bits.Len(uint(n-1)), leastBits)
	mask4, mask3 := uint32(1)<<min(order, hash4Bits)-1, uint32(1)<<min(order, hash3Bits)-1
	clear(z.head4[:mask4+1])
	clear(z.head3[:mask3+1])
	freqs := &e.freqs
	clear(freqs[:])
	freqs[endSymbol] = 1
	data := unsafe.Pointer(unsafe.SliceData(e.buf))
	t := unsafe.Pointer(z)
	first := unsafe.Pointer(unsafe.SliceData(e.tokens))
	size, nice, depth := uint64(n), uint64(e.nice), e.depth

	*(*uint32)(first) = uint32(e.buf[0])
	freqs[e.buf[0]]++
	to := unsafe.Add(first, 4)
	at := uint64(1) // the current position, not yet in the tables
	for at+4 <= size {
		here := unsafe.Add(data, at)
		v := *(*uint32)(here)
		p3 := (*uint16)(unsafe.Add(t, uint64(v<<8*hashMul>>(32-hash3Bits)&mask3)<<1+atHead3))
		p4 := (*uint16)(unsafe.Add(t, uint64(v*hashMul>>(32-hash4Bits)&mask4)<<1))
		c3, p := uint64(*p3), uint64(*p4)
		*p3, *p4 = uint16(at), uint16(at)
		*(*uint16)(unsafe.Add(t, at<<1+atNext)) = uint16(p)

		var length, dist uint64
		best, left := uint64(3), size-at
		tail := v
		tries := depth
	search:
		for {
			there := unsafe.Add(data, p)
			// A longer match has the same first four bytes, and the same four that end one byte past the best match so
			// far. This loop uses few variables, so that the compiler keeps them in registers.
			for *(*uint32)(unsafe.Add(there, best-3)) != tail || *(*uint32)(there) != v {
				tries--
				if tries <= 0 || p == 0 {
					break search
				}
				p = uint64(*(*uint16)(unsafe.Add(t, p<<1+atNext)))
				there = unsafe.Add(data, p)
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
				best, length, dist = l, l, at-p
				if l >= nice || l == left {
					break
				}
				tail = *(*uint32)(unsafe.Add(here, best-3))
			}
			tries--
			if tries <= 0 || p == 0 {
				break
			}
			p = uint64(*(*uint16)(unsafe.Add(t, p<<1+atNext)))
		}
		at++
		if length == 0 {
			dist = at - 1 - c3
			if dist > farThree || (*(*uint32)(unsafe.Add(data, c3))^v)<<8 != 0 {
				freqs[v&0xFF]++
				*(*uint32)(to) = v & 0xFF
				to = unsafe.Add(to, 4)
				continue
			}
			length = 3
		}

		// A match begins at at-1. Take the match of the next position instead, as long as that is better.
		end := at - 1 + length
		for length < nice && at+4 <= size {
			here := unsafe.Add(data, at)
			v := *(*uint32)(here)
			p4 := (*uint16)(unsafe.Add(t, uint64(v*hashMul>>(32-hash4Bits)&mask4)<<1))
			p := uint64(*p4)
			*p4 = uint16(at)
			*(*uint16)(unsafe.Add(t, uint64(v<<8*hashMul>>(32-hash3Bits)&mask3)<<1+atHead3)) = uint16(at)
			*(*uint16)(unsafe.Add(t, at<<1+atNext)) = uint16(p)
			var found, from uint64
			best, left := max(length-1, 3), size-at
			if best < left {
				tail := *(*uint32)(unsafe.Add(here, best-3))
				tries := depth >> 1
			better:
				for {
					there := unsafe.Add(data, p)
					for *(*uint32)(unsafe.Add(there, best-3)) != tail || *(*uint32)(there) != v {
						tries--
						if tries <= 0 || p == 0 {
							break better
						}
						p = uint64(*(*uint16)(unsafe.Add(t, p<<1+atNext)))
						there = unsafe.Add(data, p)
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
						if l >= nice || l == left {
							break
						}
						tail = *(*uint32)(unsafe.Add(here, best-3))
					}
					tries--
					if tries <= 0 || p == 0 {
						break
					}
					p = uint64(*(*uint16)(unsafe.Add(t, p<<1+atNext)))
				}
			}
			at++
			if found < length || 4*int(found-length)+bits.Len64(dist)-bits.Len64(from) <= 2 {
				break
			}
			literal := *(*uint8)(unsafe.Add(data, at-2))
			freqs[literal]++
			*(*uint32)(to) = uint32(literal)
			to = unsafe.Add(to, 4)
			length, dist = found, from
			end = at - 1 + length
		}
		length -= minMatch
		if length >= longLength+hugeLength {
			huge++
		}
		freqs[(256+uint64(bits.Len64(dist>>1))<<4+min(length, longLength))&(numSyms-1)]++
		*(*uint32)(to) = uint32(dist<<16 | length)
		to = unsafe.Add(to, 4)
		for stop := min(end, size-3); at < stop; at++ {
			v := *(*uint32)(unsafe.Add(data, at))
			p4 := (*uint16)(unsafe.Add(t, uint64(v*hashMul>>(32-hash4Bits)&mask4)<<1))
			*(*uint16)(unsafe.Add(t, at<<1+atNext)) = *p4
			*p4 = uint16(at)
			*(*uint16)(unsafe.Add(t, uint64(v<<8*hashMul>>(32-hash3Bits)&mask3)<<1+atHead3)) = uint16(at)
		}
		at = end
	}
	for ; at < size; at++ {
		literal := *(*uint8)(unsafe.Add(data, at))
		freqs[literal]++
		*(*uint32)(to) = uint32(literal)
		to = unsafe.Add(to, 4)
	}
	return int(uintptr(to)-uintptr(first)) / 4, huge
}
