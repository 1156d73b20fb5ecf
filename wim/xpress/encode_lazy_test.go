package xpress

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// common returns the number of equal bytes at a and b, b > a.
func common(data []byte, a, b int) (n int) {
	for b+n < len(data) && data[a+n] == data[b+n] {
		n++
	}
	return n
}

// lazyPlain does the same as lazy, readably.
func lazyPlain(data []byte, nice, depth int) (tokens []uint32) {
	order := max(bits.Len(uint(len(data)-1)), leastBits)
	hash4 := func(p int) uint32 {
		return binary.LittleEndian.Uint32(data[p:]) * hashMul >> (32 - hash4Bits) & (1<<min(order, hash4Bits) - 1)
	}
	hash3 := func(p int) uint32 {
		return binary.LittleEndian.Uint32(data[p:]) << 8 * hashMul >> (32 - hash3Bits) & (1<<min(order, hash3Bits) - 1)
	}
	chains, nearest := map[uint32][]int{}, map[uint32]int{} // positions by hash, the nearest last
	insert := func(p int) {
		if p > 0 && p+4 <= len(data) {
			chains[hash4(p)] = append(chains[hash4(p)], p)
			nearest[hash3(p)] = p
		}
	}
	// search returns the longest match at p of more than least bytes.
	search := func(p, least, depth int) (length, dist int) {
		if p+4 > len(data) {
			return 0, 0
		}
		places := append([]int{0}, chains[hash4(p)]...)
		for i := len(places) - 1; i >= 0 && least < len(data)-p; i-- {
			if n := common(data, places[i], p); n > max(least, 3) {
				least, length, dist = n, n, p-places[i]
				if n >= nice {
					break
				}
			}
			if depth--; depth <= 0 {
				break
			}
		}
		return length, dist
	}
	for p := 0; p < len(data); {
		length, dist := 0, 0
		if p > 0 && p+4 <= len(data) {
			length, dist = search(p, 3, depth)
			if q := nearest[hash3(p)]; length == 0 && p-q <= farThree && common(data, q, p) >= 3 {
				length, dist = 3, p-q
			}
		}
		insert(p)
		if length == 0 {
			tokens = append(tokens, uint32(data[p]))
			p++
			continue
		}
		in := p + 1 // first position not yet inserted
		for length < nice && in+4 <= len(data) {
			l, d := search(in, length-1, depth/2)
			insert(in)
			in++
			if l < length || 4*(l-length)+bits.Len(uint(dist))-bits.Len(uint(d)) <= 2 {
				break
			}
			tokens = append(tokens, uint32(data[p]))
			p++
			length, dist = l, d
		}
		tokens = append(tokens, uint32(dist)<<16|uint32(length-minMatch))
		for p += length; in < p; in++ {
			insert(in)
		}
	}
	return tokens
}

// lazy returns the tokens of lazyPlain, whatever the limits of its search, and counts them correctly.
func TestLazy(t *testing.T) {
	in := inputs(20000)
	r := rand.New(rand.NewPCG(1, 12))
	copies := []byte{1}
	for len(copies) < 60000 {
		if r.IntN(3) == 0 {
			copies = append(copies, byte(r.IntN(16)))
			continue
		}
		dist := 1 + r.IntN(min(len(copies), 1<<r.IntN(16)))
		for range 2 + r.IntN(2<<r.IntN(7)) {
			copies = append(copies, copies[len(copies)-dist])
		}
	}
	in["copies"] = copies
	e := NewEncoder(maxChunk, 2)
	for name, data := range in {
		for seed := range uint64(6) {
			r := rand.New(rand.NewPCG(seed, 13))
			data := data[:len(data)-r.IntN(min(len(data)+1, 20))]
			if len(data) == 0 {
				continue
			}
			e.nice, e.depth = 3+r.IntN(1<<r.IntN(12)), r.IntN(1<<r.IntN(8))
			want := lazyPlain(data, e.nice, e.depth)
			n := copy(e.buf, data)
			for i := range e.buf[n:] {
				e.buf[n+i] = e.buf[n-1] // slack that continues a match must not matter
			}
			e.tokens[n-1] = 0
			count, huge := e.lazy(n)
			got, freqs := slices.Clone(e.tokens[:count]), e.freqs
			if !slices.Equal(got, want) {
				t.Fatalf("%s, seed %d: nice %d, depth %d: tokens differ from the plain version's", name, seed, e.nice, e.depth)
			}
			if h := e.count(got); h != huge || e.freqs != freqs {
				t.Fatalf("%s, seed %d: wrong counts of tokens", name, seed)
			}
		}
	}
}
