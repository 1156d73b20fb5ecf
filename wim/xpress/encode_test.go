package xpress

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

// pack packs src with room to spare. It checks that the decoders return src, that only dst[:n] was written, that the end symbol
// follows, and what happens when dst is just large enough or slightly too small.
func pack(t *testing.T, e *Encoder, src []byte) []byte {
	t.Helper()
	before := bytes.Clone(src)
	dst, check := guarded(t, 2*len(src)+tableSize+100)
	n := e.Encode(dst, src)
	check()
	if !bytes.Equal(src, before) {
		t.Fatal("src was changed")
	}
	for i, b := range dst[n:] {
		if b != guard {
			t.Fatalf("wrote byte %d after the packed chunk", i+1)
		}
	}
	if len(src) == 0 {
		if n != 0 {
			t.Fatalf("got %d bytes for an empty chunk", n)
		}
		return nil
	}
	packed := bytes.Clone(dst[:n])
	back, check := guarded(t, len(src))
	if !NewDecoder().decode(back, packed) || !bytes.Equal(back, src) {
		t.Fatalf("the decoder does not return src: %v", DecodePlain(back, packed, nil))
	}
	check()

	// The end symbol reads as one more match, of distance 1 and length 3, if the chunk is not too long for that.
	var last Token
	more := min(minMatch, maxChunk-len(src))
	if more < minMatch {
		more = 0
	}
	back = make([]byte, len(src)+more)
	if err := DecodePlain(back, packed, func(k Token) { last = k }); err != nil || more > 0 && (last.Symbol != endSymbol || last.Out != len(src)) {
		t.Fatalf("no end symbol: %v, last %+v", err, last)
	}
	if !bytes.Equal(back[:len(src)], src) {
		t.Fatal("the plain decoder does not return src")
	}

	just, check := guarded(t, n)
	if got := e.Encode(just, src); got != n || !bytes.Equal(just, packed) {
		t.Fatalf("into %d bytes: got %d, or other bytes", n, got)
	}
	check()
	for _, room := range []int{n - 1, n - 2, tableSize, 1, 0} {
		tight, check := guarded(t, room)
		if got := e.Encode(tight, src); got != 0 {
			t.Fatalf("%d bytes fit into %d", got, room)
		}
		check()
		for _, b := range tight {
			if b != guard {
				t.Fatal("wrote a chunk that does not fit")
			}
		}
	}
	return packed
}

// inputs returns chunks of many kinds and of sizes up to limit bytes.
func inputs(limit int) map[string][]byte {
	r := rand.New(rand.NewPCG(3, 1))
	in := map[string][]byte{}
	for kind, name := range []string{"text", "noise", "one value", "program", "table", "mixed"} {
		for _, n := range []int{0, 1, 2, 3, 4, 5, 17, 300, 4097, limit - 1, limit} {
			if n <= limit {
				in[fmt.Sprintf("%s/%d", name, n)] = wimtest.Content(kind).Make(r, n)
			}
		}
	}
	letters := func(n, of int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.IntN(of))
		}
		return b
	}
	in["two letters"] = letters(limit, 2)
	in["three letters"] = letters(limit, 3)
	in["each byte once"] = letters(0, 1)
	for i := range 256 {
		in["each byte once"] = append(in["each byte once"], byte(i))
	}
	sparse := make([]byte, limit)
	for range limit / 200 {
		sparse[r.IntN(limit)] = byte(r.Uint32())
	}
	in["sparse"] = sparse
	skewed := letters(limit, 1)
	for i := range skewed {
		for r.IntN(2) == 0 && skewed[i] < 40 {
			skewed[i]++ // an unlimited code would have more than 15 bits
		}
	}
	in["skewed"] = skewed
	in["far"] = slices.Concat([]byte("the first bytes"), letters(limit-30, 256), []byte("the first bytes"))
	return in
}

func TestEncode(t *testing.T) {
	for level := 1; level <= 3; level++ {
		for _, size := range []int{4096, 32768, maxChunk} {
			e := NewEncoder(size, level)
			for name, src := range inputs(size) {
				if len(src) > size {
					continue
				}
				t.Run(fmt.Sprintf("level %d/%d/%s", level, size, name), func(t *testing.T) {
					packed := pack(t, e, src)
					// A fresh Encoder packs it alike.
					dst := make([]byte, len(packed))
					if n := NewEncoder(size, level).Encode(dst, src); n != len(packed) || !bytes.Equal(dst, packed) {
						t.Error("a fresh Encoder packs it differently")
					}
				})
			}
		}
	}
}

