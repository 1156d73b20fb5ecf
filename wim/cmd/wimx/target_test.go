//go:build !js

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/wim/extract"
	"wimscope/wim/wimtest"
)

// bigArchive has a blob larger than any piece, and a small one stored before it.
func bigArchive(t *testing.T) (archive []byte, size int) {
	t.Helper()
	const n = 70 << 20
	big := &wimtest.HandEntry{Name: "big", Data: bytes.Repeat([]byte("0123456789abcdef"), n/16)}
	return wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "small"), big)).Bytes(), n
}

// TestNothingHalfWritten damages the last piece of a large blob, which is read after the first pieces are on disk.
func TestNothingHalfWritten(t *testing.T) {
	b, size := bigArchive(t)
	at := bytes.LastIndex(b, []byte("0123456789abcdef"))
	b[at] ^= 1
	dir := t.TempDir()
	name := filepath.Join(dir, "big.wim")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(dir, "out")
	if err := os.Mkdir(target, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(target, "big"), []byte("what was there before"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, errs, code := wimx(dir, "apply", name, "1", target)
	if code != exitHash || !strings.Contains(errs, `"/big" is damaged`) {
		t.Errorf("status %d, want %d: %s", code, exitHash, errs)
	}
	list, err := os.ReadDir(target)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Name() != "a" && e.Name() != "big" {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	if got, _ := os.ReadFile(filepath.Join(target, "big")); string(got) != "what was there before" {
		t.Errorf("the file that was there before has %d bytes now", len(got))
	}
	if _, errs, code := wimx(dir, "apply", name, "1", target, "--recover-data"); code != 0 {
		t.Errorf("recovery ends with %d: %s", code, errs)
	}
	if fi, err := os.Stat(filepath.Join(target, "big")); err != nil || fi.Size() != int64(size) {
		t.Errorf("recovered file: %v, %v", fi, err)
	}
}

// TestInterrupt cancels the context, as Ctrl-C does, while a large blob is being written.
func TestInterrupt(t *testing.T) {
	b, _ := bigArchive(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "big.wim")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	target := filepath.Join(dir, "out")
	w := planned(t, name, target)
	w.t.ctx = ctx
	// The context ends when the first piece is written; more would follow.
	pieces := 0
	w.written = func() {
		if pieces++; pieces == 2 {
			cancel()
		}
	}
	_, err := w.write()
	if code := status(err); code != exitInterrupted {
		t.Errorf("status %d, want %d", code, exitInterrupted)
	}
	if _, err := os.Stat(filepath.Join(target, "big")); err == nil {
		t.Error("the half-written file is still there")
	}
	if _, err := os.Stat(filepath.Join(target, "a")); err != nil {
		t.Errorf("the finished file is gone: %v", err)
	}
}

// planned returns the plan to write all of an archive's image 1 to a folder.
func planned(t *testing.T, name, target string) *folderTarget {
	t.Helper()
	tl := &tool{ctx: context.Background(), console: console{stderr: io.Discard, quiet: true}}
	a, err := tl.open(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	w, err := newTarget(tl, a.Archive, extract.Selection{Image: im}, target, writeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.workers = 1
	return w
}
