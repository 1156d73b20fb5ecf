package find

import (
	"slices"
	"strings"

	"wimscope/wim"
	"wimscope/wim/ntname"
)

// PathGlob is a path with wildcards: * stands for any run of characters but slashes, ? for any one.
type PathGlob struct {
	steps    []ntname.Pattern
	anchored bool // the steps are all of a path; otherwise they are its last ones
}

// NewPathGlob makes a glob of a text whose slashes may be backslashes. One that begins with a slash stands for whole
// paths, any other one for what paths end with, so that one without slashes stands for names.
func NewPathGlob(text string, fold bool) *PathGlob {
	text = strings.ReplaceAll(text, `\`, "/")
	g := &PathGlob{anchored: strings.HasPrefix(text, "/")}
	for step := range strings.SplitSeq(text, "/") {
		if step != "" {
			g.steps = append(g.steps, ntname.NewGlob(step, fold))
		}
	}
	return g
}

// Match compares with the path of n.
func (g *PathGlob) Match(im *wim.Image, n wim.Node) bool {
	for i := range slices.Backward(g.steps) {
		if n == 0 || !g.steps[i].Match(im.StoredName(n)) {
			return false
		}
		n = im.Parent(n)
	}
	return !g.anchored || n == 0
}

// Glob finds the entries whose whole path from the root is as pattern says, in the order of nodes. Slashes may be
// backslashes, and a leading one need not be there.
func Glob(im *wim.Image, pattern string, fold bool) []wim.Node {
	list := []wim.Node{0}
	g := NewPathGlob(pattern, fold)
	for i := range g.steps {
		var next []wim.Node
		for _, dir := range list {
			first, count := im.Children(dir)
			for c := first; c < first+wim.Node(count); c++ {
				if g.steps[i].Match(im.StoredName(c)) {
					next = append(next, c)
				}
			}
		}
		list = next
	}
	return list
}
