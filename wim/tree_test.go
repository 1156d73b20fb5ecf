package wim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/wimtest/handtree"
)

func mustLoad(t testing.TB, meta []byte) *Image {
	t.Helper()
	im, err := ParseImage(nil, 1, meta)
	if err != nil {
		t.Fatal(err)
	}
	checkTree(t, im)
	return im
}

// checkTree checks the invariants of every tree: each node except the root is the child of one parent that comes before it, names are
// valid, and no two nodes have the same path.
func checkTree(t testing.TB, im *Image) {
	t.Helper()
	next := Node(1)
	for n := range Node(im.Len()) {
		first, count := im.Children(n)
		if count == 0 {
			continue
		}
		if first != next {
			t.Fatalf("children of %d start at %d, want %d", n, first, next)
		}
		next += Node(count)
		seen := map[string]bool{}
		for c := first; c < next; c++ {
			if im.Parent(c) != n || c <= n {
				t.Fatalf("node %d has parent %d and is a child of %d", c, im.Parent(c), n)
			}
			name := im.Name(c)
			if seen[name] {
				t.Fatalf("children of %d: two are named %q", n, name)
			}
			seen[name] = true
			if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
				t.Fatalf("node %d is named %q", c, name)
			}
			units, ok := ntname.Unescape(name)
			if !ok || !bytes.Equal(ntname.Bytes(units), im.StoredName(c)) {
				t.Fatalf("name %q is the escape of %x, not %x", name, units, im.StoredName(c))
			}
		}
	}
	if int(next) != im.Len() {
		t.Fatalf("%d of %d nodes can be reached", next, im.Len())
	}
}

// paths returns all paths in the order of nodes, folders with a trailing slash.
func paths(im *Image) []string {
	var list []string
	for n := range Node(im.Len()) {
		p := im.Path(n)
		if im.IsDir(n) && n > 0 {
			p += "/"
		}
		list = append(list, p)
	}
	return list
}

func wantPaths(t *testing.T, im *Image, want ...string) {
	t.Helper()
	if got := paths(im); !slices.Equal(got, want) {
		t.Errorf("paths are %q, want %q", got, want)
	}
}

func TestTree(t *testing.T) {
	im := mustLoad(t, handtree.Metadata(handtree.Dir("",
		handtree.Dir("a", handtree.File("x"), handtree.Dir("deep", handtree.File("y"))),
		handtree.File("b"),
		handtree.Dir("c"),
	)))
	wantPaths(t, im, "/", "/a/", "/b", "/c/", "/a/x", "/a/deep/", "/a/deep/y")
	if list := faults(im); len(list) > 0 {
		t.Errorf("faults: %q", list)
	}
	for _, path := range []string{"/a/deep/y", "a/deep/y", `\a\deep\y`, "/A/Deep/Y", "a//deep/y/"} {
		if n, ok := im.Lookup(path); !ok || im.Path(n) != "/a/deep/y" {
			t.Errorf("Lookup(%q) = %d, %v", path, n, ok)
		}
	}
	for _, path := range []string{"/a/nope", "/b/x", "/.."} {
		if n, ok := im.Lookup(path); ok {
			t.Errorf("Lookup(%q) found %d", path, n)
		}
	}
	if n, ok := im.Lookup("/"); !ok || n != 0 {
		t.Errorf("Lookup(/) = %d, %v", n, ok)
	}
}

// TestRootPlace checks that the root entry is at the security block's length rounded up to 8, where 0 counts as 8.
func TestRootPlace(t *testing.T) {
	sd := []byte("descriptor")
	for _, tt := range []struct {
		name     string
		security func() []byte
	}{
		{"zero length", func() []byte { return make([]byte, 8) }},
		{"length 8", func() []byte { return format.SecurityData{TotalLength: 8}.Append(nil) }},
		{"unaligned length", func() []byte {
			s := format.SecurityData{TotalLength: 26, Count: 1, Descriptors: [][]byte{sd}}
			return append(s.Append(nil), make([]byte, 6)...)
		}},
		{"length beyond what is needed", func() []byte {
			return format.SecurityData{TotalLength: 64, Count: 1, Descriptors: [][]byte{sd}, Rest: make([]byte, 38)}.Append(nil)
		}},
		{"descriptors that do not fit", func() []byte {
			b := format.SecurityData{TotalLength: 32, Count: 1, Descriptors: [][]byte{sd}, Rest: make([]byte, 6)}.Append(nil)
			binary.LittleEndian.PutUint64(b[8:], 1<<40)
			return b
		}},
		{"count that does not fit", func() []byte {
			b := format.SecurityData{TotalLength: 32, Count: 1, Descriptors: [][]byte{sd}, Rest: make([]byte, 6)}.Append(nil)
			binary.LittleEndian.PutUint32(b[4:], 1<<31)
			return b
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantPaths(t, mustLoad(t, handtree.AppendTree(tt.security(), handtree.Dir("", handtree.File("x")))), "/", "/x")
		})
	}
}