// TestEncodeRandom: packed chunks unpack to the same bytes. Chunks have any size, and parts of any kind, some of which are
// copies of earlier parts. make campaign runs a hundred thousand at each level.
func TestEncodeRandom(t *testing.T) {
	rounds := 200
	switch {
	case os.Getenv("WIMSCOPE_CAMPAIGN") == "":
	case runtime.GOOS == "js":
		rounds = 10_000
	default:
		rounds = 100_000
	}
	level, round := 1, 0
	defer func() {
		if t.Failed() {
			t.Logf("at level %d, round %d", level, round)
		}
	}()
	d := NewDecoder()
	dst, back := make([]byte, maxChunk), make([]byte, maxChunk)
	for ; level <= 3; level++ {
		var encoders [5]*Encoder
		for i := range encoders {
			encoders[i] = NewEncoder(4096<<i, level)
		}
		for round = range rounds {
			r := rand.New(rand.NewPCG(uint64(round), uint64(level)))
			order := r.IntN(len(encoders))
			src := randomPlain(r, 4096<<order)
			e := encoders[order]
			if round%10 == 0 {
				pack(t, e, src)
				continue
			}
			n := e.Encode(dst[:len(src)-1], src)
			if n == 0 {
				continue // stored, not packed
			}
			if back := back[:len(src)]; !d.decode(back, dst[:n]) || !bytes.Equal(back, src) {
				t.Fatalf("%d bytes, packed into %d, unpack to other bytes: %v", len(src), n, DecodePlain(back, dst[:n], nil))
			}
		}
	}
}

// randomPlain returns a chunk, mostly a small one, of at most limit bytes.
func randomPlain(r *rand.Rand, limit int) []byte {
	n := 1 + r.IntN(min(2<<r.IntN(15), limit))
	if r.IntN(20) == 0 {
		n = limit - r.IntN(3)
	}
	var b []byte
	for len(b) < n {
		piece := min(1+r.IntN(1<<r.IntN(14)), n-len(b))
		if len(b) > 0 && r.IntN(2) == 0 {
			from := r.IntN(len(b))
			b = append(b, b[from:min(from+piece, len(b))]...)
			continue
		}
		b = append(b, wimtest.Content(r.IntN(6)).Make(r, piece)...)
	}
	return b
}

// Matches of each length up to the 16-bit lengths, and around the longest.
func TestEncodeLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	noise := wimtest.Noise.Make(r, 600)
	for level := 1; level <= 3; level++ {
		e := NewEncoder(maxChunk, level)
		lengths := []int{1000, 32767, 32768, 65534, 65535}
		for n := minMatch; n < 300; n++ {
			lengths = append(lengths, n)
		}
		for _, n := range lengths {
			packed := pack(t, e, bytes.Repeat([]byte{7}, n+1))
			var got []string
			if err := DecodePlain(make([]byte, n+1), packed, func(k Token) {
				got = append(got, fmt.Sprintf("%d:%d", k.Length, k.Distance))
			}); err != nil {
				t.Fatal(err)
			}
			// The finders need four bytes of data. Level 3 may take two matches that cost no more than one.
			if want := fmt.Sprintf("0:0 1:0 %d:1", n); n > 3 && level < 3 && strings.Join(got, " ") != want {
				t.Errorf("level %d: run of %d: got %v, want %s", level, n+1, got, want)
			}
			// Length bytes between other bits: two repeats in noise.
			if n <= 300 {
				pack(t, e, slices.Concat(noise[:n], noise[:n], noise[300:400], noise[:n], noise[400:]))
			}
		}
	}
}

// Distances around each power of two, and the farthest.
func TestEncodeDistances(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	mark := []byte("a mark of some length")
	for level := 1; level <= 3; level++ {
		e := NewEncoder(maxChunk, level)
		for _, dist := range []int{len(mark), 31, 32, 33, 255, 256, 257, 4095, 4096, 32767, 32768, 32769, 65000, maxChunk - len(mark)} {
			for name, between := range map[string][]byte{"noise": wimtest.Noise.Make(r, dist-len(mark)), "zeros": make([]byte, dist-len(mark))} {
				if level == 1 && name == "noise" && dist > 32000 {
					continue // its table does not reach that far
				}
				src := slices.Concat(mark, between, mark)
				packed := pack(t, e, src)
				var last Token
				if err := DecodePlain(make([]byte, len(src)), packed, func(k Token) { last = k }); err != nil {
					t.Fatal(err)
				}
				if last.Kind != Match || last.Distance != dist || last.Length != len(mark) {
					t.Errorf("level %d: distance %d over %s: got %+v", level, dist, name, last)
				}
			}
		}
	}
}

// On the whole, a level's chunks are no larger than those of the level below.
func TestLevels(t *testing.T) {
	var sums [4]int
	for level := 1; level <= 3; level++ {
		e := NewEncoder(32768, level)
		dst := make([]byte, maxChunk)
		for _, src := range inputs(32768) {
			n := e.Encode(dst[:max(len(src)-1, 0)], src)
			if n == 0 {
				n = len(src)
			}
			sums[level] += n
		}
	}
	if sums[1] < sums[2] || sums[2] < sums[3] {
		t.Errorf("sizes of levels 1 to 3: %v", sums[1:])
	}
}

