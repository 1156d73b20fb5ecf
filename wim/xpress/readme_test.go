package xpress

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
	const text = "tick tock tick tock tick tock tick tock"
	packed, dst := wimtest.Dump(readme), make([]byte, 1000)
	if n := NewEncoder(4096, 2).Encode(dst, []byte(text)); string(dst[:n]) != string(packed) {
		t.Errorf("the README has\n% x\nEncoder packs its text into\n% x", packed, dst[:n])
	}
	if len(packed) < tableSize {
		t.Fatalf("the README has only %d bytes", len(packed))
	}
	var lens [numSyms]uint8
	unpackLengths(&lens, packed)
	codes := codectest.Codes(lens[:])
	lines := []string{"    " + text + "\n"}
	for sym, l := range lens {
		if l > 0 {
			lines = append(lines, fmt.Sprintf("| %03x | %d | `%0*b` |", sym, l, l, codes[sym]))
		}
	}
	out := make([]byte, len(text))
	err := DecodePlain(out, packed, func(k Token) {
		bits := fmt.Sprintf("| `%0*b`", k.CodeBits, codes[k.Symbol])
		switch name := string(k.Value); {
		case k.Kind == Match:
			n := k.Symbol >> 4 & 15
			lines = append(lines, fmt.Sprintf("%s `%0*b` | %03x | distance %d, length %d | %d |", bits, n, k.Distance-1<<n, k.Symbol, k.Distance, k.Length, k.Out))
		case k.Kind == Literal:
			lines = append(lines, fmt.Sprintf("%s | %03x | %s | %d |", bits, k.Symbol, strings.Replace(name, " ", "space", 1), k.Out))
		}
	})
	if err != nil || string(out) != text {
		t.Errorf("the bytes decode to %q, %v", out, err)
	}
	if err := NewDecoder().Decode(out, packed); err != nil || string(out) != text {
		t.Errorf("Decoder: %q, %v", out, err)
	}
	for _, line := range lines {
		if !strings.Contains(readme, line) {
			t.Errorf("the README has no %q", line)
		}
	}
}
