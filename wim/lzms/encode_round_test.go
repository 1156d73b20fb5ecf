package lzms

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
)

// encodeKinds are kinds of data, each with a function that makes it for a size.
var encodeKinds = []struct {
	name string
	make func(rnd *rand.Rand, n int) []byte
}{
	{"zeros", func(_ *rand.Rand, n int) []byte { return make([]byte, n) }},
	{"random", func(rnd *rand.Rand, n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}},
	{"sparse", func(rnd *rand.Rand, n int) []byte {
		b := make([]byte, n)
		for range n / 50 {
			b[rnd.IntN(n)] = byte(rnd.Uint32())
		}
		return b
	}},
	{"runs", func(rnd *rand.Rand, n int) (b []byte) {
		for len(b) < n {
			period := 1 + rnd.IntN(9)
			p := make([]byte, period)
			for i := range p {
				p[i] = byte(rnd.IntN(4))
			}
			b = append(b, bytes.Repeat(p, 1+rnd.IntN(1<<rnd.IntN(12)))...)
		}
		return b[:n]
	}},
	{"text", func(rnd *rand.Rand, n int) (b []byte) {
		words := make([]string, 300)
		for i := range words {
			w := make([]byte, 1+rnd.IntN(9))
			for k := range w {
				w[k] = byte('a' + rnd.IntN(26)*rnd.IntN(26)/26)
			}
			words[i] = string(w)
		}
		for len(b) < n {
			b = append(append(b, words[rnd.IntN(300)*rnd.IntN(300)/300]...), " \n,."[rnd.IntN(40)/39*rnd.IntN(4)])
		}
		return b[:n]
	}},
	{"program", func(rnd *rand.Rand, n int) (b []byte) {
		targets := make([]int, 20)
		for i := range targets {
			targets[i] = rnd.IntN(n + 1)
		}
		opcodes := []string{"\xE8", "\xE9", "\xFF\x15", "\x48\x8B\x05", "\x48\x8B\x0D", "\x48\x8D\x3D", "\x4C\x8D\x05", "\xF0\x83\x05"}
		for len(b) < n {
			op := opcodes[rnd.IntN(len(opcodes))]
			at := len(b)
			b = append(b, op...)
			v := targets[rnd.IntN(len(targets))] - at
			b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
			for range rnd.IntN(8) {
				b = append(b, "\x55\x48\x89\xE5\xC3\xE8\x4C\xFF"[rnd.IntN(8)])
			}
		}
		return b[:n]
	}},
	{"records", func(rnd *rand.Rand, n int) (b []byte) {
		x, y, z := rnd.Uint32(), rnd.Uint32(), uint32(0)
		size := 1 + rnd.IntN(20)
		for len(b) < n {
			x += 4
			y += 1 + rnd.Uint32N(2)
			z ^= rnd.Uint32() >> 20
			r := []byte{byte(x), byte(x >> 8), byte(x >> 16), byte(x >> 24), byte(y), byte(y >> 8), byte(z), byte(z >> 8), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}
			b = append(b, r[:size]...)
		}
		return b[:n]
	}},
	{"sound", func(rnd *rand.Rand, n int) (b []byte) {
		v, d := 0, 0
		for len(b) < n {
			d += rnd.IntN(3) - 1
			v += d
			b = append(b, byte(v), byte(v>>8))
		}
		return b[:n]
	}},
	{"mixed", func(rnd *rand.Rand, n int) (b []byte) {
		for len(b) < n {
			switch rnd.IntN(4) {
			case 0:
				for range rnd.IntN(200) {
					b = append(b, byte(rnd.IntN(1+rnd.IntN(256))))
				}
			case 1:
				b = append(b, make([]byte, rnd.IntN(1000))...)
			default:
				if len(b) > 10 {
					at := rnd.IntN(len(b))
					b = append(b, b[at:at+rnd.IntN(min(len(b)-at, 1<<rnd.IntN(12)))]...)
				}
				b = append(b, byte(rnd.Uint32()))
			}
		}
		return b[:n]
	}},
}

