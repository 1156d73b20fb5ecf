package draft

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/handtree"
)

// sameTrees compares two images completely, entry by entry of their drafts, which preserve everything.
func sameTrees(a, b *Draft) error {
	if a.Len() != b.Len() {
		return fmt.Errorf("%d entries, want %d", b.Len(), a.Len())
	}
	var first, second = map[int32]Node{}, map[int32]Node{}
	type pair struct{ a, b Node }
	for stack := []pair{{}}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		x, y := a.nodes[at.a], b.nodes[at.b]
		i, j := a.inode(at.a), b.inode(at.b)
		r, q := i.getRare(), j.getRare()
		path := lazyPath{a, at.a}
		switch {
		case x.name != y.name || a.texts[x.short] != b.texts[y.short]:
			return fmt.Errorf("%s: names %q %q, want %q %q", path, y.name, b.texts[y.short], x.name, a.texts[x.short])
		case i.created != j.created || i.accessed != j.accessed || i.modified != j.modified:
			return fmt.Errorf("%s: times %v %v %v, want %v %v %v", path, j.created, j.accessed, j.modified, i.created, i.accessed, i.modified)
		case i.attributes != j.attributes || r.unknown != q.unknown || r.unused != q.unused:
			return fmt.Errorf("%s: attributes %x %x %x, want %x %x %x", path, j.attributes, q.unknown, q.unused, i.attributes, r.unknown, r.unused)
		case r.reparseTag != q.reparseTag || r.reparseMore != q.reparseMore:
			return fmt.Errorf("%s: reparse %x %x, want %x %x", path, q.reparseTag, q.reparseMore, r.reparseTag, r.reparseMore)
		case strings.TrimRight(r.items, "\x00") != strings.TrimRight(q.items, "\x00"):
			return fmt.Errorf("%s: items %x, want %x", path, q.items, r.items)
		case (i.security < 0) != (j.security < 0) || i.security >= 0 && a.security[i.security] != b.security[j.security]:
			return fmt.Errorf("%s: security descriptors differ", path)
		case i.names != j.names:
			return fmt.Errorf("%s: %d names, want %d", path, j.names, i.names)
		case (x.dir < 0) != (y.dir < 0):
			return fmt.Errorf("%s: only one is a folder", path)
		}
		if n, ok := first[x.inode]; ok != (second[y.inode] != 0) || ok && a.Path(n) != b.Path(second[y.inode]) {
			return fmt.Errorf("%s: its other names differ", path)
		} else if !ok && at.a != 0 {
			first[x.inode], second[y.inode] = at.a, at.b
		}
		bare := func(d *Draft, in *draftInode) (list []string) {
			for _, s := range d.streamsOf(in) {
				h := format.Hash{}
				if s.content >= 0 {
					h = d.contents[s.content].hash
				}
				if s.kind != format.StreamData || !h.IsZero() {
					list = append(list, fmt.Sprintf("%d %q %v", s.kind, d.texts[s.name], h))
				}
			}
			return list
		}
		if s, w := bare(b, j), bare(a, i); !slices.Equal(s, w) {
			return fmt.Errorf("%s: streams %q, want %q", path, s, w)
		}
		if x.dir >= 0 {
			k, l := a.Children(at.a), b.Children(at.b)
			if len(k) != len(l) {
				return fmt.Errorf("%s: %d children, want %d", path, len(l), len(k))
			}
			for m := range k {
				stack = append(stack, pair{k[m], l[m]})
			}
		}
	}
	return nil
}

// lazyPath is a path that is built only for a message: a deep tree has many long ones.
type lazyPath struct {
	d *Draft
	n Node
}

func (p lazyPath) String() string { return p.d.Path(p.n) }

// again writes the image's metadata and loads the result.
func again(t *testing.T, im *wim.Image) (d *Draft, meta []byte) {
	t.Helper()
	d, err := Of(im)
	if err != nil {
		t.Fatal(err)
	}
	meta, err = d.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	back, err := wim.ParseImage(im.Archive(), im.Index(), meta)
	if err != nil {
		t.Fatal(err)
	}
	if losses, _ := back.Losses(); len(losses)+len(back.Warnings()) > 0 {
		t.Errorf("faults of the written metadata: %v, %q", losses, back.Warnings())
	}
	e, err := Of(back)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameTrees(d, e); err != nil {
		t.Error(err)
	}
	twice, err := e.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(meta, twice) {
		t.Errorf("written twice, the metadata differ at %#x", differAt(meta, twice))
	}
	return d, meta
}