func TestNoRoot(t *testing.T) {
	empty := mustLoad(t, make([]byte, 16)) // a terminator for a root: an image of nothing
	wantPaths(t, empty, "/")
	wantFault(t, empty, "no root")
	for _, tt := range []struct {
		name string
		meta []byte
	}{
		{"empty", nil},
		{"seven bytes", make([]byte, 7)},
		{"no room for a root", make([]byte, 8)},
		{"security data past the end", format.SecurityData{TotalLength: 1 << 30}.Append(nil)},
		{"root cut short", handtree.Metadata(handtree.Dir(""))[:60]},
		{"root is a file", handtree.Metadata(handtree.File(""))},
	} {
		if _, err := ParseImage(nil, 1, tt.meta); !errors.Is(err, format.ErrFormat) {
			t.Errorf("%s: error %v, want a *format.Error", tt.name, err)
		} else if fe := new(format.Error); !errors.As(err, &fe) || fe.Record == "" {
			t.Errorf("%s: error %v has no record", tt.name, err)
		}
	}
}

// TestEmptyDirectory checks that a directory is empty if its offset is 0 or that of a terminator.
func TestEmptyDirectory(t *testing.T) {
	meta := handtree.Metadata(handtree.Dir("", handtree.Dir("none"), handtree.Dir("terminator")))
	im := mustLoad(t, meta)
	binary.LittleEndian.PutUint64(meta[im.nodes[1].off+0x10:], 0)
	im = mustLoad(t, meta)
	wantPaths(t, im, "/", "/none/", "/terminator/")
	if list := faults(im); len(list) > 0 {
		t.Errorf("faults: %q", list)
	}
}