func makeEncoder(t testing.TB, size, level int) *Encoder {
	t.Helper()
	e, err := NewEncoder(size, level)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// roundTrip packs a chunk into less than len(src)+spare bytes, and checks that both decoders return it. It returns the packed size, or 0
// if the chunk does not fit.
func roundTrip(t testing.TB, e *Encoder, d *Decoder, src []byte, spare int) int {
	t.Helper()
	const guard = 32
	room := max(len(src)-1+spare, 0)
	buf := bytes.Repeat([]byte{0xA5}, guard+room+guard)
	in := bytes.Clone(src)
	n := e.Encode(buf[guard:guard+room:guard+room], in)
	for i, b := range buf {
		if (i < guard || i >= guard+room) && b != 0xA5 {
			t.Fatalf("byte %d of %d was written", i-guard, room)
		}
	}
	if !bytes.Equal(in, src) {
		t.Fatal("the input was changed")
	}
	if n < 0 || n > room || n%2 != 0 || n > 0 && n < leastPacked {
		t.Fatalf("packed size %d of %d", n, room)
	}
	if n == 0 {
		return 0
	}
	endsClean(t, buf[guard:guard+n], len(src))
	got, err := both(t, d, buf[guard:guard+n], len(src))
	if err != nil {
		t.Fatalf("%d bytes, packed %d: %v", len(src), n, err)
	}
	if !bytes.Equal(got, src) {
		for i := range got {
			if got[i] != src[i] {
				t.Fatalf("byte %d of %d: got %#02x, want %#02x", i, len(src), got[i], src[i])
			}
		}
	}
	return n
}

// endsClean checks what 7-Zip demands of a packed chunk: after the last item, and after the range coder has read its next unit if the
// range is small, the coder's value is 0 and it has not run into the other stream.
func endsClean(t testing.TB, packed []byte, size int) {
	t.Helper()
	d := plainDecoder{dst: make([]byte, size), src: packed}
	if err := d.run(); err != nil {
		t.Fatal(err)
	}
	if d.rng <= 0xFFFF {
		d.value = d.value<<16 | uint32(d.unit())
	}
	if units := int64(d.units) + (d.bits+15)/16; d.value != 0 || units > int64(len(packed)/2) {
		t.Fatalf("the value is %#x at the end, after %d units of %d bytes", d.value, units, len(packed))
	}
}

// TestEncode: packed chunks unpack to the same bytes, for data of each kind, in sizes up to the chunk size.
func TestEncode(t *testing.T) {
	const chunk = 1 << 15
	for level := 1; level <= 3; level++ {
		e, d := makeEncoder(t, chunk, level), NewDecoder()
		for _, k := range encodeKinds {
			t.Run(fmt.Sprintf("%d/%s", level, k.name), func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(uint64(level), 9))
				for _, n := range []int{1, 2, 3, 4, 5, 8, 17, 18, 19, 64, 500, 4096, 10_001, chunk - 1, chunk} {
					src := k.make(rnd, n)
					if got := roundTrip(t, e, d, src, 64+n/8); got == 0 {
						t.Errorf("%d bytes do not fit in slightly more", n)
					}
					roundTrip(t, e, d, src, 0)
				}
			})
		}
	}
}

// TestEncodeRandom does the same with many small chunks. make campaign runs a hundred thousand.
func TestEncodeRandom(t *testing.T) {
	rounds := 300
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
	for ; level <= 3; level++ {
		e, d := makeEncoder(t, 1<<15, level), NewDecoder()
		for round = range rounds {
			rnd := rand.New(rand.NewPCG(uint64(round), uint64(level)))
			src := randomChunk(rnd)
			spare := rnd.IntN(2) * (64 + len(src)/8)
			if n := roundTrip(t, e, d, src, spare); n == 0 && spare > 0 {
				t.Fatalf("%d bytes do not fit in slightly more", len(src))
			}
		}
	}
}

