package xpress

import (
	"math/bits"
	"unsafe"

	"wimscope/wim/internal/huffman"
)

// Entries of the decoding table hold these, and the length of the code in the low five bits.
const (
	entLiteral  = 1 << 30 // a byte, in bits 8 to 15
	entLong     = 1 << 29 // a match with length bytes
	distShift   = 8       // a match's number of distance bits, 4 bits
	lengthShift = 16      // a match's length, 5 bits; 18 if entLong

	rootBits = 11
	subBits  = maxCodeLen - rootBits
)

// Decoder decodes packed chunks. It takes about 30 KiB. It is not safe for concurrent use.
type Decoder struct {
	table     [1<<rootBits + numSyms/2<<subBits]uint32
	templates [numSyms]uint32
	lens      [numSyms]uint8
	builder   huffman.Builder
	s         state
}

// NewDecoder returns a Decoder.
func NewDecoder() *Decoder {
	d := new(Decoder)
	for sym := range uint32(numSyms) {
		if sym < 256 {
			d.templates[sym] = entLiteral | sym<<8
			continue
		}
		t := (sym >> 4 & 15 << distShift) | (sym&15+minMatch)<<lengthShift
		if sym&15 == longLength {
			t |= entLong
		}
		d.templates[sym] = t
	}
	return d
}

// Decode unpacks one chunk, src, into dst, which has its unpacked size, 1 to 65536 bytes. It writes nothing outside dst, keeps
// neither slice, and does not allocate unless src is corrupt. The error is then a *CorruptError, and dst holds the output
// before the bad token.
func (d *Decoder) Decode(dst, src []byte) error {
	if d.decode(dst, src) {
		return nil
	}
	// The plain decoder finds out what is wrong, and where.
	return DecodePlain(dst, src, nil)
}

// state is the state of decoding between the parts of decode.
type state struct {
	bits uint64 // the next n bits, the first one on top; zeros below them
	n    uint64 // number of bits held
	p    int    // offset in src of the first byte not in bits
	out  int    // bytes of dst written
}

func (d *Decoder) decode(dst, src []byte) bool {
	if len(dst) < 1 || len(dst) > maxChunk || len(src) < tableSize {
		return false
	}
	unpackLengths(&d.lens, src)
	if d.builder.Build(d.table[:], d.lens[:], d.templates[:], rootBits, maxCodeLen) != huffman.Complete {
		return false
	}
	d.s = state{p: tableSize}
	if !d.careful(dst, src, min(len(dst), fastHead)) {
		return false
	}
	if len(dst)-d.s.out > fastTail && len(src)-d.s.p >= fastInput {
		if !d.fast(dst, src) {
			return false
		}
	}
	return d.careful(dst, src, len(dst))
}

// careful decodes tokens until at least want bytes of dst are written. It runs where fast must not: at both ends of a chunk.
func (d *Decoder) careful(dst, src []byte, want int) bool {
	s := &d.s
	for s.out < want {
		for s.n < 48 && len(src)-s.p >= 2 {
			s.bits |= (uint64(src[s.p]) | uint64(src[s.p+1])<<8) << (48 - s.n)
			s.p += 2
			s.n += 16
		}
		e := d.table[s.bits>>(64-rootBits)]
		if e&huffman.Link != 0 {
			e = d.table[e&^huffman.Link>>huffman.LinkShift+uint32(s.bits<<rootBits>>(64-subBits))]
		}
		size := uint64(e & huffman.LenMask)
		if size > s.n {
			return false
		}
		s.bits <<= size
		s.n -= size
		if e&entLiteral != 0 {
			dst[s.out] = byte(e >> 8)
			s.out++
			continue
		}
		distBits := uint64(e >> distShift & 15)
		if distBits > s.n {
			return false
		}
		dist := int((s.bits>>1 | 1<<63) >> (63 - distBits))
		length := int(e >> lengthShift & 31)
		if e&entLong != 0 {
			// The format has fetched only 16 to 31 bits here. Give back the units held beyond those: the length bytes
			// are in their place.
			if s.n >= 32 {
				back := s.n>>4 - 1
				s.p -= 2 * int(back)
				s.n -= 16 * back
				s.bits &= ^uint64(0) << (64 - s.n)
			}
			if len(src)-s.p < 1 {
				return false
			}
			more := int(src[s.p])
			s.p++
			length = longLength + minMatch + more
			if more == hugeLength {
				if len(src)-s.p < 2 {
					return false
				}
				length = int(src[s.p]) + int(src[s.p+1])<<8 + minMatch
				s.p += 2
			}
		}
		s.bits <<= distBits
		s.n -= distBits
		if dist > s.out || length > len(dst)-s.out {
			return false
		}
		for i := s.out; i < s.out+length; i++ {
			dst[i] = dst[i-dist]
		}
		s.out += length
	}
	return true
}

// What fast needs, in bytes: output before it, so that one comparison checks a distance; room for the output of one
// turn of its loop (a literal, then three words, which cover a match of at most 17 bytes); and the input of one turn.
const (
	fastHead  = 8
	fastTail  = 32
	fastInput = 24
)

