package blobs_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
	"wimscope/wim/xmldoc"
)

// TestRefusedBeforeAllocation: a chunk that cannot be unpacked is refused before there is memory for it.
func TestRefusedBeforeAllocation(t *testing.T) {
	garbage := make([]byte, 1000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range garbage {
		garbage[i] = byte(r.Uint32())
	}
	zeros := make([]byte, 1000)
	for _, c := range []struct {
		name        string
		codec       format.Codec
		size, chunk int64
		atOnce      bool // when the archive is opened
		chunks      [][]byte
	}{
		{"no codec, 2 GiB", format.None, 1<<31 - 1, 1 << 31, true, [][]byte{garbage}},
		{"LZMS, 1 GiB of garbage", format.LZMS, 1 << 30, 1 << 30, false, [][]byte{garbage}},
		{"LZMS, 1 GiB of zeros that are no items", format.LZMS, 1 << 30, 1 << 30, false, [][]byte{zeros}},
		{"LZMS, many chunks of 64 MiB", format.LZMS, 1 << 30, 64 << 20, false, [][]byte{garbage, zeros[:10], garbage[:500], zeros[:4], garbage[:6], garbage[:8], garbage[:10], garbage[:20],
			garbage[:30], garbage[:40], garbage[:50], garbage[:60], garbage[:70], garbage[:80], garbage[:90], garbage[:100]}},
		{"LZX, chunks smaller than any", format.LZX, 64 << 20, 2 << 20, true, slicesOf(32, garbage[:700])},
		{"XPRESS, chunks smaller than any", format.XPRESS, 4 << 20, 1 << 16, true, slicesOf(64, garbage[:100])},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := wimtest.LinksInSolid(wimtest.PackedSolid(uint32(c.codec), c.size, c.chunk, c.chunks...), 50, 1<<10, c.size/2, nil)
			took := wimtest.Allocated(func() {
				a := archivetest.MustOpen(t, b)
				if atOnce := a.Store().Solids[0].Bad != ""; atOnce != c.atOnce {
					t.Errorf("refused at once: %v (%s)", atOnce, a.Store().Solids[0].Bad)
				}
				if refused := jobtest.UseAll(t, a); refused < 3*50 {
					t.Errorf("only %d were refused", refused)
				}
			})
			if took > 24<<20 {
				t.Errorf("%d bytes took %d of memory", len(b), took)
			}
		})
	}
	// The same of a content with a resource of its own.
	b := wimtest.LargeClaim(garbage, 1<<30-1)
	took := wimtest.Allocated(func() {
		if refused := jobtest.UseAll(t, archivetest.MustOpen(t, b)); refused < 2 {
			t.Errorf("only %d were refused", refused)
		}
	})
	if took > 24<<20 {
		t.Errorf("%d bytes took %d of memory", len(b), took)
	}
}

func slicesOf(n int, b []byte) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = b
	}
	return list
}

// TestFailureRemembered: a damaged chunk is unpacked once, whoever asks for what is in it.
func TestFailureRemembered(t *testing.T) {
	const chunk = 1 << 20
	data := wimtest.Text.Make(rand.New(rand.NewPCG(3, 4)), chunk)
	packed := archivetest.PackChunk(t, format.LZMS, data)
	packed[len(packed)/2] ^= 0x55
	packed[len(packed)/2+20] ^= 0x55
	a := archivetest.MustOpen(t, wimtest.LinksInSolid(wimtest.PackedSolid(uint32(format.LZMS), chunk, chunk, packed), 100, 512, 0, nil))
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	bad := 0
	for n := range wim.Node(im.Len()) {
		if _, err := im.ReparseData(n); errors.Is(err, format.ErrFormat) {
			bad++
		}
	}
	if got := a.Store().Unpacked.Load(); bad != 100 || got > 1<<20 {
		t.Errorf("%d of 100 links cannot be read, and %d bytes were unpacked for them", bad, got)
	}
}

// TestLinksInOrder: links whose data are in two chunks by turns, which do not fit the cache together, do not each unpack a
// chunk; and what they give is right.
func TestLinksInOrder(t *testing.T) {
	const chunk = 1 << 20
	data := wimtest.Text.Make(rand.New(rand.NewPCG(5, 6)), 2*chunk)
	b := wimtest.LinksInSolid(wimtest.PackedSolid(uint32(format.LZMS), 2*chunk, chunk, archivetest.PackChunk(t, format.LZMS, data[:chunk]), archivetest.PackChunk(t, format.LZMS, data[chunk:])), 400, 64, chunk,
		func(off, size int64) []byte { return data[off : off+size] })
	a, err := archivetest.OpenMem(b, &blobs.Options{CacheSize: chunk})
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	before := a.Store().Unpacked.Load()
	for n := wim.Node(1); int(n) < im.Len(); n++ {
		got, err := im.ReparseData(n)
		if err != nil || len(got) != 32 {
			t.Fatalf("%s: %d bytes, %v", im.Path(n), len(got), err)
		}
		if _, h := im.UnnamedStreams(n); sha1.Sum(got) != h {
			t.Fatalf("%s has other bytes", im.Path(n))
		}
	}
	if took := a.Store().Unpacked.Load() - before; took > 6*chunk {
		t.Errorf("%d chunks were unpacked for 400 links in two", took/chunk)
	}
}

