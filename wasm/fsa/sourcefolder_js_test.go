package fsa

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/hack-pad/hackpadfs"
)

// TestSource checks that a Source shows a folder as an FS does, in whatever order it is walked.
func TestSource(t *testing.T) {
	in := scratch(t)
	var want []string
	for i := range 200 {
		dir := fmt.Sprintf("a%d/b%d/c%d", i%3, i%20, i%7)
		if err := in.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s/file %d", dir, i)
		if err := hackpadfs.WriteFullFile(in, name, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
		want = append(want, name)
	}
	slices.Sort(want)
	s := NewSource(in.root)
	for round := range 2 { // the second round finds nothing listed ahead
		var got []string
		err := fs.WalkDir(s, ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				got = append(got, path)
			}
			return err
		})
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("round %d: %d files of %d, %v", round, len(got), len(want), err)
		}
	}
	if err := fstest.TestFS(NewSource(in.root), want[0], want[199]); err != nil {
		t.Error(err)
	}
	if _, err := s.ReadDir("a0/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Open("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestSourceChanges checks that an open file never shows new data: after a change it either cannot be read or still
// reads the same.
func TestSourceChanges(t *testing.T) {
	in := scratch(t)
	if err := hackpadfs.WriteFullFile(in, "f", []byte("before"), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := NewSource(in.root).Open("f")
	if err != nil {
		t.Fatal(err)
	}
	if err := hackpadfs.WriteFullFile(in, "f", []byte("afterwards, and longer"), 0o666); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, err := f.(io.ReaderAt).ReadAt(b, 0)
	if got := string(b[:n]); got != "before" && (err == nil || err == io.EOF) {
		t.Errorf("read %q, %v", got, err)
	}
}

// TestSourceKept checks that scanned files are kept and that ranges of them can be read as one, except of a file that
// changed.
func TestSourceKept(t *testing.T) {
	in := scratch(t)
	for _, name := range []string{"a", "b", "c"} {
		if err := hackpadfs.WriteFullFile(in, name, []byte(name+" has bytes"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s := NewSource(in.root)
	if in, _, _ := s.Kept("a"); in != nil {
		t.Error("a file is kept that was not scanned")
	}
	entries, err := s.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var ranges []Range
	for _, e := range entries {
		if _, err := e.Info(); err != nil {
			t.Fatal(err)
		}
	}
	for i, e := range entries {
		in, from, known := s.Kept(e.Name())
		if in == nil || known.Name() != e.Name() || known.Size() != 11 || known.ModTime().IsZero() {
			t.Fatalf("%s is kept as %v", e.Name(), known)
		}
		if i > 0 && (in != ranges[0].In || from != 11*int64(i)) {
			t.Errorf("%s is kept at %d, not with the others", e.Name(), from)
		}
		ranges = append(ranges, Range{in, from + int64(i), 11 - 2*int64(i)})
	}
	read := func(r []Range) (string, error) {
		blob, err := Join(r)
		if err != nil {
			t.Fatal(err)
		}
		f, err := NewFile(blob)
		if err != nil {
			t.Fatal(err)
		}
		f.ReadAhead(0, f.Size())
		b := make([]byte, f.Size())
		n, err := f.ReadAt(b, 0)
		return string(b[:n]), err
	}
	if got, err := read(ranges); got != "a has bytes"+" has byte"+"has byt" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if err := hackpadfs.WriteFullFile(in, "b", []byte("b has other bytes"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := read(ranges); err == nil {
		t.Errorf("read %q of files of which one has changed", got)
	}
	if got, err := read(ranges[2:]); got != "has byt" || err != nil {
		t.Errorf("read %q of one that has not, %v", got, err)
	}
}
