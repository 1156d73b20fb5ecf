package lzx

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"wimscope/wim/internal/huffman"
)

// Entries of the tables hold these, and the length of the code in the low five bits.
const (
	entLiteral  = 1 << 30 // a byte, in bits 8 to 15
	entLong     = 1 << 29 // a match with a length symbol
	slotShift   = 8       // a match's distance slot, 6 bits
	lengthShift = 16      // a match's length, 4 bits; 9 if entLong
	extraShift  = 20      // the number of extra bits of its slot, 5 bits
	valueShift  = 8       // in the other tables: the symbol

	mainRoot   = 11
	lengthRoot = 10
	preRoot    = 6
	alignRoot  = 7 // the whole code
	mainSub    = maxMainLen - mainRoot
	lengthSub  = maxMainLen - lengthRoot
	preSub     = 15 - preRoot

	// Room for code lengths, in whole words.
	preSpace    = 24
	lengthSpace = 256

	// Recent distances are kept in one word, with so many bits each: enough for the largest window.
	recentBits = 21
	recentMask = 1<<recentBits - 1
)

// Decoder decodes packed chunks of one window size. It takes about 120 KiB plus the window size. It is not safe for concurrent
// use.
type Decoder struct {
	main    [1<<mainRoot + maxMain/2<<mainSub]uint32
	length  [1<<lengthRoot + lengthSpace/2<<lengthSub]uint32
	aligned [1 << alignRoot]uint32
	pre     [1<<preRoot + preSpace/2<<preSub]uint32
	base    [64]uint32 // smallest distance of each slot

	templates [maxMain]uint32     // for main
	values    [lengthSpace]uint32 // for the other tables
	builder   huffman.Builder

	mainLens   [maxMain]uint8
	lengthLens [lengthSpace]uint8
	window     int
	numMain    int

	s state
}

// NewDecoder returns a Decoder for archives whose chunk size is windowSize, or ErrWindow. A chunk may be smaller, as the last
// one of a resource is; the window is still that of the archive.
func NewDecoder(windowSize int) (*Decoder, error) {
	if !validWindow(windowSize) {
		return nil, ErrWindow
	}
	d := &Decoder{window: windowSize, numMain: numChars + numSlots(windowSize)*numHeaders}
	d.s.rev = make([]byte, windowSize+padding) // enough for any chunk that is smaller than its output
	for sym := range uint32(maxMain) {
		if sym < numChars {
			d.templates[sym] = entLiteral | sym<<8
			continue
		}
		slot, header := (sym-numChars)/numHeaders, sym%numHeaders
		t := slot<<slotShift | (header+minMatch)<<lengthShift | uint32(slotBits(int(slot)))<<extraShift
		if header == longHeader {
			t |= entLong
		}
		d.templates[sym] = t
	}
	for i := range d.values {
		d.values[i] = uint32(i) << valueShift
	}
	for slot := numRecent; slot < maxSlots; slot++ {
		d.base[slot] = uint32(slotBase(slot)) - 2
	}
	return d, nil
}

// Decode unpacks one chunk, src, into dst, which has its unpacked size, 1 to the window size. It writes nothing outside dst,
// keeps neither slice, and does not allocate unless src is corrupt or larger than the window. The error is a *CorruptError;
// dst then holds the output before the bad token.
func (d *Decoder) Decode(dst, src []byte) error {
	if d.decode(dst, src) {
		return nil
	}
	// The plain decoder finds out what is wrong, and where.
	return DecodePlain(dst, src, d.window, nil)
}

// padding is the number of zero bytes at the start of state.rev. They are read when the data ends too early; the method real
// notices that afterwards.
const padding = 64

// state is the state of decoding between the parts of decode.
type state struct {
	// rev is the padding and then src, with its 16-bit units in reverse order. One little-endian load therefore gives
	// the next eight bytes of the bit stream, with the first bit on top.
	rev []byte

	bits   uint64 // the next bits, the first one on top
	n      uint64 // number of bits held
	r      int    // index in rev of the eight bytes that follow those in bits
	out    int    // bytes of dst written
	recent uint64 // the recent distances, the latest lowest
	call   bool   // an E8 may have been written
}

func (d *Decoder) decode(dst, src []byte) bool {
	if len(dst) < 1 || len(dst) > d.window {
		return false
	}
	s := &d.s
	s.load(src)
	s.recent = 1<<(2*recentBits) | 1<<recentBits | 1
	s.out = 0
	s.call = false
	clear(d.mainLens[:])
	clear(d.lengthLens[:])
	for s.out < len(dst) {
		if !d.block(dst, src) {
			return false
		}
	}
	if s.call {
		untranslate(dst)
	}
	return true
}

