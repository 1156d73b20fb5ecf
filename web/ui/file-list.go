package ui

import (
	"github.com/vugu/vugu"

	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// FileList is the middle pane: the entries of one folder.
type FileList struct{ base }

var columns = [...]struct{ sort, name, class string }{
	{"name", "column.name", "name"},
	{"size", "column.size", "size"},
	{"modified", "column.modified", "time"},
	{"attrs", "column.attrs", "attrs"},
}

type listRow struct {
	i                int
	row              protocol.Row
	ok               bool
	selected, cursor bool
}

func (r listRow) icon() vugu.Builder {
	return symbol(r.row.Name, r.row.Dir, r.row.Link != "" || r.row.Reparse != 0)
}

func (c *FileList) size(r listRow) string {
	switch {
	case r.row.BadLink:
		return c.T("files.link-bad-row")
	case r.row.Link != "":
		return "→ " + r.row.Link
	case r.row.Dir || r.row.Reparse != 0 || !r.ok:
		return ""
	}
	return words.Number(r.row.Size)
}

func (r listRow) time() string { return words.Minute(r.row.Modified) }

func (r listRow) attrs() string { return words.Attributes(r.row.Attrs) }

func (c *FileList) spacer() string {
	return "height:" + px(c.Archive.Files.List.View.Spacer())
}

func (c *FileList) run() string {
	v := &c.Archive.Files.List.View
	from, _ := v.Range()
	return "transform:translateY(" + px(v.Offset(from)) + ")"
}

func (c *FileList) rows() []listRow {
	l := &c.Archive.Files.List
	from, to := l.View.Range()
	rows := make([]listRow, 0, to-from)
	for i := from; i < to; i++ {
		row, ok := l.Row(i)
		rows = append(rows, listRow{i: i, row: row, ok: ok, selected: l.Sel.Has(i), cursor: i == l.Cursor})
	}
	return rows
}

func (c *FileList) active() any {
	l := &c.Archive.Files.List
	if from, to := l.View.Range(); l.Cursor >= from && l.Cursor < to {
		return "row-" + itoa(l.Cursor)
	}
	return nil
}

func (c *FileList) sorted(column string) string {
	l := &c.Archive.Files.List
	switch {
	case l.Sort != column:
		return "none"
	case l.Desc:
		return "descending"
	}
	return "ascending"
}

func (c *FileList) arrow() vugu.Builder {
	if c.Archive.Files.List.Desc {
		return icon("arrow-down")
	}
	return icon("arrow-up")
}

func (c *FileList) columns() int {
	if c.Archive.Files.List.Boxes() {
		return len(columns) + 1
	}
	return len(columns)
}

// picked reports whether the check box of a row is ticked: a row that a tap has shown is selected, but not picked.
func (c *FileList) picked(r listRow) bool { return r.selected && c.Archive.Files.List.Picking() }

// all returns the state of the check box above the rows.
func (c *FileList) all() string {
	l := &c.Archive.Files.List
	switch n := l.Sel.Count(); {
	case n == 0 || !c.Archive.Files.List.Picking():
		return "false"
	case n == l.View.Total:
		return "true"
	}
	return "mixed"
}

func touch(e vugu.DOMEvent) bool { return e.PropString("pointerType") == "touch" }

// click selects a row. A touch, which has no double click, opens folders and shows files, or toggles the row while the
// finger is selecting.
func (c *FileList) click(e vugu.DOMEvent, i int, row protocol.Row) {
	_, held := press(e)
	if touch(e) {
		if c.Archive.Files.List.WasHeld(i) {
			return
		}
		if c.Archive.Files.List.Picking() {
			c.Archive.Files.List.Pick(i)
			return
		}
		if row.Dir {
			c.Archive.Files.Enter(i)
			return
		}
		c.Archive.Files.List.Click(i, false, false)
		if c.App.Narrow() {
			c.Archive.Files.ShowPane(state.PaneInspector)
		}
		return
	}
	c.Archive.Files.List.Click(i, held.Shift, held.Ctrl)
}

func (c *FileList) empty() string {
	f := &c.Archive.Files
	switch {
	case len(c.Archive.Info.Images) == 0:
		return c.T("files.no-images")
	case f.Loading || f.Problem != nil || f.Path == nil || f.List.View.Total > 0:
		return ""
	case f.List.Filter != "":
		return c.T("files.none-match", f.List.Filter)
	}
	return c.T("files.empty")
}
