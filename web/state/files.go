package state

import (
	"strings"
	"time"

	"wimscope/worker/protocol"
)

// The height of a row of a list or a tree, in CSS pixels: for a mouse, and for a finger.
const (
	RowHeight   = 26
	TouchHeight = 44
)

// rowHeight is that of this page.
func (a *App) rowHeight() float64 {
	if a.Caps.Coarse {
		return TouchHeight
	}
	return RowHeight
}

// Pane is which pane a narrow page shows.
type Pane string

// The panes of the Files tab.
const (
	PaneTree      Pane = "tree"
	PaneList      Pane = "list"
	PaneInspector Pane = "inspector"
)

// Files is the Files tab.
type Files struct {
	Image   int            // from 1
	Entry   protocol.Crumb // the folder that is shown
	Path    []protocol.Crumb
	Loading bool
	Problem *Problem // why the image or folder cannot be shown
	Lost    int      // number of losses in the image's tree

	List    List
	Tree    Tree
	Insp    Inspector
	Preview Preview
	Pane    Pane

	hashSerial int
}

// List is the middle pane: one folder.
type List struct {
	View   Viewport
	Sort   string // "name", "size", "modified", "attrs"
	Desc   bool
	Filter string
	All    int   // entries before the filter
	Dirs   int   // of those after it
	Bytes  int64 // of the files after the filter
	Cursor int   // row with the focus, -1 if none
	Sel    Selection

	anchor  int  // where a range starts
	held    int  // the row, plus 1, that the last touch stayed on; 0: none
	picking bool // what is selected was picked by a finger
	typed   string
	typedAt time.Time
	rows    window[protocol.Row]
}

// Tree is the left pane: the folders of the image.
type Tree struct {
	View   Viewport
	Cursor int   // row with the focus
	Shown  int32 // the node of the folder that the list shows

	open    map[int32]bool
	rows    window[protocol.Row]
	typed   string
	typedAt time.Time
}

func (f *Files) init(row float64) {
	f.Pane = PaneList
	f.List = List{View: Viewport{Row: row, Height: 600}, Sort: "name", Cursor: -1}
	f.Tree = Tree{View: Viewport{Row: row, Height: 600}, Cursor: 0, open: map[int32]bool{}}
}

func (l *List) unselect() {
	l.Sel.Clear()
	l.picking = false
}

// Row returns row i of the list, if it has arrived.
func (l *List) Row(i int) (protocol.Row, bool) { return l.rows.row(i) }

// Row returns row i of the tree, if it has arrived.
func (t *Tree) Row(i int) (protocol.Row, bool) { return t.rows.row(i) }

// SelectedBytes is the size of the selected files; ok is false while that is not known.
func (l *List) SelectedBytes() (n int64, ok bool) {
	if l.Sel.Count() == l.View.Total {
		return l.Bytes, true
	}
	ok = true
	l.Sel.Each(func(i int) bool {
		var r protocol.Row
		r, ok = l.rows.row(i)
		n += r.Size
		return ok
	})
	return n, ok
}

