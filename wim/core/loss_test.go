package core

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

// empty is an entry without content.
func empty(name string) *entry { return &entry{name: name, attrs: format.AttrArchive} }

// TestLosses checks that losses of a tree are reported by kind and place, and make the archive incomplete.
func TestLosses(t *testing.T) {
	le := binary.LittleEndian
	// changed gives the metadata of a tree, changed at one of its entries: d is the first folder in the root, a and b
	// the files in it.
	changed := func(f func(meta []byte, root, d, a, b int)) []byte {
		meta := metadata(dir("", dir("d", empty("a"), empty("b")), empty("z")))
		im := parseTree(t, meta)
		at := func(path string) int {
			n, ok := im.Lookup(path)
			if !ok {
				t.Fatal(path)
			}
			return int(im.nodes[n].off)
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
		kind  LossKind
		path  string
		count int
	}{
		{"list beyond the metadata", changed(put64(d|0x10, 1<<20)), LossBeyond, "/d", 0},
		{"list breaks off", changed(put64(b, 50)), LossListCut, "/d", 0},
		{"cycle", changed(func(meta []byte, root, d, a, b int) { copy(meta[d+0x10:d+0x18], meta[root+0x10:]) }), LossShared, "/d", 0},
		{"name beyond its entry", changed(func(meta []byte, root, d, a, b int) { le.PutUint16(meta[a+0x64:], 500) }), LossEntry, "/d", 1},
		{"dot", metadata(dir("", dir("d", empty(".")))), LossName, "/d", 1},
		{"NUL", metadata(dir("", dir("d", empty("a\x00b")))), LossName, "/d", 1},
		{"no name", metadata(dir("", &entry{raw: []byte{}})), LossName, "/", 1},
		{"second of a name", metadata(dir("", empty("a"), empty("a"))), LossDuplicate, "/", 1},
		{"entries of a file", metadata(dir("", &entry{name: "f", kids: []*entry{empty("x")}})), LossNotFolder, "/f", 0},
		// Every record is sound in these, and others find nothing.
		{"folder without a list", changed(put64(d|0x10, 0)), LossOrphans, "/", 2},
		{"folder with its list's end as its list", changed(func(meta []byte, root, d, a, b int) { le.PutUint64(meta[d+0x10:], uint64(a-8)) }), LossOrphans, "/", 2},
		{"list from its second entry on", changed(func(meta []byte, root, d, a, b int) { le.PutUint64(meta[d+0x10:], uint64(b)) }), LossOrphans, "/", 1},
		{"list that ends before its end", changed(put64(b, 0)), LossOrphans, "/", 1},
		{"length that takes in the next entry", changed(func(meta []byte, root, d, a, b int) { le.PutUint64(meta[a:], uint64(2*(b-a))) }), LossOrphans, "/d/a", 1},
		{"stream that takes in the next entry", changed(func(meta []byte, root, d, a, b int) { le.PutUint16(meta[a+0x60:], 1) }), LossOrphans, "/d/a", 1},
		{"no root", changed(put64(root, 0)), LossRoot, "", 0},
		{"stream of the root", changed(func(meta []byte, root, d, a, b int) { le.PutUint16(meta[root+0x60:], 9) }), LossStream, "/", 0},
		{"content of a folder", metadata(dir("", dir("d").with(func(e *entry) { e.d.Hash = hashOf("d") }))), LossStream, "/d", 1},
		{"content of a folder, its hash short", metadata(dir("", dir("d").with(func(e *entry) { e.d.Hash[19] = 1 }))), LossStream, "/d", 1},
		{"descriptors that pass their block", append([]byte{16, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, metadata(dir(""))[8:]...), LossSecurity, "", 0},
	} {
		x := mustOpen(t, holding(c.meta))
		im, err := x.Image(1)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		list, n := im.Losses()
		i := slices.IndexFunc(list, func(l Loss) bool { return l.Kind == c.kind })
		if i < 0 || n != len(list) || list[i].Path != c.path || list[i].Count != c.count || list[i].Image != 1 {
			t.Errorf("%s: %d losses: %+v", c.name, n, list)
		}
		r := verify(t, x, 1)
		first, _, _ := strings.Cut(r.Text(), "\n")
		if r.OK || r.Verdict != Incomplete || r.LossesN != n || !strings.Contains(first, ": incomplete: image 1: ") || !r.Sound() {
			t.Errorf("%s: %s (%d losses): %s", c.name, r.Verdict, r.LossesN, first)
		}
		if j, err := json.Marshal(r); err != nil || !strings.Contains(string(j), `"verdict":"incomplete","blobs"`) || !strings.Contains(string(j), `"kind":"`+string(c.kind)+`"`) {
			t.Errorf("%s: %s, %v", c.name, j, err)
		}
	}
	// What is there without any of it has nothing lost, and whatever is zero is none.
	for name, meta := range map[string][]byte{
		"as it is": changed(func([]byte, int, int, int, int) {}), "zeros behind": append(changed(func([]byte, int, int, int, int) {}), make([]byte, 500)...),
		"sha-1 of nothing": metadata(dir("", dir("d").with(func(e *entry) { e.d.Hash = [20]byte([]byte(format.EmptyHash)) }))),
		"no entry at all":  append([]byte{8, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 8)...),
	} {
		if r := verify(t, mustOpen(t, holding(meta)), 1); r.Verdict != Good || r.LossesN > 0 {
			t.Errorf("%s: %s", name, r.Text())
		}
	}
}

// TestArchiveLosses: what the archive itself lacks.
func TestArchiveLosses(t *testing.T) {
	good := plainArchive().Bytes()
	xml := func(s string) []byte {
		a := plainArchive()
		a.XML = s
		return a.Bytes()
	}
	two := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "text")))
	two.Metadata = append(two.Metadata, wimtest.HandMeta{RefCount: 1, Shared: true})
	two.Images = 1
	for _, c := range []struct {
		name string
		b    []byte
		want []LossKind
	}{
		{"as it is", good, nil},
		{"no blob table", editHeader(good, func(h *format.Header) { h.BlobTable = format.ResourceHeader{} }), []LossKind{LossBlobTable}},
		{"header counts more", editHeader(good, func(h *format.Header) { h.ImageCount = 3 }), []LossKind{LossImages, LossXMLImages}},
		{"header counts fewer", editHeader(good, func(h *format.Header) { h.ImageCount = 0 }), []LossKind{LossImages, LossXMLImages}},
		{"metadata of no image", editEntry(good, 0, func(e *format.BlobEntry) { e.RefCount = 0 }), []LossKind{LossImages}},
		{"blob table has more", two.Bytes(), []LossKind{LossImages, LossXMLImages}},
		{"no XML document", editHeader(good, func(h *format.Header) { h.XML = format.ResourceHeader{} }), []LossKind{LossXML}},
		{"XML document past the end", editHeader(good, func(h *format.Header) { h.XML.Off = 1<<64 - 10 }), []LossKind{LossXML}},
		{"XML document without a tag", editHeader(good, func(h *format.Header) { h.XML.Off += 4; h.XML.PackedSize -= 4; h.XML.Size -= 4 }), []LossKind{LossXML, LossXMLImages}},
		{"XML document of something else", xml(`<WIN><IMAGE INDEX="1"/></WIN>`), []LossKind{LossXML}},
		{"no IMAGE", xml(`<WIM/>`), []LossKind{LossXMLImages}},
		{"two of them", xml(`<WIM><IMAGE INDEX="1"/><IMAGE INDEX="2"/></WIM>`), []LossKind{LossXMLImages}},
		{"IMAGE without INDEX", xml(`<WIM><IMAGE/></WIM>`), []LossKind{LossXML}},
		{"INDEX of no image", xml(`<WIM><IMAGE INDEX="2"/></WIM>`), []LossKind{LossXML}},
		{"integrity table past the end", editHeader(good, func(h *format.Header) { h.Integrity = format.ResourceHeader{Off: 300, PackedSize: 8, Size: 8} }), []LossKind{LossIntegrity}},
	} {
		a := mustOpen(t, c.b)
		r := verify(t, a, 1)
		var got []LossKind
		for _, l := range r.Losses {
			got = append(got, l.Kind)
			if l.Part == "" || l.Text == "" || l.Image != 0 {
				t.Errorf("%s: %+v", c.name, l)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		want := Incomplete
		if c.want == nil {
			want = Good
		}
		if r.Verdict != want || r.OK != (want == Good) || len(a.Info().Warnings) < len(a.Losses()) {
			t.Errorf("%s: %s, %q", c.name, r.Verdict, a.Info().Warnings)
		}
	}
}

// TestManyLosses: a hostile tree's losses are counted, and the first are told.
func TestManyLosses(t *testing.T) {
	var list []*entry
	for range 500 {
		list = append(list, empty("."))
	}
	im := parseTree(t, metadata(dir("", list...)))
	first, n := im.Losses()
	if n != 500 || len(first) != maxTreeLosses {
		t.Errorf("%d losses, %d told", n, len(first))
	}
	wantWarning(t, im, "and 400 more")
}
