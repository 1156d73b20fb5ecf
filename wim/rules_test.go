package wim_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
	"wimscope/wim/xmldoc"
)

// TestHeaderRules opens archives with valid and invalid header fields.
func TestHeaderRules(t *testing.T) {
	good := wimtest.PlainArchive().Bytes()
	for _, c := range []struct {
		name string
		edit func(h *format.Header)
		want error // nil: it opens
	}{
		{"as it is", func(h *format.Header) {}, nil},
		{"version 0.14, numerically lower than 1.13", func(h *format.Header) { h.Version = format.Version014 }, nil},
		{"version 1.14", func(h *format.Header) { h.Version = 0x10e00 }, format.ErrUnsupported},
		{"part 0", func(h *format.Header) { h.PartNumber = 0 }, format.ErrFormat},
		{"part 2 of 1", func(h *format.Header) { h.PartNumber = 2 }, format.ErrFormat},
		{"part 2 of 2 alone", func(h *format.Header) { h.PartNumber, h.TotalParts = 2, 2 }, blobs.ErrMissingPart},
		{"compressed by no codec", func(h *format.Header) { h.Flags |= format.FlagCompression }, format.ErrUnsupported},
		{"LZX with 32 KiB", func(h *format.Header) { h.Flags |= format.FlagCompression | format.FlagLZX; h.ChunkSize = 1 << 15 }, nil},
		{"LZX with 16 KiB", func(h *format.Header) { h.Flags |= format.FlagCompression | format.FlagLZX; h.ChunkSize = 1 << 14 }, format.ErrFormat},
		{"LZX with chunk size 0", func(h *format.Header) { h.Flags |= format.FlagCompression | format.FlagLZX }, format.ErrFormat},
		{"LZX goes before XPRESS", func(h *format.Header) {
			h.Flags |= format.FlagCompression | format.FlagLZX | format.FlagXPRESS
			h.ChunkSize = 1 << 21
		}, nil},
		{"LZMS with 1 GiB", func(h *format.Header) { h.Flags |= format.FlagCompression | format.FlagLZMS; h.ChunkSize = 1 << 30 }, nil},
		{"XPRESS with no power of two", func(h *format.Header) { h.Flags |= format.FlagCompression | format.FlagXPRESS; h.ChunkSize = 12345 }, format.ErrFormat},
		{"uncompressed with a chunk size", func(h *format.Header) { h.ChunkSize = 77 }, nil},
		{"resource-only and metadata-only do not matter", func(h *format.Header) { h.Flags |= format.FlagResourceOnly | format.FlagMetadataOnly }, nil},
		{"blob table past the end", func(h *format.Header) { h.BlobTable.Off += 1 << 20 }, format.ErrFormat},
		{"blob table at 2^64", func(h *format.Header) { h.BlobTable.Off = 1<<64 - 10 }, format.ErrFormat},
		{"blob table of other sizes", func(h *format.Header) { h.BlobTable.Size++ }, format.ErrFormat},
		{"XML past all bounds", func(h *format.Header) { h.XML.Off = 1<<64 - 10 }, nil}, // the images are there all the same
		{"boot index of no image", func(h *format.Header) { h.BootIndex = 9 }, nil},
		{"image count of its own", func(h *format.Header) { h.ImageCount = 9 }, nil},
		{"write in progress", func(h *format.Header) { h.Flags |= format.FlagWriteInProgress }, nil},
	} {
		a, err := archivetest.OpenMem(wimtest.EditHeader(good, c.edit), nil)
		if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err != nil {
			continue
		}
		if len(a.Images()) != 1 {
			t.Errorf("%s: %d images", c.name, len(a.Images()))
		}
		silent := c.name == "as it is" || strings.HasPrefix(c.name, "LZ") || strings.HasPrefix(c.name, "version") ||
			strings.HasPrefix(c.name, "uncomp") || strings.HasPrefix(c.name, "resource")
		if (len(a.Info().Warnings) == 0) != silent {
			t.Errorf("%s: warnings %q", c.name, a.Info().Warnings)
		}
	}
}

