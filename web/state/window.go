package state

// pageRows is how many rows are asked for at a time.
const pageRows = 200

// maxPages is how many pages of rows a window keeps: about 12,000 rows, under 4 MB.
const maxPages = 60

// window is a part of a long list: the pages of it that have been looked at lately. A list that changes (sorted
// another way, filtered) is a new generation; what is still on its way for the old one is dropped.
type window[T any] struct {
	gen     int
	total   int
	pages   map[int][]T
	asked   map[int]bool
	lastUse map[int]int
	clock   int
}

// reset starts a new generation and returns it. The rows of the old one stay until the first page of the new one is there.
func (w *window[T]) reset() (gen int) {
	w.gen++
	w.asked = map[int]bool{}
	return w.gen
}

// row returns a row, if it is there.
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

// want returns the pages of rows [from, to) that must be fetched, and notes that they have been asked for.
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

// put takes a page of generation gen. First says that it is the first of its generation: the old rows go.
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

// failed forgets that a page was asked for, so that it may be asked for again.
func (w *window[T]) failed(gen, page int) {
	if gen == w.gen {
		delete(w.asked, page)
	}
}
