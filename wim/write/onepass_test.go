package write

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// Reading contents once or twice must give the same bytes, in a new archive, in an append, and in a delta archive.
func TestOnePass(t *testing.T) {
	trees := []*wimtest.Tree{wimtest.Random(61, &wimtest.TreeOptions{Plain: true}), wimtest.Random(62, &wimtest.TreeOptions{Plain: true})}
	for _, o := range []Options{
		{}, {Codec: format.XPRESS, Level: 1}, {Codec: format.LZX, Level: 1, Integrity: true}, {Codec: format.XPRESS, Level: 1, Pipable: true},
		{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.XPRESS},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			var want [][]byte
			for _, most := range []int64{0, 1000, 1 << 40} {
				o.OnePass = most
				files := map[string][]byte{}
				e := New()
				for k, tree := range []*wimtest.Tree{trees[0], trees[1], trees[0]} {
					if _, err := e.AddDraft(treeDraft(t, tree, files, fmt.Sprint(k)), nil); err != nil {
						t.Fatal(err)
					}
				}
				all, _ := write(t, e, &o, files, 2)
				a := jobtest.Sound(t, all, o.Integrity)
				got := [][]byte{all}

				less := New()
				less.LeaveOut(archivetest.OpenWritten(t, all))
				if _, err := less.AddDraft(treeDraft(t, trees[1], files, "1"), nil); err != nil {
					t.Fatal(err)
				}
				delta, report := write(t, less, &o, files, 2)
				if got = append(got, delta); report.Contents != 0 {
					t.Errorf("%d contents are in a delta of nothing", report.Contents)
				}

				if !o.Pipable {
					more, err := Of(a)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := more.AddDraft(treeDraft(t, trees[1], files, "1"), nil); err != nil {
						t.Fatal(err)
					}
					p, err := more.PlanAppend(&o)
					if err != nil {
						t.Fatal(err)
					}
					m := archivetest.MemFile{B: bytes.Clone(all)}
					run(t, p, files, &m, &shard.Options{Workers: 2})
					got = append(got, m.B)
					jobtest.Sound(t, m.B, o.Integrity)
				}
				if want == nil {
					want = got
				}
				for i := range got {
					if !bytes.Equal(got[i], want[i]) {
						t.Errorf("archive %d, of %d bytes, is another one than of %d if all is read twice", i, len(got[i]), len(want[i]))
					}
				}
			}
		})
	}
}

// A content whose hash was known is gone. Another file, found later to have the same bytes, must keep them.
func TestOnePassSkip(t *testing.T) {
	data := []byte("0123456789")
	files := map[string][]byte{"/twin": data}
	d := draft.New()
	for _, c := range []draft.Content{{Size: 10, Path: "/bad", Known: true, Hash: sha1.Sum(data)}, {Size: 10, Path: "/twin"}} {
		if _, err := d.Add(0, draft.Entry{Name: c.Path[1:], Attributes: format.AttrArchive, Streams: []draft.Stream{{Content: d.AddContent(c)}}}); err != nil {
			t.Fatal(err)
		}
	}
	e := New()
	if _, err := e.AddDraft(d, nil); err != nil {
		t.Fatal(err)
	}
	p, err := e.PlanWrite(&Options{Codec: format.XPRESS, OnePass: 100})
	if err != nil {
		t.Fatal(err)
	}
	var m archivetest.MemFile
	r, err := Run(context.Background(), p, memContents{func() *Plan { return p }, files}, &m, &shard.Options{
		Workers: 1, Problem: func(*shard.ContentError) bool { return true },
	})
	if err != nil || len(r.Skipped) != 1 {
		t.Fatalf("skipped %v, %v", r.Skipped, err)
	}
	sameAsFiles(t, jobtest.Sound(t, m.B, false), files)
}
