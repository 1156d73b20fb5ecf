package ui

import (
	"github.com/vugu/vugu"

	"wimscope/worker/protocol"
)

// FolderTree is the left pane: the folders of the image.
type FolderTree struct{ base }

type treeRow struct {
	i             int
	row           protocol.Row
	shown, cursor bool
}

func (r treeRow) indent() string {
	return "--level:" + itoa(max(r.row.Depth-1, 0))
}

func (r treeRow) expanded() any {
	if !r.row.Folders {
		return nil
	}
	return yes(r.row.Open)
}

func (r treeRow) twist() vugu.Builder {
	if r.row.Open {
		return icon("chevron-down")
	}
	return icon("chevron-right")
}

// role returns the ARIA role. A tree must contain items, so an empty one is a group.
func (c *FolderTree) role() string {
	if c.Archive.Files.Tree.View.Total == 0 {
		return "group"
	}
	return "tree"
}

func (c *FolderTree) spacer() string {
	return "height:" + px(c.Archive.Files.Tree.View.Spacer())
}

func (c *FolderTree) run() string {
	v := &c.Archive.Files.Tree.View
	from, _ := v.Range()
	return "transform:translateY(" + px(v.Offset(from)) + ")"
}

func (c *FolderTree) rows() []treeRow {
	t := &c.Archive.Files.Tree
	from, to := t.View.Range()
	rows := make([]treeRow, 0, to-from)
	for i := from; i < to; i++ {
		row, ok := t.Row(i)
		if !ok {
			row = protocol.Row{Node: -1, Depth: 1}
		}
		rows = append(rows, treeRow{i: i, row: row, shown: ok && row.Node == t.Shown && t.Shown != 0, cursor: i == t.Cursor})
	}
	return rows
}

func (c *FolderTree) active() any {
	t := &c.Archive.Files.Tree
	if from, to := t.View.Range(); t.Cursor >= from && t.Cursor < to {
		return "folder-" + itoa(t.Cursor)
	}
	return nil
}
