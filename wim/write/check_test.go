package write

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest/archivetest"
)

// TestCopiesAreChecked damages a blob of archives that are copied packed, in every layout, and split or compacted. The damage
// must be reported with the path before anything is written; or if it is skipped, the other contents must be intact.
func TestCopiesAreChecked(t *testing.T) {
	random := func(n int, seed byte) []byte {
		b := make([]byte, n)
		rand.NewChaCha8([32]byte{seed}).Read(b)
		return b
	}
	// In a solid resource the content "bad" crosses the border between two shards of the check.
	small := map[string][]byte{"/first": bytes.Repeat([]byte("first"), 2000), "/bad": []byte(strings.Repeat("bad", 3000)), "/last": random(5000, 1)}
	large := map[string][]byte{"/a": random(900<<10, 1), "/bad": random(400<<10, 2), "/c": random(900<<10, 3)}
	solid := Options{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX, SolidChunkSize: 32 << 10, SolidLevel: 1, KeepOrder: true}
	for _, c := range []struct {
		name  string
		from  Options
		to    Options
		files map[string][]byte
	}{
		{"none", Options{}, Options{}, small},
		{"XPRESS", Options{Codec: format.XPRESS, Level: 1}, Options{Codec: format.XPRESS, Level: 1}, small},
		{"LZMS", Options{Codec: format.LZMS, Level: 1}, Options{Codec: format.LZMS, Level: 1}, small},
		{"pipable", Options{Codec: format.LZX, Level: 1, Pipable: true}, Options{Codec: format.LZX, Level: 1, Pipable: true}, small},
		{"to pipable", Options{Codec: format.LZX, Level: 1}, Options{Codec: format.LZX, Level: 1, Pipable: true}, small},
		{"solid", solid, solid, large},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, _ := write(t, fileBuilder(t, c.files), &c.from, c.files, 1)
			a := archivetest.OpenWritten(t, b)
			im, err := a.Image(1)
			if err != nil {
				t.Fatal(err)
			}
			n, _ := im.Lookup("bad")
			blob, _ := a.Store().Blob(im.Hash(n))
			at := a.Store().Stored(blob)
			bad := bytes.Clone(b)
			off := at.Off + at.PackedSize/2
			if c.from.Solid {
				off = solidPlace(t, a, im.Hash(n))
			}
			bad[off] ^= 0x10
			good := map[string][]byte{}
			for name, data := range c.files {
				if name != "/bad" {
					good[name] = data
				}
			}

			edit := func() *Builder {
				e := New()
				if _, err := e.AddImage(archivetest.OpenWritten(t, bad), 1); err != nil {
					t.Fatal(err)
				}
				return e
			}
			plans := map[string]func() (*Plan, error){
				"export": func() (*Plan, error) { return edit().PlanWrite(&c.to) },
			}
			if !c.to.Solid {
				plans["split"] = func() (*Plan, error) { return edit().PlanSplit(60<<10, false, &c.to) }
			}
			for what, plan := range plans {
				p, err := plan()
				if err != nil {
					t.Fatal(err)
				}
				opened := 0
				sinks := []*archivetest.MemFile{}
				_, err = RunSplit(context.Background(), p, nil, func(int) (io.WriterAt, error) {
					opened++
					sinks = append(sinks, &archivetest.MemFile{})
					return sinks[len(sinks)-1], nil
				}, nil)
				var ce *shard.ContentError
				if !errors.Is(err, format.ErrChecksum) || !errors.As(err, &ce) || !strings.HasPrefix(ce.Path, "bad (image 1") || opened > 0 {
					t.Errorf("%s: error %v, %d files were begun", what, err, opened)
				}
				if what == "split" {
					continue
				}
				if p, err = plan(); err != nil {
					t.Fatal(err)
				}
				sink := &archivetest.MemFile{}
				// In a solid resource neighboring contents share the damaged chunk.
				lost := map[string]bool{}
				_, err = Run(context.Background(), p, nil, sink, &shard.Options{Workers: 2, Problem: func(ce *shard.ContentError) bool {
					name, _, _ := strings.Cut(ce.Path, " ")
					lost["/"+name] = true
					return true
				}})
				if err != nil || !lost["/bad"] || len(lost) > 1 && !c.from.Solid {
					t.Fatalf("%s: %v, without %v", what, err, lost)
				}
				out := archivetest.OpenWritten(t, sink.B)
				tree, err := out.Image(1)
				if err != nil {
					t.Fatal(err)
				}
				for name, data := range good {
					n, _ := tree.Lookup(name)
					if got, err := out.Store().ReadBlob(tree.Hash(n), 1<<30); !lost[name] && (err != nil || !bytes.Equal(got, data)) {
						t.Errorf("%s: %s has %d bytes, %v", what, name, len(got), err)
					}
				}
				if n, _ := tree.Lookup("bad"); openHas(t, sink.B, tree.Hash(n)) {
					t.Errorf("%s: the damaged content is there", what)
				}
			}
		})
	}
}

// solidPlace returns the offset of a byte in the packed solid chunk that holds the middle of a content.
func solidPlace(t *testing.T, a *wim.Archive, h format.Hash) int64 {
	t.Helper()
	id, _ := a.Store().BlobID(h)
	b := &a.Store().Records[id]
	chunks, err := a.Store().RunChunks(b.Run)
	if err != nil {
		t.Fatal(err)
	}
	c := chunks[blobs.ChunkAt(chunks, b.Off+b.Size/2)]
	if c.Packed < c.Size {
		return c.Off + c.Packed/2
	}
	return c.Off + b.Off + b.Size/2 - c.Start
}

// TestCompactingChecks checks that an archive with a damaged blob is not compacted if the blob would be moved, and stays
// unchanged byte for byte.
func TestCompactingChecks(t *testing.T) {
	files := map[string][]byte{"/a": bytes.Repeat([]byte("a"), 3000), "/b": bytes.Repeat([]byte("b"), 4000), "/bad": bytes.Repeat([]byte("bad"), 5000)}
	for name, o := range map[string]Options{"none": {}, "solid": {Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX, SolidLevel: 1}} {
		b, _ := write(t, fileBuilder(t, files), &o, files, 1)
		// The added resources stand behind the deleted ones.
		more := map[string][]byte{"/bad": files["/bad"], "/new": bytes.Repeat([]byte("new"), 700)}
		e := editing(t, b)
		if _, err := e.AddDraft(fileDraft(t, more), nil); err != nil {
			t.Fatal(err)
		}
		if err := e.Delete(1); err != nil {
			t.Fatal(err)
		}
		p, err := e.PlanAppend(&o)
		if err != nil {
			t.Fatal(err)
		}
		m := archivetest.MemFile{}
		m.B = bytes.Clone(b)
		run(t, p, more, &m, nil)
		a := archivetest.OpenWritten(t, m.B)
		im, err := a.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := im.Lookup("new")
		blob, ok := a.Store().Blob(im.Hash(n))
		if !ok {
			t.Fatal("no content")
		}
		off := a.Store().Stored(blob).Off
		if o.Solid {
			off = solidPlace(t, a, im.Hash(n))
		}
		m.B[off] ^= 1
		before := bytes.Clone(m.B)
		if p, err = editing(t, m.B).PlanCompact(&o); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(context.Background(), p, nil, &m, nil); !errors.Is(err, format.ErrChecksum) {
			t.Errorf("%s: error %v", name, err)
		}
		if !bytes.Equal(before, m.B) {
			t.Errorf("%s: the archive was changed", name)
		}
	}
}
