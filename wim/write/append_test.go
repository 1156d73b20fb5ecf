package write

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// writes is a sink that records writes, so that they can be replayed up to any byte.
type writes struct {
	start []byte
	list  []wrote
}

type wrote struct {
	off  int64
	b    []byte
	size int64 // new size, if it is a truncation; -1: a write
}

func (w *writes) WriteAt(b []byte, off int64) (int, error) {
	w.list = append(w.list, wrote{off, slices.Clone(b), -1})
	return len(b), nil
}

func (w *writes) Truncate(size int64) error {
	w.list = append(w.list, wrote{size: size})
	return nil
}

// after returns the file after the first n writes and the first k bytes of the next.
func (w *writes) after(n, k int) []byte {
	m := archivetest.MemFile{B: slices.Clone(w.start)}
	for i, x := range w.list[:min(n+1, len(w.list))] {
		switch {
		case x.size >= 0 && i < n:
			m.B = m.B[:x.size]
		case x.size >= 0:
		case i < n:
			m.WriteAt(x.b, x.off)
		case k > 0:
			m.WriteAt(x.b[:k], x.off)
		}
	}
	return m.B
}

// TestAppendCut replays every prefix of the writes of changes in place, and cuts within writes. Each time the archive must be
// the old one or the new one, complete, and it must be possible to change it again. The header is written in one write.
func TestAppendCut(t *testing.T) {
	trees := plainTrees(74, 75)
	old := archiveOf(t, &Options{Codec: format.LZX, Level: 1, Integrity: true}, trees[0], trees[0])
	files := map[string][]byte{}
	for _, c := range []struct {
		name   string
		images int // after the change
		change func(e *Builder)
		o      Options
	}{
		{"append", 3, func(e *Builder) { e.AddDraft(treeDraft(t, trees[1], files, "x"), &Image{Name: "x"}) }, Options{Level: 1, Integrity: true}},
		{"append solid", 3, func(e *Builder) { e.AddDraft(treeDraft(t, trees[1], files, "x"), nil) }, Options{Level: 1, Solid: true, SolidCodec: format.LZX}},
		{"replace and delete", 1, func(e *Builder) { e.Delete(1); e.SetDraft(1, treeDraft(t, trees[1], files, "x"), 1) }, Options{Level: 1}},
		{"property", 2, func(e *Builder) { e.ImageElement(1).SetContent("changed", "NAME") }, Options{Integrity: true}},
		{"boot", 2, func(e *Builder) { e.Boot = 2 }, Options{Integrity: true}},
		{"no integrity table", 2, func(e *Builder) {}, Options{}},
		{"delete all", 0, func(e *Builder) { e.Delete(1); e.Delete(1) }, Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := editing(t, old)
			c.change(e)
			p, err := e.PlanAppend(&c.o)
			if err != nil {
				t.Fatal(err)
			}
			w := &writes{start: old}
			run(t, p, files, w, &shard.Options{Workers: 2})
			check := func(b []byte, images int) {
				t.Helper()
				a := archivetest.OpenWritten(t, b)
				if n := len(a.Images()); n != images {
					t.Fatalf("%d images, want %d", n, images)
				}
				if r := jobtest.Verify(t, a, 1); !r.OK || len(r.RefCounts) > 0 {
					t.Fatalf("not found good:\n%s", r.Text())
				}
				if trail := a.Info().Parts[0].Trailing; c.o.Integrity && (trail > 0) != (images == 2 && len(b) > len(old) && len(w.list) > 1 && bytes.Equal(b[:208], old[:208])) {
					t.Errorf("%d bytes of %d are said to belong to nothing", trail, len(b))
				}
				if im, err := a.Image(1); images > 0 && (err != nil || im.Len() == 0) {
					t.Error(err)
				}
			}
			last := slices.IndexFunc(w.list, func(x wrote) bool { return x.off == 0 }) // the header, or the truncation after it
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
			// After a cut the archive is changed again, without repair.
			cut := w.after(last, 0)
			again := editing(t, cut)
			if _, err := again.AddDraft(treeDraft(t, trees[1], files, "again"), nil); err != nil {
				t.Fatal(err)
			}
			if p, err = again.PlanAppend(&Options{Level: 1, Integrity: true}); err != nil {
				t.Fatal(err)
			}
			m := archivetest.MemFile{B: slices.Clone(cut)}
			run(t, p, files, &m, nil)
			sameAsTree(t, jobtest.Sound(t, m.B, true), 3, trees[1])
		})
	}
}

