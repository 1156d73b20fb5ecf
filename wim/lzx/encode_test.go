package lzx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"

	"wimscope/wim/wimtest"
)

func newEncoder(tb testing.TB, window, level int) *Encoder {
	tb.Helper()
	e, err := NewEncoder(window, level)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// pack packs src into len(src)-1 bytes, checks everything that holds for every chunk, and returns the packed bytes: none if src
// does not shrink.
func pack(tb testing.TB, e *Encoder, d *Decoder, src []byte) []byte {
	tb.Helper()
	before := bytes.Clone(src)
	dst, check := guarded(tb, max(len(src)-1, 0))
	n := e.Encode(dst, src)
	check()
	if n < 0 || n > len(dst) || n%2 != 0 {
		tb.Fatalf("%d bytes packed into %d", len(src), n)
	}
	if !bytes.Equal(src, before) {
		tb.Fatal("Encode changed the chunk")
	}
	if n == 0 {
		return nil
	}
	packed := bytes.Clone(dst[:n])
	got := make([]byte, len(src))
	if err := DecodePlain(got, packed, d.window, nil); err != nil {
		tb.Fatalf("plain decoder: %v", err)
	}
	if !bytes.Equal(got, src) {
		tb.Fatal("plain decoder returns other bytes")
	}
	clear(got)
	if !d.decode(got, packed) || !bytes.Equal(got, src) {
		tb.Fatal("fast decoder fails, or returns other bytes")
	}
	// The exact size is enough; two bytes less are not.
	dst, check = guarded(tb, n)
	if again := e.Encode(dst, src); again != n || !bytes.Equal(dst, packed) {
		tb.Fatalf("into %d bytes: packed into %d, or other bytes", n, again)
	}
	check()
	dst, check = guarded(tb, n-2)
	if again := e.Encode(dst, src); again != 0 {
		tb.Fatalf("into %d bytes: packed into %d, want 0", n-2, again)
	}
	check()
	return packed
}

// encodeCases returns chunks for a window, by name.
func encodeCases(window int) map[string][]byte {
	r := rand.New(rand.NewPCG(uint64(window), 3))
	cases := map[string][]byte{"one byte": {7}, "two bytes": {7, 7}, "calls at the end": bytes.Repeat([]byte{0xE8, 1, 0, 0, 0}, 9)}
	for kind, name := range []string{"text", "noise", "zeros", "program", "table", "mixed"} {
		sizes := []int{10, 257, 1000, 5000, window - 1, window}
		if window > maxSpan {
			sizes = []int{1000, maxSpan + 20000} // more than one span
		}
		for _, n := range sizes {
			cases[fmt.Sprintf("%s %d", name, n)] = wimtest.Content(kind).Make(r, n)
		}
	}
	sparse := make([]byte, min(window, 300000))
	for range 40 {
		sparse[r.IntN(len(sparse))] = byte(r.Uint32())
	}
	cases["sparse"] = sparse
	cases["calls only"] = bytes.Repeat([]byte{0xE8}, 3000)
	cases["every byte"] = bytes.Repeat([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A"), 700)
	// Half is text, half does not shrink: an uncompressed block pays, of even and of odd size, in the middle and at the end.
	half := wimtest.Text.Make(r, 6000)
	noise := wimtest.Noise.Make(r, 20000)
	cases["noise after text"] = append(bytes.Clone(half), noise...)
	cases["noise before text"] = append(bytes.Clone(noise[1:]), half...)
	cases["noise between text"] = append(append(bytes.Clone(half), noise...), half...)
	// An uncompressed block replaces tokens that set a recent distance. Literals of six bits follow, with more matches at
	// that distance.
	repeats := bytes.Clone(noise)
	for range 6000 {
		repeats = append(repeats, ' '+byte(r.IntN(64)))
	}
	for at := 19000; at < len(repeats)-10; at += 700 {
		copy(repeats[at:at+6], repeats[at-3000:])
	}
	cases["repeats in noise"] = append(bytes.Clone(half), repeats...)
	return cases
}

// Every level and window packs chunks of many kinds. Both decoders return them, and nothing is written out of bounds.
func TestEncode(t *testing.T) {
	for _, window := range []int{1 << 15, 1 << 16, 1 << 21} {
		d := newDecoder(t, window)
		for level := Fast; level <= Maximum; level++ {
			e := newEncoder(t, window, level)
			for name, src := range encodeCases(window) {
				t.Run(fmt.Sprintf("%dK/level %d/%s", window>>10, level, name), func(t *testing.T) {
					packed := pack(t, e, d, src)
					if window == minWindow {
						fresh, dst := newEncoder(t, window, level), make([]byte, len(src))
						if n := fresh.Encode(dst[:len(src)-1], src); !bytes.Equal(dst[:n], packed) {
							t.Error("a fresh encoder packs it differently")
						}
					}
				})
			}
		}
	}
}

// A chunk of the largest window whose second half repeats the first, at the largest distance.
func TestEncodeWholeWindow(t *testing.T) {
	src := wimtest.Mixed.Make(rand.New(rand.NewPCG(3, 3)), maxWindow)
	copy(src[maxWindow-100000:], src[:100000])
	for level := Fast; level <= Normal; level++ {
		packed := pack(t, newEncoder(t, maxWindow, level), newDecoder(t, maxWindow), src)
		far := 0
		if err := DecodePlain(make([]byte, len(src)), packed, maxWindow, func(k Token) {
			if k.Kind == Match && k.Distance == maxWindow-100000 {
				far += k.Length
			}
		}); err != nil {
			t.Fatal(err)
		}
		if far < 40000 {
			t.Errorf("level %d: only %d bytes are copied from the start", level, far)
		}
	}
}

// A span ends where there is no more room for matches.
func TestEncodeManyMatches(t *testing.T) {
	src := wimtest.Text.Make(rand.New(rand.NewPCG(4, 4)), minWindow)
	for level := Normal; level <= Maximum; level++ {
		e := newEncoder(t, minWindow, level)
		whole := len(pack(t, e, newDecoder(t, minWindow), src))
		e.matches = e.matches[:10000]
		parts := len(pack(t, e, newDecoder(t, minWindow), src))
		if parts <= whole || parts > whole*5/4 {
			t.Errorf("level %d: packed into %d, in short spans %d", level, whole, parts)
		}
	}
}

// The encoder writes blocks of every type, several in a chunk that changes, every recent distance, and the longest match.
func TestEncodeUsesEverything(t *testing.T) {
	for level := Fast; level <= Maximum; level++ {
		blocks, slots, lengths := map[int]int{}, map[int]int{}, map[int]int{}
		most := 0
		e, d := newEncoder(t, 1<<15, level), newDecoder(t, 1<<15)
		r := rand.New(rand.NewPCG(5, 5))
		cases := encodeCases(1 << 15)
		// Addresses that are multiples of 8, at distances that are too: aligned blocks pay.
		var records []byte
		for range 4000 {
			records = binary.LittleEndian.AppendUint64(records, 0x7FFF00000000+8*uint64(r.IntN(3000)))
		}
		cases["records"] = records
		for _, src := range cases {
			packed := pack(t, e, d, src)
			if packed == nil {
				continue
			}
			n := 0
			if err := DecodePlain(make([]byte, len(src)), packed, 1<<15, func(k Token) {
				switch k.Kind {
				case Block:
					blocks[k.BlockType]++
					n++
				case Match:
					slots[k.Slot]++
					lengths[k.Length]++
				}
			}); err != nil {
				t.Fatal(err)
			}
			most = max(most, n)
		}
		for _, kind := range []int{blockVerbatim, blockAligned, blockRaw} {
			if blocks[kind] == 0 {
				t.Errorf("level %d: no block of type %d", level, kind)
			}
		}
		for slot := range numSlots(1 << 15) {
			if slots[slot] == 0 {
				t.Errorf("level %d: no match of slot %d", level, slot)
			}
		}
		for _, l := range []int{2, 3, 4, 8, 9, 10, maxMatch} {
			if lengths[l] == 0 {
				t.Errorf("level %d: no match of length %d", level, l)
			}
		}
		if most < 3 {
			t.Errorf("level %d: at most %d blocks in a chunk", level, most)
		}
	}
}

// Packed sizes are as expected: noise does not shrink, repetitions do, and a higher level packs smaller.
func TestEncodeSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	chunk := func(kind wimtest.Content) []byte { return kind.Make(r, 1<<15) }
	total := [Maximum + 1]int{}
	for _, c := range []struct {
		name  string
		src   []byte
		limit int
	}{
		{"zeros", chunk(wimtest.Zeros), 120},
		{"text", chunk(wimtest.Text), 12000},
		{"program", chunk(wimtest.Program), 16000},
		{"noise", chunk(wimtest.Noise), 0},
	} {
		for level := Fast; level <= Maximum; level++ {
			packed := pack(t, newEncoder(t, 1<<15, level), newDecoder(t, 1<<15), c.src)
			total[level] += len(packed)
			if c.limit == 0 && packed != nil || c.limit > 0 && (packed == nil || len(packed) > c.limit) {
				t.Errorf("%s, level %d: packed into %d, want at most %d", c.name, level, len(packed), c.limit)
			}
		}
	}
	if total[Fast] <= total[Normal] || total[Normal] <= total[Maximum] {
		t.Errorf("sizes by level do not fall: %v", total[1:])
	}
}

// TestEncodeRandom: packed chunks unpack to the same bytes. Chunks have any size, and parts of any kind, some of which are
// copies of earlier parts. make campaign runs a hundred thousand at each level.
func TestEncodeRandom(t *testing.T) {
	rounds := 150
	switch {
	case os.Getenv("WIMSCOPE_CAMPAIGN") == "":
	case runtime.GOOS == "js":
		rounds = 10_000
	default:
		rounds = 100_000
	}
	level, round := Fast, 0
	defer func() {
		if t.Failed() {
			t.Logf("at level %d, round %d", level, round)
		}
	}()
	orders := []int{0, 1, 2, 6}
	var dst, back []byte
	for ; level <= Maximum; level++ {
		encoders, decoders := map[int]*Encoder{}, map[int]*Decoder{}
		for _, order := range orders {
			encoders[order], decoders[order] = newEncoder(t, minWindow<<order, level), newDecoder(t, minWindow<<order)
		}
		for round = range rounds {
			r := rand.New(rand.NewPCG(uint64(round), uint64(level)))
			order := 0
			if r.IntN(8) == 0 {
				order = orders[r.IntN(len(orders))]
			}
			src := randomPlain(r, minWindow<<order)
			e, d := encoders[order], decoders[order]
			if round%10 == 0 {
				pack(t, e, d, src)
				continue
			}
			dst, back = slices.Grow(dst[:0], len(src))[:len(src)-1], slices.Grow(back[:0], len(src))[:len(src)]
			n := e.Encode(dst, src)
			if n == 0 {
				continue // stored, not packed
			}
			if !d.decode(back, dst[:n]) || !bytes.Equal(back, src) {
				t.Fatalf("%d bytes, packed into %d, unpack to other bytes: %v", len(src), n, DecodePlain(back, dst[:n], d.window, nil))
			}
		}
	}
}

// randomPlain returns a chunk, mostly a small one, of at most the window size.
func randomPlain(r *rand.Rand, window int) []byte {
	n := 1 + r.IntN(1<<(1+r.IntN(15)))
	if r.IntN(50) == 0 {
		n = window - r.IntN(3)
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

func TestNewEncoder(t *testing.T) {
	for size := minWindow; size <= maxWindow; size *= 2 {
		for level := Fast; level <= Maximum; level++ {
			if m := Memory(size, level); m < int64(size) || m > 64<<20 {
				t.Errorf("window %d, level %d: memory %d", size, level, m)
			}
		}
	}
	for _, size := range []int{-1, 0, 1 << 14, 3 << 15, 1 << 22} {
		if _, err := NewEncoder(size, Normal); err != ErrWindow {
			t.Errorf("window %d: got %v, want ErrWindow", size, err)
		}
		if Memory(size, Normal) != 0 {
			t.Errorf("window %d: memory is not 0", size)
		}
	}
	for _, level := range []int{-1, 0, 4} {
		if _, err := NewEncoder(minWindow, level); err != ErrLevel {
			t.Errorf("level %d: got %v, want ErrLevel", level, err)
		}
	}
	e := newEncoder(t, minWindow, Fast)
	for _, n := range []int{0, minWindow + 1} {
		if got := e.Encode(make([]byte, 2*minWindow), make([]byte, n)); got != 0 {
			t.Errorf("chunk of %d bytes: packed into %d, want 0", n, got)
		}
	}
}

// Encode does not allocate, and NewEncoder allocates about what Memory returns.
func TestEncodeMemory(t *testing.T) {
	src := wimtest.Mixed.Make(rand.New(rand.NewPCG(2, 2)), minWindow)
	dst := make([]byte, len(src))
	for level := Fast; level <= Maximum; level++ {
		e := newEncoder(t, minWindow, level)
		if n := testing.AllocsPerRun(2, func() { e.Encode(dst, src) }); n != 0 {
			t.Errorf("level %d: %v allocations for a chunk", level, n)
		}
		for _, window := range []int{minWindow, maxWindow} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			keep := newEncoder(t, window, level)
			runtime.ReadMemStats(&after)
			runtime.KeepAlive(keep)
			got, want := after.TotalAlloc-before.TotalAlloc, Memory(window, level)
			if float64(got) > 1.1*float64(want) || float64(got) < 0.8*float64(want) {
				t.Errorf("window %d, level %d: %d bytes allocated, Memory returns %d", window, level, got, want)
			}
		}
	}
}

// untranslate reverses translate, for operands at every limit, everywhere in a chunk.
func TestTranslate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	changed := 0
	for range 20000 {
		a := make([]byte, r.IntN(60))
		for i := range a {
			a[i] = [...]byte{0xE8, 0, 0, 0xFF, 1, byte(r.Uint32())}[r.IntN(6)]
		}
		b := bytes.Clone(a)
		translate(b)
		if !bytes.Equal(a, b) {
			changed++
		}
		untranslatePlain(b)
		if !bytes.Equal(a, b) {
			t.Fatalf("%x becomes %x", a, b)
		}
	}
	if changed < 1000 {
		t.Errorf("only %d chunks had calls", changed)
	}
	for _, pos := range []uint32{0, 1, 1000, maxWindow - 11} {
		for _, border := range []uint32{0, -pos, x86FileSize - pos, x86FileSize, 1 << 31} {
			for rel := border - 3; rel != border+4; rel++ {
				if got := relative(absolute(rel, pos), pos); got != rel {
					t.Errorf("at %d: %d becomes %d", pos, int32(rel), int32(got))
				}
			}
		}
	}
	if got := absolute(100, 1000); got != 1100 {
		t.Errorf("a call at 1000 with operand 100 becomes %d, want 1100", got)
	}
}

func TestSlotOf(t *testing.T) {
	slot := 0
	for v := range uint32(maxWindow) {
		for slot+1 < maxSlots && v >= uint32(slotBase(slot+1)) {
			slot++
		}
		if got := slotOf(v); got != uint32(slot) {
			t.Fatalf("value %d: got slot %d, want %d", v, got, slot)
		}
	}
	if slot != maxSlots-1 {
		t.Errorf("values end in slot %d", slot)
	}
}

func TestLog2(t *testing.T) {
	var table [logSize]uint16
	for i := range table {
		table[i] = uint16(log2(uint32(max(i, 1))))
	}
	for n := uint32(1); n < 1<<22; n += 1 + n/1000 {
		want := math.Log2(float64(n)) * (1 << logBits)
		if got := float64(logOf(&table, n)); got > want+0.01 || got < want-1.5 {
			t.Errorf("log2(%d): got %v, want %v", n, got, want)
		}
	}
	if got := logOf(&table, 0); got != 0 {
		t.Errorf("log2(0): got %d", got)
	}
}

// FuzzEncode: both decoders return any chunk, packed at any level, and its packed size is exact.
func FuzzEncode(f *testing.F) {
	for level := range byte(3) {
		f.Add(level, byte(0), []byte("one fish two fish red fish blue fish"))
		f.Add(level, byte(1), bytes.Repeat([]byte("\xE8\x10\x00\x00\x00 call "), 40))
		f.Add(level, byte(2), bytes.Repeat([]byte{0}, 5000))
		f.Add(level, byte(0), wimtest.Mixed.Make(rand.New(rand.NewPCG(1, 7)), 20000))
	}
	var encoders [9]*Encoder
	var decoders [3]*Decoder
	f.Fuzz(func(t *testing.T, level, order byte, src []byte) {
		level, order = level%3, order%3
		window := minWindow << (3 * int(order))
		i := 3*level + order
		if encoders[i] == nil {
			encoders[i] = newEncoder(t, window, int(level)+Fast)
			decoders[order] = newDecoder(t, window)
		}
		if len(src) > 0 && len(src) <= window {
			pack(t, encoders[i], decoders[order], src)
		}
	})
}
