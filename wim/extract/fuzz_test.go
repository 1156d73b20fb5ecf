package extract_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// FuzzOpen opens arbitrary bytes: one file or two parts of a set, and perhaps a reference. If that succeeds, the regions
// cover the files exactly once; every blob reads as many bytes as its size or returns an error; verification agrees with
// reading; extractions have the planned size, everything in them that is not damaged has the right bytes, and every link
// has a target from data with the right SHA-1. Memory stays bounded.
func FuzzOpen(f *testing.F) {
	for _, b := range damagedLinks() {
		f.Add(b, []byte(nil), []byte(nil))
	}
	// A reparse point that is not a link, with a blob in addition to its reparse data.
	point := &wimtest.HandEntry{Name: "point", Attrs: format.AttrReparsePoint, Tag: 0x80000013, Data: []byte("reparse data"), Streams: []wimtest.HandStream{{Data: []byte("content")}}}
	f.Add(wimtest.One(wimtest.Folder("", point)).Bytes(), []byte(nil), []byte(nil))
	for _, s := range wimtest.Samples() {
		all := [3][]byte{}
		size := 0
		for i, p := range s.Parts {
			all[min(i, 1)] = p.Bytes
			size += len(p.Bytes)
		}
		for _, p := range s.Refs {
			all[2] = p.Bytes
			size += len(p.Bytes)
		}
		if len(s.Parts) <= 2 && len(s.Refs) <= 1 && size < 16<<10 {
			f.Add(all[0], all[1], all[2])
		}
	}
	f.Fuzz(func(t *testing.T, first, second, ref []byte) {
		if len(first)+len(second)+len(ref) > 64<<10 {
			return
		}
		part := func(name string, b []byte) []blobs.Part {
			if len(b) == 0 {
				return nil
			}
			return []blobs.Part{{Name: name, R: bytes.NewReader(b), Size: int64(len(b))}}
		}
		parts := []blobs.Part{{Name: "first", R: bytes.NewReader(first), Size: int64(len(first))}}
		parts = append(parts, part("second", second)...)
		o := &blobs.Options{MaxMemory: 4 << 20, References: part("reference", ref)}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a, err := wim.Open(parts, o)
		runtime.ReadMemStats(&after)
		// Room for a few resources of MaxMemory, and for what a table in this input can need.
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
			t.Fatalf("opening %d bytes took %d of memory", len(first)+len(second)+len(ref), took)
		}
		if err != nil {
			return
		}
		archivetest.CheckTiles(t, a)
		a.Info()
		bad := map[format.Hash]bool{}
		budget := int64(16 << 20)
		for i := range a.Store().Records {
			blob := a.Store().RecordBlob(int32(i))
			a.Store().Stored(blob)
			if budget -= blob.Size; budget < 0 {
				return // a small file may describe huge blobs
			}
			if b, ok := a.Store().Blob(blob.Hash); ok && b != blob {
				continue // if a hash is in a part and in a reference, the first one counts
			}
			r, err := a.Store().OpenBlob(blob.Hash)
			if err != nil {
				bad[blob.Hash] = true
				continue
			}
			n, err := io.Copy(io.Discard, r)
			if err == nil && n != blob.Size {
				t.Fatalf("%v gives %d bytes and should have %d", blob.Hash, n, blob.Size)
			}
			if err != nil {
				bad[blob.Hash] = true
			}
		}
		for i := range a.Store().Metas {
			if budget -= a.Store().Metas[i].Size; budget < 0 {
				return
			}
		}
		p, err := verify.New(a, &verify.Options{References: true})
		if err != nil {
			if errors.Is(err, format.ErrTooLarge) || errors.Is(err, format.ErrFormat) {
				return
			}
			t.Fatal(err)
		}
		if err := shard.Run(context.Background(), jobtest.Packed(p, t), shard.Sources{Parts: a.Store().Source()}, nil); err != nil {
			t.Fatal(err)
		}
		r, err := p.Report(nil)
		if err != nil {
			t.Fatal(err)
		}
		told := map[format.Hash]bool{}
		for _, d := range r.Damaged {
			told[d.Hash] = true
		}
		for h := range bad {
			if !told[h] {
				t.Fatalf("%v cannot be read, and verification does not say so", h)
			}
		}
		r.Text()
		if len(a.Images()) > 0 {
			if im, err := a.Image(1); err == nil {
				extractAll(t, a, im, &extract.Options{Streams: true, Recover: true})
				extractAll(t, a, im, &extract.Options{PieceSize: 1 << 12})
				extractAll(t, a, im, &extract.Options{Form: extract.OutputTAR, PieceSize: 1 << 12})
			}
		}
	})
}

// extractAll checks that an extraction matches its plan, and that without Recover every file in it has the bytes of its
// hash.
func extractAll(t *testing.T, a *wim.Archive, im *wim.Image, o *extract.Options) {
	p, err := extract.New(a, extract.Selection{Image: im}, o)
	if err != nil {
		return
	}
	if p.OutSize > 64<<20 {
		return
	}
	sink := &archivetest.MemFile{}
	out := extract.NewZIP(sink)
	if o.Form == extract.OutputTAR {
		out = extract.NewTAR(sink)
	}
	damaged, err := extract.Run(context.Background(), p, out, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := out.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(len(sink.B)) || n != p.OutSize && (o.Recover || len(damaged) == 0) || n > p.OutSize {
		t.Fatalf("%d bytes were planned, %d told, %d written; %d entries are damaged", p.OutSize, n, len(sink.B), len(damaged))
	}
	if o.Recover {
		return
	}
	read := jobtest.ZipTree
	if o.Form == extract.OutputTAR {
		read = jobtest.TarTree
	}
	tree := read(t, sink.B)
	if want := p.Files + p.Dirs + p.Links - len(damaged); len(tree) != want {
		t.Fatalf("%d entries, want %d", len(tree), want)
	}
	for _, e := range damaged {
		if _, there := tree[e.Path]; there {
			t.Fatalf("%q is damaged and there", e.Path)
		}
	}
	for path, text := range tree {
		node, ok := im.Lookup(path)
		if !ok {
			t.Fatalf("%q is not in the image", path)
		}
		if im.ReparseTag(node) != 0 {
			checkLink(t, a, im, node, text)
		} else if h := im.Hash(node); !h.IsZero() && format.Hash(sha1.Sum([]byte(text))) != h {
			t.Fatalf("%q has other bytes than its hash tells of", path)
		}
	}
}

// checkLink checks that a reparse point in an output is the link that its data describe, or a file with the blob that it
// has in addition, and that the data match their hash. It reads the data independently.
func checkLink(t *testing.T, a *wim.Archive, im *wim.Image, n wim.Node, text string) {
	t.Helper()
	h := im.Hash(n)
	if strings.HasPrefix(text, "-> ") {
		_, h = im.UnnamedStreams(n)
	}
	r, err := a.Store().OpenBlob(h)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, r.Size())
	if _, err := r.ReadAt(b, 0); err != nil && err != io.EOF || !h.IsZero() && format.Hash(sha1.Sum(b)) != h {
		t.Fatalf("%s is written by bytes that do not have their hash (%v)", im.Path(n), err)
	}
	if !strings.HasPrefix(text, "-> ") {
		if string(b) != text {
			t.Fatalf("%s has other bytes than its hash tells of", im.Path(n))
		}
		return
	}
	target, _ := im.ParseLink(n, b).Path(im, n)
	if strings.ToValidUTF8(target, "\ufffd") != text[len("-> "):] {
		t.Fatalf("%s leads to %q, and its data say %q", im.Path(n), text[len("-> "):], target)
	}
}
