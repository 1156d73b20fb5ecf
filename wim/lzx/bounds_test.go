package lzx

import (
	"bytes"
	"errors"
	"fmt"
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

func newFenced(t *testing.T, window int) *fenced {
	t.Helper()
	debug.SetPanicOnFault(true)
	f := &fenced{
		src: wimtest.Fenced(t, 8*window, true), dstEnd: wimtest.Fenced(t, window, true), dstStart: wimtest.Fenced(t, window, false),
		d: newDecoder(t, window),
	}
	f.d.s.rev = wimtest.Fenced(t, 8*window+padding, false)
	return f
}

// decode checks that both decoders do the same, and returns the output and the error of the plain one.
func (f *fenced) decode(t *testing.T, what string, size int, src []byte) ([]byte, error) {
	t.Helper()
	in := f.src[len(f.src)-len(src):]
	copy(in, src)
	plain := f.dstEnd[len(f.dstEnd)-size:]
	clear(plain)
	err := DecodePlain(plain, in, f.d.window, nil)
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
	return want, err
}

// TestFenced: no decoder reads or writes outside its slices, whatever the chunk holds.
func TestFenced(t *testing.T) {
	for _, c := range loadVectors(t) {
		src, size, window, err := assemble(c)
		if err != nil {
			t.Fatal(err)
		}
		newFenced(t, window).decode(t, c.Name, size, src)
	}
	f := newFenced(t, minWindow)
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		src, want := encode(r, minWindow, 1+r.IntN(3000))
		f.decode(t, fmt.Sprintf("seed %d", seed), len(want), src)
		for i := range 6 {
			bad, size := bytes.Clone(src), len(want)
			switch i % 3 {
			case 0:
				bad = bad[:r.IntN(len(bad))]
			case 1:
				size = max(1, size+r.IntN(9)-4)
			}
			if i > 0 && len(bad) > 0 {
				bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			}
			f.decode(t, fmt.Sprintf("seed %d, damage %d", seed, i), size, bad)
		}
		// Cut at each byte near the end: missing bits read as zeros until the decoder checks.
		for cut := 1; cut <= min(6, len(src)); cut++ {
			f.decode(t, fmt.Sprintf("seed %d, cut by %d", seed, cut), len(want), src[:len(src)-cut])
		}
	}
}

// aMatch describes a chunk with one match in it.
type aMatch struct {
	before int // literals before it
	dist   int
	length int
	after  int // literals after it
	over   int // bytes by which the block and the chunk are longer than their tokens; below 0: shorter
	recent bool
	kind   uint32
}

// packed returns the packed chunk. If the distance is a recent one, the match is in a second block.
func (m aMatch) packed(window int) (src []byte, size int) {
	w := writer{window: window}
	if m.recent {
		w.block(blockRaw, m.before)
		w.recents([3]uint32{uint32(m.dist), 1, 1})
		w.Bytes(bytes.Repeat([]byte{'a'}, m.before)...)
		if m.before%2 == 1 {
			w.Bytes(0)
		}
	}
	size = m.length + m.after + m.over
	if !m.recent {
		size += m.before
	}
	w.block(m.kind, size)
	if m.kind == blockAligned {
		w.aligned([]uint8{3, 3, 3, 3, 3, 3, 3, 3})
	}
	slot := 0
	if !m.recent {
		for slot = numRecent; m.dist+2 >= slotBase(slot+1); slot++ {
		}
	}
	header := min(m.length-minMatch, longHeader)
	var lens [maxMain]uint8
	lens['a'], lens['b'] = 1, 2
	sym := numChars + slot*numHeaders + header
	lens[sym] = 2
	numMain := numChars + numSlots(window)*numHeaders
	w.change(w.main[:numChars], lens[:numChars])
	w.change(w.main[numChars:numMain], lens[numChars:numMain])
	w.mainCodes = codectest.Codes(w.main[:numMain])
	var lengths [numLengths]uint8
	lengths[0], lengths[1] = 1, 1
	if header == longHeader {
		more := m.length - longHeader - minMatch
		lengths = [numLengths]uint8{}
		lengths[more], lengths[(more+1)%numLengths] = 1, 1
	}
	w.change(w.length[:], lengths[:])
	w.lenCodes = codectest.Codes(lengths[:])
	if !m.recent {
		for range m.before {
			w.sym('a')
		}
	}
	w.sym(sym)
	if header == longHeader {
		w.len(m.length - longHeader - minMatch)
	}
	if slot >= numRecent {
		v, extra := uint32(m.dist+2-slotBase(slot)), int(slotBits(slot))
		if m.kind == blockAligned && extra >= alignedFrom {
			w.Bits(v>>3, extra-3)
			w.lowSym(int(v & 7))
		} else {
			w.Bits(v, extra)
		}
	}
	for range m.after {
		w.sym('a')
	}
	if m.recent {
		size += m.before
	}
	return w.Buf, size
}

