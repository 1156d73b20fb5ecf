package lzx

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// untranslate turns the absolute targets of x86 calls (E8) in an unpacked chunk back into relative ones, in place.
//
// Positions count from the start of the chunk. An E8 in the last ten bytes is left alone, and the four operand bytes of a call
// are not searched for another.
func untranslate(b []byte) {
	if len(b) <= x86Tail {
		return
	}
	base := unsafe.Pointer(unsafe.SliceData(b))
	end := uintptr(len(b) - x86Tail) // an E8 lies before end
	for i := uintptr(0); i < end; {
		// Test eight bytes at a time; i+8 is at most end+7, which is inside b. The lowest byte with its top bit set in m
		// is an E8; higher ones need not be.
		x := *(*uint64)(unsafe.Add(base, i)) ^ 0xE8E8E8E8E8E8E8E8
		m := (x - 0x0101010101010101) &^ x & 0x8080808080808080
		if m == 0 {
			i += 8
			continue
		}
		i += uintptr(bits.TrailingZeros64(m)) >> 3
		if i >= end {
			break
		}
		p := (*uint32)(unsafe.Add(base, i+1))
		*p = relative(*p, uint32(i))
		i += 5
	}
}

// untranslatePlain is a readable untranslate.
func untranslatePlain(b []byte) {
	for i := 0; i < len(b)-x86Tail; i++ {
		if b[i] == x86Call {
			binary.LittleEndian.PutUint32(b[i+1:], relative(binary.LittleEndian.Uint32(b[i+1:]), uint32(i)))
			i += 4
		}
	}
}

// relative returns the operand of a call at pos whose translated operand is abs.
func relative(abs, pos uint32) uint32 {
	switch {
	case abs < x86FileSize:
		return abs - pos
	case -abs <= pos: // -pos <= int32(abs) < 0
		return abs + x86FileSize
	default:
		return abs
	}
}
