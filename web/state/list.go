package state

import "wimscope/worker/protocol"

// List is the middle pane: the rows of one folder.
type List struct {
	View   Viewport
	Sort   string // "name", "size", "modified", "attrs"
	Desc   bool
	Filter string
	All    int   // entries before the filter
	Dirs   int   // of those after it
	Bytes  int64 // of the files after the filter
	Lost   int   // number of losses in the image's tree
	Cursor int   // row with the focus, -1 if none
	Sel    Selection

	ar       *opened
	onLoad   func(rep *protocol.ListReply, moved bool) // the first rows of a folder arrived; not moved: of the same, listed another way
	onFail   func(err error)                           // they did not
	onSelect func()                                    // another row has the cursor, or other rows are selected

	image   int
	node    int32 // the folder
	anchor  int   // where a range starts
	held    int   // the row, plus 1, that the last touch stayed on; 0: none
	picking bool  // what is selected was picked by a finger
	typed   typing
	rows    window[protocol.Row]
}

// clear forgets the rows, the filter and the selection. It keeps the height and the order.
func (l *List) clear() {
	*l = List{View: Viewport{Row: l.ar.rowHeight(), Height: l.View.Height}, Sort: l.Sort, Desc: l.Desc, Cursor: -1,
		ar: l.ar, onLoad: l.onLoad, onFail: l.onFail, onSelect: l.onSelect, rows: window[protocol.Row]{gen: l.rows.gen + 1}}
}

// Row returns row i, if it has arrived.
func (l *List) Row(i int) (protocol.Row, bool) { return l.rows.row(i) }

// SelectedBytes returns the size of the selected files; ok is false while that is not known.
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

// request returns a request for rows [start, start+count).
func (l *List) request(start, count int) protocol.ListRequest {
	return protocol.ListRequest{Image: l.image, Node: l.node, Sort: l.Sort, Desc: l.Desc, Filter: l.Filter, Start: start, Count: count}
}

// open lists a folder of an image. The entry find, if not 0, gets the cursor.
func (l *List) open(image int, node, find int32) {
	l.image, l.node = image, node
	l.load(find, true)
}

// relist lists the same folder again, the cursor staying on its entry.
func (l *List) relist() {
	var find int32
	if row, ok := l.Row(l.Cursor); ok {
		find = row.Node
	}
	l.load(find, false)
}

// load asks for the first rows. The old ones stay until they arrive.
func (l *List) load(find int32, moved bool) {
	gen := l.rows.reset()
	req := l.request(0, pageRows)
	req.Find = find
	go func() {
		rep, err := l.ar.Session.List(l.ar.ctx, req)
		l.ar.update(func() {
			if gen != l.rows.gen {
				return
			}
			if err != nil {
				l.rows.failed(gen, 0)
				if protocol.AsError(err).Code != protocol.CodeCancelled {
					l.rows.put(gen, 0, nil, 0, true)
					l.View.Total, l.Lost = 0, 0
					l.onFail(err)
				}
				return
			}
			l.put(gen, 0, &rep, true)
			l.All, l.Dirs, l.Bytes = rep.All, rep.Dirs, rep.Bytes
			l.unselect()
			l.anchor, l.Cursor = 0, -1
			l.View.Top = 0
			if rep.Find >= 0 && find != 0 {
				l.place(rep.Find)
			} else {
				l.ar.platform.ScrollTo("list", 0)
				l.onSelect()
			}
			l.onLoad(&rep, moved)
			l.fill()
		})
	}()
}

// fill asks for the rows that are in view and have not arrived.
func (l *List) fill() {
	from, to := l.View.Range()
	gen := l.rows.gen
	for _, page := range l.rows.want(from, to) {
		req := l.request(page*pageRows, pageRows)
		go func() {
			rep, err := l.ar.Session.List(l.ar.ctx, req)
			l.ar.update(func() {
				switch {
				case gen != l.rows.gen:
				case err != nil:
					l.rows.failed(gen, page)
				default:
					l.put(gen, page, &rep, false)
				}
			})
		}()
	}
}

func (l *List) put(gen, page int, rep *protocol.ListReply, first bool) {
	l.rows.put(gen, page, rep.Rows, rep.Total, first)
	l.View.Total = rep.Total
	l.Lost = rep.Lost
	for i := range rep.Rows {
		if rep.Rows[i].Missing {
			l.ar.countLacks()
			return
		}
	}
}

// scroll brings row i into view.
func (l *List) scroll(i int) {
	l.View.Top = l.View.Reveal(i)
	l.ar.platform.ScrollTo("list", l.View.Top)
	l.fill()
}

// place puts the cursor on row i, selects it and brings it into view.
func (l *List) place(i int) {
	l.Cursor, l.anchor = i, i
	l.unselect()
	l.Sel.Add(i, i+1)
	l.scroll(i)
	l.onSelect()
}

