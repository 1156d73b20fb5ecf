package state

// maxSpacer is the largest height of an element, in CSS pixels. Chromium clamps heights at 33,554,428 and Firefox fails
// on larger ones. The scroll bar of a longer list is scaled.
const maxSpacer = 15_000_000

// Viewport is the visible part of a long list whose rows have the same height. All lengths are CSS pixels.
type Viewport struct {
	Row    float64 // height of a row
	Top    float64 // scroll position
	Height float64 // of the visible part
	Total  int     // rows
}

// Spacer returns the height of the element that produces the scroll bar.
func (v *Viewport) Spacer() float64 { return min(float64(v.Total)*v.Row, maxSpacer) }

func (v *Viewport) scale() float64 {
	whole := float64(v.Total) * v.Row
	if whole <= maxSpacer || v.Height >= maxSpacer {
		return 1
	}
	return (whole - v.Height) / (maxSpacer - v.Height)
}

// Scaled reports whether a pixel of the scroll bar stands for more than a pixel of the list.
func (v *Viewport) Scaled() bool { return v.scale() > 1 }

// Range returns the rows [from, to) in view and a few around them.
func (v *Viewport) Range() (from, to int) {
	const around = 6
	top := v.Top * v.scale()
	from = max(int(top/v.Row)-around, 0)
	to = min(int((top+v.Height)/v.Row)+1+around, v.Total)
	return min(from, to), to
}

// Offset returns the position of row i in the spacer.
func (v *Viewport) Offset(i int) float64 {
	return v.Top + float64(i)*v.Row - v.Top*v.scale()
}

// Reveal returns the scroll position nearest to the current one at which the whole row i is in view.
func (v *Viewport) Reveal(i int) float64 {
	s := v.scale()
	top, at := v.Top*s, float64(i)*v.Row
	switch {
	case at < top:
		return at / s
	case at+v.Row > top+v.Height && v.Height > 0:
		return (at + v.Row - v.Height) / s
	}
	return v.Top
}

// Page returns the number of rows by which Page Up and Page Down move.
func (v *Viewport) Page() int { return max(int(v.Height/v.Row)-1, 1) }
