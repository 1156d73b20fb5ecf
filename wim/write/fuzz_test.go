package write

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

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

// rewrite rewrites an archive in every way, leaving out what cannot be read. The results must open. It returns the number of
// ways that succeeded.
func rewrite(t *testing.T, b []byte) (written int) {
	a, err := wim.Open([]blobs.Part{{Name: "in.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, &blobs.Options{MaxMemory: 1 << 24})
	if err != nil {
		return 0
	}
	total := int64(0)
	for i := range a.Store().Records {
		total += a.Store().Records[i].Size
	}
	for i := range a.Store().Metas {
		total += a.Store().Metas[i].Size
	}
	if total > 1<<24 {
		return 0 // slow for a good reason
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	e, err := Of(a)
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
	o := &shard.Options{Problem: func(*shard.ContentError) bool { return true }}
	as := OptionsOf(a)
	for name, plan := range map[string]func() (*Plan, error){
		"as it is": func() (*Plan, error) { return e.PlanWrite(&as) },
		"anew": func() (*Plan, error) {
			return e.PlanWrite(&Options{Codec: format.XPRESS, Level: 1, Integrity: true})
		},
		"solid": func() (*Plan, error) {
			return e.PlanWrite(&Options{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX, KeepAlone: true})
		},
		"pipable": func() (*Plan, error) {
			return e.PlanWrite(&Options{Codec: format.XPRESS, Level: 1, Pipable: true})
		},
		"in place": func() (*Plan, error) { return e.PlanAppend(&Options{Integrity: true}) },
		"smaller": func() (*Plan, error) {
			less, err := Of(a)
			if err != nil || less.Len() == 0 {
				return nil, format.ErrNotFound
			}
			return less.PlanAppend(nil)
		},
		"compact": func() (*Plan, error) { return e.PlanCompact(&Options{Integrity: true}) },
		"split":   func() (*Plan, error) { return e.PlanSplit(30_000, true, nil) },
	} {
		p, err := plan()
		if err != nil {
			continue
		}
		if _, err := p.Estimate(ctx, nil, 1<<16); err != nil && ctx.Err() != nil {
			t.Fatalf("%s: the estimate takes too long", name)
		}
		var parts []*archivetest.MemFile
		_, err = RunSplit(ctx, p, nil, func(int) (io.WriterAt, error) {
			m := &archivetest.MemFile{}
			if p.base != nil {
				m.B = slices.Clone(b)
				p.archives[0].Store().Parts[0].R = m
				defer func() { p.archives[0].Store().Parts[0].R = bytes.NewReader(b) }()
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
		var list []blobs.Part
		for _, m := range parts {
			list = append(list, blobs.Part{Name: name, R: bytes.NewReader(m.B), Size: int64(len(m.B))})
		}
		again, err := wim.Open(list, nil)
		if err != nil {
			t.Fatalf("%s: what was written does not open: %v", name, err)
		}
		if len(again.Store().Metas) != len(a.Store().Metas) {
			t.Fatalf("%s: %d images, and not %d", name, len(again.Store().Metas), len(a.Store().Metas))
		}
		written++
	}
	return written
}

// rewriteSeeds returns small archives of every form.
func rewriteSeeds(t testing.TB) [][]byte {
	files := map[string][]byte{"/a": bytes.Repeat([]byte("some text, "), 4000), "/b": wimtest.BigContent(50_000, func(c int) bool { return c == 1 }), "/c": []byte("c"), "/d": []byte("dd")}
	var list [][]byte
	for _, o := range []Options{
		{}, {Codec: format.XPRESS, ChunkSize: 4 << 10, Level: 1, Integrity: true}, {Codec: format.LZX, Level: 1, Pipable: true, Integrity: true},
		{Codec: format.LZMS, ChunkSize: 32 << 10, Level: 1, Solid: true, SolidCodec: format.LZX, SolidChunkSize: 32 << 10}, {Codec: format.XPRESS, Level: 1, Only: OnlyContents},
	} {
		e := fileBuilder(t, files)
		if _, err := e.AddDraft(fileDraft(t, map[string][]byte{"/a": files["/a"], "/c": files["/c"]}), &Image{Name: "two"}); err != nil {
			t.Fatal(err)
		}
		e.Boot = 1
		b, _ := write(t, e, &o, files, 1)
		list = append(list, b)
	}
	return list
}

// TestRewriteMutated checks that archives with random changes are rewritten without a panic and in finite time.
// WIMSCOPE_MUTATIONS sets the number of mutants per archive.
func TestRewriteMutated(t *testing.T) {
	rounds := 60
	if wimtest.Fewer() {
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

// FuzzRewrite is TestRewriteMutated for arbitrary input.
func FuzzRewrite(f *testing.F) {
	for _, b := range rewriteSeeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { rewrite(t, b) })
}
