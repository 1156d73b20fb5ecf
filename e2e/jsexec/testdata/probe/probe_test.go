//go:build js

// Package probe is run in Chromium by jsexec's own test.
package probe

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall/js"
	"testing"
	"testing/fstest"
	"time"
)

func TestReadsPackageFolder(t *testing.T) {
	got, err := os.ReadFile("hello.txt")
	if err != nil || string(got) != "hello from disk\n" {
		t.Errorf("hello.txt: %q, %v", got, err)
	}
	entries, err := os.ReadDir("..")
	if err != nil || len(entries) == 0 || !entries[0].IsDir() {
		t.Errorf("..: %v, %v", entries, err)
	}
	if _, err := os.Stat("absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	if err := os.WriteFile("new.txt", nil, 0o666); err == nil {
		t.Error("the package's folder is writable")
	}
}

func TestWritesTemp(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a", "b", "c.bin")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"one", "two"} {
		if _, err := f.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.WriteAt([]byte("T"), 3); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes(name, when, when); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("b", filepath.Join(dir, "a", "link")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "a", "link", "c.bin"))
	if err != nil || string(got) != "oneTwo" {
		t.Errorf("through the link: %q, %v", got, err)
	}
	if info, err := os.Stat(name); err != nil || info.Size() != 6 || !info.ModTime().Equal(when) {
		t.Errorf("stat: %v, %v", info, err)
	}
	if err := os.Rename(name, filepath.Join(dir, "d")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "a", "link")); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(os.DirFS(dir), "d", "a/b"); err != nil {
		t.Error(err)
	}
}

func TestEnvironment(t *testing.T) {
	if os.Getenv("WIMSCOPE_PROBE") != "seen" {
		t.Error("the environment does not reach the binary")
	}
}

func TestWorker(t *testing.T) {
	inWorker := js.Global().Get("FileReaderSync").Truthy() && !js.Global().Get("document").Truthy()
	if page := os.Getenv("WIMSCOPE_PROBE_PAGE") != ""; inWorker == page {
		t.Errorf("in a worker: %v", inWorker)
	}
	if !js.Global().Get("navigator").Get("storage").Truthy() {
		t.Error("no storage of the origin's own")
	}
}

func TestFails(t *testing.T) {
	if os.Getenv("WIMSCOPE_PROBE_FAIL") != "" {
		t.Error("as was asked")
	}
}

func FuzzCorpus(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		if string(b) != "seed" {
			t.Errorf("corpus entry %q", b)
		}
		t.Log("corpus read")
	})
}
