package jobtest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest/archivetest"
)

// Verify runs a whole verification, each shard and each result through its packed form.
func Verify(t testing.TB, a *wim.Archive, workers int) *verify.Report {
	t.Helper()
	p, err := verify.New(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	var last shard.Progress
	if err := shard.Run(context.Background(), Packed(p, t), shard.Sources{Parts: a.Store().Source()}, &shard.Options{Workers: workers, Progress: func(at shard.Progress) { last = at }}); err != nil {
		t.Fatal(err)
	}
	if last.Bytes != p.Bytes() && p.BadItems() == 0 {
		t.Errorf("progress ends at %d of %d bytes", last.Bytes, p.Bytes())
	}
	if last.Items != p.Items() {
		t.Errorf("progress ends at %d of %d items", last.Items, p.Items())
	}
	r, err := p.Report(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Packed returns the plan with shards and results sent through their packed forms.
func Packed(p shard.Plan, t testing.TB) shard.Plan { return packedPlan{p, t} }

// packedPlan sends shards and results through their packed forms.
type packedPlan struct {
	shard.Plan
	t testing.TB
}

func (p packedPlan) Shard(i int) (*shard.Shard, error) {
	s, err := p.Plan.Shard(i)
	if err != nil {
		return nil, err
	}
	return shard.Parse(s.AppendBinary(nil))
}

func (p packedPlan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	packed := r.AppendBinary(nil)
	again, err := shard.ParseResult(packed)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again.AppendBinary(nil), packed) {
		p.t.Errorf("result of shard %d changes when packed", i)
	}
	return p.Plan.Merge(i, again)
}

// Extract runs a whole extraction to memory, shards, results and entries through their packed forms.
func Extract(t testing.TB, a *wim.Archive, im *wim.Image, o *extract.Options) (*extract.Plan, []byte, []extract.Entry) {
	t.Helper()
	p, err := extract.New(a, extract.Selection{Image: im}, o)
	if err != nil {
		t.Fatal(err)
	}
	sink := &archivetest.MemFile{}
	out := extract.NewZIP(sink)
	if o != nil && o.Form == extract.OutputTAR {
		out = extract.NewTAR(sink)
	}
	maker := extract.SegmentMaker{Recover: o != nil && o.Recover}
	w := shard.NewWorker()
	var damaged []extract.Entry
	for i := range p.NumShards() {
		s, err := Packed(p, t).Shard(i)
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.Run(s, shard.Sources{Parts: a.Store().Source()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(r.Data)) != s.Bytes || r.Bytes != s.Bytes {
			t.Errorf("shard %d gives %d bytes, tells of %d, and was planned with %d", i, len(r.Data), r.Bytes, s.Bytes)
		}
		again, err := shard.ParseResult(r.AppendBinary(nil))
		if err != nil {
			t.Fatal(err)
		}
		entries, err := p.Entries(i)
		if err != nil {
			t.Fatal(err)
		}
		if entries, err = extract.ParseEntries(entries.AppendBinary(nil)); err != nil {
			t.Fatal(err)
		}
		seg, err := maker.Make(r.Data, again, entries)
		if err != nil {
			t.Fatal(err)
		}
		damaged = append(damaged, seg.Damaged...)
		if err := out.Segment(seg.Data, seg.Entries, seg.CRCs); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Merge(i, again); err != nil {
			t.Fatal(err)
		}
	}
	n, err := out.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(sink.B)) != n {
		t.Errorf("the output has %d bytes, %d were told", len(sink.B), n)
	}
	if len(damaged) == 0 && n != p.OutSize {
		t.Errorf("the output has %d bytes, %d were planned", n, p.OutSize)
	}
	return p, sink.B, damaged
}

// ZipTree lists a ZIP: path to content, folders with a slash and no content, links with "-> " before the target.
func ZipTree(t testing.TB, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	tree := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r) // checks the CRC
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		text := string(data)
		if f.Mode()&os.ModeSymlink != 0 {
			text = "-> " + text
		}
		if _, twice := tree[f.Name]; twice {
			t.Errorf("%s is there twice", f.Name)
		}
		tree[f.Name] = text
	}
	return tree
}

func TarTree(t testing.TB, b []byte) map[string]string {
	t.Helper()
	tree := map[string]string{}
	r := tar.NewReader(bytes.NewReader(b))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return tree
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		switch h.Typeflag {
		case tar.TypeSymlink:
			text = "-> " + h.Linkname
		case tar.TypeLink:
			target, ok := tree[h.Linkname]
			if !ok {
				t.Errorf("%s: %s was not before it", h.Name, h.Linkname)
			}
			text = target
		}
		if _, twice := tree[h.Name]; twice {
			t.Errorf("%s is there twice", h.Name)
		}
		tree[h.Name] = text
	}
}

