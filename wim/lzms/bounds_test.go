package lzms

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"testing"

	"wimscope/wim/wimtest"
)

// fenced runs the decoders on memory beside an inaccessible page, so that an access one byte out of bounds, which unsafe code
// would otherwise make unnoticed, faults.
type fenced struct {
	srcEnd, srcStart, dstEnd, dstStart []byte
	d                                  *Decoder
}

func newFenced(t *testing.T) *fenced {
	t.Helper()
	debug.SetPanicOnFault(true)
	const most = 1 << 17
	return &fenced{
		srcEnd: wimtest.Fenced(t, most, true), srcStart: wimtest.Fenced(t, most, false),
		dstEnd: wimtest.Fenced(t, most, true), dstStart: wimtest.Fenced(t, most, false), d: NewDecoder(),
	}
}

// decode checks that all decoders do the same, and returns the error of the plain one.
func (f *fenced) decode(t *testing.T, what string, size int, src []byte) error {
	t.Helper()
	end, start := f.srcEnd[len(f.srcEnd)-len(src):], f.srcStart[:len(src):len(src)]
	copy(end, src)
	copy(start, src)
	plain := f.dstEnd[len(f.dstEnd)-size:]
	clear(plain)
	err := DecodePlain(plain, end, nil)
	want := bytes.Clone(plain)
	for i, dst := range [][]byte{plain, f.dstStart[:size:size]} {
		clear(dst)
		in := [][]byte{end, start}[i]
		ferr := f.d.Decode(dst, in)
		cerr := f.d.Check(size, in)
		if (ferr == nil) != (err == nil) || (cerr == nil) != (err == nil) {
			t.Fatalf("%s: fast decoder: %v; plain: %v; check: %v", what, ferr, err, cerr)
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
	for _, c := range chunks {
		src := readChunk(t, c.name)
		if err := f.decode(t, c.name, c.size, src); err != nil {
			t.Error(err)
		}
	}
	rnd := rand.New(rand.NewPCG(21, 22))
	for round := range 100 {
		size := 1 + rnd.IntN(3000)
		src := randomItems(rnd, size, round%2 == 1)
		f.decode(t, fmt.Sprintf("round %d", round), size, src)
		for i := range 6 {
			bad, n := bytes.Clone(src), size
			switch i % 3 {
			case 0:
				bad = bad[:len(bad)-min(2*rnd.IntN(40), len(bad))]
			case 1:
				n = max(1, n+rnd.IntN(9)-4)
			}
			if i > 2 && len(bad) > 0 {
				bad[rnd.IntN(len(bad))] ^= 1 << rnd.IntN(8)
			}
			f.decode(t, fmt.Sprintf("round %d, damage %d", round, i), n, bad)
		}
		// Cut at each unit of either stream near where they meet.
		for cut := 2; cut <= min(24, len(src)-4); cut += 2 {
			f.decode(t, fmt.Sprintf("round %d, end cut by %d", round, cut), size, src[:len(src)-cut])
			f.decode(t, fmt.Sprintf("round %d, start cut by %d", round, cut), size, src[cut:])
		}
	}
}

// TestMatchBounds: a match may reach back to the first byte of a chunk and end with its last, but not one byte further, both near
// the end, where the hot loop leaves matches to farMatch, and before it.
func TestMatchBounds(t *testing.T) {
	f := newFenced(t)
	try := func(before, length, after, over int, want error, what string, match func(s *script)) {
		t.Helper()
		size := before + length + after - over
		if size <= before {
			return // the chunk would end before the match
		}
		s := newScript(size)
		for i := range before {
			s.literal(byte(i))
		}
		match(s)
		for range after {
			s.literal('z')
		}
		what = fmt.Sprintf("%d literals, %d bytes of %s, %d literals; chunk too small by %d", before, length, what, after, over)
		if err := f.decode(t, what, size, s.packed()); !errors.Is(err, want) || err != nil && want == nil {
			t.Fatalf("%s: %v, want %v", what, err, want)
		}
	}
	for _, before := range []int{4, 5, 8, 9, 30, 100} {
		for _, after := range []int{0, 1, 31, 32, 33, 90} {
			for _, length := range []int{1, 2, 7, 8, 9, 16, 17, 31, 32, 33, 70} {
				for _, c := range []struct {
					dist, over int
					want       error
				}{
					{before, 0, nil}, {before + 1, 0, errOffset}, {before + 2, 0, errOffset},
					{1, 0, nil}, {before, after + 1, errLength}, {1, after + 1, errLength}, {1, after + 8, errLength},
				} {
					// An offset of a slot that a chunk of this size does not have cannot be written.
					if c.dist <= before+length+after-c.over-1 {
						try(before, length, after, c.over, c.want, fmt.Sprintf("an LZ match from %d back", c.dist), func(s *script) { s.lz(c.dist, 0, length) })
					}
				}
				for power := range 4 {
					span := 1 << power
					most := (before - span) >> power // the largest raw offset
					if most < 1 {
						continue
					}
					for _, c := range []struct {
						raw, over int
						want      error
					}{
						{most, 0, nil}, {most + 1, 0, errOffset}, {1, 0, nil}, {1, after + 1, errLength}, {most, after + 1, errLength},
					} {
						try(before, length, after, c.over, c.want, fmt.Sprintf("a delta match, span %d, from %d back", span, c.raw<<power), func(s *script) { s.delta(power, c.raw, 0, length) })
					}
				}
			}
		}
	}
}
