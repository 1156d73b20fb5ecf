package find

import (
	"strings"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// Query is a search pattern. A text with a slash is matched against paths, any other text against names. With the wildcards * and ?, the
// whole name must match, or each step of a path (from the root on if the text begins with a slash). Without wildcards, the text may occur
// anywhere in the name or path. Case is ignored.
type Query struct {
	steps []ntname.Pattern // the parts between slashes of a text without wildcards, or the name
	path  bool
	glob  *PathGlob // of a text with slashes and wildcards
}

// NewQuery returns the query for a text. Backslashes count as slashes.
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

// Search is a search of one image, which proceeds in steps.
type Search struct {
	im    *wim.Image
	q     *Query
	next  wim.Node
	below []uint64 // one bit per node: its path matches, and so do the paths below it; nil if names are searched
}

// In starts a search of an image for q. It never finds the root.
func In(im *wim.Image, q *Query) *Search {
	s := &Search{im: im, q: q, next: 1}
	if q.path && q.glob == nil {
		s.below = make([]uint64, im.Len()/64+1)
	}
	return s
}

// Step examines at most budget nodes and calls hit for those that match. If hit returns false the step ends, and the next one continues
// after that node. Step reports whether nodes are left to examine. A node takes about 0.1 µs.
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

// endsIn reports whether the text occurs in n's path and ends in n's name: its last step is a prefix of the name, the steps before it are
// names of folders, and its first step is a suffix of one. The slashes at the start of a path and before a name count.
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

// Uses finds the entries among the budget nodes from from on that have a blob in any of their streams. It calls hit once for each such
// stream until hit returns false, and returns the node to continue with, Len() at the end. stream is the escaped name of a named stream,
// otherwise "".
func Uses(im *wim.Image, h format.Hash, from wim.Node, budget int, hit func(n wim.Node, kind format.StreamKind, stream string) bool) wim.Node {
	end := wim.Node(min(int64(im.Len()), int64(from)+int64(budget)))
	next := end
	im.EachStream(from, end, func(n wim.Node, c format.Hash, kind format.StreamKind, name []byte) bool {
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

// HitGroup is a group of hits with the same content. Folders, empty files and links are grouped by path.
type HitGroup struct {
	Name string // of the first hit
	Hash format.Hash
	Size int64
	Dir  bool
	Hits []Hit // at most Groups.Keep
	More int   // number of further hits
}

// Groups groups the hits of a search of several images by content.
type Groups struct {
	Keep  int         // how many hits of each group are kept
	List  []*HitGroup // in the order of their first hits
	index map[groupKey]*HitGroup
}

type groupKey struct {
	hash format.Hash
	path string // if the hash is zero
}

// Add adds a hit to its group, and returns the group.
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
		group = &HitGroup{Name: im.Name(n), Hash: key.hash, Size: im.Size(n), Dir: im.IsDir(n)}
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
