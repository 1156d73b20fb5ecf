//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"wimscope/wim/shard"
)

// sparseFile creates a file with data in some places.
func sparseFile(t *testing.T, name string, size int64, data map[int64]string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for off, text := range data {
		if _, err := f.WriteAt([]byte(text), off); err != nil {
			t.Fatal(err)
		}
	}
}

// diskBytes returns how much disk space a file uses.
func diskBytes(t *testing.T, name string) int64 {
	t.Helper()
	fi, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Sys().(*syscall.Stat_t).Blocks * 512
}

// TestSparseFiles captures and applies files with holes: one shorter than a piece, the others in several pieces and with the
// same content.
func TestSparseFiles(t *testing.T) {
	dir := memoryDir(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Mkdir(at("in"), 0o755); err != nil {
		t.Fatal(err)
	}
	const large = 100<<20 + 77
	island := map[int64]string{5 << 20: "an island", 70<<20 + 3: "another"}
	sparseFile(t, at("in/large"), large, island)
	sparseFile(t, at("in/same"), large, island)
	sparseFile(t, at("in/small"), 1<<20, map[int64]string{1<<20 - 1: "x"})
	sparseFile(t, at("in/nothing"), 300<<10, nil)
	full := bytes.Repeat([]byte{0}, 300<<10+1)
	if err := os.WriteFile(at("in/full"), full, 0o644); err != nil {
		t.Fatal(err)
	}
	if diskBytes(t, at("in/large")) > 1<<20 {
		t.Skip("no holes here")
	}
	mustWimx(t, "capture", at("in"), at("a.wim"), "--compress=XPRESS")
	for _, args := range [][]string{nil, {"--recover-data"}} {
		mustWimx(t, append([]string{"apply", at("a.wim"), "1", at("out")}, args...)...)
		for _, name := range []string{"large", "same", "small", "nothing", "full"} {
			got, err := os.ReadFile(at("out/" + name))
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(at("in/" + name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes, not those of the source", name, len(got))
			}
			if took := diskBytes(t, at("out/"+name)); (name != "full") != (took <= 4*holeStep) {
				t.Errorf("%s of %d bytes takes %d", name, len(got), took)
			}
		}
	}
}

// TestNextData finds the data and the holes of a file.
func TestNextData(t *testing.T) {
	name := filepath.Join(memoryDir(t), "f")
	const size = 30 << 20
	sparseFile(t, name, size, map[int64]string{10 << 20: "data"})
	f, err := hostFS{filepath.Dir(name), &farFolder{}}.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, ok := f.(shard.HoleFile)
	if !ok {
		t.Fatalf("%T does not report holes", f)
	}
	from, to, err := h.NextData(0)
	if err != nil || from > 10<<20 || from == 0 || to < from+leastData || to > 12<<20 {
		t.Errorf("from 0: %d to %d, %v", from, to, err)
	}
	if from, to, err := h.NextData(20 << 20); err != nil || from != size || to != size {
		t.Errorf("from %d: %d to %d, %v", 20<<20, from, to, err)
	}
}
