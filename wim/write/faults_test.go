package write

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// TestSkip checks that files which change while they are read are left out with all their names, if the caller asks for it.
// If another file has the same bytes it is read instead.
func TestSkip(t *testing.T) {
	big := wimtest.BigContent(largeContent+100, func(int) bool { return true })
	bigChanged := slices.Clone(big)
	bigChanged[pieceBytes+5], bigChanged[2*pieceBytes+5] = 1, 1 // pieces are opened in any order
	for _, c := range []struct {
		name  string
		o     Options
		data  []byte
		to    []byte // content from the open'th time on
		open  int64
		twin  bool // another file has the same bytes
		stays bool // it can be read after all
		stop  bool // it is too late to skip
	}{
		{name: "shorter at once", data: []byte("0123456789"), to: []byte("012345678")},
		{name: "gone when hashed", data: []byte("0123456789"), twin: true},
		{name: "gone when packed", data: []byte("0123456789"), twin: true, o: Options{OnePass: 100}},
		{name: "after hashing", data: []byte("0123456789"), to: []byte("0123456780"), open: 1, o: Options{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX, Integrity: true}},
		{name: "after hashing, with a twin", data: []byte("0123456789"), to: []byte("0123456780"), open: 1, twin: true, stays: true, o: Options{Codec: format.LZX, Level: 1}},
		{name: "between pieces", data: big, to: bigChanged, open: 2, o: Options{Codec: format.XPRESS, Level: 1, Integrity: true}},
		{name: "between pieces, stored", data: big, to: bigChanged, open: 2, o: Options{Integrity: true}},
		{name: "too late", data: []byte("0123456789"), to: []byte("0123456780"), open: 1, stop: true, o: Options{Pipable: true}},
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
				id := d.AddContent(draft.Content{Size: int64(len(c.data)), Path: "/twin"})
				if _, err := d.Add(0, draft.Entry{Name: "twin", Attributes: format.AttrArchive, Streams: []draft.Stream{{Content: id}}}); err != nil {
					t.Fatal(err)
				}
			}
			e := New()
			if _, err := e.AddDraft(d, nil); err != nil {
				t.Fatal(err)
			}
			p, err := e.PlanWrite(&c.o)
			if err != nil {
				t.Fatal(err)
			}
			src := &changingPath{ContentFiles: memContents{func() *Plan { return p }, files}, p: p, path: "/bad", to: c.to}
			src.left.Store(c.open)
			var m archivetest.MemFile
			asked := 0
			r, err := Run(context.Background(), p, src, &m, &shard.Options{Workers: 1, Problem: func(ce *shard.ContentError) bool {
				asked++
				return ce.Path == "/bad"
			}})
			if c.stop {
				if !errors.Is(err, blobs.ErrChanged) {
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
			a := jobtest.Sound(t, m.B, c.o.Integrity)
			sameAsFiles(t, a, files)
			if i := a.Images()[0]; i.Files != int64(len(files)) {
				t.Errorf("%d files in the statistics, want %d", i.Files, len(files))
			}
		})
	}
}

// changingPath is a source in which one file changes after it was opened a number of times, or cannot be opened any more.
type changingPath struct {
	shard.ContentFiles
	p    *Plan
	path string
	left atomic.Int64 // how many more times it is opened unchanged
	to   []byte
}

func (c *changingPath) OpenContent(id int32) (shard.ContentFile, error) {
	if c.p.inv.name(id) != c.path {
		return c.ContentFiles.OpenContent(id)
	}
	if c.left.Add(-1) >= 0 {
		return c.ContentFiles.OpenContent(id)
	}
	if c.to == nil {
		return nil, fs.ErrNotExist
	}
	return archivetest.MemContent{Reader: bytes.NewReader(c.to)}, nil
}

// TestSkipDamaged checks that a damaged blob stops an export, or that the image is written without it.
func TestSkipDamaged(t *testing.T) {
	files := map[string][]byte{"/a": bytes.Repeat([]byte("abc"), 9999), "/b": bytes.Repeat([]byte("xyz"), 9999)}
	b, _ := write(t, fileBuilder(t, files), &Options{}, files, 1)
	b[bytes.Index(b, []byte("xyzxyz"))+300] ^= 1
	o := &Options{Codec: format.XPRESS, Level: 1}
	var ce *shard.ContentError
	if _, _, err := tryWrite(editing(t, b), o, nil, 1); !errors.As(err, &ce) || !errors.Is(err, format.ErrChecksum) || !strings.Contains(ce.Path, "blob ") {
		t.Errorf("error %v", err)
	}
	p, err := editing(t, b).PlanWrite(o)
	if err != nil {
		t.Fatal(err)
	}
	var m archivetest.MemFile
	r, err := Run(context.Background(), p, nil, &m, &shard.Options{Problem: func(*shard.ContentError) bool { return true }})
	if err != nil || len(r.Skipped) != 1 || r.Contents != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if rep := jobtest.Verify(t, archivetest.OpenWritten(t, m.B), 1); rep.OK || len(rep.Missing) != 1 {
		t.Errorf("%s", rep.Text())
	}
}

