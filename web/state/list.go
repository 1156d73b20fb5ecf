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
	Lost   int   // losses in the image's tree
	Cursor int   // row with the focus, -1 if none
	Sel    Selection

	ar       *opened
	onLoad   func(rep *protocol.ListReply, moved bool) // the first rows arrived; moved is false if the same folder was listed again
	onFail   func(err error)                           // the folder could not be listed
	onSelect func()                                    // the cursor or the selection changed

	image   int
	node    int32 // the folder
	anchor  int   // where a range of the selection starts
	held    int   // the row, plus 1, on which the last touch stayed; 0 if none
	picking bool  // the selection was made by a finger
	typed   typing
	rows    window[protocol.Row]
}

// clear removes the rows, the filter and the selection. The height and the order stay.
func (l *List) clear() {
	*l = List{View: Viewport{Row: l.ar.rowHeight(), Height: l.View.Height}, Sort: l.Sort, Desc: l.Desc, Cursor: -1,
		ar: l.ar, onLoad: l.onLoad, onFail: l.onFail, onSelect: l.onSelect, rows: window[protocol.Row]{gen: l.rows.gen + 1}}
}

// Row returns row i, if it has arrived.
func (l *List) Row(i int) (protocol.Row, bool) { return l.rows.row(i) }

// SelectedBytes returns the size of the selected files. Ok is false if not all of their rows have arrived.
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

// relist lists the same folder again. The cursor stays on its entry.
func (l *List) relist() {
	var find int32
	if row, ok := l.Row(l.Cursor); ok {
		find = row.Node
	}
	l.load(find, false)
}

// load requests the first rows. The old ones stay until they arrive.
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

// fill requests the rows in view that have not arrived.
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

// place moves the cursor to row i, selects it and brings it into view.
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

// scrolled sets the scroll position and the visible height.
func (l *List) scrolled(top, height float64) {
	l.View.Top, l.View.Height = top, height
	l.fill()
}

// SortBy sorts by a column, or reverses the order if it is sorted by that already.
func (l *List) SortBy(column string) {
	l.ar.update(func() {
		if l.Sort == column {
			l.Desc = !l.Desc
		} else {
			// Users sort by these to find the largest or the newest.
			l.Sort, l.Desc = column, column == "size" || column == "modified"
		}
		l.relist()
	})
}

// SetFilter shows only entries whose name contains the text, or matches it as a pattern.
func (l *List) SetFilter(text string) {
	l.ar.update(func() {
		if l.Filter != text {
			l.Filter = text
			l.relist()
		}
	})
}

// Focus moves the focus to the list, and the cursor to the first row if no row has it.
func (l *List) Focus() {
	l.ar.update(func() {
		if l.Cursor < 0 && l.View.Total > 0 {
			l.place(0)
		}
		l.ar.platform.Focus("list")
	})
}

// Click selects row i: alone, with Ctrl in addition to the others, with Shift all rows from the anchor.
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

// Boxes reports whether rows have check boxes, by which a finger selects them.
func (l *List) Boxes() bool { return l.ar.Caps.Coarse || l.Picking() }

// Picking reports whether a finger is selecting rows. As long as a row is selected, a tap toggles rows.
func (l *List) Picking() bool { return l.picking && l.Sel.Count() > 0 }

// Pick toggles row i in the selection.
func (l *List) Pick(i int) {
	l.ar.update(func() {
		if i < 0 || i >= l.View.Total {
			return
		}
		if !l.Picking() {
			l.Sel.Clear() // a tap that shows a row selects it, but does not pick it
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

// Hold starts selecting: a finger stays on row i. Some browsers raise a click when the finger is lifted, which WasHeld
// recognises. A new touch calls Hold(-1).
func (l *List) Hold(i int) {
	if i >= 0 {
		l.Pick(i)
	}
	l.ar.Read(func() { l.held = i + 1 })
}

// WasHeld reports whether the click on row i ends a Hold.
func (l *List) WasHeld(i int) bool {
	was := l.held == i+1
	l.held = 0
	return was
}

// key handles the keys that move the cursor, select, or type the prefix of a name. It reports whether the key was used.
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

// typeName adds a letter to the prefix and moves the cursor to the next name that starts with it.
func (l *List) typeName(key string) bool {
	if !letter(key) {
		return false
	}
	typed := l.typed.add(key)
	from := l.Cursor
	if len([]rune(typed)) > 1 {
		from = max(l.Cursor, 0) - 1 // the current name may match a longer prefix too
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
