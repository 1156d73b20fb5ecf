package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/andybalholm/brotli"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "a.js")
	content := []byte(strings.Repeat("let a = 1;\n", 200))
	compressed, err := write(path, content, true)
	if err != nil {
		t.Fatal(err)
	}
	br, err := os.Open(path + ".br")
	if err != nil {
		t.Fatal(err)
	}
	defer br.Close()
	got, err := io.ReadAll(brotli.NewReader(br))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("the compressed form holds %d other bytes: %v", len(got), err)
	}
	if compressed == 0 || compressed >= len(content) {
		t.Errorf("compressed to %d of %d bytes", compressed, len(content))
	}

	old := time.Now().Add(-time.Hour)
	for _, p := range []string{path, path + ".br", path + ".gz"} {
		if err := os.Chtimes(p, old, old); err != nil {
			t.Fatal(err)
		}
	}
	again, err := write(path, content, true)
	if err != nil || again != compressed {
		t.Errorf("again: %d, %v; want %d", again, err, compressed)
	}
	if info, err := os.Stat(path + ".br"); err != nil || time.Since(info.ModTime()) < time.Minute {
		t.Error("an unchanged file was compressed again")
	}
	if _, err := write(path, append(content, ';'), true); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path + ".br"); err != nil || time.Since(info.ModTime()) > time.Minute {
		t.Error("a changed file was not compressed again")
	}
	if _, err := write(path, content, false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".br"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the compressed form of an older file still exists: %v", err)
	}
}

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.js", "a.js.br", "old.js", "old.js.br"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := prune(dir, map[string][]byte{"a.js": {1}}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 || entries[0].Name() != "a.js" || entries[1].Name() != "a.js.br" {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestAddStatic(t *testing.T) {
	files := map[string][]byte{"page.wasm": {0}}
	err := addStatic(files, fstest.MapFS{"a.css": {Data: []byte("a")}, "README.md": {}, ".hidden": {}, "embed.go": {}})
	if err != nil || len(files) != 2 || string(files["a.css"]) != "a" {
		t.Errorf("%v, %v", files, err)
	}
	if err := addStatic(files, fstest.MapFS{"page.wasm": {}}); err == nil {
		t.Error("a static file replaced a program")
	}
}

func TestReport(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for name, p := range programs {
		if err := report(out, []size{{name, 4_000_000, p.budget}, {"a.css", 100, shellBudget}}); err != nil {
			t.Error(err)
		}
		if err := report(out, []size{{name, 4_000_000, p.budget + 1}}); err == nil {
			t.Errorf("%s passes over its budget", name)
		}
	}
	if err := report(out, []size{{"a.css", 1, shellBudget}, {"b.js", 1, 1}}); err == nil {
		t.Error("a shell over its budget passes")
	}
}

// TestReadLicences checks that a module without a licence stops the build.
func TestReadLicences(t *testing.T) {
	dir := t.TempDir()
	if _, err := readLicences(dir); err == nil {
		t.Error("a missing licence is not an error")
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE.md"), []byte("be nice\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if text, err := readLicences(dir); err != nil || string(text) != "be nice" {
		t.Errorf("%q, %v", text, err)
	}
}
