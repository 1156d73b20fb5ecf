package lzx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"wimscope/wim/internal/codectest"
)

// writer writes blocks for tests. It codes each change of a code length with a fixed pre-code, without runs.
type writer struct {
	codectest.Writer
	window    int
	main      [maxMain]uint8
	length    [numLengths]uint8
	low       [numAligned]uint8
	mainCodes []uint32
	lenCodes  []uint32
	lowCodes  []uint32
}

func (w *writer) block(kind uint32, size int) {
	w.Bits(kind, 3)
	switch {
	case size == defaultBlock:
		w.Bits(1, 1)
	case w.window >= wideWindow:
		w.Bits(0, 1)
		w.Bits(uint32(size), 24)
	default:
		w.Bits(0, 1)
		w.Bits(uint32(size), 16)
	}
}

func (w *writer) aligned(lens []uint8) {
	copy(w.low[:], lens)
	for _, l := range lens {
		w.Bits(uint32(l), 3)
	}
	w.lowCodes = codectest.Codes(lens)
}

// change writes the changes from old to lens, and copies lens to old.
func (w *writer) change(old, lens []uint8) {
	var pre [numPre]uint8
	for i := range pre {
		pre[i] = 4
		if i >= 12 {
			pre[i] = 5
		}
		w.Bits(uint32(pre[i]), 4)
	}
	codes := codectest.Codes(pre[:])
	for i := range old {
		delta := (int(old[i]) - int(lens[i]) + 17) % 17
		w.Bits(codes[delta], int(pre[delta]))
		old[i] = lens[i]
	}
}

func (w *writer) recents(r [3]uint32) {
	w.Align()
	for _, v := range r {
		w.Bytes(binary.LittleEndian.AppendUint32(nil, v)...)
	}
}

func (w *writer) sym(s int)    { w.Bits(w.mainCodes[s], int(w.main[s])) }
func (w *writer) len(s int)    { w.Bits(w.lenCodes[s], int(w.length[s])) }
func (w *writer) lowSym(s int) { w.Bits(w.lowCodes[s], int(w.low[s])) }

// step carries out a step of a vector.
func (w *writer) step(s codectest.Step, size *int) error {
	if done, err := s.Put(&w.Writer); done {
		return err
	}
	// The arguments of the steps that have only numbers.
	var n []int
	switch s.Word {
	case "window", "size", "block", "recents", "sym", "len", "low":
		for i := range s.Args {
			v, err := s.Int(i)
			if err != nil {
				return err
			}
			n = append(n, v)
		}
	}
	numMain := numChars + numSlots(w.window)*numHeaders
	switch s.Word {
	case "window":
		w.window = n[0]
	case "size":
		*size = n[0]
	case "block":
		w.block(uint32(n[0]), n[1])
	case "recents":
		for _, v := range n {
			w.Bytes(binary.LittleEndian.AppendUint32(nil, uint32(v))...)
		}
	case "sym":
		for _, v := range n {
			w.sym(v)
		}
	case "len":
		w.len(n[0])
	case "low":
		w.lowSym(n[0])
	case "aligned":
		var lens [numAligned]uint8
		if err := codectest.Lens(lens[:], s.Args); err != nil {
			return err
		}
		w.aligned(lens[:])
	case "chars", "slots":
		part := w.main[:numChars]
		if s.Word == "slots" {
			part = w.main[numChars:numMain]
		}
		lens := bytes.Clone(part)
		if err := codectest.Lens(lens, s.Args); err != nil {
			return err
		}
		w.change(part, lens)
		w.mainCodes = codectest.Codes(w.main[:numMain])
	case "lengths":
		lens := bytes.Clone(w.length[:])
		if err := codectest.Lens(lens, s.Args); err != nil {
			return err
		}
		w.change(w.length[:], lens)
		w.lenCodes = codectest.Codes(lens)
	default:
		return fmt.Errorf("unknown step %s", s.Word)
	}
	return nil
}