func TestHostileEntries(t *testing.T) {
	for _, tt := range []struct {
		name    string
		root    *handtree.Item
		paths   []string
		warning string
	}{
		{"dotdot", handtree.Dir("", handtree.File("a"), handtree.Dir("..", handtree.File("evil")), handtree.Dir(".", handtree.File("evil")), handtree.File("b")), []string{"/", "/a", "/b"}, `entry named ".."`},
		{"no name", handtree.Dir("", &handtree.Item{Raw: []byte{}}, handtree.File("b")), []string{"/", "/b"}, "without a name"},
		{"NUL in name", handtree.Dir("", handtree.File("a\x00b"), handtree.File("b")), []string{"/", "/b"}, "NUL"},
		{"duplicate names", handtree.Dir("", handtree.File("b"), handtree.File("a"), handtree.File("b").With(func(e *handtree.Item) { e.Attrs = format.AttrHidden }), handtree.File("c"), handtree.File("b")),
			[]string{"/", "/b", "/a", "/c"}, `second entry named "b"`},
		{"duplicate of a folder", handtree.Dir("", handtree.Dir("d", handtree.File("one")), handtree.Dir("d", handtree.File("two"))), []string{"/", "/d/", "/d/one"}, `second entry named "d"`},
		{"slash and backslash", handtree.Dir("", handtree.File("../../etc"), handtree.File(`..\x`)),
			[]string{"/", "/..␛002F..␛002Fetc", "/..␛005Cx"}, ""},
		{"children of a file", handtree.Dir("", &handtree.Item{Name: "f", Kids: []*handtree.Item{handtree.File("x")}}, handtree.File("g")), []string{"/", "/f", "/g"}, "not a folder"},
		{"children of a junction", handtree.Dir("", handtree.Dir("j", handtree.File("x")).With(func(e *handtree.Item) { e.Attrs, e.D.Link = format.AttrReparsePoint, format.TagMountPoint })),
			[]string{"/", "/j"}, "not a folder"},
		{"children of a cloud folder", handtree.Dir("", handtree.Dir("j", handtree.File("x")).With(func(e *handtree.Item) { e.Attrs, e.D.Link = format.AttrReparsePoint, 0x9000601a })),
			[]string{"/", "/j/", "/j/x"}, ""},
		{"list past the end", handtree.Dir("", handtree.Dir("d").With(func(e *handtree.Item) { e.Sub = 1 << 40 }), handtree.File("b")), []string{"/", "/d/", "/b"}, "past the end"},
		{"list before its parent: a cycle", handtree.Dir("", handtree.Dir("d").With(func(e *handtree.Item) { e.Sub = 8 })), []string{"/", "/d/"}, "in the tree already"},
		{"length too short", handtree.Dir("", handtree.File("a"), handtree.File("b").With(func(e *handtree.Item) { e.D.Length = 20 }), handtree.File("c")), []string{"/", "/a"}, "rest of the list"},
		{"length past the end", handtree.Dir("", handtree.File("a"), handtree.File("b").With(func(e *handtree.Item) { e.D.Length = 1 << 60 })), []string{"/", "/a"}, "rest of the list"},
		{"length that wraps", handtree.Dir("", handtree.File("a"), handtree.File("b").With(func(e *handtree.Item) { e.D.Length = 1<<64 - 1 })), []string{"/", "/a"}, "rest of the list"},
		{"stream count past the end", handtree.Dir("", handtree.File("a").With(func(e *handtree.Item) { e.D.NumStreams = 65535 }), handtree.File("b")), []string{"/", "/a"}, "rest of the list"},
		{"stream with a length that lies", handtree.Dir("", handtree.File("a").With(func(e *handtree.Item) {
			e.Streams = []format.StreamEntry{{Length: 1<<64 - 8, Name: handtree.U16("s")}}
		}), handtree.File("b")), []string{"/", "/a"}, "rest of the list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			im := mustLoad(t, handtree.Metadata(tt.root))
			wantPaths(t, im, tt.paths...)
			if tt.warning != "" {
				wantFault(t, im, tt.warning)
			} else if list := faults(im); len(list) > 0 {
				t.Errorf("faults: %q", list)
			}
		})
	}
}

// TestNameLengthOverflow reads h1.wim, with a name of 0xfffe bytes, whose size with its NUL is 0 in 16 bits. The entry is left out, its
// siblings stay.
func TestNameLengthOverflow(t *testing.T) {
	for _, size := range []uint16{0xfffe, 0xffff, 0x1000, 9} {
		meta := handtree.Metadata(handtree.Dir("", handtree.File("a"), handtree.File("b"), handtree.File("c")))
		im := mustLoad(t, meta)
		binary.LittleEndian.PutUint16(meta[im.nodes[2].off+0x64:], size)
		im = mustLoad(t, meta)
		wantPaths(t, im, "/", "/a", "/c")
		wantFault(t, im, "entry left out")
	}
}

// TestSharedList checks that a list that two directories share, and lists that overlap, are read once.
func TestSharedList(t *testing.T) {
	meta := handtree.Metadata(handtree.Dir("", handtree.Dir("a", handtree.File("x"), handtree.File("y")), handtree.Dir("b", handtree.File("z"))))
	im := mustLoad(t, meta)
	a, b := im.nodes[1].off, im.nodes[2].off
	copy(meta[b+0x10:b+0x18], meta[a+0x10:a+0x18])
	im = mustLoad(t, meta)
	wantPaths(t, im, "/", "/a/", "/b/", "/a/x", "/a/y")
	wantFault(t, im, "in the tree already")

	// A list that starts inside an entry of another list.
	binary.LittleEndian.PutUint64(meta[b+0x10:], binary.LittleEndian.Uint64(meta[a+0x10:])+8)
	checkTree(t, mustLoad(t, meta))
}