// TestMatchBounds: a match may begin with the first byte of a chunk and end with the last byte of a block, but not one byte
// further, wherever it is: at the head, where the fast loop does not run yet, in the middle, and at the tail.
func TestMatchBounds(t *testing.T) {
	f := newFenced(t, minWindow)
	for _, before := range []int{1, 2, 7, 8, 9, 10, 17, 60} {
		for _, after := range []int{0, 1, 7, 8, 9, 23, 24, 25, 70} {
			for _, length := range []int{2, 8, 9, 16, 17, 25} {
				for form := range 3 {
					for _, c := range []struct {
						dist, over int
						want       error
					}{
						{before, 0, nil}, {before + 1, 0, errDistance}, {before + 2, 0, errDistance}, {before + 300, 0, errDistance},
						{1, 0, nil}, {before, -after - 1, errLength}, {1, -after - 1, errLength},
					} {
						m := aMatch{before: before, dist: c.dist, length: length, after: after, over: c.over, kind: blockVerbatim}
						switch form {
						case 1:
							m.kind = blockAligned
						case 2:
							m.recent = true
						}
						what := fmt.Sprintf("%+v", m)
						src, size := m.packed(minWindow)
						if m.over < 0 { // the chunk goes on after the block: only the block is exceeded
							size += 100
						}
						_, err := f.decode(t, what, size, src)
						if !errors.Is(err, c.want) || err != nil && c.want == nil {
							t.Fatalf("%s: %v, want %v", what, err, c.want)
						}
						if m.over < 0 {
							size -= 100 // now the chunk is exceeded too
							if _, err := f.decode(t, what, size, src); !errors.Is(err, c.want) {
								t.Fatalf("%s, at the chunk's end: %v, want %v", what, err, c.want)
							}
						}
					}
				}
			}
		}
	}
}

// TestMatchPastBlock: a match one byte past the end of its block is refused, even if the next block would fit.
func TestMatchPastBlock(t *testing.T) {
	f := newFenced(t, minWindow)
	for _, before := range []int{1, 8, 40} {
		m := aMatch{before: before, dist: 1, length: 20, over: -1, kind: blockVerbatim}
		src, size := m.packed(minWindow)
		next := writer{window: minWindow}
		next.block(blockRaw, 99)
		next.recents([3]uint32{1, 1, 1})
		next.Bytes(bytes.Repeat([]byte{'n'}, 100)...)
		// Its header begins where the first block's bits end, so try every bit of the last two units.
		bits := func(b []byte, i int) byte { return b[i/16*2+1-i%16/8] >> (7 - i%8) & 1 }
		for at := len(src)*8 - 32; at <= len(src)*8; at++ {
			w := codectest.Writer{}
			for i := range at {
				w.Bits(uint32(bits(src, i)), 1)
			}
			for i := range 20 {
				w.Bits(uint32(bits(next.Buf, i)), 1)
			}
			w.Align()
			w.Bytes(next.Buf[4:]...)
			if _, err := f.decode(t, fmt.Sprintf("next block at bit %d", at), size+1+99, w.Buf); err == nil {
				t.Fatalf("%+v is accepted", m)
			}
		}
	}
}

// TestFarRecent: recent distances of a raw block that are larger than any window cannot be used, and do not change the others.
func TestFarRecent(t *testing.T) {
	f := newFenced(t, minWindow)
	for _, c := range []struct {
		recent uint32
		slot   int
		want   error
	}{
		{2, 0, nil}, {recentMask, 0, errDistance}, {recentMask + 1, 0, errDistance}, {1<<22 + 5, 0, errDistance}, {1<<32 - 1, 0, errDistance},
		{recentMask, 1, nil}, {recentMask + 1, 1, nil}, {1<<22 + 5, 1, nil}, {1<<32 - 1, 1, nil},
	} {
		for _, before := range []int{8, 100} {
			w := writer{window: minWindow}
			w.block(blockRaw, before)
			w.recents([3]uint32{c.recent, 4, 2})
			w.Bytes(bytes.Repeat([]byte("abcd"), before/4)...)
			w.block(blockVerbatim, 100)
			lens := make([]uint8, maxMain)
			lens['a'], lens['b'], lens[numChars+c.slot*numHeaders] = 1, 2, 2
			numMain := numChars + numSlots(minWindow)*numHeaders
			w.change(w.main[:numChars], lens[:numChars])
			w.change(w.main[numChars:numMain], lens[numChars:numMain])
			w.mainCodes = codectest.Codes(w.main[:numMain])
			w.change(w.length[:], make([]uint8, numLengths))
			w.sym(numChars + c.slot*numHeaders)
			for range 98 {
				w.sym('a')
			}
			if _, err := f.decode(t, fmt.Sprintf("%+v after %d bytes", c, before), before+100, w.Buf); !errors.Is(err, c.want) || err != nil && c.want == nil {
				t.Errorf("%+v after %d bytes: %v", c, before, err)
			}
		}
	}
}

