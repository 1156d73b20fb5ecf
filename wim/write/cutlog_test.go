package write

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// cutLog records what a plan does to files, in order: writes, truncations, and syncs.
type cutLog struct {
	list  []cutEvent
	files []archivetest.MemFile // before the plan ran
}

type cutEvent struct {
	file int
	off  int64
	b    []byte
	size int64 // new size, if kind is 't'
	kind byte  // 'w' write, 's' sync, 't' truncate
}

// cutFile is one of the files. Reads see the writes so far.
type cutFile struct {
	log *cutLog
	at  int
	now *archivetest.MemFile
}

// file adds a file with the given bytes.
func (l *cutLog) file(b []byte) *cutFile {
	l.files = append(l.files, archivetest.MemFile{B: b})
	return &cutFile{l, len(l.files) - 1, &archivetest.MemFile{B: slices.Clone(b)}}
}

func (f *cutFile) WriteAt(b []byte, off int64) (int, error) {
	f.log.list = append(f.log.list, cutEvent{f.at, off, slices.Clone(b), 0, 'w'})
	return f.now.WriteAt(b, off)
}

func (f *cutFile) ReadAt(b []byte, off int64) (int, error) {
	return bytes.NewReader(f.now.B).ReadAt(b, off)
}

func (f *cutFile) Sync() error {
	f.log.list = append(f.log.list, cutEvent{file: f.at, kind: 's'})
	return nil
}

func (f *cutFile) Truncate(size int64) error {
	f.log.list = append(f.log.list, cutEvent{file: f.at, size: size, kind: 't'})
	f.now.B = f.now.B[:size]
	return nil
}

// replay returns the files after the events, of each of which done reports how many bytes were written; -1 means all.
func (l *cutLog) replay(done func(i int) int) [][]byte {
	now := make([]archivetest.MemFile, len(l.files))
	for i, f := range l.files {
		now[i].B = slices.Clone(f.B)
	}
	for i, e := range l.list {
		n := done(i)
		m := &now[e.file]
		switch {
		case n == 0 || e.kind == 's':
		case e.kind == 't':
			if int64(len(m.B)) > e.size {
				m.B = m.B[:e.size]
			}
		case n < 0:
			m.WriteAt(e.b, e.off)
		default:
			m.WriteAt(e.b[:min(n, len(e.b))], e.off)
		}
	}
	out := make([][]byte, len(now))
	for i := range now {
		out[i] = now[i].B
	}
	return out
}

// prefix returns the files after the first n events and k bytes of the next.
func (l *cutLog) prefix(n, k int) [][]byte {
	return l.replay(func(i int) int {
		switch {
		case i < n:
			return -1
		case i == n:
			return k
		}
		return 0
	})
}

// lost returns the files as a power failure may leave them after the first n events: each write since the last sync of its
// file may have reached the disk or not, in any order.
func (l *cutLog) lost(n int, r *rand.Rand) [][]byte {
	synced := make([]int, len(l.files))
	for i, e := range l.list[:n] {
		if e.kind == 's' {
			synced[e.file] = i
		}
	}
	return l.replay(func(i int) int {
		switch {
		case i >= n:
			return 0
		case i < synced[l.list[i].file]:
			return -1
		}
		switch r.IntN(4) {
		case 0:
			return 0
		case 1:
			if k := len(l.list[i].b); k > 512 { // whole sectors only
				return r.IntN(k/512) * 512
			}
			return 0
		}
		return -1
	})
}

// cuts calls a function with the files after every event, and after a byte, half, and all but one byte of each write. The
// header of an archive is smaller than a sector, and is written in one write.
func (l *cutLog) cuts(f func(what string, files [][]byte)) {
	for n, e := range l.list {
		f(fmt.Sprintf("after %d events of %d", n, len(l.list)), l.prefix(n, 0))
		if e.kind != 'w' || e.off == 0 && len(e.b) == format.HeaderSize {
			continue
		}
		for _, k := range []int{1, len(e.b) / 2, len(e.b) - 1} {
			if k > 0 && k < len(e.b) {
				f(fmt.Sprintf("after %d events of %d and %d bytes of %d", n, len(l.list), k, len(e.b)), l.prefix(n, k))
			}
		}
	}
	f("after all", l.prefix(len(l.list), 0))
}

