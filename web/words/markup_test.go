package words

import (
	"strings"
	"testing"
)

func TestIndentXML(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "",
		"<a/>":                                 "<a/>",
		"<a><b>x</b><c y='>'/></a>":            "<a>\n  <b>x</b>\n  <c y='>'/>\n</a>",
		"<?xml?><!-- <b> --><a>  t <i/> u</a>": "<?xml?>\n<!-- <b> -->\n<a>\n  t\n  <i/>\n  u\n</a>",
		"</a></a><b":                           "</a>\n</a>\n<b",
	} {
		if got := IndentXML(in); got != want {
			t.Errorf("IndentXML(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzIndentXML(f *testing.F) {
	f.Add("<a><b>x</b></a>")
	f.Fuzz(func(t *testing.T, s string) {
		strip := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := IndentXML(s); strip(got) != strip(s) {
			t.Errorf("IndentXML(%q) = %q: more than white space changed", s, got)
		}
	})
}
