package match

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// fill calls Fill until all positions are done, and returns the matches of each.
func fill(t *testing.T, tree *BinTree, data []byte, s Search, room int, pieces func() int) [][]Packed {
	t.Helper()
	out := make([][]Packed, len(data))
	matches, ends := make([]Packed, room), make([]uint32, len(data))
	tree.Reset()
	buf := withSlack(data)
	for at := 0; at < len(data); {
		end := min(at+pieces(), len(data))
		next := tree.Fill(buf, len(data), at, end, &s, matches, ends)
		if next <= at || next > end {
			t.Fatalf("Fill from %d to %d stopped at %d", at, end, next)
		}
		from := uint32(0)
		for p := at; p < next; p++ {
			out[p] = slices.Clone(matches[from:ends[p-at]])
			from = ends[p-at]
		}
		at = next
	}
	return out
}

func whole() int { return 1 << 20 }

// With an unlimited search, a BinTree finds the nearest match of every possible length from four on. Matches of two and three bytes
// exist, and are not longer. A finder that has seen other data finds the same, and so does one that is called piece by piece, with
// as little room as allowed.
func TestBinTreeAll(t *testing.T) {
	used := NewBinTree(4096, 4000)
	for name, data := range chainInputs() {
		t.Run(name, func(t *testing.T) {
			s := Search{Depth: 4096, Nice: MaxLength, MaxLen: MaxLength}
			got := fill(t, used, data, s, 1<<20, whole)
			r := rand.New(rand.NewPCG(1, 12))
			again := fill(t, NewBinTree(4096, 4000), data, s, s.Depth+2, func() int { return 1 + r.IntN(100) })
			inside := 0 // end of the last match of nice length
			for p := range data {
				// A piece that begins inside such a match has matches there.
				if inside == 0 && !slices.Equal(got[p], again[p]) {
					t.Fatalf("at %d: got %v, in pieces %v", p, got[p], again[p])
				}
				ms := got[p]
				for len(ms) > 0 && ms[0].Length() < 4 {
					m := ms[0]
					if d := m.Distance(); d > p || common(data, p-d, p) != m.Length() {
						t.Fatalf("at %d: no match of exactly %d bytes at distance %d", p, m.Length(), d)
					}
					ms = ms[1:]
				}
				if p < inside {
					if len(got[p]) > 0 {
						t.Fatalf("at %d: matches inside one of nice length", p)
					}
					continue
				}
				var want []Packed
				longest := 3
				for q := p - 1; q >= 0 && longest < MaxLength; q-- {
					if n := min(common(data, q, p), MaxLength); n > longest {
						longest = n
						want = append(want, Packed((p-q)<<LengthBits|n))
					}
				}
				if !slices.Equal(ms, want) {
					t.Fatalf("at %d: got %v, want %v", p, ms, want)
				}
				if longest >= min(MaxLength, len(data)-p) && longest > 3 {
					inside = p + longest
				}
			}
		})
	}
}

// For any limits, every match exists, lengths increase, distances are in range, and none begins inside a match of nice length.
func TestBinTreeLimits(t *testing.T) {
	for name, data := range chainInputs() {
		tree := NewBinTree(4096, 100)
		for seed := range uint64(20) {
			r := rand.New(rand.NewPCG(seed, 13))
			s := Search{Depth: 1 + r.IntN(20), Nice: 4 + r.IntN(40)}
			s.MaxLen = s.Nice + r.IntN(MaxLength-s.Nice+1)
			inside := 0
			for p, ms := range fill(t, tree, data, s, 1<<17, whole) {
				if p < inside && len(ms) > 0 {
					t.Fatalf("%s, seed %d, at %d: matches inside one of nice length", name, seed, p)
				}
				length := 1
				for _, m := range ms {
					if m.Length() <= length || m.Length() > s.MaxLen || m.Distance() < 1 || m.Distance() > min(p, 100) ||
						common(data, p-m.Distance(), p) < m.Length() {
						t.Fatalf("%s, seed %d, at %d: length %d after %d, distance %d", name, seed, p, m.Length(), length, m.Distance())
					}
					length = m.Length()
				}
				if length >= s.Nice {
					inside = p + length
				}
			}
		}
	}
}

// When positions reach the end of their range, the tables start again, and nothing old is found.
func TestBinTreeWraps(t *testing.T) {
	data := []byte("abcdefghabcdefgh")
	s := Search{Depth: 10, Nice: 16, MaxLen: 16}
	tree := NewBinTree(64, 61)
	want := fill(t, tree, data, s, 1000, whole)
	for _, base := range []uint32{1<<31 - 64, 1<<31 - 1, 1 << 31, 1<<31 + 1} {
		tree.base = base
		for range 3 {
			got := fill(t, tree, data, s, 1000, whole)
			if !slices.EqualFunc(got, want, slices.Equal[[]Packed]) {
				t.Fatalf("base %#x: got %v, want %v", base, got, want)
			}
			if tree.base > 1<<31+64 {
				t.Fatalf("base has grown to %#x", tree.base)
			}
		}
	}
}
