package match

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// windows returns data of many kinds.
func windows() map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	w := map[string][]byte{
		"one":  {7},
		"two":  {1, 1},
		"aba":  []byte("abababab"),
		"runs": bytes.Repeat([]byte{0}, 5000),
		"text": bytes.Repeat([]byte("in the beginning was the word, and the word was "), 60),
		"fib":  []byte("a"),
	}
	a, b := []byte("a"), []byte("ab")
	for len(b) < 4000 {
		a, b = b, append(bytes.Clone(b), a...)
	}
	w["fib"] = b
	for _, letters := range []int{2, 3, 26, 256} {
		for _, n := range []int{2, 3, 5, 17, 300, 4001} {
			d := make([]byte, n)
			for i := range d {
				d[i] = byte(rnd.IntN(letters))
			}
			w[string(rune('0'+letters%10))+"/"+string(rune('a'+n%26))] = d
		}
	}
	for i := range 30 { // random pieces, repeated
		var d []byte
		for len(d) < 3000 {
			p := make([]byte, 1+rnd.IntN(100))
			for k := range p {
				p[k] = byte(rnd.IntN(3 + i))
			}
			for range 1 + rnd.IntN(4) {
				d = append(d, p...)
			}
			if len(d) > 200 && rnd.IntN(2) == 0 {
				at := rnd.IntN(len(d) - 100)
				d = append(d, d[at:at+rnd.IntN(100)]...)
			}
		}
		w["pieces"+string(rune('a'+i))] = d
	}
	return w
}

func TestSortSuffixes(t *testing.T) {
	for name, d := range windows() {
		sa := make([]int32, len(d))
		sortSuffixes(new(sorter), d, sa, 256, make([]int32, suffixWork(len(d))))
		want := make([]int32, len(d))
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortFunc(want, func(a, b int32) int { return bytes.Compare(d[a:], d[b:]) })
		if !slices.Equal(sa, want) {
			t.Errorf("%s (%d bytes): wrong order", name, len(d))
		}
	}
}

// TestTree: for each place and each length, Find returns the nearest earlier occurrence and no other.
func TestTree(t *testing.T) {
	t.Run("narrow", func(t *testing.T) { testTree(t, NewTree(5000, 40)) })
	t.Run("wide", func(t *testing.T) { testTree(t, &Tree{wide: newTree[uint64](5000, 40)}) })
}

func testTree(t *testing.T, tree *Tree) {
	found := make([]TreeMatch, 100)
	ends := make([]uint32, 50)
	for name, d := range windows() {
		if err := tree.Reset(d, nil); err != nil {
			t.Fatal(err)
		}
		var passed, first, at int
		for at = range d {
			if at == first+passed {
				first = at
				if passed = tree.Find(found, ends[:1+at%len(ends)]); passed < 1 || passed > len(ends) {
					t.Fatalf("%s at %d: passed %d", name, at, passed)
				}
			}
			from := uint32(0)
			if at > first {
				from = ends[at-first-1]
			}
			var got [64]int // by length
			matches := found[from:ends[at-first]]
			for i, m := range matches {
				if m.Length < 2 || int(m.Length) > tree.Cap() || i > 0 && m.Length >= matches[i-1].Length {
					t.Fatalf("%s at %d: %v", name, at, matches)
				}
				for l := int(m.Length); l >= 2; l-- {
					got[l] = int(m.Offset)
				}
			}
			if at == len(d)-1 {
				break
			}
			if len(d) > 1000 && at%7 != 0 {
				continue
			}
			for l := 2; l <= min(tree.Cap(), len(d)-at); l++ {
				want := 0
				if i := bytes.LastIndex(d[:at+l-1], d[at:at+l]); i >= 0 {
					want = at - i
				}
				if got[l] != want {
					t.Fatalf("%s at %d, length %d: offset %d, want %d; %v", name, at, l, got[l], want, matches)
				}
			}
		}
	}
}

// TestTreeStops: Reset returns the error of rest, at whichever call it occurs.
func TestTreeStops(t *testing.T) {
	size := len("abcdefgh01234567") << 15
	t.Run("narrow", func(t *testing.T) { testTreeStops(t, NewTree(size, 255)) })
	t.Run("wide", func(t *testing.T) { testTreeStops(t, &Tree{wide: newTree[uint64](size, 255)}) })
}

func testTreeStops(t *testing.T, tree *Tree) {
	d := bytes.Repeat([]byte("abcdefgh01234567"), 1<<15)
	calls := 0
	if err := tree.Reset(d, func() error { calls++; return nil }); err != nil || calls < 10 {
		t.Fatalf("%d calls, %v", calls, err)
	}
	stop := errors.New("stop")
	for n := range calls {
		k := 0
		err := tree.Reset(d, func() error {
			if k++; k > n {
				return stop
			}
			return nil
		})
		if err != stop {
			t.Fatalf("stopped at call %d: %v", n, err)
		}
	}
	if err := tree.Reset(make([]byte, len(d)+1), nil); err == nil {
		t.Error("accepted a window that is too large")
	}
}
