package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"wimscope/wim/internal/format"
	"wimscope/wim/wimtest"
)

// run runs a plan of drafts whose contents are files.
func run(t testing.TB, p *WritePlan, files map[string][]byte, w io.WriterAt, o *RunOptions) *WriteReport {
	t.Helper()
	r, err := RunWrite(context.Background(), p, memContents{func() *WritePlan { return p }, files}, w, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// plainTrees are trees without symbolic links, and drafts of them.
func plainTrees(seeds ...uint64) []*wimtest.Tree {
	var list []*wimtest.Tree
	for _, s := range seeds {
		list = append(list, wimtest.Random(s, &wimtest.TreeOptions{Plain: true}))
	}
	return list
}

// editOf makes an Edit of trees.
func editOf(t testing.TB, files map[string][]byte, trees ...*wimtest.Tree) *Edit {
	t.Helper()
	e := NewEdit()
	for k, tree := range trees {
		if _, err := e.AddDraft(treeDraft(t, tree, files, fmt.Sprintf("t%d", k)), &DraftInfo{Name: fmt.Sprint("n", k), Created: 133_000_000_000_000_000}); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// archiveOf writes an archive of trees.
func archiveOf(t testing.TB, o *WriteOptions, trees ...*wimtest.Tree) []byte {
	t.Helper()
	files := map[string][]byte{}
	b, _ := write(t, editOf(t, files, trees...), o, files, 2)
	return b
}

func editing(t testing.TB, b []byte) *Edit {
	t.Helper()
	e, err := openWritten(t, b).Edit()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// sequential is a sink that wants everything in order, as a pipe does.
type sequential struct {
	bytes.Buffer
	t testing.TB
}

func (s *sequential) WriteAt(b []byte, off int64) (int, error) {
	if off != int64(s.Len()) {
		s.t.Errorf("%d bytes are written at %d, and not at %d", len(b), off, s.Len())
	}
	return s.Write(b)
}

// TestPipable: pipable archives are written from front to end, and wimlib reads them from a pipe.
func TestPipable(t *testing.T) {
	trees := plainTrees(60, 61)
	for _, o := range []WriteOptions{
		{}, {Codec: XPRESS, Level: 1, Integrity: true}, {Codec: LZX, Level: 1}, {Codec: LZMS, ChunkSize: 32 << 10, Level: 1, Integrity: true},
	} {
		t.Run(fmt.Sprint(o.Codec), func(t *testing.T) {
			o.Pipable = true
			files := map[string][]byte{}
			e := editOf(t, files, trees...)
			e.Boot = 2
			p, err := e.PlanWrite(&o)
			if err != nil {
				t.Fatal(err)
			}
			s := &sequential{t: t}
			r := run(t, p, files, s, &RunOptions{Workers: 2})
			b := s.Bytes()
			if r.Size != int64(len(b)) {
				t.Errorf("%d bytes are reported, %d were written", r.Size, len(b))
			}
			a := sound(t, b, o.Integrity)
			if i := a.Info(); !i.Pipable || i.BootIndex != 2 {
				t.Errorf("pipable %v, boot index %d", i.Pipable, i.BootIndex)
			}
			for k, tree := range trees {
				sameAsTree(t, a, k+1, tree)
			}
			for _, r := range a.Regions() {
				if r.Kind == RegionUnused {
					t.Errorf("0x%x: %d bytes are unused", r.Off, r.Len)
				}
			}
			// Copied as it is; to the other form and back.
			again, _ := write(t, editing(t, b), &o, nil, 1)
			if len(again) != len(b) {
				t.Errorf("a copy has %d bytes, not %d", len(again), len(b))
			}
			plain := o
			plain.Pipable = false
			flat, _ := write(t, editing(t, b), &plain, nil, 1)
			sound(t, flat, o.Integrity)
			back, _ := write(t, editing(t, flat), &o, nil, 1)
			sameAsTree(t, sound(t, back, o.Integrity), 2, trees[1])
			for name, x := range map[string]struct {
				from []byte
				to   WriteOptions
				want []byte
			}{"to be read as others": {b, plain, flat}, "to be piped": {flat, o, back}, "as it is": {b, o, again}} {
				p, err := editing(t, x.from).PlanWrite(&x.to)
				if err != nil {
					t.Fatal(err)
				}
				if e, err := p.Estimate(context.Background(), nil, 0); err != nil || !e.Exact || e.Pack != 0 || e.Size != int64(len(x.want)) {
					t.Errorf("%s: nothing is to be packed, but %+v, %v; it was %d bytes", name, e, err, len(x.want))
				}
			}
			if !bytes.Equal(back, b) && len(back) != len(b) {
				t.Errorf("there and back: %d bytes, not %d", len(back), len(b))
			}

			wimtest.Need(t, wimtest.Wimlib)
			dir := t.TempDir()
			for name, b := range map[string][]byte{"a.wim": b, "copy.wim": again, "back.wim": back, "flat.wim": flat} {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
					t.Fatal(err)
				}
				wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", name)
			}
			cmd := exec.Command(wimtest.Wimlib, "apply", "-", "2", "out")
			cmd.Dir, cmd.Stdin = dir, bytes.NewReader(b)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("apply from a pipe: %v\n%s", err, out)
			}
			sameFiles(t, filepath.Join(dir, "out"), trees[1])
			// wimlib's own is copied without being packed anew.
			wimtest.MustRun(t, dir, wimtest.Wimlib, "export", "flat.wim", "all", "w.wim", "--pipable")
			w, err := os.ReadFile(filepath.Join(dir, "w.wim"))
			if err != nil {
				t.Fatal(err)
			}
			theirs, _ := write(t, editing(t, w), &o, nil, 1)
			sameAsTree(t, sound(t, theirs, o.Integrity), 1, trees[0])
		})
	}
	if _, err := NewEdit().PlanWrite(&WriteOptions{Pipable: true, Solid: true}); !errors.Is(err, ErrRefused) {
		t.Errorf("pipable and solid: %v", err)
	}
}

// TestPipableLarge: contents in pieces go front to end too, shrinking or not.
func TestPipableLarge(t *testing.T) {
	const n = largeContent + 1<<20 + 77
	files := map[string][]byte{"/a": bigContent(n, func(c int) bool { return c%2 == 0 }), "/b": bigContent(n+1, func(int) bool { return false })}
	p, err := fileEdit(t, files).PlanWrite(&WriteOptions{Codec: XPRESS, Level: 1, Pipable: true})
	if err != nil {
		t.Fatal(err)
	}
	s := &sequential{t: t}
	run(t, p, files, s, nil)
	sameAsFiles(t, sound(t, s.Bytes(), false), files)
}

// fileEdit makes an Edit of one image with files.
func fileEdit(t testing.TB, files map[string][]byte) *Edit {
	t.Helper()
	e := NewEdit()
	if _, err := e.AddDraft(fileDraft(t, files), nil); err != nil {
		t.Fatal(err)
	}
	return e
}

func fileDraft(t testing.TB, files map[string][]byte) *Draft {
	t.Helper()
	d := NewDraft()
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		id := d.AddContent(Content{Size: int64(len(files[name])), Path: name})
		if _, err := d.Add(0, DraftEntry{Name: path.Base(name), Attributes: AttrArchive, Streams: []DraftStream{{Content: id}}}); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func sameAsFiles(t testing.TB, a *Archive, files map[string][]byte) {
	t.Helper()
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	if im.Len() != len(files)+1 {
		t.Errorf("%d entries, want %d", im.Len(), len(files)+1)
	}
	for name, data := range files {
		n, ok := im.Lookup(path.Base(name))
		if !ok {
			t.Errorf("%s is not there", name)
			continue
		}
		if got, err := io.ReadAll(contentReader(t, a, im.Hash(n))); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s is another one: %d bytes, %v", name, len(got), err)
		}
	}
}

// sameFiles compares what another program extracted with a tree.
func sameFiles(t testing.TB, dir string, tree *wimtest.Tree) {
	t.Helper()
	for _, e := range tree.Entries {
		if e.Kind != wimtest.File {
			continue
		}
		if got, err := os.ReadFile(filepath.Join(dir, e.Path)); err != nil || !bytes.Equal(got, e.Data) {
			t.Errorf("%d bytes of %q, want %d: %v", len(got), e.Path, len(e.Data), err)
		}
	}
}

// split runs a plan of a set, and gives its parts.
func split(t testing.TB, p *WritePlan, files map[string][]byte) [][]byte {
	t.Helper()
	var parts []*memFile
	r, err := RunSplit(context.Background(), p, memContents{func() *WritePlan { return p }, files}, func(n int) (io.WriterAt, error) {
		if n != len(parts)+1 {
			t.Errorf("part %d is opened after %d others", n, len(parts))
		}
		parts = append(parts, &memFile{})
		return parts[n-1], nil
	}, &RunOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for i, p := range parts {
		list = append(list, p.b)
		if r.Parts[i] != int64(len(p.b)) {
			t.Errorf("part %d has %d bytes, reported %d", i+1, len(p.b), r.Parts[i])
		}
	}
	return list
}

func openSet(t testing.TB, parts [][]byte) *Archive {
	t.Helper()
	var list []Part
	for i, b := range parts {
		list = append(list, Part{Name: fmt.Sprintf("a%d.swm", i+1), R: bytes.NewReader(b), Size: int64(len(b))})
	}
	slices.Reverse(list) // any order will do
	a, err := Open(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w := a.Info().Warnings; len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
	if r := verify(t, a, 2); !r.OK {
		t.Errorf("not found good:\n%s", r.Text())
	}
	return a
}

// TestSplit splits archives of every form, has wimlib read and join the parts, and joins them.
func TestSplit(t *testing.T) {
	trees := plainTrees(70, 72)
	for _, c := range []struct {
		name string
		from WriteOptions
		o    *WriteOptions
		size int64
	}{
		{"none", WriteOptions{Integrity: true}, nil, 250_000},
		{"LZX", WriteOptions{Codec: LZX, Level: 1}, nil, 70_000},
		{"LZX to XPRESS", WriteOptions{Codec: LZX, Level: 1}, &WriteOptions{Codec: XPRESS, Level: 1, Integrity: true}, 100_000},
		{"solid LZMS", WriteOptions{Codec: LZMS, Level: 1, Solid: true, SolidChunkSize: 128 << 10, Integrity: true}, nil, 100_000},
		{"pipable", WriteOptions{Codec: XPRESS, Level: 1, Pipable: true}, nil, 80_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := archiveOf(t, &c.from, trees...)
			e := editing(t, src)
			e.Boot = 1
			p, err := e.PlanSplit(c.size, false, c.o)
			if err != nil {
				t.Fatal(err)
			}
			est, err := p.Estimate(context.Background(), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			parts := split(t, p, nil)
			if len(parts) < 2 {
				t.Fatalf("%d parts", len(parts))
			}
			sum := int64(0)
			for _, b := range parts {
				sum += int64(len(b))
			}
			if off := est.Size - sum; off > sum/3 || off < -sum/3 || c.o == nil && !c.from.Solid && (off > 5000 || off < -5000) {
				t.Errorf("estimate %+v, %d bytes were written", est, sum)
			}
			for i, b := range parts {
				if int64(len(b)) > c.size {
					t.Errorf("part %d has %d bytes, more than %d", i+1, len(b), c.size)
				}
			}
			a := openSet(t, parts)
			for k, tree := range trees {
				sameAsTree(t, a, k+1, tree)
			}
			all, err := a.Edit()
			if err != nil {
				t.Fatal(err)
			}
			o := a.WriteOptions()
			joined, _ := write(t, all, &o, nil, 2)
			sameAsTree(t, sound(t, joined, o.Integrity), 2, trees[1])
			if w := a.Info(); w.Solid || w.BootIndex != 0 {
				t.Errorf("solid %v, boot index %d", w.Solid, w.BootIndex)
			}

			wimtest.Need(t, wimtest.Wimlib, wimtest.SevenZip)
			dir := t.TempDir()
			var names []string
			for i, b := range parts {
				name := fmt.Sprintf("a%d.swm", i+1)
				if i == 0 {
					name = "a.swm"
				}
				names = append(names, name)
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", "a.swm", "--ref=a*.swm")
			wimtest.MustRun(t, dir, wimtest.Wimlib, append([]string{"join", "joined.wim"}, names...)...)
			wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", "joined.wim")
			wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", "a.swm", "2", "out", "--ref=a*.swm")
			sameFiles(t, filepath.Join(dir, "out"), trees[1])
			theirs, err := os.ReadFile(filepath.Join(dir, "joined.wim"))
			if err != nil {
				t.Fatal(err)
			}
			sameAsTree(t, sound(t, theirs, c.from.Integrity && c.o == nil || c.o != nil && c.o.Integrity), 1, trees[0])
			if c.from.Solid || c.from.Pipable {
				return
			}
			wimtest.MustRun(t, dir, wimtest.SevenZip, "t", "-bd", "a.swm")
			// wimlib's parts are joined too.
			wimtest.MustRun(t, dir, wimtest.Wimlib, "split", "joined.wim", "b.swm", "0.1")
			theirNames, _ := filepath.Glob(filepath.Join(dir, "b*.swm"))
			var theirParts [][]byte
			for _, name := range theirNames {
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				theirParts = append(theirParts, b)
			}
			sameAsTree(t, openSet(t, theirParts), 2, trees[1])
		})
	}
}

// TestSplitOnePart: a set of one part is a whole archive.
func TestSplitOnePart(t *testing.T) {
	tree := plainTrees(71)[0]
	for _, pipable := range []bool{false, true} {
		e := editing(t, archiveOf(t, &WriteOptions{Codec: XPRESS, Level: 1, Pipable: pipable}, tree))
		e.Boot = 1
		p, err := e.PlanSplit(1<<30, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		parts := split(t, p, nil)
		a := sound(t, parts[0], false)
		sameAsTree(t, a, 1, tree)
		if i := a.Info(); len(parts) != 1 || i.BootIndex != 1 || i.RawFlags&format.FlagSpanned != 0 || i.TotalParts != 1 || i.Pipable != pipable {
			t.Errorf("%d parts, %+v", len(parts), i)
		}
		wimtest.Need(t, wimtest.Wimlib)
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.wim"), parts[0], 0o666); err != nil {
			t.Fatal(err)
		}
		wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", "a.wim")
	}
}

// TestSplitDraft: a set can be made of files at once, whatever it is packed with.
func TestSplitDraft(t *testing.T) {
	files := map[string][]byte{}
	trees := plainTrees(73)
	p, err := editOf(t, files, trees...).PlanSplit(90_000, false, &WriteOptions{Codec: LZX, Level: 1, Integrity: true})
	if err != nil {
		t.Fatal(err)
	}
	sameAsTree(t, openSet(t, split(t, p, files)), 1, trees[0])
}

// TestSplitTooLarge: what does not fit into a part is named before anything is written, unless that is forced.
func TestSplitTooLarge(t *testing.T) {
	files := map[string][]byte{
		"/packable": bytes.Repeat([]byte("some text that repeats, "), 20_000),
		"/random":   bigContent(200_000, func(int) bool { return false }),
		"/small":    []byte("small"),
	}
	stored, _ := write(t, fileEdit(t, files), &WriteOptions{}, files, 1)
	lzx, _ := write(t, fileEdit(t, files), &WriteOptions{Codec: LZX, Level: 1}, files, 1)
	opened := 0
	count := func(int) (io.WriterAt, error) { opened++; return &memFile{}, nil }
	var too *TooLargePartError
	// When it is copied, its size is known.
	if _, err := editing(t, lzx).PlanSplit(150_000, false, nil); !errors.As(err, &too) || too.Need < 200_000 || too.Part != 150_000 {
		t.Errorf("copied: %v", err)
	}
	// When it is packed, its size is found out.
	p, err := editing(t, stored).PlanSplit(150_000, false, &WriteOptions{Codec: LZX, Level: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := RunSplit(context.Background(), p, nil, count, nil); !errors.As(err, &too) || too.Need < 200_000 || opened > 0 {
		t.Errorf("packed: %v, %d parts were opened", err, opened)
	}
	// What is short enough once it is packed is no hindrance.
	if p, err = editing(t, stored).PlanSplit(210_000, false, &WriteOptions{Codec: LZX, Level: 1}); err != nil {
		t.Fatal(err)
	}
	parts := split(t, p, nil)
	for i, b := range parts {
		if len(b) > 210_000 {
			t.Errorf("part %d has %d bytes", i+1, len(b))
		}
	}
	sameAsFiles(t, openSet(t, parts), files)
	if p, err = editing(t, lzx).PlanSplit(150_000, true, nil); err != nil {
		t.Fatal(err)
	}
	sameAsFiles(t, openSet(t, split(t, p, nil)), files)
	// All metadata is in the first part.
	if p, err = fileEdit(t, files).PlanSplit(400, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := RunSplit(context.Background(), p, memContents{func() *WritePlan { return p }, files}, count, nil); !errors.Is(err, ErrRefused) || opened > 0 {
		t.Errorf("metadata: %v, %d parts were opened", err, opened)
	}
	if _, err := editing(t, lzx).PlanSplit(1<<20, false, &WriteOptions{Solid: true}); !errors.Is(err, ErrRefused) {
		t.Errorf("solid: %v", err)
	}
}

// writes is a sink that remembers what was written, and can be played back up to any byte.
type writes struct {
	start []byte
	list  []wrote
}

type wrote struct {
	off  int64
	b    []byte
	size int64 // truncated to; -1: it is a write
}

func (w *writes) WriteAt(b []byte, off int64) (int, error) {
	w.list = append(w.list, wrote{off, slices.Clone(b), -1})
	return len(b), nil
}

func (w *writes) Truncate(size int64) error {
	w.list = append(w.list, wrote{size: size})
	return nil
}

// after is the file after the first n writes and the first k bytes of the next.
func (w *writes) after(n, k int) []byte {
	m := memFile{slices.Clone(w.start)}
	for i, x := range w.list[:min(n+1, len(w.list))] {
		switch {
		case x.size >= 0 && i < n:
			m.b = m.b[:x.size]
		case x.size >= 0:
		case i < n:
			m.WriteAt(x.b, x.off)
		case k > 0:
			m.WriteAt(x.b[:k], x.off)
		}
	}
	return m.b
}

// TestAppendCut replays every prefix of what changes in place write, and cuts within writes: the archive is the old one or
// the new one, whole, and can be changed again. The header is written as one.
func TestAppendCut(t *testing.T) {
	trees := plainTrees(74, 75)
	old := archiveOf(t, &WriteOptions{Codec: LZX, Level: 1, Integrity: true}, trees[0], trees[0])
	files := map[string][]byte{}
	for _, c := range []struct {
		name   string
		images int // afterwards
		change func(e *Edit)
		o      WriteOptions
	}{
		{"append", 3, func(e *Edit) { e.AddDraft(treeDraft(t, trees[1], files, "x"), &DraftInfo{Name: "x"}) }, WriteOptions{Level: 1, Integrity: true}},
		{"append solid", 3, func(e *Edit) { e.AddDraft(treeDraft(t, trees[1], files, "x"), nil) }, WriteOptions{Level: 1, Solid: true, SolidCodec: LZX}},
		{"replace and delete", 1, func(e *Edit) { e.Delete(1); e.SetDraft(1, treeDraft(t, trees[1], files, "x"), 1) }, WriteOptions{Level: 1}},
		{"property", 2, func(e *Edit) { e.ImageElement(1).SetContent("changed", "NAME") }, WriteOptions{Integrity: true}},
		{"boot", 2, func(e *Edit) { e.Boot = 2 }, WriteOptions{Integrity: true}},
		{"no integrity table", 2, func(e *Edit) {}, WriteOptions{}},
		{"delete all", 0, func(e *Edit) { e.Delete(1); e.Delete(1) }, WriteOptions{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := editing(t, old)
			c.change(e)
			p, err := e.PlanAppend(&c.o)
			if err != nil {
				t.Fatal(err)
			}
			w := &writes{start: old}
			run(t, p, files, w, &RunOptions{Workers: 2})
			check := func(b []byte, images int) {
				t.Helper()
				a := openWritten(t, b)
				if n := len(a.Images()); n != images {
					t.Fatalf("%d images, want %d", n, images)
				}
				if r := verify(t, a, 1); !r.OK || len(r.RefCounts) > 0 {
					t.Fatalf("not found good:\n%s", r.Text())
				}
				if trail := a.Info().Parts[0].Trailing; c.o.Integrity && (trail > 0) != (images == 2 && len(b) > len(old) && len(w.list) > 1 && bytes.Equal(b[:208], old[:208])) {
					t.Errorf("%d bytes of %d are said to belong to nothing", trail, len(b))
				}
				if im, err := a.Image(1); images > 0 && (err != nil || im.Len() == 0) {
					t.Error(err)
				}
			}
			last := slices.IndexFunc(w.list, func(x wrote) bool { return x.off == 0 }) // the header, or what makes the file shorter then
			for n := range w.list {
				if n < last && w.list[n].off < int64(len(old)) || n > last && w.list[n].size < 0 {
					t.Errorf("write %d of %d is at 0x%x", n, len(w.list), w.list[n].off)
				}
				if n > last {
					check(w.after(n, 0), c.images)
					continue
				}
				check(w.after(n, 0), 2)
				if n < last {
					check(w.after(n, len(w.list[n].b)/2), 2)
					check(w.after(n, len(w.list[n].b)-1), 2)
				}
			}
			done := w.after(len(w.list), 0)
			check(done, c.images)
			if n := min(len(done), len(old)); !bytes.Equal(done[208:n], old[208:n]) {
				t.Error("what was there was written over")
			}
			// After a cut it is changed again, without repair.
			cut := w.after(last, 0)
			again := editing(t, cut)
			if _, err := again.AddDraft(treeDraft(t, trees[1], files, "again"), nil); err != nil {
				t.Fatal(err)
			}
			if p, err = again.PlanAppend(&WriteOptions{Level: 1, Integrity: true}); err != nil {
				t.Fatal(err)
			}
			m := memFile{slices.Clone(cut)}
			run(t, p, files, &m, nil)
			sameAsTree(t, sound(t, m.b, true), 3, trees[1])
		})
	}
}

// TestProperties: if only what is said of images changes, little is written.
func TestProperties(t *testing.T) {
	tree := plainTrees(76)[0]
	b := archiveOf(t, &WriteOptions{Codec: XPRESS, Level: 1}, tree)
	step := func(name string, most int, o WriteOptions, change func(e *Edit)) {
		t.Helper()
		e := editing(t, b)
		change(e)
		p, err := e.PlanAppend(&o)
		if err != nil {
			t.Fatal(err)
		}
		w := &writes{start: b}
		run(t, p, nil, w, nil)
		n := 0
		for _, x := range w.list {
			n += len(x.b)
		}
		if n > most {
			t.Errorf("%s: %d bytes are written", name, n)
		}
		b = w.after(len(w.list), 0)
		sameAsTree(t, sound(t, b, o.Integrity), 1, tree)
		peers(t, b, nil)
	}
	step("nothing", 208, WriteOptions{}, func(e *Edit) {})
	step("boot", 208, WriteOptions{}, func(e *Edit) { e.Boot = 1 })
	step("name", 208+1400, WriteOptions{}, func(e *Edit) {
		e.ImageElement(1).SetContent("a & b", "NAME")
		e.ImageElement(1).SetContent("x", "WINDOWS", "VENDOR", "WHAT")
	})
	step("integrity table", 208+12+20, WriteOptions{Integrity: true}, func(e *Edit) {})
	step("display name", 208+1600, WriteOptions{Integrity: true}, func(e *Edit) { e.ImageElement(1).SetContent("d", "DISPLAYNAME") })
	step("no integrity table", 208, WriteOptions{}, func(e *Edit) {})
	size := len(b)
	step("integrity table at the end", 208+12+20, WriteOptions{Integrity: true}, func(e *Edit) {})
	if step("none again", 208, WriteOptions{}, func(e *Edit) {}); len(b) != size {
		t.Errorf("%d bytes without an integrity table, %d before there was one", len(b), size)
	}
	a := openWritten(t, b)
	if i := a.Images()[0]; i.Name != "a & b" || i.DisplayName != "d" || a.Info().BootIndex != 1 || a.doc.Root().Child("IMAGE").Content("WINDOWS", "VENDOR", "WHAT") != "x" {
		t.Errorf("%+v\n%s", i, a.XML())
	}
}

// TestSetDraft: an image with another tree keeps what is said of it, and gets the counts.
func TestSetDraft(t *testing.T) {
	trees := plainTrees(77, 78)
	e := editing(t, archiveOf(t, nil, trees[0]))
	e.ImageElement(1).SetContent("kept", "UNKNOWN")
	files := map[string][]byte{}
	if err := e.SetDraft(1, treeDraft(t, trees[1], files, "y"), 134_000_000_000_000_000); err != nil {
		t.Fatal(err)
	}
	if e.FindImage("n0") != 1 || e.FindImage("") != 0 || e.FindImage("x") != 0 {
		t.Error("images are not found by name")
	}
	b, _ := write(t, e, nil, files, 1)
	a := sound(t, b, false)
	sameAsTree(t, a, 1, trees[1])
	im, _ := a.Image(1)
	i := a.Images()[0]
	if i.Name != "n0" || i.Created != 133_000_000_000_000_000 || i.Modified != 134_000_000_000_000_000 || i.Dirs+i.Files != int64(im.Len()) ||
		a.doc.Root().Child("IMAGE").Content("UNKNOWN") != "kept" {
		t.Errorf("%+v\n%s", i, a.XML())
	}
}

// TestCompact: holes go, what is new is added, the file gets shorter. A cut leaves a file that says so.
func TestCompact(t *testing.T) {
	trees := plainTrees(80, 81, 82)
	for _, o := range []WriteOptions{{Codec: LZX, Level: 1, Integrity: true}, {Codec: LZX, Level: 1, Solid: true, SolidCodec: LZX}, {}} {
		t.Run(fmt.Sprintf("%v, solid %v", o.Codec, o.Solid), func(t *testing.T) {
			files := map[string][]byte{}
			b := archiveOf(t, &o, trees[0], trees[1])
			// An image appended, then the first taken away: its contents and the old tables are holes.
			for _, change := range []func(e *Edit){
				func(e *Edit) { e.AddDraft(treeDraft(t, trees[2], files, "x"), &DraftInfo{Name: "x"}) },
				func(e *Edit) { e.Delete(1) },
			} {
				e := editing(t, b)
				change(e)
				p, err := e.PlanAppend(&o)
				if err != nil {
					t.Fatal(err)
				}
				m := memFile{slices.Clone(b)}
				run(t, p, files, &m, nil)
				b = m.b
			}
			e := editing(t, b)
			more := map[string][]byte{"/new": []byte("something new"), "/newer": bytes.Repeat([]byte("n"), 5000)}
			if _, err := e.AddDraft(fileDraft(t, more), &DraftInfo{Name: "y"}); err != nil {
				t.Fatal(err)
			}
			p, err := e.PlanCompact(&WriteOptions{Level: 1, Integrity: o.Integrity})
			if err != nil {
				t.Fatal(err)
			}
			est, err := p.Estimate(context.Background(), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			w := &writes{start: b}
			// Reading goes to the file that is being written.
			live := &liveFile{w: w}
			live.b = slices.Clone(b)
			p.archives[0].parts[0].R = live
			r := run(t, p, more, live, &RunOptions{Workers: 3})
			done := w.after(len(w.list), 0)
			if int64(len(done)) != r.Size || len(done) >= len(b) {
				t.Errorf("%d bytes, reported %d, before %d", len(done), r.Size, len(b))
			}
			if off := est.Size - r.Size; off > r.Size/5 || off < -r.Size/5 {
				t.Errorf("%d bytes were estimated, %d are there", est.Size, r.Size)
			}
			a := sound(t, done, o.Integrity)
			sameAsTree(t, a, 1, trees[1])
			sameAsTree(t, a, 2, trees[2])
			for _, r := range a.Regions() {
				if r.Kind == RegionUnused && !o.Solid {
					t.Errorf("0x%x: %d bytes are unused", r.Off, r.Len)
				}
			}
			peers(t, done, trees[1])
			for n := 1; n < len(w.list)-1; n++ {
				h, err := format.ParseHeader(w.after(n, 0))
				if err != nil || h.Flags&format.FlagWriteInProgress == 0 {
					t.Fatalf("after %d writes of %d: flags 0x%x, %v", n, len(w.list), h.Flags, err)
				}
			}
		})
	}
}

// liveFile is a file that is read and written at the same time.
type liveFile struct {
	memFile
	w *writes
}

func (l *liveFile) WriteAt(b []byte, off int64) (int, error) {
	l.w.WriteAt(b, off)
	return l.memFile.WriteAt(b, off)
}

func (l *liveFile) ReadAt(b []byte, off int64) (int, error) {
	return bytes.NewReader(l.b).ReadAt(b, off)
}

func (l *liveFile) Truncate(size int64) error {
	l.b = l.b[:size]
	return l.w.Truncate(size)
}

// TestGroup keeps images in archives with metadata only, and their contents in one that all share.
func TestGroup(t *testing.T) {
	trees := plainTrees(83, 84)
	files := map[string][]byte{}
	o := WriteOptions{Codec: LZX, Level: 1, Integrity: true, Only: OnlyContents}
	first := editOf(t, files, trees[0])
	res, _ := write(t, first, &o, files, 2)
	image := func(e *Edit, res []byte) []byte {
		t.Helper()
		e.LeaveOut(openWritten(t, res))
		o := o
		o.Only = OnlyMetadata
		b, r := write(t, e, &o, files, 1)
		if r.Contents != 0 {
			t.Errorf("%d contents were written", r.Contents)
		}
		return b
	}
	one := image(first, res)
	// A second image joins the group.
	second := editOf(t, files, trees[1], trees[0])
	second.Delete(2)
	group := editing(t, res)
	d := treeDraft(t, trees[1], files, "two")
	if _, err := group.AddDraft(d, nil); err != nil {
		t.Fatal(err)
	}
	p, err := group.PlanAppend(&WriteOptions{Level: 1, Integrity: true, Only: OnlyContents})
	if err != nil {
		t.Fatal(err)
	}
	m := memFile{slices.Clone(res)}
	run(t, p, files, &m, nil)
	two := NewEdit()
	if _, err := two.AddDraft(d, &DraftInfo{Name: "two"}); err != nil {
		t.Fatal(err)
	}
	twoBytes := image(two, m.b)
	for k, b := range [][]byte{one, twoBytes} {
		a, err := Open([]Part{{Name: "image", R: bytes.NewReader(b), Size: int64(len(b))}}, &ReadOptions{References: []Part{{Name: "Res.rwm", R: bytes.NewReader(m.b), Size: int64(len(m.b))}}})
		if err != nil {
			t.Fatal(err)
		}
		sameAsTree(t, a, 1, trees[k])
		if r := verify(t, a, 1); !r.OK {
			t.Errorf("image %d:\n%s", k+1, r.Text())
		}
		// Exported it stands alone.
		e, err := a.Edit()
		if err != nil {
			t.Fatal(err)
		}
		alone := a.WriteOptions()
		if alone.Only != OnlyMetadata {
			t.Errorf("only %v", alone.Only)
		}
		alone.Only = OnlyAll
		out, _ := write(t, e, &alone, nil, 1)
		sameAsTree(t, sound(t, out, true), 1, trees[k])
	}
	rwm := openWritten(t, m.b)
	if r := verify(t, rwm, 1); !r.OK || r.Integrity[0].State != "ok" || len(r.RefCounts) > 0 {
		t.Errorf("contents:\n%s", r.Text())
	}
	if i := rwm.Info(); i.RawFlags&format.FlagResourceOnly == 0 || len(rwm.Images()) != 0 || i.Blobs == 0 {
		t.Errorf("%+v", i)
	}
	// Written anew it keeps its contents, and those of deleted images stay.
	anew := rwm.WriteOptions()
	b, r := write(t, editing(t, m.b), &anew, nil, 1)
	if r.Contents != rwm.Info().Blobs || sound(t, b, true).Info().RawFlags&format.FlagResourceOnly == 0 {
		t.Errorf("%d contents, want %d", r.Contents, rwm.Info().Blobs)
	}
	// What is not in the group, and another codec, is refused.
	stray := editOf(t, files, trees[1])
	stray.LeaveOut(openWritten(t, res))
	meta := WriteOptions{Codec: LZX, Level: 1, Only: OnlyMetadata}
	if b, _, err := tryWrite(stray, &meta, files, 1); !errors.Is(err, ErrMissingBlob) || len(b) > 0 {
		t.Errorf("contents that nobody holds: %v, %d bytes were written", err, len(b))
	}
	meta.Codec = XPRESS
	if _, err := stray.PlanWrite(&meta); !errors.Is(err, ErrRefused) {
		t.Errorf("another codec: %v", err)
	}
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	for name, b := range map[string][]byte{"one.wim": one, "two.wim": twoBytes, "Res.rwm": m.b} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", "two.wim", "1", "out", "--ref=Res.rwm")
	sameFiles(t, filepath.Join(dir, "out"), trees[1])
}

// TestSkip: files that change while they are read are left out with all their names, if the caller says so; a file with the
// same bytes stands in.
func TestSkip(t *testing.T) {
	big := bigContent(largeContent+100, func(int) bool { return true })
	bigChanged := slices.Clone(big)
	bigChanged[pieceBytes+5], bigChanged[2*pieceBytes+5] = 1, 1 // pieces are opened in any order
	for _, c := range []struct {
		name  string
		o     WriteOptions
		data  []byte
		to    []byte // from the open'th time on
		open  int64
		twin  bool // another file has the same bytes
		stays bool // it can be had after all
		stop  bool // it is too late to skip
	}{
		{name: "shorter at once", data: []byte("0123456789"), to: []byte("012345678")},
		{name: "gone when hashed", data: []byte("0123456789"), twin: true},
		{name: "gone when packed", data: []byte("0123456789"), twin: true, o: WriteOptions{OnePass: 100}},
		{name: "after hashing", data: []byte("0123456789"), to: []byte("0123456780"), open: 1, o: WriteOptions{Codec: LZX, Level: 1, Solid: true, SolidCodec: LZX, Integrity: true}},
		{name: "after hashing, with a twin", data: []byte("0123456789"), to: []byte("0123456780"), open: 1, twin: true, stays: true, o: WriteOptions{Codec: LZX, Level: 1}},
		{name: "between pieces", data: big, to: bigChanged, open: 2, o: WriteOptions{Codec: XPRESS, Level: 1, Integrity: true}},
		{name: "between pieces, stored", data: big, to: bigChanged, open: 2, o: WriteOptions{Integrity: true}},
		{name: "too late", data: []byte("0123456789"), to: []byte("0123456780"), open: 1, stop: true, o: WriteOptions{Pipable: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string][]byte{"/bad": c.data, "/good": []byte("good"), "/other": bytes.Repeat([]byte("other"), 9999)}
			d := fileDraft(t, files)
			bad, _ := d.Lookup("bad", false)
			if _, err := d.Link(bad, 0, "link"); err != nil {
				t.Fatal(err)
			}
			if c.twin {
				files["/twin"] = c.data
				id := d.AddContent(Content{Size: int64(len(c.data)), Path: "/twin"})
				if _, err := d.Add(0, DraftEntry{Name: "twin", Attributes: AttrArchive, Streams: []DraftStream{{Content: id}}}); err != nil {
					t.Fatal(err)
				}
			}
			e := NewEdit()
			if _, err := e.AddDraft(d, nil); err != nil {
				t.Fatal(err)
			}
			p, err := e.PlanWrite(&c.o)
			if err != nil {
				t.Fatal(err)
			}
			src := &changingPath{ContentFiles: memContents{func() *WritePlan { return p }, files}, p: p, path: "/bad", to: c.to}
			src.left.Store(c.open)
			var m memFile
			asked := 0
			r, err := RunWrite(context.Background(), p, src, &m, &RunOptions{Workers: 1, Problem: func(ce *ContentError) bool {
				asked++
				return ce.Path == "/bad"
			}})
			if c.stop {
				if !errors.Is(err, ErrChanged) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Skipped) != 1 || r.Skipped[0].Path != "/bad" || asked != 1 {
				t.Errorf("skipped %v, asked %d times", r.Skipped, asked)
			}
			delete(files, "/bad")
			a := sound(t, m.b, c.o.Integrity)
			sameAsFiles(t, a, files)
			if i := a.Images()[0]; i.Files != int64(len(files)) {
				t.Errorf("%d files are told of, want %d", i.Files, len(files))
			}
		})
	}
}

// changingPath is a source of which one file becomes another after it was opened some times, or cannot be opened.
type changingPath struct {
	ContentFiles
	p    *WritePlan
	path string
	left atomic.Int64 // times that it is still the same
	to   []byte
}

func (c *changingPath) OpenContent(id int32) (ContentFile, error) {
	if c.p.Name(id) != c.path {
		return c.ContentFiles.OpenContent(id)
	}
	if c.left.Add(-1) >= 0 {
		return c.ContentFiles.OpenContent(id)
	}
	if c.to == nil {
		return nil, fs.ErrNotExist
	}
	return memContent{bytes.NewReader(c.to)}, nil
}

// TestSkipDamaged: a damaged content of an archive stops an export, or the image is written without it.
func TestSkipDamaged(t *testing.T) {
	files := map[string][]byte{"/a": bytes.Repeat([]byte("abc"), 9999), "/b": bytes.Repeat([]byte("xyz"), 9999)}
	b, _ := write(t, fileEdit(t, files), &WriteOptions{}, files, 1)
	b[bytes.Index(b, []byte("xyzxyz"))+300] ^= 1
	o := &WriteOptions{Codec: XPRESS, Level: 1}
	var ce *ContentError
	if _, _, err := tryWrite(editing(t, b), o, nil, 1); !errors.As(err, &ce) || !errors.Is(err, ErrChecksum) || !strings.Contains(ce.Path, "content ") {
		t.Errorf("error %v", err)
	}
	p, err := editing(t, b).PlanWrite(o)
	if err != nil {
		t.Fatal(err)
	}
	var m memFile
	r, err := RunWrite(context.Background(), p, nil, &m, &RunOptions{Problem: func(*ContentError) bool { return true }})
	if err != nil || len(r.Skipped) != 1 || r.Contents != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if rep := verify(t, openWritten(t, m.b), 1); rep.OK || len(rep.Missing) != 1 {
		t.Errorf("%s", rep.Text())
	}
}

// TestUnpacked: what the configuration excepts from packing is not packed.
func TestUnpacked(t *testing.T) {
	data := bytes.Repeat([]byte("text "), 9999)
	for _, o := range []WriteOptions{{Codec: LZX, Level: 1}, {Codec: LZX, Level: 1, Solid: true}, {Codec: LZX, Level: 1, Pipable: true}} {
		d := NewDraft()
		id := d.AddContent(Content{Size: int64(len(data)), Path: "/x", Unpacked: true})
		if _, err := d.Add(0, DraftEntry{Name: "x", Attributes: AttrArchive, Streams: []DraftStream{{Content: id}}}); err != nil {
			t.Fatal(err)
		}
		e := NewEdit()
		if _, err := e.AddDraft(d, nil); err != nil {
			t.Fatal(err)
		}
		b, _ := write(t, e, &o, map[string][]byte{"/x": data}, 1)
		a := sound(t, b, false)
		if s := a.Stored(a.Blobs()[0]); s.PackedSize != int64(len(data)) || s.Codec != None {
			t.Errorf("%+v: %+v", o, s)
		}
	}
}

// TestSinkFails: what fails in writing is told as that, and what was added in place is cut off.
func TestSinkFails(t *testing.T) {
	tree := plainTrees(85)[0]
	b := archiveOf(t, nil, tree)
	full := errors.New("disk full")
	for left := range 4 {
		files := map[string][]byte{}
		e := editing(t, b)
		if _, err := e.AddDraft(treeDraft(t, plainTrees(86)[0], files, "x"), nil); err != nil {
			t.Fatal(err)
		}
		p, err := e.PlanAppend(nil)
		if err != nil {
			t.Fatal(err)
		}
		w := &failing{writes: writes{start: b}, left: left, err: full}
		_, err = RunWrite(context.Background(), p, memContents{func() *WritePlan { return p }, files}, w, nil)
		var se *SinkError
		if !errors.As(err, &se) || !errors.Is(err, full) {
			t.Errorf("error %v", err)
		}
		got := w.after(len(w.list), 0)
		if se != nil && se.Off == 0 && len(got) > len(b) {
			got = got[:len(b)] // whether the header was written is not known, so nothing is taken back
		}
		if left == 3 != (se != nil && se.Off == 0) {
			t.Errorf("after %d writes: %v", left, err)
		}
		if !bytes.Equal(got, b) {
			t.Errorf("after %d writes the file is another one: %d bytes, %d before", left, len(got), len(b))
		}
	}
}

type failing struct {
	writes
	left int
	err  error
}

func (f *failing) WriteAt(b []byte, off int64) (int, error) {
	if f.left--; f.left < 0 {
		return 0, f.err
	}
	return f.writes.WriteAt(b, off)
}

// TestUnfinished: every cut of a new archive is recognised for what it is, by name.
func TestUnfinished(t *testing.T) {
	files := map[string][]byte{}
	for _, o := range []WriteOptions{{Codec: XPRESS, Level: 1, Integrity: true}, {Codec: XPRESS, Level: 1, Pipable: true}} {
		p, err := editOf(t, files, plainTrees(87)[0]).PlanWrite(&o)
		if err != nil {
			t.Fatal(err)
		}
		w := &writes{}
		run(t, p, files, w, nil)
		for n := 1; n < len(w.list); n++ {
			b := w.after(n, 0)
			_, err := Open([]Part{{Name: "cut.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
			var u *UnfinishedError
			var tr *TruncatedError
			if !errors.As(err, &u) && !(o.Pipable && errors.As(err, &tr)) {
				t.Errorf("pipable %v, after %d writes of %d: %v", o.Pipable, n, len(w.list), err)
			}
		}
		sound(t, w.after(len(w.list), 0), o.Integrity)
	}
	// Each part of a set too.
	p, err := editOf(t, files, plainTrees(87)[0]).PlanSplit(100_000, true, &WriteOptions{Integrity: true})
	if err != nil {
		t.Fatal(err)
	}
	var parts []*writes
	if _, err := RunSplit(context.Background(), p, memContents{func() *WritePlan { return p }, files}, func(int) (io.WriterAt, error) {
		parts = append(parts, &writes{})
		return parts[len(parts)-1], nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	for i, w := range parts {
		for n := 1; n < len(w.list); n++ {
			b := w.after(n, 0)
			var u *UnfinishedError
			if _, err := Open([]Part{{Name: "cut.swm", R: bytes.NewReader(b), Size: int64(len(b))}}, nil); !errors.As(err, &u) {
				t.Errorf("part %d, after %d writes of %d: %v", i+1, n, len(w.list), err)
			}
		}
	}
}

// TestEstimate: exact where all is copied; otherwise not far off.
func TestEstimate(t *testing.T) {
	trees := plainTrees(88, 89)
	src := archiveOf(t, &WriteOptions{Codec: LZX, Level: 1}, trees...)
	for name, o := range map[string]WriteOptions{
		"copied":   {Codec: LZX, Integrity: true},
		"other":    {Codec: XPRESS, Level: 1},
		"solid":    {Codec: LZX, Solid: true, SolidCodec: LZX, SolidChunkSize: 64 << 10, Level: 1},
		"unpacked": {},
	} {
		for _, sample := range []int64{0, 1 << 20} {
			p, err := editing(t, src).PlanWrite(&o)
			if err != nil {
				t.Fatal(err)
			}
			e, err := p.Estimate(context.Background(), nil, sample)
			if err != nil {
				t.Fatal(err)
			}
			var m memFile
			r := run(t, p, nil, &m, nil)
			if e.Exact != (name == "copied") && name != "unpacked" || e.Exact && name == "copied" && e.Size != r.Size {
				t.Errorf("%s: %+v, %d bytes were written", name, e, r.Size)
			}
			if off := e.Size - r.Size; off > r.Size/2 || off < -r.Size/2 || e.Memory < 1<<20 || e.Grows != e.Size {
				t.Errorf("%s: %+v, %d bytes were written", name, e, r.Size)
			}
		}
	}
}

// TestWriteWarnings: what Microsoft's programs do not read is named.
func TestWriteWarnings(t *testing.T) {
	for _, c := range []struct {
		o    WriteOptions
		want string
	}{
		{WriteOptions{}, ""},
		{WriteOptions{Codec: LZX}, ""},
		{WriteOptions{Codec: XPRESS, ChunkSize: 4096}, WarnXPRESSChunkSize},
		{WriteOptions{Codec: LZX, ChunkSize: 64 << 10, Pipable: true}, WarnPipable + " " + WarnLZXChunkSize},
		{WriteOptions{Codec: LZX, Solid: true}, WarnSolid},
		{WriteOptions{Codec: LZMS, Solid: true, SolidCodec: XPRESS, SolidChunkSize: 64 << 10}, WarnLZMS + " " + WarnSolid + " " + WarnSolidCodec + " " + WarnXPRESSChunkSize},
	} {
		var got []string
		for _, w := range c.o.Warnings() {
			got = append(got, w.Key)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
	p, err := NewEdit().PlanWrite(nil)
	if err != nil {
		t.Fatal(err)
	}
	if w := p.Warnings(); len(w) != 1 || w[0].Key != WarnNoImages {
		t.Errorf("%+v", w)
	}
}

// TestDeltaInPlace: an archive whose contents are elsewhere is changed in place without them, whether they are at hand or not;
// and wimlib reads what is made.
func TestDeltaInPlace(t *testing.T) {
	trees := plainTrees(90, 91)
	files := map[string][]byte{}
	base := archiveOf(t, &WriteOptions{Codec: LZX, Level: 1}, trees[0])
	e := editOf(t, files, trees[0], trees[1])
	e.LeaveOut(openWritten(t, base))
	delta, _ := write(t, e, &WriteOptions{Codec: LZX, Level: 1, Integrity: true}, files, 2)
	part := func(name string, b []byte) Part { return Part{Name: name, R: bytes.NewReader(b), Size: int64(len(b))} }
	for _, refs := range [][]Part{nil, {part("base.wim", base)}} {
		a, err := Open([]Part{part("delta.wim", delta)}, &ReadOptions{References: refs})
		if err != nil {
			t.Fatal(err)
		}
		e, err := a.Edit()
		if err != nil {
			t.Fatal(err)
		}
		e.ImageElement(1).SetContent("renamed", "NAME")
		if err := e.Delete(2); err != nil {
			t.Fatal(err)
		}
		im, err := a.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		d, err := im.Draft()
		if err != nil {
			t.Fatal(err)
		}
		if err := e.SetDraft(1, d, 1); err != nil {
			t.Fatal(err)
		}
		// Nobody has this one, and none of the images had it.
		stray, err := a.Edit()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stray.AddDraft(strayDraft(t), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := stray.PlanAppend(nil); !errors.Is(err, ErrMissingBlob) {
			t.Errorf("a content that is nowhere: %v", err)
		}
		e.AddDraft(treeDraft(t, trees[1], files, "again"), &DraftInfo{Name: "again"})
		if len(refs) > 0 {
			e.AddDraft(treeDraft(t, trees[0], files, "base"), &DraftInfo{Name: "base"}) // the reference has all of it
		}
		p, err := e.PlanAppend(&WriteOptions{Level: 1, Integrity: true})
		if err != nil {
			t.Fatal(err)
		}
		m := memFile{slices.Clone(delta)}
		run(t, p, files, &m, nil)
		if a, err = Open([]Part{part("delta.wim", m.b)}, &ReadOptions{References: []Part{part("base.wim", base)}}); err != nil {
			t.Fatal(err)
		}
		sameAsTree(t, a, 1, trees[0])
		sameAsTree(t, a, 2, trees[1])
		for _, b := range openWritten(t, m.b).Blobs() {
			if len(refs) > 0 && openHas(t, base, b.Hash) {
				t.Errorf("%v was added, which the base holds", b.Hash)
			}
		}
		wimtest.Need(t, wimtest.Wimlib)
		dir := t.TempDir()
		for name, b := range map[string][]byte{"delta.wim": m.b, "base.wim": base} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", "delta.wim", "1", "out", "--ref=base.wim")
		sameFiles(t, filepath.Join(dir, "out"), trees[0])
	}
}

// strayDraft has a file whose content is known by its hash, and held by nobody.
func strayDraft(t testing.TB) *Draft {
	t.Helper()
	d := NewDraft()
	id := d.AddContent(Content{Hash: Hash{1, 2, 3}, Known: true, Size: 7, Source: -1})
	if _, err := d.Add(0, DraftEntry{Name: "stray", Attributes: AttrArchive, Streams: []DraftStream{{Content: id}}}); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestKeepAlone: an archive of solid and other resources is written anew without being packed anew.
func TestKeepAlone(t *testing.T) {
	trees := plainTrees(92, 93)
	files := map[string][]byte{}
	o := &WriteOptions{Codec: LZX, Level: 1, Solid: true, SolidCodec: LZX, SolidChunkSize: 64 << 10}
	b := archiveOf(t, o, trees[0])
	e := editing(t, b)
	e.AddDraft(treeDraft(t, trees[1], files, "x"), nil)
	p, err := e.PlanAppend(&WriteOptions{Level: 1})
	if err != nil {
		t.Fatal(err)
	}
	m := memFile{b}
	run(t, p, files, &m, nil)
	as := openWritten(t, m.b).WriteOptions()
	if p, err = editing(t, m.b).PlanWrite(&as); err != nil {
		t.Fatal(err)
	}
	est, err := p.Estimate(context.Background(), nil, 0)
	if err != nil || !est.Exact || est.Pack != 0 {
		t.Errorf("%+v, %v", est, err)
	}
	var again memFile
	if r := run(t, p, nil, &again, nil); r.Size != est.Size {
		t.Errorf("%d bytes, %d were foretold", r.Size, est.Size)
	}
	a := sound(t, again.b, false)
	sameAsTree(t, a, 1, trees[0])
	sameAsTree(t, a, 2, trees[1])
}

// TestAppendRace: if another program changed the archive since it was opened, it is left alone.
func TestAppendRace(t *testing.T) {
	tree := plainTrees(94)[0]
	b := archiveOf(t, nil, tree)
	for after := range 3 {
		m := &racing{memFile: memFile{slices.Clone(b)}, after: after}
		a, err := Open([]Part{{Name: "a.wim", R: m, Size: int64(len(b))}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		e, err := a.Edit()
		if err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{}
		e.AddDraft(treeDraft(t, plainTrees(95)[0], files, "x"), nil)
		p, err := e.PlanAppend(nil)
		if err != nil {
			t.Fatal(err)
		}
		m.armed = true
		if _, err := RunWrite(context.Background(), p, memContents{func() *WritePlan { return p }, files}, m, nil); !errors.Is(err, ErrChanged) {
			t.Errorf("changed before write %d: %v", after, err)
		}
		if m.b[0x78] != 9 {
			t.Errorf("changed before write %d: the header was written over", after)
		}
	}
}

// racing is a file to which another program writes, before one of our writes.
type racing struct {
	memFile
	armed bool
	after int
}

func (r *racing) ReadAt(b []byte, off int64) (int, error) {
	r.step(off == 0 && r.after == 0)
	return bytes.NewReader(r.b).ReadAt(b, off)
}

func (r *racing) WriteAt(b []byte, off int64) (int, error) {
	r.after--
	r.step(r.after == 0)
	return r.memFile.WriteAt(b, off)
}

func (r *racing) step(now bool) {
	if r.armed && now {
		r.b[0x78] = 9
	}
}

// TestWriteBounds: contents that claim to be larger than any file are refused, and not planned for.
func TestWriteBounds(t *testing.T) {
	b := archiveOf(t, &WriteOptions{Codec: LZX, Level: 1}, plainTrees(96)[0])
	a := openWritten(t, b)
	for i := range a.blobs {
		a.blobs[i].size = 1 << 44
	}
	e, err := a.Edit()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.PlanWrite(&WriteOptions{Codec: XPRESS}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}

// TestSkipDamagedSolid: the contents of a damaged chunk are asked for one by one, and unpacked again but once.
func TestSkipDamagedSolid(t *testing.T) {
	files := map[string][]byte{}
	for i := range 40 {
		files[fmt.Sprintf("/f%d", i)] = bytes.Repeat(fmt.Appendf(nil, "%d, ", i), 500+i)
	}
	o := &WriteOptions{Codec: LZX, Level: 1, Solid: true, SolidCodec: LZX}
	b, _ := write(t, fileEdit(t, files), o, files, 1)
	a := openWritten(t, b)
	b[a.solids[0].off+a.solids[0].packed/2] ^= 0x55
	p, err := editing(t, b).PlanWrite(&WriteOptions{Codec: XPRESS, Level: 1})
	if err != nil {
		t.Fatal(err)
	}
	var m memFile
	asked := map[int32]int{}
	r, err := RunWrite(context.Background(), p, nil, &m, &RunOptions{Problem: func(e *ContentError) bool { asked[e.ID]++; return true }})
	if err != nil {
		t.Fatal(err)
	}
	for id, n := range asked {
		if n != 1 {
			t.Errorf("content %d: asked %d times", id, n)
		}
	}
	rep := verify(t, openWritten(t, m.b), 1)
	if len(asked) == 0 || len(r.Skipped) != len(asked) || len(rep.Missing) != len(asked) || len(rep.Damaged) > 0 || r.Contents+len(asked) != len(files) {
		t.Errorf("%d were asked about, %d left out, %d written\n%s", len(asked), len(r.Skipped), r.Contents, rep.Text())
	}
}

// TestExportInto: images of one archive are added to another in place. What is there already is not written again, whatever
// the order of images is to be; what is packed the same way is copied.
func TestExportInto(t *testing.T) {
	trees := plainTrees(97, 98, 99)
	for _, o := range []WriteOptions{{Codec: LZX, Level: 1, Integrity: true}, {Codec: XPRESS, Level: 1}, {Codec: LZX, Level: 1, Pipable: true}} {
		t.Run(fmt.Sprintf("from %v, pipable %v", o.Codec, o.Pipable), func(t *testing.T) {
			into := archiveOf(t, &WriteOptions{Codec: LZX, Level: 1, Integrity: true}, trees[0], trees[1])
			from := openWritten(t, archiveOf(t, &o, trees[1], trees[2]))
			e := editing(t, into)
			for i := range 2 {
				at, err := e.AddImage(from, i+1)
				if err != nil {
					t.Fatal(err)
				}
				if err := e.Move(at, 1); err != nil {
					t.Fatal(err)
				}
			}
			e.Boot = 1
			p, err := e.PlanAppend(&WriteOptions{Level: 1, Integrity: true})
			if err != nil {
				t.Fatal(err)
			}
			est, err := p.Estimate(context.Background(), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			if same := o.Codec == LZX; same != (est.Pack == 0) || same != est.Exact {
				t.Errorf("%+v", est)
			}
			m := memFile{slices.Clone(into)}
			r := run(t, p, nil, &m, nil)
			if est.Exact && r.Size != est.Size {
				t.Errorf("%d bytes, %d were foretold", r.Size, est.Size)
			}
			a := sound(t, m.b, true)
			for k, tree := range []*wimtest.Tree{trees[2], trees[1], trees[0], trees[1]} {
				sameAsTree(t, a, k+1, tree)
			}
			if a.Info().BootIndex != 1 {
				t.Errorf("boot index %d", a.Info().BootIndex)
			}
			seen := map[Hash]bool{}
			for _, b := range a.Blobs() {
				if s := a.Stored(b); seen[b.Hash] || s.Off >= int64(len(into)) && openHas(t, into, b.Hash) {
					t.Errorf("%v is written again", b.Hash)
				}
				seen[b.Hash] = true
			}
			peers(t, m.b, trees[2])
		})
	}
}

func openHas(t testing.TB, b []byte, h Hash) bool {
	t.Helper()
	_, ok := openWritten(t, b).Blob(h)
	return ok
}
