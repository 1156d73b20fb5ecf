package sha256

import "encoding/binary"

//go:generate go run gen.go

// rounds is SHA-256 (FIPS 180-4) in plain Go.
type rounds struct {
	h     [8]uint32
	count uint64 // bytes written
	block [64]byte
}

// piece is the number of bytes for one call of blocks, a multiple of 64. WebAssembly engines switch to a function's optimized
// code between two calls of it, not within one.
const piece = 32 << 10

func (r *rounds) write(p []byte) {
	held := int(r.count % 64)
	r.count += uint64(len(p))
	if held > 0 {
		n := copy(r.block[held:], p)
		p = p[n:]
		if held+n < 64 {
			return
		}
		blocks(&r.h, r.block[:])
	}
	whole := len(p) &^ 63
	for from := 0; from < whole; from += piece {
		blocks(&r.h, p[from:min(from+piece, whole)])
	}
	copy(r.block[:], p[whole:])
}

// sum pads the message and returns its hash. r cannot be used afterwards.
func (r *rounds) sum() (sum [Size]byte) {
	var end [64 + 8]byte // a one bit, zeros up to eight bytes before the end of a block, the size in bits
	end[0] = 0x80
	pad := 64 - (r.count+8)%64
	binary.BigEndian.PutUint64(end[pad:], r.count*8)
	r.write(end[:pad+8])
	for i, h := range r.h {
		binary.BigEndian.PutUint32(sum[4*i:], h)
	}
	return sum
}
