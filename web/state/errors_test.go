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

// TestEveryCodeHasWords reads the codes from the source of the protocol, so that no new one can be missed.
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
