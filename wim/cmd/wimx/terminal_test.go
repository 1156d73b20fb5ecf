package main

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

// screen is a terminal.
type screen struct{ bytes.Buffer }

type screenInfo struct{ os.FileInfo }

func (screenInfo) Mode() fs.FileMode { return fs.ModeDevice | fs.ModeCharDevice }

func (s *screen) Stat() (os.FileInfo, error) { return screenInfo{}, nil }

// TestTerminal lists names with control characters: on a terminal they are made visible, and a script gets them unchanged.
func TestTerminal(t *testing.T) {
	names := []string{"photo\u202egpj.exe", "\x1b]0;owned\x07", "two\nlines", "tab\tbed", "zero\u200bwidth", "größe"}
	root := wimtest.Folder("")
	for _, n := range names {
		root.Children = append(root.Children, wimtest.TextFile(n, "a\x1b[2Jb"))
	}
	wim := filepath.Join(t.TempDir(), "a.wim")
	if err := os.WriteFile(wim, wimtest.One(root).Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"dir", wim}, {"dir", wim, "--detailed"}} {
		var file bytes.Buffer
		var term, errs screen
		if code := run(t.Context(), append([]string{"wimx"}, args...), strings.NewReader(""), &file, &errs); code != 0 {
			t.Fatal(code, errs.String())
		}
		run(t.Context(), append([]string{"wimx"}, args...), strings.NewReader(""), &term, &errs)
		for _, n := range names {
			if !strings.Contains(file.String(), "/"+n) {
				t.Errorf("%v: %q is not in what a script reads", args[2:], n)
			}
		}
		for _, want := range []string{"/photo<U+202E>gpj.exe", "/<U+001B>]0;owned<U+0007>", "/two<U+000A>lines", "/tab<U+0009>bed", "/zero<U+200B>width", "/größe"} {
			if !strings.Contains(term.String(), want) {
				t.Errorf("%v: the terminal lacks %s:\n%s", args[2:], want, term.String())
			}
		}
		if strings.ContainsAny(term.String(), "\x1b\x07\u202e\u200b") {
			t.Errorf("%v: the terminal got %q", args[2:], term.String())
		}
	}
	var term, errs screen
	if code := run(t.Context(), []string{"wimx", "extract", wim, "1", "/no\x1b[2Jfile"}, strings.NewReader(""), &term, &errs); code == 0 || strings.Contains(errs.String(), "\x1b") {
		t.Errorf("status %d, the error is %q", code, errs.String())
	}
	// An error with an unchanged path, as in wimlib-imagex.
	h := wimtest.One(root)
	h.Blobs = nil
	lost := filepath.Join(t.TempDir(), "lost.wim")
	if err := os.WriteFile(lost, h.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	for _, w := range []io.Writer{&file, &errs} {
		if code := run(t.Context(), []string{"wimx", "apply", lost, "1", filepath.Join(t.TempDir(), "out")}, strings.NewReader(""), &term, w); code != exitMissingContent {
			t.Errorf("status %d", code)
		}
	}
	if !strings.ContainsAny(file.String(), "\x1b\u202e") || strings.ContainsAny(errs.String(), "\x1b\u202e") || !strings.Contains(errs.String(), "<U+") {
		t.Errorf("a script reads %q, the terminal got %q", file.String(), errs.String())
	}
	// Contents are data, and unchanged everywhere.
	term.Reset()
	if run(t.Context(), []string{"wimx", "extract", wim, "1", "/größe", "--to-stdout"}, strings.NewReader(""), &term, &errs); term.String() != "a\x1b[2Jb" {
		t.Errorf("--to-stdout gave %q", term.String())
	}
}