// randomChunk returns data of one kind or several, mostly little.
func randomChunk(rnd *rand.Rand) (b []byte) {
	kind := func() []byte {
		return encodeKinds[rnd.IntN(len(encodeKinds))].make(rnd, 1+rnd.IntN(1<<rnd.IntN(12)))
	}
	b = kind()
	for rnd.IntN(3) == 0 && len(b) < 1<<14 {
		b = append(b, kind()...)
	}
	if rnd.IntN(4) == 0 { // with damage
		for range 1 + rnd.IntN(20) {
			b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
		}
	}
	if rnd.IntN(4) == 0 && len(b) < 1<<14 { // twice
		b = append(b, b...)
	}
	return b
}

// TestEncodeLarge: a chunk in which codes are often rebuilt, with large offsets and very long matches.
func TestEncodeLarge(t *testing.T) {
	const n = 1 << 20
	rnd := rand.New(rand.NewPCG(11, 12))
	var src []byte
	for len(src) < n {
		k := encodeKinds[rnd.IntN(len(encodeKinds))]
		src = append(src, k.make(rnd, 1+rnd.IntN(60_000))...)
		if rnd.IntN(4) == 0 {
			src = append(src, src[:rnd.IntN(len(src))]...)
		}
	}
	src = src[:n]
	for level := 1; level <= 3; level++ {
		size := roundTrip(t, makeEncoder(t, n, level), NewDecoder(), src, 0)
		t.Logf("level %d: %d of %d", level, size, n)
		if size == 0 {
			t.Errorf("level %d: does not fit", level)
		}
	}
}

// TestEncodeLargest: large chunks with matches across all of them. 64 MiB, the most that Microsoft's programs read, is always packed at
// level 1; the rest only in make campaign. 1 GiB is packed at level 1 only: it takes 8 GB there, and 20 GB at the other levels.
func TestEncodeLargest(t *testing.T) {
	if runtime.GOOS == "js" || testing.Short() {
		t.Skip("takes long and needs much memory")
	}
	cases := []struct{ size, level int }{{64 << 20, 1}}
	if os.Getenv("WIMSCOPE_CAMPAIGN") != "" {
		for level := levelFast; level <= levelMaximum; level++ {
			cases = append(cases, struct{ size, level int }{64 << 20, level}, struct{ size, level int }{128 << 20, level})
		}
		if math.MaxInt > 1<<32 {
			cases = append(cases, struct{ size, level int }{MaxEncode, levelFast})
		}
	}
	for _, c := range cases {
		rnd := rand.New(rand.NewPCG(25, 26))
		src := make([]byte, 0, c.size+1<<23)
		for len(src) < c.size {
			switch k := rnd.IntN(3); {
			case k == 0 || len(src) == 0:
				src = append(src, encodeKinds[rnd.IntN(len(encodeKinds))].make(rnd, 1+rnd.IntN(1<<19))[:]...)
			default: // a distant copy with a change
				n := 1 + rnd.IntN(min(len(src), 1<<23))
				from := rnd.IntN(len(src) - n + 1)
				src = append(src, src[from:from+n]...)
				src[len(src)-1-rnd.IntN(n)] ^= 0x55
			}
		}
		src = src[:c.size]
		dst, back, d := make([]byte, c.size/2), make([]byte, c.size), NewDecoder()
		n := makeEncoder(t, c.size, c.level).Encode(dst, src)
		t.Logf("%d MiB, level %d: %d bytes", c.size>>20, c.level, n)
		if n == 0 {
			t.Fatalf("%d MiB, level %d: does not fit", c.size>>20, c.level)
		}
		if err := d.Decode(back, dst[:n]); err != nil || !bytes.Equal(back, src) {
			t.Fatalf("%d MiB, level %d: %v, or other bytes", c.size>>20, c.level, err)
		}
		runtime.GC() // free the memory before the next one
	}
}

