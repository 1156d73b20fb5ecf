package find

import (
	"strings"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// Query is what a search looks for. A text with a slash is looked for in paths, any other one in names. With * or ?
// the whole name must match, of a path each step by its own (and all from the root on if it begins with a slash);
// without, the text is looked for inside. Case is ignored.
type Query struct {
	steps []ntname.Pattern // what text without wildcards has between slashes, or the name
	path  bool
	glob  *PathGlob // of a text with slashes and wildcards
}

// NewQuery makes a query of a text. Backslashes are taken for slashes.
func NewQuery(text string) *Query {
	text = strings.ReplaceAll(text, `\`, "/")
	wild := strings.ContainsAny(text, "*?")
	switch {
	case !strings.Contains(text, "/"):
		return &Query{steps: []ntname.Pattern{ntname.NewPattern(text, true)}}
	case wild:
		return &Query{path: true, glob: NewPathGlob(text, true)}
	}
	q := &Query{path: true}
	for step := range strings.SplitSeq(text, "/") {
		q.steps = append(q.steps, ntname.NewText(step, true))
	}
	return q
}

// Search runs a query through one image, a stretch of nodes at a time.
type Search struct {
	im    *wim.Image
	q     *Query
	next  wim.Node
	below []uint64 // nodes whose path matches, and therefore the paths below them; nil if that does not matter
}

// In begins to look for q. The root itself is never found.
func In(im *wim.Image, q *Query) *Search {
	s := &Search{im: im, q: q, next: 1}
	if q.path && q.glob == nil {
		s.below = make([]uint64, im.Len()/64+1)
	}
	return s
}

// Step looks at the next nodes, at most budget of them, and calls hit for those that match until it says false; the
// next step goes on behind that one. It tells whether there are nodes left to look at. A node takes about 0.1 µs.
func (s *Search) Step(budget int, hit func(wim.Node) bool) (more bool) {
	end := wim.Node(min(int64(s.im.Len()), int64(s.next)+int64(budget)))
	for n := s.next; n < end; n++ {
		if s.q.path {
			if !s.matchPath(n) {
				continue
			}
		} else if !s.q.steps[0].Match(s.im.StoredName(n)) {
			continue
		}
		if !hit(n) {
			s.next = n + 1
			return int(s.next) < s.im.Len()
		}
	}
	s.next = end
	return int(end) < s.im.Len()
}

func (s *Search) matchPath(n wim.Node) bool {
	if s.q.glob != nil {
		return s.q.glob.Match(s.im, n)
	}
	parent := s.im.Parent(n)
	found := s.below[parent>>6]>>(parent&63)&1 != 0 || s.endsIn(n)
	if found {
		s.below[n>>6] |= 1 << (n & 63)
	}
	return found
}

// endsIn says that the text is in n's path so that it ends in n's name: its last step begins the name, those before
// are names of folders, and its first ends one. The slashes at a path's start and before a name count.
func (s *Search) endsIn(n wim.Node) bool {
	steps := s.q.steps
	last := len(steps) - 1
	if !steps[last].HasPrefix(s.im.StoredName(n)) {
		return false
	}
	for i := last - 1; i > 0; i-- {
		if n = s.im.Parent(n); n == 0 || !steps[i].Equal(s.im.StoredName(n)) {
			return false
		}
	}
	n = s.im.Parent(n)
	return steps[0].HasSuffix(s.im.StoredName(n)) // the root's name is empty
}

// Uses looks for entries that use a content, in any stream: among at most budget nodes from from on. It calls hit
// until that says false, and gives the node to go on with, Len() at the end. stream is the escaped name of a named
// stream, "" for all else; an entry is told once for each stream.
func Uses(im *wim.Image, h format.Hash, from wim.Node, budget int, hit func(n wim.Node, kind format.StreamKind, stream string) bool) wim.Node {
	end := wim.Node(min(int64(im.Len()), int64(from)+int64(budget)))
	next := end
	im.Contents(from, end, func(n wim.Node, c format.Hash, kind format.StreamKind, name []byte) bool {
		if c == h && !hit(n, kind, string(ntname.AppendEscaped(nil, name))) {
			next = n + 1
			return false
		}
		return true
	})
	return next
}

// Hit is an entry of one of several images.
type Hit struct {
	Image int // from 1
	Node  wim.Node
}

// HitGroup is hits that have the same content. Folders, empty files and links form a group with those of the same
// path in other images.
type HitGroup struct {
	Name string // of the first hit
	Hash format.Hash
	Size int64
	Dir  bool
	Hits []Hit // at most as many as Groups was told to keep
	More int   // those beyond
}

// Groups gathers hits of a search over several images by content. Keep is how many hits of each group are kept.
type Groups struct {
	Keep  int
	List  []*HitGroup // in the order of their first hits
	index map[groupKey]*HitGroup
}

type groupKey struct {
	hash format.Hash
	path string // where there is no hash
}

// Add puts a hit in its group and tells it.
func (g *Groups) Add(im *wim.Image, n wim.Node) *HitGroup {
	key := groupKey{hash: im.Hash(n)}
	if key.hash.IsZero() {
		key.path = im.Path(n)
	}
	group := g.index[key]
	if group == nil {
		if g.index == nil {
			g.index = make(map[groupKey]*HitGroup)
		}
		group = &HitGroup{Name: im.Name(n), Hash: key.hash, Size: im.BlobSize(key.hash), Dir: im.IsDir(n)}
		g.index[key] = group
		g.List = append(g.List, group)
	}
	if len(group.Hits) < g.Keep {
		group.Hits = append(group.Hits, Hit{im.Index(), n})
	} else {
		group.More++
	}
	return group
}
