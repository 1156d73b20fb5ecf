package xpress

import (
	"encoding/binary"

	"wimscope/wim/internal/bitio"
	"wimscope/wim/internal/huffman"
)

// Kind is the kind of a token.
type Kind uint8

const (
	Table   Kind = iota // the 256 bytes of code lengths
	Literal             // one byte
	Match               // a copy of earlier output
)

// Token is one step of decoding.
type Token struct {
	Kind     Kind
	Bit      int64 // offset of its first bit in the packed chunk; DecodePlain explains the effect of length bytes
	Bits     int   // size in bits, including length bytes
	Out      int   // bytes of output before it
	Symbol   int   // of a literal or match: 0 to 511
	CodeBits int   // length of the symbol's code, in bits
	Length   int   // bytes of output: 1 for a literal
	Distance int   // of a match: bytes back from Out
	Value    byte  // of a literal
}

// DecodePlain does the same as [Decoder.Decode], slowly and readably, and reports each token before it writes its output.
// token may be nil. After an error, dst holds the output before the bad token.
//
// A long match has one or three length bytes outside the bit stream, up to two units ahead. Token.Bit counts them as soon
// as they are read, so it is too high by their size for the tokens in those two units.
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
	at    int64 // where the current token starts
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
	return nil // the end symbol, 256, follows if the writer obeyed [MS-XCA]; nothing needs it
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
	// Fetch the next unit only now: it follows the length bytes.
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

// length returns the length of a match whose symbol has code as its length field, and the number of length bytes read.
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
	// The 16 bits are the whole length, not an addition to the byte.
	return int(binary.LittleEndian.Uint16(w)) + minMatch, 3, nil
}

func (d *plainDecoder) report(t Token) {
	if d.token != nil {
		t.Bit, t.Out = d.at, d.out
		d.token(t)
	}
}
