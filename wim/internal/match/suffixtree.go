package match

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"unsafe"
)

// MaxTreeSize is the largest window of a [Tree], in bytes.
const MaxTreeSize = 1 << 30

// narrowSize is the largest window whose tree fits words of 32 bits: 26 bits for places and 6 bits for lengths. Words of 64 bits take twice
// the memory and a third more time.
const narrowSize = 64 << 20

// TreeMatch is a match that a [Tree] found.
type TreeMatch struct {
	Length uint32 // bytes, at least 2
	Offset uint32 // bytes back, at least 1
}

// Tree visits the places of a window in order and finds, for each place and every length, the nearest earlier occurrence: at most [Tree.Cap]
// matches per place, in time that depends neither on the size of the window nor on how repetitive it is. It takes 8 bytes for each byte of
// the window, or 16 if it is made for more than 64 MiB.
type Tree struct {
	narrow *tree[uint32]
	wide   *tree[uint64] // if not nil, used instead
}

// tree is a Tree with words of one width.
//
// It is the interval tree of the suffix array. An interval is a run of suffixes that share a certain number of first bytes; suffixes that
// share more are intervals inside it. A passed place is noted in the intervals that contain it, so the latest place noted in an interval
// around the current place is the nearest match of that interval's length. To note a place in all its intervals takes too long. So a place
// is noted only up to the first interval in which a later place is noted, and each place keeps the interval at which a later place took
// over: from there outward, the notes of the later place are valid.
type tree[W uint32 | uint64] struct {
	// A reference to an interval is common<<shift | number. Of two intervals around one place, the inner has the larger reference.
	// Number 0 is the interval of all suffixes, which share nothing; reference 0 means none.
	intervals []W // by number: a reference to the interval around it, or, once a place in it was passed, that place
	places    []W // by place, from 1: the innermost interval around it, or, once it was passed, the interval where a later one took over
	shift     uint32
	limit     uint32 // largest length in the tree
	data      []byte
	cur       uint32 // the next place, from 1
	longest   uint32 // largest length, as NewTree was given it
	warmed    W      // result of reads ahead, so that the compiler keeps them
}

// NewTree returns a Tree for windows of at most size bytes and matches of at most longest bytes, or fewer in large windows: see Cap.
func NewTree(size, longest int) *Tree {
	if size > narrowSize {
		return &Tree{wide: newTree[uint64](size, longest)}
	}
	return &Tree{narrow: newTree[uint32](size, longest)}
}

func newTree[W uint32 | uint64](size, longest int) *tree[W] {
	return &tree[W]{intervals: make([]W, size), places: make([]W, max(suffixWork(size), size+1)), longest: uint32(longest)}
}

// TreeMemory returns the number of bytes that NewTree allocates.
func TreeMemory(size int) int64 {
	n := 4*int64(size) + 4*int64(max(suffixWork(size), size+1))
	if size > narrowSize {
		n *= 2
	}
	return n
}

// Cap returns the largest length that Find returns in the current window. Longer matches are cut to it.
func (t *Tree) Cap() int {
	if t.wide != nil {
		return int(t.wide.limit)
	}
	return int(t.narrow.limit)
}

// Reset starts with a new window, at its first place. The bytes must not change until the next Reset. It calls rest, if not nil, now and
// then; an error from rest stops it and is returned.
func (t *Tree) Reset(data []byte, rest func() error) error {
	if t.wide != nil {
		return t.wide.reset(data, rest)
	}
	return t.narrow.reset(data, rest)
}

// Find passes at most len(ends) places and returns their number. It writes their matches to found, place by place: those of the i-th place end
// at ends[i]. The longest match of a place comes first; a match stands for its length and all shorter ones, down to the length of the next
// match, or 2. found has room for at least Cap matches. Find stops where it may not have room for another place, but passes at least one
// place, if there is one.
func (t *Tree) Find(found []TreeMatch, ends []uint32) int {
	if t.wide != nil {
		return t.wide.pass(len(ends), found, ends)
	}
	return t.narrow.pass(len(ends), found, ends)
}

