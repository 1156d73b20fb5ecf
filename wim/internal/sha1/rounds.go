package sha1

import "encoding/binary"

//go:generate go run gen.go

// rounds is SHA-1 (FIPS 180-4) in plain Go.
type rounds struct {
	h     [5]uint32
	count uint64 // bytes written
	block [64]byte
}

// piece is the number of bytes for one call of blocks, a multiple of 64. V8 switches to a function's optimized code between two
// calls of it, not within one: in a new worker, 23 MiB took 315 ms in one call and 48 ms in pieces.
const piece = 32 << 10

func (r *rounds) reset() {
	r.h = [5]uint32{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}
	r.count = 0
}

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

func (r *rounds) appendState(b []byte) []byte {
	for _, h := range r.h {
		b = binary.BigEndian.AppendUint32(b, h)
	}
	b = binary.BigEndian.AppendUint64(b, r.count)
	return append(b, r.block[:r.count%64]...)
}

// loadState restores a state, whose size the caller has checked.
func (r *rounds) loadState(b []byte) {
	for i := range r.h {
		r.h[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	r.count = binary.BigEndian.Uint64(b[Size:])
	copy(r.block[:], b[stateHead:])
}
