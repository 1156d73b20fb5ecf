package state

import "testing"

func TestViewport(t *testing.T) {
	for _, total := range []int{0, 1, 30, 100_000, 40_000_000} {
		v := Viewport{Row: 26, Height: 500, Total: total}
		end := max(v.Spacer()-v.Height, 0)
		for _, top := range []float64{0, 13, end / 3, end} {
			v.Top = top
			from, to := v.Range()
			if from < 0 || to > total || from > to || to-from > 40 {
				t.Fatalf("total %d, top %v: rows %d to %d", total, top, from, to)
			}
			for _, i := range []int{0, total / 2, total - 1} {
				if i < 0 {
					continue
				}
				w := v
				w.Top = v.Reveal(i)
				at := w.Offset(i)
				if at < w.Top-1 || at+w.Row > w.Top+w.Height+1 {
					t.Errorf("total %d, top %v: row %d revealed at %v, in view %v to %v", total, top, i, at, w.Top, w.Top+w.Height)
				}
			}
		}
		v.Top = end
		if _, to := v.Range(); to != total {
			t.Errorf("total %d: the last row in view at the end is %d", total, to)
		}
		if v.Spacer() > maxSpacer {
			t.Errorf("total %d: spacer %v", total, v.Spacer())
		}
	}
}
