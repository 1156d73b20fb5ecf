package core

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/wimtest"
)

// Opening and listing have short ways for what is sound. Each is held here to the long way, which judges everything.

// sameTables reads an archive's blob tables once more, every entry by addEntry, and wants the same of it.
func sameTables(t *testing.T, a *Archive) {
	t.Helper()
	load := func(thorough bool) *Store {
		b := &Store{opts: a.Store().opts, parts: a.Store().parts, nParts: a.Store().nParts, first: a.Store().first, total: a.Store().total}
		l := &loader{a: b, hi: b.nParts, metas: true, solidIDs: map[solidKey]int32{}, thorough: thorough}
		if err := l.load(); err != nil {
			t.Fatalf("thorough=%v: %v", thorough, err)
		}
		return b
	}
	quick, long := load(false), load(true)
	if !slices.Equal(quick.blobs, long.blobs) {
		t.Errorf("%d blobs, %d by the long way, or others", len(quick.blobs), len(long.blobs))
	}
	if !slices.Equal(quick.metas, long.metas) || !slices.Equal(quick.warnings, long.warnings) {
		t.Errorf("images %+v, by the long way %+v; warnings %q, %q", quick.metas, long.metas, quick.warnings, long.warnings)
	}
	for i := range quick.blobs {
		if id, ok := quick.blobID(quick.blobs[i].hash); !ok || int(id) != i {
			t.Fatalf("blob %d is found as %d, %v", i, id, ok)
		}
	}
}

func TestTablesOfSamples(t *testing.T) {
	for _, s := range wimtest.Samples() {
		t.Run(s.Name, func(t *testing.T) {
			a, err := Open(sampleParts(s.Parts), &ReadOptions{References: sampleParts(s.Refs)})
			if err == nil {
				sameTables(t, a)
			}
		})
	}
}

// A table of what goes the short way mixed with all that does not.
func TestTablesOfMixedEntries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, flags := range []uint32{0, format.FlagCompression | format.FlagXPRESS, format.FlagCompression | format.FlagLZX} {
		h := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "some text")))
		h.Flags, h.Unused = flags, make([]byte, 5000)
		if flags != 0 {
			h.ChunkSize = 32 << 10
		}
		for range 5000 {
			e := format.BlobEntry{Part: 1, RefCount: 1, Hash: wimtestHash(r.IntN(3000))}
			size := uint64(r.IntN(3) * r.IntN(200))
			e.Resource = format.ResourceHeader{Off: uint64(208 + r.IntN(5000)), PackedSize: size, Size: size}
			switch r.IntN(12) {
			case 0:
				e.Resource.Size += uint64(r.IntN(100_000))
			case 1, 2, 3:
				e.Resource.Flags = format.ResCompressed
				e.Resource.Size = uint64(r.IntN(100_000))
			case 4:
				e.Resource.Off = r.Uint64()
			case 5:
				e.Part = uint16(r.IntN(3))
			case 6:
				e.Hash = [20]byte{}
			case 7:
				e.Resource.PackedSize = r.Uint64() & format.MaxPackedSize
			case 8:
				e.Resource.Flags, e.RefCount = format.ResMetadata, uint32(r.IntN(2))
			case 9:
				e.Resource.Flags = uint8(r.Uint32())
			}
			h.Extra = append(h.Extra, e.Append(nil))
		}
		a := mustOpen(t, h.Bytes())
		if a.Store().nBlobs < 1000 {
			t.Fatalf("only %d blobs of flags %x", a.Store().nBlobs, flags)
		}
		sameTables(t, a)
		checkTiles(t, a)
	}
}

func wimtestHash(i int) (h [20]byte) {
	binary.LittleEndian.PutUint32(h[i%5*4:], uint32(i+1))
	return h
}

// sameTree loads metadata once more, every entry by listEntry, and wants the same tree.
func sameTree(t testing.TB, im *Image, meta []byte) {
	t.Helper()
	l := treeLoader{tree: &tree{meta: meta}, thorough: true}
	if err := l.load(0); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(im.nodes, l.nodes) || !slices.Equal(im.warnings, l.warnings) || !slices.Equal(im.named, l.named) {
		t.Fatalf("%d nodes, %d by the long way, or others; warnings %q, %q", len(im.nodes), len(l.nodes), im.warnings, l.warnings)
	}
	for n := range Node(im.Len()) {
		if !im.inOrder(n) {
			continue
		}
		first, count := im.Children(n)
		for c := first + 1; c < first+Node(count); c++ {
			if im.compareNames(c-1, c) >= 0 {
				t.Fatalf("children %d and %d of %d are not in order", c-1, c, n)
			}
		}
	}
}