// TestProperties checks that little is written if only the XML document changes.
func TestProperties(t *testing.T) {
	tree := plainTrees(76)[0]
	b := archiveOf(t, &Options{Codec: format.XPRESS, Level: 1}, tree)
	step := func(name string, most int, o Options, change func(e *Builder)) {
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
		sameAsTree(t, jobtest.Sound(t, b, o.Integrity), 1, tree)
		peers(t, b, nil)
	}
	step("nothing", 208, Options{}, func(e *Builder) {})
	step("boot", 208, Options{}, func(e *Builder) { e.Boot = 1 })
	step("name", 208+1400, Options{}, func(e *Builder) {
		e.ImageElement(1).SetContent("a & b", "NAME")
		e.ImageElement(1).SetContent("x", "WINDOWS", "VENDOR", "WHAT")
	})
	step("integrity table", 208+12+20, Options{Integrity: true}, func(e *Builder) {})
	step("display name", 208+1600, Options{Integrity: true}, func(e *Builder) { e.ImageElement(1).SetContent("d", "DISPLAYNAME") })
	step("no integrity table", 208, Options{}, func(e *Builder) {})
	size := len(b)
	step("integrity table at the end", 208+12+20, Options{Integrity: true}, func(e *Builder) {})
	if step("none again", 208, Options{}, func(e *Builder) {}); len(b) != size {
		t.Errorf("%d bytes without an integrity table, %d before there was one", len(b), size)
	}
	a := archivetest.OpenWritten(t, b)
	if i := a.Images()[0]; i.Name != "a & b" || i.DisplayName != "d" || a.Info().BootIndex != 1 || a.XMLDoc().Root().Child("IMAGE").Content("WINDOWS", "VENDOR", "WHAT") != "x" {
		t.Errorf("%+v\n%s", i, a.XML())
	}
}

// TestSetDraft checks that an image with a new tree keeps its properties, and that its statistics are updated.
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
	a := jobtest.Sound(t, b, false)
	sameAsTree(t, a, 1, trees[1])
	im, _ := a.Image(1)
	i := a.Images()[0]
	if i.Name != "n0" || i.Created != 133_000_000_000_000_000 || i.Modified != 134_000_000_000_000_000 || i.Dirs+i.Files != int64(im.Len()) ||
		a.XMLDoc().Root().Child("IMAGE").Content("UNKNOWN") != "kept" {
		t.Errorf("%+v\n%s", i, a.XML())
	}
}

