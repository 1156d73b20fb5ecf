package lzms

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// both decodes a chunk with both decoders and checks that they do the same, and that the bytes around the output do not change. It
// returns the output and the error.
func both(t testing.TB, d *Decoder, src []byte, size int) ([]byte, error) {
	t.Helper()
	const guard = 64
	buf := bytes.Repeat([]byte{0xA5}, guard+size+guard)
	fast := buf[guard : guard+size : guard+size]
	in := bytes.Clone(src)
	err := d.Decode(fast, in)
	plain := bytes.Repeat([]byte{0xA5}, size)
	perr := DecodePlain(plain, src, nil)
	if cerr := d.Check(size, in); (cerr == nil) != (err == nil) {
		t.Fatalf("Check: %v; Decode: %v", cerr, err)
	}
	for i, b := range buf {
		if (i < guard || i >= guard+size) && b != 0xA5 {
			t.Fatalf("byte %d of %d was written", i-guard, size)
		}
	}
	if !bytes.Equal(in, src) {
		t.Fatal("the input was written")
	}
	if (err == nil) != (perr == nil) {
		t.Fatalf("fast: %v; plain: %v", err, perr)
	}
	for _, err := range []error{err, perr} {
		if err == nil {
			continue
		}
		var where *CorruptError
		if !errors.Is(err, ErrCorrupt) || !errors.As(err, &where) {
			t.Fatalf("%v does not wrap ErrCorrupt", err)
		}
		if where.Out < 0 || where.Out > size || where.Bit < 0 {
			t.Fatalf("%v: no such offset", err)
		}
	}
	if err == nil && !bytes.Equal(fast, plain) {
		for i := range fast {
			if fast[i] != plain[i] {
				t.Fatalf("byte %d of %d: fast %#02x, plain %#02x", i, size, fast[i], plain[i])
			}
		}
	}
	return fast, err
}

// TestVectors runs the text vectors in testdata; testdata/README.md describes their form.
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	d := NewDecoder()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split("\n"+string(text), "\n== ")[1:] {
			name, body, _ := strings.Cut(part, "\n")
			t.Run(fmt.Sprintf("%s/%s", strings.TrimSuffix(filepath.Base(file), ".txt"), name), func(t *testing.T) {
				if err := runVector(t, d, body); err != nil {
					t.Errorf("vector %d: %v", i+1, err)
				}
			})
		}
	}
}

