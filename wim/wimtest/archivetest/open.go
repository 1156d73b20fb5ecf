package archivetest

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/wimtest"
)

// OpenFiles opens the files of an archive for the time of a test.
func OpenFiles(t testing.TB, names ...string) []blobs.Part {
	t.Helper()
	var parts []blobs.Part
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, blobs.Part{Name: filepath.Base(name), R: f, Size: st.Size()})
	}
	return parts
}

// OpenMade opens what a variant wrote.
func OpenMade(t testing.TB, v wimtest.Variant, m *wimtest.Made) *wim.Archive {
	t.Helper()
	names := []string{m.First}
	o := &blobs.Options{}
	if m.Ref != "" {
		others, err := filepath.Glob(m.Ref)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(m.First, ".swm") {
			// In any order: backwards.
			names = nil
			for i := range others {
				names = append(names, others[len(others)-1-i])
			}
		} else {
			o.References = OpenFiles(t, others...)
		}
	}
	a, err := wim.Open(OpenFiles(t, names...), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// MakeVariant writes a variant of the tree with this seed.
func MakeVariant(t testing.TB, v wimtest.Variant, seed uint64) *wimtest.Made {
	t.Helper()
	wimtest.Need(t, v.Programs()...)
	dir := t.TempDir()
	o := &wimtest.TreeOptions{Chunk: min(max(v.Chunk, 1024), 2<<20), Plain: v.Plain}
	tree, base := filepath.Join(dir, "tree"), filepath.Join(dir, "base")
	for at, tr := range map[string]*wimtest.Tree{tree: wimtest.Random(seed, o), base: wimtest.Random(seed+1000, o)} {
		if err := os.Mkdir(at, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := tr.Write(at); err != nil {
			t.Fatal(err)
		}
	}
	m, err := v.Make(dir, tree, base)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ReadBlobs reads every content and sees that it has its hash.
func ReadBlobs(t testing.TB, a *wim.Archive) {
	t.Helper()
	for _, b := range a.Store().Blobs() {
		r, err := a.Store().OpenBlob(b.Hash)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Errorf("content %v: %v", b.Hash, err)
			continue
		}
		if got := format.Hash(sha1.Sum(data)); got != b.Hash || int64(len(data)) != b.Size {
			t.Errorf("content %v of %d bytes: got %v, %d bytes", b.Hash, b.Size, got, len(data))
		}
		if b.Size > 3 {
			// From the middle, across a chunk's border where there is one.
			at := b.Size / 3
			part := make([]byte, b.Size-at-1)
			if _, err := r.ReadAt(part, at); err != nil {
				t.Errorf("content %v at %d: %v", b.Hash, at, err)
			} else if !bytes.Equal(part, data[at:b.Size-1]) {
				t.Errorf("content %v at %d: other bytes than before", b.Hash, at)
			}
		}
	}
}

// CheckTiles sees that regions cover each part exactly once.
func CheckTiles(t testing.TB, a *wim.Archive) {
	t.Helper()
	part, at := 0, int64(0)
	for _, r := range a.Store().Regions() {
		if r.Part != part {
			if r.Part != part+1 || at != a.Store().Parts[part].Size {
				t.Fatalf("part %d ends at %d of %d", part, at, a.Store().Parts[part].Size)
			}
			part, at = r.Part, 0
		}
		if r.Off != at || r.Len <= 0 {
			t.Fatalf("region %+v, should start at %d", r, at)
		}
		at += r.Len
	}
	if part != a.Store().NParts-1 || at != a.Store().Parts[part].Size {
		t.Fatalf("the last region ends at %d of part %d", at, part)
	}
}

func SampleParts(list []wimtest.SamplePart) []blobs.Part {
	var parts []blobs.Part
	for _, p := range list {
		parts = append(parts, blobs.Part{Name: p.Name, R: bytes.NewReader(p.Bytes), Size: int64(len(p.Bytes))})
	}
	return parts
}

// OpenMem opens an archive of one part in memory.
func OpenMem(b []byte, o *blobs.Options) (*wim.Archive, error) {
	return wim.Open([]blobs.Part{{Name: "test.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, o)
}

func MustOpen(t testing.TB, b []byte) *wim.Archive {
	t.Helper()
	a, err := OpenMem(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// ReadCounter counts the bytes that are read.
type ReadCounter struct {
	R io.ReaderAt
	N int64
	m sync.Mutex
}

func (c *ReadCounter) ReadAt(p []byte, off int64) (int, error) {
	c.m.Lock()
	c.N += int64(len(p))
	c.m.Unlock()
	return c.R.ReadAt(p, off)
}

// OpenHand opens an archive made by hand and loads its first image.
func OpenHand(t testing.TB, root *wimtest.HandEntry, security ...[]byte) *wim.Image {
	t.Helper()
	return OpenBytes(t, wimtest.One(root, security...).Bytes())
}

func OpenBytes(t testing.TB, b []byte) *wim.Image {
	t.Helper()
	a, err := wim.Open([]blobs.Part{{Name: "hand.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// Capture packs a folder with wimlib and opens its image.
func Capture(t testing.TB, dir string, options ...string) *wim.Image {
	t.Helper()
	wimtest.Need(t, wimtest.Wimlib)
	name := filepath.Join(t.TempDir(), "made.wim")
	wimtest.MustRun(t, ".", wimtest.Wimlib, append([]string{"capture", dir, name, "--compress=none"}, options...)...)
	a, err := wim.Open(OpenFiles(t, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// OddFolder makes a folder that has what Linux can hold.
func OddFolder(t testing.TB) string {
	t.Helper()
	wimtest.Need(t, "mkfifo")
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"a", "a/empty", "a/deep/er", "Ordner mit Umläuten äöü"} {
		must(os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	for name, text := range map[string]string{
		"a/file.txt": "hello\n", "a/File.txt": "twin\n", "a/deep/er/big": strings.Repeat("0123456789abcdef", 9000),
		"empty": "", "Ordner mit Umläuten äöü/日本語 😀.txt": "text", "colon:in:name": "c", `back\slash`: "b",
		" space ": "s", "trailing.": "d", "␛": "escape",
	} {
		must(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640))
	}
	must(os.Chmod(filepath.Join(dir, "a/file.txt"), 0o751|fs.ModeSetuid))
	must(os.Link(filepath.Join(dir, "a/file.txt"), filepath.Join(dir, "hard link")))
	for name, target := range map[string]string{
		"link": "a/file.txt", "a/up": "../empty", "dirlink": "a/deep", "dangling": "no/where", "loop": "loop", "loop1": "loop2", "loop2": "loop1",
		"absolute": "/a/deep/er/big", "through": "dirlink/er/big", "outside": "../../../../etc/passwd", "self": ".",
	} {
		must(os.Symlink(target, filepath.Join(dir, name)))
	}
	wimtest.MustRun(t, dir, "mkfifo", "-m", "600", "fifo")
	must(os.Chtimes(filepath.Join(dir, "a/file.txt"), time.Unix(1, 0), time.Date(1999, 12, 31, 23, 59, 59, 123456700, time.UTC)))
	return dir
}

func Variant(t testing.TB, name string) wimtest.Variant {
	t.Helper()
	for _, v := range wimtest.Variants() {
		if v.Name == name {
			return v
		}
	}
	t.Fatalf("there is no variant %q", name)
	return wimtest.Variant{}
}

// Holding is an archive of an image with that metadata. Its contents are not there: entries should have none.
func Holding(meta []byte) []byte {
	return (&wimtest.HandArchive{Metadata: []wimtest.HandMeta{{Data: meta, RefCount: 1}}}).Bytes()
}

// ParseTree parses the tree of a metadata resource that no archive holds.
func ParseTree(t testing.TB, metadata []byte) *wim.Image {
	t.Helper()
	im, err := wim.ParseImage(nil, 1, metadata)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

func OpenWritten(t testing.TB, b []byte) *wim.Archive {
	t.Helper()
	a, err := wim.Open([]blobs.Part{{Name: "written.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