// fast decodes tokens until fewer than fastTail bytes of dst or fastInput of src are left.
//
// It is one leaf function with its state in locals and few taken jumps, because each taken jump goes through a dispatcher
// in Go's WebAssembly. The README explains why it needs no bounds checks.
func (d *Decoder) fast(dst, src []byte) bool {
	s := &d.s
	table := unsafe.Pointer(&d.table)
	to := unsafe.Pointer(unsafe.SliceData(dst))
	from := unsafe.Pointer(unsafe.SliceData(src))
	buf, n := s.bits, s.n
	p, out := uint64(s.p), uint64(s.out)
	pEnd, outEnd := uint64(len(src)-fastInput), uint64(len(dst)-fastTail)

	for out < outEnd && p <= pEnd {
		// Refill to 48 bits or more. Bits already held are or-ed with themselves.
		x := bits.RotateLeft64(*(*uint64)(unsafe.Add(from, p)), 32)
		x = x>>16&0x0000FFFF0000FFFF | x&0x0000FFFF0000FFFF<<16
		buf |= x >> (n & 63)
		p += (63 - n) >> 4 << 1
		n |= 48

		e := *(*uint32)(unsafe.Add(table, buf>>(64-rootBits)<<2))
		if e&entLiteral != 0 {
			*(*byte)(unsafe.Add(to, out)) = byte(e >> 8)
			out++
			buf <<= e & 31
			n -= uint64(e & 31)
			e = *(*uint32)(unsafe.Add(table, buf>>(64-rootBits)<<2))
			if e&entLiteral != 0 {
				*(*byte)(unsafe.Add(to, out)) = byte(e >> 8)
				out++
				buf <<= e & 31
				n -= uint64(e & 31)
				e = *(*uint32)(unsafe.Add(table, buf>>(64-rootBits)<<2))
				if e&entLiteral != 0 {
					*(*byte)(unsafe.Add(to, out)) = byte(e >> 8)
					out++
					buf <<= e & 31
					n -= uint64(e & 31)
				}
				continue
			}
		}
		var distBits, dist, length uint64
		if e&(huffman.Link|entLong) == 0 {
			// Most matches end here.
			distBits = uint64(e>>distShift) & 15
			size := uint64(e & 31)
			buf <<= size
			dist = (buf>>1 | 1<<63) >> (63 - distBits)
			buf <<= distBits
			n -= size + distBits
			length = uint64(e >> lengthShift)
			if dist-8 <= out-8 {
				o := unsafe.Add(to, out)
				m := unsafe.Add(to, out-dist)
				*(*uint64)(o) = *(*uint64)(m)
				*(*uint64)(unsafe.Add(o, 8)) = *(*uint64)(unsafe.Add(m, 8))
				*(*uint64)(unsafe.Add(o, 16)) = *(*uint64)(unsafe.Add(m, 16))
				out += length
				continue
			}
		} else {
			if int32(e) < 0 {
				e = *(*uint32)(unsafe.Add(table, (uint64(e&^huffman.Link)>>huffman.LinkShift+buf<<rootBits>>(64-subBits))<<2))
			}
			buf <<= e & 31
			n -= uint64(e & 31)
			if e&entLiteral != 0 {
				*(*byte)(unsafe.Add(to, out)) = byte(e >> 8)
				out++
				continue
			}
			distBits = uint64(e>>distShift) & 15
			dist = (buf>>1 | 1<<63) >> (63 - distBits)
			length = uint64(e>>lengthShift) & 31
			if e&entLong != 0 {
				// The format has fetched only 16 to 31 bits here. Give back the units held beyond those: the length
				// bytes are in their place.
				back := n>>4 - 1
				p -= 2 * back
				n -= 16 * back
				more := uint64(*(*byte)(unsafe.Add(from, p)))
				p++
				length += more
				if more == hugeLength {
					length = uint64(*(*uint16)(unsafe.Add(from, p))) + minMatch
					p += 2
				}
				buf = buf >> (64 - n&63) << (64 - n&63)
				if length > uint64(len(dst))-out {
					return false
				}
			}
			buf <<= distBits
			n -= distBits
		}
		if dist > out {
			return false
		}
		end := out + length
		if end > uint64(len(dst))-8 {
			// No room for whole words. This happens once in a chunk.
			for ; out+8 < end && dist >= 8; out += 8 {
				*(*uint64)(unsafe.Add(to, out)) = *(*uint64)(unsafe.Add(to, out-dist))
			}
			for ; out < end; out++ {
				*(*byte)(unsafe.Add(to, out)) = *(*byte)(unsafe.Add(to, out-dist))
			}
			break
		}
		if dist >= 8 {
			for {
				*(*uint64)(unsafe.Add(to, out)) = *(*uint64)(unsafe.Add(to, out-dist))
				out += 8
				if out >= end {
					break
				}
			}
		} else {
			// Repeat the pattern in a word, and store the word at steps of whole patterns.
			w := dist * 8
			v := *(*uint64)(unsafe.Add(to, out-dist)) << (64 - w&63) >> (64 - w&63)
			v |= v << w
			v |= v << (2 * w)
			v |= v << (4 * w)
			step := uint64(0x76586880) >> (4 * dist) & 15
			for ; out < end; out += step {
				*(*uint64)(unsafe.Add(to, out)) = v
			}
		}
		out = end
	}
	// The bits below n may be set; careful wants zeros.
	buf = buf >> (64 - n&63) << (64 - n&63)
	s.bits, s.n, s.p, s.out = buf, n, int(p), int(out)
	return true
}
