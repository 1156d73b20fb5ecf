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

// A Source shows a folder as an FS does, whoever goes through it and in whatever order.
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
	for round := range 2 { // the second time nothing waits
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

// A file that is open shows what it was: once it changes it cannot be read any more, or not for something else.
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
