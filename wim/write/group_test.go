package write

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// TestGroup writes images as archives with metadata only, and their blobs to one archive that they share.
func TestGroup(t *testing.T) {
	trees := plainTrees(83, 84)
	files := map[string][]byte{}
	o := Options{Codec: format.LZX, Level: 1, Integrity: true, Only: OnlyContents}
	first := builderOf(t, files, trees[0])
	res, _ := write(t, first, &o, files, 2)
	image := func(e *Builder, res []byte) []byte {
		t.Helper()
		e.LeaveOut(archivetest.OpenWritten(t, res))
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
	second := builderOf(t, files, trees[1], trees[0])
	second.Delete(2)
	group := editing(t, res)
	d := treeDraft(t, trees[1], files, "two")
	if _, err := group.AddDraft(d, nil); err != nil {
		t.Fatal(err)
	}
	p, err := group.PlanAppend(&Options{Level: 1, Integrity: true, Only: OnlyContents})
	if err != nil {
		t.Fatal(err)
	}
	m := archivetest.MemFile{B: slices.Clone(res)}
	run(t, p, files, &m, nil)
	two := New()
	if _, err := two.AddDraft(d, &Image{Name: "two"}); err != nil {
		t.Fatal(err)
	}
	twoBytes := image(two, m.B)
	for k, b := range [][]byte{one, twoBytes} {
		a, err := wim.Open([]blobs.Part{{Name: "image", R: bytes.NewReader(b), Size: int64(len(b))}}, &blobs.Options{References: []blobs.Part{{Name: "Res.rwm", R: bytes.NewReader(m.B), Size: int64(len(m.B))}}})
		if err != nil {
			t.Fatal(err)
		}
		sameAsTree(t, a, 1, trees[k])
		if r := jobtest.Verify(t, a, 1); !r.OK {
			t.Errorf("image %d:\n%s", k+1, r.Text())
		}
		// Exported, it no longer needs the group.
		e, err := Of(a)
		if err != nil {
			t.Fatal(err)
		}
		alone := OptionsOf(a)
		if alone.Only != OnlyMetadata {
			t.Errorf("only %v", alone.Only)
		}
		alone.Only = OnlyAll
		out, _ := write(t, e, &alone, nil, 1)
		sameAsTree(t, jobtest.Sound(t, out, true), 1, trees[k])
	}
	rwm := archivetest.OpenWritten(t, m.B)
	if r := jobtest.Verify(t, rwm, 1); !r.OK || r.Integrity[0].State != "ok" || len(r.RefCounts) > 0 {
		t.Errorf("contents:\n%s", r.Text())
	}
	if i := rwm.Info(); i.RawFlags&format.FlagResourceOnly == 0 || len(rwm.Images()) != 0 || i.Blobs == 0 {
		t.Errorf("%+v", i)
	}
	// Rewritten, the resource-only archive keeps its blobs, including those of deleted images.
	anew := OptionsOf(rwm)
	b, r := write(t, editing(t, m.B), &anew, nil, 1)
	if r.Contents != rwm.Info().Blobs || jobtest.Sound(t, b, true).Info().RawFlags&format.FlagResourceOnly == 0 {
		t.Errorf("%d contents, want %d", r.Contents, rwm.Info().Blobs)
	}
	// A blob that is not in the group, and another codec, are refused.
	stray := builderOf(t, files, trees[1])
	stray.LeaveOut(archivetest.OpenWritten(t, res))
	meta := Options{Codec: format.LZX, Level: 1, Only: OnlyMetadata}
	if b, _, err := tryWrite(stray, &meta, files, 1); !errors.Is(err, blobs.ErrMissing) || len(b) > 0 {
		t.Errorf("contents that nobody holds: %v, %d bytes were written", err, len(b))
	}
	meta.Codec = format.XPRESS
	if _, err := stray.PlanWrite(&meta); !errors.Is(err, format.ErrRefused) {
		t.Errorf("another codec: %v", err)
	}
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	for name, b := range map[string][]byte{"one.wim": one, "two.wim": twoBytes, "Res.rwm": m.B} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", "two.wim", "1", "out", "--ref=Res.rwm")
	sameFiles(t, filepath.Join(dir, "out"), trees[1])
}