// Metadata that is damaged at random gives the same tree both ways.
func TestTreesOfMutations(t *testing.T) {
	root := dir("")
	for i := range 40 {
		d := dir(string(rune('a'+i%26)) + "-folder")
		for j := range i {
			d.kids = append(d.kids, file(string(rune('z'-j%26))+"name"+string(rune('0'+j))))
		}
		root.kids = append(root.kids, d, file(string(rune('A'+i))+"\u00e9tude"), file(".dot"+string(rune('A'+i))))
	}
	root.kids = append(root.kids, file("streams").with(func(e *entry) {
		e.streams = []format.StreamEntry{{Name: u16("s"), Hash: hashOf("s")}, {}}
	}))
	good := metadata(root, []byte("a descriptor"))
	im, err := loadImage(nil, 1, good)
	if err != nil {
		t.Fatal(err)
	}
	sameTree(t, im, good)
	r := rand.New(rand.NewPCG(3, 4))
	rounds := 3000
	if fewer() {
		rounds = 500
	}
	for range rounds {
		meta := slices.Clone(good)
		for range 1 + r.IntN(6) {
			n := Node(r.IntN(im.Len()))
			at := int(im.nodes[n].off) + []int{0, 1, 8, 0x10, 0x11, 0x60, 0x62, 0x64, 0x66, 0x67, 0x68, 0x6a}[r.IntN(12)]
			meta[at] = []byte{0, 1, 2, '.', 0x10, 0x80, byte(r.Uint32())}[r.IntN(7)]
		}
		got, err := loadImage(nil, 1, meta)
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

// Tiles are as if each byte were given to what starts first, and of those to what is listed first.
func TestTiles(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for round := range 3000 {
		size := int64(1 + r.IntN(5000))
		var list []extent
		for range r.IntN(30) {
			off := r.Int64N(size)
			list = append(list, extent{off, min(size, off+1+r.Int64N(400)), extentKind(r.IntN(int(extUnused)))})
		}
		owner := make([]extentKind, size)
		for i := range owner {
			owner[i] = extUnused
			best := size
			for _, e := range list {
				if e.off <= int64(i) && int64(i) < e.end && e.off < best {
					best, owner[i] = e.off, e.kind
				}
			}
		}
		var want []Region
		for i, k := range owner {
			if n := len(want); n > 0 && want[n-1].Kind == k.region() {
				want[n-1].Len++
			} else {
				want = append(want, Region{3, int64(i), 1, k.region()})
			}
		}
		if got := appendTiles(nil, 3, list, size); !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d: %v\nof %v, want %v", round, got, list, want)
		}
	}
}

// Places far behind each other, which take several digits, come in the order of a stable sort; so does a list of none or one.
func TestByOffset(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, n := range []int{0, 1, 2000} {
		for _, most := range []int64{1, 2, 1 << 11, 1 << 22, 1 << 45, 1 << 62} {
			list := make([]extent, n)
			want := make([]uint32, n)
			for i := range list {
				list[i].off = r.Int64N(most)
				want[i] = uint32(i)
			}
			slices.SortStableFunc(want, func(p, q uint32) int { return cmp.Compare(list[p].off, list[q].off) })
			if got := byOffset(list); !slices.Equal(got, want) {
				t.Fatalf("%d extents below %d: %v, want %v", n, most, got, want)
			}
		}
	}
}

// A hash that the surroundings compute counts, and one that they fail to compute is computed here.
func TestSHA1Option(t *testing.T) {
	b := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "some text"))).Bytes()
	for _, test := range []struct {
		name  string
		sum   [20]byte
		err   error
		none  bool
		wrong bool
	}{
		{name: "wrong", wrong: true},
		{name: "fails", err: errors.New("not now")},
		{name: "declines", none: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			a, err := openMem(b, &ReadOptions{SHA1: func([]byte) func() ([20]byte, error) {
				asked++
				if test.none {
					return nil
				}
				return func() ([20]byte, error) { return test.sum, test.err }
			}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = a.Image(1)
			var ce *ChecksumError
			if errors.As(err, &ce) != test.wrong || !test.wrong && err != nil || asked != 1 {
				t.Errorf("asked %d times: %v", asked, err)
			}
			if _, err := a.Metadata(1); (err != nil) != test.wrong {
				t.Errorf("Metadata: %v", err)
			}
		})
	}
}

// The same name twice is found where it does not break the order of names; case twins are in it.
func TestOrderOfTwins(t *testing.T) {
	im := mustLoad(t, metadata(dir("", file("A"), file("a"), file("a"), file("b"))))
	if im.Len() != 4 || len(im.Warnings()) != 1 || im.inOrder(0) {
		t.Errorf("%d nodes, in order: %v, %q", im.Len(), im.inOrder(0), im.Warnings())
	}
	if im = mustLoad(t, metadata(dir("", file("A"), file("a"), file("b")))); !im.inOrder(0) || im.Len() != 4 {
		t.Errorf("%d nodes, in order: %v, %q", im.Len(), im.inOrder(0), im.Warnings())
	}
}