// With more matches than there is room for, level 3 still packs, and about as well.
func TestEncodeManyMatches(t *testing.T) {
	src := inputs(maxChunk)["three letters"]
	e := NewEncoder(maxChunk, 3)
	all := pack(t, e, src)
	e.optimum.room = 1000
	few := pack(t, e, src)
	if len(few) <= len(all) || len(few) > len(all)*11/10 {
		t.Errorf("got %d bytes with little room for matches, %d with much", len(few), len(all))
	}
}

// When positions reach the end of their range, the table of level 1 starts again.
func TestGreedyWraps(t *testing.T) {
	src := wimtest.Text.Make(rand.New(rand.NewPCG(8, 1)), maxChunk)
	want := pack(t, NewEncoder(maxChunk, 1), src)
	for _, base := range []uint64{lastPlace - 2*maxChunk, lastPlace - maxChunk, lastPlace - 1, lastPlace, lastPlace + 1} {
		e := NewEncoder(maxChunk, 1)
		e.recent.base, e.recent.size = base, 0
		for range 4 {
			if got := pack(t, e, src); !bytes.Equal(got, want) {
				t.Fatalf("base %#x: the packed chunk differs", base)
			}
		}
		if e.recent.base > lastPlace {
			t.Errorf("positions go up to %#x", e.recent.base+maxChunk)
		}
	}
}

func TestEncodeAllocates(t *testing.T) {
	src := wimtest.Mixed.Make(rand.New(rand.NewPCG(6, 1)), 32768)
	dst := make([]byte, len(src))
	for level := 1; level <= 3; level++ {
		e := NewEncoder(32768, level)
		if n := testing.AllocsPerRun(3, func() { e.Encode(dst, src) }); n != 0 {
			t.Errorf("level %d: %v allocations", level, n)
		}
	}
}

func TestMemory(t *testing.T) {
	for _, size := range []int{4096, 32768, maxChunk} {
		for level := 1; level <= 3; level++ {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			e := NewEncoder(size, level)
			runtime.ReadMemStats(&after)
			runtime.KeepAlive(e)
			got, want := int64(after.TotalAlloc-before.TotalAlloc), Memory(size, level)
			if got < want*8/10 || got > want*12/10 {
				t.Errorf("chunk size %d, level %d: allocates %d bytes, Memory returns %d", size, level, got, want)
			}
		}
	}
}

// FuzzEncode: the decoders return whatever is packed.
func FuzzEncode(f *testing.F) {
	for _, src := range inputs(4096) {
		for level := range uint8(3) {
			f.Add(level, src)
		}
	}
	var encoders [3]*Encoder
	for i := range encoders {
		encoders[i] = NewEncoder(maxChunk, i+1)
	}
	f.Fuzz(func(t *testing.T, level uint8, src []byte) {
		pack(t, encoders[level%3], src[:min(len(src), maxChunk)])
	})
}

// FuzzEncodePieces does the same with inputs full of matches: copies of earlier bytes whose lengths and distances come from
// ops.
func FuzzEncodePieces(f *testing.F) {
	f.Add(uint8(0), uint16(1), []byte("\x00\x01\x02\x80\x90\xff\x10\x20"))
	f.Add(uint8(1), uint16(2), []byte("\x80\xff\xff\xff\x80\x00\xff\xff\x01\x01"))
	f.Add(uint8(2), uint16(3), bytes.Repeat([]byte("\x90\x33\x05\x03"), 40))
	var encoders [3]*Encoder
	for i := range encoders {
		encoders[i] = NewEncoder(maxChunk, i+1)
	}
	f.Fuzz(func(t *testing.T, level uint8, seed uint16, ops []byte) {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		src := []byte{byte(seed)}
		for _, op := range ops {
			if op < 0x80 {
				for range op&31 + 1 {
					src = append(src, byte(r.IntN(1<<(op>>5*2+1))))
				}
				continue
			}
			length := r.IntN(2<<(op&15)) + 1
			dist := 1 + r.IntN(min(len(src), 1<<(op>>3&15)))
			for range min(length, maxChunk) {
				src = append(src, src[len(src)-dist])
			}
			if len(src) > maxChunk {
				break
			}
		}
		pack(t, encoders[level%3], src[:min(len(src), maxChunk)])
	})
}

func BenchmarkEncode(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 1))
	for level := 1; level <= 3; level++ {
		for kind, name := range []string{"text", "noise", "one value", "program", "table", "mixed"} {
			b.Run(fmt.Sprintf("level%d/%s", level, strings.ReplaceAll(name, " ", "-")), func(b *testing.B) {
				src := wimtest.Content(kind).Make(r, 32768)
				e := NewEncoder(32768, level)
				dst := make([]byte, len(src)-1)
				b.SetBytes(int64(len(src)))
				b.ReportAllocs()
				for b.Loop() {
					e.Encode(dst, src)
				}
			})
		}
	}
}
