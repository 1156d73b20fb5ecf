package journeys

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"wimscope/wim/ntname"
	"wimscope/wim/wimtest"
)

// source makes a tree on disk with everything that a browser on Linux can write: deep and empty folders, files of
// many sizes, a symbolic link, hard links, and names in several scripts.
func source(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tree")
	tree := wimtest.Random(16, &wimtest.TreeOptions{Plain: true, Entries: 60, Size: 200_000})
	if err := tree.Write(dir); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"readme.txt":             "Read me first.\nSecond line: äöü €.\n",
		"utf16.txt":              string([]byte{0xff, 0xfe, 'W', 0, 'i', 0, 'd', 0, 'e', 0, '\n', 0}),
		"Windows/notepad.txt":    strings.Repeat("All work and no play.\r\n", 4000),
		"Windows/copy.txt":       "Read me first.\nSecond line: äöü €.\n",
		"Windows/settings.xml":   `<?xml version="1.0"?><settings><item name="a">1</item></settings>`,
		"Windows/empty.log":      "",
		"Windows/picture.png":    string(onePixel),
		"Windows/Deep/er/st.bin": strings.Repeat("\x00\x01\x02\xff", 50_000),
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// onePixel is a PNG of one blue pixel.
var onePixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\b\x02\x00\x00\x00\x90wS\xde" +
	"\x00\x00\x00\fIDAT\b\xd7c\xe0J\xdb\x00\x00\x01\x1d\x00\xc0C\xc4\x9d\xa0\x00\x00\x00\x00IEND\xaeB`\x82")

// capture captures a tree with wimlib-imagex and returns the archive's path.
func capture(t *testing.T, tree, name string, options ...string) string {
	t.Helper()
	wimtest.Need(t, wimtest.Wimlib)
	path := filepath.Join(t.TempDir(), name)
	wimtest.MustRun(t, "", wimtest.Wimlib, append([]string{"capture", tree, path, "Test image", "--no-acls"}, options...)...)
	return path
}

// appendImage adds a tree to an archive as another image.
func appendImage(t *testing.T, tree, wim, name string) {
	t.Helper()
	wimtest.MustRun(t, "", wimtest.Wimlib, "append", tree, wim, name, "--no-acls")
}

// snap takes a snapshot of a folder for comparison.
func snap(t *testing.T, dir string) wimtest.Snapshot {
	t.Helper()
	s, err := wimtest.Snap(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// below returns the part of a snapshot below a folder, with paths relative to it.
func below(s wimtest.Snapshot, folder string) wimtest.Snapshot {
	part := wimtest.Snapshot{}
	for path, fact := range s {
		if path == folder {
			part["."] = fact
		} else if rest, ok := strings.CutPrefix(path, folder+"/"); ok {
			part[rest] = fact
		}
	}
	return part
}

// unzip unpacks a ZIP with our own code, so that all names, sizes and checksums are checked, and returns a snapshot.
func unzip(t *testing.T, path string) wimtest.Snapshot {
	t.Helper()
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dir := filepath.Join(t.TempDir(), "unzipped")
	u := unpacker{t: t, dir: dir}
	for _, f := range r.File {
		content, err := f.Open()
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		b, err := io.ReadAll(content) // checks the CRC at its end
		if err == nil {
			err = content.Close()
		}
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		u.put(f.Name, f.FileInfo(), b, string(b), "")
	}
	return u.done()
}

// untar does the same for a TAR.
func untar(t *testing.T, path string) wimtest.Snapshot {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	u := unpacker{t: t, dir: filepath.Join(t.TempDir(), "untarred")}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return u.done()
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", h.Name, err)
		}
		hard := ""
		if h.Typeflag == tar.TypeLink {
			hard = h.Linkname
		}
		u.put(h.Name, h.FileInfo(), b, h.Linkname, hard)
	}
}

// unpacker writes entries to disk and checks each of them.
type unpacker struct {
	t     *testing.T
	dir   string
	late  []func() error       // sets times; run when nothing more is written to folders
	links map[string]time.Time // times of links, which Go cannot set
}

