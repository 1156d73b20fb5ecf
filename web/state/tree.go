package state

import (
	"strings"
	"time"

	"wimscope/worker/protocol"
)

// showInTree opens the folders above the one that the list shows and puts the tree's cursor on it.
func (a *App) showInTree() {
	f := &a.Archive.Files
	t := &f.Tree
	for i, c := range f.Path {
		if i > 0 && i < len(f.Path)-1 {
			t.open[c.Node] = true
		}
	}
	t.Shown = f.Entry.Node
	a.fetchTree(0, true, f.Entry.Node)
}

// fetchTree asks for a page of the tree; first starts a new generation, in which find gets the cursor.
func (a *App) fetchTree(page int, first bool, find int32) {
	ar := a.Archive
	t := &ar.Files.Tree
	if first {
		t.rows.reset()
	}
	gen := t.rows.gen
	req := protocol.TreeRequest{Image: ar.Files.Image, Start: page * pageRows, Count: pageRows, Find: find}
	for n := range t.open {
		req.Expanded = append(req.Expanded, n)
	}
	go func() {
		rep, err := ar.Session.Tree(ar.ctx, req)
		a.update(func() {
			if a.Archive != ar || gen != t.rows.gen {
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
					a.revealInTree()
				}
			}
			a.fillTree()
		})
	}()
}

func (a *App) revealInTree() {
	t := &a.Archive.Files.Tree
	if top := t.View.Reveal(t.Cursor); top != t.View.Top {
		t.View.Top = top
		a.platform.ScrollTo("tree", top)
	}
}

func (a *App) fillTree() {
	t := &a.Archive.Files.Tree
	from, to := t.View.Range()
	for _, p := range t.rows.want(from, to) {
		a.fetchTree(p, false, 0)
	}
}

// TreeScrolled tells where the tree is scrolled to and how much of it is in view.
func (a *App) TreeScrolled(top, height float64) {
	a.update(func() {
		if a.Archive == nil {
			return
		}
		t := &a.Archive.Files.Tree
		t.View.Top, t.View.Height = top, height
		a.fillTree()
	})
}

// ToggleFolder opens or closes row i of the tree.
func (a *App) ToggleFolder(i int) {
	a.update(func() {
		t := &a.Archive.Files.Tree
		if row, ok := t.Row(i); ok && row.Folders {
			t.Cursor = i
			a.setOpen(row, !row.Open)
		}
	})
}

func (a *App) setOpen(row protocol.Row, on bool) {
	t := &a.Archive.Files.Tree
	if on {
		t.open[row.Node] = true
	} else {
		delete(t.open, row.Node)
	}
	a.fetchTree(0, true, row.Node)
}

// PickFolder shows the folder of row i of the tree.
func (a *App) PickFolder(i int) {
	a.update(func() {
		f := &a.Archive.Files
		if row, ok := f.Tree.Row(i); ok {
			f.Tree.Cursor = i
			f.List.Filter = ""
			f.Pane = PaneList
			a.closePreview()
			a.openFolder(row.Node, 0)
		}
	})
}

// TreeKey does what a key means in the tree; it reports whether it means anything.
func (a *App) TreeKey(key string, held Keys) bool {
	if held.Alt || held.Ctrl {
		return false
	}
	done := true
	a.update(func() {
		t := &a.Archive.Files.Tree
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
				a.setOpen(row, true)
				return
			case ok && row.Open:
				to++
			}
		case "ArrowLeft":
			if ok && row.Open {
				a.setOpen(row, false)
				return
			}
			for to > 0 && ok {
				to--
				if up, there := t.Row(to); there && up.Depth < row.Depth {
					break
				}
			}
		default:
			done = a.typeInTree(key)
			return
		}
		t.Cursor = min(max(to, 0), n-1)
		a.revealInTree()
		a.fillTree()
	})
	if done {
		return true
	}
	if key == "Enter" || key == " " {
		var i int
		a.Read(func() { i = a.Archive.Files.Tree.Cursor })
		a.PickFolder(i)
		return true
	}
	return false
}

// typeInTree moves the cursor to the next folder in view whose name starts with what is being typed.
func (a *App) typeInTree(key string) bool {
	if len([]rune(key)) != 1 || key == " " || key == "?" {
		return false
	}
	t := &a.Archive.Files.Tree
	now := time.Now()
	if now.Sub(t.typedAt) > typeahead {
		t.typed = ""
	}
	t.typedAt = now
	t.typed += strings.ToLower(key)
	from := t.Cursor + 1
	if len([]rune(t.typed)) > 1 {
		from = t.Cursor
	}
	for k := range t.View.Total {
		i := (from + k) % t.View.Total
		row, ok := t.Row(i)
		if ok && strings.HasPrefix(strings.ToLower(row.Name), t.typed) {
			t.Cursor = i
			a.revealInTree()
			break
		}
	}
	return true
}
