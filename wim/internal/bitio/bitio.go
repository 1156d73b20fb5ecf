// Package bitio reads the bit streams of XPRESS-Huffman and LZX: 16-bit little-endian units, each read from its highest bit, and
// bytes between the units.
//
// The plain decoders use it. The fast decoders keep their bits in local variables.
package bitio

import "errors"

// ErrEnd is returned when the source has fewer bits or bytes than requested.
var ErrEnd = errors.New("past the end of the packed data")

// Reader reads bits and bytes from a packed chunk. The zero value with Src set is ready.
//
// Bits and bytes share one stream: the next byte is the first one not yet fetched as part of a unit of bits. So the position
// of a byte depends on how far ahead bits are fetched. Encoders rely on the rule of [MS-XCA] 2.2.4: after every item at least
// 16 bits are held, fetched one unit at a time. Callers apply the rule by calling Fetch.
type Reader struct {
	Src []byte

	next int    // offset of the first byte of Src not yet fetched
	held uint64 // bits fetched and not yet taken, in the low n bits
	n    uint   // number of bits held
}

// Fetch fetches units until at least min bits (1 to 32) are held, or Src ends.
func (r *Reader) Fetch(min uint) {
	for r.n < min && len(r.Src)-r.next >= 2 {
		r.held = r.held<<16 | uint64(r.Src[r.next]) | uint64(r.Src[r.next+1])<<8
		r.next += 2
		r.n += 16
	}
}

// Bits reads n bits (0 to 32). The first one becomes the highest of the result.
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

// Byte reads the next byte that is not yet fetched. The bits held do not change.
func (r *Reader) Byte() (byte, error) {
	if r.next >= len(r.Src) {
		return 0, ErrEnd
	}
	b := r.Src[r.next]
	r.next++
	return b, nil
}

// Bytes reads the next n bytes that are not yet fetched. The result is a part of Src.
func (r *Reader) Bytes(n int) ([]byte, error) {
	if n > len(r.Src)-r.next {
		return nil, ErrEnd
	}
	b := r.Src[r.next : r.next+n]
	r.next += n
	return b, nil
}

// Discard drops the bits held.
func (r *Reader) Discard() { r.held, r.n = 0, 0 }

// Held returns the number of bits held.
func (r *Reader) Held() int { return int(r.n) }

// Pos returns the number of bits fetched less those held. In a stream without bytes in between, that is the offset of the next
// bit. After such bytes it is too high by their size, until the units before them are used up.
func (r *Reader) Pos() int64 { return int64(r.next)*8 - int64(r.n) }