// TestUnalignedList checks that lists may start at offsets that are not multiples of 8.
func TestUnalignedList(t *testing.T) {
	meta := handtree.Metadata(handtree.Dir("", handtree.Dir("a", handtree.File("x"), handtree.File("y").With(func(e *handtree.Item) {
		e.Streams = []format.StreamEntry{{Name: handtree.U16("s"), Hash: handtree.HashOf("s")}}
	}), handtree.File("z"))))
	im := mustLoad(t, meta)
	a := im.nodes[1].off
	list := binary.LittleEndian.Uint64(meta[a+0x10:])
	moved := append(slices.Clone(meta), 0, 0, 0, 0)
	at := len(moved)
	moved = append(moved, meta[list:]...)
	clear(moved[list:len(meta)]) // or its entries would be found, in no folder
	binary.LittleEndian.PutUint64(moved[a+0x10:], uint64(at))
	im = mustLoad(t, moved)
	wantPaths(t, im, "/", "/a/", "/a/x", "/a/y", "/a/z")
	if list := faults(im); len(list) > 0 {
		t.Errorf("faults: %q", list)
	}
	if s := im.Streams(3); len(s) != 1 || s[0].Name != "s" {
		t.Errorf("streams of /a/y are %v", s)
	}
}

func TestDepthCap(t *testing.T) {
	e := handtree.Dir("x", handtree.File("bottom"))
	for range MaxTreeDepth + 10 {
		e = handtree.Dir("d", e)
	}
	im := mustLoad(t, handtree.Metadata(&handtree.Item{Dir: true, Kids: []*handtree.Item{e}}))
	if im.Len() != MaxTreeDepth+1 {
		t.Errorf("%d nodes, want %d", im.Len(), MaxTreeDepth+1)
	}
	wantFault(t, im, "deeper than")
}

// TestWarningsBounded checks that thousands of faults at the end of a long path give a few warnings, and take little time.
func TestWarningsBounded(t *testing.T) {
	e := handtree.Dir("faults")
	for range 50000 {
		e.Kids = append(e.Kids, handtree.File(".."))
	}
	for range MaxTreeDepth - 10 {
		e = handtree.Dir("d", e)
	}
	start := time.Now()
	im := mustLoad(t, handtree.Metadata(&handtree.Item{Dir: true, Kids: []*handtree.Item{e}}))
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("loading took %v", d)
	}
	if losses, n := im.Losses(); len(losses) != maxTreeLosses || n != 50000 {
		t.Errorf("%d of %d losses, want %d of 50000", len(losses), n, maxTreeLosses)
	}
}

