package state

import "sort"

// Selection is a set of row numbers, stored as ranges: selecting 100,000 rows takes one range.
type Selection struct {
	spans []span // sorted; no two overlap or touch
}

type span struct{ from, to int } // [from, to)

// Has reports whether row i is selected.
func (s *Selection) Has(i int) bool {
	k := sort.Search(len(s.spans), func(k int) bool { return s.spans[k].to > i })
	return k < len(s.spans) && s.spans[k].from <= i
}

// Count returns the number of selected rows.
func (s *Selection) Count() int {
	n := 0
	for _, r := range s.spans {
		n += r.to - r.from
	}
	return n
}

// Clear empties the set.
func (s *Selection) Clear() { s.spans = nil }

// Add selects rows [from, to).
func (s *Selection) Add(from, to int) {
	if from >= to {
		return
	}
	out := make([]span, 0, len(s.spans)+1)
	for _, r := range s.spans {
		if r.to < from || r.from > to {
			out = append(out, r)
			continue
		}
		from, to = min(from, r.from), max(to, r.to)
	}
	out = append(out, span{from, to})
	sort.Slice(out, func(i, j int) bool { return out[i].from < out[j].from })
	s.spans = out
}

// Remove deselects row i.
func (s *Selection) Remove(i int) {
	var out []span
	for _, r := range s.spans {
		if i < r.from || i >= r.to {
			out = append(out, r)
			continue
		}
		if r.from < i {
			out = append(out, span{r.from, i})
		}
		if i+1 < r.to {
			out = append(out, span{i + 1, r.to})
		}
	}
	s.spans = out
}

// Toggle selects row i, or deselects it.
func (s *Selection) Toggle(i int) {
	if s.Has(i) {
		s.Remove(i)
	} else {
		s.Add(i, i+1)
	}
}

// Each calls f for each selected row, in order, until it returns false.
func (s *Selection) Each(f func(i int) bool) {
	for _, r := range s.spans {
		for i := r.from; i < r.to; i++ {
			if !f(i) {
				return
			}
		}
	}
}
