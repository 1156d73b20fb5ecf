package wim_test

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/handtree"
	"wimscope/wim/wimtest/jobtest"
)

// empty removes the content of an entry.
func empty(name string) *handtree.Item { return &handtree.Item{Name: name, Attrs: format.AttrArchive} }

// TestLosses checks that losses of a tree are reported by kind and place, and make the archive incomplete.
func TestLosses(t *testing.T) {
	le := binary.LittleEndian
	// changed returns the metadata of a tree with a change at one of its entries: d is the first folder in the root, a and b are the files
	// in it.
	changed := func(f func(meta []byte, root, d, a, b int)) []byte {
		meta := handtree.Metadata(handtree.Dir("", handtree.Dir("d", empty("a"), empty("b")), empty("z")))
		im := archivetest.ParseTree(t, meta)
		at := func(path string) int {
			n, ok := im.Lookup(path)
			if !ok {
				t.Fatal(path)
			}
			return int(im.Off(n))
		}
		f(meta, at("/"), at("/d"), at("/d/a"), at("/d/b"))
		return meta
	}
	put64 := func(at int, v uint64) func(meta []byte, root, d, a, b int) {
		return func(meta []byte, root, d, a, b int) { le.PutUint64(meta[[]int{root, d, a, b}[at>>8]+at&255:], v) }
	}
	const root, d, a, b = 0 << 8, 1 << 8, 2 << 8, 3 << 8
	for _, c := range []struct {
		name  string
		meta  []byte
		kind  wim.LossKind
		path  string
		count int
	}{
		{"list beyond the metadata", changed(put64(d|0x10, 1<<20)), wim.LossBeyond, "/d", 0},
		{"list breaks off", changed(put64(b, 50)), wim.LossListCut, "/d", 0},
		{"cycle", changed(func(meta []byte, root, d, a, b int) { copy(meta[d+0x10:d+0x18], meta[root+0x10:]) }), wim.LossShared, "/d", 0},
		{"name beyond its entry", changed(func(meta []byte, root, d, a, b int) { le.PutUint16(meta[a+0x64:], 500) }), wim.LossEntry, "/d", 1},
		{"dot", handtree.Metadata(handtree.Dir("", handtree.Dir("d", empty(".")))), wim.LossName, "/d", 1},
		{"NUL", handtree.Metadata(handtree.Dir("", handtree.Dir("d", empty("a\x00b")))), wim.LossName, "/d", 1},
		{"no name", handtree.Metadata(handtree.Dir("", &handtree.Item{Raw: []byte{}})), wim.LossName, "/", 1},
		{"second of a name", handtree.Metadata(handtree.Dir("", empty("a"), empty("a"))), wim.LossDuplicate, "/", 1},
		{"entries of a file", handtree.Metadata(handtree.Dir("", &handtree.Item{Name: "f", Kids: []*handtree.Item{empty("x")}})), wim.LossNotFolder, "/f", 0},
		// In these every record is sound, and other programs find nothing.
		{"folder without a list", changed(put64(d|0x10, 0)), wim.LossOrphans, "/", 2},
		{"folder with its list's end as its list", changed(func(meta []byte, root, d, a, b int) { le.PutUint64(meta[d+0x10:], uint64(a-8)) }), wim.LossOrphans, "/", 2},
		{"list from its second entry on", changed(func(meta []byte, root, d, a, b int) { le.PutUint64(meta[d+0x10:], uint64(b)) }), wim.LossOrphans, "/", 1},
		{"list that ends before its end", changed(put64(b, 0)), wim.LossOrphans, "/", 1},
		{"length that takes in the next entry", changed(func(meta []byte, root, d, a, b int) { le.PutUint64(meta[a:], uint64(2*(b-a))) }), wim.LossOrphans, "/d/a", 1},
		{"stream that takes in the next entry", changed(func(meta []byte, root, d, a, b int) { le.PutUint16(meta[a+0x60:], 1) }), wim.LossOrphans, "/d/a", 1},
		{"no root", changed(put64(root, 0)), wim.LossRoot, "", 0},
		{"stream of the root", changed(func(meta []byte, root, d, a, b int) { le.PutUint16(meta[root+0x60:], 9) }), wim.LossStream, "/", 0},
		{"content of a folder", handtree.Metadata(handtree.Dir("", handtree.Dir("d").With(func(e *handtree.Item) { e.D.Hash = handtree.HashOf("d") }))), wim.LossStream, "/d", 1},
		{"content of a folder, its hash short", handtree.Metadata(handtree.Dir("", handtree.Dir("d").With(func(e *handtree.Item) { e.D.Hash[19] = 1 }))), wim.LossStream, "/d", 1},
		{"descriptors that pass their block", append([]byte{16, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, handtree.Metadata(handtree.Dir(""))[8:]...), wim.LossSecurity, "", 0},
	} {
		x := archivetest.MustOpen(t, archivetest.Holding(c.meta))
		im, err := x.Image(1)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		list, n := im.Losses()
		i := slices.IndexFunc(list, func(l wim.Loss) bool { return l.Kind == c.kind })
		if i < 0 || n != len(list) || list[i].Path != c.path || list[i].Count != c.count || list[i].Image != 1 {
			t.Errorf("%s: %d losses: %+v", c.name, n, list)
		}
		r := jobtest.Verify(t, x, 1)
		first, _, _ := strings.Cut(r.Text(), "\n")
		if r.OK || r.Verdict != verify.Incomplete || r.LossesN != n || !strings.Contains(first, ": incomplete: image 1: ") || !r.Sound() {
			t.Errorf("%s: %s (%d losses): %s", c.name, r.Verdict, r.LossesN, first)
		}
		if j, err := json.Marshal(r); err != nil || !strings.Contains(string(j), `"verdict":"incomplete","blobs"`) || !strings.Contains(string(j), `"kind":"`+string(c.kind)+`"`) {
			t.Errorf("%s: %s, %v", c.name, j, err)
		}
	}
	// Sound trees have no losses, and zero bytes are no entries.
	for name, meta := range map[string][]byte{
		"as it is": changed(func([]byte, int, int, int, int) {}), "zeros behind": append(changed(func([]byte, int, int, int, int) {}), make([]byte, 500)...),
		"sha-1 of nothing": handtree.Metadata(handtree.Dir("", handtree.Dir("d").With(func(e *handtree.Item) { e.D.Hash = [20]byte([]byte(format.EmptyHash)) }))),
		"no entry at all":  append([]byte{8, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 8)...),
	} {
		if r := jobtest.Verify(t, archivetest.MustOpen(t, archivetest.Holding(meta)), 1); r.Verdict != verify.Good || r.LossesN > 0 {
			t.Errorf("%s: %s", name, r.Text())
		}
	}
}

// TestArchiveLosses checks the losses of the archive itself.
func TestArchiveLosses(t *testing.T) {
	good := wimtest.PlainArchive().Bytes()
	xml := func(s string) []byte {
		a := wimtest.PlainArchive()
		a.XML = s
		return a.Bytes()
	}
	two := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "text")))
	two.Metadata = append(two.Metadata, wimtest.HandMeta{RefCount: 1, Shared: true})
	two.Images = 1
	for _, c := range []struct {
		name string
		b    []byte
		want []wim.LossKind
	}{
		{"as it is", good, nil},
		{"no blob table", wimtest.EditHeader(good, func(h *format.Header) { h.BlobTable = format.ResourceHeader{} }), []wim.LossKind{wim.LossBlobTable}},
		{"header counts more", wimtest.EditHeader(good, func(h *format.Header) { h.ImageCount = 3 }), []wim.LossKind{wim.LossImages, wim.LossXMLImages}},
		{"header counts fewer", wimtest.EditHeader(good, func(h *format.Header) { h.ImageCount = 0 }), []wim.LossKind{wim.LossImages, wim.LossXMLImages}},
		{"metadata of no image", wimtest.EditEntry(good, 0, func(e *format.BlobEntry) { e.RefCount = 0 }), []wim.LossKind{wim.LossImages}},
		{"blob table has more", two.Bytes(), []wim.LossKind{wim.LossImages, wim.LossXMLImages}},
		{"no XML document", wimtest.EditHeader(good, func(h *format.Header) { h.XML = format.ResourceHeader{} }), []wim.LossKind{wim.LossXML}},
		{"XML document past the end", wimtest.EditHeader(good, func(h *format.Header) { h.XML.Off = 1<<64 - 10 }), []wim.LossKind{wim.LossXML}},
		{"XML document without a tag", wimtest.EditHeader(good, func(h *format.Header) { h.XML.Off += 4; h.XML.PackedSize -= 4; h.XML.Size -= 4 }), []wim.LossKind{wim.LossXML, wim.LossXMLImages}},
		{"XML document of something else", xml(`<WIN><IMAGE INDEX="1"/></WIN>`), []wim.LossKind{wim.LossXML}},
		{"no IMAGE", xml(`<WIM/>`), []wim.LossKind{wim.LossXMLImages}},
		{"two of them", xml(`<WIM><IMAGE INDEX="1"/><IMAGE INDEX="2"/></WIM>`), []wim.LossKind{wim.LossXMLImages}},
		{"IMAGE without INDEX", xml(`<WIM><IMAGE/></WIM>`), []wim.LossKind{wim.LossXML}},
		{"INDEX of no image", xml(`<WIM><IMAGE INDEX="2"/></WIM>`), []wim.LossKind{wim.LossXML}},
		{"integrity table past the end", wimtest.EditHeader(good, func(h *format.Header) { h.Integrity = format.ResourceHeader{Off: 300, PackedSize: 8, Size: 8} }), []wim.LossKind{wim.LossIntegrity}},
	} {
		a := archivetest.MustOpen(t, c.b)
		r := jobtest.Verify(t, a, 1)
		var got []wim.LossKind
		for _, l := range r.Losses {
			got = append(got, l.Kind)
			if l.Part == "" || l.Text == "" || l.Image != 0 {
				t.Errorf("%s: %+v", c.name, l)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		want := verify.Incomplete
		if c.want == nil {
			want = verify.Good
		}
		if r.Verdict != want || r.OK != (want == verify.Good) || len(a.Info().Warnings) < len(a.Losses()) {
			t.Errorf("%s: %s, %q", c.name, r.Verdict, a.Info().Warnings)
		}
	}
}

// TestManyLosses checks that all losses of a hostile tree are counted and the first are reported.
func TestManyLosses(t *testing.T) {
	var list []*handtree.Item
	for range 500 {
		list = append(list, empty("."))
	}
	im := archivetest.ParseTree(t, handtree.Metadata(handtree.Dir("", list...)))
	first, n := im.Losses()
	if n != 500 || len(first) != wim.MaxTreeLosses {
		t.Errorf("%d losses, %d reported", n, len(first))
	}
}
