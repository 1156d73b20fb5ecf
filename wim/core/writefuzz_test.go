package core

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"wimscope/wim/format"
)

// rewrite writes what an archive holds in every way. What cannot be had is left out. Whatever comes of that can be opened.
// It returns in how many ways something was written.
func rewrite(t *testing.T, b []byte) (written int) {
	a, err := Open([]Part{{Name: "in.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, &ReadOptions{MaxMemory: 1 << 24})
	if err != nil {
		return 0
	}
	total := int64(0)
	for i := range a.Store().blobs {
		total += a.Store().blobs[i].size
	}
	for i := range a.Store().metas {
		total += a.Store().metas[i].size
	}
	if total > 1<<24 {
		return 0 // rightly slow
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	e, err := EditOf(a)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Key == RefusedImages {
		return 0
	}
	if err != nil {
		t.Fatalf("an archive that opens cannot be edited: %v", err)
	}
	if e.Boot > e.Len() {
		t.Fatalf("boot index %d of %d", e.Boot, e.Len())
	}
	o := &RunOptions{Problem: func(*ContentError) bool { return true }}
	as := WriteOptionsOf(a)
	for name, plan := range map[string]func() (*WritePlan, error){
		"as it is": func() (*WritePlan, error) { return e.PlanWrite(&as) },
		"anew": func() (*WritePlan, error) {
			return e.PlanWrite(&WriteOptions{Codec: format.XPRESS, Level: 1, Integrity: true})
		},
		"solid": func() (*WritePlan, error) {
			return e.PlanWrite(&WriteOptions{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX, KeepAlone: true})
		},
		"pipable": func() (*WritePlan, error) {
			return e.PlanWrite(&WriteOptions{Codec: format.XPRESS, Level: 1, Pipable: true})
		},
		"in place": func() (*WritePlan, error) { return e.PlanAppend(&WriteOptions{Integrity: true}) },
		"smaller": func() (*WritePlan, error) {
			less, err := EditOf(a)
			if err != nil || less.Len() == 0 {
				return nil, format.ErrNotFound
			}
			return less.PlanAppend(nil)
		},
		"compact": func() (*WritePlan, error) { return e.PlanCompact(&WriteOptions{Integrity: true}) },
		"split":   func() (*WritePlan, error) { return e.PlanSplit(30_000, true, nil) },
	} {
		p, err := plan()
		if err != nil {
			continue
		}
		if _, err := p.Estimate(ctx, nil, 1<<16); err != nil && ctx.Err() != nil {
			t.Fatalf("%s: the estimate takes too long", name)
		}
		var parts []*memFile
		_, err = RunSplit(ctx, p, nil, func(int) (io.WriterAt, error) {
			m := &memFile{}
			if p.base != nil {
				m.b = slices.Clone(b)
				p.archives[0].Store().parts[0].R = m
				defer func() { p.archives[0].Store().parts[0].R = bytes.NewReader(b) }()
			}
			parts = append(parts, m)
			return m, nil
		}, o)
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%s: it takes too long", name)
		}
		if err != nil {
			continue
		}
		var list []Part
		for _, m := range parts {
			list = append(list, Part{Name: name, R: bytes.NewReader(m.b), Size: int64(len(m.b))})
		}
		again, err := Open(list, nil)
		if err != nil {
			t.Fatalf("%s: what was written does not open: %v", name, err)
		}
		if len(again.Store().metas) != len(a.Store().metas) {
			t.Fatalf("%s: %d images, and not %d", name, len(again.Store().metas), len(a.Store().metas))
		}
		written++
	}
	return written
}

func (m *memFile) ReadAt(b []byte, off int64) (int, error) {
	return bytes.NewReader(m.b).ReadAt(b, off)
}

// rewriteSeeds are small archives of every form.
func rewriteSeeds(t testing.TB) [][]byte {
	files := map[string][]byte{"/a": bytes.Repeat([]byte("some text, "), 4000), "/b": bigContent(50_000, func(c int) bool { return c == 1 }), "/c": []byte("c"), "/d": []byte("dd")}
	var list [][]byte
	for _, o := range []WriteOptions{
		{}, {Codec: format.XPRESS, ChunkSize: 4 << 10, Level: 1, Integrity: true}, {Codec: format.LZX, Level: 1, Pipable: true, Integrity: true},
		{Codec: format.LZMS, ChunkSize: 32 << 10, Level: 1, Solid: true, SolidCodec: format.LZX, SolidChunkSize: 32 << 10}, {Codec: format.XPRESS, Level: 1, Only: OnlyContents},
	} {
		e := fileEdit(t, files)
		if _, err := e.AddDraft(fileDraft(t, map[string][]byte{"/a": files["/a"], "/c": files["/c"]}), &DraftInfo{Name: "two"}); err != nil {
			t.Fatal(err)
		}
		e.Boot = 1
		b, _ := write(t, e, &o, files, 1)
		list = append(list, b)
	}
	return list
}

// TestRewriteMutated: archives of which some bytes are others are written anew without a panic, and all that ends.
// WIMSCOPE_MUTATIONS sets how often for each archive.
func TestRewriteMutated(t *testing.T) {
	rounds := 60
	if fewer() {
		rounds = 20
	}
	if n, err := strconv.Atoi(os.Getenv("WIMSCOPE_MUTATIONS")); err == nil {
		rounds = n
	}
	for k, b := range rewriteSeeds(t) {
		if n := rewrite(t, b); n < 5 {
			t.Errorf("archive %d, which is sound, is written in %d ways only", k, n)
		}
		r := rand.New(rand.NewPCG(uint64(k), 7))
		h, err := format.ParseHeader(b[len(b)-format.HeaderSize:])
		if err != nil {
			if h, err = format.ParseHeader(b); err != nil {
				t.Fatal(err)
			}
		}
		table := int(h.BlobTable.Off)
		for range rounds {
			m := slices.Clone(b)
			for range 1 + r.IntN(3) {
				at := 0
				switch r.IntN(4) {
				case 0:
					at = r.IntN(format.HeaderSize)
				case 1:
					at = r.IntN(len(m))
				default:
					at = table + r.IntN(int(h.BlobTable.Size))
				}
				m[at] = byte(r.IntN(256))
			}
			rewrite(t, m)
		}
	}
}

// FuzzRewrite is TestRewriteMutated for any bytes.
func FuzzRewrite(f *testing.F) {
	for _, b := range rewriteSeeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { rewrite(t, b) })
}
