package match

// restEvery is how many steps of a long pass go by between calls of rest: tens of milliseconds at the slowest.
const restEvery = 1 << 17

// suffixWork is how many words sortSuffixes needs beside the suffix array, for n bytes.
func suffixWork(n int) int { return max(n+4, 512) }

// sorter sorts suffixes by induced sorting (Nong, Zhang and Chan, 2009). A suffix is S if it sorts before the one that begins a byte later, else L; an
// S suffix after an L one is a landmark. Sorted landmarks give the order of all L suffixes in one pass from the left, and those the order of
// all S suffixes in one from the right. The landmarks themselves are sorted by the same two passes, which order them as far as the next
// landmark, and by a recursion over the names that those pieces get, where two are alike.
type sorter struct {
	rest func() error
	err  error
}

// stop calls rest, and reports whether it said to stop.
func (s *sorter) stop() bool {
	if s.rest != nil && s.err == nil {
		s.err = s.rest()
	}
	return s.err != nil
}

// clear sets words to 0.
func (s *sorter) clear(words []int32) {
	for from := 0; from < len(words) && !s.stop(); from += 32 * restEvery {
		clear(words[from:min(from+32*restEvery, len(words))])
	}
}

// sortSuffixes writes the suffixes of text to sa in their order, by where they begin. A suffix sorts before those that it is a prefix of. Each
// unit of text is below units. work is at least suffixWork(len(text)) words. If s.err is set afterward, sa is not right.
func sortSuffixes[T byte | int32](s *sorter, text []T, sa []int32, units int, work []int32) {
	n := len(text)
	sa = sa[:n]
	if n < 2 {
		clear(sa)
		return
	}
	count, bucket := work[:units], work[units:2*units]

	// Landmarks into the ends of their units' buckets. 0 means nothing: no landmark begins there.
	countUnits(s, text, count)
	bucketEnds(count, bucket)
	s.clear(sa)
	if s.err != nil {
		return
	}
	marks := 0
	eachLandmark(s, text, func(at int) {
		c := text[at]
		bucket[c]--
		sa[bucket[c]] = int32(at)
		marks++
	})
	if s.err != nil {
		return
	}
	if marks > 1 {
		sortPieces(s, text, sa, count, bucket)
		if s.err != nil {
			return
		}
		// The landmarks are the negative entries, now ordered as far as the next landmark.
		m := 0
		for from := 0; from < n; from += restEvery {
			for _, j := range sa[from:min(from+restEvery, n)] {
				if j < 0 {
					sa[m] = ^j
					m++
				}
			}
			if s.stop() {
				return
			}
		}
		names := namePieces(s, text, sa, m)
		if s.err != nil {
			return
		}
		if names < m { // some are alike: sort the text of their names
			reduced := sa[n-m:]
			to := n
			for from := n; from > m; from -= restEvery {
				for i := from - 1; i >= max(from-restEvery, m); i-- {
					if sa[i] != 0 {
						to--
						sa[to] = sa[i] - 1
					}
				}
				if s.stop() {
					return
				}
			}
			sortSuffixes(s, reduced, sa[:m], names, work)
			if s.err != nil {
				return
			}
			to = n
			eachLandmark(s, text, func(at int) {
				to--
				sa[to] = int32(at)
			})
			for from := 0; from < m; from += restEvery {
				for i := from; i < min(from+restEvery, m); i++ {
					sa[i] = reduced[sa[i]]
				}
				if s.stop() {
					return
				}
			}
			countUnits(s, text, count)
		}
		// Sorted, into the ends of their buckets: none moves to the left.
		s.clear(sa[m:])
		if s.err != nil {
			return
		}
		bucketEnds(count, bucket)
		for from := m; from > 0; from -= restEvery {
			for i := from - 1; i >= max(from-restEvery, 0); i-- {
				j := sa[i]
				sa[i] = 0
				c := text[j]
				bucket[c]--
				sa[bucket[c]] = j
			}
			if s.stop() {
				return
			}
		}
	}
	sortAll(s, text, sa, count, bucket)
}

// eachLandmark calls f with each landmark of the text, the last first.
func eachLandmark[T byte | int32](s *sorter, text []T, f func(at int)) {
	n := len(text)
	after, isS := text[n-1], false // the last suffix is L: what follows sorts before everything
	for from := n - 1; from > 0; from -= restEvery {
		for i := from - 1; i >= max(from-restEvery, 0); i-- {
			c := text[i]
			if c < after {
				isS = true
			} else if c > after {
				if isS {
					f(i + 1)
				}
				isS = false
			}
			after = c
		}
		if s.stop() {
			return
		}
	}
}