func assemble(c codectest.Case) (src []byte, size, window int, err error) {
	w := writer{window: minWindow}
	for _, s := range c.Steps {
		if err := w.step(s, &size); err != nil {
			return nil, 0, 0, fmt.Errorf("line %d: %w", s.Line, err)
		}
	}
	return w.Buf, size, w.window, nil
}

func loadVectors(tb testing.TB) []codectest.Case {
	tb.Helper()
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		tb.Fatal(err)
	}
	cases, err := codectest.Parse(string(text))
	if err != nil {
		tb.Fatal(err)
	}
	return cases
}

const guard = 0xA5

// guarded returns a slice of size bytes in the middle of a larger one, and a check that nothing else was written.
func guarded(tb testing.TB, size int) (dst []byte, check func()) {
	const margin = 300
	buf := bytes.Repeat([]byte{guard}, size+2*margin)
	return buf[margin : margin+size], func() {
		tb.Helper()
		for i, b := range buf {
			if b != guard && (i < margin || i >= margin+size) {
				tb.Fatalf("wrote outside dst, at %d of %d", i-margin, size)
			}
		}
	}
}

func newDecoder(tb testing.TB, window int) *Decoder {
	tb.Helper()
	d, err := NewDecoder(window)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestVectors(t *testing.T) {
	for _, c := range loadVectors(t) {
		t.Run(c.Name, func(t *testing.T) {
			src, size, window, err := assemble(c)
			if err != nil {
				t.Fatal(err)
			}
			d := newDecoder(t, window)
			dst, check := guarded(t, size)
			if fast := d.decode(dst, src); fast != (c.Error == "") {
				t.Errorf("line %d: fast decoder: got success %v, want %v", c.Line, fast, c.Error == "")
			}
			check()
			for _, decode := range []struct {
				name string
				f    func(dst, src []byte) error
			}{
				{"Decode", d.Decode},
				{"DecodePlain", func(dst, src []byte) error { return DecodePlain(dst, src, window, nil) }},
			} {
				dst, check := guarded(t, size)
				err := decode.f(dst, src)
				check()
				if c.Error == "" {
					if err != nil {
						t.Fatalf("line %d: %s: %v", c.Line, decode.name, err)
					}
					if !bytes.Equal(dst, c.Want) {
						t.Errorf("line %d: %s: got %q, want %q", c.Line, decode.name, dst[:min(80, size)], c.Want[:min(80, len(c.Want))])
					}
					continue
				}
				var corrupt *CorruptError
				if !errors.As(err, &corrupt) || !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.Error) {
					t.Fatalf("line %d: %s: got error %v, want a CorruptError with %q", c.Line, decode.name, err, c.Error)
				}
				if corrupt.Out != len(c.Want) || !bytes.Equal(dst[:len(c.Want)], c.Want) {
					t.Errorf("line %d: %s: got %q up to the error, want %q", c.Line, decode.name, dst[:corrupt.Out], c.Want)
				}
			}
		})
	}
}

func TestWindows(t *testing.T) {
	// Distance slots by window size, as published.
	slots := map[int]int{1 << 15: 30, 1 << 16: 32, 1 << 17: 34, 1 << 18: 36, 1 << 19: 38, 1 << 20: 42, 1 << 21: 50}
	for size, want := range slots {
		if got := numSlots(size); got != want {
			t.Errorf("window %d: got %d slots, want %d", size, got, want)
		}
		// The largest distance, window-3, is the last one of the last slot.
		last := slotBase(want-1) - 2 + 1<<slotBits(want-1) - 1
		if last != size-3 {
			t.Errorf("window %d: last slot ends at distance %d, want %d", size, last, size-3)
		}
		d := newDecoder(t, size)
		for _, n := range []int{0, size + 1} {
			if err := d.Decode(make([]byte, n), make([]byte, 100)); !errors.Is(err, errChunkSize) {
				t.Errorf("window %d, chunk of %d: got %v, want %v", size, n, err, errChunkSize)
			}
		}
	}
	for _, size := range []int{-1, 0, 1 << 14, 1<<15 + 1, 3 << 15, 1 << 22} {
		if _, err := NewDecoder(size); err != ErrWindow {
			t.Errorf("NewDecoder(%d): got %v, want ErrWindow", size, err)
		}
		if err := DecodePlain(make([]byte, 1), nil, size, nil); err != ErrWindow {
			t.Errorf("DecodePlain, window %d: got %v, want ErrWindow", size, err)
		}
	}
}

