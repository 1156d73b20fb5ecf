// Package crc32 is the CRC-32 of ZIP and gzip (IEEE 802.3), fast as WebAssembly.
//
// hash/crc32 takes 8 bytes a step there and checks each index; this takes 16 and checks none. Elsewhere hash/crc32 uses
// the processor's instructions, so there it does the work.
package crc32

import (
	"hash/crc32"
	"math/bits"
	"runtime"
	"unsafe"
)

// portable says whether this package's own loop is used.
const portable = runtime.GOARCH == "wasm"

const poly = crc32.IEEE // the polynomial with its bits reversed

// Table is what the CRC needs to have reckoned first: 16 KiB. The zero value is not ready; New makes one.
type Table struct {
	t [16][256]uint32 // t[k][b]: the CRC of byte b and k zero bytes after it, without the inversions
}

// New makes a Table; where hash/crc32 does the work, an empty one.
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

// Sum gives the CRC of b.
func (t *Table) Sum(b []byte) uint32 {
	if portable {
		return t.own(b)
	}
	return crc32.ChecksumIEEE(b)
}

// piece is how many bytes one call of the loop takes: engines change over to a function's better form between two
// calls of it, not within one. It is a multiple of 16.
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

// update goes on from the CRC c, not inverted, with data, whose size is a multiple of 16. Bytes index tables of 256,
// so that nothing is out of bounds.
func update(t *[16][256]uint32, c uint32, data []byte) uint32 {
	from := unsafe.Pointer(unsafe.SliceData(data))
	base := unsafe.Pointer(t)
	size := uintptr(len(data))
	crc := uint64(c)
	for i := uintptr(0); i+16 <= size; i += 16 {
		x := le64(from, i) ^ crc
		y := le64(from, i+8)
		// The table of k zero bytes stands at k<<10; an index times 4 is a byte of the word, shifted by 2.
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

// le64 loads eight bytes, the first one lowest, wherever they are aligned.
func le64(p unsafe.Pointer, off uintptr) uint64 {
	b := (*[8]byte)(unsafe.Add(p, off))
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// Join gives the CRC of bytes of which the first ones have the CRC a and the n after them the CRC b.
//
// Over the polynomials modulo the CRC's own, n zero bytes behind the first ones multiply a by x^(8n): the inversions of
// the two cancel out.
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

// multiply multiplies two polynomials modulo the CRC's.
func multiply(a, b uint32) uint32 {
	p := uint32(0)
	for a = bits.Reverse32(a); a != 0; a >>= 1 {
		p ^= -(a & 1) & b
		b = b>>1 ^ -(b&1)&poly
	}
	return p
}
