package write

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// memContents holds contents of drafts by path.
type memContents struct {
	p     func() *Plan
	files map[string][]byte
}

func (m memContents) OpenContent(id int32) (shard.ContentFile, error) {
	_, c, ok := m.p().inv.content(id)
	b, there := m.files[c.Path]
	if !ok || !there {
		return nil, fs.ErrNotExist
	}
	return archivetest.MemContent{Reader: bytes.NewReader(b)}, nil
}

// treeDraft returns a draft of a random tree without its symbolic links, and adds its contents to files.
func treeDraft(t testing.TB, tree *wimtest.Tree, files map[string][]byte, under string) *draft.Draft {
	t.Helper()
	d := draft.New()
	at := map[string]draft.Node{".": d.Root()}
	for _, e := range tree.Entries {
		parent := at[path.Dir(e.Path)]
		when := format.FiletimeOf(e.Time)
		entry := draft.Entry{Name: path.Base(e.Path), Attributes: format.AttrArchive, Created: when, Accessed: when, Modified: when}
		var err error
		switch e.Kind {
		case wimtest.Dir:
			entry.Attributes = format.AttrDirectory
			at[e.Path], err = d.Add(parent, entry)
		case wimtest.File:
			p := under + "/" + e.Path
			files[p] = e.Data
			id := d.AddContent(draft.Content{Size: int64(len(e.Data)), Path: p})
			entry.Streams = []draft.Stream{{Kind: format.StreamData, Content: id}}
			at[e.Path], err = d.Add(parent, entry)
		case wimtest.Hard:
			at[e.Path], err = d.Link(at[e.Target], parent, entry.Name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// write runs a plan, encoding and decoding each shard and result, and returns the bytes of the archive.
func write(t testing.TB, e *Builder, o *Options, files map[string][]byte, workers int) ([]byte, *Report) {
	t.Helper()
	b, r, err := tryWrite(e, o, files, workers)
	if err != nil {
		t.Fatal(err)
	}
	return b, r
}

func tryWrite(e *Builder, o *Options, files map[string][]byte, workers int) ([]byte, *Report, error) {
	p, err := e.PlanWrite(o)
	if err != nil {
		return nil, nil, err
	}
	var m archivetest.MemFile
	r, err := Run(context.Background(), p, memContents{func() *Plan { return p }, files}, &m, &shard.Options{Workers: workers})
	return m.B, r, err
}

// sameAsTree compares an image with the tree that it was made from.
func sameAsTree(t testing.TB, a *wim.Archive, index int, tree *wimtest.Tree) {
	t.Helper()
	im, err := a.Image(index)
	if err != nil {
		t.Fatal(err)
	}
	want := 1
	for _, e := range tree.Entries {
		if e.Kind == wimtest.Symlink {
			continue
		}
		want++
		n, ok := im.Lookup(e.Path)
		if !ok {
			t.Errorf("%q is not there", e.Path)
			continue
		}
		switch e.Kind {
		case wimtest.Dir:
			if !im.IsDir(n) {
				t.Errorf("%q is no folder", e.Path)
			}
		case wimtest.File:
			got, err := io.ReadAll(contentReader(t, a, im.Hash(n)))
			if err != nil || !bytes.Equal(got, e.Data) {
				t.Errorf("%q: %d bytes of %d, %v", e.Path, len(got), len(e.Data), err)
			}
			if im.Modified(n) != format.FiletimeOf(e.Time) {
				t.Errorf("%q: time %v, want %v", e.Path, im.Modified(n), e.Time)
			}
		case wimtest.Hard:
			first, _ := im.Lookup(e.Target)
			if im.HardLinkGroup(n) == 0 || im.HardLinkGroup(n) != im.HardLinkGroup(first) {
				t.Errorf("%q is no link to %q", e.Path, e.Target)
			}
		}
	}
	if im.Len() != want {
		t.Errorf("%d entries, want %d", im.Len(), want)
	}
}

func contentReader(t testing.TB, a *wim.Archive, h format.Hash) io.Reader {
	t.Helper()
	if h.IsZero() {
		return bytes.NewReader(nil)
	}
	b, ok := a.Store().Blob(h)
	if !ok {
		t.Fatalf("content %v is not there", h)
	}
	r, err := a.Store().OpenBlob(h)
	if err != nil {
		t.Fatal(err)
	}
	return io.NewSectionReader(r, 0, b.Size)
}

// writeCases lists the options that tests run with.
func writeCases() []struct {
	name string
	o    Options
} {
	list := []struct {
		name string
		o    Options
	}{
		{"none", Options{}},
		{"none, integrity", Options{Integrity: true}},
	}
	for _, c := range []struct {
		codec format.Codec
		sizes []int64
	}{{format.XPRESS, []int64{4 << 10, 32 << 10, 64 << 10}}, {format.LZX, []int64{32 << 10, 2 << 20}}, {format.LZMS, []int64{32 << 10, 128 << 10, 1 << 20}}} {
		for i, size := range c.sizes {
			list = append(list, struct {
				name string
				o    Options
			}{fmt.Sprintf("%v %dK", c.codec, size>>10), Options{Codec: c.codec, ChunkSize: size, Level: 1 + i%3, Integrity: i == 0}})
			list = append(list, struct {
				name string
				o    Options
			}{fmt.Sprintf("%v %dK solid", c.codec, size>>10), Options{
				Codec: c.codec, Level: 1 + i%3, Solid: true, SolidCodec: c.codec, SolidChunkSize: size, Integrity: i == 0,
			}})
		}
	}
	return append(list, struct {
		name string
		o    Options
	}{"LZMS 64M solid", Options{Codec: format.LZX, Level: 1, Solid: true, Integrity: true}})
}

// TestWriteTrees writes two images of random trees with all options, and reads them with this package, and with wimlib-imagex
// and 7-Zip if they are installed.
func TestWriteTrees(t *testing.T) {
	for i, c := range writeCases() {
		if wimtest.Fewer() && c.o.Level > 1 {
			continue // test one chunk size of each codec
		}
		t.Run(c.name, func(t *testing.T) {
			chunk := min(int(max(c.o.ChunkSize, c.o.SolidChunkSize, 32<<10)), 1<<20)
			files := map[string][]byte{}
			one := wimtest.Random(uint64(2*i), &wimtest.TreeOptions{Chunk: chunk, Plain: true})
			two := wimtest.Random(uint64(2*i+1), &wimtest.TreeOptions{Chunk: chunk, Plain: true})
			edit := func() *Builder {
				e := New()
				for k, tree := range []*wimtest.Tree{one, two, one} {
					d := treeDraft(t, tree, files, fmt.Sprint(k))
					if _, err := e.AddDraft(d, &Image{Name: fmt.Sprintf("Image & %d", k+1), Description: "<d>", Created: 133_000_000_000_000_000}); err != nil {
						t.Fatal(err)
					}
				}
				e.Boot = 2
				return e
			}
			o := c.o
			o.GUID = [16]byte{1, 2, 3}
			b, report := write(t, edit(), &o, files, 1)
			if again, _ := write(t, edit(), &o, files, 3); !bytes.Equal(b, again) {
				t.Error("with three workers the archive is another one")
			}
			if report.Size != int64(len(b)) {
				t.Errorf("size %d, reported %d", len(b), report.Size)
			}
			a := jobtest.Sound(t, b, o.Integrity)
			for k, tree := range []*wimtest.Tree{one, two, one} {
				sameAsTree(t, a, k+1, tree)
				info := a.Images()[k]
				if info.Name != fmt.Sprintf("Image & %d", k+1) || info.Description != "<d>" || info.Boot != (k == 1) || info.Created != 133_000_000_000_000_000 {
					t.Errorf("image %d: %+v", k+1, info)
				}
			}
			peers(t, b, one)
		})
	}
}

// peers reads the archive with other programs.
func peers(t *testing.T, b []byte, one *wimtest.Tree) {
	t.Helper()
	wimtest.Need(t, wimtest.Wimlib, wimtest.SevenZip)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.wim"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", "a.wim")
	wimtest.MustRun(t, dir, wimtest.SevenZip, "t", "-bd", "a.wim")
	if one == nil {
		return
	}
	wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", "a.wim", "1", "out")
	for _, e := range one.Entries {
		if e.Kind != wimtest.File {
			continue
		}
		got, err := os.ReadFile(filepath.Join(dir, "out", e.Path))
		if err != nil || !bytes.Equal(got, e.Data) {
			t.Errorf("wimlib gives %d bytes of %q, want %d: %v", len(got), e.Path, len(e.Data), err)
		}
	}
}

// TestExport exports images between every pair of writeCases.
func TestExport(t *testing.T) {
	cases := []struct {
		name string
		o    Options
	}{
		{"none", Options{}},
		{"XPRESS", Options{Codec: format.XPRESS, Level: 1}},
		{"LZX", Options{Codec: format.LZX, Level: 1, Integrity: true}},
		{"LZX 64K chunks", Options{Codec: format.LZX, ChunkSize: 64 << 10, Level: 1}},
		{"LZMS", Options{Codec: format.LZMS, Level: 1}},
		{"solid XPRESS", Options{Codec: format.XPRESS, Solid: true, SolidCodec: format.XPRESS, SolidChunkSize: 64 << 10, Level: 1}},
		{"solid LZMS", Options{Codec: format.LZMS, Solid: true, SolidChunkSize: 128 << 10, Level: 1, Integrity: true}},
	}
	files := map[string][]byte{}
	trees := []*wimtest.Tree{wimtest.Random(40, &wimtest.TreeOptions{Plain: true}), wimtest.Random(45, &wimtest.TreeOptions{Plain: true})}
	e := New()
	for k, tree := range trees {
		if _, err := e.AddDraft(treeDraft(t, tree, files, fmt.Sprint(k)), &Image{Name: fmt.Sprint("n", k)}); err != nil {
			t.Fatal(err)
		}
	}
	e.Boot = 1
	for i, from := range cases {
		b, _ := write(t, e, &from.o, files, 2)
		src := archivetest.OpenWritten(t, b)
		for j, to := range cases {
			if between := (j - i + len(cases)) % len(cases); wimtest.Fewer() && between > 1 && between != 3 {
				continue // test three targets per source, one of them with the same options
			}
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				all, err := Of(src)
				if err != nil {
					t.Fatal(err)
				}
				got, _ := write(t, all, &to.o, nil, 2)
				a := jobtest.Sound(t, got, to.o.Integrity)
				for k, tree := range trees {
					sameAsTree(t, a, k+1, tree)
				}
				if a.Images()[0].Name != "n0" || !a.Images()[0].Boot {
					t.Errorf("image 1: %+v", a.Images()[0])
				}
				if from.name == to.name && !bytes.Equal(got, b) {
					t.Errorf("a copy has %d bytes, the original %d, or others", len(got), len(b))
				}
				one := New()
				if _, err := one.AddImage(src, 2); err != nil {
					t.Fatal(err)
				}
				got, _ = write(t, one, &to.o, nil, 2)
				a = jobtest.Sound(t, got, to.o.Integrity)
				sameAsTree(t, a, 1, trees[1])
				peers(t, got, trees[1])
			})
		}
	}
}

// TestWriteLarge packs contents in pieces: some shrink, some do not, and some shrink too little.
func TestWriteLarge(t *testing.T) {
	const n = largeContent + 5<<20 + 12345
	files := map[string][]byte{
		"/shrinks": wimtest.BigContent(n, func(c int) bool { return c%2 == 0 }),
		"/random":  wimtest.BigContent(n+1, func(int) bool { return false }),
		"/hardly":  wimtest.BigContent(n+2, func(c int) bool { return false }),
		"/small":   []byte("small"),
	}
	copy(files["/hardly"][3<<15:], make([]byte, 1500)) // one chunk shrinks, by less than the size of the chunk table
	if wimtest.Fewer() {
		delete(files, "/random")
	}
	edit := func() *Builder {
		d := draft.New()
		for _, name := range []string{"random", "hardly", "shrinks", "small"} {
			if files["/"+name] == nil {
				continue
			}
			id := d.AddContent(draft.Content{Size: int64(len(files["/"+name])), Path: "/" + name})
			if _, err := d.Add(0, draft.Entry{Name: name, Attributes: format.AttrArchive, Streams: []draft.Stream{{Content: id}}}); err != nil {
				t.Fatal(err)
			}
		}
		e := New()
		if _, err := e.AddDraft(d, nil); err != nil {
			t.Fatal(err)
		}
		return e
	}
	var src *wim.Archive
	check := func(t *testing.T, e *Builder, o *Options) *wim.Archive {
		t.Helper()
		b, _ := write(t, e, o, files, 2)
		a := jobtest.Sound(t, b, o.Integrity)
		im, err := a.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range files {
			node, _ := im.Lookup(name)
			got, err := io.ReadAll(contentReader(t, a, im.Hash(node)))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s is another one: %d bytes, %v", name, len(got), err)
			}
			blob, _ := a.Store().Blob(im.Hash(node))
			if s := a.Store().Stored(blob); s.PackedSize > s.Size || s.PackedSize == s.Size && s.Codec != format.None {
				t.Errorf("%s: %d bytes are stored as %d, codec %v", name, s.Size, s.PackedSize, s.Codec)
			}
		}
		return a
	}
	t.Run("XPRESS", func(t *testing.T) {
		o := &Options{Codec: format.XPRESS, Level: 1, Integrity: true}
		src = check(t, edit(), o)
	})
	if src == nil {
		t.Fatal("nothing to export")
	}
	copied := func(o *Options) func(t *testing.T) {
		return func(t *testing.T) {
			e, err := Of(src)
			if err != nil {
				t.Fatal(err)
			}
			check(t, e, o)
		}
	}
	t.Run("copied", copied(&Options{Codec: format.XPRESS, Integrity: true}))
	if wimtest.Fewer() {
		return
	}
	t.Run("none", func(t *testing.T) { check(t, edit(), &Options{Integrity: true}) })
	t.Run("repacked", copied(&Options{Codec: format.XPRESS, ChunkSize: 64 << 10, Level: 1}))
	t.Run("solid", func(t *testing.T) {
		o := &Options{Codec: format.XPRESS, Level: 1, Solid: true, SolidCodec: format.XPRESS, SolidChunkSize: 64 << 10, Integrity: true}
		b, _ := write(t, edit(), o, files, 2)
		a := jobtest.Sound(t, b, true)
		e, err := Of(a)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := write(t, e, o, nil, 2)
		jobtest.Sound(t, again, true)
		o.Recompress = true
		again, _ = write(t, e, o, nil, 2)
		jobtest.Sound(t, again, true)
	})
}

