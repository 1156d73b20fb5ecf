package lzx

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"

	"wimscope/wim/internal/codectest"
	"wimscope/wim/wimtest"
)

//go:embed README.md
var readme string

// The bytes in the README are what Encoder makes of its text. They decode to the text, by the codes and tokens in its tables.
func TestReadme(t *testing.T) {
	const text = "tick tock tick tock tick tock tick tock tick tack tick tock tick tock tick tock tick tock"
	packed, dst := wimtest.Dump(readme), make([]byte, len(text)-1)
	if n := newEncoder(t, minWindow, Normal).Encode(dst, []byte(text)); string(dst[:n]) != string(packed) {
		t.Errorf("the README has\n% x\nEncoder packs its text into\n% x", packed, dst[:n])
	}
	out := make([]byte, len(text))
	d := newDecoder(t, minWindow)
	if err := d.Decode(out, packed); err != nil || string(out) != text {
		t.Errorf("Decoder: %q, %v", out, err)
	}
	main, lengths := d.mainLens[:d.numMain], d.lengthLens[:numLengths]
	codes, lengthCodes := codectest.Codes(main), codectest.Codes(lengths)
	lines := []string{"    " + text + "\n"}
	for sym, l := range main {
		if l > 0 {
			lines = append(lines, fmt.Sprintf("| %d | %d | `%0*b` |", sym, l, l, codes[sym]))
		}
	}
	err := DecodePlain(out, packed, minWindow, func(k Token) {
		bits := fmt.Sprintf("`%0*b`", k.CodeBits, codes[k.Symbol])
		switch k.Kind {
		case Match:
			if k.Symbol%numHeaders == longHeader {
				l := k.Length - longHeader - minMatch
				bits += fmt.Sprintf(" `%0*b`", lengths[l], lengthCodes[l])
			}
			if k.Slot >= numRecent {
				bits += fmt.Sprintf(" `%0*b`", slotBits(k.Slot), k.Distance+2-slotBase(k.Slot))
			}
			lines = append(lines, fmt.Sprintf("| %d | %s | %d | slot %d: distance %d, length %d | %d |", k.Bit, bits, k.Symbol, k.Slot, k.Distance, k.Length, k.Out))
		case Literal:
			name := strings.Replace(string(k.Value), " ", "space", 1)
			lines = append(lines, fmt.Sprintf("| %d | %s | %d | %s | %d |", k.Bit, bits, k.Symbol, name, k.Out))
		}
	})
	if err != nil || string(out) != text {
		t.Errorf("the bytes decode to %q, %v", out, err)
	}
	for _, line := range lines {
		if !strings.Contains(readme, line) {
			t.Errorf("the README has no %q", line)
		}
	}
}