// TestBlockBounds: a block may fill the rest of the chunk, a raw block may use all bytes that are left, and a run of code lengths
// may end its table. None of them may go one further.
func TestBlockBounds(t *testing.T) {
	f := newFenced(t, minWindow)
	for size := 1; size < 80; size++ {
		for over := -1; over <= 1; over++ {
			w := writer{window: minWindow}
			w.block(blockRaw, size)
			w.recents([3]uint32{1, 1, 1})
			w.Bytes(bytes.Repeat([]byte{'r'}, size)...)
			_, err := f.decode(t, "raw block", size-over, w.Buf)
			if size-over > 0 && (over == 0) != (err == nil) {
				t.Fatalf("a block of %d in a chunk of %d: %v", size, size-over, err)
			}
			if _, err := f.decode(t, "raw block cut", size, w.Buf[:len(w.Buf)-1]); err == nil {
				t.Fatalf("a raw block of %[2]d bytes decodes from %[1]d", size-1, size)
			}
		}
	}
	// A chunk one byte larger than the window, with all its data, and an empty block.
	w := writer{window: minWindow}
	w.block(blockRaw, minWindow+1)
	w.recents([3]uint32{1, 1, 1})
	w.Bytes(make([]byte, minWindow+2)...)
	if err := f.d.Decode(make([]byte, minWindow+1), w.Buf); !errors.Is(err, errChunkSize) || f.d.decode(make([]byte, minWindow+1), w.Buf) {
		t.Errorf("a chunk larger than the window: %v", err)
	}
	w = writer{window: minWindow}
	for _, size := range []int{0, 20} {
		w.block(blockRaw, size)
		w.recents([3]uint32{1, 1, 1})
		w.Bytes(make([]byte, size)...)
	}
	if _, err := f.decode(t, "empty block", 20, w.Buf); !errors.Is(err, errBlockSize) {
		t.Errorf("an empty block: %v", err)
	}
	// Three tables of code lengths, each ended by a run of zeros that just fits or is one too long.
	for table := range 3 {
		for _, over := range []int{0, 1, 2} {
			for _, run := range []int{4, 19, 20, 51} {
				src := runsAt(table, run, over)
				_, err := f.decode(t, "run", 4, src)
				if got := errors.Is(err, errRun); got != (over > 0) {
					t.Fatalf("a run of %d that ends %d past table %d: %v", run, over, table, err)
				}
			}
		}
	}
}

// runsAt returns a chunk in which one table of code lengths ends in a run of zeros that exceeds the table by over.
func runsAt(table, run, over int) []byte {
	w := writer{window: minWindow}
	w.block(blockVerbatim, 4)
	numMain := numChars + numSlots(minWindow)*numHeaders
	var lens [maxMain]uint8
	lens['a'], lens['b'] = 1, 1
	for i, part := range [][]uint8{lens[:numChars], lens[numChars:numMain], make([]uint8, numLengths)} {
		if i != table {
			w.change(make([]uint8, len(part)), part)
			continue
		}
		var pre [numPre]uint8
		for s := range pre {
			pre[s] = 4
			if s >= 12 {
				pre[s] = 5
			}
			w.Bits(uint32(pre[s]), 4)
		}
		codes := codectest.Codes(pre[:])
		for _, l := range part[:len(part)-run+over] {
			delta := (17 - int(l)) % 17
			w.Bits(codes[delta], int(pre[delta]))
		}
		sym, least, extra := preRun, 4, 4
		if run >= 20 {
			sym, least, extra = preRunLong, 20, 5
		}
		w.Bits(codes[sym], int(pre[sym]))
		w.Bits(uint32(run-least), extra)
	}
	w.mainCodes = codectest.Codes(lens[:numMain])
	copy(w.main[:], lens[:numMain])
	for range 4 {
		w.sym('a')
	}
	w.Bits(0, 16)
	return w.Buf
}

// TestRunDelta: after a run of equal lengths (19) comes a change of length, not another run.
func TestRunDelta(t *testing.T) {
	f := newFenced(t, minWindow)
	for sym := range numPre {
		w := writer{window: minWindow}
		w.block(blockVerbatim, 4)
		var pre [numPre]uint8
		for s := range pre {
			pre[s] = 4
			if s >= 12 {
				pre[s] = 5
			}
			w.Bits(uint32(pre[s]), 4)
		}
		codes := codectest.Codes(pre[:])
		put := func(sym int) { w.Bits(codes[sym], int(pre[sym])) }
		// Four symbols of one length, by a run, and two of length 1, which are a complete code if those four have none.
		put(preSame)
		w.Bits(0, 1)
		put(sym)
		put(16)
		put(16)
		for range numChars - 6 {
			put(0)
		}
		numMain := numChars + numSlots(minWindow)*numHeaders
		w.change(make([]uint8, numMain-numChars), make([]uint8, numMain-numChars))
		w.change(make([]uint8, numLengths), make([]uint8, numLengths))
		w.Bits(0, 16)
		want := errRunDelta
		if sym < preRun {
			want = nil
		}
		if _, err := f.decode(t, fmt.Sprintf("change %d", sym), 4, w.Buf); want != nil && !errors.Is(err, want) || (err == nil) != (sym == 0) {
			t.Errorf("a run of change %d: %v", sym, err)
		}
	}
}
