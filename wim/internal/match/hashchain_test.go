package match

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// withSlack returns b with slack after it.
func withSlack(b []byte) []byte {
	return append(bytes.Clone(b), "\xA5\xA5\xA5\xA5\xA5\xA5\xA5\xA5"[:Slack]...)
}

// chainInputs returns data with many matches, few, and none.
func chainInputs() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 10))
	letters := func(n, of int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = 'a' + byte(r.IntN(of))
		}
		return b
	}
	block := letters(300, 26)
	return map[string][]byte{
		"empty":         {},
		"one byte":      {1},
		"three bytes":   {1, 1, 1},
		"four bytes":    {1, 1, 1, 1},
		"five bytes":    {1, 1, 1, 1, 1},
		"two letters":   letters(1500, 2),
		"four letters":  letters(1500, 4),
		"noise":         letters(1500, 256),
		"zeros":         make([]byte, 500),
		"period 3":      bytes.Repeat([]byte("abc"), 200),
		"block twice":   slices.Concat(block, letters(500, 250), block),
		"ends in match": slices.Concat([]byte("0123456789"), []byte("abcdefgh"), []byte("0123456")),
	}
}

// common returns the number of equal bytes at a and b, b > a.
func common(data []byte, a, b int) (n int) {
	for b+n < len(data) && data[a+n] == data[b+n] {
		n++
	}
	return n
}

// longest finds the longest match of at least four bytes, the nearest of equally long ones, the slow way.
func longest(data []byte, pos int) (length, dist int) {
	for p := pos - 1; p >= 0; p-- {
		if n := common(data, p, pos); n >= 4 && n > length {
			length, dist = n, pos-p
		}
	}
	return length, dist
}

// With an unlimited search, Longest finds the longest match, the nearest of equally long ones. It may miss one of three bytes, but
// returns none that does not exist. A finder that has seen other data returns the same.
func TestHashChainLongest(t *testing.T) {
	h := NewHashChain(4000)
	for round := range 3 {
		for name, data := range chainInputs() {
			t.Run(fmt.Sprintf("%s/%d", name, round), func(t *testing.T) {
				h.Start(withSlack(data), len(data))
				fresh := NewHashChain(4000)
				fresh.Start(withSlack(data), len(data))
				found := 0
				for pos := range data {
					length, dist := h.Longest(pos, 2, 1<<20, 1<<20)
					if l, d := fresh.Longest(pos, 2, 1<<20, 1<<20); l != length || d != dist {
						t.Fatalf("at %d: got length %d, distance %d; from a fresh finder %d, %d", pos, length, dist, l, d)
					}
					want, wantDist := longest(data, pos)
					if want == 0 && length != 0 {
						if length != 3 || common(data, pos-dist, pos) != 3 && pos+3 < len(data) {
							t.Fatalf("at %d: got length %d, distance %d, want none or 3", pos, length, dist)
						}
						continue
					}
					if length != want || dist != wantDist {
						t.Fatalf("at %d: got length %d, distance %d, want %d, %d", pos, length, dist, want, wantDist)
					}
					if length > 0 {
						found++
					}
				}
				if len(data) > 1000 && name != "noise" && found < 200 {
					t.Errorf("only %d matches", found)
				}
			})
		}
	}
}

// Longest keeps to its limits: it returns only matches longer than atLeast, and only matches that exist, with skipped positions and
// small depths.
func TestHashChainLimits(t *testing.T) {
	h := NewHashChain(4000)
	for name, data := range chainInputs() {
		for seed := range uint64(20) {
			r := rand.New(rand.NewPCG(seed, 11))
			h.Start(withSlack(data), len(data))
			for pos := 0; pos < len(data); {
				if r.IntN(3) == 0 {
					n := min(r.IntN(20), len(data)-pos)
					h.Skip(pos, n)
					pos += n
					continue
				}
				atLeast := 2 + r.IntN(30)
				length, dist := h.Longest(pos, atLeast, 1+r.IntN(100), r.IntN(5))
				if length > atLeast && (dist < 1 || dist > pos || common(data, pos-dist, pos) < length) {
					t.Fatalf("%s, seed %d, at %d: no match of length %d, distance %d", name, seed, pos, length, dist)
				}
				if length != 0 && length <= atLeast {
					t.Fatalf("%s, seed %d, at %d: length %d, want more than %d", name, seed, pos, length, atLeast)
				}
				pos++
			}
		}
	}
}

// Longest finds a match at a position that was skipped.
func TestHashChainSkip(t *testing.T) {
	data := []byte("0123456789 abcdefgh 456789")
	h := NewHashChain(100)
	h.Start(withSlack(data), len(data))
	h.Skip(0, 20)
	if length, dist := h.Longest(20, 2, 100, 100); length != 6 || dist != 16 {
		t.Errorf("got length %d, distance %d, want 6, 16", length, dist)
	}
}

// When entries reach lastPlace, the tables start again, and nothing old is found.
func TestHashChainWraps(t *testing.T) {
	data := bytes.Repeat([]byte("abcdefg"), 100)
	h := NewHashChain(1000)
	for _, base := range []uint64{lastPlace - 1700, lastPlace - 1000, lastPlace - 999, lastPlace} {
		h.base, h.size = base, 0
		for range 3 {
			h.Start(withSlack(data), len(data))
			if h.base+uint64(len(data)) > lastPlace {
				t.Fatalf("entries go up to %#x", h.base+uint64(len(data)))
			}
			for pos := range data {
				length, dist := h.Longest(pos, 2, 5000, 5000)
				if want := len(data) - pos; pos < 7 && length != 0 || pos >= 7 && want > 3 && (length != want || dist != 7) {
					t.Fatalf("base %#x, at %d: got length %d, distance %d", h.base, pos, length, dist)
				}
			}
		}
	}
}
