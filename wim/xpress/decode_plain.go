package xpress

import (
	"encoding/binary"

	"wimscope/wim/internal/bitio"
	"wimscope/wim/internal/huffman"
)

// Kind is what a token is.
type Kind uint8

const (
	Table   Kind = iota // the 256 bytes of code lengths
	Literal             // one byte
	Match               // a copy of earlier output
)

// Token is one step of decoding.
type Token struct {
	Kind     Kind
	Bit      int64 // offset of its first bit in the packed chunk; see DecodePlain about bytes between the bits
	Bits     int   // size in bits, its length bytes included
	Out      int   // output before it, in bytes
	Symbol   int   // of a literal or match: 0 to 511
	CodeBits int   // size of the symbol's code, in bits
	Length   int   // bytes that it gives: 1 for a literal
	Distance int   // of a match: bytes back from Out
	Value    byte  // of a literal
}

// DecodePlain does what [Decoder.Decode] does, slowly and readably, and reports each token before it is carried out.
// token may be nil. After an error, dst holds what came before it.
//
// A long match keeps one or three bytes of its length outside the bit stream, up to two units ahead. Token.Bit counts
// them as soon as they are read, so for the tokens in those two units it is too high by their size.
func DecodePlain(dst, src []byte, token func(Token)) error {
	d := plainDecoder{dst: dst, token: token}
	d.r.Src = src
	err := d.run()
	if err != nil {
		return &CorruptError{Bit: d.at, Out: d.out, Err: err}
	}
	return nil
}

type plainDecoder struct {
	r     bitio.Reader
	dst   []byte
	out   int
	at    int64 // where the token in hand starts
	token func(Token)
}

func (d *plainDecoder) run() error {
	if len(d.dst) < 1 || len(d.dst) > maxChunk {
		return errChunkSize
	}
	table, err := d.r.Bytes(tableSize)
	if err != nil {
		return errNoTable
	}
	d.report(Token{Kind: Table, Bits: 8 * tableSize})
	var lens [numSyms]uint8
	unpackLengths(&lens, table)
	code, err := huffman.NewCode(lens[:])
	if err != nil {
		return err
	}
	if huffman.ShapeOf(lens[:]) == huffman.Empty {
		return errNoCode
	}
	d.r.Fetch(32) // two units at the start, [MS-XCA] 2.2.4
	for d.out < len(d.dst) {
		if err := d.step(code, &lens); err != nil {
			return err
		}
	}
	return nil // what follows is the end symbol, 256, if its writer obeyed [MS-XCA]
}

// step decodes one token.
func (d *plainDecoder) step(code *huffman.Code, lens *[numSyms]uint8) error {
	d.at = d.r.Pos()
	sym, err := code.Symbol(func() (uint32, error) { return d.r.Bits(1) })
	if err != nil {
		return err
	}
	d.r.Fetch(16)
	t := Token{Kind: Literal, Symbol: sym, CodeBits: int(lens[sym]), Bits: int(lens[sym]), Length: 1, Value: byte(sym)}
	if sym < 256 {
		d.report(t)
		d.dst[d.out] = byte(sym)
		d.out++
		return nil
	}
	distBits := uint(sym>>4) & 15
	low, err := d.r.Bits(distBits)
	if err != nil {
		return err
	}
	t.Kind, t.Value = Match, 0
	t.Bits += int(distBits)
	t.Distance = 1<<distBits | int(low)
	length, size, err := d.length(sym & 15)
	if err != nil {
		return err
	}
	t.Bits += 8 * size
	t.Length = length
	// Only now may the next unit be fetched: it lies behind the length.
	d.r.Fetch(16)
	if t.Distance > d.out {
		return errDistance
	}
	if t.Length > len(d.dst)-d.out {
		return errLength
	}
	d.report(t)
	for range t.Length {
		d.dst[d.out] = d.dst[d.out-t.Distance]
		d.out++
	}
	return nil
}

// length gives the length of a match whose symbol says code, and how many further bytes it took to say so.
func (d *plainDecoder) length(code int) (length, size int, err error) {
	if code < longLength {
		return code + minMatch, 0, nil
	}
	b, err := d.r.Byte()
	if err != nil {
		return 0, 0, err
	}
	if b < hugeLength {
		return longLength + int(b) + minMatch, 1, nil
	}
	w, err := d.r.Bytes(2)
	if err != nil {
		return 0, 0, err
	}
	// The 16 bits replace what was said before, they do not add to it.
	return int(binary.LittleEndian.Uint16(w)) + minMatch, 3, nil
}

func (d *plainDecoder) report(t Token) {
	if d.token != nil {
		t.Bit, t.Out = d.at, d.out
		d.token(t)
	}
}
