package engine

import (
	"math"

	"wimscope/wim"
	"wimscope/worker/protocol"
)

// row returns the row of an entry in a list.
func row(im *wim.Image, n wim.Node) protocol.Row {
	r := protocol.Row{
		Node:     int32(n),
		Name:     im.Name(n),
		Dir:      im.IsDir(n),
		Modified: int64(min(uint64(im.Modified(n)), math.MaxInt64)),
		Attrs:    im.Attributes(n),
		Reparse:  im.ReparseTag(n),
		Streams:  im.NamedStreams(n),
	}
	if !r.Dir {
		r.Size = im.Size(n)
		r.Missing = im.Missing(n)
		if k := im.HardLinkCount(n); k > 1 {
			r.Links = k
		}
	}
	if r.Reparse != 0 {
		r.Link, r.BadLink = linkTarget(im, n)
	}
	return r
}

// linkTarget returns the target of a link for display; bad means that its data cannot be read.
func linkTarget(im *wim.Image, n wim.Node) (target string, bad bool) {
	l, err := im.Link(n)
	return l.Target, err != nil
}

// holdsFolders reports whether a folder contains folders.
func holdsFolders(im *wim.Image, n wim.Node) bool {
	first, count := im.Children(n)
	for i := range wim.Node(count) {
		if im.IsDir(first + i) {
			return true
		}
	}
	return false
}

// window returns list[start:start+count], limited to the list and to most elements, and the index where it starts.
func window[T any](list []T, start, count, most int) (part []T, at int) {
	start = max(0, min(start, len(list)))
	count = max(0, min(count, most, len(list)-start))
	return list[start : start+count], start
}

// crumbs returns the entries from the root to n.
func crumbs(im *wim.Image, n wim.Node) []protocol.Crumb {
	var c []protocol.Crumb
	for n != 0 {
		c = append(c, protocol.Crumb{Node: int32(n), Name: im.Name(n)})
		n = im.Parent(n)
	}
	c = append(c, protocol.Crumb{})
	for i, j := 0, len(c)-1; i < j; i, j = i+1, j-1 {
		c[i], c[j] = c[j], c[i]
	}
	return c
}
