package lzx

import (
	"encoding/binary"

	"wimscope/wim/internal/bitio"
	"wimscope/wim/internal/huffman"
)

// Kind is the kind of a token.
type Kind uint8

const (
	Block   Kind = iota // a block's header: type, size, code lengths
	Literal             // one byte
	Match               // a copy of earlier output
	Raw                 // the bytes of an uncompressed block
)

// Token is one step of decoding.
type Token struct {
	Kind      Kind
	Bit       int64 // offset of its first bit in the packed chunk
	Bits      int   // size in bits
	Out       int   // bytes of output before it
	BlockType int   // of a block: 1 verbatim, 2 aligned, 3 uncompressed
	Length    int   // bytes of output: 1 for a literal, the size of the block for a block
	Symbol    int   // main symbol of a literal or match
	CodeBits  int   // length of that symbol's code, in bits
	Slot      int   // of a match: distance slot; 0 to 2 are recent distances
	Distance  int   // of a match: bytes back from Out
	Value     byte  // of a literal
}

// DecodePlain does the same as [Decoder.Decode] for a chunk in a window of windowSize, slowly and readably, and reports each
// token before it writes its output. token may be nil. After an error, dst holds the output before the bad token.
//
// Tokens describe the output before calls (E8) are translated back, which is the last step.
func DecodePlain(dst, src []byte, windowSize int, token func(Token)) error {
	if !validWindow(windowSize) {
		return ErrWindow
	}
	d := plainDecoder{dst: dst, window: windowSize, token: token, recent: [3]uint32{1, 1, 1}}
	d.r.Src = src
	if err := d.run(); err != nil {
		return &CorruptError{Bit: d.at, Out: d.out, Err: err}
	}
	untranslatePlain(dst)
	return nil
}

type plainDecoder struct {
	r      bitio.Reader
	dst    []byte
	out    int
	window int
	at     int64 // where the current token starts
	token  func(Token)

	recent    [3]uint32
	mainLens  [maxMain]uint8
	lenLens   [numLengths]uint8
	alignLens [numAligned]uint8

	main, length, aligned *huffman.Code // aligned is nil in a verbatim block
}

func (d *plainDecoder) run() error {
	if len(d.dst) < 1 || len(d.dst) > d.window {
		return errChunkSize
	}
	for d.out < len(d.dst) {
		if err := d.block(); err != nil {
			return err
		}
	}
	return nil
}

func (d *plainDecoder) bit() (uint32, error) { return d.r.Bits(1) }

func (d *plainDecoder) block() error {
	d.at = d.r.Pos()
	kind, err := d.r.Bits(3)
	if err != nil {
		return err
	}
	size, err := d.blockSize()
	if err != nil {
		return err
	}
	if size < 1 || size > len(d.dst)-d.out {
		return errBlockSize
	}
	t := Token{Kind: Block, BlockType: int(kind), Length: size}
	switch kind {
	case blockRaw:
		return d.rawBlock(t)
	case blockAligned, blockVerbatim:
		if err := d.codes(kind == blockAligned); err != nil {
			return err
		}
	default:
		return errBlockType
	}
	d.report(t)
	for end := d.out + size; d.out < end; {
		if err := d.step(end); err != nil {
			return err
		}
	}
	return nil
}

func (d *plainDecoder) blockSize() (int, error) {
	isDefault, err := d.bit()
	if err != nil {
		return 0, err
	}
	if isDefault == 1 {
		return defaultBlock, nil
	}
	size, err := d.r.Bits(16)
	if err != nil || d.window < wideWindow {
		return int(size), err
	}
	low, err := d.r.Bits(8)
	return int(size)<<8 | int(low), err
}

// rawBlock copies an uncompressed block. Its header continues with the three recent distances, as bytes.
func (d *plainDecoder) rawBlock(t Token) error {
	// Skip the rest of the unit. If the header ends with its unit, skip the whole next unit.
	if d.r.Held() == 0 {
		if _, err := d.r.Bits(16); err != nil {
			return err
		}
	}
	d.r.Discard()
	head, err := d.r.Bytes(12)
	if err != nil {
		return err
	}
	for i := range d.recent {
		d.recent[i] = binary.LittleEndian.Uint32(head[4*i:])
		if d.recent[i] == 0 {
			return errRecent
		}
	}
	d.report(t)
	d.at = d.r.Pos()
	body, err := d.r.Bytes(t.Length)
	if err != nil {
		return err
	}
	// A pad byte makes an odd length even. It may be missing after the last block.
	if t.Length%2 == 1 {
		if _, err := d.r.Byte(); err != nil && d.out+t.Length < len(d.dst) {
			return err
		}
	}
	d.report(Token{Kind: Raw, Length: t.Length})
	d.out += copy(d.dst[d.out:], body)
	return nil
}