// TestCompact checks that compacting removes holes, adds what is new and shortens the file, and that an interruption leaves a
// file that is marked as unfinished.
func TestCompact(t *testing.T) {
	trees := plainTrees(80, 81, 82)
	for _, o := range []Options{{Codec: format.LZX, Level: 1, Integrity: true}, {Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX}, {}} {
		t.Run(fmt.Sprintf("%v, solid %v", o.Codec, o.Solid), func(t *testing.T) {
			files := map[string][]byte{}
			b := archiveOf(t, &o, trees[0], trees[1])
			// An image is appended, then the first one deleted: its contents and the old tables become holes.
			for _, change := range []func(e *Builder){
				func(e *Builder) { e.AddDraft(treeDraft(t, trees[2], files, "x"), &Image{Name: "x"}) },
				func(e *Builder) { e.Delete(1) },
			} {
				e := editing(t, b)
				change(e)
				p, err := e.PlanAppend(&o)
				if err != nil {
					t.Fatal(err)
				}
				m := archivetest.MemFile{B: slices.Clone(b)}
				run(t, p, files, &m, nil)
				b = m.B
			}
			e := editing(t, b)
			more := map[string][]byte{"/new": []byte("something new"), "/newer": bytes.Repeat([]byte("n"), 5000)}
			if _, err := e.AddDraft(fileDraft(t, more), &Image{Name: "y"}); err != nil {
				t.Fatal(err)
			}
			p, err := e.PlanCompact(&Options{Level: 1, Integrity: o.Integrity})
			if err != nil {
				t.Fatal(err)
			}
			est, err := p.Estimate(context.Background(), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			w := &writes{start: b}
			// Shards read the file that is being written.
			live := &liveFile{w: w}
			live.B = slices.Clone(b)
			p.archives[0].Store().Parts[0].R = live
			r := run(t, p, more, live, &shard.Options{Workers: 3})
			done := w.after(len(w.list), 0)
			if int64(len(done)) != r.Size || len(done) >= len(b) {
				t.Errorf("%d bytes, reported %d, before %d", len(done), r.Size, len(b))
			}
			if off := est.Size - r.Size; off > r.Size/5 || off < -r.Size/5 {
				t.Errorf("%d bytes were estimated, %d are there", est.Size, r.Size)
			}
			a := jobtest.Sound(t, done, o.Integrity)
			sameAsTree(t, a, 1, trees[1])
			sameAsTree(t, a, 2, trees[2])
			for _, r := range a.Store().Regions() {
				if r.Kind == blobs.RegionUnused && !o.Solid {
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

// TestDeltaInPlace checks that a delta archive is changed in place and stays one, whether its references are open or not, and
// that wimlib reads the result.
func TestDeltaInPlace(t *testing.T) {
	trees := plainTrees(90, 91)
	files := map[string][]byte{}
	base := archiveOf(t, &Options{Codec: format.LZX, Level: 1}, trees[0])
	e := builderOf(t, files, trees[0], trees[1])
	e.LeaveOut(archivetest.OpenWritten(t, base))
	delta, _ := write(t, e, &Options{Codec: format.LZX, Level: 1, Integrity: true}, files, 2)
	part := func(name string, b []byte) blobs.Part {
		return blobs.Part{Name: name, R: bytes.NewReader(b), Size: int64(len(b))}
	}
	for _, refs := range [][]blobs.Part{nil, {part("base.wim", base)}} {
		a, err := wim.Open([]blobs.Part{part("delta.wim", delta)}, &blobs.Options{References: refs})
		if err != nil {
			t.Fatal(err)
		}
		e, err := Of(a)
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
		d, err := draft.Of(im)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.SetDraft(1, d, 1); err != nil {
			t.Fatal(err)
		}
		// No archive has this blob, and no image used it.
		stray, err := Of(a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stray.AddDraft(strayDraft(t), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := stray.PlanAppend(nil); !errors.Is(err, blobs.ErrMissing) {
			t.Errorf("a content that is nowhere: %v", err)
		}
		e.AddDraft(treeDraft(t, trees[1], files, "again"), &Image{Name: "again"})
		if len(refs) > 0 {
			e.AddDraft(treeDraft(t, trees[0], files, "base"), &Image{Name: "base"}) // the reference holds all its blobs
		}
		p, err := e.PlanAppend(&Options{Level: 1, Integrity: true})
		if err != nil {
			t.Fatal(err)
		}
		m := archivetest.MemFile{B: slices.Clone(delta)}
		run(t, p, files, &m, nil)
		if a, err = wim.Open([]blobs.Part{part("delta.wim", m.B)}, &blobs.Options{References: []blobs.Part{part("base.wim", base)}}); err != nil {
			t.Fatal(err)
		}
		sameAsTree(t, a, 1, trees[0])
		sameAsTree(t, a, 2, trees[1])
		for _, b := range archivetest.OpenWritten(t, m.B).Store().Blobs() {
			if len(refs) > 0 && openHas(t, base, b.Hash) {
				t.Errorf("%v was added, which the base holds", b.Hash)
			}
		}
		wimtest.Need(t, wimtest.Wimlib)
		dir := t.TempDir()
		for name, b := range map[string][]byte{"delta.wim": m.B, "base.wim": base} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", "delta.wim", "1", "out", "--ref=base.wim")
		sameFiles(t, filepath.Join(dir, "out"), trees[0])
	}
}

// strayDraft returns a draft with a file whose hash is known but which no archive holds.
func strayDraft(t testing.TB) *draft.Draft {
	t.Helper()
	d := draft.New()
	id := d.AddContent(draft.Content{Hash: format.Hash{1, 2, 3}, Known: true, Size: 7, Source: -1})
	if _, err := d.Add(0, draft.Entry{Name: "stray", Attributes: format.AttrArchive, Streams: []draft.Stream{{Content: id}}}); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestKeepAlone checks that an archive with solid and other resources is rewritten without repacking.
func TestKeepAlone(t *testing.T) {
	trees := plainTrees(92, 93)
	files := map[string][]byte{}
	o := &Options{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX, SolidChunkSize: 64 << 10}
	b := archiveOf(t, o, trees[0])
	e := editing(t, b)
	e.AddDraft(treeDraft(t, trees[1], files, "x"), nil)
	p, err := e.PlanAppend(&Options{Level: 1})
	if err != nil {
		t.Fatal(err)
	}
	m := archivetest.MemFile{B: b}
	run(t, p, files, &m, nil)
	as := OptionsOf(archivetest.OpenWritten(t, m.B))
	if p, err = editing(t, m.B).PlanWrite(&as); err != nil {
		t.Fatal(err)
	}
	est, err := p.Estimate(context.Background(), nil, 0)
	if err != nil || !est.Exact || est.Pack != 0 {
		t.Errorf("%+v, %v", est, err)
	}
	var again archivetest.MemFile
	if r := run(t, p, nil, &again, nil); r.Size != est.Size {
		t.Errorf("%d bytes, the estimate was %d", r.Size, est.Size)
	}
	a := jobtest.Sound(t, again.B, false)
	sameAsTree(t, a, 1, trees[0])
	sameAsTree(t, a, 2, trees[1])
}

// TestKeepOrder checks the order of contents in a solid resource, by file extension or as they were added, both from a folder
// and from another archive.
func TestKeepOrder(t *testing.T) {
	files := map[string][]byte{}
	tree := &wimtest.Tree{}
	for _, name := range []string{"a.z", "b.y", "c.x"} {
		tree.Entries = append(tree.Entries, wimtest.Entry{Path: name, Kind: wimtest.File, Data: []byte(name)})
	}
	order := func(b []byte) string {
		a := jobtest.Sound(t, b, false)
		list := a.Store().Blobs()
		slices.SortFunc(list, func(x, y blobs.Blob) int {
			sx, sy := a.Store().Stored(x), a.Store().Stored(y)
			return cmp.Or(cmp.Compare(sx.Off, sy.Off), cmp.Compare(sx.SolidOff, sy.SolidOff))
		})
		var all strings.Builder
		for _, x := range list {
			if _, err := io.Copy(&all, contentReader(t, a, x.Hash)); err != nil {
				t.Fatal(err)
			}
		}
		return all.String()
	}
	plain := New()
	plain.AddDraft(treeDraft(t, tree, files, "x"), nil)
	alone, _ := write(t, plain, &Options{Codec: format.LZX, Level: 1}, files, 1)
	for _, keep := range []bool{false, true} {
		want := map[bool]string{false: "c.xb.ya.z", true: "a.zb.yc.x"}[keep]
		o := &Options{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX, KeepOrder: keep}
		scanned := New()
		scanned.AddDraft(treeDraft(t, tree, files, "x"), nil)
		for from, e := range map[string]*Builder{"a folder": scanned, "an archive": editing(t, alone)} {
			b, _ := write(t, e, o, files, 1)
			if got := order(b); got != want {
				t.Errorf("keep %v, from %s: %s, want %s", keep, from, got, want)
			}
		}
	}
}

// TestAppendRace checks that an archive is not touched if another program has changed it since it was opened.
func TestAppendRace(t *testing.T) {
	tree := plainTrees(94)[0]
	b := archiveOf(t, nil, tree)
	for after := range 3 {
		m := &racing{MemFile: archivetest.MemFile{B: slices.Clone(b)}, after: after}
		a, err := wim.Open([]blobs.Part{{Name: "a.wim", R: m, Size: int64(len(b))}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		e, err := Of(a)
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
		if _, err := Run(context.Background(), p, memContents{func() *Plan { return p }, files}, m, nil); !errors.Is(err, blobs.ErrChanged) {
			t.Errorf("changed before write %d: %v", after, err)
		}
		if m.B[0x78] != 9 {
			t.Errorf("changed before write %d: the header was written over", after)
		}
	}
}

// racing is a file that another program changes before one of our writes.
type racing struct {
	archivetest.MemFile
	armed bool
	after int
}

func (r *racing) ReadAt(b []byte, off int64) (int, error) {
	r.step(off == 0 && r.after == 0)
	return bytes.NewReader(r.B).ReadAt(b, off)
}

func (r *racing) WriteAt(b []byte, off int64) (int, error) {
	r.after--
	r.step(r.after == 0)
	return r.MemFile.WriteAt(b, off)
}

func (r *racing) step(now bool) {
	if r.armed && now {
		r.B[0x78] = 9
	}
}

// TestExportInto adds images of one archive to another in place. Blobs that are there already are not written again, whatever
// the order of images, and resources that are packed the same way are copied.
func TestExportInto(t *testing.T) {
	trees := plainTrees(97, 98, 99)
	for _, o := range []Options{{Codec: format.LZX, Level: 1, Integrity: true}, {Codec: format.XPRESS, Level: 1}, {Codec: format.LZX, Level: 1, Pipable: true}} {
		t.Run(fmt.Sprintf("from %v, pipable %v", o.Codec, o.Pipable), func(t *testing.T) {
			into := archiveOf(t, &Options{Codec: format.LZX, Level: 1, Integrity: true}, trees[0], trees[1])
			from := archivetest.OpenWritten(t, archiveOf(t, &o, trees[1], trees[2]))
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
			p, err := e.PlanAppend(&Options{Level: 1, Integrity: true})
			if err != nil {
				t.Fatal(err)
			}
			est, err := p.Estimate(context.Background(), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			if same := o.Codec == format.LZX; same != (est.Pack == 0) || same != est.Exact {
				t.Errorf("%+v", est)
			}
			m := archivetest.MemFile{B: slices.Clone(into)}
			r := run(t, p, nil, &m, nil)
			if est.Exact && r.Size != est.Size {
				t.Errorf("%d bytes, the estimate was %d", r.Size, est.Size)
			}
			a := jobtest.Sound(t, m.B, true)
			for k, tree := range []*wimtest.Tree{trees[2], trees[1], trees[0], trees[1]} {
				sameAsTree(t, a, k+1, tree)
			}
			if a.Info().BootIndex != 1 {
				t.Errorf("boot index %d", a.Info().BootIndex)
			}
			seen := map[format.Hash]bool{}
			for _, b := range a.Store().Blobs() {
				if s := a.Store().Stored(b); seen[b.Hash] || s.Off >= int64(len(into)) && openHas(t, into, b.Hash) {
					t.Errorf("%v is written again", b.Hash)
				}
				seen[b.Hash] = true
			}
			peers(t, m.B, trees[2])
		})
	}
}
