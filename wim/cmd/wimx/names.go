package main

import (
	"strings"

	"wimscope/wim"
	"wimscope/wim/find"
)

// nativePath is the path of an entry with its names as they are called on disk, separated by slashes; a backslash in
// a name is a character like any other.
func nativePath(im *wim.Image, n wim.Node) string {
	if n == 0 {
		return "/"
	}
	var names []string
	for ; n != 0; n = im.Parent(n) {
		names = append(names, nativeName(im.RawName(n)))
	}
	var b strings.Builder
	for i := len(names) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(names[i])
	}
	return b.String()
}

// find looks an entry up by the names on the way to it.
func lookup(im *wim.Image, path string, fold bool) (wim.Node, bool) {
	found := match(im, path, false, fold)
	if len(found) == 0 {
		return 0, false
	}
	return found[0], true
}

// match lists the entries that a path leads to, in the order of the archive: with globs, each step may match several
// names; ignoring case too.
func match(im *wim.Image, path string, globs, fold bool) []wim.Node {
	if globs {
		return find.Glob(im, globText(path), fold)
	}
	level := []wim.Node{0}
	for _, step := range cleanPath(path) {
		var next []wim.Node
		for _, n := range level {
			first, count := im.Children(n)
			for c := first; c < first+wim.Node(count); c++ {
				if name := nativeName(im.RawName(c)); name == step || fold && strings.EqualFold(name, step) {
					next = append(next, c)
				}
			}
		}
		level = next
	}
	return level
}