func TestStreamRules(t *testing.T) {
	data, rp, ads := handtree.HashOf("data"), handtree.HashOf("reparse"), handtree.HashOf("ads")
	named := func(h [20]byte) format.StreamEntry { return format.StreamEntry{Name: handtree.U16("n"), Hash: h} }
	unnamed := func(h [20]byte) format.StreamEntry { return format.StreamEntry{Hash: h} }
	da39 := [20]byte([]byte(format.EmptyHash))
	for _, tt := range []struct {
		name    string
		attrs   uint32
		main    [20]byte
		streams []format.StreamEntry
		data    format.Hash
		reparse format.Hash
		named   []format.Hash
	}{
		{"main hash alone", 0, data, nil, data, format.Hash{}, nil},
		{"main hash of a reparse point", format.AttrReparsePoint, rp, nil, format.Hash{}, rp, nil},
		{"empty as zero", 0, format.Hash{}, nil, format.Hash{}, format.Hash{}, nil},
		{"empty as da39…", 0, da39, nil, format.Hash{}, format.Hash{}, nil},
		{"empty as da39… in an entry", 0, format.Hash{}, []format.StreamEntry{unnamed(da39), named(ads)}, format.Hash{}, format.Hash{}, []format.Hash{ads}},
		{"all in extra entries: the zero main hash is ignored", 0, format.Hash{}, []format.StreamEntry{unnamed(data), named(ads)}, data, format.Hash{}, []format.Hash{ads}},
		{"main hash with named entries", 0, data, []format.StreamEntry{named(ads)}, data, format.Hash{}, []format.Hash{ads}},
		{"reparse first, then data", format.AttrReparsePoint, format.Hash{}, []format.StreamEntry{unnamed(rp), unnamed(data), named(ads)}, data, rp, []format.Hash{ads}},
		{"reparse in the main hash, data in an entry", format.AttrReparsePoint, rp, []format.StreamEntry{unnamed(data)}, data, rp, nil},
		{"reparse point with empty data", format.AttrReparsePoint, format.Hash{}, []format.StreamEntry{unnamed(rp), unnamed(format.Hash{})}, format.Hash{}, rp, nil},
		{"named before unnamed", 0, format.Hash{}, []format.StreamEntry{named(ads), unnamed(data)}, data, format.Hash{}, []format.Hash{ads}},
		{"encrypted: one raw stream", format.AttrEncrypted, data, nil, data, format.Hash{}, nil},
		{"encrypted, in an entry", format.AttrEncrypted, format.Hash{}, []format.StreamEntry{unnamed(data)}, data, format.Hash{}, nil},
		{"directory with an unnamed entry, as wimlib before 1.14.2", format.AttrDirectory, format.Hash{}, []format.StreamEntry{unnamed(format.Hash{}), named(ads)}, format.Hash{}, format.Hash{}, []format.Hash{ads}},
		{"directory with unnamed data", format.AttrDirectory, data, nil, format.Hash{}, format.Hash{}, nil},
		{"junction with a named stream", format.AttrDirectory | format.AttrReparsePoint, format.Hash{}, []format.StreamEntry{unnamed(rp), unnamed(format.Hash{}), named(ads)}, format.Hash{}, rp, []format.Hash{ads}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			im := mustLoad(t, handtree.Metadata(handtree.Dir("", &handtree.Item{Name: "f", Attrs: tt.attrs, Streams: tt.streams,
				D: format.Dentry{Hash: tt.main, Link: format.TagSymlink * uint64(tt.attrs>>10&1)}}, handtree.File("last"))))
			if got := im.Hash(1); got != tt.data {
				t.Errorf("data is %v, want %v", got, tt.data)
			}
			var reparse format.Hash
			var names []format.Hash
			for _, s := range im.Streams(1) {
				if s.Kind == format.StreamReparse {
					reparse = s.Hash
				} else {
					names = append(names, s.Hash)
				}
			}
			if reparse != tt.reparse {
				t.Errorf("reparse data is %v, want %v", reparse, tt.reparse)
			}
			if !slices.Equal(names, tt.named) || im.NamedStreams(1) != len(tt.named) {
				t.Errorf("named streams are %v, want %v", names, tt.named)
			}
			var each, want []format.Hash
			im.EachStream(0, Node(im.Len()), func(n Node, h format.Hash, kind format.StreamKind, name []byte) bool {
				if n == 1 {
					each = append(each, h)
				}
				return true
			})
			for _, h := range append([]format.Hash{tt.data, tt.reparse}, tt.named...) {
				if !h.IsZero() {
					want = append(want, h)
				}
			}
			if !slices.Equal(each, want) {
				t.Errorf("EachStream gives %v, want %v", each, want)
			}
			if p := im.Path(2); p != "/last" {
				t.Errorf("the next entry is %q", p)
			}
		})
	}
}

// TestHardLinks checks that entries with one group number are one file if they have the same content: install.wim of Windows 7 has
// different files with one number. Directories are never hard links, and reparse points have a tag in place of the number.
func TestHardLinks(t *testing.T) {
	link := func(name string, group uint64, h string, attrs uint32) *handtree.Item {
		return &handtree.Item{Name: name, Attrs: attrs, D: format.Dentry{Link: group, Hash: handtree.HashOf(h)}}
	}
	im := mustLoad(t, handtree.Metadata(handtree.Dir("",
		link("a1", 7, "a", 0),
		link("a2", 7, "a", format.AttrHidden),
		link("b1", 7, "b", 0),
		link("alone", 8, "c", 0),
		link("none1", 0, "d", 0),
		link("none2", 0, "d", 0),
		link("dir1", 9, "", format.AttrDirectory),
		link("dir2", 9, "", format.AttrDirectory),
		link("rp1", format.TagSymlink, "e", format.AttrReparsePoint),
		link("rp2", format.TagSymlink, "e", format.AttrReparsePoint),
		handtree.Dir("sub", link("a3", 7, "a", 0), link("b2", 7, "b", 0)),
	)))
	for _, group := range []string{"a1 a2 sub/a3", "b1 sub/b2", "alone", "none1", "none2", "dir1", "dir2", "rp1", "rp2"} {
		var nodes []Node
		for name := range strings.FieldsSeq(group) {
			n, ok := im.Lookup(name)
			if !ok {
				t.Fatal(name)
			}
			nodes = append(nodes, n)
		}
		for _, n := range nodes {
			if got := im.HardLinks(n); !slices.Equal(got, nodes) {
				t.Errorf("names of %s are %v, want %v", im.Path(n), got, nodes)
			}
			if im.HardLinkCount(n) != len(nodes) || im.FirstHardLink(n) != nodes[0] {
				t.Errorf("%s: count %d, first %d", im.Path(n), im.HardLinkCount(n), im.FirstHardLink(n))
			}
		}
	}
}

