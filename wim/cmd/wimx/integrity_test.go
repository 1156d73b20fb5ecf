//go:build !js

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

// TestDamageIsNotBlessed checks that an archive whose integrity table does not match its bytes gets no new table that does.
// It is not changed, with wimlib's status for such an archive, unless its table is dropped.
func TestDamageIsNotBlessed(t *testing.T) {
	a := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", strings.Repeat("text", 1000))))
	a.Integrity = 10 << 20
	b := a.Bytes()
	b[bytes.Index(b, []byte("texttext"))] ^= 1
	name := writeArchive(t, b)
	dir := t.TempDir()
	for _, line := range [][]string{{"append", dir, name, "new"}, {"append", dir, name, "new", "--unsafe-compact"}, {"update", name, "1", "--command=add " + name + " /b"}} {
		_, errs, code := wimx("", line...)
		if code != exitIntegrity || !strings.Contains(errs, "do not match block 0") || !strings.Contains(errs, "--nocheck") {
			t.Errorf("%q: status %d: %s", line, code, errs)
		}
		if now, err := os.ReadFile(name); err != nil || !bytes.Equal(now, b) {
			t.Fatalf("%q: the archive was changed: %v", line, err)
		}
	}
	mustWimx(t, "append", dir, name, "new", "--nocheck")
}
