package draft

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/config"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/wimtest/handtree"
)

// draftPaths returns a draft's paths, folders with a trailing slash.
func draftPaths(d *Draft) (list []string) {
	for stack := []Node{0}; len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		p := d.Path(n)
		if d.IsDir(n) && n != 0 {
			p += "/"
		}
		list = append(list, p)
		stack = append(stack, d.Children(n)...)
	}
	slices.Sort(list)
	return list
}

func addFile(t testing.TB, d *Draft, at, text string) Node {
	t.Helper()
	parent, err := d.MkdirAll(path.Dir(at), false, 1)
	if err != nil {
		t.Fatal(err)
	}
	n, err := d.Add(parent, Entry{Name: path.Base(at), Attributes: format.AttrNormal, Modified: 7,
		Streams: []Stream{{Content: d.AddContent(Content{Bytes: []byte(text)})}}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// reload writes the draft's metadata, reads them again, and compares.
func reload(t testing.TB, d *Draft) *wim.Image {
	t.Helper()
	meta, err := d.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	im, err := wim.ParseImage(nil, 1, meta)
	if err != nil {
		t.Fatal(err)
	}
	if losses, _ := im.Losses(); len(losses)+len(im.Warnings()) > 0 {
		t.Fatalf("faults: %v, %q", losses, im.Warnings())
	}
	e, err := Of(im)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameTrees(d, e); err != nil {
		t.Fatal(err)
	}
	return im
}

func TestDraftRefusals(t *testing.T) {
	make1 := func() (*Draft, Node, Node, Node) {
		d := New()
		file := addFile(t, d, "/dir/file", "text")
		empty, err := d.Mkdir(0, "empty", 1)
		if err != nil {
			t.Fatal(err)
		}
		dir, _ := d.Lookup("dir", false)
		return d, dir, file, empty
	}
	add := func(e Entry) func(d *Draft, dir, file, empty Node) error {
		return func(d *Draft, dir, file, empty Node) error {
			_, err := d.Add(dir, e)
			return err
		}
	}
	for _, c := range []struct {
		name string
		do   func(d *Draft, dir, file, empty Node) error
		want error
	}{
		{"no name", add(Entry{}), ntname.ErrInvalid},
		{"dot", add(Entry{Name: "."}), ntname.ErrInvalid},
		{"escaped dots", add(Entry{Name: ntname.Escape([]uint16{'.', '.'})}), ntname.ErrInvalid},
		{"NUL", add(Entry{Name: "a\x00b"}), ntname.ErrInvalid},
		{"escaped NUL", add(Entry{Name: ntname.Escape([]uint16{'a', 0})}), ntname.ErrInvalid},
		{"slash", add(Entry{Name: "a/b"}), ntname.ErrInvalid},
		{"escaped slash", add(Entry{Name: ntname.Escape([]uint16{'a', '/'})}), ntname.ErrInvalid},
		{"too long", add(Entry{Name: strings.Repeat("n", 32768)}), ntname.ErrInvalid},
		{"bad short name", add(Entry{Name: "a", ShortName: ".."}), ntname.ErrInvalid},
		{"there", add(Entry{Name: "file"}), ErrExists},
		{"stream without name", add(Entry{Name: "a", Streams: []Stream{{Kind: format.StreamNamed, Content: NoContent}}}), ntname.ErrInvalid},
		{"folder with content", add(Entry{Name: "a", Attributes: format.AttrDirectory, Streams: []Stream{{Content: 0}}}), ErrTree},
		{"two contents", add(Entry{Name: "a", Streams: []Stream{{Content: 0}, {Content: 0}}}), ErrTree},
		{"content that is not there", add(Entry{Name: "a", Streams: []Stream{{Content: 99}}}), ErrTree},
		{"reparse data without attribute", add(Entry{Name: "a", Streams: []Stream{{Kind: format.StreamReparse}}}), ErrTree},
		{"encrypted with content", add(Entry{Name: "a", Attributes: format.AttrEncrypted, Streams: []Stream{{Content: 0}}}), ErrTree},
		{"raw without attribute", add(Entry{Name: "a", Streams: []Stream{{Kind: format.StreamRaw, Content: 0}}}), ErrTree},
		{"object id", add(Entry{Name: "a", ObjectID: make([]byte, 15)}), ErrTree},
		{"attribute without name", add(Entry{Name: "a", Xattrs: []format.Xattr{{}}}), ErrTree},
		{"into a file", func(d *Draft, dir, file, empty Node) error { _, err := d.Mkdir(file, "a", 0); return err }, ErrNotDir},
		{"folders through a file", func(d *Draft, dir, file, empty Node) error {
			_, err := d.MkdirAll("dir/file/x", false, 0)
			return err
		}, ErrNotDir},
		{"folders of a bad name", func(d *Draft, dir, file, empty Node) error {
			_, err := d.MkdirAll("new/newer/..", false, 0)
			return err
		}, ntname.ErrInvalid},
		{"remove the root", func(d *Draft, dir, file, empty Node) error { return d.Remove(0) }, ErrTree},
		{"rename the root", func(d *Draft, dir, file, empty Node) error { return d.Rename(0, dir, "x") }, ErrTree},
		{"rename into itself", func(d *Draft, dir, file, empty Node) error { return d.Rename(dir, dir, "x") }, ErrTree},
		{"rename to a bad name", func(d *Draft, dir, file, empty Node) error { return d.Rename(file, 0, "..") }, ntname.ErrInvalid},
		{"rename file to folder", func(d *Draft, dir, file, empty Node) error { return d.Rename(file, 0, "empty") }, ErrIsDir},
		{"rename folder to file", func(d *Draft, dir, file, empty Node) error { return d.Rename(empty, dir, "file") }, ErrNotDir},
		{"rename to a full folder", func(d *Draft, dir, file, empty Node) error { return d.Rename(empty, 0, "dir") }, ErrNotEmpty},
		{"rename into a file", func(d *Draft, dir, file, empty Node) error { return d.Rename(empty, file, "x") }, ErrNotDir},
		{"link a folder", func(d *Draft, dir, file, empty Node) error { _, err := d.Link(dir, 0, "x"); return err }, ErrTree},
		{"link over a file", func(d *Draft, dir, file, empty Node) error { _, err := d.Link(file, dir, "file"); return err }, ErrExists},
		{"a folder becomes a file", func(d *Draft, dir, file, empty Node) error { return d.Set(dir, Entry{}) }, ErrTree},
		{"graft a folder on a file", func(d *Draft, dir, file, empty Node) error {
			_, err := d.Graft("dir/file", New(), nil)
			return err
		}, ErrNotDir},
		{"graft through a file", func(d *Draft, dir, file, empty Node) error {
			_, err := d.Graft("dir/file/below/it", New(), nil)
			return err
		}, ErrNotDir},
		{"graft a file on a folder", func(d *Draft, dir, file, empty Node) error {
			o := New()
			addFile(t, o, "/fresh", "x")
			addFile(t, o, "/empty", "x")
			_, err := d.Graft("/", o, nil)
			return err
		}, ErrIsDir},
		{"graft without replacing", func(d *Draft, dir, file, empty Node) error {
			o := New()
			addFile(t, o, "/dir/another", "x")
			addFile(t, o, "/dir/file", "x")
			_, err := d.Graft("/", o, &GraftOptions{NoReplace: true})
			return err
		}, ErrExists},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, dir, file, empty := make1()
			before, err := d.Metadata()
			if err != nil {
				t.Fatal(err)
			}
			err = c.do(d, dir, file, empty)
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			var de *Error
			if !errors.As(err, &de) {
				t.Errorf("%T without a path", err)
			}
			after, err := d.Metadata()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, after) {
				t.Error("a rejected change left traces")
			}
		})
	}
}