// load fills rev and seeks to the first unit of src, which is the last one of rev. A last odd byte belongs to no unit.
func (s *state) load(src []byte) {
	size := len(src)&^1 + padding
	if cap(s.rev) < size {
		s.rev = make([]byte, size)
	}
	s.rev = s.rev[:size]
	clear(s.rev[:padding])
	to := size - 8
	i := 0
	for ; i+8 <= len(src); i += 8 {
		x := bits.RotateLeft64(binary.LittleEndian.Uint64(src[i:]), 32)
		x = x>>16&0x0000FFFF0000FFFF | x&0x0000FFFF0000FFFF<<16
		binary.LittleEndian.PutUint64(s.rev[to:], x)
		to -= 8
	}
	to += 6
	for ; i+2 <= len(src); i += 2 {
		s.rev[to], s.rev[to+1] = src[i], src[i+1]
		to -= 2
	}
	s.seek(0)
}

// seek moves to offset p of the source, which is even.
func (s *state) seek(p int) { s.bits, s.n, s.r = 0, 0, len(s.rev)-8-p }

// refill makes sure that at least 56 bits are held. It reports whether rev had them; the bits may be padding.
func (s *state) refill() bool {
	if s.r < 0 {
		return false
	}
	s.bits |= binary.LittleEndian.Uint64(s.rev[s.r:]) >> (s.n & 63)
	s.r -= int(63-s.n) >> 3
	s.n |= 56
	return true
}

// take returns the next n bits (1 to 32) of those held.
func (s *state) take(n uint64) uint32 {
	v := uint32(s.bits >> (64 - n))
	s.bits <<= n
	s.n -= n
	return v
}

// used returns the number of bits taken.
func (s *state) used() int { return (len(s.rev)-8-s.r)*8 - int(s.n) }

// real reports whether all bits taken so far are data, not padding.
func (s *state) real() bool { return s.used() <= (len(s.rev)-padding)*8 }

func (d *Decoder) block(dst, src []byte) bool {
	s := &d.s
	if !s.refill() {
		return false
	}
	kind := s.take(3)
	size := defaultBlock
	if s.take(1) == 0 {
		size = int(s.take(16))
		if d.window >= wideWindow {
			size = size<<8 | int(s.take(8))
		}
	}
	if size < 1 || size > len(dst)-s.out {
		return false
	}
	alignedFromBits := uint64(64) // more than any slot has
	switch kind {
	case blockRaw:
		return d.rawBlock(dst, src, size)
	case blockAligned:
		alignedFromBits = alignedFrom
		s.refill()
		var lens [numAligned]uint8
		for i := range lens {
			lens[i] = uint8(s.take(3))
		}
		if d.builder.Build(d.aligned[:], lens[:], d.values[:], alignRoot, alignRoot).Err() != nil {
			return false
		}
	case blockVerbatim:
	default:
		return false
	}
	mainLens := d.mainLens[:d.numMain]
	if !d.lengths(mainLens[:numChars]) || !d.lengths(mainLens[numChars:]) || !d.lengths(d.lengthLens[:numLengths]) || !s.real() {
		return false
	}
	if d.builder.Build(d.main[:], mainLens, d.templates[:], mainRoot, maxMainLen) != huffman.Complete ||
		d.builder.Build(d.length[:], d.lengthLens[:], d.values[:], lengthRoot, maxMainLen).Err() != nil {
		return false
	}
	s.call = s.call || mainLens[x86Call] != 0

	end := s.out + size
	return d.careful(dst, min(end, fastHead), end, alignedFromBits) &&
		d.fast(dst, end, alignedFromBits) &&
		d.careful(dst, end, end, alignedFromBits) &&
		s.real()
}

// rawBlock copies an uncompressed block.
func (d *Decoder) rawBlock(dst, src []byte, size int) bool {
	s := &d.s
	// Skip the rest of the current unit, or a whole one if no bit of it was taken.
	p := s.used()>>4<<1 + 2
	if size > len(src)-p-12 {
		return false
	}
	s.recent = 0
	for i := range 3 {
		v := binary.LittleEndian.Uint32(src[p+4*i:])
		if v == 0 {
			return false
		}
		if v > recentMask {
			v = 0 // too far for any window: refused when it is used, as 0 is
		}
		s.recent |= uint64(v) << (i * recentBits)
	}
	p += 12
	copy(dst[s.out:], src[p:p+size])
	s.out += size
	s.seek(p + (size+1)&^1)
	s.call = true
	return true
}

