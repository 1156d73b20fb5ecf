package state_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// TestEveryCodeHasWords reads the codes from the protocol's source, so that a new one cannot be forgotten.
func TestEveryCodeHasWords(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../../worker/protocol/protocol.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	english := words.English()
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		n++
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		p := state.NewProblem(&protocol.Error{Code: protocol.Code(code), Message: "m"}, "install.wim")
		for _, key := range []string{p.TitleKey(), p.CauseKey(), p.TodoKey()} {
			text := english.T(key, p.Args()...)
			if key != "error."+code+key[strings.LastIndexByte(key, '.'):] || !english.Has(key) || strings.Contains(text, "{") {
				t.Errorf("%s: %s reads %q", code, key, text)
			}
		}
		return true
	})
	if n < 20 {
		t.Fatalf("only %d codes were found", n)
	}
}

func TestProblemDetails(t *testing.T) {
	p := state.NewProblem(&protocol.Error{Code: protocol.CodeNotWIM, Message: "wim: bad magic", Guess: "zip", First: []byte("PK\x03\x04")}, "x.zip")
	got := p.Details()
	for _, want := range []string{"not-a-wim", "x.zip", "50 4b 03 04  PK..", "wim: bad magic"} {
		if !strings.Contains(got, want) {
			t.Errorf("details lack %q:\n%s", want, got)
		}
	}
	if p.GuessKey() != "guess.zip" || state.NewProblem(&protocol.Error{Guess: "new"}, "").GuessKey() != "guess.unknown" {
		t.Error("guesses")
	}
}

func TestMinute(t *testing.T) {
	for ft, want := range map[int64]string{0: "", -5: "", 134_015_598_684_219_371: "2025-09-05 15:31", 1: "1601-01-01 00:00", 1<<63 - 1: "30828-09-14 02:48"} {
		if got := state.Minute(ft); got != want {
			t.Errorf("Minute(%d) = %q, want %q", ft, got, want)
		}
	}
}

func TestAttributes(t *testing.T) {
	for in, want := range map[uint32]string{
		0: "", 0x10: "D", 0x20: "A", 0x2: "H", 0x4: "S", 0x1: "R", 0x800: "C", 0x4000: "E", 0x400: "L",
		0x10 | 0x20 | 2 | 4 | 1 | 0x400: "DAHSRL", 1<<32 - 1: "DAHSRCEL", 0x80 | 0x100 | 0x2000: "",
	} {
		if got := state.Attributes(in); got != want {
			t.Errorf("Attributes(%#x) = %q, want %q", in, got, want)
		}
	}
}

func TestIndentXML(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "",
		"<a/>":                                 "<a/>",
		"<a><b>x</b><c y='>'/></a>":            "<a>\n  <b>x</b>\n  <c y='>'/>\n</a>",
		"<?xml?><!-- <b> --><a>  t <i/> u</a>": "<?xml?>\n<!-- <b> -->\n<a>\n  t\n  <i/>\n  u\n</a>",
		"</a></a><b":                           "</a>\n</a>\n<b",
	} {
		if got := state.IndentXML(in); got != want {
			t.Errorf("IndentXML(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzIndentXML(f *testing.F) {
	f.Add("<a><b>x</b></a>")
	f.Fuzz(func(t *testing.T, s string) {
		strip := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := state.IndentXML(s); strip(got) != strip(s) {
			t.Errorf("IndentXML(%q) = %q: more than white space changed", s, got)
		}
	})
}