// changing is a source whose content changes after it was opened a number of times.
type changing struct {
	shard.ContentFiles
	opened atomic.Int64
	after  int64
	to     []byte
}

func (c *changing) OpenContent(id int32) (shard.ContentFile, error) {
	if c.opened.Add(1) > c.after {
		return archivetest.MemContent{Reader: bytes.NewReader(c.to)}, nil
	}
	return c.ContentFiles.OpenContent(id)
}

// TestSourceChanges checks that a content that changed after it was hashed is reported by name, and that no archive is made.
func TestSourceChanges(t *testing.T) {
	big := wimtest.BigContent(largeContent+100, func(int) bool { return true })
	changed := slices.Clone(big)
	changed[pieceBytes+5], changed[2*pieceBytes+5] = 1, 1 // pieces are opened in any order
	for _, c := range []struct {
		name  string
		data  []byte
		to    []byte
		after int64
		o     Options
	}{
		{"longer at once", []byte("abc"), []byte("abcd"), 0, Options{}},
		{"shorter at once", []byte("abc"), []byte("ab"), 0, Options{}},
		{"after hashing", []byte("abc"), []byte("abd"), 1, Options{Codec: format.LZMS, Solid: true}},
		{"large, after hashing", big, changed, 1, Options{Codec: format.XPRESS, Level: 1}},
		{"large, between pieces", big, changed, 2, Options{Codec: format.XPRESS, Level: 1}},
		{"large, shorter later", big, changed[:largeContent], 2, Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string][]byte{"/the file": c.data}
			d := draft.New()
			id := d.AddContent(draft.Content{Size: int64(len(c.data)), Path: "/the file"})
			if _, err := d.Add(0, draft.Entry{Name: "x", Attributes: format.AttrArchive, Streams: []draft.Stream{{Content: id}}}); err != nil {
				t.Fatal(err)
			}
			e := New()
			if _, err := e.AddDraft(d, nil); err != nil {
				t.Fatal(err)
			}
			p, err := e.PlanWrite(&c.o)
			if err != nil {
				t.Fatal(err)
			}
			var m archivetest.MemFile
			src := &changing{ContentFiles: memContents{func() *Plan { return p }, files}, after: c.after, to: c.to}
			_, err = Run(context.Background(), p, src, &m, nil)
			var ce *shard.ContentError
			if !errors.Is(err, blobs.ErrChanged) || !errors.As(err, &ce) || ce.Path != "/the file" {
				t.Errorf("error %v", err)
			}
			var u *blobs.UnfinishedError
			if _, err := wim.Open([]blobs.Part{{Name: "x", R: bytes.NewReader(m.B), Size: int64(len(m.B))}}, nil); len(m.B) > 0 && !errors.As(err, &u) {
				t.Errorf("what is left does not say that it is not finished: %v", err)
			}
		})
	}
}