// TestSinkFails checks that write errors are reported as *SinkError, and that appended bytes are cut off.
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
		_, err = Run(context.Background(), p, memContents{func() *Plan { return p }, files}, w, nil)
		var se *SinkError
		if !errors.As(err, &se) || !errors.Is(err, full) {
			t.Errorf("error %v", err)
		}
		got := w.after(len(w.list), 0)
		if se != nil && se.Off == 0 && len(got) > len(b) {
			got = got[:len(b)] // the header may have been written, so nothing is taken back
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

// TestUnfinished checks that a new archive that was cut off anywhere is recognized as unfinished.
func TestUnfinished(t *testing.T) {
	files := map[string][]byte{}
	for _, o := range []Options{{Codec: format.XPRESS, Level: 1, Integrity: true}, {Codec: format.XPRESS, Level: 1, Pipable: true}} {
		p, err := builderOf(t, files, plainTrees(87)[0]).PlanWrite(&o)
		if err != nil {
			t.Fatal(err)
		}
		w := &writes{}
		run(t, p, files, w, nil)
		if len(w.list) < 3 {
			t.Fatalf("pipable %v: only %d writes", o.Pipable, len(w.list))
		}
		for n := 1; n < len(w.list); n++ {
			b := w.after(n, 0)
			_, err := wim.Open([]blobs.Part{{Name: "cut.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
			var u *blobs.UnfinishedError
			var tr *blobs.TruncatedError
			if !errors.As(err, &u) && !(o.Pipable && errors.As(err, &tr)) {
				t.Errorf("pipable %v, after %d writes of %d: %v", o.Pipable, n, len(w.list), err)
			}
		}
		jobtest.Sound(t, w.after(len(w.list), 0), o.Integrity)
	}
	// The same for each part of a set.
	p, err := builderOf(t, files, plainTrees(87)[0]).PlanSplit(20_000, true, &Options{Integrity: true})
	if err != nil {
		t.Fatal(err)
	}
	var parts []*writes
	if _, err := RunSplit(context.Background(), p, memContents{func() *Plan { return p }, files}, func(int) (io.WriterAt, error) {
		parts = append(parts, &writes{})
		return parts[len(parts)-1], nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	if len(parts) < 2 {
		t.Fatalf("%d parts", len(parts))
	}
	for i, w := range parts {
		if len(w.list) < 3 {
			t.Fatalf("part %d: only %d writes", i+1, len(w.list))
		}
		for n := 1; n < len(w.list); n++ {
			b := w.after(n, 0)
			var u *blobs.UnfinishedError
			if _, err := wim.Open([]blobs.Part{{Name: "cut.swm", R: bytes.NewReader(b), Size: int64(len(b))}}, nil); !errors.As(err, &u) {
				t.Errorf("part %d, after %d writes of %d: %v", i+1, n, len(w.list), err)
			}
		}
	}
}

// TestWriteBounds checks that a blob which claims to be larger than any file is refused before a plan is made.
func TestWriteBounds(t *testing.T) {
	b := archiveOf(t, &Options{Codec: format.LZX, Level: 1}, plainTrees(96)[0])
	a := archivetest.OpenWritten(t, b)
	for i := range a.Store().Records {
		a.Store().Records[i].Size = 1 << 44
	}
	e, err := Of(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.PlanWrite(&Options{Codec: format.XPRESS}); !errors.Is(err, format.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}

// TestSkipDamagedSolid checks that the caller is asked about each content of a damaged chunk, and that the chunk is unpacked
// again only once.
func TestSkipDamagedSolid(t *testing.T) {
	files := map[string][]byte{}
	for i := range 40 {
		files[fmt.Sprintf("/f%d", i)] = bytes.Repeat(fmt.Appendf(nil, "%d, ", i), 500+i)
	}
	o := &Options{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX}
	b, _ := write(t, fileBuilder(t, files), o, files, 1)
	a := archivetest.OpenWritten(t, b)
	b[a.Store().Solids[0].Off+a.Store().Solids[0].Packed/2] ^= 0x55
	p, err := editing(t, b).PlanWrite(&Options{Codec: format.XPRESS, Level: 1})
	if err != nil {
		t.Fatal(err)
	}
	var m archivetest.MemFile
	asked := map[int32]int{}
	r, err := Run(context.Background(), p, nil, &m, &shard.Options{Problem: func(e *shard.ContentError) bool { asked[e.ID]++; return true }})
	if err != nil {
		t.Fatal(err)
	}
	for id, n := range asked {
		if n != 1 {
			t.Errorf("content %d: asked %d times", id, n)
		}
	}
	rep := jobtest.Verify(t, archivetest.OpenWritten(t, m.B), 1)
	if len(asked) == 0 || len(r.Skipped) != len(asked) || len(rep.Missing) != len(asked) || len(rep.Damaged) > 0 || r.Contents+len(asked) != len(files) {
		t.Errorf("%d were asked about, %d left out, %d written\n%s", len(asked), len(r.Skipped), r.Contents, rep.Text())
	}
}