func (u *unpacker) put(name string, info os.FileInfo, content []byte, target, hard string) {
	u.t.Helper()
	rel := filepath.FromSlash(diskName(strings.TrimSuffix(name, "/")))
	if rel == "" || rel == "." {
		return
	}
	if !filepath.IsLocal(rel) {
		u.t.Fatalf("the entry %q is outside of the folder", name)
	}
	path := filepath.Join(u.dir, rel)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	switch {
	case err != nil:
	case hard != "":
		err = os.Link(filepath.Join(u.dir, filepath.FromSlash(diskName(hard))), path)
	case info.IsDir():
		err = os.MkdirAll(path, 0o755)
	case info.Mode()&os.ModeSymlink != 0:
		// An absolute Windows link has a drive.
		err = os.Symlink(strings.TrimPrefix(target, "C:"), path)
	default:
		if _, err := os.Lstat(path); err == nil {
			u.t.Fatalf("%q occurs twice", name)
		}
		err = os.WriteFile(path, content, 0o644)
	}
	if err != nil {
		u.t.Fatal(err)
	}
	when := info.ModTime()
	switch {
	case info.Mode()&os.ModeSymlink != 0:
		if u.links == nil {
			u.links = make(map[string]time.Time)
		}
		u.links[filepath.ToSlash(rel)] = when
	case hard == "":
		u.late = append(u.late, func() error { return os.Chtimes(path, when, when) })
	}
}

// diskName removes the escape with which archives hold names that they otherwise could not, such as one with a
// backslash, and returns a name as Linux has it: UTF-8, unpaired surrogates like other characters.
func diskName(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		units, ok := ntname.Unescape(part)
		if !ok {
			continue
		}
		var b []byte
		for k := 0; k < len(units); k++ {
			r := rune(units[k])
			if utf16.IsSurrogate(r) && k+1 < len(units) && utf16.DecodeRune(r, rune(units[k+1])) != utf8.RuneError {
				r = utf16.DecodeRune(r, rune(units[k+1]))
				k++
			} else if utf16.IsSurrogate(r) {
				b = append(b, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
				continue
			}
			b = utf8.AppendRune(b, r)
		}
		parts[i] = string(b)
	}
	return strings.Join(parts, "/")
}

func (u *unpacker) done() wimtest.Snapshot {
	u.t.Helper()
	if err := os.MkdirAll(u.dir, 0o755); err != nil { // for an empty archive
		u.t.Fatal(err)
	}
	for i := len(u.late) - 1; i >= 0; i-- {
		if err := u.late[i](); err != nil {
			u.t.Fatal(err)
		}
	}
	s := snap(u.t, u.dir)
	for path, when := range u.links {
		s[path].Time = when
	}
	return s
}

// same fails the test for the first ten differences of two trees.
func same(t *testing.T, what string, want, got wimtest.Snapshot, look wimtest.Aspect) {
	t.Helper()
	diff := wimtest.Diff(want, got, look|wimtest.NoRoot)
	for i, d := range diff {
		if i == 10 {
			t.Errorf("%s: and %d more", what, len(diff)-i)
			break
		}
		t.Errorf("%s: %s", what, d)
	}
	if len(want) < 2 {
		t.Errorf("%s: nothing to compare", what)
	}
}

// sameFile compares two files byte by byte.
func sameFile(t *testing.T, want, got string) {
	t.Helper()
	w, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	g, err := os.ReadFile(got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w, g) {
		t.Errorf("%s has %d bytes, %s %d, and they differ", filepath.Base(got), len(g), filepath.Base(want), len(w))
	}
}

// empty fails the test if a folder holds anything, such as partial files.
func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s was left behind", e.Name())
	}
}

// awaitFiles waits until a folder holds n complete files.
func awaitFiles(t *testing.T, dir string, n int) {
	t.Helper()
	var names []string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		names = nil
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			// A file that is being written is empty, and its data is in another one beside it.
			if info, err := e.Info(); err == nil && info.Size() > 0 && !strings.HasSuffix(e.Name(), ".crswap") {
				names = append(names, e.Name())
			}
		}
		if len(names) == n && len(entries) == n {
			return
		}
	}
	t.Fatalf("%s holds %q, want %d files", filepath.Base(dir), names, n)
}

// sha256Of returns a file's SHA-256 in hexadecimal.
func sha256Of(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(content))
}

// damage flips bits of the bytes [off, off+n) of a file.
func damage(t *testing.T, path string, off int64, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, n)
	if _, err := f.ReadAt(b, off); err != nil {
		t.Fatal(err)
	}
	for i := range b {
		b[i] ^= 0xa5
	}
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
}

// sample writes the parts of a hand-made archive to a folder and returns their paths, references separately.
func sample(t *testing.T, name string) (parts, refs []string) {
	t.Helper()
	dir := t.TempDir()
	for _, s := range wimtest.Samples() {
		if s.Name != name {
			continue
		}
		for i, p := range append(append([]wimtest.SamplePart{}, s.Parts...), s.Refs...) {
			path := filepath.Join(dir, p.Name)
			if err := os.WriteFile(path, p.Bytes, 0o644); err != nil {
				t.Fatal(err)
			}
			if i < len(s.Parts) {
				parts = append(parts, path)
			} else {
				refs = append(refs, path)
			}
		}
		return parts, refs
	}
	t.Fatal(fmt.Errorf("no sample %q", name))
	return nil, nil
}