// TestWriteMemory checks that a plan which needs more memory than allowed is refused, and that no memory is allocated for
// chunks that do not exist.
func TestWriteMemory(t *testing.T) {
	files := map[string][]byte{"/f": bytes.Repeat([]byte("some text, "), 300_000)}
	for _, o := range []Options{{Codec: format.LZMS, ChunkSize: 1 << 30, Level: 1}, {Solid: true, SolidChunkSize: 1 << 30, SolidLevel: 1}} {
		for _, memory := range []int64{10 << 20, 100 << 20} {
			p, err := fileBuilder(t, files).PlanWrite(&o)
			if err != nil {
				t.Fatal(err)
			}
			var m archivetest.MemFile
			_, err = Run(context.Background(), p, memContents{func() *Plan { return p }, files}, &m, &shard.Options{Memory: memory})
			switch {
			case memory < 20<<20 && (!errors.Is(err, format.ErrTooLarge) || !strings.Contains(err.Error(), "LZMS in chunks of 1073741824 bytes")):
				t.Errorf("%d bytes of memory, solid %v: %v", memory, o.Solid, err)
			case memory >= 20<<20 && err != nil:
				t.Errorf("%d bytes of memory, solid %v: %v", memory, o.Solid, err)
			case err == nil:
				jobtest.Sound(t, m.B, false)
			}
		}
	}
}

