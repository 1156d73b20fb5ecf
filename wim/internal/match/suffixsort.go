package match

// restEvery is the number of steps of a long pass between calls of rest: tens of milliseconds at the slowest.
const restEvery = 1 << 17

// suffixWork returns the number of words that sortSuffixes needs besides the suffix array, for n bytes.
func suffixWork(n int) int { return max(n+4, 512) }

// sorter sorts suffixes by induced sorting (Nong, Zhang and Chan, 2009). A suffix is S if it sorts before the one that begins a byte
// later, else L. An S suffix after an L one is a landmark. Once landmarks are sorted, one pass from the left sorts all L suffixes, and one
// pass from the right all S suffixes. To sort the landmarks, the same two passes first order them by the bytes up to the next landmark.
// These pieces get names; if two pieces are equal, the text of the names is sorted by recursion.
type sorter struct {
	rest func() error
	err  error
}

// stop calls rest, and reports whether the sort must stop.
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

// sortSuffixes writes the start positions of all suffixes of text to sa, in sorted order. A suffix sorts before those that it is a prefix
// of. Each unit of text is below units. work has at least suffixWork(len(text)) words. If s.err is set afterward, sa is not valid.
func sortSuffixes[T byte | int32](s *sorter, text []T, sa []int32, units int, work []int32) {
	n := len(text)
	sa = sa[:n]
	if n < 2 {
		clear(sa)
		return
	}
	count, bucket := work[:units], work[units:2*units]

	// Put the landmarks at the ends of their units' buckets. 0 means none, because no landmark begins at 0.
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
		// The landmarks are the negative entries, now ordered by the bytes up to the next landmark.
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
		if names < m { // some pieces are equal: sort the text of the names
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
		// Put the sorted landmarks at the ends of their buckets. None moves to the left.
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
	after, isS := text[n-1], false // the last suffix is L: the empty suffix after it sorts before everything
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

// sortPieces sorts landmarks by the bytes up to the next landmark. Before, they are at the ends of their buckets. Afterward, they are the
// negative entries, in order, each ^position. A complemented entry is one that the current pass must not follow.
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

// sortAll sorts all suffixes, given the sorted landmarks at the ends of their buckets.
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

// namePieces numbers the pieces between landmarks from 1, in order, equal pieces alike, and returns the number of names. sa[:m] has the
// landmarks in that order. The name of the landmark at j goes to sa[m+j/2], which is unique because landmarks are never adjacent. The
// rest of sa[m:] is 0.
func namePieces[T byte | int32](s *sorter, text []T, sa []int32, m int) int {
	n := len(text)
	if s.clear(sa[m:]); s.err != nil {
		return 0
	}
	last := n
	eachLandmark(s, text, func(at int) { // first, the size of each piece, with the landmark at its end
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
		same := length == size && before+size <= n && at+size <= n // a piece cut by the end of the text equals no other
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