// codes reads the code lengths of a verbatim or aligned block.
func (d *plainDecoder) codes(aligned bool) (err error) {
	d.aligned = nil
	if aligned {
		for i := range d.alignLens {
			l, err := d.r.Bits(3)
			if err != nil {
				return err
			}
			d.alignLens[i] = uint8(l)
		}
		if d.aligned, err = huffman.NewCode(d.alignLens[:]); err != nil {
			return err
		}
	}
	mainLens := d.mainLens[:numChars+numSlots(d.window)*numHeaders]
	for _, lens := range [][]uint8{mainLens[:numChars], mainLens[numChars:], d.lenLens[:]} {
		if err := d.lengths(lens); err != nil {
			return err
		}
	}
	if d.main, err = huffman.NewCode(mainLens); err != nil {
		return err
	}
	if huffman.ShapeOf(mainLens) == huffman.Empty {
		return errNoCode
	}
	d.length, err = huffman.NewCode(d.lenLens[:]) // empty if the block has no long match
	return err
}

// lengths updates lens, which hold the code lengths of the block before: it reads a pre-code, and the changes in it.
func (d *plainDecoder) lengths(lens []uint8) error {
	var preLens [numPre]uint8
	for i := range preLens {
		l, err := d.r.Bits(4)
		if err != nil {
			return err
		}
		preLens[i] = uint8(l)
	}
	pre, err := huffman.NewCode(preLens[:])
	if err != nil {
		return err
	}
	for i := 0; i < len(lens); {
		sym, err := pre.Symbol(d.bit)
		if err != nil {
			return err
		}
		run, value := 1, uint8(0)
		switch sym {
		case preRun, preRunLong, preSame:
			extra, least := uint(4), 4 // 17: 4 to 19 zeros
			if sym == preRunLong {
				extra, least = 5, 20 // 18: 20 to 51 zeros
			} else if sym == preSame {
				extra, least = 1, 4 // 19: 4 or 5 of one length
			}
			n, err := d.r.Bits(extra)
			if err != nil {
				return err
			}
			run = least + int(n)
			if sym == preSame {
				if sym, err = pre.Symbol(d.bit); err != nil {
					return err
				}
				if sym >= preRun {
					return errRunDelta
				}
				value = changed(lens[i], sym)
			}
		default:
			value = changed(lens[i], sym)
		}
		if run > len(lens)-i {
			return errRun
		}
		for range run {
			lens[i] = value
			i++
		}
	}
	return nil
}

// changed returns the code length before-delta, modulo 17.
func changed(before uint8, delta int) uint8 {
	return uint8((int(before) - delta + 17) % 17)
}

// step decodes one token of a block that ends at offset end of the output.
func (d *plainDecoder) step(end int) error {
	d.at = d.r.Pos()
	sym, err := d.main.Symbol(d.bit)
	if err != nil {
		return err
	}
	t := Token{Kind: Literal, Symbol: sym, CodeBits: int(d.mainLens[sym]), Length: 1, Value: byte(sym)}
	if sym < numChars {
		d.report(t)
		d.dst[d.out] = byte(sym)
		d.out++
		return nil
	}
	sym -= numChars
	t.Kind, t.Value = Match, 0
	t.Slot = sym / numHeaders
	t.Length = sym%numHeaders + minMatch
	if sym%numHeaders == longHeader {
		more, err := d.length.Symbol(d.bit)
		if err != nil {
			return err
		}
		t.Length += more
	}
	distance, err := d.distance(t.Slot)
	if err != nil {
		return err
	}
	if distance > uint32(d.out) {
		return errDistance
	}
	if t.Length > end-d.out {
		return errLength
	}
	t.Distance = int(distance)
	d.report(t)
	for range t.Length {
		d.dst[d.out] = d.dst[d.out-t.Distance]
		d.out++
	}
	return nil
}

// distance reads the extra bits of a distance slot and puts the distance at the front of the recent ones.
func (d *plainDecoder) distance(slot int) (uint32, error) {
	r := &d.recent
	if slot < numRecent {
		// A swap, not a rotation: slot 2 leaves the second where it is.
		r[0], r[slot] = r[slot], r[0]
		return r[0], nil
	}
	extra := slotBits(slot)
	var v uint32
	var err error
	if d.aligned != nil && extra >= alignedFrom {
		if v, err = d.r.Bits(extra - 3); err != nil {
			return 0, err
		}
		low, err := d.aligned.Symbol(d.bit)
		if err != nil {
			return 0, err
		}
		v = v<<3 | uint32(low)
	} else if v, err = d.r.Bits(extra); err != nil {
		return 0, err
	}
	v += uint32(slotBase(slot)) - 2
	r[0], r[1], r[2] = v, r[0], r[1]
	return v, nil
}

func (d *plainDecoder) report(t Token) {
	if d.token != nil {
		t.Bit, t.Out = d.at, d.out
		t.Bits = int(d.r.Pos() - d.at)
		d.token(t)
	}
}
