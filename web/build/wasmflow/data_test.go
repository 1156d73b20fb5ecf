package wasmflow

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// dataSection makes a section of segments, and the memory that they initialise.
func dataSection(segments ...segment) (section, memory []byte) {
	content := appendUnsigned(nil, uint32(len(segments)))
	for _, s := range segments {
		content = append(appendSigned(append(content, 0, opI32Const), s.off), opEnd)
		content = append(appendUnsigned(content, uint32(len(s.bytes))), s.bytes...)
		end := int(s.off) + len(s.bytes)
		memory = append(memory, make([]byte, max(end-len(memory), 0))...)
		copy(memory[s.off:], s.bytes)
	}
	return append(appendUnsigned([]byte{sectionData}, uint32(len(content))), content...), memory
}

// fill applies a section of segments.
func fill(t *testing.T, section []byte) (segments int, memory []byte) {
	t.Helper()
	r := &reader{b: section, off: 1}
	r.unsigned()
	n := r.unsigned()
	for range n {
		r.off += 2
		off := r.signed(32)
		r.off++
		b := r.take(r.unsigned())
		memory = append(memory, make([]byte, max(int(off)+len(b)-len(memory), 0))...)
		copy(memory[off:], b)
	}
	if r.err != nil || r.off != len(section) {
		t.Fatalf("not a data section: %v, %d of %d bytes", r.err, r.off, len(section))
	}
	return int(n), memory
}

func TestJoinData(t *testing.T) {
	custom := []byte("\x00\x04\x03xyz")
	for _, test := range []struct {
		name string
		in   []segment
		want int // segments
	}{
		{"none", nil, 0},
		{"one", []segment{{4096, []byte("a")}}, 1},
		{"neighbours", []segment{{4096, []byte("abc")}, {4099, []byte("def")}, {4110, []byte("g")}}, 1},
		{"largest gap", []segment{{0, []byte("a")}, {1 + maxGap, []byte("b")}}, 1},
		{"farther", []segment{{0, []byte("a")}, {2 + maxGap, []byte("b")}, {2 + maxGap + 8, []byte("c")}}, 2},
		{"out of order", []segment{{16, []byte("c")}, {0, []byte("ab")}}, 1},
		{"an empty one", []segment{{16, []byte("a")}, {20, nil}, {24, []byte("b")}}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			section, want := dataSection(test.in...)
			kept := slices.Clone(section)
			out, err := joinData(slices.Concat(section, custom))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasSuffix(out, custom) || !bytes.Equal(section, kept) {
				t.Error("another section was changed")
			}
			n, got := fill(t, out[:len(out)-len(custom)])
			if n != test.want || !bytes.Equal(got, want) {
				t.Errorf("%d segments, want %d; memory %x, want %x", n, test.want, got, want)
			}
		})
	}
}

func TestJoinDataRefuses(t *testing.T) {
	overlap, _ := dataSection(segment{4, []byte("abc")}, segment{6, []byte("x")})
	good, _ := dataSection(segment{4, []byte("abc")})
	passive := bytes.Replace(good, []byte{0, opI32Const}, []byte{1, opI32Const}, 1)
	elsewhere := bytes.Replace(good, []byte{0, opI32Const}, []byte{0, opGlobalGet}, 1)
	longer := slices.Concat([]byte{sectionData, good[1] + 1}, good[2:], []byte{0})
	for _, test := range []struct {
		name, want string
		in         []byte
	}{
		{"overlap", "overlaps another", overlap},
		{"a passive one", "kind 1", passive},
		{"a position that is not constant", "starts with opcode", elsewhere},
		{"too many bytes", "trailing bytes", longer},
		{"too few bytes", "unexpected end", good[:len(good)-1]},
		{"a count", "data count section", []byte{sectionDataCount, 1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if out, err := joinData(test.in); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%d bytes, %v, want %q", len(out), err, test.want)
			}
		})
	}
}
