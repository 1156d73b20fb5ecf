package lzx

import "encoding/binary"

// translate makes the relative targets of x86 calls (E8) in a chunk absolute, in place. untranslate reverses it.
func translate(b []byte) {
	for i := 0; i < len(b)-x86Tail; i++ {
		if b[i] == x86Call {
			p := b[i+1 : i+5]
			binary.LittleEndian.PutUint32(p, absolute(binary.LittleEndian.Uint32(p), uint32(i)))
			i += 4
		}
	}
}

// absolute returns the translated operand of a call at pos whose operand is rel.
func absolute(rel, pos uint32) uint32 {
	switch {
	case rel+pos < x86FileSize: // -pos <= int32(rel) < x86FileSize-pos
		return rel + pos
	case rel < x86FileSize:
		return rel - x86FileSize
	default:
		return rel
	}
}
