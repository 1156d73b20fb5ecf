// Package bitio reads the bit streams of XPRESS-Huffman and LZX: 16-bit little-endian units whose bits are
// taken from the top, with bytes that may lie between the units.
//
// It is the plain, checked reader of the plain decoders. The fast decoders keep their bits in local variables.
package bitio

import "errors"

// ErrEnd says that more bits or bytes were asked for than the source has.
var ErrEnd = errors.New("past the end of the packed data")

// Reader reads bits and bytes from a packed chunk. The zero value with Src set is ready.
//
// Bits and bytes share one stream, and where a byte is found depends on how far ahead the bits have been fetched.
// The rule, which encoders rely on, is that of [MS-XCA] 2.2.4: after every item at least 16 bits are held, fetched a
// unit at a time, and a byte is the next one not yet fetched. Fetch is that rule; callers call it where it matters.
type Reader struct {
	Src []byte

	next int    // offset of the first byte of Src not yet fetched
	held uint64 // bits fetched and not yet taken, in the low n bits
	n    uint   // how many
}

// Fetch makes at least min bits (1 to 32) held, or as many as Src still has.
func (r *Reader) Fetch(min uint) {
	for r.n < min && len(r.Src)-r.next >= 2 {
		r.held = r.held<<16 | uint64(r.Src[r.next]) | uint64(r.Src[r.next+1])<<8
		r.next += 2
		r.n += 16
	}
}

// Bits takes n bits (0 to 32), the first one read being the highest of the result. Zero bits need no data.
func (r *Reader) Bits(n uint) (uint32, error) {
	r.Fetch(n)
	if r.n < n {
		return 0, ErrEnd
	}
	r.n -= n
	v := r.held >> r.n
	r.held &= 1<<r.n - 1
	return uint32(v), nil
}

// Byte takes the next byte that is not yet fetched. The bits held stay.
func (r *Reader) Byte() (byte, error) {
	if r.next >= len(r.Src) {
		return 0, ErrEnd
	}
	b := r.Src[r.next]
	r.next++
	return b, nil
}

// Bytes takes the next n bytes that are not yet fetched, as a part of Src.
func (r *Reader) Bytes(n int) ([]byte, error) {
	if n > len(r.Src)-r.next {
		return nil, ErrEnd
	}
	b := r.Src[r.next : r.next+n]
	r.next += n
	return b, nil
}

// Discard forgets the bits held, so that Byte and Bytes go on at the next unit.
func (r *Reader) Discard() { r.held, r.n = 0, 0 }

// Held is the number of bits fetched and not yet taken.
func (r *Reader) Held() int { return int(r.n) }

// Pos is the offset in bits of what has been fetched less what is held: the place of the next bit in a stream
// without bytes in between. After such bytes it may be off by their size, until the units before them are used up.
func (r *Reader) Pos() int64 { return int64(r.next)*8 - int64(r.n) }
