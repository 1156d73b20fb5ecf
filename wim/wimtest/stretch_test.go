package wimtest

import (
	"os"
	"path/filepath"
	"testing"
)

// wimlib reads a stretched archive, however its blobs are stored.
func TestStretch(t *testing.T) {
	Need(t, Wimlib)
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := Random(3, &TreeOptions{Plain: true, Entries: 20}).Write(tree); err != nil {
		t.Fatal(err)
	}
	for _, option := range []string{"--compress=LZX", "--solid"} {
		src, dst := filepath.Join(dir, "a"+option+".wim"), filepath.Join(dir, "b"+option+".wim")
		MustRun(t, "", Wimlib, "capture", tree, src, "--no-acls", "--check", option)
		if err := Stretch(dst, src, 5<<30); err != nil {
			t.Fatal(err)
		}
		MustRun(t, "", Wimlib, "verify", dst)
		if info, err := os.Stat(dst); err != nil || info.Size() < 5<<30 {
			t.Errorf("%v, %v", info, err)
		}
	}
}