// lengths updates code lengths; see plainDecoder.lengths.
func (d *Decoder) lengths(lens []uint8) bool {
	s := &d.s
	var preLens [preSpace]uint8
	for i := range numPre {
		if i%10 == 0 && !s.refill() {
			return false
		}
		preLens[i] = uint8(s.take(4))
	}
	if d.builder.Build(d.pre[:], preLens[:], d.values[:], preRoot, 15) != huffman.Complete {
		return false
	}
	// In small blocks this loop is hot, so its state is in locals and it calls nothing.
	buf, n, r := s.bits, s.n, int64(s.r)
	rev := unsafe.Pointer(unsafe.SliceData(s.rev))
	for i := 0; i < len(lens); {
		if r < 0 {
			return false
		}
		buf |= *(*uint64)(unsafe.Add(rev, r)) >> (n & 63)
		r -= int64((63 - n) >> 3)
		n |= 56
		e := d.pre[buf>>(64-preRoot)]
		if int32(e) < 0 {
			e = d.pre[uint64(e&^huffman.Link>>huffman.LinkShift)+buf<<preRoot>>(64-preSub)]
		}
		buf <<= e & 31
		n -= uint64(e & 31)
		sym := uint8(e >> valueShift)
		if sym < preRun {
			l := lens[i] - sym
			lens[i] = l + uint8(int8(l)>>7)&17
			i++
			continue
		}
		// 17: 4 to 19 zeros; 18: 20 to 51 zeros; 19: 4 or 5 of one length.
		extra, run, value := uint64(4), 4, uint8(0)
		if sym == preRunLong {
			extra, run = 5, 20
		} else if sym == preSame {
			extra = 1
		}
		run += int(buf >> (64 - extra))
		buf <<= extra
		n -= extra
		if run > len(lens)-i {
			return false
		}
		if sym == preSame {
			e = d.pre[buf>>(64-preRoot)]
			if int32(e) < 0 {
				e = d.pre[uint64(e&^huffman.Link>>huffman.LinkShift)+buf<<preRoot>>(64-preSub)]
			}
			buf <<= e & 31
			n -= uint64(e & 31)
			sym = uint8(e >> valueShift)
			if sym >= preRun {
				return false
			}
			value = lens[i] - sym
			value += uint8(int8(value)>>7) & 17
		}
		for stop := i + run; i < stop; i++ {
			lens[i] = value
		}
	}
	s.bits, s.n, s.r = buf, n, int(r)
	return true
}

// careful decodes tokens until at least want bytes of dst are written; the block ends at end. It runs where fast must not: at
// both ends of a chunk.
func (d *Decoder) careful(dst []byte, want, end int, alignedFromBits uint64) bool {
	s := &d.s
	for s.out < want {
		if !s.refill() {
			return false
		}
		e := d.main[s.bits>>(64-mainRoot)]
		if e&huffman.Link != 0 {
			e = d.main[uint64(e&^huffman.Link>>huffman.LinkShift)+s.bits<<mainRoot>>(64-mainSub)]
		}
		s.bits <<= e & huffman.LenMask
		s.n -= uint64(e & huffman.LenMask)
		if e&entLiteral != 0 {
			dst[s.out] = byte(e >> 8)
			s.out++
			continue
		}
		length := int(e >> lengthShift & 15)
		if e&entLong != 0 {
			l := d.length[s.bits>>(64-lengthRoot)]
			if l&huffman.Link != 0 {
				if l == huffman.None {
					return false
				}
				l = d.length[uint64(l&^huffman.Link>>huffman.LinkShift)+s.bits<<lengthRoot>>(64-lengthSub)]
			}
			s.bits <<= l & huffman.LenMask
			s.n -= uint64(l & huffman.LenMask)
			length += int(l >> valueShift)
		}
		slot := e >> slotShift & 63
		if slot >= numRecent {
			extra := uint64(e >> extraShift & 31)
			v := uint32(0)
			if extra >= alignedFromBits {
				extra -= 3
				v = uint32(s.bits>>1>>(63-extra)) << 3
				s.bits <<= extra
				s.n -= extra
				a := d.aligned[s.bits>>(64-alignRoot)]
				if a == huffman.None {
					return false
				}
				v |= a >> valueShift
				extra = uint64(a & huffman.LenMask)
			} else {
				v = uint32(s.bits >> 1 >> (63 - extra))
			}
			s.bits <<= extra
			s.n -= extra
			s.recent = s.recent<<recentBits | uint64(d.base[slot]+v)
		} else {
			// Swap the latest with the one used.
			shift := slot * recentBits
			x := (s.recent ^ s.recent>>shift) & recentMask
			s.recent ^= x ^ x<<shift
		}
		dist := int(s.recent & recentMask)
		if dist < 1 || dist > s.out || length > end-s.out {
			return false
		}
		for i := s.out; i < s.out+length; i++ {
			dst[i] = dst[i-dist]
		}
		s.out += length
	}
	return true
}