// TestWriteCancel checks that canceling at any time leaves no finished archive.
func TestWriteCancel(t *testing.T) {
	files := map[string][]byte{}
	tree := wimtest.Random(0, nil)
	stop := errors.New("enough")
	for after := range 3 {
		e := New()
		if _, err := e.AddDraft(treeDraft(t, tree, files, "0"), nil); err != nil {
			t.Fatal(err)
		}
		p, err := e.PlanWrite(&Options{Codec: format.XPRESS})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		left := after
		var m archivetest.MemFile
		_, err = Run(ctx, p, memContents{func() *Plan { return p }, files}, &m, &shard.Options{Workers: 2, Progress: func(shard.Progress) {
			if left--; left < 0 {
				cancel(stop)
			}
		}})
		cancel(nil)
		if !errors.Is(err, stop) {
			t.Errorf("after %d calls: error %v", after, err)
		}
	}
}

// TestAppend changes archives in place, and checks that at each moment before the header is written the file still is the old
// archive.
func TestAppend(t *testing.T) {
	trees := []*wimtest.Tree{wimtest.Random(50, &wimtest.TreeOptions{Plain: true}), wimtest.Random(53, &wimtest.TreeOptions{Plain: true})}
	for _, c := range []struct {
		name    string
		o, then Options
	}{
		{"none", Options{}, Options{}},
		{"XPRESS, integrity", Options{Codec: format.XPRESS, Level: 1, Integrity: true}, Options{Level: 1, Integrity: true}},
		{"LZX, integrity is new", Options{Codec: format.LZX, Level: 1}, Options{Level: 1, Integrity: true}},
		{"solid", Options{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX}, Options{Level: 1, Solid: true, SolidCodec: format.LZX, Integrity: true}},
		{"solid, then not", Options{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX}, Options{Level: 1}},
		{"not solid, then so", Options{Codec: format.LZX, Level: 1}, Options{Level: 1, Solid: true, SolidCodec: format.XPRESS}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string][]byte{}
			e := New()
			for k, tree := range []*wimtest.Tree{trees[0], trees[0]} {
				if _, err := e.AddDraft(treeDraft(t, tree, files, fmt.Sprint(k)), &Image{Name: fmt.Sprint("n", k)}); err != nil {
					t.Fatal(err)
				}
			}
			c.o.GUID = [16]byte{7}
			b, _ := write(t, e, &c.o, files, 2)
			old := archivetest.OpenWritten(t, b)
			e, err := Of(old)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Delete(1); err != nil {
				t.Fatal(err)
			}
			if _, err := e.AddDraft(treeDraft(t, trees[1], files, "new"), &Image{Name: "new"}); err != nil {
				t.Fatal(err)
			}
			p, err := e.PlanAppend(&c.then)
			if err != nil {
				t.Fatal(err)
			}
			m := archivetest.MemFile{B: slices.Clone(b)}
			log := logFile{w: &m}
			if _, err := Run(context.Background(), p, memContents{func() *Plan { return p }, files}, &log, &shard.Options{Workers: 2}); err != nil {
				t.Fatal(err)
			}
			a := jobtest.Sound(t, m.B, c.then.Integrity)
			if n := len(a.Images()); n != 2 || a.Images()[0].Name != "n1" || a.Images()[1].Name != "new" {
				t.Errorf("%d images: %+v", n, a.Images())
			}
			sameAsTree(t, a, 1, trees[0])
			sameAsTree(t, a, 2, trees[1])
			if g := a.Store().Parts[0].Header.GUID; g != c.o.GUID {
				t.Errorf("GUID %x", g)
			}
			if !bytes.Equal(m.B[format.HeaderSize:len(b)], b[format.HeaderSize:]) {
				t.Error("what was there is another now")
			}
			for i, w := range log.writes {
				if last := i == len(log.writes)-1; (w.off < int64(len(b))) != last {
					t.Errorf("write %d of %d is at 0x%x", i, len(log.writes), w.off)
				}
			}
			peers(t, m.B, trees[0])
		})
	}
}

