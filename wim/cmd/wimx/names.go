package main

import (
	"strings"

	"wimscope/wim/core"
)

// nativePath is the path of an entry with its names as they are called on disk, separated by slashes; a backslash in
// a name is a character like any other.
func nativePath(im *core.Image, n core.Node) string {
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
func lookup(im *core.Image, path string, fold bool) (core.Node, bool) {
	found := match(im, path, false, fold)
	if len(found) == 0 {
		return 0, false
	}
	return found[0], true
}

// match lists the entries that a path leads to, in the order of the archive: with globs, each step may match several
// names; ignoring case too.
func match(im *core.Image, path string, globs, fold bool) []core.Node {
	if globs {
		return core.Glob(im, globText(path), fold)
	}
	level := []core.Node{0}
	for _, step := range cleanPath(path) {
		var next []core.Node
		for _, n := range level {
			first, count := im.Children(n)
			for c := first; c < first+core.Node(count); c++ {
				if name := nativeName(im.RawName(c)); name == step || fold && strings.EqualFold(name, step) {
					next = append(next, c)
				}
			}
		}
		level = next
	}
	return level
}