func differAt(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestDraftOfSamples(t *testing.T) {
	tried := 0
	for _, s := range wimtest.Samples() {
		var parts, refs []blobs.Part
		for _, p := range s.Parts {
			parts = append(parts, blobs.Part{Name: p.Name, R: bytes.NewReader(p.Bytes), Size: int64(len(p.Bytes))})
		}
		for _, p := range s.Refs {
			refs = append(refs, blobs.Part{Name: p.Name, R: bytes.NewReader(p.Bytes), Size: int64(len(p.Bytes))})
		}
		a, err := wim.Open(parts, &blobs.Options{References: refs})
		if err != nil {
			continue
		}
		for i := range a.Images() {
			im, err := a.Image(i + 1)
			if err != nil {
				continue
			}
			t.Run(s.Name, func(t *testing.T) {
				tried++
				again(t, im)
			})
		}
	}
	if tried < 30 {
		t.Errorf("only %d images tried", tried)
	}
}

// TestDraftByteIdentical checks that the metadata of trees captured by wimlib are written byte for byte as by wimlib.
func TestDraftByteIdentical(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	equal := 0
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			tree := filepath.Join(dir, "tree")
			if err := wimtest.Random(seed, nil).Write(tree); err != nil {
				t.Fatal(err)
			}
			wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", tree, "a.wim", "--compress=none", "--unix-data")
			im := archivetest.OpenFile(t, filepath.Join(dir, "a.wim"))
			_, meta := again(t, im)
			if newForm(im) {
				return
			}
			equal++
			if !bytes.Equal(meta, im.Metadata()) {
				at := differAt(meta, im.Metadata())
				t.Errorf("%d bytes, wimlib has %d; they differ at %#x:\n% x\n% x", len(meta), len(im.Metadata()), at,
					meta[at&^15:min(at&^15+64, len(meta))], im.Metadata()[at&^15:min(at&^15+64, len(im.Metadata()))])
			}
		})
	}
	if equal < 8 {
		t.Errorf("only %d trees compared", equal)
	}
}

// newForm reports whether the image has an entry whose streams wimlib has laid out differently since 1.14.2, as we do.
func newForm(im *wim.Image) bool {
	for n := range wim.Node(im.Len()) {
		if im.Attributes(n)&format.AttrDirectory != 0 && im.Dentry(n).NumStreams() > 0 {
			return true
		}
	}
	return false
}

func TestDraftOfVolume(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib, wimtest.MkNTFS, wimtest.NTFSCopy)
	dir := t.TempDir()
	v, err := wimtest.NewNTFS(filepath.Join(dir, "v.ntfs"), 8)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Fill(wimtest.Random(5, &wimtest.TreeOptions{Plain: true})); err != nil {
		t.Fatal(err)
	}
	a := filepath.Join(dir, "a.wim")
	if err := v.Capture(a, "volume", "--compress=none"); err != nil {
		t.Fatal(err)
	}
	im := archivetest.OpenFile(t, a)
	_, meta := again(t, im)
	if newForm(im) {
		t.Fatal("the tree should have no links to folders")
	}
	if !bytes.Equal(meta, im.Metadata()) {
		t.Errorf("%d bytes, wimlib has %d; they differ at %#x", len(meta), len(im.Metadata()), differAt(meta, im.Metadata()))
	}
}

// FuzzDraft writes what can be read of any metadata resource: it must read the same, and writing it again must give the same bytes.
func FuzzDraft(f *testing.F) {
	root, security := wimtest.WindowsTree()
	f.Add(wimtest.HandMetadata(root, security))
	f.Add(handtree.Metadata(handtree.Dir("", handtree.Dir("a", handtree.File("b")), handtree.File("c"))))
	f.Add(handtree.Metadata(handtree.Dir("", handtree.File("x").With(func(e *handtree.Item) { e.D.Link = 5 }), handtree.File("y").With(func(e *handtree.Item) { e.D.Link, e.D.Hash = 5, handtree.HashOf("x") }))))
	f.Add(handtree.Metadata(handtree.Dir("").With(func(e *handtree.Item) { e.Attrs, e.D.Link = format.AttrReparsePoint, format.TagMountPoint })))
	f.Fuzz(func(t *testing.T, meta []byte) {
		if len(meta) > 16<<10 {
			return
		}
		im, err := wim.ParseImage(nil, 1, meta)
		if err != nil || im.Len() > 2000 {
			return
		}
		d, err := Of(im)
		if err != nil {
			t.Fatal(err)
		}
		first, err := d.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		back := reload(t, d)
		if back.Len() != im.Len() {
			t.Fatalf("%d entries, want %d", back.Len(), im.Len())
		}
		e, err := Of(back)
		if err != nil {
			t.Fatal(err)
		}
		second, err := e.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Fatalf("written twice, the metadata differ at %#x", differAt(first, second))
		}
	})
}

// BenchmarkDraft reads and writes a hundred thousand entries, 100 in a folder. Bytes are those of the metadata resource.
func BenchmarkDraft(b *testing.B) {
	root := handtree.Dir("")
	for i := range 1000 {
		d := handtree.Dir(fmt.Sprintf("folder %04d", i))
		for j := range 99 {
			d.Kids = append(d.Kids, handtree.File(fmt.Sprintf("a file of some name %06d.%d.txt", j, i)))
		}
		root.Kids = append(root.Kids, d)
	}
	im, err := wim.ParseImage(nil, 1, handtree.Metadata(root))
	if err != nil {
		b.Fatal(err)
	}
	d, err := Of(im)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("of image", func(b *testing.B) {
		b.SetBytes(int64(len(im.Metadata())))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Of(im); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("metadata", func(b *testing.B) {
		b.SetBytes(int64(len(im.Metadata())))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.Metadata(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("graft", func(b *testing.B) {
		b.SetBytes(int64(len(im.Metadata())))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := New().Graft("/", d, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
