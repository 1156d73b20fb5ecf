package state

import "strings"

// Hex shows the bytes of a file.
type Hex struct {
	View   Viewport
	PerRow int    // bytes in a row: 16, or 8 on a narrow page
	Caret  int64  // offset of the byte with the focus
	Goto   string // what is being typed as an offset
	BadOff bool   // Goto is not an offset in this file

	ar    *opened
	read  func(off int64, n int, done func(data []byte, ok bool)) // see Preview.read
	size  int64
	pages map[int64][]byte
	order []int64 // of pages, as they arrived
	asked map[int64]bool
}

const (
	hexPage  = 64 << 10 // bytes per request
	hexPages = 32       // pages kept
)

// LineHeight is the height of a row of bytes and of a line of text, in CSS pixels.
const LineHeight = 20

func newHex(ar *opened, read func(off int64, n int, done func(data []byte, ok bool))) Hex {
	x := Hex{View: Viewport{Row: LineHeight, Height: 600}, PerRow: 16, ar: ar, read: read, pages: map[int64][]byte{}, asked: map[int64]bool{}}
	if ar.Narrow() {
		x.PerRow = 8
	}
	return x
}

// setSize sets the number of bytes.
func (x *Hex) setSize(size int64) {
	x.size = size
	x.View.Total = int((size + int64(x.PerRow) - 1) / int64(x.PerRow))
}

// scrolled sets the scroll position and the visible height.
func (x *Hex) scrolled(top, height float64) {
	x.View.Top, x.View.Height = top, height
	x.fill()
}

// fill requests the pages in view that have not arrived.
func (x *Hex) fill() {
	from, to := x.View.Range()
	last := min(int64(to)*int64(x.PerRow), x.size)
	for page := int64(from) * int64(x.PerRow) / hexPage; page*hexPage < last; page++ {
		if _, ok := x.pages[page]; ok || x.asked[page] {
			continue
		}
		x.asked[page] = true
		x.read(page*hexPage, int(min(hexPage, x.size-page*hexPage)), func(data []byte, ok bool) {
			delete(x.asked, page)
			if !ok {
				return
			}
			x.pages[page] = data
			x.order = append(x.order, page)
			if len(x.order) > hexPages {
				delete(x.pages, x.order[0])
				x.order = x.order[1:]
			}
		})
	}
}

// Bytes returns the bytes of row i, nil until they arrive.
func (x *Hex) Bytes(i int) []byte {
	off := int64(i) * int64(x.PerRow)
	page := x.pages[off/hexPage]
	at := off % hexPage // rows do not cross pages: both are powers of two
	if at >= int64(len(page)) {
		return nil
	}
	return page[at:min(at+int64(x.PerRow), int64(len(page)))]
}

// Key moves the caret. It reports whether the key was used.
func (x *Hex) Key(key string, held Keys) bool {
	if held.Alt {
		return false
	}
	done := true
	x.ar.update(func() {
		row := int64(x.PerRow)
		to := x.Caret
		switch key {
		case "ArrowRight":
			to++
		case "ArrowLeft":
			to--
		case "ArrowDown":
			to += row
		case "ArrowUp":
			to -= row
		case "PageDown":
			to += row * int64(x.View.Page())
		case "PageUp":
			to -= row * int64(x.View.Page())
		case "Home":
			to -= to % row
			if held.Ctrl {
				to = 0
			}
		case "End":
			to += row - 1 - to%row
			if held.Ctrl {
				to = x.size - 1
			}
		default:
			done = false
			return
		}
		x.moveCaret(to)
	})
	return done
}

func (x *Hex) moveCaret(to int64) {
	x.Caret = max(min(to, x.size-1), 0)
	x.View.Top = x.View.Reveal(int(x.Caret / int64(x.PerRow)))
	x.ar.platform.ScrollTo("hex", x.View.Top)
	x.fill()
}

// Wheel scrolls by whole rows, for a view whose scroll bar is scaled.
func (x *Hex) Wheel(rows int) {
	x.ar.update(func() {
		s := x.View.scale()
		x.View.Top = min(max(x.View.Top+float64(rows)*x.View.Row/s, 0), max(x.View.Spacer()-x.View.Height, 0))
		x.ar.platform.ScrollTo("hex", x.View.Top)
		x.fill()
	})
}

// SetGoto sets the offset that is being typed; see ParseOffset.
func (x *Hex) SetGoto(text string) {
	x.ar.update(func() {
		x.Goto = text
		_, ok := ParseOffset(text)
		x.BadOff = text != "" && !ok
	})
}

// GoTo moves the caret to the offset that was typed.
func (x *Hex) GoTo() {
	x.ar.update(func() {
		off, ok := ParseOffset(x.Goto)
		if !ok || off >= x.size {
			x.BadOff = true
			return
		}
		x.moveCaret(off)
		x.ar.platform.Focus("hex")
	})
}

// ParseOffset parses an offset: decimal, or hexadecimal with 0x before or h after it.
func ParseOffset(s string) (int64, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	base := int64(10)
	if t, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = t, 16
	} else if t, ok := strings.CutSuffix(s, "h"); ok {
		s, base = t, 16
	}
	if s == "" {
		return 0, false
	}
	var n int64
	for _, c := range s {
		d := int64(strings.IndexRune("0123456789abcdef", c))
		if d < 0 || d >= base || n > 1<<58 {
			return 0, false
		}
		n = n*base + d
	}
	return n, true
}
