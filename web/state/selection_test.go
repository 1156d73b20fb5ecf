package state

import (
	"math/rand/v2"
	"testing"
)

// TestSelectionIsASet compares the ranges with a plain set after random changes.
func TestSelectionIsASet(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var s Selection
	set := map[int]bool{}
	for step := range 3000 {
		switch i := r.IntN(60); r.IntN(5) {
		case 0:
			s.Toggle(i)
			if set[i] {
				delete(set, i)
			} else {
				set[i] = true
			}
		case 1:
			s.Remove(i)
			delete(set, i)
		case 2, 3:
			to := i + r.IntN(8)
			s.Add(i, to)
			for k := i; k < to; k++ {
				set[k] = true
			}
		case 4:
			if r.IntN(40) == 0 {
				s.Clear()
				clear(set)
			}
		}
		if s.Count() != len(set) {
			t.Fatalf("step %d: Count = %d, want %d (%v)", step, s.Count(), len(set), s.spans)
		}
		last, n := -1, 0
		s.Each(func(i int) bool {
			if i <= last || !set[i] || !s.Has(i) {
				t.Fatalf("step %d: Each gave %d after %d; in set %v, Has %v", step, i, last, set[i], s.Has(i))
			}
			last = i
			n++
			return true
		})
		if n != len(set) {
			t.Fatalf("step %d: Each gave %d rows, want %d", step, n, len(set))
		}
		for k := 1; k < len(s.spans); k++ {
			if s.spans[k-1].to >= s.spans[k].from {
				t.Fatalf("step %d: ranges touch: %v", step, s.spans)
			}
		}
	}
}
