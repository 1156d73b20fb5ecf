package extract

import (
	"bytes"

	"wimscope/wim"
)

// places is what has which path of an output, for selections that may want two things at one path.
type places map[string]wim.Node

// take reserves a path for n. If the path is taken, it returns the node that has it; -1 if there is nothing to report: n is in
// a folder that is left out, or a folder at the path of another one, so that their entries come together.
func (p places) take(im *wim.Image, n wim.Node, path []byte) (free bool, other wim.Node) {
	if i := bytes.LastIndexByte(path, '/'); i >= 0 && !im.IsDir(p[string(path[:i])]) {
		return false, -1
	}
	other, taken := p[string(path)]
	switch {
	case !taken:
		p[string(path)] = n
		return true, n
	case im.IsDir(n) && im.IsDir(other), other == n:
		return false, -1
	}
	return false, other
}

// Streams reports whether the output is written from front to back, if no content is found damaged. A ZIP is not if a content
// comes in pieces, since its CRC stands before it; nor is any output in which such a content has several places.
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
		for _, sp := range s.Solid {
			for _, x := range sp.Pieces {
				if x.From > 0 && !inOrder(x.ID) {
					return false
				}
			}
		}
	}
	return true
}
