package find

import (
	"slices"
	"strings"

	"wimscope/wim"
	"wimscope/wim/ntname"
)

// PathGlob is a path with wildcards: * matches any run of characters except slashes, ? any one character.
type PathGlob struct {
	steps    []ntname.Pattern
	anchored bool // the steps must match a whole path, otherwise the end of one
}

// NewPathGlob returns the glob of a text. Backslashes count as slashes. If the text begins with a slash it matches whole paths, otherwise
// the ends of paths, so that a text without slashes matches names. If fold is set case is ignored.
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

// Match reports whether the glob matches the path of n.
func (g *PathGlob) Match(im *wim.Image, n wim.Node) bool {
	for i := range slices.Backward(g.steps) {
		if n == 0 || !g.steps[i].Match(im.StoredName(n)) {
			return false
		}
		n = im.Parent(n)
	}
	return !g.anchored || n == 0
}

// Glob returns the entries whose whole path from the root matches pattern, in the order of nodes. Backslashes count as slashes, and the
// leading slash is optional.
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
