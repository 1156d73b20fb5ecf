package state

// maxSpacer is the tallest element that a list is given, in CSS pixels. Chromium clamps heights at 33,554,428 and
// Firefox gives up on larger ones; beyond this the scroll bar is scaled.
const maxSpacer = 15_000_000

// Viewport is which rows of a long list are in view. Rows are all of one height.
type Viewport struct {
	Row    float64 // height of a row
	Top    float64 // scroll position
	Height float64 // of what is in view
	Total  int     // rows
}

// Spacer is the height of the element that makes the scroll bar.
func (v *Viewport) Spacer() float64 { return min(float64(v.Total)*v.Row, maxSpacer) }

func (v *Viewport) scale() float64 {
	whole := float64(v.Total) * v.Row
	if whole <= maxSpacer || v.Height >= maxSpacer {
		return 1
	}
	return (whole - v.Height) / (maxSpacer - v.Height)
}

// Scaled tells whether a pixel of the scroll bar is more than a pixel of the list.
func (v *Viewport) Scaled() bool { return v.scale() > 1 }

// Range returns the rows in view and some around them.
func (v *Viewport) Range() (from, to int) {
	const around = 6
	top := v.Top * v.scale()
	from = max(int(top/v.Row)-around, 0)
	to = min(int((top+v.Height)/v.Row)+1+around, v.Total)
	return min(from, to), to
}

// Offset is where row i stands in the spacer.
func (v *Viewport) Offset(i int) float64 {
	return v.Top + float64(i)*v.Row - v.Top*v.scale()
}

// Reveal returns the scroll position at which row i is wholly in view, the nearest one to the present.
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

// Page is how many rows are in view.
func (v *Viewport) Page() int { return max(int(v.Height/v.Row)-1, 1) }
