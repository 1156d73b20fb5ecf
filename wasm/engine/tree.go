package engine

import (
	"slices"

	"wimscope/wim"
	"wimscope/worker/protocol"
)

// folderRow is one row of the folder tree.
type folderRow struct {
	node  wim.Node
	depth int32 // 1 for the folders in the root
	open  bool
}

// folders is a flattened folder tree. A session keeps the last one.
type folders struct {
	image    int
	expanded []int32
	rows     []folderRow
}

const maxExpanded = 100_000 // folders that a request may expand

// tree answers protocol.Tree.
func (s *session) tree(req protocol.TreeRequest) (protocol.TreeReply, error) {
	im, err := s.image(req.Image)
	if err != nil {
		return protocol.TreeReply{}, err
	}
	if len(req.Expanded) > maxExpanded {
		return protocol.TreeReply{}, badRequest("too many open folders")
	}
	t := s.folders
	if t == nil || t.image != req.Image || !slices.Equal(t.expanded, req.Expanded) {
		t = flatten(im, req)
		s.folders = t
	}
	rows, start := window(t.rows, req.Start, req.Count, maxRows)
	rep := protocol.TreeReply{Rows: make([]protocol.Row, len(rows)), Start: start, Total: len(t.rows), Find: -1}
	for i, f := range rows {
		r := row(im, f.node)
		r.Depth, r.Open, r.Folders = int(f.depth), f.open, holdsFolders(im, f.node)
		rep.Rows[i] = r
	}
	if req.Find > 0 {
		rep.Find = slices.IndexFunc(t.rows, func(f folderRow) bool { return f.node == wim.Node(req.Find) })
	}
	return rep, nil
}

func flatten(im *wim.Image, req protocol.TreeRequest) *folders {
	t := &folders{image: req.Image, expanded: req.Expanded}
	open := make(map[wim.Node]bool, len(req.Expanded))
	for _, n := range req.Expanded {
		open[wim.Node(n)] = true
	}
	// A stack of the folders still to be shown; the next one is last.
	type todo struct {
		node  wim.Node
		depth int32
	}
	var stack []todo
	push := func(n wim.Node, depth int32) {
		list := im.List(n, wim.ByName, true, im.IsDir)
		for _, c := range list {
			stack = append(stack, todo{c, depth})
		}
	}
	push(0, 1)
	for len(stack) > 0 {
		f := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		isOpen := open[f.node] && holdsFolders(im, f.node)
		t.rows = append(t.rows, folderRow{f.node, f.depth, isOpen})
		if isOpen {
			push(f.node, f.depth+1)
		}
	}
	return t
}
