package extract_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/wimtest"
)

// TestBases checks the paths of selections whose roots have their own bases, and what is left out of them.
func TestBases(t *testing.T) {
	b := wimtest.One(wimtest.Folder("",
		wimtest.Folder("a", wimtest.TextFile("f", "one"), wimtest.Folder("d", wimtest.TextFile("x", "two"))),
		wimtest.Folder("b", wimtest.TextFile("d", "no folder")),
	)).Bytes()
	a, err := wim.Open([]blobs.Part{{Name: "a.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ roots, want, skipped string }{
		{"", "", ""},
		{"/", "a b a/d a/f b/d a/d/x", ""},
		{"/a/d!", "d d/x", ""},
		{"/a/d", "a a/d a/d/x", ""},
		{"/a/d!,/a/d/x!", "d d/x x", ""},
		{"/a/d!,/b/d!", "d d/x", "/b/d same-place /a/d"},
		{"/b/d!,/a/d!", "d", "/a/d same-place /b/d"},
		{"/a/d/x,/a", "a a/d a/f a/d/x", ""},
	} {
		sel := extract.Selection{Image: im}
		roots, bases := []wim.Node{}, []wim.Node{}
		for _, root := range strings.FieldsFunc(c.roots, func(r rune) bool { return r == ',' }) {
			path, own := strings.CutSuffix(root, "!")
			n, ok := im.Lookup(path)
			if !ok {
				t.Fatal(path)
			}
			base := wim.Node(0)
			if own {
				base = im.Parent(n)
			}
			roots, bases = append(roots, n), append(bases, base)
		}
		sel.SetRoots(roots, bases)
		p, err := extract.New(a, sel, &extract.Options{Form: extract.OutputTAR})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range p.NumShards() {
			entries, err := p.Entries(i)
			if err != nil {
				t.Fatal(err)
			}
			for _, piece := range entries {
				for _, e := range piece.Entries {
					got = append(got, e.Path)
				}
			}
		}
		want := strings.Fields(c.want)
		slices.Sort(got)
		slices.Sort(want)
		var skipped strings.Builder
		for _, s := range p.Skipped.List {
			skipped.WriteString(fmt.Sprint(s.Path, " ", s.Reason, " ", s.Detail))
		}
		if !slices.Equal(got, want) || skipped.String() != c.skipped {
			t.Errorf("%q: %q, want %q; left out %q, want %q", c.roots, got, want, skipped.String(), c.skipped)
		}
	}
}
