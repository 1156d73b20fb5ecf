package engine

import (
	"sort"
	"strings"

	"wimscope/wim"
	"wimscope/wim/ntname"
	"wimscope/worker/protocol"
)

const maxRows = 1000 // in one reply

// viewKey holds what determines a view.
type viewKey struct {
	image  int
	node   wim.Node
	sort   string
	desc   bool
	filter string
}

// view is a sorted and filtered folder. A session keeps the last two: the page requests many windows of one view.
type view struct {
	key   viewKey
	nodes []wim.Node
	dirs  int
	bytes int64
	index map[wim.Node]int // position of each node; built on first use
}

// list answers protocol.List.
func (s *session) list(req protocol.ListRequest) (protocol.ListReply, error) {
	im, n, err := s.node(req.Image, req.Node)
	if err != nil {
		return protocol.ListReply{}, err
	}
	if !im.IsDir(n) {
		return protocol.ListReply{}, notFound("not a folder")
	}
	v, err := s.view(im, viewKey{req.Image, n, req.Sort, req.Desc, req.Filter})
	if err != nil {
		return protocol.ListReply{}, err
	}
	_, all := im.Children(n)
	nodes, start := window(v.nodes, req.Start, req.Count, maxRows)
	rep := protocol.ListReply{
		Rows: make([]protocol.Row, len(nodes)), Start: start,
		Total: len(v.nodes), All: all, Dirs: v.dirs, Bytes: v.bytes,
		Path: crumbs(im, n), Seek: -1, Find: -1,
	}
	_, rep.Lost = im.Losses()
	for i, c := range nodes {
		rep.Rows[i] = row(im, c)
	}
	if req.Seek != "" {
		rep.Seek = v.seek(im, req.Seek, req.Start)
	}
	if req.Find > 0 {
		rep.Find = v.find(wim.Node(req.Find))
	}
	return rep, nil
}

func (s *session) view(im *wim.Image, key viewKey) (*view, error) {
	for i, v := range s.views {
		if v != nil && v.key == key {
			if i > 0 {
				s.views[0], s.views[i] = v, s.views[0]
			}
			return v, nil
		}
	}
	order, ok := map[string]wim.Order{"": wim.ByName, "name": wim.ByName, "size": wim.BySize, "modified": wim.ByModified, "attrs": wim.ByAttrs, "type": wim.ByType}[key.sort]
	if !ok {
		return nil, badRequest("unknown sort order " + key.sort)
	}
	var keep func(wim.Node) bool
	if key.filter != "" {
		m := ntname.NewPattern(key.filter, true)
		keep = func(n wim.Node) bool { return m.MatchString(im.Name(n)) }
	}
	v := &view{key: key, nodes: im.List(key.node, order, key.desc, keep)}
	v.dirs = sort.Search(len(v.nodes), func(i int) bool { return !im.IsDir(v.nodes[i]) }) // folders come first
	v.bytes = im.TotalSize(v.nodes[v.dirs:])
	s.views[1], s.views[0] = s.views[0], v
	return v, nil
}

// seek returns the first row after start whose name begins with prefix, or -1. The search wraps around to start.
func (v *view) seek(im *wim.Image, prefix string, start int) int {
	want := fold(prefix)
	for i := range v.nodes {
		at := (max(start, 0) + 1 + i) % len(v.nodes)
		if strings.HasPrefix(fold(im.Name(v.nodes[at])), want) {
			return at
		}
	}
	return -1
}

func (v *view) find(n wim.Node) int {
	if v.index == nil {
		v.index = make(map[wim.Node]int, len(v.nodes))
		for i, x := range v.nodes {
			v.index[x] = i
		}
	}
	if i, ok := v.index[n]; ok {
		return i
	}
	return -1
}
