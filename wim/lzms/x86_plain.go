package lzms

import "encoding/binary"

// The x86 filter's constants.
const (
	x86MinSize = 18    // a smaller chunk is left alone
	x86Tail    = 16    // no instruction is looked for that begins in the last 16 bytes
	x86Window  = 65535 // two uses of one address this near to each other are taken for code
	x86Reach   = 1023  // and so far after them addresses are translated; half as far for E8
)

// unfilterPlain makes addresses in x86 instructions relative again, in place.
//
// The filter runs over everything and guesses what is code. It looks at each place that resembles an instruction with an
// address relative to itself, and takes the address's low 16 bits as absolute. If another place before it, at most x86Window away, had the
// same, the two probably are real, and addresses in what follows, up to x86Reach, are translated. The guess is of
// absolute addresses, which packer and unpacker both know, so both guess alike.
func unfilterPlain(data []byte) {
	if len(data) < x86MinSize {
		return
	}
	lastUse := make(map[uint16]int)          // where the address was last used: its last byte
	lastCode := -x86Reach - 1                // the last byte of the last place that is probably code
	for i := 1; i < len(data)-x86Tail; i++ { // the first byte never counts
		if data[i] == 0xE9 { // a jump: left alone, but what follows is an address and no instruction
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

// x86Opcode is the size of the opcode in front of a relative address, 0 if b is none, and how far after the last sign of code it is still translated.
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
