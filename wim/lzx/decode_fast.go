package lzx

import (
	"unsafe"

	"wimscope/wim/internal/huffman"
)

// What fast needs, in bytes: output before it, so that one comparison checks a distance; room for the output of one turn of
// its loop (two literals, then two words of a match); and input in rev for two refills.
const (
	fastHead  = 8
	fastTail  = 24
	fastInput = 8
)

// fast decodes tokens of a block that ends at end, until its last bytes or until fewer than fastTail bytes of dst are left.
//
// It is one leaf function with its state in locals and few taken jumps, because each taken jump goes through a dispatcher
// in Go's WebAssembly. The README explains why it needs so few bounds checks.
func (d *Decoder) fast(dst []byte, end int, alignedFromBits uint64) bool {
	s := &d.s
	to := unsafe.Pointer(unsafe.SliceData(dst))
	rev := unsafe.Pointer(unsafe.SliceData(s.rev))
	buf, n, recent := s.bits, s.n, s.recent
	r, out := int64(s.r), uint64(s.out)
	size := uint64(len(dst))
	// A turn may write three literals, all of which must be in the block. A match past the end of the block is noticed at
	// the end of this function.
	outEnd := uint64(max(min(end-2, len(dst)-fastTail), 0))

	for out < outEnd && r >= fastInput {
		buf |= *(*uint64)(unsafe.Add(rev, r)) >> (n & 63)
		r -= int64((63 - n) >> 3)
		n |= 56
		e := d.main[buf>>(64-mainRoot)]
		if e&entLiteral != 0 {
			*(*byte)(unsafe.Add(to, out)) = byte(e >> 8)
			out++
			buf <<= e & 31
			n -= uint64(e & 31)
			e = d.main[buf>>(64-mainRoot)]
			if e&entLiteral != 0 {
				*(*byte)(unsafe.Add(to, out)) = byte(e >> 8)
				out++
				buf <<= e & 31
				n -= uint64(e & 31)
				e = d.main[buf>>(64-mainRoot)]
				if e&entLiteral != 0 {
					*(*byte)(unsafe.Add(to, out)) = byte(e >> 8)
					out++
					buf <<= e & 31
					n -= uint64(e & 31)
					continue
				}
			}
			buf |= *(*uint64)(unsafe.Add(rev, r)) >> (n & 63)
			r -= int64((63 - n) >> 3)
			n |= 56
		}
		if int32(e) < 0 {
			e = *(*uint32)(unsafe.Add(unsafe.Pointer(&d.main), (uint64(e&^huffman.Link>>huffman.LinkShift)+buf<<mainRoot>>(64-mainSub))<<2))
			if e&entLiteral != 0 {
				*(*byte)(unsafe.Add(to, out)) = byte(e >> 8)
				out++
				buf <<= e & 31
				n -= uint64(e & 31)
				continue
			}
		}
		buf <<= e & 31
		n -= uint64(e & 31)
		length := uint64(e>>lengthShift) & 15
		if e&entLong != 0 {
			l := d.length[buf>>(64-lengthRoot)]
			if int32(l) < 0 {
				if l == huffman.None {
					return false
				}
				l = *(*uint32)(unsafe.Add(unsafe.Pointer(&d.length), (uint64(l&^huffman.Link>>huffman.LinkShift)+buf<<lengthRoot>>(64-lengthSub))<<2))
			}
			buf <<= l & 31
			n -= uint64(l & 31)
			length += uint64(l >> valueShift)
		}
		slot := uint64(e>>slotShift) & 63
		extra := uint64(e>>extraShift) & 31
		if slot >= numRecent {
			var v uint64
			if extra >= alignedFromBits {
				extra = (extra - 3) & 63
				v = buf >> 1 >> (63 - extra) << 3
				buf <<= extra
				n -= extra
				a := d.aligned[buf>>(64-alignRoot)]
				if int32(a) < 0 {
					return false
				}
				v |= uint64(a >> valueShift)
				extra = uint64(a & 31)
			} else {
				v = buf >> 1 >> (63 - extra)
			}
			buf <<= extra
			n -= extra
			recent = recent<<recentBits | (uint64(d.base[slot]) + v)
		} else {
			// Swap the latest with the one used.
			shift := slot * recentBits & 63
			x := (recent ^ recent>>shift) & recentMask
			recent ^= x ^ x<<shift
		}
		dist := recent & recentMask
		stop := out + length
		if dist-8 <= out-8 {
			*(*uint64)(unsafe.Add(to, out)) = *(*uint64)(unsafe.Add(to, out-dist))
			*(*uint64)(unsafe.Add(to, out+8)) = *(*uint64)(unsafe.Add(to, out+8-dist))
			if length <= 16 {
				out = stop
				continue
			}
			out += 16
			if stop <= size-8 {
				for {
					*(*uint64)(unsafe.Add(to, out)) = *(*uint64)(unsafe.Add(to, out-dist))
					out += 8
					if out >= stop {
						break
					}
				}
				out = stop
				continue
			}
		}
		if dist == 0 || dist > out || stop > size {
			return false
		}
		if stop > size-8 {
			// No room for whole words. This happens once in a chunk.
			for ; out < stop; out++ {
				*(*byte)(unsafe.Add(to, out)) = *(*byte)(unsafe.Add(to, out-dist))
			}
			break
		}
		// The distance is less than 8: repeat the pattern in a word, and store the word at steps of whole patterns.
		w := dist * 8
		v := *(*uint64)(unsafe.Add(to, out-dist)) << (64 - w&63) >> (64 - w&63)
		v |= v << w
		v |= v << (2 * w)
		v |= v << (4 * w)
		step := uint64(0x76586880) >> (4 * dist) & 15
		for ; out < stop; out += step {
			*(*uint64)(unsafe.Add(to, out)) = v
		}
		out = stop
	}
	s.bits, s.n, s.r, s.out, s.recent = buf, n, int(r), int(out), recent
	return out <= uint64(end)
}