func TestDraftEdits(t *testing.T) {
	d := New()
	a := addFile(t, d, "/a/one", "1")
	addFile(t, d, "/a/two", "2")
	addFile(t, d, "/b/Three", "3")
	b, _ := d.Lookup("/B", true)
	if _, ok := d.Lookup("/B", false); ok || d.Name(b) != "b" {
		t.Error("fold is not respected")
	}
	link, err := d.Link(a, b, "also one")
	if err != nil {
		t.Fatal(err)
	}
	if d.Links(a) != 2 || !d.SameFile(a, link) || d.Links(b) != 1 {
		t.Error("links are not counted")
	}
	if _, err := d.Add(b, Entry{
		Name: "all", ShortName: "ALL~1", Attributes: format.AttrArchive | format.AttrReparsePoint, Created: 1, Accessed: 2, Modified: 3,
		Security: []byte("descriptor"), ReparseTag: format.TagAppExecLink, NotFixed: true, Unknown: 77, Unix: &format.UnixData{UID: 1, GID: 2, Mode: 3, Rdev: 4},
		ObjectID: make([]byte, 16), Xattrs: []format.Xattr{{Name: "n", Flags: 0x80, Value: []byte("v")}}, Items: []format.TaggedItem{{Tag: 99, Data: []byte("item")}},
		Streams: []Stream{{format.StreamNamed, "s", d.AddContent(Content{Bytes: []byte("named")}), 0},
			{format.StreamReparse, "", d.AddContent(Content{Bytes: []byte("reparse")}), 0}},
	}); err != nil {
		t.Fatal(err)
	}
	im := reload(t, d)
	n, _ := im.Lookup("b/all")
	if im.ShortName(n) != "ALL~1" || string(im.Security(n)) != "descriptor" || im.NamedStreams(n) != 1 ||
		im.ReparseTag(n) != format.TagAppExecLink || len(im.Items(n).Unknown()) != 1 || im.Items(n).Xattrs()[0].Flags != 0x80 || im.Dentry(n).ReparseFixed() {
		t.Errorf("an entry with all fields is read as %+v", im.Dentry(n).Dentry())
	}
	if n, _ := im.Lookup("a/one"); im.HardLinkCount(n) != 2 || im.HardLinkGroup(n) == 0 {
		t.Error("the link is lost")
	}
	e := d.Entry(link)
	if e.Name != "also one" || e.Modified != 7 || len(e.Streams) != 1 || e.Streams[0].Size != 1 {
		t.Errorf("entry %+v", e)
	}
	e.Modified = 8
	if err := d.Set(link, e); err != nil || d.Entry(a).Modified != 8 {
		t.Errorf("a change does not apply to all names: %v", err)
	}
	if err := d.Rename(a, b, "three"); err != nil { // beside Three
		t.Fatal(err)
	}
	if err := d.Rename(a, b, "Three"); err != nil { // over it
		t.Fatal(err)
	}
	dir, _ := d.Lookup("a", false)
	if err := d.Rename(dir, b, "moved"); err != nil {
		t.Fatal(err)
	}
	if err := d.Rename(dir, b, "moved"); err != nil {
		t.Errorf("rename to the same path: %v", err)
	}
	want := []string{"/", "/b/", "/b/Three", "/b/all", "/b/also one", "/b/moved/", "/b/moved/two"}
	if got := draftPaths(d); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	reload(t, d)
	if err := d.Remove(link); err != nil || d.Links(a) != 1 || d.Exists(link) {
		t.Error("one of two names cannot be removed")
	}
	if err := d.Remove(b); err != nil || d.Len() != 1 {
		t.Errorf("%d entries are left", d.Len())
	}
	im = reload(t, d)
	if im.Len() != 1 || len(im.Descriptors()) != 0 {
		t.Error("a removed entry is written")
	}
	for id, refs := range d.References() {
		if refs != 0 {
			t.Errorf("content %d is still referenced", id)
		}
	}
	unknown := d.AddContent(Content{Size: 5, Path: "x"})
	if _, err := d.Add(0, Entry{Name: "x", Streams: []Stream{{Content: unknown}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Metadata(); !errors.Is(err, ErrTree) {
		t.Errorf("a content without a hash: %v", err)
	}
}

func TestGraft(t *testing.T) {
	source := func() *Draft {
		o := New()
		n := addFile(t, o, "/sub/file", "new")
		sub, _ := o.Lookup("sub", false)
		if _, err := o.Link(n, sub, "link"); err != nil {
			t.Fatal(err)
		}
		addFile(t, o, "/Other", "other")
		if err := o.Set(0, Entry{Attributes: format.AttrDirectory | format.AttrHidden, Security: []byte("sd")}); err != nil {
			t.Fatal(err)
		}
		return o
	}
	t.Run("root of a new draft", func(t *testing.T) {
		d := New()
		if _, err := d.Graft(`\`, source(), nil); err != nil {
			t.Fatal(err)
		}
		if err := sameTrees(source(), d); err != nil {
			t.Error(err)
		}
		reload(t, d)
	})
	t.Run("merge", func(t *testing.T) {
		d := New()
		old := addFile(t, d, "/in/sub/file", "old")
		addFile(t, d, "/in/sub/kept", "kept")
		addFile(t, d, "/in/other", "lower case")
		replaced, err := d.Graft("/in", source(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(replaced, []string{"/in/sub/file"}) || d.Exists(old) {
			t.Errorf("replaced %q", replaced)
		}
		want := []string{"/", "/in/", "/in/Other", "/in/other", "/in/sub/", "/in/sub/file", "/in/sub/kept", "/in/sub/link"}
		if got := draftPaths(d); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		in, _ := d.Lookup("/in", false)
		file, _ := d.Lookup("/in/sub/file", false)
		if d.Attributes(in) != format.AttrDirectory || d.Links(file) != 2 {
			t.Error("an existing folder was changed, or the link is lost")
		}
		reload(t, d)
	})
	t.Run("ignoring case", func(t *testing.T) {
		d := New()
		addFile(t, d, "/SUB/FILE", "old")
		addFile(t, d, "/other", "old")
		replaced, err := d.Graft("/", source(), &GraftOptions{Fold: true})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"/SUB/FILE", "/other"}; !slices.Equal(replaced, want) {
			t.Errorf("replaced %q, want %q", replaced, want)
		}
		if want := []string{"/", "/Other", "/SUB/", "/SUB/file", "/SUB/link"}; !slices.Equal(draftPaths(d), want) {
			t.Errorf("%q, want %q", draftPaths(d), want)
		}
		reload(t, d)
	})
	t.Run("new place, twice", func(t *testing.T) {
		d := New()
		for _, at := range []string{"/x/y", "/x/z"} {
			if _, err := d.Graft(at, source(), &GraftOptions{When: 9}); err != nil {
				t.Fatal(err)
			}
		}
		x, _ := d.Lookup("x", false)
		if e := d.Entry(x); e.Created != 9 || e.Modified != 9 {
			t.Errorf("the folder above has %+v", e)
		}
		y, _ := d.Lookup("x/y/sub/file", false)
		z, _ := d.Lookup("x/z/sub/file", false)
		if d.SameFile(y, z) || d.Links(y) != 2 || d.Links(z) != 2 {
			t.Error("files of two grafts are linked, or their links are lost")
		}
		im := reload(t, d)
		if len(im.Descriptors()) != 1 || len(d.Contents()) != 2 {
			t.Errorf("%d descriptors, %d contents", len(im.Descriptors()), len(d.Contents()))
		}
	})
}

// TestDraftRandom changes a draft at random, and a plain map as the model.
func TestDraftRandom(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 3))
		d := New()
		model := map[string]string{"/": ""} // folders to "", files to their text and the number of their names' file
		files := 0
		any := func(dirs bool) string {
			var list []string
			for p, text := range model {
				if text == "" == dirs {
					list = append(list, p)
				}
			}
			slices.Sort(list)
			if len(list) == 0 {
				return ""
			}
			return list[r.IntN(len(list))]
		}
		below := func(p string) (list []string) {
			for q := range model {
				if q == p || strings.HasPrefix(q, strings.TrimSuffix(p, "/")+"/") {
					list = append(list, q)
				}
			}
			return list
		}
		node := func(p string) Node {
			n, ok := d.Lookup(p, false)
			if !ok {
				t.Fatalf("seed %d: %s is missing", seed, p)
			}
			return n
		}
		for range 150 {
			dir := any(true)
			name := fmt.Sprintf("%c%d", "aAbß"[r.IntN(3)], r.IntN(9))
			at := path.Join(dir, name)
			_, there := model[at]
			switch r.IntN(5) {
			case 0:
				if _, err := d.Mkdir(node(dir), name, 0); (err != nil) != there {
					t.Fatalf("seed %d: mkdir %s: %v", seed, at, err)
				}
				if !there {
					model[at] = ""
				}
			case 1:
				if !there {
					files++
					text := fmt.Sprintf("text %d", files)
					addFile(t, d, at, text)
					model[at] = text
				}
			case 2:
				p := any(r.IntN(4) == 0)
				if p == "" || p == "/" {
					continue
				}
				if err := d.Remove(node(p)); err != nil {
					t.Fatal(err)
				}
				for _, q := range below(p) {
					delete(model, q)
				}
			case 3:
				p := any(false)
				if p == "" {
					continue
				}
				if _, err := d.Link(node(p), node(dir), name); (err != nil) != there {
					t.Fatalf("seed %d: link %s: %v", seed, at, err)
				}
				if !there {
					model[at] = model[p]
				}
			case 4:
				p := any(r.IntN(2) == 0)
				if p == "" || p == "/" {
					continue
				}
				into := strings.HasPrefix(dir+"/", p+"/")
				same := p == at
				bad := into || there && !same && ((model[p] == "") != (model[at] == "") || len(below(at)) > 1)
				if err := d.Rename(node(p), node(dir), name); (err != nil) != bad {
					t.Fatalf("seed %d: rename %s to %s: %v", seed, p, at, err)
				}
				if bad || same {
					continue
				}
				delete(model, at)
				for _, q := range below(p) {
					text := model[q]
					delete(model, q)
					model[at+strings.TrimPrefix(q, p)] = text
				}
			}
		}
		im := reload(t, d)
		if im.Len() != len(model) || d.Len() != len(model) {
			t.Fatalf("seed %d: %d entries, want %d", seed, im.Len(), len(model))
		}
		names := map[string]int{}
		for _, text := range model {
			names[text]++
		}
		for p, text := range model {
			n, ok := im.Lookup(p)
			if !ok || im.Path(n) != p || im.IsDir(n) != (text == "") {
				t.Fatalf("seed %d: %s is wrong", seed, p)
			}
			if text != "" && im.HardLinkCount(n) != names[text] {
				t.Fatalf("seed %d: %s has %d names, want %d", seed, p, im.HardLinkCount(n), names[text])
			}
		}
	}
}

// TestDraftLinkNumbers checks that different files with the same number, as in a Windows 7 installation image, get numbers of their own.
func TestDraftLinkNumbers(t *testing.T) {
	group := func(name string, hash string) *handtree.Item {
		return handtree.File(name).With(func(e *handtree.Item) { e.D.Link, e.D.Hash = 5, handtree.HashOf(hash) })
	}
	im, err := wim.ParseImage(nil, 1, handtree.Metadata(handtree.Dir("", group("a", "x"), group("b", "y"), group("c", "x"), group("d", "y"), group("e", "z"))))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Of(im)
	if err != nil {
		t.Fatal(err)
	}
	back := reload(t, d)
	var got []uint64
	for n := wim.Node(1); int(n) < back.Len(); n++ {
		got = append(got, back.HardLinkGroup(n))
	}
	if want := []uint64{5, 6, 5, 6, 0}; !slices.Equal(got, want) {
		t.Errorf("numbers %v, want %v", got, want)
	}
}

// TestDraftLastName checks that a file with one name has no number, and neither has a folder.
func TestDraftLastName(t *testing.T) {
	link := func(e *handtree.Item) *handtree.Item {
		return e.With(func(e *handtree.Item) { e.D.Link, e.D.Hash = 5, handtree.HashOf("x") })
	}
	im, err := wim.ParseImage(nil, 1, handtree.Metadata(handtree.Dir("", link(handtree.File("a")), link(handtree.File("b")), link(handtree.File("c")), handtree.Dir("d").With(func(e *handtree.Item) { e.D.Link = 7 }))))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Of(im)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		remove string
		want   map[string]uint64
	}{
		{"c", map[string]uint64{"a": 5, "b": 5, "d": 0}},
		{"b", map[string]uint64{"a": 0, "d": 0}},
	} {
		n, ok := d.Lookup(step.remove, false)
		if !ok || d.Remove(n) != nil {
			t.Fatal(step.remove)
		}
		back := reload(t, d)
		for path, want := range step.want {
			n, ok := back.Lookup(path)
			if !ok {
				t.Fatal(path)
			}
			if got := back.Dentry(n).Dentry().Link; got != want {
				t.Errorf("without %s, %s has the number %d, want %d", step.remove, path, got, want)
			}
		}
	}
}

// TestDraftDifferingLinks checks that names of one file with different fields get the same fields, unless their streams differ.
func TestDraftDifferingLinks(t *testing.T) {
	link := func(name string, when uint64, streams ...format.StreamEntry) *handtree.Item {
		e := handtree.File(name)
		e.D.Link, e.D.Modified, e.D.Hash, e.Streams = 9, when, handtree.HashOf("same"), streams
		return e
	}
	extra := format.StreamEntry{Name: handtree.U16("s"), Hash: handtree.HashOf("stream")}
	im, err := wim.ParseImage(nil, 1, handtree.Metadata(handtree.Dir("", link("a", 1), link("b", 2), link("c", 3, extra), link("d", 4, extra))))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Of(im)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []format.Filetime{1, 1, 3, 3} {
		if got := d.Entry(Node(i + 1)); got.Modified != want || d.Links(Node(i+1)) != 2 {
			t.Errorf("%s: modified %d, %d names, want %d and 2", got.Name, got.Modified, d.Links(Node(i+1)), want)
		}
	}
	// Files that differ only in their streams have different numbers now; the reader groups by number and content.
	meta, err := d.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	back, err := wim.ParseImage(nil, 1, meta)
	if err != nil {
		t.Fatal(err)
	}
	if back.HardLinkGroup(1) != back.HardLinkGroup(2) || back.HardLinkGroup(3) != back.HardLinkGroup(4) || back.HardLinkGroup(1) == back.HardLinkGroup(3) {
		t.Error("the files have the same number")
	}
}

// TestGraftTwins checks that files whose names differ only in case replace one existing file if case is ignored.
func TestGraftTwins(t *testing.T) {
	d, o := New(), New()
	addFile(t, d, "/in/a", "old")
	addFile(t, d, "/in/B/file", "kept")
	addFile(t, o, "/a", "lower")
	addFile(t, o, "/A", "upper")
	addFile(t, o, "/b/x", "x")
	addFile(t, o, "/B/Y", "y")
	replaced, err := d.Graft("/IN", o, &GraftOptions{Fold: true})
	if err != nil || !slices.Equal(replaced, []string{"/in/a"}) {
		t.Fatalf("replaced %q: %v", replaced, err)
	}
	if got, want := draftPaths(d), []string{"/", "/in/", "/in/A", "/in/B/", "/in/B/Y", "/in/B/file", "/in/B/x", "/in/a"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	reload(t, d)
}

// TestDraftOfRoot checks that folders added on the way get the time of the change, as does the root if everything in it is deleted.
func TestDraftOfRoot(t *testing.T) {
	d, o := New(), New()
	addFile(t, o, "/file", "x")
	if _, err := d.Graft("/new/in", o, &GraftOptions{When: 9}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]format.Filetime{"/": 9, "/new": 9, "/new/in": 0} {
		n, _ := d.Lookup(path, false)
		if e := d.Entry(n); e.Created != want || e.Accessed != want || e.Modified != want {
			t.Errorf("%s has the times %d %d %d, want %d", path, e.Created, e.Accessed, e.Modified, want)
		}
	}
	if _, err := d.Update(&config.Command{Op: config.UpdateDelete, Target: "/", Recursive: true}, nil, &GraftOptions{When: 10}); err != nil {
		t.Fatal(err)
	}
	if e := d.Entry(0); d.Len() != 1 || e.Created != 10 || e.Accessed != 10 || e.Modified != 10 {
		t.Errorf("%d entries are left, the root %+v", d.Len(), e)
	}
}

// TestDraftEncrypted checks that an encrypted file keeps its named streams from an archive.
func TestDraftEncrypted(t *testing.T) {
	d := New()
	if _, err := d.Add(0, Entry{Name: "x", Attributes: format.AttrEncrypted, Streams: []Stream{
		{Kind: format.StreamNamed, Name: "s", Content: d.AddContent(Content{Bytes: []byte("named")})},
		{Kind: format.StreamRaw, Content: d.AddContent(Content{Bytes: []byte("raw")})},
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Add(0, Entry{Name: "empty", Attributes: format.AttrEncrypted}); err != nil {
		t.Fatal(err)
	}
	im := reload(t, d)
	n, _ := im.Lookup("x")
	if im.NamedStreams(n) != 1 || im.Hash(n) != d.Contents()[1].Hash {
		t.Errorf("%d named streams, content %v", im.NamedStreams(n), im.Hash(n))
	}
}

// TestDraftLimits checks that metadata that no reader accepts are not written.
func TestDraftLimits(t *testing.T) {
	d := New()
	n, err := d.Add(0, Entry{Name: "x", Items: []format.TaggedItem{{Tag: 99, Data: make([]byte, 64000)}}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 34000 {
		if _, err := d.Link(n, 0, strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Metadata(); !errors.Is(err, ErrTree) || !strings.Contains(err.Error(), "2 GiB") {
		t.Errorf("2.1 GB of metadata: %v", err)
	}
}

// TestDraftLastLinkNumber checks that the largest number is followed by the smallest free one.
func TestDraftLastLinkNumber(t *testing.T) {
	link := func(name string, number uint64) *handtree.Item {
		return handtree.File(name).With(func(e *handtree.Item) { e.D.Link, e.D.Hash = number, handtree.HashOf("x") })
	}
	im, err := wim.ParseImage(nil, 1, handtree.Metadata(handtree.Dir("", link("a", 1), link("a2", 1), link("b", 1<<64-1), link("b2", 1<<64-1), handtree.File("c"))))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Of(im)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := d.Lookup("c", false)
	if _, err := d.Link(n, 0, "d"); err != nil {
		t.Fatal(err)
	}
	back := reload(t, d)
	for path, want := range map[string]uint64{"a": 1, "b": 1<<64 - 1, "c": 2, "d": 2} {
		if n, _ := back.Lookup(path); back.HardLinkGroup(n) != want {
			t.Errorf("%s has the number %d, want %d", path, back.HardLinkGroup(n), want)
		}
	}
}

// TestDraftGone checks that changes of removed and of unknown entries are rejected.
func TestDraftGone(t *testing.T) {
	d := New()
	addFile(t, d, "/dir/file", "x")
	dir, _ := d.Lookup("dir", false)
	kept := addFile(t, d, "/kept", "y")
	if err := d.Remove(dir); err != nil {
		t.Fatal(err)
	}
	before, err := d.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []Node{dir, -1, 99} {
		_, link := d.Link(n, 0, "x")
		_, in := d.Link(kept, n, "x")
		_, add := d.Add(n, Entry{Name: "x"})
		for i, err := range []error{d.Remove(n), d.Set(n, Entry{}), d.Rename(n, 0, "x"), d.Rename(kept, n, "x"), link, in, add} {
			var de *Error
			if !errors.Is(err, format.ErrNotFound) || !errors.As(err, &de) {
				t.Errorf("%d: change %d: %v", n, i, err)
			}
		}
	}
	if after, err := d.Metadata(); err != nil || !bytes.Equal(before, after) {
		t.Errorf("a rejected change left traces: %v", err)
	}
}

// TestDraftContentOfFile checks that a content that both the draft's archive and a file hold can be read from the file.
func TestDraftContentOfFile(t *testing.T) {
	d := New()
	h := format.Hash(sha1.Sum([]byte("x")))
	id := d.AddContent(Content{Hash: h, Known: true, Source: -1})
	if same := d.AddContent(Content{Hash: h, Known: true, Size: 1, Path: "file"}); same != id || d.Contents()[id].Path != "file" {
		t.Errorf("content %d is %+v", same, d.Contents()[id])
	}
	if same := d.AddContent(Content{Hash: h, Known: true, Source: -1}); same != id || d.Contents()[id].Path != "file" {
		t.Error("the file is lost")
	}
	if same := d.AddContent(Content{Bytes: []byte("x")}); same != id {
		t.Error("equal bytes are two contents")
	}
}