func TestCaseTwins(t *testing.T) {
	im := mustLoad(t, handtree.Metadata(handtree.Dir("", handtree.File("ab"), handtree.File("AB"), handtree.File("Ab"), handtree.File("other"), handtree.Dir("d", handtree.File("É"), handtree.File("é"), handtree.File("x")), handtree.Dir("e", handtree.File("x")))))
	var got []string
	for _, n := range im.CaseTwins() {
		got = append(got, im.Path(n))
	}
	if want := []string{"/ab", "/AB", "/Ab", "/d/É", "/d/é"}; !slices.Equal(got, want) {
		t.Errorf("twins are %q, want %q", got, want)
	}
	for _, name := range []string{"ab", "AB", "Ab"} {
		if n, ok := im.Lookup(name); !ok || im.Name(n) != name {
			t.Errorf("Lookup(%q) finds %q", name, im.Name(n))
		}
	}
	if n, ok := im.Lookup("aB"); !ok || !strings.EqualFold(im.Name(n), "ab") {
		t.Errorf("Lookup(aB) = %d, %v", n, ok)
	}
}

func TestFields(t *testing.T) {
	items := format.TaggedItem{Tag: format.TagObjectID, Data: []byte("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff")}.Append(nil)
	items = format.TaggedItem{Tag: format.TagUnixData, Data: format.UnixData{UID: 1000, GID: 50, Mode: 0100640}.Append(nil)}.Append(items)
	x := format.Xattr{Flags: 0x80, Name: "EA", Value: []byte("value")}.Append(nil)
	items = format.TaggedItem{Tag: format.TagXattrs, Data: format.Xattr{Name: "B"}.Append(x)}.Append(items)
	items = format.TaggedItem{Tag: format.TagLinuxXattrs, Data: []byte("\x06\x00\x00\x00\x03\x00\x00\x00user.aabc\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00user.b\x00\x00")}.Append(items)
	items = format.TaggedItem{Tag: 0x1234, Data: []byte("kept")}.Append(items)
	im := mustLoad(t, handtree.Metadata(handtree.Dir("", &handtree.Item{Name: "f", Attrs: format.AttrArchive, D: format.Dentry{
		ShortName: handtree.U16("F~1"), Created: 1, Accessed: 2, Modified: 133701234567890123, Items: items,
	}})))
	if im.ShortName(1) != "F~1" || im.Created(1) != 1 || im.Accessed(1) != 2 || im.Modified(1) != 133701234567890123 || im.Attributes(1) != format.AttrArchive {
		t.Errorf("short name %q, times %d %d %d, attributes %x", im.ShortName(1), im.Created(1), im.Accessed(1), im.Modified(1), im.Attributes(1))
	}
	if got := format.GUIDText(im.Items(1).ObjectID()); got != "{33221100-5544-7766-8899-aabbccddeeff}" {
		t.Errorf("object id %s", got)
	}
	if u, ok := im.Items(1).UnixData(); !ok || u.String() != "0640 uid 1000 gid 50" {
		t.Errorf("Unix data %v, %v", u, ok)
	}
	if got := fmt.Sprint(im.Items(1).Xattrs()); got != "[{128 EA [118 97 108 117 101]} {0 B []} {0 user.a [97 98 99]} {0 user.b []}]" {
		t.Errorf("extended attributes %s", got)
	}
	if got := im.Items(1).Unknown(); len(got) != 1 || got[0].Tag != 0x1234 || string(got[0].Data) != "kept" {
		t.Errorf("items %v", got)
	}
}

