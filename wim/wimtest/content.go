package wimtest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Content is a kind of file content. The kinds exercise different parts of a codec.
type Content int

const (
	Text    Content = iota // repeated short words: matches and Huffman codes
	Noise                  // incompressible: chunks stored raw
	Zeros                  // one byte repeated: longest matches, offset 1
	Program                // x86-like: calls with relative targets, which LZX and LZMS rewrite
	Table                  // records of growing integers: delta matches of LZMS
	Mixed                  // stretches of all of these, so that chunks of one file differ
	numContents
)

// Make returns n bytes of this kind, the same for the same state of r.
func (c Content) Make(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+64)
	switch c {
	case Noise:
		for len(b) < n {
			b = binary.LittleEndian.AppendUint64(b, r.Uint64())
		}
	case Zeros:
		v := byte(0)
		if r.IntN(3) == 0 {
			v = byte(r.Uint32())
		}
		b = b[:n]
		for i := range b {
			b[i] = v
		}
	case Program:
		// Calls to a few targets from many positions: relative operands differ, absolute ones do not.
		targets := make([]int32, 8)
		for i := range targets {
			targets[i] = int32(r.IntN(n + 1))
		}
		for len(b) < n {
			switch r.IntN(8) {
			case 0, 1, 2:
				b = append(b, 0xE8)
				b = binary.LittleEndian.AppendUint32(b, uint32(targets[r.IntN(8)]-int32(len(b)+4)))
			case 3:
				b = append(b, 0x48, 0x8B, 0x05) // mov rax, [rip+x]
				b = binary.LittleEndian.AppendUint32(b, uint32(targets[r.IntN(8)]-int32(len(b)+4)))
			case 4:
				b = append(b, 0xE9)
				b = binary.LittleEndian.AppendUint32(b, r.Uint32())
			case 5:
				b = append(b, 0xFF, 0x15)
				b = binary.LittleEndian.AppendUint32(b, uint32(targets[r.IntN(8)]))
			default:
				b = append(b, 0x55, 0x89, 0xE5, byte(r.IntN(4)), 0x90, 0x5D, 0xC3)
			}
		}
	case Table:
		width := 1 + r.IntN(8)
		for i := 0; len(b) < n; i++ {
			var rec [8]byte
			binary.LittleEndian.PutUint64(rec[:], uint64(i)*uint64(3+width))
			b = append(b, rec[:width]...)
			b = append(b, byte(i>>4))
		}
	case Mixed:
		for len(b) < n {
			k := Content(r.IntN(int(Mixed)))
			b = append(b, k.Make(r, min(n-len(b), 1+r.IntN(40000)))...)
		}
	default: // Text
		words := make([]string, 40)
		for i := range words {
			words[i] = fmt.Sprintf("%x", r.Uint32N(1<<(4+r.Uint32N(20))))
		}
		for len(b) < n {
			b = append(b, words[min(r.IntN(len(words)), r.IntN(len(words)))]...)
			if r.IntN(11) == 0 {
				b = append(b, '\r', '\n')
			} else {
				b = append(b, ' ')
			}
		}
	}
	return b[:n]
}
