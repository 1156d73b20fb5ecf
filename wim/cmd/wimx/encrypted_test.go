//go:build !js

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

// TestEncryptedFiles checks that the raw backup of a file encrypted by EFS is never written as the file's content. Like
// wimlib-imagex, apply leaves the file empty, with a warning.
func TestEncryptedFiles(t *testing.T) {
	const raw = "R\x00O\x00B\x00S\x00 keys and encrypted bytes"
	encrypted := func(name, data string, link uint64) *wimtest.HandEntry {
		return &wimtest.HandEntry{Name: name, Attrs: format.AttrEncrypted | format.AttrArchive, Data: []byte(data), Link: link}
	}
	folder := wimtest.Folder("folder", wimtest.TextFile("plain", "text"))
	folder.Attrs = format.AttrEncrypted | format.AttrDirectory
	b := wimtest.One(wimtest.Folder("", encrypted("secret", raw, 0), encrypted("one", raw+"1", 5), encrypted("two", raw+"1", 5), folder)).Bytes()
	dir := t.TempDir()
	name, out := filepath.Join(dir, "a.wim"), filepath.Join(dir, "out")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"apply", name, "1", out}, {"extract", name, "1", "--dest-dir=" + out}, {"apply", name, "1", out, "--recover-data"}} {
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
		_, errs, code := wimx(dir, args...)
		if code != 0 || !strings.Contains(errs, "Ignoring EFS-encrypted data of 2 files\n") || !strings.Contains(errs, "Ignoring FILE_ATTRIBUTE_ENCRYPTED of 1 directories\n") {
			t.Errorf("wimx %s: status %d, %s", args, code, errs)
		}
		for file, want := range map[string]string{"secret": "", "one": "", "two": "", "folder/plain": "text"} {
			if got, err := os.ReadFile(filepath.Join(out, file)); err != nil || string(got) != want {
				t.Errorf("wimx %s: %s has %q (%v), want %q", args, file, got, err, want)
			}
		}
	}
	stdout, errs, code := wimx(dir, "extract", name, "1", "/secret", "--to-stdout")
	if code != exitNotRegular || stdout != "" || !strings.Contains(errs, "EFS") {
		t.Errorf("to standard output: status %d, %q, %s", code, stdout, errs)
	}
}