// FolderPath is the path of the folder that is shown: "/" or "/Windows/System32".
func (f *Files) FolderPath() string {
	var b strings.Builder
	for _, c := range f.Path {
		if c.Name != "" {
			b.WriteByte('/')
			b.WriteString(c.Name)
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

func join(folder, name string) string {
	if folder == "/" {
		return "/" + name
	}
	return folder + "/" + name
}

// filesRoute is the place that the Files tab is at.
func (ar *Archive) filesRoute() Route {
	f := &ar.Files
	r := Route{ID: ar.ID, Tab: TabFiles, Image: f.Image}
	if f.Path != nil {
		r.Path = f.FolderPath()
		if row, ok := f.List.Row(f.List.Cursor); ok {
			r.Path = join(r.Path, row.Name)
		}
	}
	if r.Path == "/" {
		r.Path = ""
	}
	return r
}

// goFiles shows the place that r names.
func (a *App) goFiles(r Route) {
	ar := a.Archive
	f := &ar.Files
	image := r.Image
	if image < 1 || image > len(ar.Info.Images) {
		image = 1
		if b := ar.Info.BootIndex; r.Image == 0 && f.Image != 0 {
			image = f.Image
		} else if r.Image == 0 && b > 0 && b <= len(ar.Info.Images) && len(ar.Info.Images) == 1 {
			image = b
		}
	}
	if len(ar.Info.Images) == 0 {
		return
	}
	if f.Image == image && f.Path != nil {
		here := ar.filesRoute()
		if here.Path == r.Path || r.Path == "" && r.Image == 0 {
			return
		}
	}
	a.setImage(image)
	a.goPath(r.Path)
}

// setImage makes image the one that is shown, with nothing of it loaded.
func (a *App) setImage(image int) {
	f := &a.Archive.Files
	if f.Image == image {
		return
	}
	f.Preview.release(a.platform)
	old := *f
	*f = Files{}
	f.init(a.rowHeight())
	f.Image = image
	f.List.View.Height, f.Tree.View.Height = old.List.View.Height, old.Tree.View.Height
	f.List.Sort, f.List.Desc = old.List.Sort, old.List.Desc
	f.List.rows.gen, f.Tree.rows.gen = old.List.rows.gen+1, old.Tree.rows.gen+1
	f.Insp.serial = old.Insp.serial + 1
	f.Preview.serial = old.Preview.serial + 1
}

// PickImage shows another image, at the same path if it has that.
func (a *App) PickImage(image int) {
	a.update(func() {
		ar := a.Archive
		if ar == nil || image == ar.Files.Image || image < 1 || image > len(ar.Info.Images) {
			return
		}
		at := ""
		if ar.Files.Path != nil {
			at = ar.Files.FolderPath()
		}
		a.setImage(image)
		a.move(Route{ID: ar.ID, Tab: TabFiles, Image: image, Path: at}, false)
		a.goPath(at)
	})
}

// goPath shows the folder of a path, with the cursor on its last step if that is a file. What is not there leads to
// the nearest folder that is.
func (a *App) goPath(at string) {
	ar := a.Archive
	f := &ar.Files
	f.Loading, f.Problem = true, nil
	image := f.Image
	f.List.rows.reset()
	gen := f.List.rows.gen
	at = "/" + strings.Trim(at, "/")
	go func() {
		var folder, find int32 = 0, 0
		for at != "/" {
			row, err := ar.Session.Find(ar.ctx, protocol.FindRequest{Image: image, Path: at})
			parent := at[:max(strings.LastIndexByte(at, '/'), 1)]
			if parent != "/" {
				parent = strings.TrimSuffix(parent, "/")
			}
			if err == nil && row.Dir {
				folder = row.Node
				break
			}
			if err == nil {
				find = row.Node
			}
			at = parent
		}
		a.update(func() {
			if a.Archive == ar && gen == ar.Files.List.rows.gen {
				a.openFolder(folder, find)
			}
		})
	}()
}

// OpenFolder shows a folder of the image.
func (a *App) OpenFolder(node int32) {
	a.update(func() {
		if a.Archive != nil {
			a.Archive.Files.List.Filter = ""
			a.openFolder(node, 0)
		}
	})
}

// openFolder asks for a folder's first rows. Find, if not 0, gets the cursor.
func (a *App) openFolder(node, find int32) {
	f := &a.Archive.Files
	f.Loading, f.Problem = true, nil
	f.Entry.Node = node
	f.List.rows.reset()
	a.fetchList(0, true, find, "", true)
}

// fetchList asks for a page of the list. First: the reply is the first of its generation; the view starts anew.
func (a *App) fetchList(page int, first bool, find int32, seek string, moved bool) {
	ar := a.Archive
	f := &ar.Files
	l := &f.List
	gen := l.rows.gen
	req := protocol.ListRequest{Image: f.Image, Node: f.Entry.Node, Sort: l.Sort, Desc: l.Desc, Filter: l.Filter,
		Start: page * pageRows, Count: pageRows, Find: find, Seek: seek}
	go func() {
		rep, err := ar.Session.List(ar.ctx, req)
		a.update(func() {
			if a.Archive != ar || gen != l.rows.gen {
				return
			}
			if err != nil {
				l.rows.failed(gen, page)
				e := protocol.AsError(err)
				if first && e.Code != protocol.CodeCancelled {
					f.Loading = false
					f.Problem, f.Lost = a.problem(ar, e, ""), 0
					l.rows.put(gen, page, nil, 0, true)
					l.View.Total = 0
				}
				return
			}
			l.rows.put(gen, page, rep.Rows, rep.Total, first)
			l.View.Total = rep.Total
			f.Lost = rep.Lost
			for i := range rep.Rows {
				if rep.Rows[i].Missing {
					a.countLacks()
					break
				}
			}
			if !first {
				return
			}
			f.Loading = false
			f.Path = rep.Path
			if n := len(rep.Path); n > 0 {
				f.Entry = rep.Path[n-1]
			}
			l.All, l.Dirs, l.Bytes = rep.All, rep.Dirs, rep.Bytes
			l.unselect()
			l.anchor = 0
			l.Cursor = -1
			l.View.Top = 0
			if rep.Find >= 0 && find != 0 {
				a.place(rep.Find)
			} else {
				a.platform.ScrollTo("list", 0)
				a.inspect()
			}
			if moved {
				a.showInTree()
			}
			a.fillList()
			a.hashSoon(moved)
		})
	}()
}

// place puts the cursor on row i, selects it and brings it into view.
func (a *App) place(i int) {
	l := &a.Archive.Files.List
	l.Cursor, l.anchor = i, i
	l.unselect()
	l.Sel.Add(i, i+1)
	l.View.Top = l.View.Reveal(i)
	a.platform.ScrollTo("list", l.View.Top)
	a.fillList()
	a.inspect()
}

// hashSoon brings the address up to date: at once with an entry in the history when another folder is shown, a
// little later and without one when only the cursor moved, since browsers allow few changes a second.
func (a *App) hashSoon(push bool) {
	ar := a.Archive
	f := &ar.Files
	f.hashSerial++
	if a.Route.Tab != TabFiles || a.Route.ID != ar.ID {
		return
	}
	if push {
		r := ar.filesRoute()
		// The first folder after the archive was opened is the same place as before it was known.
		a.move(r, a.Route.Path == "" && r.Path == "" || a.Route.Path == r.Path || a.Route.Image == 0)
		return
	}
	serial := f.hashSerial
	time.AfterFunc(300*time.Millisecond, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.Archive == ar && serial == f.hashSerial && a.Route.Tab == TabFiles && a.Route.ID == ar.ID {
			a.move(ar.filesRoute(), true)
		}
	})
}

// fillList asks for the rows that are in view and have not arrived.
func (a *App) fillList() {
	l := &a.Archive.Files.List
	from, to := l.View.Range()
	for _, p := range l.rows.want(from, to) {
		a.fetchList(p, false, 0, "", false)
	}
}

// ListScrolled tells where the list is scrolled to and how much of it is in view.
func (a *App) ListScrolled(top, height float64) {
	a.update(func() {
		if a.Archive == nil {
			return
		}
		l := &a.Archive.Files.List
		l.View.Top, l.View.Height = top, height
		a.fillList()
	})
}

// SortBy sorts by a column, or turns its order around.
func (a *App) SortBy(column string) {
	a.update(func() {
		f := &a.Archive.Files
		if f.List.Sort == column {
			f.List.Desc = !f.List.Desc
		} else {
			// What is large or new comes first: that is what one sorts by these for.
			f.List.Sort, f.List.Desc = column, column == "size" || column == "modified"
		}
		a.relist()
	})
}

// SetFilter keeps the entries whose name contains the text, or matches it.
func (a *App) SetFilter(text string) {
	a.update(func() {
		if a.Archive == nil || a.Archive.Files.List.Filter == text {
			return
		}
		a.Archive.Files.List.Filter = text
		a.relist()
	})
}

// relist asks for the same folder again, the cursor staying on its entry.
func (a *App) relist() {
	l := &a.Archive.Files.List
	var find int32
	if row, ok := l.Row(l.Cursor); ok {
		find = row.Node
	}
	l.rows.reset()
	a.fetchList(0, true, find, "", false)
}

// Click selects row i: alone, with Ctrl besides the others, with Shift all from the anchor on.
func (a *App) Click(i int, shift, ctrl bool) {
	a.update(func() {
		l := &a.Archive.Files.List
		if i < 0 || i >= l.View.Total {
			return
		}
		switch {
		case shift:
			if !ctrl {
				l.unselect()
			}
			l.Sel.Add(min(l.anchor, i), max(l.anchor, i)+1)
		case ctrl:
			l.Sel.Toggle(i)
			l.anchor = i
		default:
			l.unselect()
			l.Sel.Add(i, i+1)
			l.anchor = i
		}
		l.Cursor = i
		a.inspect()
		a.hashSoon(false)
	})
}

// Boxes tells whether rows have a box by which a finger selects them.
func (a *App) Boxes() bool { return a.Caps.Coarse || a.Picking() }

// Picking tells whether a finger is selecting rows: until none is selected, a tap on one selects it too.
func (a *App) Picking() bool {
	l := &a.Archive.Files.List
	return l.picking && l.Sel.Count() > 0
}

// Pick selects row i besides the others, or takes it out.
func (a *App) Pick(i int) {
	a.update(func() {
		if a.Archive == nil {
			return
		}
		l := &a.Archive.Files.List
		if i < 0 || i >= l.View.Total {
			return
		}
		if !a.Picking() {
			l.Sel.Clear() // a row that a tap has shown is not picked
		}
		l.picking = true
		l.Sel.Toggle(i)
		l.anchor, l.Cursor = i, i
		a.inspect()
		a.hashSoon(false)
	})
}

// Hold is for a finger that stays on row i: it begins to select. The click that some browsers make of it when the
// finger goes is not one; see WasHeld. A new touch, or one that becomes a scroll, is Hold(-1).
func (a *App) Hold(i int) {
	if i >= 0 {
		a.Pick(i)
	}
	a.Read(func() {
		if a.Archive != nil {
			a.Archive.Files.List.held = i + 1
		}
	})
}

// WasHeld tells whether the click on row i is the end of a Hold.
func (a *App) WasHeld(i int) bool {
	l := &a.Archive.Files.List
	was := l.held == i+1
	l.held = 0
	return was
}

// PickAll selects all rows, or none if all are.
func (a *App) PickAll() {
	a.update(func() {
		l := &a.Archive.Files.List
		all := l.Sel.Count() == l.View.Total
		l.Sel.Clear()
		if l.picking = !all; !all {
			l.Sel.Add(0, l.View.Total)
		}
		a.inspect()
	})
}

// Enter opens row i: a folder in the list, a link where it leads, a file as a preview.
func (a *App) Enter(i int) {
	a.update(func() {
		f := &a.Archive.Files
		row, ok := f.List.Row(i)
		if !ok {
			return
		}
		if row.Dir && row.Link == "" {
			f.List.Filter = ""
			a.openFolder(row.Node, 0)
			return
		}
		if f.List.Cursor != i {
			a.place(i)
		}
		if row.Link != "" {
			a.followLink(row)
			return
		}
		if row.BadLink {
			a.note(a.T("files.link-bad"), true)
			return
		}
		a.preview("", "")
	})
}

// followLink leads to where a symbolic link or junction points, if that is in this image.
func (a *App) followLink(row protocol.Row) {
	ar := a.Archive
	image := ar.Files.Image
	go func() {
		d, err := ar.Session.Stat(ar.ctx, protocol.StatRequest{Image: image, Node: row.Node})
		a.update(func() {
			if a.Archive != ar || ar.Files.Image != image {
				return
			}
			if err != nil || !d.LinkFound {
				a.note(a.T("files.link-outside", row.Link), true)
				return
			}
			a.revealNode(d.LinkNode)
		})
	}()
}

// RevealNode shows an entry of the image: a folder, or the folder that holds a file.
func (a *App) RevealNode(node int32) { a.update(func() { a.revealNode(node) }) }

func (a *App) revealNode(node int32) {
	ar := a.Archive
	image := ar.Files.Image
	go func() {
		d, err := ar.Session.Stat(ar.ctx, protocol.StatRequest{Image: image, Node: node})
		a.update(func() {
			if err == nil && a.Archive == ar && ar.Files.Image == image {
				a.goPath(d.FullPath)
			}
		})
	}()
}

// Reveal shows a path of an image.
func (a *App) Reveal(image int, path string) {
	a.update(func() {
		ar := a.Archive
		if ar == nil || image < 1 || image > len(ar.Info.Images) {
			return
		}
		r := Route{ID: ar.ID, Tab: TabFiles, Image: image, Path: path}
		a.move(r, false)
		a.setImage(image)
		ar.Files.Pane = PaneList
		a.closePreview()
		a.goPath(path)
		a.platform.Focus("list")
	})
}

// Up shows the folder above.
func (a *App) Up() {
	a.update(func() {
		if a.Archive == nil {
			return
		}
		f := &a.Archive.Files
		if n := len(f.Path); n > 1 {
			here := f.Path[n-1].Node
			f.List.Filter = ""
			a.openFolder(f.Path[n-2].Node, here)
		}
	})
}

// Keys is which modifier keys were held.
type Keys struct{ Shift, Ctrl, Alt bool }

// ListKey does what a key means in the list; it reports whether it means anything.
func (a *App) ListKey(key string, held Keys) bool {
	if held.Alt {
		if key == "ArrowUp" {
			a.Up()
			return true
		}
		return false
	}
	done := true
	a.update(func() {
		l := &a.Archive.Files.List
		n := l.View.Total
		to := -1
		switch key {
		case "ArrowDown":
			to = l.Cursor + 1
		case "ArrowUp":
			to = l.Cursor - 1
		case "PageDown":
			to = l.Cursor + l.View.Page()
		case "PageUp":
			to = max(l.Cursor-l.View.Page(), 0)
		case "Home":
			to = 0
		case "End":
			to = n - 1
		case " ":
			if time.Since(l.typedAt) < typeahead && l.typed != "" && !held.Ctrl && !held.Shift {
				done = a.typeInList(" ")
				return
			}
			if l.Cursor >= 0 {
				l.Sel.Toggle(l.Cursor)
				l.anchor = l.Cursor
				a.inspect()
			}
			return
		case "a", "A":
			if held.Ctrl {
				l.unselect()
				l.Sel.Add(0, n)
				a.inspect()
				a.say(a.T("files.selected-all", n))
				return
			}
			done = a.typeInList(key)
			return
		default:
			done = !held.Ctrl && a.typeInList(key)
			return
		}
		if n == 0 {
			return
		}
		to = min(max(to, 0), n-1)
		switch {
		case held.Shift:
			if l.Cursor < 0 {
				l.anchor = 0
			}
			l.unselect()
			l.Sel.Add(min(l.anchor, to), max(l.anchor, to)+1)
		case held.Ctrl:
		default:
			l.unselect()
			l.Sel.Add(to, to+1)
			l.anchor = to
		}
		l.Cursor = to
		l.View.Top = l.View.Reveal(to)
		a.platform.ScrollTo("list", l.View.Top)
		a.fillList()
		a.inspect()
		a.hashSoon(false)
	})
	if !done {
		return a.listCommand(key, held)
	}
	return true
}

func (a *App) listCommand(key string, held Keys) bool {
	var cursor int
	a.Read(func() { cursor = a.Archive.Files.List.Cursor })
	switch key {
	case "Enter":
		if cursor >= 0 {
			a.Enter(cursor)
		}
	case "ArrowRight":
		if cursor >= 0 {
			a.Enter(cursor)
		}
	case "ArrowLeft", "Backspace":
		a.Up()
	default:
		return false
	}
	return true
}

// typeahead is how long letters that are typed belong together.
const typeahead = 800 * time.Millisecond

// typeInList moves the cursor to the first name that starts with what is being typed.
func (a *App) typeInList(key string) bool {
	if len([]rune(key)) != 1 || key == "?" {
		return false // no name has a ?; it asks for the list of shortcuts
	}
	ar := a.Archive
	l := &ar.Files.List
	now := time.Now()
	if now.Sub(l.typedAt) > typeahead {
		l.typed = ""
	}
	l.typedAt = now
	l.typed += key
	from := l.Cursor
	if len([]rune(l.typed)) > 1 {
		from = max(l.Cursor, 0) - 1 // a longer beginning may fit the present name too
	}
	req := protocol.ListRequest{Image: ar.Files.Image, Node: ar.Files.Entry.Node, Sort: l.Sort, Desc: l.Desc,
		Filter: l.Filter, Start: from + 1, Count: 1, Seek: l.typed}
	again := req
	again.Start = 0
	gen, typed := l.rows.gen, l.typed
	go func() {
		rep, err := ar.Session.List(ar.ctx, req)
		if err == nil && rep.Seek < 0 {
			rep, err = ar.Session.List(ar.ctx, again)
		}
		a.update(func() {
			if err == nil && rep.Seek >= 0 && a.Archive == ar && gen == l.rows.gen && typed == l.typed {
				a.place(rep.Seek)
				a.hashSoon(false)
			}
		})
	}()
	return true
}

// ShowPane chooses what a narrow page shows.
func (a *App) ShowPane(p Pane) {
	a.update(func() {
		if a.Archive != nil {
			a.Archive.Files.Pane = p
		}
	})
}

// FocusList puts the focus on the list.
func (a *App) FocusList() {
	a.update(func() {
		l := &a.Archive.Files.List
		if l.Cursor < 0 && l.View.Total > 0 {
			a.place(0)
		}
		a.platform.Focus("list")
	})
}
