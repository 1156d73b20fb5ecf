package extract

import (
	"bytes"

	"wimscope/wim"
)

// places maps the paths of an output to nodes, for selections that may extract two entries to one path.
type places map[string]wim.Node

// take reserves a path for n. If the path is taken, it returns the node that has it, or -1 if there is nothing to report:
// the path of n's folder belongs to a file, so that the folder was reported; n has the path already; or both are folders,
// whose entries are merged.
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