// cutImages describes an archive, all of which was verified: the hash of each image's metadata, and its properties.
func cutImages(t testing.TB, what string, b []byte, refs ...[]byte) string {
	t.Helper()
	a, err := openParts([][]byte{b}, refs)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if r := jobtest.Verify(t, a, 1); !r.OK || len(r.RefCounts) > 0 {
		t.Fatalf("%s: not found good:\n%s", what, r.Text())
	}
	var s strings.Builder
	for i, info := range a.Images() {
		if _, err := a.Image(i + 1); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		fmt.Fprintf(&s, "%+v %v\n", info, a.Store().Metas[i].Hash)
	}
	fmt.Fprintf(&s, "boot %d, integrity %v, blobs %d", a.Info().BootIndex, a.Info().Parts[0].Integrity, a.Info().Blobs)
	return s.String()
}

func openParts(parts, refs [][]byte) (*wim.Archive, error) {
	list := func(kind string, all [][]byte) (out []blobs.Part) {
		for i, b := range all {
			out = append(out, blobs.Part{Name: fmt.Sprint(kind, i+1), R: bytes.NewReader(b), Size: int64(len(b))})
		}
		return out
	}
	return wim.Open(list("part", parts), &blobs.Options{References: list("reference", refs)})
}

// TestCutInPlace records the writes of changes in place, and replays every prefix, cuts within writes, and possible results
// of a power failure. Each time the archive must be the old one or the new one, complete, and must report trailing bytes.
func TestCutInPlace(t *testing.T) {
	trees := plainTrees(90, 91, 92)
	files := map[string][]byte{}
	other := archiveOf(t, &Options{Codec: format.XPRESS, Level: 1}, trees[1], trees[2])
	solid := archiveOf(t, &Options{Codec: format.LZMS, Level: 1, Solid: true, SolidChunkSize: 64 << 10}, trees[1])
	plain := archiveOf(t, &Options{Codec: format.LZX, Level: 1, Integrity: true}, trees[0], trees[0])
	// An archive with an append that was interrupted.
	cut := append(slices.Clone(plain), bytes.Repeat([]byte("left over"), 999)...)
	e := editing(t, plain)
	e.LeaveOut(archivetest.OpenWritten(t, other))
	if _, err := e.AddDraft(treeDraft(t, trees[1], files, "delta"), &Image{Name: "delta"}); err != nil {
		t.Fatal(err)
	}
	delta, _ := write(t, e, &Options{Codec: format.LZX, Level: 1}, files, 1)
	add := func(e *Builder) {
		if _, err := e.AddDraft(treeDraft(t, trees[1], files, "x"), &Image{Name: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	take := func(b []byte, images ...int) func(*Builder) {
		return func(e *Builder) {
			for _, i := range images {
				if _, err := e.AddImage(archivetest.OpenWritten(t, b), i); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, c := range []struct {
		name   string
		old    []byte
		refs   [][]byte
		change func(*Builder)
		o      Options
	}{
		{"append", plain, nil, add, Options{Level: 1, Integrity: true}},
		{"append after a cut", cut, nil, add, Options{Level: 1, Integrity: true}},
		{"append to a solid one", solid, nil, add, Options{Level: 1, Solid: true, SolidCodec: format.LZX, SolidChunkSize: 64 << 10}},
		{"export, packed anew", plain, nil, take(other, 1, 2), Options{Level: 1, Integrity: true}},
		{"export, copied", other, nil, take(archiveOf(t, &Options{Codec: format.XPRESS, Level: 1}, trees[0]), 1), Options{}},
		{"export of solid resources", solid, nil, take(solid, 1), Options{Level: 1}},
		{"export from solid resources", plain, nil, take(solid, 1), Options{Level: 1}},
		{"update", plain, nil, func(e *Builder) {
			if err := e.SetDraft(2, treeDraft(t, trees[2], files, "u"), 133_000_000_000_000_000); err != nil {
				t.Fatal(err)
			}
		}, Options{Level: 1, Integrity: true}},
		{"delete", other, nil, func(e *Builder) { e.Delete(1) }, Options{}},
		{"delete after a cut", cut, nil, func(e *Builder) { e.Delete(2) }, Options{}},
		{"name", plain, nil, func(e *Builder) { e.ImageElement(2).SetContent("another", "NAME") }, Options{Integrity: true}},
		{"name after a cut", cut, nil, func(e *Builder) { e.ImageElement(2).SetContent("another", "NAME") }, Options{Integrity: true}},
		{"boot", other, nil, func(e *Builder) { e.Boot = 2 }, Options{}},
		{"integrity table", other, nil, func(*Builder) {}, Options{Integrity: true}},
		{"no integrity table", plain, nil, func(*Builder) {}, Options{}},
		{"order", other, nil, func(e *Builder) { e.Move(2, 1) }, Options{}},
		{"name in a delta archive", delta, [][]byte{other}, func(e *Builder) { e.ImageElement(3).SetContent("another", "NAME") }, Options{}},
		{"delete from a delta archive", delta, [][]byte{other}, func(e *Builder) { e.Delete(1) }, Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := openParts([][]byte{c.old}, c.refs)
			if err != nil {
				t.Fatal(err)
			}
			e, err := Of(a)
			if err != nil {
				t.Fatal(err)
			}
			c.change(e)
			p, err := e.PlanAppend(&c.o)
			if err != nil {
				t.Fatal(err)
			}
			log := &cutLog{}
			run(t, p, files, log.file(c.old), &shard.Options{Workers: 2})
			before, after := cutImages(t, "before", c.old, c.refs...), cutImages(t, "after", log.prefix(len(log.list), 0)[0], c.refs...)
			if before == after {
				t.Fatal("nothing has changed")
			}
			look := func(what string, files [][]byte) {
				t.Helper()
				b := files[0]
				want := after
				old := bytes.Equal(b[:format.HeaderSize], c.old[:format.HeaderSize])
				if old {
					want = before
				}
				if got := cutImages(t, what, b, c.refs...); got != want {
					t.Fatalf("%s: the archive is neither the old nor the new one:\n%s\nwant\n%s", what, got, want)
				}
				a, err := openParts([][]byte{b}, c.refs)
				if err != nil {
					t.Fatal(err)
				}
				if more := int64(len(b) - len(c.old)); old && more > 0 {
					if i := a.Info(); i.Parts[0].Trailing < more || !slices.ContainsFunc(i.Warnings, func(w string) bool { return strings.Contains(w, "interrupted") }) {
						t.Fatalf("%s: %d bytes were added, and it reports %d: %q", what, more, i.Parts[0].Trailing, i.Warnings)
					}
				}
			}
			log.cuts(look)
			r := rand.New(rand.NewPCG(1, 2))
			for n := range log.list {
				for k := range 3 {
					look(fmt.Sprintf("power cut after %d events, %d", n, k), log.lost(n, r))
				}
			}
		})
	}
}

// TestCutNew records the writes of a new archive or split set, and replays every prefix. An incomplete archive must be
// recognized as one, and never be taken for an archive that holds less than it should.
func TestCutNew(t *testing.T) {
	trees := plainTrees(93, 94)
	for _, c := range []struct {
		name string
		o    Options
		size int64 // part size
	}{
		{"none", Options{Integrity: true}, 0},
		{"LZX", Options{Codec: format.LZX, Level: 1}, 0},
		{"solid", Options{Codec: format.LZMS, Level: 1, Solid: true, SolidChunkSize: 64 << 10, Integrity: true}, 0},
		{"pipable", Options{Codec: format.XPRESS, Level: 1, Pipable: true, Integrity: true}, 0},
		{"contents only", Options{Codec: format.XPRESS, Level: 1, Only: OnlyContents}, 0},
		{"parts", Options{Codec: format.XPRESS, Level: 1, Integrity: true}, 100_000},
		{"stored parts", Options{}, 300_000},
		{"one part", Options{Codec: format.LZX, Level: 1}, 1 << 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string][]byte{}
			e := builderOf(t, files, trees...)
			log := &cutLog{}
			ctx, src := context.Background(), memContents{files: files}
			if c.size == 0 {
				p, err := e.PlanWrite(&c.o)
				if err != nil {
					t.Fatal(err)
				}
				run(t, p, files, log.file(nil), &shard.Options{Workers: 2})
			} else {
				p, err := e.PlanSplit(c.size, false, &c.o)
				if err != nil {
					t.Fatal(err)
				}
				src.p = func() *Plan { return p }
				if _, err := RunSplit(ctx, p, src, func(int) (io.WriterAt, error) { return log.file(nil), nil }, nil); err != nil {
					t.Fatal(err)
				}
				if one := c.size > 1<<20; one != (len(log.files) == 1) {
					t.Fatalf("%d parts", len(log.files))
				}
			}
			whole := func(parts [][]byte) string {
				a, err := openParts(parts, nil)
				if err != nil {
					return ""
				}
				r := jobtest.Verify(t, a, 1)
				if !r.OK || len(r.RefCounts) > 0 || len(a.Info().Missing) > 0 {
					return ""
				}
				var s strings.Builder
				s.WriteString(fmt.Sprintf("%d blobs", a.Info().Blobs))
				for i, info := range a.Images() {
					s.WriteString(fmt.Sprintf("\n%+v %v", info, a.Store().Metas[i].Hash))
				}
				return s.String()
			}
			want := whole(log.prefix(len(log.list), 0))
			if want == "" {
				t.Fatal("what is complete is not found good")
			}
			check := func(what string, parts [][]byte) {
				t.Helper()
				for i, b := range parts {
					_, err := openParts([][]byte{b}, nil)
					var (
						unfinished *blobs.UnfinishedError
						truncated  *blobs.TruncatedError
						missing    *blobs.MissingPartError
						not        *blobs.NotWIMError
					)
					switch {
					case err == nil, errors.As(err, &unfinished), errors.As(err, &truncated), errors.As(err, &missing):
					case errors.As(err, &not) && len(b) < format.HeaderSize:
					case errors.As(err, &not) && bytes.Equal(b[:8], make([]byte, 8)): // a hole where the header should be
					default:
						t.Fatalf("%s: part %d of %d bytes: %v", what, i+1, len(b), err)
					}
				}
				if got := whole(parts); got != "" && got != want {
					t.Fatalf("%s: it seems to be whole, and is another one:\n%s\nwant\n%s", what, got, want)
				}
			}
			log.cuts(check)
			r := rand.New(rand.NewPCG(3, 4))
			for n := range log.list {
				for range 3 {
					check(fmt.Sprintf("power cut after %d events", n), log.lost(n, r))
				}
			}
		})
	}
}

// TestCutCompact checks that an interrupted compaction, which is not crash-safe, leaves an archive that is marked as
// unfinished, and that every image that verifies is one of the expected images.
func TestCutCompact(t *testing.T) {
	trees := plainTrees(95, 96)
	files := map[string][]byte{}
	o := Options{Codec: format.XPRESS, Level: 1, Integrity: true}
	b := archiveOf(t, &o, trees[0], trees[1])
	e := editing(t, b)
	e.Delete(1)
	p, err := e.PlanAppend(&o)
	if err != nil {
		t.Fatal(err)
	}
	m := archivetest.MemFile{B: slices.Clone(b)}
	run(t, p, nil, &m, nil)
	log := &cutLog{}
	f := log.file(m.B)
	e = editing(t, m.B)
	if _, err := e.AddDraft(treeDraft(t, trees[0], files, "again"), &Image{Name: "again"}); err != nil {
		t.Fatal(err)
	}
	if p, err = e.PlanCompact(&o); err != nil {
		t.Fatal(err)
	}
	p.archives[0].Store().Parts[0].R = f
	run(t, p, files, f, &shard.Options{Workers: 2})
	before, after := cutImages(t, "before", m.B), cutImages(t, "after", log.prefix(len(log.list), 0)[0])
	log.cuts(func(what string, files [][]byte) {
		b := files[0]
		h, err := format.ParseHeader(b)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if h.Flags&format.FlagWriteInProgress != 0 {
			a, err := openParts(files, nil)
			if err == nil && len(a.Info().Warnings) == 0 {
				t.Fatalf("%s: it is not marked as unfinished", what)
			}
			return
		}
		want := after
		if bytes.Equal(b, m.B) {
			want = before
		}
		if got := cutImages(t, what, b); got != want {
			t.Fatalf("%s: it claims to be complete, but differs:\n%s\nwant\n%s", what, got, want)
		}
	})
}

// TestCutHeader tears the write of the header that switches to the new archive, as no disk should. The result must be
// refused, found damaged, or be the old or the new archive.
func TestCutHeader(t *testing.T) {
	trees := plainTrees(97, 98)
	files := map[string][]byte{}
	old := archiveOf(t, &Options{Codec: format.XPRESS, Level: 1, Integrity: true}, trees[0])
	e := editing(t, old)
	if _, err := e.AddDraft(treeDraft(t, trees[1], files, "x"), &Image{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	p, err := e.PlanAppend(&Options{Level: 1, Integrity: true})
	if err != nil {
		t.Fatal(err)
	}
	log := &cutLog{}
	run(t, p, files, log.file(old), nil)
	at := slices.IndexFunc(log.list, func(e cutEvent) bool { return e.kind == 'w' && e.off == 0 })
	if at < 0 || !slices.ContainsFunc(log.list[:at], func(e cutEvent) bool { return e.kind == 's' }) || !slices.ContainsFunc(log.list[at:], func(e cutEvent) bool { return e.kind == 's' }) {
		t.Fatal("the header is not written between two syncs")
	}
	count := func(a *wim.Archive) (n int) {
		for i := range a.Images() {
			if _, err := a.Image(i + 1); err == nil {
				n++
			}
		}
		return n
	}
	for k := 1; k < format.HeaderSize; k++ {
		a, err := openParts(log.prefix(at, k), nil)
		if err != nil {
			continue
		}
		if r := jobtest.Verify(t, a, 1); r.OK && count(a) != 1 && count(a) != 2 {
			t.Errorf("%d bytes of the header: %d images", k, count(a))
		}
	}
}