// ImageTree reads the same from the image itself.
func ImageTree(t testing.TB, a *wim.Archive, im *wim.Image) map[string]string {
	t.Helper()
	tree := map[string]string{}
	for n := wim.Node(1); int(n) < im.Len(); n++ {
		p := im.Path(n)[1:]
		if im.IsDir(n) {
			tree[p+"/"] = ""
			continue
		}
		if im.ReparseTag(n) != 0 {
			l, err := im.Link(n)
			if err != nil {
				t.Fatal(err)
			}
			target, _ := l.Path(im, n)
			tree[p] = "-> " + target
			continue
		}
		r, err := a.Store().OpenBlob(im.Hash(n))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		tree[p] = string(b)
	}
	return tree
}

func DiffTrees(t testing.TB, what string, got, want map[string]string) {
	t.Helper()
	for p, w := range want {
		if g, ok := got[p]; !ok || g != w {
			t.Errorf("%s: %q: got %.60q (there: %v), want %.60q", what, p, g, ok, w)
		}
	}
	for p := range got {
		if _, ok := want[p]; !ok {
			t.Errorf("%s: %q should not be there", what, p)
		}
	}
}

// UseAll does with an archive all that may unpack something, and gives how many times something was refused as damaged or too
// large. Nothing may take what it does not.
func UseAll(t *testing.T, a *wim.Archive) (refused int) {
	t.Helper()
	count := func(err error) {
		switch {
		case err == nil:
		case errors.Is(err, format.ErrFormat), errors.Is(err, format.ErrTooLarge), errors.Is(err, format.ErrChecksum), errors.Is(err, blobs.ErrMissing):
			refused++
		default:
			t.Fatal(err)
		}
	}
	for _, b := range a.Store().Blobs() {
		a.Store().Stored(b)
		if b.Size < 64<<20 {
			r, err := a.Store().OpenBlob(b.Hash)
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			count(err)
		}
	}
	p, err := verify.New(a, nil)
	if err != nil {
		count(err)
	} else {
		if err := shard.Run(context.Background(), p, shard.Sources{Parts: a.Store().Source()}, nil); err != nil {
			t.Fatal(err)
		}
		r, err := p.Report(nil)
		if err != nil {
			t.Fatal(err)
		}
		refused += len(r.Damaged) + len(r.Images)
		r.Text()
	}
	for i := range a.Images() {
		im, err := a.Image(i + 1)
		if err != nil {
			count(err)
			continue
		}
		for n := range wim.Node(im.Len()) {
			if im.ReparseTag(n) != 0 {
				_, err := im.ReparseData(n)
				count(err)
			}
		}
		for _, recover := range []bool{false, true} {
			x, err := extract.New(a, extract.Selection{Image: im}, &extract.Options{
				Recover: recover, Problem: func(_ wim.Node, _, _ string, err error) error { count(err); return nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			if x.OutSize > 64<<20 {
				continue
			}
			out := extract.NewZIP(discard{})
			if _, err := extract.Run(context.Background(), x, out, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := out.Finish(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return refused
}

// discard is an output that keeps nothing.
type discard struct{}

func (discard) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

// Sound opens what was written, and sees that nothing is wrong with it.
func Sound(t testing.TB, b []byte, integrity bool) *wim.Archive {
	t.Helper()
	a := archivetest.OpenWritten(t, b)
	if w := a.Info().Warnings; len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
	r := Verify(t, a, 2)
	if !r.OK || len(r.RefCounts) > 0 {
		t.Errorf("not found good:\n%s", r.Text())
	}
	if want := map[bool]string{true: "ok", false: "none"}[integrity]; r.Integrity[0].State != want {
		t.Errorf("integrity table: %q, want %q", r.Integrity[0].State, want)
	}
	return a
}

// HoleContent is a content that has data in some places, and must not be read in others.
type HoleContent struct {
	Length int64
	Data   [][2]int64 // from and to
	Read   int64
	Err    error // of NextData
}

func (f *HoleContent) Size() int64 { return f.Length }

func (f *HoleContent) Close() error { return nil }

func (f *HoleContent) NextData(off int64) (from, to int64, err error) {
	for _, d := range f.Data {
		if off < d[1] {
			return max(off, d[0]), d[1], f.Err
		}
	}
	return f.Length, f.Length, f.Err
}

// ByteAt is never zero in data.
func (f *HoleContent) ByteAt(off int64) byte {
	for _, d := range f.Data {
		if off >= d[0] && off < d[1] {
			return byte(off%251) + 1
		}
	}
	return 0
}

func (f *HoleContent) ReadAt(b []byte, off int64) (int, error) {
	f.Read += int64(len(b))
	for i := range b {
		if off+int64(i) >= f.Length {
			return i, io.EOF
		}
		b[i] = f.ByteAt(off + int64(i))
	}
	return len(b), nil
}

func (f *HoleContent) OpenContent(int32) (shard.ContentFile, error) { return f, nil }