// The fast search for calls finds the same as the plain one, at every alignment and near both ends.
func TestUntranslate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 200 {
		for range 20 {
			a := make([]byte, n)
			for i := range a {
				a[i] = [...]byte{0xE8, 0xE9, 0x68, 0, 1, 0xFF, byte(r.Uint32())}[r.IntN(7)]
			}
			b := bytes.Clone(a)
			buf := append(bytes.Clone(a), bytes.Repeat([]byte{0xE8}, 32)...)
			untranslate(buf[:n])
			untranslatePlain(b)
			if !bytes.Equal(buf[:n], b) {
				t.Fatalf("%x: got %x, want %x", a, buf[:n], b)
			}
			if !bytes.Equal(buf[n:], bytes.Repeat([]byte{0xE8}, 32)) {
				t.Fatalf("%x: wrote after the chunk", a)
			}
		}
	}
}

// The tokens of a chunk: block, literals and matches, with their offsets.
func TestTokens(t *testing.T) {
	w := writer{window: minWindow}
	size := 0
	for _, line := range []string{"block 1 6", "chars 'a':1", "slots 0:2 32:2", "lengths", "sym 'a' 256 'a' 288", "bits 0",
		"block 3 2", "align", "recents 1 1 1", `bytes "xy"`} {
		f := strings.Fields(line)
		if err := w.step(codectest.Step{Word: f[0], Args: f[1:]}, &size); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	if err := DecodePlain(make([]byte, 8), w.Buf, minWindow, func(k Token) {
		fmt.Fprintf(&got, "kind %d type %d bits %d out %d: sym %d slot %d length %d distance %d value %q\n",
			k.Kind, k.BlockType, k.Bits, k.Out, k.Symbol, k.Slot, k.Length, k.Distance, k.Value)
	}); err != nil {
		t.Fatal(err)
	}
	header := 20 + 3*numPre*4
	lens := 4*(numChars+30*8+numLengths) + 3 // each change takes 4 bits, but those to 1, 2 and 2 take 5
	want := fmt.Sprintf(`kind 0 type 1 bits %d out 0: sym 0 slot 0 length 6 distance 0 value '\x00'
kind 1 type 0 bits 1 out 0: sym 97 slot 0 length 1 distance 0 value 'a'
kind 2 type 0 bits 2 out 1: sym 256 slot 0 length 2 distance 1 value '\x00'
kind 1 type 0 bits 1 out 3: sym 97 slot 0 length 1 distance 0 value 'a'
kind 2 type 0 bits 3 out 4: sym 288 slot 4 length 2 distance 2 value '\x00'
kind 0 type 3 bits `, header+lens)
	if !strings.HasPrefix(got.String(), want) || !strings.HasSuffix(got.String(), "kind 3 type 0 bits 16 out 6: sym 0 slot 0 length 2 distance 0 value '\\x00'\n") {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// randomLens sets lens to a complete code over some of the symbols, keep among them, with codes of up to depth bits.
func randomLens(r *rand.Rand, lens []uint8, depth uint8, keep int) {
	clear(lens)
	leaves := []uint8{1, 1}
	for range r.IntN(len(lens) - 1) {
		i := r.IntN(len(leaves))
		if r.IntN(3) == 0 {
			i = len(leaves) - 1 // some codes become long
		}
		if leaves[i] < depth {
			leaves[i]++
			leaves = append(leaves, leaves[i])
		}
	}
	syms := r.Perm(len(lens))
	for i, sym := range syms {
		if sym == keep {
			syms[0], syms[i] = keep, syms[0]
		}
	}
	for i, l := range leaves {
		lens[syms[i]] = l
	}
}

// encode writes random blocks of random tokens in random codes. It returns the packed chunk, and the output before calls are
// translated back.
func encode(r *rand.Rand, window, size int) (src, want []byte) {
	w := writer{window: window}
	numMain := numChars + numSlots(window)*numHeaders
	recent := [3]int{1, 1, 1}
	for len(want) < size {
		block := 1 + r.IntN(min(size-len(want), 1<<(1+r.IntN(16))))
		if size-len(want) >= defaultBlock && r.IntN(2) == 0 {
			block = defaultBlock
		}
		end := len(want) + block
		kind := uint32(1 + r.IntN(3))
		if kind == blockRaw && r.IntN(3) != 0 {
			kind = blockAligned
		}
		w.block(kind, block)
		if kind == blockRaw {
			for i := range recent {
				recent[i] = 1 + r.IntN(window)
			}
			w.recents([3]uint32{uint32(recent[0]), uint32(recent[1]), uint32(recent[2])})
			for range block {
				want = append(want, byte(r.IntN(4)*0xE8))
			}
			w.Bytes(want[end-block:]...)
			if block%2 == 1 {
				w.Bytes(byte(r.Uint32()))
			}
			continue
		}
		if kind == blockAligned {
			var low [numAligned]uint8
			randomLens(r, low[:], 7, 0)
			w.aligned(low[:])
		}
		var lens [maxMain]uint8
		randomLens(r, lens[:numMain], uint8(10+r.IntN(7)), r.IntN(numChars))
		w.change(w.main[:numChars], lens[:numChars])
		w.change(w.main[numChars:numMain], lens[numChars:numMain])
		w.mainCodes = codectest.Codes(w.main[:numMain])
		var lengths [numLengths]uint8
		randomLens(r, lengths[:], uint8(8+r.IntN(9)), 0)
		w.change(w.length[:], lengths[:])
		w.lenCodes = codectest.Codes(lengths[:])
		var syms []int
		for sym, l := range lens {
			// Short codes are more frequent, as in real chunks.
			if l > 0 {
				for range 1 + 16>>l {
					syms = append(syms, sym)
				}
			}
		}
		literals := r.IntN(4)
		for len(want) < end {
			sym := syms[r.IntN(len(syms))]
			for try := 0; sym >= numChars && try < literals; try++ {
				sym = syms[r.IntN(len(syms))]
			}
			if sym < numChars {
				w.sym(sym)
				want = append(want, byte(sym))
				continue
			}
			slot, header := (sym-numChars)/numHeaders, sym%numHeaders
			length, more := header+minMatch, 0
			if header == longHeader {
				for more = r.IntN(numLengths); lengths[more] == 0; more = (more + 1) % numLengths {
				}
				length += more
			}
			if length > end-len(want) {
				continue
			}
			extra := slotBits(slot)
			dist, low, isLow := 0, 0, kind == blockAligned && extra >= alignedFrom
			if slot < numRecent {
				dist = recent[slot]
			} else {
				dist = slotBase(slot) - 2 + r.IntN(1<<extra)
				if isLow {
					low = (dist + 2 - slotBase(slot)) & 7
					dist -= low
					for low = r.IntN(8); w.low[low] == 0; low = (low + 1) % 8 {
					}
					dist += low
				}
			}
			if dist > len(want) {
				continue
			}
			w.sym(sym)
			if header == longHeader {
				w.len(more)
			}
			switch v := uint32(dist + 2 - slotBase(slot)); {
			case slot < numRecent:
				recent[0], recent[slot] = recent[slot], recent[0]
			case isLow:
				w.Bits(v>>3, int(extra)-3)
				w.lowSym(low)
			default:
				w.Bits(v, int(extra))
			}
			if slot >= numRecent {
				recent = [3]int{dist, recent[0], recent[1]}
			}
			for range length {
				want = append(want, want[len(want)-dist])
			}
		}
	}
	return w.Buf, want
}

// randomChunk returns a random chunk, mostly a small one, and its window.
func randomChunk(r *rand.Rand) (src, want []byte, window int) {
	window = minWindow << r.IntN(7)
	size := 1 + r.IntN(1<<(1+r.IntN(15)))
	if r.IntN(10) == 0 {
		size = 1 + r.IntN(min(window, 1<<18))
	}
	src, want = encode(r, window, size)
	return src, want, window
}

// Random tokens in random codes decode to their output: long codes, every slot and length, blocks of every kind and size.
func TestRandomTokens(t *testing.T) {
	for seed := range uint64(300) {
		src, want, window := randomChunk(rand.New(rand.NewPCG(seed, 1)))
		untranslatePlain(want)
		dst, check := guarded(t, len(want))
		if !newDecoder(t, window).decode(dst, src) {
			t.Fatalf("seed %d: fast decoder refuses; plain: %v", seed, DecodePlain(dst, src, window, nil))
		}
		check()
		if !bytes.Equal(dst, want) {
			t.Fatalf("seed %d: fast decoder differs", seed)
		}
		clear(dst)
		if err := DecodePlain(dst, src, window, nil); err != nil {
			t.Fatalf("seed %d: plain: %v", seed, err)
		}
		if !bytes.Equal(dst, want) {
			t.Fatalf("seed %d: plain decoder differs", seed)
		}
	}
}

// compare checks the fast decoder against the plain one: both return the same bytes or both refuse, and neither writes
// elsewhere.
func compare(t *testing.T, d *Decoder, size int, src []byte) {
	t.Helper()
	dst, check := guarded(t, size)
	fast := d.decode(dst, src)
	check()
	plain := make([]byte, size)
	err := DecodePlain(plain, src, d.window, nil)
	if fast != (err == nil) {
		t.Fatalf("fast decoder: success %v; plain: %v", fast, err)
	}
	if fast && !bytes.Equal(dst, plain) {
		t.Fatal("the decoders give different bytes")
	}
}

// Damaged chunks: changed bits, cut ends, other output sizes.
func TestDamaged(t *testing.T) {
	for seed := range uint64(800) {
		r := rand.New(rand.NewPCG(seed, 2))
		window := minWindow << r.IntN(7)
		src, want := encode(r, window, 1+r.IntN(2000))
		size := len(want)
		switch r.IntN(3) {
		case 0:
			src = src[:r.IntN(len(src)+1)]
		case 1:
			size += r.IntN(40) - 20
		}
		for range r.IntN(4) {
			if len(src) > 0 {
				src[r.IntN(len(src))] ^= 1 << r.IntN(8)
			}
		}
		compare(t, newDecoder(t, window), max(size, 0), src)
	}
}

// FuzzDecode: on any input the decoders agree and stay inside dst.
func FuzzDecode(f *testing.F) {
	for _, c := range loadVectors(f) {
		src, size, window, err := assemble(c)
		if err != nil {
			f.Fatal(err)
		}
		order := byte(0)
		for window > minWindow<<order {
			order++
		}
		f.Add(order, uint32(size), src)
	}
	f.Fuzz(func(t *testing.T, order byte, size uint32, src []byte) {
		compare(t, newDecoder(t, minWindow<<(order%7)), int(size%(1<<17)), src)
	})
}

// FuzzTokens: both decoders decode any tokens that an encoder may write.
func FuzzTokens(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		src, want, window := randomChunk(rand.New(rand.NewPCG(a, b)))
		untranslatePlain(want)
		d := newDecoder(t, window)
		got := make([]byte, len(want))
		if err := d.Decode(got, src); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("error %v, bytes differ: %v", err, !bytes.Equal(got, want))
		}
		compare(t, d, len(want), src)
	})
}