func runVector(t *testing.T, d *Decoder, body string) error {
	size := -1
	var items []string
	var src, out []byte
	want, drop := "", 0
	for line := range strings.Lines(body) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		var err error
		switch word {
		case "size":
			size, err = strconv.Atoi(rest)
		case "packed":
			var b []byte
			b, err = vectorBytes(rest)
			src = append(src, b...)
		case "drop": // that many bytes from the middle, where the streams meet
			drop, err = strconv.Atoi(rest)
		case "out":
			var b []byte
			b, err = vectorBytes(rest)
			out = append(out, b...)
		case "error":
			want = rest
		default:
			items = append(items, line)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	if size < 0 {
		size = len(out)
	}
	if items != nil {
		s := newScript(size)
		for _, line := range items {
			if err := s.line(line); err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
		}
		src = s.packed()
		cut := 2 * (len(s.units) - 1)
		src = append(src[:cut-drop:cut-drop], src[cut:]...)
	}
	got, err := both(t, d, src, size)
	if want != "" {
		if err == nil || !strings.Contains(err.Error(), want) {
			return fmt.Errorf("got %v, want %q", err, want)
		}
		if perr := DecodePlain(make([]byte, size), src, nil); !strings.Contains(perr.Error(), want) {
			return fmt.Errorf("plain: got %v, want %q", perr, want)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(got, out) {
		return fmt.Errorf("got  % x\nwant % x", got, out)
	}
	return nil
}

// chunks were packed by wimlib-imagex: see testdata/README.md.
var chunks = []struct {
	name string
	size int
	sha1 string
}{
	{"program", 131072, "87d6fb9e17e3ddef85b9d1788844fee73aca89b7"},
	{"mixed", 59351, "cefb814a396dd9af20fc99aca3069fe6288c3ea9"},
}

func readChunk(t testing.TB, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", name+".lzms"))
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// TestChunks decodes chunks that another implementation packed. mixed has all kinds of items, enough for each code to be rebuilt. As the
// last chunk of a file it is smaller than the archive's chunk size, so its number of offset slots follows from its own size.
func TestChunks(t *testing.T) {
	d := NewDecoder()
	for _, c := range chunks {
		src := readChunk(t, c.name)
		out, err := both(t, d, src, c.size)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := fmt.Sprintf("%x", sha1.Sum(out)); got != c.sha1 {
			t.Errorf("%s: SHA-1 %s, want %s", c.name, got, c.sha1)
		}
	}
}

// TestItems: the items that DecodePlain reports cover all of the output and all of the input.
func TestItems(t *testing.T) {
	for _, c := range chunks {
		src := readChunk(t, c.name)
		out, read := 0, int64(0)
		kinds := map[Kind]int{}
		recents := map[string]int{}
		err := DecodePlain(make([]byte, c.size), src, func(i Item) {
			if i.Out != out || i.Bit != read || i.Length < 1 || i.Decisions < 1 || i.Decisions > 5 {
				t.Fatalf("%s: %+v after %d bytes, %d bits", c.name, i, out, read)
			}
			if i.Kind == DeltaMatch && (i.Offset != i.RawOffset*i.Span || i.Offset+i.Span > i.Out) || i.Kind == LZMatch && (i.Offset < 1 || i.Offset > i.Out) {
				t.Fatalf("%s: %+v", c.name, i)
			}
			out += i.Length
			read += int64(i.Bits)
			kinds[i.Kind]++
			if i.Kind != Literal {
				recents[fmt.Sprint(i.Kind, " ", i.Recent)]++
			}
		})
		if err != nil || out != c.size || read/8 > int64(len(src)) {
			t.Errorf("%s: %d bytes, %d bits, %v", c.name, out, read, err)
		}
		t.Log(c.name, kinds, recents)
		if c.name == "mixed" {
			for _, want := range []string{"lz match 0", "lz match 1", "lz match 2", "lz match 3", "delta match 0", "delta match 1", "delta match 2", "delta match 3"} {
				if recents[want] == 0 {
					t.Errorf("%s: no %s", c.name, want)
				}
			}
		}
	}
}

// TestSlots checks the slots of offsets and lengths against known ones of the format.
func TestSlots(t *testing.T) {
	offsets, lengths := make([]slot, maxOffsets), make([]slot, numLengths)
	makeSlots(offsets, offsetRuns[:])
	makeSlots(lengths, lengthRuns[:])
	for _, c := range []struct {
		slots []slot
		i     int
		want  slot
	}{
		{offsets, 0, slot{1, 0}}, {offsets, 7, slot{8, 0}}, {offsets, 8, slot{9, 2}}, {offsets, 16, slot{41, 2}}, {offsets, 17, slot{45, 3}},
		{offsets, 24, slot{101, 4}}, {offsets, 797, slot{0x57FD64 + 105<<19 + 0, 20}}, {offsets, 798, slot{0, 30}},
		{lengths, 0, slot{1, 0}}, {lengths, 25, slot{26, 0}}, {lengths, 26, slot{27, 1}}, {lengths, 30, slot{35, 2}}, {lengths, 51, slot{0x4AB, 10}},
		{lengths, 52, slot{0x8AB, 16}}, {lengths, 53, slot{0x108AB, 30}},
	} {
		got := c.slots[c.i]
		if c.i > 790 {
			got.base, c.want.base = 0, 0 // checked below, against the slot before
		}
		if got != c.want {
			t.Errorf("slot %d of %d: %v, want %v", c.i, len(c.slots), got, c.want)
		}
	}
	for _, slots := range [][]slot{offsets, lengths} {
		for i, s := range slots[1:] {
			if before := slots[i]; s.base != before.base+1<<before.extra {
				t.Errorf("slot %d starts at %d, not at the end of the one before", i+1, s.base)
			}
		}
	}
	if b := uint64(offsets[798].base) + 1<<30; b < 1<<30 || b > 1<<31 {
		t.Errorf("last slot ends at %#x", b)
	}
}

// TestOffsetSlots: the number of offset slots follows from the size of the chunk.
func TestOffsetSlots(t *testing.T) {
	slots := make([]slot, maxOffsets)
	makeSlots(slots, offsetRuns[:])
	for _, c := range []struct{ size, want int }{
		{1, 2}, {2, 2}, {3, 2}, {4, 3}, {9, 8}, {10, 9}, {13, 9}, {14, 10}, {1 << 30, 799},
	} {
		if got := offsetSlots(slots, c.size); got != c.want {
			t.Errorf("%d bytes: %d slots, want %d", c.size, got, c.want)
		}
	}
}

// codeLengths returns the code lengths of the code for these counts.
func codeLengths(freq []uint32) []int {
	c := plainCode{freq: freq, interval: 1}
	c.build()
	lens := make([]int, len(freq))
	for n, syms := range c.ofLen {
		for _, sym := range syms {
			lens[sym] = n
		}
	}
	return lens
}

// TestCodeTies: of equal weights, leaves go into the tree before inner nodes, and lower symbols before higher ones.
func TestCodeTies(t *testing.T) {
	for _, c := range []struct {
		freq []uint32
		want string
	}{
		{[]uint32{1, 1, 2, 2}, "[2 2 2 2]"}, // inner nodes first would give 3 3 2 1
		{[]uint32{1, 1, 1}, "[2 2 1]"},
		{[]uint32{2, 1, 1, 1, 1}, "[2 3 3 2 2]"},
		{[]uint32{1, 1}, "[1 1]"},
	} {
		if got := fmt.Sprint(codeLengths(c.freq)); got != c.want {
			t.Errorf("%v: %s, want %s", c.freq, got, c.want)
		}
	}
}

// TestCodeLimit: no code is longer than 15 bits; deeper leaves move up to the deepest level that has room.
func TestCodeLimit(t *testing.T) {
	freq := []uint32{1, 1}
	for len(freq) < 17 { // a tree of depth 16
		freq = append(freq, freq[len(freq)-1]+freq[len(freq)-2])
	}
	want := "[15 15 15 15 13 12 11 10 9 8 7 6 5 4 3 2 1]"
	if got := fmt.Sprint(codeLengths(freq)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestBuild: the fast build makes the same code as the plain one, and its table decodes that code.
func TestBuild(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var w workspace
	fibonacci := []uint32{1, 1}
	for len(fibonacci) < 21 {
		fibonacci = append(fibonacci, fibonacci[len(fibonacci)-1]+fibonacci[len(fibonacci)-2])
	}
	limited := 0
	for round := range 420 {
		n := []int{2, 3, numPowers, 17, numLengths, numLiterals, maxOffsets}[round%7]
		root := []uint{literalRoot, offsetRoot, lengthRoot, powerRoot}[rnd.IntN(4)]
		ones := round - 400
		if ones > 0 { // a few rarest ones, then each as frequent as all before it: the tree is so deep that the few get lengths far apart
			for n = ones; ones<<(n-ones) < 50_000; n++ {
			}
		}
		h := &huff{n: n, interval: 1, root: root}
		freq := make([]uint32, n)
		for i := range freq {
			f := uint32(1)
			switch round / 7 % 4 {
			case 1:
				f = 1 + rnd.Uint32N(4)
			case 2:
				f = 1 + uint32(min(rnd.ExpFloat64()*rnd.ExpFloat64(), 2)) + uint32(max(0, rnd.IntN(60*n)-60*n+300))
			case 3: // steep: a tree deeper than 15
				if f = 1 + rnd.Uint32N(1+rnd.Uint32N(40)); i < 16+rnd.IntN(6) && i < len(fibonacci) {
					f = fibonacci[i]
				}
			}
			if ones > 0 {
				f = uint32(ones) << max(i-ones, 0)
				if i < ones {
					f = 1
				}
			}
			freq[i] = f
			h.freq[i] = uint16(f)
		}
		h.rebuild(&w)
		c := plainCode{freq: freq, interval: 1}
		c.build()
		if len(c.ofLen[maxCodeBits]) > 2 {
			limited++
		}
		for i, f := range freq {
			if got := uint32(h.freq[i]); got != f>>1+1 {
				t.Fatalf("round %d: the count of symbol %d changed from %d to %d", round, i, f, got)
			}
		}
		for l, syms := range c.ofLen {
			for i, sym := range syms {
				for _, after := range []uint32{0, 1<<(maxCodeBits-l) - 1} {
					bits := (c.first[l]+uint32(i))<<(maxCodeBits-l) | after
					e := h.table[bits>>(maxCodeBits-root)]
					if e == 0 {
						e = h.long(bits)
					}
					if int(e>>4) != sym || int(e&15) != l {
						t.Fatalf("round %d, %d symbols, root %d: bits %015b are symbol %d of %d bits, want %d of %d", round, n, root, bits, e>>4, e&15, sym, l)
					}
				}
			}
		}
	}
	if limited < 10 {
		t.Errorf("only %d codes were cut at %d bits", limited, maxCodeBits)
	}
}

// randomItems packs items of all kinds. With wrong, a few are bad.
func randomItems(rnd *rand.Rand, size int, wrong bool) []byte {
	s := newScript(size)
	literals := rnd.IntN(20)
	for s.n < size {
		left := size - s.n
		length := min(1+int(rnd.ExpFloat64()*float64(1+rnd.IntN(12))), left)
		if rnd.IntN(200) == 0 {
			length = 1 + rnd.IntN(left)
		}
		if wrong && rnd.IntN(3000) == 0 {
			length = left + 1 + rnd.IntN(300)
		}
		pick := rnd.IntN(20)
		switch {
		case pick < literals || s.n < 600 && s.n < size/2:
			s.literal(byte(rnd.ExpFloat64() * 20))
		case wrong && rnd.IntN(3000) == 0:
			s.lz(s.n+1+rnd.IntN(20), 0, length)
		case pick%4 == 0 && s.n > 512:
			if rnd.IntN(2) == 0 {
				s.delta(0, 0, 1+rnd.IntN(3), length)
			} else {
				power := rnd.IntN(8)
				s.delta(power, 1+rnd.IntN((s.n>>power)-1), 0, length)
			}
		case pick%4 == 1 && s.n > 4:
			s.lz(0, 1+rnd.IntN(3), length)
		case s.n > 0:
			s.lz(1+rnd.IntN(s.n)>>rnd.IntN(16), 0, length)
		default:
			s.literal(1)
		}
	}
	return s.packed()
}

// TestRandomItems: fast and plain agree on items of all kinds, enough of them for each code to be rebuilt many times.
func TestRandomItems(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	d := NewDecoder()
	fine := 0
	for round := range 60 {
		size := 1 + rnd.IntN(1<<rnd.IntN(17))
		if round == 0 {
			size = 200_000
		}
		if _, err := both(t, d, randomItems(rnd, size, round%3 == 2), size); err == nil {
			fine++
		}
	}
	if fine < 40 {
		t.Errorf("only %d decode", fine)
	}
}

// TestDamage: fast and plain agree on damaged chunks, and the error has the position.
func TestDamage(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	d := NewDecoder()
	bad := 0
	for range 300 {
		size := 1 + rnd.IntN(4000)
		src := randomItems(rnd, size, false)
		for range 1 + rnd.IntN(3) {
			src[rnd.IntN(len(src))] ^= byte(1 << rnd.IntN(8))
		}
		if _, err := both(t, d, src, size); err != nil {
			bad++
		}
		if len(src) > 8 {
			cut := 2 * rnd.IntN(len(src)/2-2)
			both(t, d, src[:len(src)-cut], size)
			both(t, d, src[cut:], size)
		}
	}
	if bad < 100 {
		t.Errorf("only %d were detected", bad)
	}
}

// TestPause: pause is called about every MiB, in very long matches too, and its error stops decoding.
func TestPause(t *testing.T) {
	const size = 9<<20 + 7
	s := newScript(size)
	s.literal('x')
	s.literal('y')
	s.lz(2, 0, 5<<20)
	for s.n < size-100 {
		s.lz(2, 0, 100)
	}
	for s.n < size {
		s.literal('z')
	}
	src := s.packed()
	d := NewDecoder()
	dst := make([]byte, size)
	var at []int
	if err := d.DecodeFunc(dst, src, func(done int) error { at = append(at, done); return nil }); err != nil {
		t.Fatal(err)
	}
	last := 0
	for _, n := range append(at, size) {
		if n-last > 1<<20+4096 || n < last || n > size {
			t.Errorf("pause after %d bytes, then %d", last, n)
		}
		last = n
	}
	if len(at) < 8 {
		t.Errorf("pauses at %v", at)
	}
	want := make([]byte, size)
	if err := DecodePlain(want, src, nil); err != nil || !bytes.Equal(dst, want) {
		t.Errorf("output differs from the plain decoder's (%v)", err)
	}
	stop := errors.New("stop")
	for n := range len(at) {
		calls := 0
		err := d.DecodeFunc(dst, src, func(int) error {
			if calls++; calls > n {
				return stop
			}
			return nil
		})
		if err != stop || calls != n+1 {
			t.Errorf("stopped at call %d: %v after %d calls", n, err, calls)
		}
	}
	if err := d.Decode(dst, src); err != nil || !bytes.Equal(dst, want) { // the Decoder is still good
		t.Errorf("after a stop: %v", err)
	}
}

// TestNoAllocation: decoding a chunk does not allocate.
func TestNoAllocation(t *testing.T) {
	src := randomItems(rand.New(rand.NewPCG(9, 9)), 30_000, false)
	d := NewDecoder()
	dst := make([]byte, 30_000)
	if n := testing.AllocsPerRun(5, func() {
		if err := d.Decode(dst, src); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestX86 compares the two filters on bytes full of what looks like code, over several chunks, and across the point where the
// positions of the fast one start again.
func TestX86(t *testing.T) {
	rnd := rand.New(rand.NewPCG(10, 11))
	pieces := []string{"\xE8", "\xE9", "\x48\x8B\x05", "\x48\x8B\x0D", "\x48\x8D\x3D", "\x4C\x8D\x05", "\x4C\x8B\x05", "\xF0\x83\x05", "\xFF\x15", "\x48", "\x4C\x8D",
		"\xF0\x83", "\xFF", "\xFF\xFF", "\x01", "\x00", "\x49\x8D\x05", "\x48\x8F\x05", "\x48\x89\x05", "\x48\x8B\x15", "\xE7", "\xEA"}
	var u x86Filter
	changed := 0
	for round := range 600 {
		var data []byte
		for size := rnd.IntN(1 << rnd.IntN(13)); len(data) < size; {
			at := len(data)
			data = append(data, pieces[rnd.IntN(len(pieces))]...)
			if rnd.IntN(3) == 0 { // an address used elsewhere too
				data = binary.LittleEndian.AppendUint32(data, uint32(5000+rnd.IntN(4)-at))
			}
			for range rnd.IntN(6) {
				data = append(data, byte(rnd.IntN(3)*rnd.IntN(128)))
			}
		}
		if round == 300 {
			u.base = 1<<32 - 70_000
		}
		fast, plain := bytes.Clone(data), bytes.Clone(data)
		if err := u.run(fast, toRelative, nil); err != nil {
			t.Fatal(err)
		}
		unfilterPlain(plain)
		if !bytes.Equal(fast, plain) {
			t.Fatalf("round %d: %d bytes differ", round, len(data))
		}
		if !bytes.Equal(fast, data) {
			changed++
		}
	}
	if changed < 100 {
		t.Errorf("only %d changed", changed)
	}
	// Two uses are taken for code up to the window apart, and not one byte further.
	for _, gap := range []int{65535, 65536} {
		data := make([]byte, 140_000)
		at := func(i int) { data[i], data[i+1], data[i+2] = 0xFF, 0x15, byte(200-i); data[i+3] = byte((200 - i) >> 8) }
		at(10)
		at(10 + gap)
		at(10 + gap + 100)
		fast, plain := bytes.Clone(data), bytes.Clone(data)
		if err := u.run(fast, toRelative, nil); err != nil {
			t.Fatal(err)
		}
		unfilterPlain(plain)
		if !bytes.Equal(fast, plain) {
			t.Errorf("uses %d apart: fast and plain differ", gap)
		}
		if got, want := !bytes.Equal(plain, data), gap <= 65535; got != want {
			t.Errorf("uses %d apart: translated is %t, want %t", gap, got, want)
		}
	}
}

// FuzzDecode: on any input, fast and plain return the same bytes or both fail.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0}, 1)
	f.Add([]byte{0xFF, 0xFF, 0xFF, 0xFF}, 3)
	f.Add([]byte("\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0"), 100)
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, size := range []int{1, 20, 700, 3000} {
		f.Add(randomItems(rnd, size, false), size)
	}
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, src []byte, size int) {
		if size < 0 || size > 1<<17 {
			return
		}
		both(t, d, src, size)
	})
}

// FuzzItems does the same with items, good or bad, that are made from the fuzzer's bytes, so that it gets deep into a chunk.
func FuzzItems(f *testing.F) {
	f.Add([]byte("\x00a\x00b\x01\x02\x09\x05\x01\x04"), 14)
	f.Add([]byte("\x00a\x00b\x00c\x00d\x02\x00\x01\x30\x06\x01\x02"), 54)
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, ops []byte, size int) {
		if size < 1 || size > 1<<16 || len(ops) > 1<<13 {
			return
		}
		s := newScript(size)
		next := func() int {
			if len(ops) == 0 {
				return 0
			}
			b := ops[0]
			ops = ops[1:]
			return int(b)
		}
		for len(ops) > 0 && s.n < size {
			switch op := next(); op & 7 {
			default:
				s.literal(byte(next()))
			case 1:
				s.lz(1+next()+op>>4*100, 0, 1+next())
			case 5:
				s.lz(0, 1+op>>3%3, 1+next())
			case 2:
				s.delta(op>>3&7, 1+next(), 0, 1+next())
			case 6:
				s.delta(0, 0, 1+op>>3%3, 1+next())
			}
		}
		both(t, d, s.packed(), size)
	})
}

// TestGap: unread units between the two streams are accepted.
func TestGap(t *testing.T) {
	s := newScript(500)
	for i := range 500 {
		s.literal(byte(i))
	}
	src := s.packed()
	front := 2 * (len(s.units) - 1)
	for _, n := range []int{2, 4, 30, 64, 200} {
		gap := bytes.Repeat([]byte{0x5A}, n)
		if _, err := both(t, NewDecoder(), append(append(bytes.Clone(src[:front]), gap...), src[front:]...), 500); err != nil {
			t.Errorf("%d bytes between the streams: %v", n, err)
		}
	}
}

// TestLongCodes: each code becomes so uneven that rare symbols have codes longer than the index of its table, and they are decoded.
func TestLongCodes(t *testing.T) {
	for _, c := range []struct {
		name string
		span int // number of values that occur
		root int
		code func(s *script) *plainCode
		item func(s *script, v int)
	}{
		{"literals", 256, literalRoot, func(s *script) *plainCode { return &s.literals }, func(s *script, v int) { s.literal(byte(v)) }},
		{"offsets", 5000, offsetRoot, func(s *script) *plainCode { return &s.offsets }, func(s *script, v int) { s.lz(1+v, 0, 5) }},
		{"lengths", 500, lengthRoot, func(s *script) *plainCode { return &s.lengths }, func(s *script, v int) { s.lz(1, 0, 1+v) }},
		{"delta offsets", 5000, deltaRoot, func(s *script) *plainCode { return &s.deltaOffsets }, func(s *script, v int) { s.delta(0, 1+v, 0, 5) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			const size = 120_000
			s := newScript(size)
			for i := range 6000 {
				s.literal(byte(i))
			}
			long := 0
			for i := 1; s.n < size-1000; i++ {
				v := bits.TrailingZeros(uint(i))
				if i%61 == 0 {
					v = i / 61 * 7 % c.span
				}
				c.item(s, v)
				for _, syms := range c.code(s).ofLen[c.root+1:] {
					long += len(syms)
				}
			}
			for s.n < size {
				s.literal(7)
			}
			if long == 0 {
				t.Error("no code is long")
			}
			if _, err := both(t, NewDecoder(), s.packed(), size); err != nil {
				t.Error(err)
			}
		})
	}
}
