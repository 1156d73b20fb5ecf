package extract

import "wimscope/wim"

// Place is where an entry is in an output: below the output's folder as Node is below Base in the image.
type Place struct{ Node, Base wim.Node }

// Folder returns the place of the folder that holds p, the zero Place for the output's own folder.
func (p Place) Folder(im *wim.Image) Place {
	n := im.Parent(p.Node)
	if p.Node == p.Base || n == p.Base {
		return Place{}
	}
	return Place{n, p.Base}
}

// SetRoots selects roots with bases of their own: each is extracted to its own path, which may be inside another's, and an
// entry may be extracted several times. The folders between a root and its base are extracted too. Base does not count.
func (s *Selection) SetRoots(roots, bases []wim.Node) {
	s.Roots, s.bases, s.placed, s.places = roots, bases, placedTops, newPlaces
}

// placedTops is Selection.tops for roots with bases of their own.
func placedTops(s *Selection) (list []top) {
	for i, n := range s.Roots {
		list = s.between(list, n, s.bases[i])
		list = append(list, top{node: n, base: s.bases[i]})
	}
	return list
}

// between appends the folders between a root and its base, the highest first.
func (s *Selection) between(list []top, n, base wim.Node) []top {
	if n == base || n == 0 {
		return list
	}
	if n = s.Image.Parent(n); n == base || n == 0 {
		return list
	}
	return append(s.between(list, n, base), top{n, base, true})
}

// placer is a *places: programs that do not call SetRoots do not link it.
type placer interface {
	// take reserves the path of an entry, and reports whether it is free. A path of another entry is a problem.
	take(p *Plan, u extractUse) bool
}

// places maps the places of an output to nodes, for selections that may extract two entries to one path.
type places struct {
	taken   map[placeName]Place
	folders map[Place]Place // the place of each folder's first entry; the others are merged into it
}

// placeName is a path: a folder and a stored name in it.
type placeName struct {
	folder Place
	name   string
}

func newPlaces() placer {
	return &places{map[placeName]Place{}, map[Place]Place{{}: {}}}
}

// take implements placer. There is nothing to report if the path of the entry's folder belongs to a file, so that the folder
// was reported; if the entry has the path already; or if both are folders, whose entries are merged.
func (s *places) take(p *Plan, u extractUse) bool {
	im, at := p.sel.Image, Place{u.node, p.tops[u.top].base}
	folder, ok := s.folders[at.Folder(im)]
	if !ok {
		return false
	}
	name := placeName{folder, string(im.StoredName(u.node))}
	first, taken := s.taken[name]
	if !taken {
		first, s.taken[name] = at, at
	}
	merged := im.IsDir(u.node) && im.IsDir(first.Node)
	if merged {
		s.folders[at] = first
	}
	if taken && !merged && first.Node != u.node {
		p.skip(u.node, "same-place", im.Path(first.Node))
	}
	return !taken
}

// Streams reports whether the output is written from front to back, provided that no blob is found damaged. A ZIP is not if
// a blob comes in pieces, since the CRC precedes the data; nor is any output in which such a blob is written to several
// places.
func (p *Plan) Streams() bool {
	inOrder := func(id int32) bool {
		bodies := 0
		for _, u := range p.usesOf(id) {
			if p.o.Form == OutputZIP {
				return false
			}
			if u.kind == EntryFile {
				bodies++
			}
		}
		return bodies <= 1
	}
	for i := range p.Shards {
		s := &p.Shards[i]
		if s.From > 0 && !inOrder(p.Order[s.First]) {
			return false
		}
		for _, x := range s.Solid {
			if x.From > 0 && !inOrder(x.ID) {
				return false
			}
		}
	}
	return true
}
