package find

import (
	"bytes"
	"slices"
	"strings"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// ChangeKind is how two images differ at a path.
type ChangeKind uint8

const (
	Added        ChangeKind = iota // only the second image has the entry
	Removed                        // only the first image has it
	Changed                        // its type, content, reparse data or a named stream differs
	MetadataOnly                   // only other fields differ: see Change.What
)

// String returns "added", "removed", "changed" or "metadata".
func (k ChangeKind) String() string {
	return [...]string{"added", "removed", "changed", "metadata"}[k]
}

// Change is a path at which two images differ.
type Change struct {
	Kind     ChangeKind
	Old, New wim.Node // the entry in the first and in the second image, -1 where it does not exist
	What     []string // for Changed and MetadataOnly, what differs: "type", "content", "reparse data", "streams", "attributes", "created", …
}

// Diff compares two images by path; names are case-sensitive. It calls yield for each difference, folders before their entries and siblings
// by name, until yield returns false. It reports every entry below an added or removed folder. It ignores access times, and which names
// are hard links.
func Diff(a, b *wim.Image, yield func(Change) bool) {
	d := differ{a: a, b: b, yield: yield}
	d.pair(0, 0)
}

type differ struct {
	a, b  *wim.Image
	yield func(Change) bool
	done  bool
}

func (d *differ) report(c Change) {
	d.done = d.done || !d.yield(c)
}

// pair compares two entries with the same path. The depth of recursion is that of the tree, at most wim.MaxTreeDepth.
func (d *differ) pair(x, y wim.Node) {
	if what, changed := d.what(x, y); len(what) > 0 {
		kind := MetadataOnly
		if changed {
			kind = Changed
		}
		d.report(Change{kind, x, y, what})
	}
	// Both lists have the same order and no repeated names, so one pass finds the equal ones.
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

// all reports an entry and everything below it as being in one image only.
func (d *differ) all(im *wim.Image, n wim.Node, kind ChangeKind) {
	c := Change{Kind: kind, Old: n, New: -1}
	if kind == Added {
		c.Old, c.New = -1, n
	}
	d.report(c)
	for _, child := range im.Sorted(n) {
		if d.done {
			return
		}
		d.all(im, child, kind)
	}
}

// what returns what differs between two entries, and whether that is more than metadata.
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
	e, f := a.Dentry(x), b.Dentry(y)
	note(e.Attributes() != f.Attributes(), false, "attributes")
	note(e.Created() != f.Created(), false, "created")
	note(e.Modified() != f.Modified(), false, "modified")
	note(!bytes.Equal(e.ShortName(), f.ShortName()), false, "short name")
	note(!bytes.Equal(a.Security(x), b.Security(y)), false, "security")
	note(!bytes.Equal(e.Items(), f.Items()), false, "items") // object ids, extended attributes, Unix data, …
	return list, changed
}

// sameStreams compares the named streams of two entries, ignoring their order.
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
