// Package crc32 computes the CRC-32 of ZIP and gzip (IEEE 802.3), fast as WebAssembly.
//
// As WebAssembly, hash/crc32 takes 8 bytes a step and checks each index; this package takes 16 and checks none. Elsewhere it uses
// hash/crc32, which has the processor's instructions.
package crc32

import (
	"hash/crc32"
	"math/bits"
	"runtime"
	"unsafe"
)

// portable reports whether this package's own loop is used.
const portable = runtime.GOARCH == "wasm"

const poly = crc32.IEEE // the polynomial with its bits reversed

// Table holds the precomputed tables, 16 KiB. The zero value is not ready; use New.
type Table struct {
	t [16][256]uint32 // t[k][b]: the CRC of byte b and k zero bytes, without the inversions
}

// New returns a Table, which is empty where hash/crc32 is used.
func New() *Table {
	t := new(Table)
	if portable {
		t.fill()
	}
	return t
}

func (t *Table) fill() {
	for i := range 256 {
		c := uint32(i)
		for range 8 {
			c = c>>1 ^ -(c&1)&poly
		}
		t.t[0][i] = c
	}
	for i := range 256 {
		c := t.t[0][i]
		for k := 1; k < 16; k++ {
			c = c>>8 ^ t.t[0][byte(c)]
			t.t[k][i] = c
		}
	}
}

// Sum returns the CRC of b.
func (t *Table) Sum(b []byte) uint32 {
	if portable {
		return t.own(b)
	}
	return crc32.ChecksumIEEE(b)
}

// piece is the number of bytes for one call of update, a multiple of 16. WebAssembly engines switch to a function's optimized code
// between two calls of it, not within one.
const piece = 32 << 10

func (t *Table) own(b []byte) uint32 {
	c := ^uint32(0)
	whole := len(b) &^ 15
	for from := 0; from < whole; from += piece {
		c = update(&t.t, c, b[from:min(from+piece, whole)])
	}
	for _, x := range b[whole:] {
		c = c>>8 ^ t.t[0][byte(c)^x]
	}
	return ^c
}

// update returns the CRC c, not inverted, after data, whose size is a multiple of 16. Bytes index tables of 256 entries, so no index
// is out of bounds.
func update(t *[16][256]uint32, c uint32, data []byte) uint32 {
	from := unsafe.Pointer(unsafe.SliceData(data))
	base := unsafe.Pointer(t)
	size := uintptr(len(data))
	crc := uint64(c)
	for i := uintptr(0); i+16 <= size; i += 16 {
		x := le64(from, i) ^ crc
		y := le64(from, i+8)
		// The table for k zero bytes is at k<<10. Masking a shifted word gives four times an index.
		crc = uint64(*(*uint32)(unsafe.Add(base, 15<<10+x<<2&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 14<<10+x>>6&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 13<<10+x>>14&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 12<<10+x>>22&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 11<<10+x>>30&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 10<<10+x>>38&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 9<<10+x>>46&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 8<<10+x>>54&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 7<<10+y<<2&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 6<<10+y>>6&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 5<<10+y>>14&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 4<<10+y>>22&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 3<<10+y>>30&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 2<<10+y>>38&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, 1<<10+y>>46&0x3fc)) ^
			*(*uint32)(unsafe.Add(base, y>>54&0x3fc)))
	}
	return uint32(crc)
}

// le64 loads eight bytes in little-endian order, at any alignment.
func le64(p unsafe.Pointer, off uintptr) uint64 {
	b := (*[8]byte)(unsafe.Add(p, off))
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// Join returns the CRC of two parts together: the first has the CRC a, the second, of n bytes, the CRC b.
//
// As polynomials modulo the CRC's own, n zero bytes after the first part multiply a by x^(8n). The inversions in a and b cancel
// out.
func Join(a, b uint32, n int64) uint32 {
	power := uint32(1) << 31 // x^0: the highest bit is the lowest power
	square := uint32(1) << (31 - 8)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			power = multiply(power, square)
		}
		square = multiply(square, square)
	}
	return multiply(a, power) ^ b
}

// multiply returns the product of two polynomials modulo the CRC's.
func multiply(a, b uint32) uint32 {
	p := uint32(0)
	for a = bits.Reverse32(a); a != 0; a >>= 1 {
		p ^= -(a & 1) & b
		b = b>>1 ^ -(b&1)&poly
	}
	return p
}