// logFile records what was written where.
type logFile struct {
	w      io.WriterAt
	writes []struct{ off, n int64 }
}

func (l *logFile) WriteAt(p []byte, off int64) (int, error) {
	l.writes = append(l.writes, struct{ off, n int64 }{off, int64(len(p))})
	return l.w.WriteAt(p, off)
}

// TestAppendRefused checks that an archive which must not be changed in place is refused.
func TestAppendRefused(t *testing.T) {
	b, _ := write(t, New(), nil, nil, 1)
	for name, flag := range map[string]byte{"read-only": format.FlagReadOnly, "split": format.FlagSpanned, "being written": format.FlagWriteInProgress} {
		c := slices.Clone(b)
		c[0x10] |= flag
		e, err := Of(archivetest.OpenWritten(t, c))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.PlanAppend(nil); !errors.Is(err, format.ErrRefused) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := New().PlanAppend(nil); !errors.Is(err, format.ErrRefused) {
		t.Errorf("new: error %v", err)
	}
}

// TestDelta checks that blobs which the base holds are left out, whether their hashes are known in advance or not.
func TestDelta(t *testing.T) {
	files := map[string][]byte{}
	tree := wimtest.Random(56, &wimtest.TreeOptions{Plain: true})
	make := func(under string) *Builder {
		e := New()
		if _, err := e.AddDraft(treeDraft(t, tree, files, under), &Image{Name: "d"}); err != nil {
			t.Fatal(err)
		}
		return e
	}
	b, _ := write(t, make("a"), &Options{Codec: format.XPRESS, Level: 1}, files, 1)
	base := archivetest.OpenWritten(t, b)
	e := make("b")
	e.LeaveOut(base)
	d, report := write(t, e, &Options{Codec: format.XPRESS, Level: 1}, files, 1)
	if report.Contents != 0 || report.Bytes != 0 {
		t.Errorf("written: %+v", report)
	}
	a, err := wim.Open([]blobs.Part{{Name: "delta", R: bytes.NewReader(d), Size: int64(len(d))}}, &blobs.Options{References: []blobs.Part{{Name: "base", R: bytes.NewReader(b), Size: int64(len(b))}}})
	if err != nil {
		t.Fatal(err)
	}
	sameAsTree(t, a, 1, tree)
}
