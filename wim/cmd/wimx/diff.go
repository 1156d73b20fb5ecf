package main

import (
	"fmt"
	"slices"
	"strings"

	"wimscope/wim"
)

func diffVerb() verb {
	return verb{
		name:  "diff",
		usage: "WIMFILE IMAGE WIMFILE IMAGE [--ref=GLOB] [--json]",
		opts:  []option{{name: "ref", value: true}, {name: "json"}},
		run:   runDiff,
	}
}

// change is a path at which two images differ.
type change struct {
	Kind string   `json:"kind"` // "added", "removed", "changed", "metadata"
	Path string   `json:"path"`
	What []string `json:"what,omitempty"` // "content", "type", "attributes", …
}

// runDiff compares two images by path: what the second has and the first has not is added. Access times do not
// count, for reading changes them. It ends with status 1 if there is any difference, as diff does.
func runDiff(t *tool, o *parsed) error {
	if len(o.args) != 4 {
		return usageError{"diff takes an archive and an image, twice"}
	}
	var images [2]*wim.Image
	for i := range images {
		a, err := t.open(o.args[2*i], o.all("ref"))
		if err != nil {
			return needFirst(err, o.args[2*i])
		}
		defer a.Close()
		n, err := a.image(o.args[2*i+1], true, false)
		if err != nil {
			return err
		}
		if images[i], err = a.Image(n); err != nil {
			return coded(exitMetadata, err)
		}
	}
	d := &differ{a: images[0], b: images[1]}
	d.compare(0, 0)
	if o.has("json") {
		if d.out == nil {
			d.out = []change{}
		}
		if err := t.json(d.out); err != nil {
			return err
		}
	} else {
		letters := map[string]string{"added": "+", "removed": "-", "changed": "M", "metadata": "m"}
		for _, c := range d.out {
			what := ""
			if len(c.What) > 0 {
				what = "  (" + strings.Join(c.What, ", ") + ")"
			}
			fmt.Fprintf(t.stdout, "%s %s%s\n", letters[c.Kind], c.Path, what)
		}
	}
	if len(d.out) > 0 {
		return told(exitOther, "the images differ")
	}
	return nil
}

type differ struct {
	a, b *wim.Image
	out  []change
}

// compare compares two entries of one path, and what is below them.
func (d *differ) compare(x, y wim.Node) {
	if c := d.entries(x, y); len(c.What) > 0 {
		d.out = append(d.out, c)
	}
	if d.a.IsDir(x) != d.b.IsDir(y) {
		d.all(d.a, x, "removed", false)
		d.all(d.b, y, "added", false)
		return
	}
	if !d.a.IsDir(x) {
		return
	}
	names := func(im *wim.Image, dir wim.Node) (map[string]wim.Node, []string) {
		m := map[string]wim.Node{}
		var list []string
		for _, c := range im.ByName(dir) {
			name := im.Name(c)
			m[name] = c
			list = append(list, name)
		}
		return m, list
	}
	was, wasList := names(d.a, x)
	is, isList := names(d.b, y)
	both := append(wasList, isList...)
	slices.SortStableFunc(both, func(p, q string) int {
		if c := strings.Compare(strings.ToUpper(p), strings.ToUpper(q)); c != 0 {
			return c
		}
		return strings.Compare(p, q)
	})
	for _, name := range slices.Compact(both) {
		p, inA := was[name]
		q, inB := is[name]
		switch {
		case !inB:
			d.all(d.a, p, "removed", true)
		case !inA:
			d.all(d.b, q, "added", true)
		default:
			d.compare(p, q)
		}
	}
}

// all notes an entry, if self, and everything below it.
func (d *differ) all(im *wim.Image, n wim.Node, kind string, self bool) {
	if self {
		d.out = append(d.out, change{Kind: kind, Path: nativePath(im, n)})
	}
	for _, c := range im.ByName(n) {
		d.all(im, c, kind, true)
	}
}

func (d *differ) entries(x, y wim.Node) change {
	a, b := d.a, d.b
	c := change{Path: nativePath(a, x), Kind: "metadata"}
	note := func(differs bool, what string, content bool) {
		if differs {
			c.What = append(c.What, what)
			if content {
				c.Kind = "changed"
			}
		}
	}
	note(a.IsDir(x) != b.IsDir(y) || a.ReparseTag(x) != b.ReparseTag(y), "type", true)
	note(a.Hash(x) != b.Hash(y), "content", true)
	note(!slices.EqualFunc(a.Streams(x), b.Streams(y), func(p, q wim.StreamInfo) bool {
		return p.Kind == q.Kind && p.Name == q.Name && p.Hash == q.Hash
	}), "streams", true)
	note(a.Attributes(x) != b.Attributes(y), "attributes", false)
	note(a.Created(x) != b.Created(y), "creation time", false)
	note(a.Modified(x) != b.Modified(y), "modification time", false)
	note(a.ShortName(x) != b.ShortName(y), "short name", false)
	note(string(a.SecurityBytes(x)) != string(b.SecurityBytes(y)), "security", false)
	note(a.ObjectID(x) != b.ObjectID(y), "object id", false)
	ux, _ := a.UnixData(x)
	uy, _ := b.UnixData(y)
	note(ux != uy, "Unix data", false)
	note(!slices.EqualFunc(a.Xattrs(x), b.Xattrs(y), func(p, q wim.Xattr) bool {
		return p.Name == q.Name && p.Flags == q.Flags && string(p.Value) == string(q.Value)
	}), "extended attributes", false)
	note(!slices.EqualFunc(a.Items(x), b.Items(y), func(p, q wim.TaggedItem) bool {
		return p.Tag == q.Tag && string(p.Data) == string(q.Data)
	}), "tagged items", false)
	return c
}
