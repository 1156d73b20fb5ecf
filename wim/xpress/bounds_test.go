package xpress

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"runtime/debug"
	"testing"

	"wimscope/wim/internal/codectest"
	"wimscope/wim/wimtest"
)

// fenced runs the decoders on memory beside an inaccessible page, so that an access one byte out of bounds, which unsafe code
// would otherwise make unnoticed, faults.
type fenced struct {
	src, dstEnd, dstStart []byte
	d                     *Decoder
}

func newFenced(t *testing.T) *fenced {
	t.Helper()
	debug.SetPanicOnFault(true)
	return &fenced{
		src: wimtest.Fenced(t, 2*maxChunk, true), dstEnd: wimtest.Fenced(t, maxChunk, true), dstStart: wimtest.Fenced(t, maxChunk, false),
		d: NewDecoder(),
	}
}

// decode checks that both decoders do the same, and returns the error of the plain one.
func (f *fenced) decode(t *testing.T, what string, size int, src []byte) error {
	t.Helper()
	in := f.src[len(f.src)-len(src):]
	copy(in, src)
	plain := f.dstEnd[len(f.dstEnd)-size:]
	clear(plain)
	err := DecodePlain(plain, in, nil)
	want := bytes.Clone(plain)
	for _, dst := range [][]byte{plain, f.dstStart[:size:size]} {
		clear(dst)
		if fast := f.d.decode(dst, in); fast != (err == nil) {
			t.Fatalf("%s: fast decoder: success %v; plain: %v", what, fast, err)
		}
		if err == nil && !bytes.Equal(dst, want) {
			t.Fatalf("%s: the decoders give different bytes", what)
		}
	}
	return err
}

// TestFenced: no decoder reads or writes outside its slices, whatever the chunk holds.
func TestFenced(t *testing.T) {
	f := newFenced(t)
	for _, c := range loadVectors(t) {
		src, size, err := assemble(c)
		if err != nil {
			t.Fatal(err)
		}
		f.decode(t, c.Name, size, src)
	}
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 3))
		src, want := encode(r, 1+r.IntN(3000))
		if len(want) == 0 {
			continue
		}
		f.decode(t, fmt.Sprintf("seed %d", seed), len(want), src)
		for i := range 9 {
			bad, size := bytes.Clone(src), len(want)
			switch i % 3 {
			case 0:
				bad = bad[:tableSize+r.IntN(len(bad)-tableSize)]
			case 1:
				size = max(1, size+r.IntN(9)-4)
			}
			if i > 2 && len(bad) > tableSize {
				bad[tableSize+r.IntN(len(bad)-tableSize)] ^= 1 << r.IntN(8)
			}
			f.decode(t, fmt.Sprintf("seed %d, damage %d", seed, i), size, bad)
		}
		// Cut at each byte near the end, where the careful loop takes over.
		for cut := 1; cut <= min(30, len(src)); cut++ {
			f.decode(t, fmt.Sprintf("seed %d, cut by %d", seed, cut), len(want), src[:len(src)-cut])
		}
	}
}

// TestTrailing: bytes behind the last token of a small chunk do not mislead the fast loop.
func TestTrailing(t *testing.T) {
	f := newFenced(t)
	for before := 1; before < 50; before++ {
		for _, length := range []int{3, 9, 17, 20} {
			src := append(matchChunk(before, before, length, 2), bytes.Repeat([]byte{0x5a}, 50)...)
			for size := before + 1; size <= before+length+2; size++ {
				f.decode(t, fmt.Sprintf("%d literals, %d bytes; %d of them", before, length, size), size, src)
			}
		}
	}
}

// TestMatchBounds: a match may begin with the first byte of a chunk and end with its last, but not one byte further, wherever
// it is: at the head, where the fast loop does not run yet, in the middle, and at the tail.
func TestMatchBounds(t *testing.T) {
	f := newFenced(t)
	// A chunk one byte larger than allowed, with all its data.
	src := matchChunk(1, 1, maxChunk, 0)
	if err := f.d.Decode(make([]byte, maxChunk+1), src); !errors.Is(err, errChunkSize) || f.d.decode(make([]byte, maxChunk+1), src) {
		t.Errorf("a chunk of %d bytes: %v", maxChunk+1, err)
	}
	for _, before := range []int{1, 2, 3, 7, 8, 9, 10, 15, 16, 31, 100} {
		// Five and six: a match of 17 bytes, for which the fast loop writes 24, is then at the limit where the loop still runs.
		for _, after := range []int{0, 1, 2, 5, 6, 7, 8, 9, 23, 24, 31, 32, 33, 90} {
			for _, length := range []int{3, 4, 17, 18, 19, 25, 40, 47, 270, 272, 273, 274, 300} {
				for _, c := range []struct {
					dist, over int
					want       error
				}{
					{before, 0, nil}, {before + 1, 0, errDistance}, {before + 2, 0, errDistance}, {before + 300, 0, errDistance},
					{1, 0, nil}, {before, after + 1, errLength}, {1, after + 1, errLength}, {1, after + 9, errLength},
				} {
					what := fmt.Sprintf("%d literals, %d bytes from %d back, %d literals; chunk too small by %d", before, length, c.dist, after, c.over)
					size := before + length + after - c.over
					if size <= before {
						continue // the chunk would end before the match
					}
					src := matchChunk(before, c.dist, length, after)
					// With bytes behind the last token, the fast loop runs to the end.
					for _, src := range [][]byte{src, append(src, bytes.Repeat([]byte{0x5a}, 40)...)} {
						if err := f.decode(t, what, size, src); !errors.Is(err, c.want) || err != nil && c.want == nil {
							t.Fatalf("%s: %v, want %v", what, err, c.want)
						}
					}
				}
			}
		}
	}
}

// matchChunk returns a packed chunk of literals with one match between them.
func matchChunk(before, dist, length, after int) []byte {
	distBits := bits.Len(uint(dist)) - 1
	low := min(length-minMatch, longLength)
	sym := 256 + distBits<<4 + low
	var lens [numSyms]uint8
	lens['a'], lens['b'], lens[sym] = 1, 2, 2
	codes := codectest.Codes(lens[:])
	var w codectest.Writer
	for i := 0; i < numSyms; i += 2 {
		w.Bytes(lens[i] | lens[i+1]<<4)
	}
	w.Fetch(32)
	put := func(sym int) {
		w.Bits(codes[sym], int(lens[sym]))
		w.Fetch(16)
	}
	for range before {
		put('a')
	}
	put(sym)
	if low == longLength {
		if more := length - longLength - minMatch; more < hugeLength {
			w.Bytes(byte(more))
		} else {
			w.Bytes(hugeLength, byte(length-minMatch), byte((length-minMatch)>>8))
		}
	}
	w.Bits(uint32(dist-1<<distBits), distBits)
	w.Fetch(16)
	for range after {
		put('a')
	}
	return w.Buf
}