// TestEncodeSizes: the two chunks that another implementation packed do not become much larger here.
func TestEncodeSizes(t *testing.T) {
	d := NewDecoder()
	for _, c := range chunks {
		packed := readChunk(t, c.name)
		src := make([]byte, c.size)
		if err := d.Decode(src, packed); err != nil {
			t.Fatal(err)
		}
		for level, most := range []float64{1: 1.3, 2: 1.01, 3: 1.0} {
			if level == 0 {
				continue
			}
			n := roundTrip(t, makeEncoder(t, 1<<17, level), d, src, 0)
			ratio := float64(n) / float64(len(packed))
			t.Logf("%s, level %d: %d bytes, %.4f of %d", c.name, level, n, ratio, len(packed))
			if n == 0 || ratio > most {
				t.Errorf("%s, level %d: %d bytes, %.4f of %d, want at most %.2f", c.name, level, n, ratio, len(packed), most)
			}
		}
	}
}

// TestEncodeDeterministic: the bytes depend neither on the chunk before nor on what lies after the chunk.
func TestEncodeDeterministic(t *testing.T) {
	for level := 1; level <= 3; level++ {
		used, rnd := makeEncoder(t, 1<<15, level), rand.New(rand.NewPCG(13, 14))
		a, b := make([]byte, 1<<15), make([]byte, 1<<15)
		for i, k := range encodeKinds {
			src := k.make(rnd, 1+rnd.IntN(1<<15))
			if i%3 == 2 { // where positions start again
				base := 1<<31 - uint32(rnd.IntN(3*len(src)))
				if level == 1 {
					clear(used.fast.head)
					used.fast.base = base
				} else {
					clear(used.parser.deltas.latest[:])
					used.parser.deltas.base = base
				}
			}
			n := used.Encode(a, src)
			m := makeEncoder(t, 1<<15, level).Encode(b, src)
			if !bytes.Equal(a[:n], b[:m]) {
				t.Errorf("level %d, %s: %d bytes, then %d", level, k.name, n, m)
			}
		}
	}
}

// TestEncodeDst: for every size of dst, Encode writes the same bytes or returns 0, and writes nothing past dst.
func TestEncodeDst(t *testing.T) {
	rnd := rand.New(rand.NewPCG(15, 16))
	for level := 1; level <= 3; level++ {
		e := makeEncoder(t, 1<<15, level)
		for _, k := range encodeKinds {
			src := k.make(rnd, 300)
			full := make([]byte, 1000)
			full = full[:e.Encode(full, src)]
			for room := range 420 {
				buf := bytes.Repeat([]byte{0xA5}, 500)
				n := e.Encode(buf[:room:room], src)
				want := 0
				if room >= len(full) {
					want = len(full)
				}
				if n != want || !bytes.Equal(buf[:n], full[:n]) {
					t.Fatalf("level %d, %s: dst of %d: %d bytes, want %d", level, k.name, room, n, want)
				}
				for i, b := range buf[room:] {
					if b != 0xA5 {
						t.Fatalf("level %d, %s: dst of %d: byte %d was written", level, k.name, room, room+i)
					}
				}
			}
		}
	}
}

// TestEncodeRest: rest is called now and then, and its error stops packing and does not affect the next chunk.
func TestEncodeRest(t *testing.T) {
	rnd := rand.New(rand.NewPCG(17, 18))
	src := encodeKinds[4].make(rnd, 1<<19)
	dst := make([]byte, len(src))
	for level := 1; level <= 3; level++ {
		e := makeEncoder(t, len(src), level)
		calls := 0
		size, err := e.EncodeFunc(dst, src, func() error { calls++; return nil })
		if err != nil || size == 0 || calls < 6 {
			t.Fatalf("level %d: %d bytes, %d calls, %v", level, size, calls, err)
		}
		stop := errors.New("stop")
		for n := 0; n < calls; n += 1 + calls/8 {
			k := 0
			m, err := e.EncodeFunc(dst, src, func() error {
				if k++; k > n {
					return stop
				}
				return nil
			})
			if err != stop || m != 0 || k != n+1 {
				t.Errorf("level %d, stopped at call %d: %d bytes, %v after %d", level, n, m, err, k)
			}
		}
		if m := e.Encode(dst, src); m != size {
			t.Errorf("level %d: %d bytes after a stop, %d before", level, m, size)
		}
	}
}

