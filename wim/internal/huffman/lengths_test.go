package huffman

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// cost returns the number of bits that symbols with these frequencies take.
func cost(lens []uint8, freqs []uint32) (bits uint64) {
	for sym, l := range lens {
		bits += uint64(l) * uint64(freqs[sym])
	}
	return bits
}

// best returns the smallest cost of any code of at most maxLen bits. It tries all assignments of code lengths.
func best(freqs []uint32, maxLen int) uint64 {
	var used []uint32
	for _, f := range freqs {
		if f > 0 {
			used = append(used, f)
		}
	}
	slices.Sort(used)
	slices.Reverse(used)
	least := ^uint64(0)
	// The most frequent symbols have the shortest codes, so lengths never decrease. room is the free part of the code
	// space, in units of codes of maxLen bits.
	var try func(i, length, room int, bits uint64)
	try = func(i, length, room int, bits uint64) {
		if i == len(used) {
			least = min(least, bits)
			return
		}
		for l := length; l <= maxLen; l++ {
			if size := 1 << (maxLen - l); size <= room && len(used)-i <= room {
				try(i+1, l, room-size, bits+uint64(l)*uint64(used[i]))
			}
		}
	}
	try(0, 1, 1<<maxLen, 0)
	return least
}

// Codes of few symbols cost what the best one costs, with and without a limit that matters.
func TestLengthsBest(t *testing.T) {
	var b LengthBuilder
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 5))
		n := 2 + r.IntN(7)
		freqs := make([]uint32, 16)
		for _, sym := range r.Perm(16)[:n] {
			freqs[sym] = 1 + uint32(r.Uint64N(1<<(1+r.IntN(31))))
		}
		for maxLen := 3; maxLen <= 8; maxLen++ {
			lens := make([]uint8, 16)
			b.Build(lens, freqs, maxLen)
			if shape := ShapeOf(lens); shape != Complete {
				t.Fatalf("seed %d, %v: lengths %v have shape %d", seed, freqs, lens, shape)
			}
			for sym, l := range lens {
				if int(l) > maxLen || (l > 0) != (freqs[sym] > 0) {
					t.Fatalf("seed %d, at most %d, %v: lengths %v", seed, maxLen, freqs, lens)
				}
			}
			if got, want := cost(lens, freqs), best(freqs, maxLen); got != want {
				t.Errorf("seed %d, at most %d, %v: lengths %v cost %d, want %d", seed, maxLen, freqs, lens, got, want)
			}
		}
	}
}

// Where the limit does not matter, package-merge finds codes as good as those of Huffman's algorithm.
func TestLengthsAgree(t *testing.T) {
	var b LengthBuilder
	compared := 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 6))
		freqs := make([]uint32, []int{8, 24, 256, 512, MaxSyms}[r.IntN(5)])
		spread := 1 + r.IntN(24)
		for i := range freqs {
			if r.IntN(5) > 0 {
				freqs[i] = uint32(r.Uint64N(1 << r.IntN(spread)))
			}
		}
		lens := make([]uint8, len(freqs))
		b.Build(lens, freqs, MaxLen)
		n := b.sort(freqs)
		if n < 2 {
			continue
		}
		var huffman, merged [MaxLen + 1]int
		if !b.unlimited(&huffman, n, MaxLen) {
			continue
		}
		compared++
		b.limited(&merged, n, MaxLen)
		price := func(count *[MaxLen + 1]int) (bits uint64) {
			i := 0
			for l := MaxLen; l > 0; l-- {
				for range count[l] {
					bits += uint64(l) * (b.keys[i] >> symBits)
					i++
				}
			}
			if i != n {
				t.Fatalf("seed %d: codes for %d of %d symbols", seed, i, n)
			}
			return bits
		}
		if got, want := price(&merged), price(&huffman); got != want || got != cost(lens, freqs) {
			t.Errorf("seed %d: package-merge costs %d, Huffman's algorithm %d, the code %d", seed, got, want, cost(lens, freqs))
		}
	}
	if compared < 200 {
		t.Errorf("only %d codes compared", compared)
	}
}

func TestLengthsEdges(t *testing.T) {
	var b LengthBuilder
	fibonacci := make([]uint32, 40)
	fibonacci[0], fibonacci[1] = 1, 1
	for i := 2; i < len(fibonacci); i++ {
		fibonacci[i] = fibonacci[i-1] + fibonacci[i-2]
	}
	even := make([]uint32, 512)
	for i := range even {
		even[i] = 1 << 31
	}
	for _, c := range []struct {
		name   string
		freqs  []uint32
		maxLen int
		want   []uint8 // nil: any complete code
	}{
		{"none", []uint32{0, 0, 0}, 15, []uint8{0, 0, 0}},
		{"the first alone", []uint32{7, 0, 0}, 15, []uint8{1, 1, 0}},
		{"another alone", []uint32{0, 0, 7}, 15, []uint8{1, 0, 1}},
		{"two", []uint32{0, 1 << 31, 1}, 15, []uint8{0, 1, 1}},
		{"three equal", []uint32{1, 1, 1}, 15, []uint8{2, 2, 1}},
		{"as many as there are codes", []uint32{1, 1000, 100000, 10000000}, 2, []uint8{2, 2, 2, 2}},
		{"Fibonacci's numbers", fibonacci, 15, nil},
		{"Fibonacci's numbers, just enough bits", fibonacci, 6, nil},
		{"512 of nine bits", even, 9, nil},
		{"512 of sixteen bits", even, 16, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			lens := slices.Repeat([]uint8{99}, len(c.freqs))
			b.Build(lens, c.freqs, c.maxLen)
			if c.want != nil && !slices.Equal(lens, c.want) {
				t.Errorf("got %v, want %v", lens, c.want)
			}
			if c.want == nil && (ShapeOf(lens) != Complete || slices.Max(lens) > uint8(c.maxLen)) {
				t.Errorf("got %v", lens)
			}
			if n := testing.AllocsPerRun(5, func() { b.Build(lens, c.freqs, c.maxLen) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// The plain decoder reads each code of Codes as its symbol.
func TestCodes(t *testing.T) {
	for seed := range uint64(50) {
		lens := spread(rand.New(rand.NewPCG(seed, 7)), 512, MaxLen)
		codes := make([]uint16, len(lens))
		Codes(codes, lens)
		plain, err := NewCode(lens)
		if err != nil {
			t.Fatal(err)
		}
		for sym, l := range lens {
			if l == 0 {
				continue
			}
			left := l
			got, err := plain.Symbol(func() (uint32, error) {
				left--
				return uint32(codes[sym]) >> left & 1, nil
			})
			if err != nil || got != sym || left != 0 {
				t.Fatalf("seed %d: code %b of %d bits is read as %d with %d left, want %d", seed, codes[sym], l, got, left, sym)
			}
		}
	}
}

func BenchmarkLengths(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 8))
	freqs := make([]uint32, 512)
	for i := range freqs {
		freqs[i] = uint32(r.Uint64N(1 << r.IntN(12)))
	}
	var builder LengthBuilder
	lens := make([]uint8, 512)
	for _, c := range []struct {
		name   string
		maxLen int
	}{{"unlimited", 16}, {"limited", 10}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				builder.Build(lens, freqs, c.maxLen)
			}
		})
	}
}
