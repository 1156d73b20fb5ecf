package huffman

import (
	"errors"
	"math/rand/v2"
	"testing"
)

// spread returns the code lengths of a random complete code over some of syms symbols, of at most maxLen bits.
func spread(r *rand.Rand, syms int, maxLen uint8) []uint8 {
	leaves := []uint8{1, 1}
	for range r.IntN(syms - 1) {
		i := r.IntN(len(leaves))
		if r.IntN(2) == 0 {
			i = len(leaves) - 1
		}
		if leaves[i] < maxLen {
			leaves[i]++
			leaves = append(leaves, leaves[i])
		}
	}
	lens := make([]uint8, syms)
	for i, sym := range r.Perm(syms)[:len(leaves)] {
		lens[sym] = leaves[i]
	}
	return lens
}

// The table and the plain decoder agree on every bit pattern, for tables of each kind that the codecs use.
func TestBuild(t *testing.T) {
	var b Builder
	for _, c := range []struct {
		name             string
		syms             int
		rootBits, maxLen uint
	}{
		{"XPRESS", 512, 11, 15}, {"LZX main", 656, 11, 16}, {"LZX length", 256, 10, 16}, {"LZX pre-code", 24, 6, 15}, {"LZX aligned", 8, 7, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			templates := make([]uint32, c.syms)
			for i := range templates {
				templates[i] = uint32(i) << 8
			}
			for seed := range uint64(60) {
				lens := spread(rand.New(rand.NewPCG(seed, 3)), c.syms, uint8(c.maxLen))
				code, err := NewCode(lens)
				if err != nil {
					t.Fatal(err)
				}
				const sentinel = 0xDEADBEEF
				table := make([]uint32, TableSize(c.syms, c.rootBits, c.maxLen)+1)
				table[len(table)-1] = sentinel
				if got := b.Build(table[:len(table)-1], lens, templates, c.rootBits, c.maxLen); got != Complete {
					t.Fatalf("seed %d: got shape %d", seed, got)
				}
				if table[len(table)-1] != sentinel {
					t.Fatalf("seed %d: wrote after the table", seed)
				}
				for pattern := range uint32(1) << c.maxLen {
					e := table[pattern>>(c.maxLen-c.rootBits)]
					if e&Link != 0 {
						e = table[e&^Link>>LinkShift+pattern&(1<<(c.maxLen-c.rootBits)-1)]
					}
					taken := uint(0)
					want, err := code.Symbol(func() (uint32, error) {
						taken++
						return pattern >> (c.maxLen - taken) & 1, nil
					})
					if err != nil {
						t.Fatal(err)
					}
					if e>>8 != uint32(want) || uint(e&LenMask) != taken {
						t.Fatalf("seed %d, bits %b: got symbol %d of %d bits, want %d of %d", seed, pattern, e>>8, e&LenMask, want, taken)
					}
				}
			}
		})
	}
}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		name string
		lens [8]uint8
		want Shape
		err  error
	}{
		{"empty", [8]uint8{}, Empty, nil},
		{"one code of one bit", [8]uint8{0, 1}, Incomplete, ErrIncomplete},
		{"two of one bit", [8]uint8{1, 0, 1}, Complete, nil},
		{"three of one bit", [8]uint8{1, 1, 1}, Overfull, ErrOverfull},
		{"all of three bits", [8]uint8{3, 3, 3, 3, 3, 3, 3, 3}, Complete, nil},
		{"seven of three bits", [8]uint8{3, 3, 3, 3, 3, 3, 3}, Incomplete, ErrIncomplete},
		{"one to seven bits", [8]uint8{1, 2, 3, 4, 5, 6, 7, 7}, Complete, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ShapeOf(c.lens[:]); got != c.want {
				t.Errorf("ShapeOf: got %d, want %d", got, c.want)
			}
			if _, err := NewCode(c.lens[:]); err != c.err {
				t.Errorf("NewCode: got error %v, want %v", err, c.err)
			}
			var b Builder
			table := make([]uint32, TableSize(8, 7, 7))
			if got := b.Build(table, c.lens[:], make([]uint32, 8), 7, 7); got != c.want {
				t.Errorf("Build: got %d, want %d", got, c.want)
			}
			if c.want == Empty {
				for i, e := range table {
					if e != None {
						t.Fatalf("entry %d of an empty code is %#x", i, e)
					}
				}
			}
		})
	}
}

func TestEmptyCode(t *testing.T) {
	code, err := NewCode(make([]uint8, 8))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := code.Symbol(func() (uint32, error) { return 0, nil }); err != ErrEmpty {
		t.Errorf("got %v, want ErrEmpty", err)
	}
	end := errors.New("end")
	code, err = NewCode([]uint8{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := code.Symbol(func() (uint32, error) { return 0, end }); err != end {
		t.Errorf("got %v, want the reader's error", err)
	}
}

func BenchmarkBuild(b *testing.B) {
	var builder Builder
	lens := spread(rand.New(rand.NewPCG(1, 3)), 512, 15)
	templates := make([]uint32, 512)
	table := make([]uint32, TableSize(512, 11, 15))
	b.ReportAllocs()
	for b.Loop() {
		builder.Build(table, lens, templates, 11, 15)
	}
}