// Skip passes n places, or all that are left, without looking for matches.
func (t *Tree) Skip(n int) {
	if t.wide != nil {
		t.wide.pass(n, nil, nil)
		return
	}
	t.narrow.pass(n, nil, nil)
}

var errTooLarge = errors.New("match: window is larger than the tree's size")

func (t *tree[W]) reset(data []byte, rest func() error) error {
	n := len(data)
	if n > len(t.intervals) || n > MaxTreeSize {
		return errTooLarge
	}
	t.data, t.cur = data, 1
	wide := unsafe.Sizeof(W(0)) > 4
	if wide {
		t.shift, t.limit = 32, t.longest
	} else {
		t.shift = uint32(max(bits.Len(uint(max(n-1, 1))), 8))
		t.limit = min(t.longest, 1<<(32-t.shift)-1)
	}
	if n == 0 {
		return nil
	}
	s := &sorter{rest: rest}
	sa := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(t.intervals))), n)
	work := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(t.places))), len(t.places))
	sortSuffixes(s, data, sa, 256, work)
	if wide && s.err == nil {
		t.widen(s, sa)
	}
	if s.err == nil {
		t.common(s)
	}
	if s.err == nil {
		t.build(s)
	}
	return s.err
}

// widen converts the suffix array, which is in the first half of intervals, to words.
func (t *tree[W]) widen(s *sorter, sa []int32) {
	for from := len(sa); from > 0 && !s.stop(); from -= restEvery {
		for i := from - 1; i >= max(from-restEvery, 0); i-- {
			t.intervals[i] = W(sa[i])
		}
	}
}

// common turns the suffix array into common<<shift | place, where common is the number of first bytes that a suffix shares with the one
// before it.
func (t *tree[W]) common(s *sorter) {
	n := len(t.data)
	sa, rank := t.intervals[:n], t.places[:n]
	for from := 0; from < n; from += restEvery {
		for i, at := range sa[from:min(from+restEvery, n)] {
			rank[at] = W(from + i)
		}
		if s.stop() {
			return
		}
	}
	// In the order of the text, the number of shared bytes shrinks by at most one from each suffix to the next (Kasai et al., 2001). The
	// neighbours of several suffixes are looked up at once: see warmPlaces.
	mask := W(1)<<t.shift - 1
	var before [warmPlaces]W
	h := 0
	warmed := byte(0)
	for from := 0; from < n; from += restEvery {
		end := min(from+restEvery, n)
		for some := from; some < end; some += warmPlaces {
			ranks := rank[some:min(some+warmPlaces, end)]
			for k, r := range ranks {
				before[k&(warmPlaces-1)] = sa[max(r, 1)-1] & mask
			}
			for k := range ranks {
				warmed |= t.data[min(int(before[k&(warmPlaces-1)])+h, n-1)]
			}
			for k, r := range ranks {
				if r == 0 {
					h = 0
					continue
				}
				i, j := some+k, int(before[k&(warmPlaces-1)])
				h += shared(t.data[i+h:], t.data[j+h:], int(t.limit)-h)
				sa[r] |= W(h) << t.shift
				h = max(h-1, 0)
			}
		}
		if s.stop() {
			return
		}
	}
	t.warmed = W(warmed)
}

// shared returns the number of first bytes that a and b share, at most limit.
func shared(a, b []byte, limit int) int {
	n := min(len(a), len(b), limit)
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)>>3
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return max(i, 0)
}

