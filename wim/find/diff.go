package find

import (
	"bytes"
	"slices"
	"strings"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// ChangeKind says how two images differ at a path.
type ChangeKind uint8

const (
	Added        ChangeKind = iota // only the second image has it
	Removed                        // only the first one has it
	Changed                        // type or content differ, or that of a named stream
	MetadataOnly                   // only what Change.What tells
)

// String gives "added", "removed", "changed" or "metadata".
func (k ChangeKind) String() string {
	return [...]string{"added", "removed", "changed", "metadata"}[k]
}

// Change is a path at which two images differ. Old is its node in the first, New in the second; the one that is not
// there is -1.
type Change struct {
	Kind     ChangeKind
	Old, New wim.Node
	What     []string // of Changed and MetadataOnly: "type", "content", "reparse data", "streams", "attributes", "created", …
}

// Diff compares two images by path, names exactly: it calls yield for each difference, folders before what is in
// them and siblings by name, until that says false. Of what is added or removed it tells every entry. Access times do
// not count, nor does which names are hard links.
func Diff(a, b *wim.Image, yield func(Change) bool) {
	d := differ{a: a, b: b, yield: yield}
	d.pair(0, 0)
}

type differ struct {
	a, b  *wim.Image
	yield func(Change) bool
	done  bool
}

func (d *differ) tell(c Change) {
	d.done = d.done || !d.yield(c)
}

// pair compares two entries of one path. Depth is that of the tree, which loading has bounded.
func (d *differ) pair(x, y wim.Node) {
	if what, changed := d.what(x, y); len(what) > 0 {
		kind := MetadataOnly
		if changed {
			kind = Changed
		}
		d.tell(Change{kind, x, y, what})
	}
	// Sorted's lists are in one order for both images, and names in each are unlike: one pass finds equal ones.
	p, q := d.a.Sorted(x), d.b.Sorted(y)
	for !d.done && len(p)+len(q) > 0 {
		order := 0
		switch {
		case len(p) == 0:
			order = 1
		case len(q) == 0:
			order = -1
		default:
			exact, fold := ntname.Compare(d.a.StoredName(p[0]), d.b.StoredName(q[0]))
			if order = fold; fold == 0 {
				order = exact
			}
		}
		switch {
		case order < 0:
			d.all(d.a, p[0], Removed)
			p = p[1:]
		case order > 0:
			d.all(d.b, q[0], Added)
			q = q[1:]
		default:
			d.pair(p[0], q[0])
			p, q = p[1:], q[1:]
		}
	}
}

// all tells that an entry and all below it are in one image only.
func (d *differ) all(im *wim.Image, n wim.Node, kind ChangeKind) {
	c := Change{Kind: kind, Old: n, New: -1}
	if kind == Added {
		c.Old, c.New = -1, n
	}
	d.tell(c)
	for _, child := range im.Sorted(n) {
		if d.done {
			return
		}
		d.all(im, child, kind)
	}
}

// what lists in what two entries differ, and whether it is more than metadata.
func (d *differ) what(x, y wim.Node) (list []string, changed bool) {
	a, b := d.a, d.b
	note := func(differs, content bool, what string) {
		if differs {
			list = append(list, what)
			changed = changed || content
		}
	}
	note(a.IsDir(x) != b.IsDir(y) || a.ReparseTag(x) != b.ReparseTag(y), true, "type")
	oldData, oldReparse := a.UnnamedStreams(x)
	newData, newReparse := b.UnnamedStreams(y)
	note(oldData != newData, true, "content")
	note(oldReparse != newReparse, true, "reparse data")
	note(!d.sameStreams(x, y), true, "streams")
	e, f := a.Entry(x), b.Entry(y)
	note(e.Attributes() != f.Attributes(), false, "attributes")
	note(e.Created() != f.Created(), false, "created")
	note(e.Modified() != f.Modified(), false, "modified")
	note(!bytes.Equal(e.ShortName(), f.ShortName()), false, "short name")
	note(!bytes.Equal(a.SecurityBytes(x), b.SecurityBytes(y)), false, "security")
	note(!bytes.Equal(e.Items(), f.Items()), false, "items") // object ids, extended attributes, Unix data and the like
	return list, changed
}

// sameStreams compares named streams, whatever their order.
func (d *differ) sameStreams(x, y wim.Node) bool {
	if d.a.NamedStreams(x) == 0 && d.b.NamedStreams(y) == 0 {
		return true
	}
	named := func(im *wim.Image, n wim.Node) []wim.StreamInfo {
		list := slices.DeleteFunc(im.Streams(n), func(s wim.StreamInfo) bool { return s.Kind != format.StreamNamed })
		slices.SortStableFunc(list, func(p, q wim.StreamInfo) int { return strings.Compare(p.Name, q.Name) })
		return list
	}
	return slices.EqualFunc(named(d.a, x), named(d.b, y), func(p, q wim.StreamInfo) bool { return p.Name == q.Name && p.Hash == q.Hash })
}