func TestLargeFolder(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    func(i int) string
	}{
		{"ordered", func(i int) string { return fmt.Sprintf("file%06d", i) }},
		{"unordered", func(i int) string { return fmt.Sprintf("file%d.txt", i*7919%20011) }},
		{"many twins", func(i int) string { // all equal but for case
			b := []byte("abcdefghijklmnop")
			for j := range b {
				b[j] -= byte(i>>j&1) * 32
			}
			return string(b)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := handtree.Dir("")
			for i := range 20000 {
				root.Kids = append(root.Kids, handtree.File(tt.f(i)))
			}
			im := mustLoad(t, handtree.Metadata(root))
			if im.Len() != 20001 {
				t.Fatalf("%d nodes; %q", im.Len(), faults(im))
			}
			for i := 0; i < 20000; i += 17 {
				if n, ok := im.Lookup(tt.f(i)); !ok || im.Name(n) != tt.f(i) {
					t.Fatalf("Lookup(%q) = %d, %v", tt.f(i), n, ok)
				}
			}
			list := im.List(0, ByName, false, nil)
			if !slices.IsSortedFunc(list, func(a, b Node) int { return compareNames(im, a, b) }) || len(list) != 20000 {
				t.Error("not in order")
			}
		})
	}
}

func FuzzTree(f *testing.F) {
	f.Add(handtree.Metadata(handtree.Dir("", handtree.Dir("a", handtree.File("x")), handtree.File("b"))))
	f.Add(handtree.Metadata(handtree.Dir("", handtree.File("b"), handtree.File("a"), handtree.File("b"), handtree.Dir("..", handtree.File("x")))))
	f.Add(handtree.Metadata(handtree.Dir("", handtree.File("a").With(func(e *handtree.Item) {
		e.Streams = []format.StreamEntry{{Name: handtree.U16("s"), Hash: handtree.HashOf("s")}, {}}
	})), []byte("sd")))
	f.Add(handtree.Metadata(handtree.Dir("", handtree.Dir("cycle").With(func(e *handtree.Item) { e.Sub = 8 }))))
	f.Fuzz(func(t *testing.T, meta []byte) {
		im, err := ParseImage(nil, 1, meta)
		if err != nil {
			if !errors.Is(err, format.ErrFormat) {
				t.Fatalf("error %v is not a *format.Error", err)
			}
			return
		}
		if im.Len() > len(meta)/format.DentryFixedSize+1 {
			t.Fatalf("%d nodes out of %d bytes", im.Len(), len(meta))
		}
		checkTree(t, im)
		sameTree(t, im, meta)
		for n := range Node(im.Len()) {
			path := im.Path(n)
			if got, ok := im.Lookup(path); !ok || got != n {
				t.Fatalf("Lookup(%q) = %d, %v, want %d", path, got, ok, n)
			}
			im.Streams(n)
			im.Items(n).Xattrs()
			im.Items(n).Unknown()
			im.ShortName(n)
			format.GUIDText(im.Items(n).ObjectID())
			modeOf(im, n)
			links := im.HardLinks(n)
			if !slices.Contains(links, n) || im.FirstHardLink(n) != links[0] || !slices.IsSorted(links) {
				t.Fatalf("links of %d are %v", n, links)
			}
			for _, l := range links {
				if im.Hash(l) != im.Hash(n) {
					t.Fatalf("links %d and %d differ", l, n)
				}
			}
			if list := im.List(n, BySize, true, nil); len(list) != func() int { _, c := im.Children(n); return c }() {
				t.Fatalf("List(%d) has %d entries", n, len(list))
			}
		}
		im.CaseTwins()
	})
}

func BenchmarkLoad(b *testing.B) {
	root := handtree.Dir("")
	for i := range 300 {
		d := handtree.Dir(fmt.Sprintf("amd64_microsoft-windows-component-%05d_31bf3856ad364e35_10.0.19041.1_none_0123456789abcdef", i))
		for j := range 333 {
			d.Kids = append(d.Kids, handtree.File(fmt.Sprintf("some-file-name-%03d.dll", j)))
		}
		root.Kids = append(root.Kids, d)
	}
	meta := handtree.Metadata(root)
	b.SetBytes(int64(len(meta)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseImage(nil, 1, meta); err != nil {
			b.Fatal(err)
		}
	}
}

// faults returns the losses and the warnings of an image.
func faults(im *Image) []string {
	var list []string
	losses, _ := im.Losses()
	for i := range losses {
		list = append(list, losses[i].String())
	}
	return append(list, im.Warnings()...)
}

func wantFault(t *testing.T, im *Image, part string) {
	t.Helper()
	if list := faults(im); !slices.ContainsFunc(list, func(w string) bool { return strings.Contains(w, part) }) {
		t.Errorf("faults %q do not contain %q", list, part)
	}
}
