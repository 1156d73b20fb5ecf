package lzms

import "encoding/binary"

// Constants of the x86 filter.
const (
	x86MinSize = 18    // smaller chunks are not filtered
	x86Tail    = 16    // instructions that begin in the last 16 bytes are ignored
	x86Window  = 65535 // two uses of one address at most this far apart are taken for code
	x86Reach   = 1023  // distance after code within which addresses are translated; half of it for E8
)

// unfilterPlain makes addresses in x86 instructions relative again, in place.
//
// The filter runs over all of a chunk and guesses what is code. At each position that looks like an instruction with an address relative
// to itself, it computes the low 16 bits of the absolute address. If an earlier position, at most x86Window away, had the same, both
// are probably code, and addresses in the next x86Reach bytes are translated. The guess depends only on absolute addresses, which packer
// and unpacker both know, so both guess alike.
func unfilterPlain(data []byte) {
	if len(data) < x86MinSize {
		return
	}
	lastUse := make(map[uint16]int)          // by address: last byte of its last use
	lastCode := -x86Reach - 1                // last byte of the last instruction that is probably code
	for i := 1; i < len(data)-x86Tail; i++ { // the first byte never counts
		if data[i] == 0xE9 { // a jump: left alone, but its operand is not searched for instructions
			i += 4
			continue
		}
		n, reach := x86Opcode(data[i : i+3])
		if n == 0 {
			continue
		}
		operand := data[i+n:]
		if i-lastCode <= reach {
			binary.LittleEndian.PutUint32(operand, binary.LittleEndian.Uint32(operand)-uint32(i))
		}
		target := uint16(i) + binary.LittleEndian.Uint16(operand)
		i += n + 4 - 1
		if use, ok := lastUse[target]; ok && i-use <= x86Window {
			lastCode = i
		}
		lastUse[target] = i
	}
}

// x86Opcode returns the size of the opcode before a relative address, or 0 if b is no such opcode, and the distance after code within
// which its address is translated.
func x86Opcode(b []byte) (size, reach int) {
	switch {
	case b[0] == 0x48 && b[1] == 0x8B && (b[2] == 0x05 || b[2] == 0x0D), // mov rax or rcx, [rip+x]
		b[0] == 0x48 && b[1] == 0x8D && b[2]&7 == 5,  // lea r, [rip+x]
		b[0] == 0x4C && b[1] == 0x8D && b[2]&7 == 5,  // lea r8-r15, [rip+x]
		b[0] == 0xF0 && b[1] == 0x83 && b[2] == 0x05: // lock add [rip+x], n
		return 3, x86Reach
	case b[0] == 0xFF && b[1] == 0x15: // call [rip+x]
		return 2, x86Reach
	case b[0] == 0xE8: // call
		return 1, x86Reach / 2
	}
	return 0, 0
}