// TestSharedResources: contents that lie over each other in resources of their own, as no tool writes them, are read, and what
// that takes is bounded.
func TestSharedResources(t *testing.T) {
	data := wimtest.Text.Make(rand.New(rand.NewPCG(7, 8)), 1<<20)
	h := wimtest.One(wimtest.Folder("", &wimtest.HandEntry{Name: "a", Data: data}))
	off := uint64(bytes.Index(h.Bytes(), data[:100]))
	for i := range 5000 {
		r := format.ResourceHeader{Off: off, PackedSize: uint64(len(data)), Size: uint64(len(data))}
		h.Extra = append(h.Extra, format.BlobEntry{Resource: r, Part: 1, RefCount: 1, Hash: format.Hash{1, byte(i), byte(i >> 8)}}.Append(nil))
	}
	a := archivetest.MustOpen(t, h.Bytes())
	p, err := verify.New(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Bytes() > blobs.FreeOverlap+4<<20 || p.Bytes() < 4<<20 {
		t.Errorf("%d bytes are to be read", p.Bytes())
	}
	if r := jobtest.Verify(t, a, 2); len(r.Damaged) != 5000 || !strings.Contains(r.Text(), blobs.ErrOverlap.Error()) {
		t.Errorf("%d contents are told of as damaged:\n%.500s", len(r.Damaged), r.Text())
	}
}

// TestSharedChunks: runs that share solid resources, as no tool writes them, do not each have a table of all chunks.
func TestSharedChunks(t *testing.T) {
	data := make([]byte, 100<<10)
	h := wimtest.PlainArchive()
	h.Version = format.Version014
	resource := wimtest.PackedSolid(uint32(format.None), int64(len(data)), 8, slicesOf(len(data)/8, data[:8])...)
	h.Unused = resource
	for i := range 300 {
		r := format.ResourceHeader{Off: format.HeaderSize, PackedSize: uint64(len(resource)), Flags: format.ResSolid, Size: format.SolidMagicSize}
		for range i + 1 {
			h.Extra = append(h.Extra, format.BlobEntry{Resource: r, Part: 1, RefCount: 1}.Append(nil))
		}
		b := format.ResourceHeader{PackedSize: 8, Flags: format.ResSolid}
		h.Extra = append(h.Extra, format.BlobEntry{Resource: b, Part: 1, RefCount: 1, Hash: format.Hash{1, byte(i), byte(i >> 8)}}.Append(nil),
			format.BlobEntry{Part: 1, RefCount: 1}.Append(nil))
	}
	b := h.Bytes()
	took := wimtest.Allocated(func() {
		a := archivetest.MustOpen(t, b)
		for _, x := range a.Store().Blobs() {
			a.Store().Stored(x)
		}
		if _, err := verify.New(a, nil); err != nil && !errors.Is(err, format.ErrTooLarge) {
			t.Error(err)
		}
	})
	if took > 32*int64(len(b)) {
		t.Errorf("%d bytes took %d of memory", len(b), took)
	}
}

// TestPackedTables: neither blob table nor XML document nor integrity table may be much larger than the file.
func TestPackedTables(t *testing.T) {
	h := wimtest.PlainArchive()
	h.Flags = format.FlagCompression | format.FlagLZMS
	h.ChunkSize = 1 << 30
	b := h.Bytes()
	for _, what := range []string{"blob table", "XML", "integrity table"} {
		packed := wimtest.EditHeader(b, func(h *format.Header) {
			r := map[string]*format.ResourceHeader{"blob table": &h.BlobTable, "XML": &h.XML, "integrity table": &h.Integrity}[what]
			*r = format.ResourceHeader{Off: format.HeaderSize, PackedSize: 100, Size: 50 << 20, Flags: format.ResCompressed}
		})
		var err error
		took := wimtest.Allocated(func() {
			var a *wim.Archive
			if a, err = archivetest.OpenMem(packed, nil); err == nil {
				err = fmt.Errorf("%w: %s", format.ErrTooLarge, strings.Join(a.Info().Warnings, "; "))
				if !strings.Contains(err.Error(), "52428800") {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
		if !errors.Is(err, format.ErrTooLarge) || took > 4<<20 {
			t.Errorf("%s: %v, %d bytes of memory", what, err, took)
		}
	}
}

// TestPrettyIsBounded: a deep XML document is not many times as long when it is made for reading.
func TestPrettyIsBounded(t *testing.T) {
	doc, err := xmldoc.Parse([]byte(strings.Repeat("<a>", 250) + strings.Repeat("<b/>", 10_000) + strings.Repeat("</a>", 250)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(doc.Pretty()); n > 500_000 {
		t.Errorf("40 kB become %d bytes", n)
	}
}

// TestSharedMetadata: very many images of one metadata resource are no more work than the archive is large.
func TestSharedMetadata(t *testing.T) {
	const images, files = 2000, 100
	root := wimtest.Folder("")
	for i := range files {
		root.Children = append(root.Children, &wimtest.HandEntry{Name: fmt.Sprintf("%0200d", i)})
	}
	h := wimtest.One(root)
	h.XML = "<WIM></WIM>"
	for range images - 1 {
		h.Metadata = append(h.Metadata, wimtest.HandMeta{RefCount: 1, Shared: true})
		h.Metadata[len(h.Metadata)-1].Data = h.Metadata[0].Data
	}
	b := h.Bytes()
	size := int64(len(h.Metadata[0].Data))
	a := archivetest.MustOpen(t, b)
	good := 0
	took := wimtest.Allocated(func() {
		for i := range a.Images() {
			im, err := a.Image(i + 1)
			switch {
			case err == nil && im.Len() == files+1 && im.Index() == i+1:
				good++
			case !errors.Is(err, format.ErrFormat):
				t.Fatalf("image %d: %v", i+1, err)
			}
		}
	})
	want := blobs.Budget(int64(len(b)), blobs.MetadataTimes) / size
	if int64(good) != want || want >= images || len(b) < blobs.LeastBudget {
		t.Errorf("%d of %d images can be read, want %d", good, images, want)
	}
	if took > 20*size+int64(good)*1000 {
		t.Errorf("their trees took %d bytes, and one has %d", took, size)
	}
}
