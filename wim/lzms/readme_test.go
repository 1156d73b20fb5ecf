package lzms

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

//go:embed README.md
var readme string

// The bytes in the README are what Encoder makes of its text. They decode to the text, by the decisions and symbols in its tables.
func TestReadme(t *testing.T) {
	const text = "tick tock tick tock tick tock tick tock"
	packed, dst := wimtest.Dump(readme), make([]byte, len(text)-1)
	if n := makeEncoder(t, 4096, levelNormal).Encode(dst, []byte(text)); string(dst[:n]) != string(packed) {
		t.Errorf("the README has\n% x\nEncoder packs its text into\n% x", packed, dst[:n])
	}
	out := make([]byte, len(text))
	if err := NewDecoder().Decode(out, packed); err != nil || string(out) != text {
		t.Fatalf("Decoder: %q, %v", out, err)
	}
	var bits strings.Builder // in the order of reading
	for i := range packed {
		fmt.Fprintf(&bits, "%08b", packed[len(packed)-1-i])
	}
	lines := []string{"    " + text + "\n"}

	// The decisions, made again.
	d := plainDecoder{src: packed, rng: 0xFFFFFFFF}
	d.value = uint32(d.unit())<<16 | uint32(d.unit())
	contexts := map[string]*plainDecision{}
	for name, n := range map[string]int{"main": mainStates, "match": matchStates, "lz": repStates} {
		p := newPlainDecision(n)
		contexts[name] = &p
	}
	number := 0
	decide := func(name string, outcomes ...string) {
		p := contexts[name]
		context, rng, value := p.state, d.rng, d.value
		bit := d.decide(p)
		bound := d.rng
		if bit == 1 {
			bound = rng - d.rng
		}
		lines = append(lines, fmt.Sprintf("| %d | %s | %d | `%08x` | `%08x` | `%08x` | %d: %s |", number, name, context, rng, value, bound, bit, outcomes[bit]))
	}
	err := DecodePlain(out, packed, func(i Item) {
		number++
		decide("main", "literal", "match")
		read := bits.String()[i.Bit : i.Bit+int64(i.Bits)]
		if i.Kind == Literal {
			name := strings.Replace(string(i.Value), " ", "space", 1)
			lines = append(lines, fmt.Sprintf("| %d | `%s` | %s | %d |", number, read, name, i.Out))
			return
		}
		decide("match", "LZ match")
		decide("lz", "explicit offset")
		found := false
		for line := range strings.Lines(readme) { // its bits are in several pairs of backquotes
			line = strings.ReplaceAll(line, "` `", "")
			found = found || strings.HasPrefix(line, fmt.Sprintf("| %d | `%s` | offset %d, length %d | %d |", number, read, i.Offset, i.Length, i.Out))
		}
		if !found {
			t.Errorf("the README has no line for %+v with the bits %s", i, read)
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