// TestChunkSizes checks the limits of each codec: powers of two only.
func TestChunkSizes(t *testing.T) {
	for codec, bounds := range map[format.Codec][2]int{format.XPRESS: {12, 16}, format.LZX: {15, 21}, format.LZMS: {15, 30}} {
		for bit := range 32 {
			size := uint32(1) << bit
			if got, want := format.ChunkSizeOK(codec, size), bit >= bounds[0] && bit <= bounds[1]; got != want {
				t.Errorf("%v, 2^%d: %v", codec, bit, got)
			}
			if bit > 1 && format.ChunkSizeOK(codec, size+1) {
				t.Errorf("%v, 2^%d+1 is accepted", codec, bit)
			}
		}
	}
}

// TestTruncated checks that the number of missing bytes is computed from the end of the last resource.
func TestTruncated(t *testing.T) {
	b := wimtest.PlainArchive().Bytes()
	for _, cut := range []int{1, 100, len(b) - 208} {
		var te *blobs.TruncatedError
		if _, err := archivetest.OpenMem(b[:len(b)-cut], nil); !errors.As(err, &te) || te.Missing != int64(cut) {
			t.Errorf("without the last %d bytes: %v", cut, err)
		}
	}
	var te *blobs.TruncatedError
	if _, err := archivetest.OpenMem(b[:100], nil); !errors.As(err, &te) || te.Missing != 108 {
		t.Errorf("half a header: %v", err)
	}
}

// TestTruncatedPipable truncates a pipable archive at every offset: without the header at its end, how much is missing is unknown.
func TestTruncatedPipable(t *testing.T) {
	m := archivetest.MakeVariant(t, archivetest.Variant(t, "LZX, pipable"), 1)
	b, err := os.ReadFile(m.First)
	if err != nil {
		t.Fatal(err)
	}
	for size := format.HeaderSize; size < len(b); size += 1 + len(b)/500 {
		var te *blobs.TruncatedError
		if _, err := archivetest.OpenMem(b[:size], nil); !errors.As(err, &te) || te.Missing != 0 || te.Size != int64(size) {
			t.Errorf("truncated after %d of %d bytes: %v", size, len(b), err)
		}
	}
}

// TestNotWIM checks that other file types are recognised by their magic.
func TestNotWIM(t *testing.T) {
	pad := func(off int, s string) []byte {
		return append(make([]byte, off), append([]byte(s), make([]byte, 600)...)...)
	}
	for guess, b := range map[string][]byte{
		"empty": {}, "zip": []byte("PK\x03\x04xxxx"), "7z": []byte("7z\xbc\xaf\x27\x1c.."), "vhdx": []byte("vhdxfile"), "cab": []byte("MSCF\x00"),
		"gzip": {0x1f, 0x8b, 8}, "pe": []byte("MZ\x90\x00"), "text": []byte("hello, world\n"), "iso": append([]byte("x"), pad(0x8000, "CD001")...),
		"ffu": pad(4, "SignedImage "), "vhd": append([]byte("x"), append(make([]byte, 1024), append([]byte("conectix"), make([]byte, 504)...)...)...),
		"zeros": make([]byte, 300), "": {0x80, 0x81, 0x82, 1},
	} {
		var ne *blobs.NotWIMError
		if _, err := archivetest.OpenMem(b, nil); !errors.As(err, &ne) || ne.Guess != guess || !bytes.HasPrefix(b, ne.First) || len(ne.First) != min(16, len(b)) {
			t.Errorf("%q: got %+v (%v)", guess, ne, err)
		}
	}
}

