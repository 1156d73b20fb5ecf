package wim

import (
	"cmp"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/handtree"
)

// Loading and listing have fast paths for sound entries. These tests compare them with the complete code.

// sameTree loads metadata again, every entry by listEntry, and compares the trees.
func sameTree(t testing.TB, im *Image, meta []byte) {
	t.Helper()
	l := treeLoader{tree: &tree{meta: meta}, thorough: true}
	if err := l.load(0); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(im.nodes, l.nodes) || !slices.Equal(im.warnings, l.warnings) || !slices.Equal(im.named, l.named) {
		t.Fatalf("%d nodes, %d without the fast path, or different ones; warnings %q, %q", len(im.nodes), len(l.nodes), im.warnings, l.warnings)
	}
	for n := range Node(im.Len()) {
		if !im.InOrder(n) {
			continue
		}
		first, count := im.Children(n)
		for c := first + 1; c < first+Node(count); c++ {
			if compareNames(im, c-1, c) >= 0 {
				t.Fatalf("children %d and %d of %d are out of order", c-1, c, n)
			}
		}
	}
}

// TestTreesOfMutations checks that randomly damaged metadata give the same tree with and without the fast path.
func TestTreesOfMutations(t *testing.T) {
	root := handtree.Dir("")
	for i := range 40 {
		d := handtree.Dir(string(rune('a'+i%26)) + "-folder")
		for j := range i {
			d.Kids = append(d.Kids, handtree.File(string(rune('z'-j%26))+"name"+string(rune('0'+j))))
		}
		root.Kids = append(root.Kids, d, handtree.File(string(rune('A'+i))+"\u00e9tude"), handtree.File(".dot"+string(rune('A'+i))))
	}
	root.Kids = append(root.Kids, handtree.File("streams").With(func(e *handtree.Item) {
		e.Streams = []format.StreamEntry{{Name: handtree.U16("s"), Hash: handtree.HashOf("s")}, {}}
	}))
	good := handtree.Metadata(root, []byte("a descriptor"))
	im, err := ParseImage(nil, 1, good)
	if err != nil {
		t.Fatal(err)
	}
	sameTree(t, im, good)
	r := rand.New(rand.NewPCG(3, 4))
	rounds := 3000
	if wimtest.Fewer() {
		rounds = 500
	}
	for range rounds {
		meta := slices.Clone(good)
		for range 1 + r.IntN(6) {
			n := Node(r.IntN(im.Len()))
			at := int(im.nodes[n].off) + []int{0, 1, 8, 0x10, 0x11, 0x60, 0x62, 0x64, 0x66, 0x67, 0x68, 0x6a}[r.IntN(12)]
			meta[at] = []byte{0, 1, 2, '.', 0x10, 0x80, byte(r.Uint32())}[r.IntN(7)]
		}
		got, err := ParseImage(nil, 1, meta)
		if err == nil {
			checkTree(t, got)
			sameTree(t, got, meta)
		}
	}
}

func TestHasNUL(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		name := make([]byte, 2*r.IntN(20))
		want := false
		for i := 0; i < len(name); i += 2 {
			u := []uint16{0, 1, 0x100, 0x8000, 0x7fff, 0xffff, 0x8001, 'a'}[r.IntN(8)]
			if r.IntN(6) > 0 && u == 0 {
				u = 0xff00
			}
			binary.LittleEndian.PutUint16(name[i:], u)
			want = want || u == 0
		}
		if hasNUL(name) != want {
			t.Fatalf("hasNUL(%x) is not %v", name, want)
		}
	}
}

func TestNameOrder(t *testing.T) {
	plain := func(a, b []byte) (exact, fold int) {
		x, y := ntname.Units(a), ntname.Units(b)
		return slices.Compare(x, y), slices.CompareFunc(x, y, func(p, q uint16) int { return cmp.Compare(ntname.Upper(p), ntname.Upper(q)) })
	}
	r := rand.New(rand.NewPCG(7, 8))
	name := func() []byte {
		units := make([]uint16, r.IntN(14))
		for i := range units {
			units[i] = []uint16{'a', 'A', 'a', 'b', 0xe9, 0xc9}[r.IntN(6)]
		}
		return ntname.Bytes(units)
	}
	for range 50000 {
		a, b := name(), name()
		if r.IntN(2) == 0 {
			b = append(slices.Clone(a), b...)
		}
		e, f := ntname.Compare(a, b)
		if we, wf := plain(a, b); cmp.Compare(e, 0) != we || cmp.Compare(f, 0) != wf {
			t.Fatalf("ntname.Compare(%x, %x) = %d, %d, want %d, %d", a, b, e, f, we, wf)
		}
	}
}

// TestOrderOfTwins checks that duplicate names are found even if they do not break the order of names, and that names that differ only in
// case are sorted.
func TestOrderOfTwins(t *testing.T) {
	im := mustLoad(t, handtree.Metadata(handtree.Dir("", handtree.File("A"), handtree.File("a"), handtree.File("a"), handtree.File("b"))))
	if im.Len() != 4 || len(faults(im)) != 1 || im.InOrder(0) {
		t.Errorf("%d nodes, in order: %v, %q", im.Len(), im.InOrder(0), faults(im))
	}
	if im = mustLoad(t, handtree.Metadata(handtree.Dir("", handtree.File("A"), handtree.File("a"), handtree.File("b")))); !im.InOrder(0) || im.Len() != 4 {
		t.Errorf("%d nodes, in order: %v, %q", im.Len(), im.InOrder(0), faults(im))
	}
}