// TestEncoderLimits: wrong sizes and levels are refused.
func TestEncoderLimits(t *testing.T) {
	for _, c := range []struct{ size, level int }{{0, 2}, {-1, 2}, {MaxEncode + 1, 2}, {1 << 15, 0}, {1 << 15, 4}} {
		if _, err := NewEncoder(c.size, c.level); err == nil {
			t.Errorf("size %d, level %d: no error", c.size, c.level)
		}
	}
	e := makeEncoder(t, 100, 2)
	if n, err := e.EncodeFunc(make([]byte, 200), make([]byte, 101), nil); n != 0 || err == nil {
		t.Errorf("a chunk too large: %d, %v", n, err)
	}
	if n, err := e.EncodeFunc(make([]byte, 200), nil, nil); n != 0 || err != nil {
		t.Errorf("an empty chunk: %d, %v", n, err)
	}
}

// TestEncodeNoAllocation: packing a chunk does not allocate.
func TestEncodeNoAllocation(t *testing.T) {
	src := encodeKinds[8].make(rand.New(rand.NewPCG(19, 20)), 1<<15)
	dst := make([]byte, len(src))
	for level := 1; level <= 3; level++ {
		e := makeEncoder(t, 1<<15, level)
		if n := testing.AllocsPerRun(3, func() { e.Encode(dst, src) }); n != 0 {
			t.Errorf("level %d: %v allocations", level, n)
		}
	}
}

// TestMemory: NewEncoder allocates about what Memory returns.
func TestMemory(t *testing.T) {
	for level := 1; level <= 3; level++ {
		for _, size := range []int{1, 1 << 15, 1 << 22} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			e := makeEncoder(t, size, level)
			runtime.ReadMemStats(&after)
			runtime.KeepAlive(e)
			got, want := after.TotalAlloc-before.TotalAlloc, Memory(size, level)
			if ratio := float64(got) / float64(want); ratio < 0.7 || ratio > 1.1 {
				t.Errorf("%d bytes, level %d: allocated %d, want about %d", size, level, got, want)
			}
		}
	}
	if n := Memory(64<<20, 2); n > 10*64<<20 {
		t.Errorf("%d bytes for the largest chunks", n)
	}
}

// TestFilter: unfilterPlain reverses the filter for any bytes, and the filter does change some.
func TestFilter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(21, 22))
	var u x86Filter
	changed := 0
	for round := range 2000 {
		n := rnd.IntN(1 << rnd.IntN(15))
		var src []byte
		switch round % 4 {
		case 0:
			src = encodeKinds[rnd.IntN(len(encodeKinds))].make(rnd, n+1)
		case 1: // only what looks like code
			src = make([]byte, n)
			for i := range src {
				src[i] = "\xE8\xE9\xFF\x15\x48\x4C\x8B\x8D\x05\x0D\xF0\x83\x00\x01"[rnd.IntN(14)]
			}
		default:
			src = encodeKinds[5].make(rnd, n+1)
		}
		if round == 1000 {
			u.base = 1<<32 - 1000 // positions start again
		}
		got := bytes.Clone(src)
		if err := u.run(got, toAbsolute, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, src) {
			changed++
		}
		unfilterPlain(got)
		if !bytes.Equal(got, src) {
			t.Fatalf("round %d, %d bytes: not reversed", round, len(src))
		}
	}
	if changed < 500 {
		t.Errorf("only %d of 2000 changed", changed)
	}
}

// TestOffsetTable: the slot of an offset is the last one whose lowest value is not above it.
func TestOffsetTable(t *testing.T) {
	var table offsetTable
	table.make()
	slots := make([]slot, maxOffsets)
	makeSlots(slots, offsetRuns[:])
	for i, s := range slots {
		for _, offset := range []uint32{s.base, s.base + 1<<s.extra - 1, s.base + (1<<s.extra-1)/3} {
			if got := table.slot(offset); got != i {
				t.Errorf("offset %d: slot %d, want %d", offset, got, i)
			}
		}
	}
}

