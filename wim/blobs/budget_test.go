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

// TestRefusedBeforeAllocation checks that a chunk that cannot be unpacked is rejected before memory is allocated for it.
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
					t.Errorf("rejected at once: %v (%s)", atOnce, a.Store().Solids[0].Bad)
				}
				if refused := jobtest.UseAll(t, a); refused < 3*50 {
					t.Errorf("only %d were rejected", refused)
				}
			})
			if took > 24<<20 {
				t.Errorf("%d bytes used %d bytes of memory", len(b), took)
			}
		})
	}
	// The same for a blob with a resource of its own.
	b := wimtest.LargeClaim(garbage, 1<<30-1)
	took := wimtest.Allocated(func() {
		if refused := jobtest.UseAll(t, archivetest.MustOpen(t, b)); refused < 2 {
			t.Errorf("only %d were rejected", refused)
		}
	})
	if took > 24<<20 {
		t.Errorf("%d bytes used %d bytes of memory", len(b), took)
	}
}

func slicesOf(n int, b []byte) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = b
	}
	return list
}

// TestFailureRemembered checks that a damaged chunk is unpacked once, however many readers need it.
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

// TestLinksInOrder reads links whose data alternate between two chunks that do not fit the cache together: not every link unpacks a
// chunk, and all data are right.
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
			t.Fatalf("%s: wrong bytes", im.Path(n))
		}
	}
	if took := a.Store().Unpacked.Load() - before; took > 6*chunk {
		t.Errorf("%d chunks were unpacked for 400 links in two", took/chunk)
	}
}

// TestSharedResources reads blobs whose resources overlap, which no tool writes: all are read, with a limit on the work.
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
		t.Errorf("%d bytes to read", p.Bytes())
	}
	if r := jobtest.Verify(t, a, 2); len(r.Damaged) != 5000 || !strings.Contains(r.Text(), blobs.ErrOverlap.Error()) {
		t.Errorf("%d blobs are reported as damaged:\n%.500s", len(r.Damaged), r.Text())
	}
}

// TestSharedChunks checks that runs that share solid resources, which no tool writes, do not each allocate a table of all chunks.
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
		t.Errorf("%d bytes used %d bytes of memory", len(b), took)
	}
}

// TestPackedTables checks that compressed tables and XML documents cannot be much larger than the file.
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

// TestPrettyIsBounded checks that indenting a deep XML document does not make it many times as long.
func TestPrettyIsBounded(t *testing.T) {
	doc, err := xmldoc.Parse([]byte(strings.Repeat("<a>", 250) + strings.Repeat("<b/>", 10_000) + strings.Repeat("</a>", 250)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(doc.Pretty()); n > 500_000 {
		t.Errorf("40 kB become %d bytes", n)
	}
}

// TestSharedMetadata checks that the work for very many images with one metadata resource is limited by the size of the archive.
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
		t.Errorf("the trees take %d bytes, one has %d", took, size)
	}
}