func countUnits[T byte | int32](s *sorter, text []T, count []int32) {
	clear(count)
	for from := 0; from < len(text) && !s.stop(); from += 8 * restEvery {
		for _, c := range text[from:min(from+8*restEvery, len(text))] {
			count[c]++
		}
	}
}

func bucketStarts(count, bucket []int32) {
	sum := int32(0)
	for c, n := range count {
		bucket[c] = sum
		sum += n
	}
}

func bucketEnds(count, bucket []int32) {
	sum := int32(0)
	for c, n := range count {
		sum += n
		bucket[c] = sum
	}
}

// sortPieces sorts landmarks as far as the next landmark. They are in the ends of their buckets; afterward they are the entries below 0, each ^begin, in
// their order. An entry that the pass at hand is not to follow is kept as its complement.
func sortPieces[T byte | int32](s *sorter, text []T, sa, count, bucket []int32) {
	n := len(text)
	bucketStarts(count, bucket)
	put := int32(n - 1)
	if text[n-2] < text[n-1] {
		put = ^put
	}
	sa[bucket[text[n-1]]] = put
	bucket[text[n-1]]++
	for from := 0; from < n; from += restEvery {
		for i := from; i < min(from+restEvery, n); i++ {
			j := sa[i]
			if j > 0 {
				sa[i] = 0
				j--
				c := text[j]
				put := j
				if j > 0 && text[j-1] < c {
					put = ^j
				}
				b := bucket[c]
				sa[b] = put
				bucket[c] = b + 1
			} else if j < 0 {
				sa[i] = ^j
			}
		}
		if s.stop() {
			return
		}
	}
	bucketEnds(count, bucket)
	for from := n; from > 0; from -= restEvery {
		for i := from - 1; i >= max(from-restEvery, 0); i-- {
			j := sa[i]
			if j > 0 {
				sa[i] = 0
				j--
				c := text[j]
				put := j
				if j > 0 && text[j-1] > c {
					put = ^j
				}
				b := bucket[c] - 1
				sa[b] = put
				bucket[c] = b
			}
		}
		if s.stop() {
			return
		}
	}
}

// sortAll gets all suffixes in order, from sorted landmarks in the ends of their buckets.
func sortAll[T byte | int32](s *sorter, text []T, sa, count, bucket []int32) {
	n := len(text)
	bucketStarts(count, bucket)
	put := int32(n - 1)
	if text[n-2] < text[n-1] {
		put = ^put
	}
	sa[bucket[text[n-1]]] = put
	bucket[text[n-1]]++
	for from := 0; from < n; from += restEvery {
		for i := from; i < min(from+restEvery, n); i++ {
			j := sa[i]
			sa[i] = ^j
			if j > 0 {
				j--
				c := text[j]
				put := j
				if j > 0 && text[j-1] < c {
					put = ^j
				}
				b := bucket[c]
				sa[b] = put
				bucket[c] = b + 1
			}
		}
		if s.stop() {
			return
		}
	}
	bucketEnds(count, bucket)
	for from := n; from > 0; from -= restEvery {
		for i := from - 1; i >= max(from-restEvery, 0); i-- {
			j := sa[i]
			if j > 0 {
				j--
				c := text[j]
				put := j
				if j == 0 || text[j-1] > c {
					put = ^j
				}
				b := bucket[c] - 1
				sa[b] = put
				bucket[c] = b
			} else {
				sa[i] = ^j
			}
		}
		if s.stop() {
			return
		}
	}
}

// namePieces numbers the pieces between landmarks: equal ones alike, from 1, in order. sa has the m landmarks by that order; the name of the
// one at j is put at sa[m+j/2], of which no two are the same as landmarks are never neighbors. The rest of sa[m:] is 0.
func namePieces[T byte | int32](s *sorter, text []T, sa []int32, m int) int {
	n := len(text)
	if s.clear(sa[m:]); s.err != nil {
		return 0
	}
	last := n
	eachLandmark(s, text, func(at int) { // first, how long each piece is, with the landmark at its end
		sa[m+at/2] = int32(last - at + 1)
		last = at
	})
	if s.err != nil {
		return 0
	}
	names := int32(0)
	before, size := 0, 0
	work := 0
	for i, j := range sa[:m] {
		at := int(j)
		length := int(sa[m+at/2])
		same := length == size && before+size <= n && at+size <= n // a piece that the text's end cuts is like no other
		if same {
			a, b := text[before:before+size], text[at:at+size]
			for k := range a {
				if a[k] != b[k] {
					same = false
					break
				}
			}
			work += size
		}
		if !same {
			names++
			before, size = at, length
		}
		sa[m+at/2] = names
		if work++; work >= restEvery || i == m-1 {
			work = 0
			if s.stop() {
				return 0
			}
		}
	}
	return int(names)
}