// FuzzEncode: packed chunks unpack to the same bytes, at each level.
func FuzzEncode(f *testing.F) {
	rnd := rand.New(rand.NewPCG(23, 24))
	for _, k := range encodeKinds {
		f.Add(uint8(rnd.IntN(3)), k.make(rnd, 200))
	}
	var encoders [3]*Encoder
	for i := range encoders {
		encoders[i] = makeEncoder(f, 1<<15, i+1)
	}
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, level uint8, src []byte) {
		if len(src) == 0 || len(src) > 1<<15 {
			return
		}
		if roundTrip(t, encoders[level%3], d, src, len(src)/2+64) == 0 {
			t.Fatalf("%d bytes do not fit in 1.5 times as many", len(src))
		}
	})
}

// BenchmarkEncode packs the file named by WIMSCOPE_LZMS_FILE, or the chunks in testdata, in chunks of 128 KiB and, for a file, of 64 MiB:
//
//	WIMSCOPE_LZMS_FILE=/tmp/sample go test -run - -bench Encode -benchtime 1x
func BenchmarkEncode(b *testing.B) {
	var data []byte
	sizes := []int{1 << 17}
	if name := os.Getenv("WIMSCOPE_LZMS_FILE"); name != "" {
		var err error
		if data, err = os.ReadFile(name); err != nil {
			b.Fatal(err)
		}
		sizes = append(sizes, 64<<20)
	} else {
		d := NewDecoder()
		for _, c := range chunks {
			out := make([]byte, c.size)
			if err := d.Decode(out, readChunk(b, c.name)); err != nil {
				b.Fatal(err)
			}
			data = append(data, out...)
		}
	}
	for level := 1; level <= 3; level++ {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("level%d/%dK", level, size>>10), func(b *testing.B) {
				e := makeEncoder(b, size, level)
				dst := make([]byte, size)
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				packed := 0
				for b.Loop() {
					packed = 0
					for rest := data; len(rest) > 0; {
						src := rest[:min(size, len(rest))]
						rest = rest[len(src):]
						n := e.Encode(dst[:len(src)-1], src)
						if n == 0 {
							n = len(src)
						}
						packed += n
					}
				}
				b.ReportMetric(float64(packed), "packed-B")
			})
		}
	}
}

// BenchmarkRepack repacks one in WIMSCOPE_LZMS_STEP chunks of the archive named by WIMSCOPE_LZMS_WIM, and compares sizes:
//
//	WIMSCOPE_LZMS_WIM=/tmp/x.wim WIMSCOPE_LZMS_STEP=20 go test -run - -bench Repack/2 -benchtime 1x
func BenchmarkRepack(b *testing.B) {
	name := os.Getenv("WIMSCOPE_LZMS_WIM")
	if name == "" {
		b.Skip("no archive named")
	}
	step := 1
	if s := os.Getenv("WIMSCOPE_LZMS_STEP"); s != "" {
		if _, err := fmt.Sscan(s, &step); err != nil {
			b.Fatal(err)
		}
	}
	var chosen []packedChunk
	most, n := 0, 0
	for _, r := range readWIM(b, name) {
		for _, c := range r.chunks {
			if n++; n%step == step/2 && len(c.data) < c.size {
				chosen = append(chosen, c)
				most = max(most, c.size)
			}
		}
	}
	d := NewDecoder()
	src, dst := make([]byte, most), make([]byte, most)
	for level := 1; level <= 3; level++ {
		b.Run(fmt.Sprint(level), func(b *testing.B) {
			e := makeEncoder(b, most, level)
			var theirs, ours, size int
			for b.Loop() {
				theirs, ours, size = 0, 0, 0
				for _, c := range chosen {
					b.StopTimer()
					if err := d.Decode(src[:c.size], c.data); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					n := e.Encode(dst[:c.size-1], src[:c.size])
					if n == 0 {
						n = c.size
					}
					theirs, ours, size = theirs+len(c.data), ours+n, size+c.size
				}
			}
			b.SetBytes(int64(size))
			b.ReportMetric(float64(ours)/float64(theirs), "of-theirs")
			b.ReportMetric(float64(ours)/float64(size), "of-plain")
		})
	}
}
