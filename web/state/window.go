package state

// pageRows is the number of rows per request.
const pageRows = 200

// maxPages is the number of pages that a window keeps: 12,000 rows, under 4 MB.
const maxPages = 60

// window caches the recently used pages of a long list. Each time the list changes (another order, a filter) a new
// generation starts, and replies to requests of the old one are dropped.
type window[T any] struct {
	gen     int
	total   int
	pages   map[int][]T
	asked   map[int]bool
	lastUse map[int]int
	clock   int
}

// reset starts a new generation and returns it. The old rows stay until the first page of the new ones arrives.
func (w *window[T]) reset() (gen int) {
	w.gen++
	w.asked = map[int]bool{}
	return w.gen
}

// row returns row i, if it has arrived.
func (w *window[T]) row(i int) (T, bool) {
	page := w.pages[i/pageRows]
	if i < 0 || i%pageRows >= len(page) {
		var zero T
		return zero, false
	}
	w.clock++
	w.lastUse[i/pageRows] = w.clock
	return page[i%pageRows], true
}

// want returns the pages of rows [from, to) that must be requested, and records them as requested.
func (w *window[T]) want(from, to int) []int {
	if w.asked == nil {
		w.asked = map[int]bool{}
	}
	var pages []int
	for p := max(from, 0) / pageRows; p*pageRows < min(to, w.total); p++ {
		if _, ok := w.pages[p]; !ok && !w.asked[p] {
			w.asked[p] = true
			pages = append(pages, p)
		}
	}
	return pages
}

// put stores a page, unless gen is an old generation. First marks the first page of a generation: the old rows go.
func (w *window[T]) put(gen, page int, rows []T, total int, first bool) bool {
	if gen != w.gen {
		return false
	}
	if first || w.pages == nil {
		w.pages = map[int][]T{}
		w.lastUse = map[int]int{}
	}
	delete(w.asked, page)
	w.total = total
	w.clock++
	w.pages[page], w.lastUse[page] = rows, w.clock
	for len(w.pages) > maxPages {
		oldest, at := -1, w.clock+1
		for p, c := range w.lastUse {
			if c < at {
				oldest, at = p, c
			}
		}
		delete(w.pages, oldest)
		delete(w.lastUse, oldest)
	}
	return true
}

// failed makes want return a page again.
func (w *window[T]) failed(gen, page int) {
	if gen == w.gen {
		delete(w.asked, page)
	}
}
