package ui

import (
	"strings"

	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// InspectorPane is the right pane: the details of the selected entry.
type InspectorPane struct{ base }

type fact struct {
	name, value, copy string
	mono              bool
}

type square struct{ class, title string }

func (c *InspectorPane) in() *state.Inspector { return &c.Archive.Files.Inspector }

func (c *InspectorPane) nothing() string {
	if n := c.Archive.Files.List.Sel.Count(); n > 1 {
		if b, ok := c.Archive.Files.List.SelectedBytes(); ok {
			return c.T("inspector.several-bytes", n, words.Size(b))
		}
		return c.T("inspector.several", n)
	}
	return c.T("inspector.nothing")
}

func (c *InspectorPane) kind() string {
	in := c.in()
	d := in.Details
	switch {
	case d == nil && in.Problem == nil:
		return c.T("inspector.reading")
	case d == nil:
		return ""
	case d.ReparseName != "" && d.Link != "":
		return c.T("inspector.link", d.ReparseName, d.Link)
	case d.BadLink:
		return c.T("inspector.link-bad", d.ReparseName)
	case d.ReparseName != "":
		return c.T("inspector.reparse", d.ReparseName)
	case in.Row.Dir:
		return c.T("inspector.folder")
	}
	s := d.Type
	if s == "" {
		s = c.T("inspector.file")
	}
	if d.FileVersion != "" {
		s += ", " + c.T("inspector.version", d.FileVersion)
	}
	return s
}

func (c *InspectorPane) size(n int64) string { return words.Size(n) }

func (c *InspectorPane) facts() []fact {
	d := c.in().Details
	var f []fact
	add := func(key, value string) {
		if value != "" {
			f = append(f, fact{name: c.T(key), value: value})
		}
	}
	if !d.Dir {
		add("details.size", c.T("details.bytes", d.Size))
	}
	add("details.modified", d.ModifiedAt)
	add("details.created", d.CreatedAt)
	add("details.accessed", d.AccessedAt)
	add("details.attributes", strings.Join(d.AttrNames, ", "))
	if d.ShortName != "" {
		f = append(f, fact{name: c.T("details.short-name"), value: d.ShortName, mono: true})
	}
	if d.Links > 1 {
		v := c.T("details.names", d.Links)
		if len(d.LinkPaths) > 0 {
			v += ": " + c.T("details.also", strings.Join(d.LinkPaths[:min(len(d.LinkPaths), 5)], ", "))
		}
		add("details.links", v)
	}
	add("details.owner", d.Owner)
	add("details.group", d.Group)
	add("details.unix", d.Unix)
	if d.ObjectID != "" {
		f = append(f, fact{name: c.T("details.object-id"), value: d.ObjectID, mono: true})
	}
	if d.Hash != "" {
		f = append(f, fact{name: c.T("details.hash"), value: hashGroups(d.Hash), copy: d.Hash, mono: true})
	}
	f = append(f, fact{name: c.T("details.path"), value: d.FullPath, copy: d.FullPath})
	return f
}

func (c *InspectorPane) stored() *protocol.Stored {
	if d := c.in().Details; d != nil {
		return d.Stored
	}
	return nil
}

func (c *InspectorPane) used() string {
	in := c.in()
	if u := in.Uses; u != nil {
		images := 0
		for _, n := range u.PerImage {
			if n > 0 {
				images++
			}
		}
		return c.T("uses.used", u.Total) + " " + c.T("uses.images", images)
	}
	if n := in.Details.AlsoIn; n > 1 {
		return c.T("uses.used", n) + " " + c.T("uses.so-far")
	}
	return c.T("uses.one")
}

// squares returns a square for each image. Its class, level-0 to level-4, shows how often the image uses the blob.
func (c *InspectorPane) squares() []square {
	u := c.in().Uses
	if u == nil {
		return nil
	}
	most := 1
	for _, n := range u.PerImage {
		most = max(most, n)
	}
	out := make([]square, 0, len(u.PerImage))
	for i, n := range u.PerImage {
		level := 0
		if n > 0 {
			level = 1 + 3*n/most
		}
		out = append(out, square{"level-" + itoa(level), c.T("uses.in-image", i+1, n)})
	}
	return out
}

func (c *InspectorPane) squaresLabel() string {
	var parts []string
	for _, s := range c.squares() {
		parts = append(parts, s.title)
	}
	return strings.Join(parts, "; ")
}

func (c *InspectorPane) canAsk() bool {
	in := c.in()
	return in.Details.Hash != "" && in.Uses == nil && !in.Asking && c.Archive.UsesOnRequest()
}

func (c *InspectorPane) where() string {
	s := c.stored()
	out := ""
	if len(c.Archive.Info.Parts) > 1 || s.Reference {
		out = s.PartName + " · "
	}
	out += c.T("stored.offset", words.Hex(s.Off))
	if s.Solid {
		out += " · " + c.T("stored.solid", words.Hex(s.SolidOff))
	}
	if s.Chunks > 0 {
		out += " · " + c.T("stored.chunks", s.Chunks)
	}
	switch {
	case s.Solid:
		out += " · " + c.T("stored.solid-packed", words.Number(s.PackedSize), s.Codec)
	case s.Size > 0:
		out += " · " + c.T("stored.packed", words.Number(s.PackedSize), s.PackedSize*100/s.Size)
	}
	if s.RefCount > 0 {
		out += " · " + c.T("stored.refs", s.RefCount)
	}
	return out
}

func (c *InspectorPane) hit(h protocol.Hit) string {
	if len(c.Archive.Info.Images) == 1 {
		return h.Path
	}
	return c.T("uses.hit", h.Image, h.Path)
}

func (c *InspectorPane) streams() []protocol.Stream {
	d := c.in().Details
	if d == nil {
		return nil
	}
	var out []protocol.Stream
	for _, s := range d.StreamList {
		if s.Name != "" {
			out = append(out, s)
		}
	}
	return out
}

func (c *InspectorPane) rights(e protocol.Access) string {
	if e.Flags == "" {
		return e.Rights
	}
	return e.Rights + " (" + e.Flags + ")"
}

func (c *InspectorPane) extras() []protocol.Pair {
	d := c.in().Details
	if d == nil {
		return nil
	}
	return append(append([]protocol.Pair(nil), d.Xattrs...), d.Items...)
}
