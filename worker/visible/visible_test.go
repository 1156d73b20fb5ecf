package visible

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
)

func TestText(t *testing.T) {
	for _, x := range []struct{ name, want string }{
		{"", ""},
		{"notepad.exe", "notepad.exe"},
		{"photo\u202egpj.exe", "photo<U+202E>gpj.exe"},
		{"a\u200db", "a<U+200D>b"},
		{"a\nb\tc\x1b[31m\x7f", "a<U+000A>b<U+0009>c<U+001B>[31m<U+007F>"},
		{"\u2066x\u2069", "<U+2066>x<U+2069>"},
		{"tag\U000e0041", "tag<U+E0041>"},
		{"\U0010ffff", "<U+10FFFF>"},
		{"name\u00a0", "name<U+00A0>"},
		{"größe 文字 שלום مرحبا.txt", "größe 文字 שלום مرحبا.txt"},
		{"文字\u3000文字", "文字\u3000文字"}, // twice as wide as a space, so it is visible
		{"cut \xff\xe2\x80", "cut \ufffd\ufffd\ufffd"},
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd"}, // an unpaired surrogate, as a name on disk has it
	} {
		if got := Text(x.name); got != x.want {
			t.Errorf("Text(%q) = %q, want %q", x.name, got, x.want)
		}
	}
	if got, want := Lines("a\u202eb\n\tc\rd\n"), "a<U+202E>b\n\tc<U+000D>d\n"; got != want {
		t.Errorf("Lines: %q, want %q", got, want)
	}
}

// TestHidden compares the table with Go's Unicode tables.
func TestHidden(t *testing.T) {
	for i, r := range hidden {
		if r[0] > r[1] || i > 0 && hidden[i-1][1] >= r[0] {
			t.Errorf("range %d, %X to %X, is out of order", i, r[0], r[1])
		}
	}
	// Signs that enclose digits: they are format characters but visible.
	formed := []*unicode.RangeTable{unicode.Prepended_Concatenation_Mark}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		must := unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point, unicode.Variation_Selector,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Bidi_Control, unicode.Join_Control) ||
			unicode.Is(unicode.Zs, r) && r != ' ' && r != '\u3000'
		if must && !Hidden(r) && !unicode.In(r, formed...) {
			t.Errorf("U+%04X is not hidden", r)
		}
		if !must && Hidden(r) && unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.Co) &&
			!strings.ContainsRune("\u115f\u1160\u3164\uffa0\U00016fe4", r) { // letters without a visible form
			t.Errorf("U+%04X is hidden", r)
		}
	}
}

// TestWriter splits a text at each of its bytes.
func TestWriter(t *testing.T) {
	const text = "\rpart 1\tof 3\nphoto\u202egpj.exe\n\x1b]0;title\x07文\n"
	const want = "\rpart 1\tof 3\nphoto<U+202E>gpj.exe\n<U+001B>]0;title<U+0007>文\n"
	for cut := range len(text) {
		var b bytes.Buffer
		w := Writer(&b)
		for _, piece := range []string{text[:cut], text[cut:]} {
			if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
		}
		if b.String() != want {
			t.Fatalf("cut at %d: %q", cut, b.String())
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("photo\u202egpj.exe")
	f.Add("\xff\x00")
	f.Fuzz(func(t *testing.T, s string) {
		got := Text(s)
		if i := strings.IndexFunc(got, Hidden); i >= 0 {
			t.Errorf("Text(%q) = %q", s, got)
		}
		if Text(got) != got {
			t.Errorf("Text(%q) is not a fixed point", got)
		}
	})
}
