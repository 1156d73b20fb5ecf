package state

import (
	"strings"

	"wimscope/worker/protocol"
)

// Tree is the left pane: the folders of the image.
type Tree struct {
	View   Viewport
	Cursor int   // row with the focus
	Shown  int32 // node of the folder that the list shows

	ar    *opened
	image int
	open  map[int32]bool
	typed typing
	rows  window[protocol.Row]
}

// clear removes the rows and closes all folders.
func (t *Tree) clear() {
	*t = Tree{View: Viewport{Row: t.ar.rowHeight(), Height: t.View.Height}, ar: t.ar, open: map[int32]bool{},
		rows: window[protocol.Row]{gen: t.rows.gen + 1}}
}

// Row returns row i, if it has arrived.
func (t *Tree) Row(i int) (protocol.Row, bool) { return t.rows.row(i) }

// show opens the folders above node, the last of path, and moves the cursor to it.
func (t *Tree) show(image int, path []protocol.Crumb, node int32) {
	t.image = image
	for i, c := range path {
		if i > 0 && i < len(path)-1 {
			t.open[c.Node] = true
		}
	}
	t.Shown = node
	t.load(node)
}

// load requests the first rows again. The folder find, if not 0, gets the cursor.
func (t *Tree) load(find int32) {
	t.rows.reset()
	t.fetch(0, true, find)
}

// fill requests the rows in view that have not arrived.
func (t *Tree) fill() {
	from, to := t.View.Range()
	for _, page := range t.rows.want(from, to) {
		t.fetch(page, false, 0)
	}
}

// fetch requests a page of rows. First marks the first request of a generation.
func (t *Tree) fetch(page int, first bool, find int32) {
	gen := t.rows.gen
	req := protocol.TreeRequest{Image: t.image, Start: page * pageRows, Count: pageRows, Find: find}
	for n := range t.open {
		req.Expanded = append(req.Expanded, n)
	}
	go func() {
		rep, err := t.ar.Session.Tree(t.ar.ctx, req)
		t.ar.update(func() {
			if gen != t.rows.gen {
				return
			}
			if err != nil {
				t.rows.failed(gen, page)
				return
			}
			t.rows.put(gen, page, rep.Rows, rep.Total, first)
			t.View.Total = rep.Total
			if first {
				t.Cursor = min(t.Cursor, max(rep.Total-1, 0))
				if find != 0 && rep.Find >= 0 {
					t.Cursor = rep.Find
					t.reveal()
				}
			}
			t.fill()
		})
	}()
}

// reveal brings the cursor into view.
func (t *Tree) reveal() {
	if top := t.View.Reveal(t.Cursor); top != t.View.Top {
		t.View.Top = top
		t.ar.platform.ScrollTo("tree", top)
	}
}

// scrolled sets the scroll position and the visible height.
func (t *Tree) scrolled(top, height float64) {
	t.View.Top, t.View.Height = top, height
	t.fill()
}

// Toggle opens or closes row i.
func (t *Tree) Toggle(i int) {
	t.ar.update(func() {
		if row, ok := t.Row(i); ok && row.Folders {
			t.Cursor = i
			t.setOpen(row, !row.Open)
		}
	})
}

func (t *Tree) setOpen(row protocol.Row, on bool) {
	if on {
		t.open[row.Node] = true
	} else {
		delete(t.open, row.Node)
	}
	t.load(row.Node)
}

// key handles the keys that move the cursor, open or close a folder, or type the prefix of a name. It reports whether the
// key was used.
func (t *Tree) key(key string) bool {
	done := true
	t.ar.update(func() {
		n := t.View.Total
		if n == 0 {
			return
		}
		row, ok := t.Row(t.Cursor)
		to := t.Cursor
		switch key {
		case "ArrowDown":
			to++
		case "ArrowUp":
			to--
		case "Home":
			to = 0
		case "End":
			to = n - 1
		case "PageDown":
			to += t.View.Page()
		case "PageUp":
			to -= t.View.Page()
		case "ArrowRight":
			switch {
			case ok && row.Folders && !row.Open:
				t.setOpen(row, true)
				return
			case ok && row.Open:
				to++
			}
		case "ArrowLeft":
			if ok && row.Open {
				t.setOpen(row, false)
				return
			}
			for to > 0 && ok {
				to--
				if up, there := t.Row(to); there && up.Depth < row.Depth {
					break
				}
			}
		default:
			done = t.typeName(key)
			return
		}
		t.Cursor = min(max(to, 0), n-1)
		t.reveal()
		t.fill()
	})
	return done
}

// typeName adds a letter to the prefix and moves the cursor to the next folder whose name starts with it, among the rows
// that have arrived.
func (t *Tree) typeName(key string) bool {
	if !letter(key) || key == " " {
		return false
	}
	typed := t.typed.add(strings.ToLower(key))
	from := t.Cursor + 1
	if len([]rune(typed)) > 1 {
		from = t.Cursor
	}
	for k := range t.View.Total {
		i := (from + k) % t.View.Total
		row, ok := t.Row(i)
		if ok && strings.HasPrefix(strings.ToLower(row.Name), typed) {
			t.Cursor = i
			t.reveal()
			break
		}
	}
	return true
}
