//go:build !js

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

// TestLostImage checks that an archive is refused if the header counts more images than the blob table has: the others may
// have other indexes. Recovery extracts the remaining ones.
func TestLostImage(t *testing.T) {
	dir := t.TempDir()
	h := wimtest.One(wimtest.Folder("", wimtest.TextFile("f", "x")))
	h.Images = 2
	name := filepath.Join(dir, "a.wim")
	if err := os.WriteFile(name, h.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	out := filepath.Join(dir, "out")
	for _, line := range [][]string{
		{"apply", name, "all", out}, {"apply", name, "1", out}, {"apply", name, out}, {"export", name, "all", out + ".wim"}, {"export", name, "1", out + ".wim"}, {"optimize", name}, {"split", name, out + ".swm", "1"},
		{"delete", name, "1", "--force"}, {"append", dir, name}, {"extract", name}, {"extract", name, "1"}, {"diff", name, "1", name, "1"}, {"update", name, "1", "--command=delete f"},
	} {
		if _, errs, code := wimx(dir, line...); code != exitImageCount || !strings.Contains(errs, "2 images") {
			t.Errorf("%q: status %d: %s", line, code, errs)
		}
	}
	for p, data := range files(t, dir) {
		if before[p] != data {
			t.Errorf("%s was written", p)
		}
	}
	mustWimx(t, "apply", name, "1", out, "--recover-data")
	mustWimx(t, "extract", name, "1", "/f", "--dest-dir="+out+"2", "--recover-data")
	mustWimx(t, "dir", name, "1")
	for _, dir := range []string{out, out + "2"} {
		if got, _ := os.ReadFile(filepath.Join(dir, "f")); string(got) != "x" {
			t.Errorf("%q", got)
		}
	}
}
