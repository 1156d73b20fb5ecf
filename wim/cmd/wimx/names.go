package main

import (
	"strings"

	"wimscope/wim"
	"wimscope/wim/find"
	"wimscope/wim/ntname"
)

// nativePath returns the path of an entry with its names as on disk, separated by slashes. A backslash in a name is an
// ordinary character.
func nativePath(im *wim.Image, n wim.Node) string {
	if n == 0 {
		return "/"
	}
	var names []string
	for ; n != 0; n = im.Parent(n) {
		names = append(names, nativeName(ntname.Units(im.StoredName(n))))
	}
	var b strings.Builder
	for i := len(names) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(names[i])
	}
	return b.String()
}

// lookup returns the entry with a path.
func lookup(im *wim.Image, path string, fold bool) (wim.Node, bool) {
	found := match(im, path, false, fold)
	if len(found) == 0 {
		return 0, false
	}
	return found[0], true
}

// match returns the entries with a path, in the order of the archive. With globs, or ignoring case, each element may match
// several names.
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
				if name := nativeName(ntname.Units(im.StoredName(c))); name == step || fold && strings.EqualFold(name, step) {
					next = append(next, c)
				}
			}
		}
		level = next
	}
	return level
}