func (l *List) unselect() {
	l.Sel.Clear()
	l.picking = false
}

// scrolled takes where the list is scrolled to and how much of it is in view.
func (l *List) scrolled(top, height float64) {
	l.View.Top, l.View.Height = top, height
	l.fill()
}

// SortBy sorts by a column, or reverses its order.
func (l *List) SortBy(column string) {
	l.ar.update(func() {
		if l.Sort == column {
			l.Desc = !l.Desc
		} else {
			// People sort by these to find what is large or new.
			l.Sort, l.Desc = column, column == "size" || column == "modified"
		}
		l.relist()
	})
}

// SetFilter keeps the entries whose name contains the text, or matches it.
func (l *List) SetFilter(text string) {
	l.ar.update(func() {
		if l.Filter != text {
			l.Filter = text
			l.relist()
		}
	})
}

// Focus moves the focus to the list, and the cursor to its first row if it has none.
func (l *List) Focus() {
	l.ar.update(func() {
		if l.Cursor < 0 && l.View.Total > 0 {
			l.place(0)
		}
		l.ar.platform.Focus("list")
	})
}

// Click selects row i: alone, with Ctrl besides the others, with Shift all from the anchor on.
func (l *List) Click(i int, shift, ctrl bool) {
	l.ar.update(func() {
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
		l.onSelect()
	})
}

// Boxes reports whether rows have a box by which a finger selects them.
func (l *List) Boxes() bool { return l.ar.Caps.Coarse || l.Picking() }

// Picking reports whether a finger is selecting rows: until none is selected, a tap on one selects it too.
func (l *List) Picking() bool { return l.picking && l.Sel.Count() > 0 }

// Pick selects row i besides the others, or removes it from the selection.
func (l *List) Pick(i int) {
	l.ar.update(func() {
		if i < 0 || i >= l.View.Total {
			return
		}
		if !l.Picking() {
			l.Sel.Clear() // a row that a tap has shown is not picked
		}
		l.picking = true
		l.Sel.Toggle(i)
		l.anchor, l.Cursor = i, i
		l.onSelect()
	})
}

// PickAll selects all rows, or none if all are selected.
func (l *List) PickAll() {
	l.ar.update(func() {
		all := l.Sel.Count() == l.View.Total
		l.Sel.Clear()
		if l.picking = !all; !all {
			l.Sel.Add(0, l.View.Total)
		}
		l.onSelect()
	})
}

// Hold is for a finger that stays on row i: it begins to select. The click that some browsers make of it when the
// finger goes is not one; see WasHeld. A new touch, or one that becomes a scroll, is Hold(-1).
func (l *List) Hold(i int) {
	if i >= 0 {
		l.Pick(i)
	}
	l.ar.Read(func() { l.held = i + 1 })
}

// WasHeld reports whether the click on row i is the end of a Hold.
func (l *List) WasHeld(i int) bool {
	was := l.held == i+1
	l.held = 0
	return was
}

// key moves the cursor, selects, or looks for a name that is being typed; it reports whether the key means any of these.
func (l *List) key(key string, held Keys) bool {
	done := true
	l.ar.update(func() {
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
			if l.typed.underWay() && !held.Ctrl && !held.Shift {
				done = l.typeName(" ")
				return
			}
			if l.Cursor >= 0 {
				l.Sel.Toggle(l.Cursor)
				l.anchor = l.Cursor
				l.onSelect()
			}
			return
		case "a", "A":
			if held.Ctrl {
				l.unselect()
				l.Sel.Add(0, n)
				l.onSelect()
				l.ar.announce("files.selected-all", n)
				return
			}
			done = l.typeName(key)
			return
		default:
			done = !held.Ctrl && l.typeName(key)
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
		l.scroll(to)
		l.onSelect()
	})
	return done
}

// typeName moves the cursor to the first name that starts with what is being typed.
func (l *List) typeName(key string) bool {
	if !letter(key) {
		return false
	}
	typed := l.typed.add(key)
	from := l.Cursor
	if len([]rune(typed)) > 1 {
		from = max(l.Cursor, 0) - 1 // a longer beginning may fit the present name too
	}
	req := l.request(from+1, 1)
	req.Seek = typed
	gen := l.rows.gen
	go func() {
		rep, err := l.ar.Session.List(l.ar.ctx, req)
		if err == nil && rep.Seek < 0 {
			req.Start = 0
			rep, err = l.ar.Session.List(l.ar.ctx, req)
		}
		l.ar.update(func() {
			if err == nil && rep.Seek >= 0 && gen == l.rows.gen && typed == l.typed.text {
				l.place(rep.Seek)
			}
		})
	}()
	return true
}