// TestTableRules opens archives with valid and invalid entries of the blob table.
func TestTableRules(t *testing.T) {
	good := wimtest.PlainArchive().Bytes() // entry 0 is metadata, entry 1 the content
	for _, c := range []struct {
		name         string
		entry        int
		edit         func(e *format.BlobEntry)
		images       int
		blobs        int
		readable     bool
		told         bool // there is a warning
		imageProblem bool
	}{
		{name: "as it is", edit: func(e *format.BlobEntry) {}, images: 1, blobs: 1, readable: true},
		{name: "metadata with reference count 0", entry: 0, edit: func(e *format.BlobEntry) { e.RefCount = 0 }, blobs: 1, readable: true, told: true},
		{name: "metadata with reference count 2", entry: 0, edit: func(e *format.BlobEntry) { e.RefCount = 2 }, images: 1, blobs: 1, readable: true, told: true},
		{name: "metadata past the end", entry: 0, edit: func(e *format.BlobEntry) { e.Resource.Off = 1 << 40 }, images: 1, blobs: 1, readable: true, told: true, imageProblem: true},
		{name: "content past the end", entry: 1, edit: func(e *format.BlobEntry) { e.Resource.Off = 1 << 40 }, images: 1, blobs: 1, told: true},
		{name: "content at 2^64-1", entry: 1, edit: func(e *format.BlobEntry) { e.Resource.Off = 1<<64 - 1 }, images: 1, blobs: 1, told: true},
		{name: "uncompressed, with two sizes", entry: 1, edit: func(e *format.BlobEntry) { e.Resource.Size++ }, images: 1, blobs: 1, told: true},
		{name: "compressed, without a codec", entry: 1, edit: func(e *format.BlobEntry) { e.Resource.Flags = format.ResCompressed }, images: 1, blobs: 1, told: true},
		{name: "of another part", entry: 1, edit: func(e *format.BlobEntry) { e.Part = 2 }, images: 1, blobs: 0, told: true},
		{name: "zero hash", entry: 1, edit: func(e *format.BlobEntry) { e.Hash = [20]byte{} }, images: 1, blobs: 0, told: true},
		{name: "size 0", entry: 1, edit: func(e *format.BlobEntry) { e.Resource.Size, e.Resource.PackedSize = 0, 0 }, images: 1, blobs: 0, told: true},
		{name: "flag spanned does not matter", entry: 1, edit: func(e *format.BlobEntry) { e.Resource.Flags = format.ResSpanned }, images: 1, blobs: 1, readable: true},
		{name: "flag solid does not matter in 1.13", entry: 1, edit: func(e *format.BlobEntry) { e.Resource.Flags = format.ResSolid }, images: 1, blobs: 1, readable: true},
		{name: "wrong reference count", entry: 1, edit: func(e *format.BlobEntry) { e.RefCount = 99 }, images: 1, blobs: 1, readable: true},
	} {
		a, err := archivetest.OpenMem(wimtest.EditEntry(good, c.entry, c.edit), nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(a.Images()) != c.images || len(a.Store().Blobs()) != c.blobs {
			t.Errorf("%s: %d images, %d blobs; want %d, %d", c.name, len(a.Images()), len(a.Store().Blobs()), c.images, c.blobs)
		}
		if c.images > 0 && (a.Images()[0].Problem != "") != c.imageProblem {
			t.Errorf("%s: problem %q", c.name, a.Images()[0].Problem)
		}
		if told := len(a.Info().Warnings) > 0; told != c.told {
			t.Errorf("%s: warnings %q", c.name, a.Info().Warnings)
		}
		if c.blobs > 0 {
			r, err := a.Store().OpenBlob(a.Store().Blobs()[0].Hash)
			if err == nil {
				_, err = io.ReadAll(r)
			}
			if (err == nil) != c.readable || err != nil && !errors.Is(err, format.ErrFormat) {
				t.Errorf("%s: reading returns %v", c.name, err)
			}
		}
		archivetest.CheckTiles(t, a)
	}
}

// TestSolidMetadata checks that metadata in a solid resource, which no tool writes, does not keep an archive from being opened.
func TestSolidMetadata(t *testing.T) {
	b := wimtest.EditHeader(wimtest.PlainArchive().Bytes(), func(h *format.Header) { h.Version = format.Version014 })
	a := archivetest.MustOpen(t, wimtest.EditEntry(b, 0, func(e *format.BlobEntry) { e.Resource.Flags |= format.ResSolid }))
	if len(a.Images()) != 1 || a.Images()[0].Problem == "" {
		t.Errorf("images %+v", a.Images())
	}
	if _, err := a.Image(1); !errors.Is(err, format.ErrFormat) {
		t.Errorf("image 1: %v", err)
	}
	if r := jobtest.Verify(t, a, 1); r.OK {
		t.Error("the archive is reported as good")
	}
}

// TestImagesFollowTheTable checks that images are in the order of the blob table, whatever the XML document says.
func TestImagesFollowTheTable(t *testing.T) {
	h := &wimtest.HandArchive{Boot: 2}
	for _, name := range []string{"first", "second", "third"} {
		h.Metadata = append(h.Metadata, wimtest.HandMeta{Data: wimtest.HandMetadata(wimtest.Folder("", wimtest.Folder(name)), nil), RefCount: 1})
	}
	h.XML = `<WIM><IMAGE INDEX="3"><NAME>C</NAME></IMAGE><IMAGE INDEX="1"><NAME>A &amp; &lt;&#x41;&gt;</NAME><WINDOWS><ARCH>9</ARCH>` +
		`<EDITIONID>Professional</EDITIONID><LANGUAGES><LANGUAGE>de-DE</LANGUAGE><LANGUAGE>en-US</LANGUAGE><DEFAULT>de-DE</DEFAULT></LANGUAGES>` +
		`<VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>19041</BUILD><SPBUILD>1</SPBUILD></VERSION></WINDOWS>` +
		`<CREATIONTIME><HIGHPART>0x01DA9F84</HIGHPART><LOWPART>0x10000000</LOWPART></CREATIONTIME><ODD X="1">kept</ODD></IMAGE><IMAGE INDEX="7"/></WIM>`
	b := h.Bytes()
	// Swapping the first two entries swaps the images.
	hd, err := format.ParseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	at := hd.BlobTable.Off
	e0, e1 := bytes.Clone(b[at:at+50]), bytes.Clone(b[at+50:at+100])
	copy(b[at:], e1)
	copy(b[at+50:], e0)
	a := archivetest.MustOpen(t, b)
	var names []string
	for i, info := range a.Images() {
		im, err := a.Image(i + 1)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name+"="+im.Name(1))
		if info.Index != i+1 || info.Boot != (i == 1) {
			t.Errorf("image %d: %+v", i+1, info)
		}
	}
	if want := []string{"A & <A>=second", "=first", "C=third"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	first := a.Images()[0]
	if first.Arch != "x64" || first.Edition != "Professional" || first.DefaultLanguage != "de-DE" || len(first.Languages) != 2 ||
		first.Version != "10.0.19041.1" || first.Created != 0x01DA9F8410000000 {
		t.Errorf("image 1: %+v", first)
	}
	if !strings.Contains(string(a.XML()), `<ODD X="1">kept</ODD>`) {
		t.Error("an unknown element is lost")
	}
}

// TestXMLForms reads XML documents with and without byte order mark, in either byte order, and truncated ones.
func TestXMLForms(t *testing.T) {
	const doc = `<WIM><IMAGE INDEX="1"><NAME>ä – 日本 𝄞</NAME></IMAGE></WIM>`
	le := xmldoc.AppendUTF16(nil, doc)
	be := bytes.Clone(le)
	for i := 0; i < len(be); i += 2 {
		be[i], be[i+1] = be[i+1], be[i]
	}
	for name, b := range map[string][]byte{
		"UTF-16LE": append([]byte{0xff, 0xfe}, le...), "no mark": le, "UTF-16BE": append([]byte{0xfe, 0xff}, be...),
		"UTF-8": []byte(doc), "UTF-8 with mark": []byte("\xef\xbb\xbf" + doc), "a NUL behind": append(slices.Clone(le), 0, 0),
	} {
		d, err := xmldoc.Parse(b)
		if err != nil || d.Root().Content("IMAGE", "NAME") != "ä – 日本 𝄞" || d.String() != doc {
			t.Errorf("%s: %q, %v", name, d.String(), err)
		}
	}
	for _, s := range []string{doc[:20], "<A><B></A>", "<A", "<A b", "<A b='", "<!--", strings.Repeat("<A>", 1000), "</A>", "<>"} {
		if _, err := xmldoc.Parse([]byte(s)); err == nil {
			t.Errorf("%.30q is accepted", s)
		}
	}
	d, err := xmldoc.Parse(le[:len(le)-12])
	if err == nil || d.Root().Content("IMAGE", "NAME") != "ä – 日本 𝄞" {
		t.Errorf("a truncated document: %q, %v", d.String(), err)
	}
}

// TestSplitSets opens the parts of sets in any order, with missing and with wrong parts.
func TestSplitSets(t *testing.T) {
	v := archivetest.Variant(t, "XPRESS, split")
	m := archivetest.MakeVariant(t, v, 5)
	whole := archivetest.OpenMade(t, v, m)
	parts := make([]blobs.Part, whole.Store().NParts)
	for i := range parts {
		parts[i] = whole.Store().Parts[i].Part
		if n := int(whole.Store().Parts[i].Header.PartNumber); n != whole.Store().NParts-i {
			t.Fatalf("part %d is at %d: want descending order", n, i)
		}
	}
	if len(parts) < 3 {
		t.Fatalf("only %d parts", len(parts))
	}
	first, last := parts[len(parts)-1], parts[0]
	if info := whole.Info(); info.First != len(parts)-1 || info.TotalParts != len(parts) || info.BootIndex != 0 || info.Parts[0].Number != len(parts) {
		t.Errorf("%+v", info)
	}
	a, err := wim.Open([]blobs.Part{first}, nil)
	if err != nil || len(a.Info().Missing) != len(parts)-1 {
		t.Fatalf("part 1 alone: %v", err)
	}
	absent := whole.Store().Blobs()[0].Hash
	for _, b := range whole.Store().Blobs() {
		if b.Part == 0 {
			absent = b.Hash
		}
	}
	if _, err := a.Store().OpenBlob(absent); !errors.Is(err, blobs.ErrMissing) || !errors.Is(err, blobs.ErrMissingPart) {
		t.Errorf("a blob of the last part: %v", err)
	}
	var me *blobs.MissingPartError
	if _, err := wim.Open([]blobs.Part{last}, nil); !errors.As(err, &me) || !slices.Contains(me.Numbers, 1) || me.Total != len(parts) {
		t.Errorf("the last part alone: %v", err)
	}
	var we *blobs.WrongPartError
	if _, err := wim.Open([]blobs.Part{first, last, first}, nil); !errors.As(err, &we) || we.Number != 1 {
		t.Errorf("part 1 twice: %v", err)
	}
	other := wimtest.PlainArchive().Bytes()
	if _, err := wim.Open([]blobs.Part{first, {Name: "other", R: bytes.NewReader(other), Size: int64(len(other))}}, nil); !errors.As(err, &we) || we.Name != "other" {
		t.Errorf("a part of another set: %v", err)
	}
}

// TestIntegrityRules checks that the table covers exactly the bytes from the end of the header to the end of the blob table.
func TestIntegrityRules(t *testing.T) {
	h := wimtest.PlainArchive()
	h.Integrity = 64
	b := h.Bytes()
	a := archivetest.MustOpen(t, b)
	hd := a.Store().Parts[0].Header
	end := int(hd.BlobTable.Off + hd.BlobTable.PackedSize)
	if a.Store().Parts[0].Integrity == nil || len(a.Store().Parts[0].Integrity.Hashes) != (end-208+63)/64 || !a.Info().Parts[0].Integrity {
		t.Fatalf("table %+v", a.Store().Parts[0].Integrity)
	}
	state := func(at int) string {
		x := bytes.Clone(b)
		x[at] ^= 1
		return jobtest.Verify(t, archivetest.MustOpen(t, x), 1).Integrity[0].State
	}
	for at, want := range map[int]string{0xd0 - 1: "ok", 208: "bad", end - 1: "bad", int(hd.XML.Off) + 4: "ok"} {
		if got := state(at); got != want {
			t.Errorf("a change at 0x%x: %s, want %s", at, got, want)
		}
	}
	bad := bytes.Clone(b)
	binary.LittleEndian.PutUint32(bad[hd.Integrity.Off:], 13)
	x := archivetest.MustOpen(t, bad)
	if r := jobtest.Verify(t, x, 1); r.OK || r.Integrity[0].State != "unreadable" || len(x.Info().Warnings) == 0 {
		t.Errorf("an invalid table: %+v", r.Integrity)
	}
}

// TestMemoryLimits checks that blobs that need too much memory are rejected and named.
func TestMemoryLimits(t *testing.T) {
	v := archivetest.Variant(t, "LZMS 1M solid")
	m := archivetest.MakeVariant(t, v, 5)
	a, err := wim.Open(archivetest.OpenFiles(t, m.First), &blobs.Options{MaxMemory: 300 << 10})
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, b := range a.Store().Blobs() {
		r, err := a.Store().OpenBlob(b.Hash)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); errors.Is(err, format.ErrTooLarge) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	r := jobtest.Verify(t, a, 1)
	if refused == 0 || len(r.Damaged) != refused || !strings.Contains(r.Text(), "memory") {
		t.Errorf("%d blobs were rejected, %d reported", refused, len(r.Damaged))
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	p, _, _ := jobtest.Extract(t, a, im, nil)
	if p.Skipped.Count == 0 || p.Skipped.List[0].Reason != "too-large" {
		t.Errorf("skipped: %+v", p.Skipped)
	}
}

// TestRandomAccess checks that a small read of a large blob unpacks only the chunks that it needs, each once.
func TestRandomAccess(t *testing.T) {
	v := archivetest.Variant(t, "LZX 32K")
	m := archivetest.MakeVariant(t, v, 5)
	parts := archivetest.OpenFiles(t, m.First)
	count := &archivetest.ReadCounter{R: parts[0].R}
	parts[0].R = count
	a, err := wim.Open(parts, nil)
	if err != nil {
		t.Fatal(err)
	}
	var big blobs.Blob
	for _, b := range a.Store().Blobs() {
		if b.Size > big.Size && a.Store().Stored(b).Codec == format.LZX {
			big = b
		}
	}
	info := a.Store().Stored(big)
	if info.Chunks < 2 || int64(len(info.Packed)) != info.Chunks {
		t.Fatalf("%+v", info)
	}
	r, err := a.Store().OpenBlob(big.Hash)
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	count.N = 0
	if _, err := r.ReadAt(p, big.Size-20); err != nil {
		t.Fatal(err)
	}
	if most := info.Packed[info.Chunks-1] + 4*info.Chunks; count.N > most {
		t.Errorf("%d bytes were read for 10, want at most %d", count.N, most)
	}
	count.N = 0
	if _, err := r.ReadAt(p, big.Size-10); err != nil {
		t.Fatal(err)
	}
	if count.N != 0 && info.Packed[info.Chunks-1] != info.ChunkSizes[info.Chunks-1] {
		t.Errorf("%d bytes were read again", count.N)
	}
	if n, err := r.ReadAt(p, big.Size-3); n != 3 || !errors.Is(err, io.EOF) {
		t.Errorf("over the end: %d, %v", n, err)
	}
	if n, err := r.ReadAt(p, big.Size); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if _, err := r.ReadAt(p, -1); err == nil {
		t.Error("a read at -1 is accepted")
	}
	// Concurrent reads.
	want, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			p := make([]byte, 5000)
			for at := int64(i * 1000); at+5000 < big.Size; at += 40000 {
				if _, err := r.ReadAt(p, at); err != nil || !bytes.Equal(p, want[at:at+5000]) {
					t.Errorf("at %d: %v", at, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestOverlappingSolidBlobs reads and verifies overlapping blobs, which no tool writes.
func TestOverlappingSolidBlobs(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 8192) // four chunks
	h := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", string(data[:100000])), wimtest.TextFile("b", string(data[50001:120000])), wimtest.TextFile("c", string(data[99999:]))))
	var blobs []wimtest.HandSolidBlob
	for i, off := range []int64{0, 50001, 99999} {
		blobs = append(blobs, wimtest.HandSolidBlob{HandBlob: *h.Blobs[i], Off: off, Size: int64(len(h.Blobs[i].Data))})
	}
	h.Blobs, h.Solid = nil, []wimtest.HandSolid{{Bytes: data, ChunkSize: 32768, Blobs: blobs}}
	a := archivetest.MustOpen(t, h.Bytes())
	archivetest.ReadBlobs(t, a)
	if r := jobtest.Verify(t, a, 2); !r.OK || r.Blobs != 4 {
		t.Errorf("not good:\n%s", r.Text())
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	_, out, _ := jobtest.Extract(t, a, im, nil)
	jobtest.DiffTrees(t, "ZIP", jobtest.ZipTree(t, out), jobtest.ImageTree(t, a, im))
}

// TestManyRuns opens an archive whose table alternates between solid and other entries, which makes as many runs as entries.
func TestManyRuns(t *testing.T) {
	h := wimtest.PlainArchive()
	h.Version = format.Version014
	for i := range 60_000 {
		e := format.BlobEntry{Part: 1, RefCount: 1, Hash: [20]byte{1, byte(i), byte(i >> 8), byte(i >> 16)}}
		if i%2 == 0 {
			e.Resource = format.ResourceHeader{PackedSize: 5, Flags: format.ResSolid, Off: uint64(i)}
		} else {
			e.Resource = format.ResourceHeader{PackedSize: 4, Off: 208, Size: 4}
		}
		h.Extra = append(h.Extra, e.Append(nil))
	}
	a := archivetest.MustOpen(t, h.Bytes())
	if len(a.Store().Runs) != 1 || len(a.Store().Blobs()) != 60_001 {
		t.Errorf("%d runs, %d blobs", len(a.Store().Runs), len(a.Store().Blobs()))
	}
}
