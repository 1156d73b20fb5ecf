package extract

import (
	"wimscope/wim"
	"wimscope/wim/find"
	"wimscope/wim/ntname"
)

// Selection is what is extracted from one image. A root that is below another one is extracted only once, with that one,
// except after SetRoots.
type Selection struct {
	Image *wim.Image
	Roots []wim.Node       // each with everything below it; none: the whole image
	Base  wim.Node         // the folder that paths are relative to; a root that is not below it is extracted under its own name
	Skip  []*find.PathGlob // left out, with everything below

	bases  []wim.Node             // for each root, if SetRoots was called
	placed func(*Selection) []top // placedTops, if SetRoots was called
	places func() placer          // newPlaces, if SetRoots was called
}

// Each calls yield for every selected entry once, folders before their entries, until yield returns false. path is relative
// to the base, with escaped names, separated by slashes, without a leading one. Each omits the base itself, which is the
// output, and entries whose path exceeds 128 KiB, which is more than any system supports.
func (s *Selection) Each(yield func(n wim.Node, path string) bool) {
	s.each(s.tops(), true, func(_ int, n wim.Node, path []byte, over bool) bool { return over || yield(n, string(path)) })
}

// top is a root whose entries are extracted, and the folder that its path is relative to.
type top struct {
	node, base wim.Node
	alone      bool // a folder without its entries
}

// tops returns the roots to walk: all of them if they have bases of their own, otherwise those that are not below another
// one.
func (s *Selection) tops() []top {
	if s.placed != nil {
		return s.placed(s)
	}
	var list []top
	for _, n := range s.topRoots() {
		list = append(list, top{node: n, base: s.Base})
	}
	return list
}

// whole reports whether the whole image is selected.
func (s *Selection) whole() bool { return len(s.Roots) == 0 && s.placed == nil }

// overlaps reports whether an entry may have several paths, or several entries may have the same path.
func (s *Selection) overlaps() bool { return len(s.bases) > 1 }

// each is Each for the result of tops; i is the index of the top. over reports that the path exceeds maxOutPath; path is
// then only its beginning. path is valid during the call only. Without paths, path is empty, and the base of a whole image
// is yielded too.
func (s *Selection) each(tops []top, paths bool, yield func(i int, n wim.Node, path []byte, over bool) bool) {
	for i, t := range tops {
		if s.skipped(t.node, true) {
			continue
		}
		if !s.walk(t, paths, func(n wim.Node, path []byte, over bool) bool { return yield(i, n, path, over) }) {
			return
		}
	}
}

// topRoots returns the roots that are not below another one, each once.
func (s *Selection) topRoots() []wim.Node {
	if len(s.Roots) == 0 {
		return []wim.Node{0}
	}
	words := s.Image.Len()/64 + 1
	given, known, covered, told := make([]uint64, words), make([]uint64, words), make([]uint64, words), make([]uint64, words)
	bit := func(set []uint64, n wim.Node) bool { return set[n>>6]>>(n&63)&1 != 0 }
	for _, n := range s.Roots {
		given[n>>6] |= 1 << (n & 63)
	}
	// isCovered reports whether a folder above n is a root. It caches the result for all nodes on the way.
	isCovered := func(n wim.Node) bool {
		at, is := n, false
		for at != 0 && !bit(known, at) {
			at = s.Image.Parent(at)
			if bit(given, at) {
				is = true
				break
			}
		}
		if !is && at != 0 {
			is = bit(covered, at)
		}
		for m := n; m != at; m = s.Image.Parent(m) {
			known[m>>6] |= 1 << (m & 63)
			if is {
				covered[m>>6] |= 1 << (m & 63)
			}
		}
		return is
	}
	var tops []wim.Node
	for _, n := range s.Roots {
		if !bit(told, n) && !isCovered(n) {
			tops = append(tops, n)
		}
		told[n>>6] |= 1 << (n & 63)
	}
	return tops
}

// rootPath returns the path of a root in the output, or its beginning if it exceeds maxOutPath.
func (s *Selection) rootPath(t top) []byte {
	im := s.Image
	var room [32]wim.Node
	steps := room[:0]
	for n := t.node; n != t.base; n = im.Parent(n) {
		if n == 0 {
			return ntname.AppendEscaped(nil, im.StoredName(t.node))
		}
		steps = append(steps, n)
	}
	var path []byte
	for i := len(steps) - 1; i >= 0 && len(path) <= maxOutPath; i-- {
		if len(path) > 0 {
			path = append(path, '/')
		}
		path = ntname.AppendEscaped(path, im.StoredName(steps[i]))
	}
	return path
}

// skipped reports whether an entry is left out; with above, also whether it is in a folder that is.
func (s *Selection) skipped(n wim.Node, above bool) bool {
	for len(s.Skip) > 0 {
		for _, g := range s.Skip {
			if n != 0 && g.Match(s.Image, n) {
				return true
			}
		}
		if !above || n == 0 {
			return false
		}
		n = s.Image.Parent(n)
	}
	return false
}

// walk yields a top and everything below it.
func (s *Selection) walk(t top, paths bool, yield func(wim.Node, []byte, bool) bool) bool {
	im, n, path := s.Image, t.node, []byte(nil)
	if paths {
		path = s.rootPath(t)
	}
	type level struct {
		next, end wim.Node
		path      int  // length of the folder's path
		over      bool // it exceeds maxOutPath, as do those of its entries
	}
	over := len(path) > maxOutPath
	if (n != t.base && (len(path) > 0 || !paths) || !paths && s.whole()) && !yield(n, path, over) {
		return false
	}
	if t.alone {
		return true
	}
	first, count := im.Children(n)
	stack := []level{{first, first + wim.Node(count), len(path), over}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next == top.end {
			stack = stack[:len(stack)-1]
			continue
		}
		c := top.next
		top.next++
		if s.skipped(c, false) {
			continue
		}
		path, over = path[:top.path], top.over
		if paths && !over {
			if len(path) > 0 {
				path = append(path, '/')
			}
			path = ntname.AppendEscaped(path, im.StoredName(c))
			over = len(path) > maxOutPath
		}
		if !yield(c, path, over) {
			return false
		}
		if first, count := im.Children(c); count > 0 {
			stack = append(stack, level{first, first + wim.Node(count), len(path), over})
		}
	}
	return true
}
