//go:build !js

package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

// unpackers are other programs that read a ZIP or TAR, and what the folder that they make has of the one that extract makes.
var unpackers = []struct {
	form, program string
	args          []string // FILE and DIR stand for the file and the folder
	look          wimtest.Aspect
}{
	{"tar", "tar", []string{"-x", "--delay-directory-restore", "-pf", "FILE", "-C", "DIR"}, wimtest.Times | wimtest.Groups | wimtest.Modes | wimtest.NoRoot},
	{"zip", "7zz", []string{"x", "-y", "-snld", "-oDIR", "FILE"}, wimtest.Times | wimtest.NoRoot},
	{"zip", "unzip", []string{"-q", "-K", "-^", "FILE", "-d", "DIR"}, wimtest.Modes | wimtest.NoRoot},
}

// likeFolder runs extract with arguments to a folder, to a ZIP and to a TAR, and compares what others read with the folder.
func likeFolder(dir string, args ...string) error {
	want := filepath.Join(dir, "want")
	if _, errs, code := wimx(dir, append(slices.Clone(args), "--dest-dir="+want)...); code != 0 {
		return errors.New(errs)
	}
	got := filepath.Join(dir, "got")
	defer os.RemoveAll(want)
	defer os.RemoveAll(got)
	ws, err := wimtest.Snap(want)
	if err != nil {
		return err
	}
	anywhere := func(p string, x *wimtest.Fact) bool { return strings.HasPrefix(x.Target, "/") } // outside: as the archive has it
	outside := maps.Clone(ws)
	maps.DeleteFunc(ws, anywhere)
	for _, u := range unpackers {
		file := filepath.Join(dir, "out."+u.form)
		if _, errs, code := wimx(dir, append(slices.Clone(args), "--"+u.form, file)...); code != 0 {
			return fmt.Errorf("--%s: %s", u.form, errs)
		}
		if err := os.Mkdir(got, 0o755); err != nil {
			return err
		}
		var line []string
		for _, a := range u.args {
			line = append(line, strings.NewReplacer("FILE", file, "DIR", got).Replace(a))
		}
		if _, err := wimtest.Run(dir, u.program, line...); err != nil && len(ws) > 1 { // unzip refuses an empty ZIP
			return err
		}
		gs, err := wimtest.Snap(got)
		if err != nil {
			return err
		}
		for p, x := range gs { // a name that no ZIP may have
			if plain := strings.ReplaceAll(p, "\u241b005C", `\`); plain != p {
				delete(gs, p)
				gs[plain] = x
			}
		}
		maps.DeleteFunc(gs, func(p string, x *wimtest.Fact) bool { return outside[p] != nil && ws[p] == nil && x.Type == "link" })
		if diff := wimtest.Diff(ws, gs, u.look); diff != nil {
			return fmt.Errorf("%s, read by %s:\n%s", u.form, u.program, strings.Join(diff, "\n"))
		}
		if err := os.RemoveAll(got); err != nil {
			return err
		}
	}
	return nil
}

// TestZipTarLikeFolder extracts random trees, and compares what tar, 7-Zip and unzip make of the ZIP and the TAR with what
// apply writes.
func TestZipTarLikeFolder(t *testing.T) {
	wimtest.Need(t, "tar", wimtest.SevenZip, "unzip")
	dir := memoryDir(t)
	for seed := range uint64(12) {
		tree, file := filepath.Join(dir, "tree"), filepath.Join(dir, "a.wim")
		if err := wimtest.Random(seed, &wimtest.TreeOptions{Chunk: 32 << 10}).Write(tree); err != nil {
			t.Fatal(err)
		}
		pack := []string{"--compress=LZX:1"}
		if seed%2 == 1 {
			pack = []string{"--solid", "--compress=LZMS:1"}
		}
		mustWimx(t, append([]string{"capture", tree, file, "--norpfix"}, pack...)...)
		if err := likeFolder(dir, "extract", file, "1"); err != nil {
			t.Errorf("tree %d: %v", seed, err)
		}
		if err := os.RemoveAll(tree); err != nil {
			t.Fatal(err)
		}
	}
}

// TestZipTarSelections compares selections whose parts overlap, or want the same place.
func TestZipTarSelections(t *testing.T) {
	wimtest.Need(t, "tar", wimtest.SevenZip, "unzip")
	dir := memoryDir(t)
	root := wimtest.Folder("",
		wimtest.Folder("a", wimtest.TextFile("f", "one"), wimtest.Folder("d", wimtest.TextFile("x", "two"), wimtest.TextFile("empty", ""))),
		wimtest.Folder("b", wimtest.TextFile("f", "other"), wimtest.Folder("d", wimtest.TextFile("y", "three"), wimtest.TextFile("x", "third"))),
		wimtest.Folder("c", wimtest.TextFile("d", "no folder"), wimtest.Folder("a", wimtest.TextFile("z", "four"))),
		wimtest.TextFile("f", "at the root"),
	)
	file := filepath.Join(dir, "a.wim")
	if err := os.WriteFile(file, wimtest.One(root).Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "list")
	if err := os.WriteFile(list, []byte("/a/d\n/c/a/z\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, paths := range [][]string{
		{"/"}, {"/a"}, {"/a/f"}, {"/a", "/a/f"}, {"/a/f", "/a"}, {"/a/f", "/b/f"}, {"/a/d", "/b/d"}, {"/b/d", "/a/d"},
		{"/c/d", "/a/d"}, {"/a/d", "/c/d"}, {"/a", "/c/a"}, {"/*/d", "/f"}, {"/a/f", "/a/f"}, {"/", "/a/d", "/"},
		{"/b/f", "@" + list}, {"@" + list, "/a/d"}, {"/c/d", "@" + list}, {"@" + list, "/c"}, {"/c/a/z", "/a/d/x", "--preserve-dir-structure"},
	} {
		if err := likeFolder(dir, append([]string{"extract", file, "1"}, paths...)...); err != nil {
			t.Errorf("%v: %v", paths, err)
		}
	}
}

// TestZipTarPipe writes to standard output what can be written from front to back, and what cannot: a large file comes in
// pieces, and stands in a ZIP behind its CRC.
func TestZipTarPipe(t *testing.T) {
	dir := memoryDir(t)
	tree, file := filepath.Join(dir, "tree"), filepath.Join(dir, "a.wim")
	if err := os.Mkdir(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	const piece = 64 << 10
	large := bytes.Repeat([]byte("large "), piece)
	for name, data := range map[string][]byte{"large": large, "twin": large, "small": []byte("small")} {
		if err := os.WriteFile(filepath.Join(tree, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mustWimx(t, "capture", tree, file, "--compress=XPRESS:1")
	t.Setenv("TMPDIR", dir)
	for _, c := range []struct{ form, path string }{
		{"zip", "/small"}, {"tar", "/small"}, {"zip", "/large"}, {"tar", "/large"}, {"tar", "/"},
	} {
		extract := func(to string) (string, error) {
			var out, errs bytes.Buffer
			x := &tool{ctx: t.Context(), stdin: strings.NewReader(""), pieceSize: piece,
				console: console{stdout: bufio.NewWriter(&out), stderr: &errs, data: &out}}
			err := x.dispatch([]string{"wimx", "extract", file, "1", c.path, "--" + c.form + "=" + to})
			x.stdout.Flush()
			return out.String(), err
		}
		name := filepath.Join(dir, "out."+c.form)
		if _, err := extract(name); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		os.Remove(name)
		if got, err := extract("-"); err != nil || got != string(want) {
			t.Errorf("%v: %d bytes, want %d: %v", c, len(got), len(want), err)
		}
		if c.form == "zip" {
			_, err = zip.NewReader(bytes.NewReader(want), int64(len(want)))
		} else {
			_, err = tar.NewReader(bytes.NewReader(want)).Next()
		}
		if err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "wimx-*")); err != nil || len(left) > 0 {
		t.Errorf("%v was left over, %v", left, err)
	}
}

// TestZipTarFails checks that a failed run leaves no file, and what was there before as it was; and that the status is that of apply.
func TestZipTarFails(t *testing.T) {
	dir := memoryDir(t)
	root := wimtest.Folder("", wimtest.TextFile("a", "the first"), wimtest.TextFile("b", "the second"))
	whole := wimtest.One(root).Bytes()
	damaged := bytes.Replace(whole, []byte("the second"), []byte("THE second"), 1)
	missing := wimtest.One(root)
	missing.Blobs = slices.DeleteFunc(missing.Blobs, func(b *wimtest.HandBlob) bool { return string(b.Data) == "the second" })
	for name, b := range map[string][]byte{"damaged.wim": damaged, "missing.wim": missing.Bytes()} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
		_, _, want := wimx("", "apply", file, "1", filepath.Join(dir, "applied"))
		for _, form := range []string{"zip", "tar"} {
			out := filepath.Join(dir, "out."+form)
			if err := os.WriteFile(out, []byte("before"), 0o644); err != nil {
				t.Fatal(err)
			}
			_, errs, code := wimx("", "extract", file, "1", "--"+form, out)
			if code != want || code == 0 || !strings.Contains(errs, "/b") {
				t.Errorf("%s: --%s: status %d, apply has %d: %s", name, form, code, want, errs)
			}
			if b, err := os.ReadFile(out); err != nil || string(b) != "before" {
				t.Errorf("%s: --%s: %q, %v", name, form, b, err)
			}
		}
	}
	out := filepath.Join(dir, "recovered.zip")
	_, errs, code := wimx("", "extract", filepath.Join(dir, "damaged.wim"), "1", "--zip", out, "--recover-data")
	if code != 0 || !strings.Contains(errs, `Corruption in "/b"`) {
		t.Errorf("--recover-data: status %d: %s", code, errs)
	}
	z, err := zip.OpenReader(out)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("b")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err != nil || string(b) != "THE second" {
		t.Errorf("recovered: %q, %v", b, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}