// build builds the tree. An interval overwrites an entry of the suffix array only after that was read, because there are never more
// intervals than suffixes read.
func (t *tree[W]) build(s *sorter) {
	n := len(t.data)
	sa, places := t.intervals[:n], t.places[:n+1]
	mask := W(1)<<t.shift - 1
	var open [256]W // intervals not yet closed, the innermost last; their numbers of shared bytes increase
	top := 0
	prev := sa[0] & mask
	sa[0] = 0
	made := W(0)
	for from := 1; from < n; from += restEvery {
		for r := from; r < min(from+restEvery, n); r++ {
			v := sa[r]
			common := v >> t.shift
			inner := open[top&255]
			switch have := inner >> t.shift; {
			case common > have:
				made++
				inner = common<<t.shift | made
				top++
				open[top&255] = inner
				places[prev+1] = inner
			case common == have:
				places[prev+1] = inner
			default:
				places[prev+1] = inner
				for {
					top--
					around := open[top&255]
					if common > around>>t.shift {
						made++
						around = common<<t.shift | made
						top++
						open[top&255] = around
					}
					sa[inner&mask] = around
					inner = around
					if common >= around>>t.shift {
						break
					}
				}
			}
			prev = v & mask
		}
		if s.stop() {
			return
		}
	}
	places[prev+1] = open[top&255]
	for ; top > 0; top-- {
		sa[open[top&255]&mask] = open[(top-1)&255]
	}
}

// warmPlaces is the number of places for which memory is read ahead. In a large window nearly every read misses the processor's caches. For one
// place, each read depends on the one before, so the processor waits for one after the other; the reads of different places overlap.
const (
	warmPlaces = 32
	warmSteps  = 4
	warmWindow = 1 << 19 // smaller windows do not need it
)

// pass is Find, or Skip if ends is nil.
func (t *tree[W]) pass(count int, found []TreeMatch, ends []uint32) (done int) {
	intervals := unsafe.Pointer(unsafe.SliceData(t.intervals))
	places := unsafe.Pointer(unsafe.SliceData(t.places))
	size := unsafe.Sizeof(W(0))
	shift := t.shift & uint32(8*size-1)
	mask := W(1)<<shift - 1
	last := uint32(len(t.data))
	count = min(count, int(last)-int(t.cur)+1)
	full, n := len(found)-int(t.limit), 0
	var ahead [warmPlaces]W
	for done < count {
		some := min(count-done, warmPlaces)
		if last > warmWindow {
			// Read ahead along the first steps of each place.
			for k := range some {
				ahead[k&(warmPlaces-1)] = *(*W)(unsafe.Add(places, uintptr(t.cur+uint32(k))*size))
			}
			for range warmSteps {
				for k := range some {
					v := ahead[k&(warmPlaces-1)]
					p := unsafe.Add(intervals, uintptr(v&mask)*size)
					if v>>shift == 0 {
						p = unsafe.Add(places, uintptr(v)*size)
					}
					ahead[k&(warmPlaces-1)] = *(*W)(p)
				}
			}
			t.warmed = ahead[0]
		}
		for ; some > 0; some-- {
			if ends != nil && n > full {
				return done
			}
			cur := W(t.cur)
			t.cur++
			ref := W(0)
			if uint32(cur) < last { // no place follows the last one: it need not be noted, and in the largest window it cannot be
				p := (*W)(unsafe.Add(places, uintptr(cur)*size))
				ref = *p
				*p = 0
			}
			var note W
			for ref != 0 {
				p := (*W)(unsafe.Add(intervals, uintptr(ref&mask)*size))
				note = *p
				if note>>shift == 0 && note != 0 {
					break // a place
				}
				*p = cur
				ref = note
			}
			for ref != 0 {
				at := note
				var over W
				for {
					over = *(*W)(unsafe.Add(places, uintptr(at)*size))
					if over <= ref {
						break
					}
					at = *(*W)(unsafe.Add(intervals, uintptr(over&mask)*size))
				}
				*(*W)(unsafe.Add(intervals, uintptr(ref&mask)*size)) = cur
				*(*W)(unsafe.Add(places, uintptr(at)*size)) = ref
				if ref>>shift >= 2 && n < len(found) { // go on even if there is no match: intervals further out must note the place too
					found[n] = TreeMatch{uint32(ref >> shift), uint32(cur - at)}
					n++
				}
				ref = over
				note = *(*W)(unsafe.Add(intervals, uintptr(ref&mask)*size))
			}
			if ends != nil {
				ends[done] = uint32(n)
			}
			done++
		}
	}
	return done
}
