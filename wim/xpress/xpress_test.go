package xpress

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"wimscope/wim/internal/codectest"
)

// assemble returns the packed chunk of a vector and the size of its output.
func assemble(c codectest.Case) (src []byte, size int, err error) {
	var w codectest.Writer
	var lens [numSyms]uint8
	var codes []uint32
	for _, s := range c.Steps {
		if done, err := s.Put(&w); err != nil {
			return nil, 0, err
		} else if done {
			continue
		}
		switch s.Word {
		case "size":
			if size, err = s.Int(0); err != nil {
				return nil, 0, err
			}
		case "table":
			if err := codectest.Lens(lens[:], s.Args); err != nil {
				return nil, 0, err
			}
			for i := 0; i < numSyms; i += 2 {
				w.Bytes(lens[i] | lens[i+1]<<4)
			}
			w.Fetch(32)
			codes = codectest.Codes(lens[:])
		case "sym":
			for i := range s.Args {
				sym, err := s.Int(i)
				if err != nil {
					return nil, 0, err
				}
				w.Bits(codes[sym], int(lens[sym]))
				w.Fetch(16)
			}
		default:
			return nil, 0, fmt.Errorf("line %d: unknown step %s", s.Line, s.Word)
		}
	}
	return w.Buf, size, nil
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

func TestVectors(t *testing.T) {
	d := NewDecoder()
	for _, c := range loadVectors(t) {
		t.Run(c.Name, func(t *testing.T) {
			src, size, err := assemble(c)
			if err != nil {
				t.Fatal(err)
			}
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
				{"DecodePlain", func(dst, src []byte) error { return DecodePlain(dst, src, nil) }},
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

func TestChunkSizes(t *testing.T) {
	src := make([]byte, 300)
	for _, size := range []int{0, maxChunk + 1} {
		if err := NewDecoder().Decode(make([]byte, size), src); !errors.Is(err, errChunkSize) {
			t.Errorf("%d bytes: got %v, want %v", size, err, errChunkSize)
		}
	}
}

// The tokens of a chunk lie end to end, the table first.
func TestTokens(t *testing.T) {
	var got strings.Builder
	src, size, err := assemble(codectest.Case{Steps: []codectest.Step{
		{Word: "size", Args: []string{"21"}},
		{Word: "table", Args: []string{"'a':1", "0x10f:2", "0x110:2"}},
		{Word: "sym", Args: []string{"'a'", "0x10f"}},
		{Word: "bytes", Args: []string{"00"}},
		{Word: "sym", Args: []string{"'a'", "'a'"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := DecodePlain(make([]byte, size), src, func(k Token) {
		fmt.Fprintf(&got, "kind %d bit %d+%d out %d: sym %d length %d distance %d value %q\n",
			k.Kind, k.Bit, k.Bits, k.Out, k.Symbol, k.Length, k.Distance, k.Value)
	}); err != nil {
		t.Fatal(err)
	}
	want := `kind 0 bit 0+2048 out 0: sym 0 length 0 distance 0 value '\x00'
kind 1 bit 2048+1 out 0: sym 97 length 1 distance 0 value 'a'
kind 2 bit 2049+10 out 1: sym 271 length 18 distance 1 value '\x00'
kind 1 bit 2059+1 out 19: sym 97 length 1 distance 0 value 'a'
kind 1 bit 2060+1 out 20: sym 97 length 1 distance 0 value 'a'
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// randomLens sets lens to a complete code over some of the symbols, with codes of up to depth bits.
func randomLens(r *rand.Rand, lens *[numSyms]uint8, depth uint8) {
	clear(lens[:])
	leaves := []uint8{0}
	for want := 2 + r.IntN(numSyms-2); len(leaves) < want; {
		i := r.IntN(len(leaves))
		if r.IntN(3) == 0 {
			i = len(leaves) - 1 // some codes become long
		}
		if leaves[i] == depth {
			want--
			continue
		}
		leaves[i]++
		leaves = append(leaves, leaves[i])
	}
	if len(leaves) == 1 {
		leaves = []uint8{1, 1}
	}
	syms := r.Perm(numSyms)
	syms[0] = syms[0] % 256 // one literal, for the first token
	used := map[int]bool{}
	i := 0
	for _, l := range leaves {
		for used[syms[i]] {
			i++
		}
		lens[syms[i]] = l
		used[syms[i]] = true
	}
}

// encode writes random tokens in a random code, for about size bytes of output. It returns the packed chunk and the output.
func encode(r *rand.Rand, size int) (src, want []byte) {
	var lens [numSyms]uint8
	randomLens(r, &lens, uint8(9+r.IntN(maxCodeLen-9+1)))
	codes := codectest.Codes(lens[:])
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
	var w codectest.Writer
	for i := 0; i < numSyms; i += 2 {
		w.Bytes(lens[i] | lens[i+1]<<4)
	}
	w.Fetch(32)
	for len(want) < size {
		sym := syms[r.IntN(len(syms))]
		for try := 0; sym >= 256 && try < literals; try++ {
			sym = syms[r.IntN(len(syms))]
		}
		if sym < 256 {
			w.Bits(codes[sym], int(lens[sym]))
			w.Fetch(16)
			want = append(want, byte(sym))
			continue
		}
		distBits := (sym - 256) >> 4
		most := min(2<<distBits-1, len(want))
		if most < 1<<distBits {
			continue // no such distance yet; there is a literal
		}
		dist := 1<<distBits + r.IntN(most-1<<distBits+1)
		length := sym&15 + minMatch
		var more []byte
		if sym&15 == longLength {
			switch extra := r.IntN(300); {
			case extra < hugeLength:
				length += extra
				more = []byte{byte(extra)}
			default:
				length = minMatch + r.IntN(1000)
				more = []byte{hugeLength, byte(length - minMatch), byte((length - minMatch) >> 8)}
			}
		}
		if length > size-len(want) {
			if size-len(want) < 400 {
				size = len(want) // end here: a chunk may have any size
			}
			continue
		}
		w.Bits(codes[sym], int(lens[sym]))
		w.Fetch(16)
		w.Bytes(more...)
		w.Bits(uint32(dist-1<<distBits), distBits)
		w.Fetch(16)
		for range length {
			want = append(want, want[len(want)-dist])
		}
	}
	return w.Buf, want
}

// Random tokens in random codes decode to their output: long codes, every distance and length, both ends of a chunk.
func TestRandomTokens(t *testing.T) {
	d := NewDecoder()
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		src, want := encode(r, 1+r.IntN(1<<(1+r.IntN(16))))
		if len(want) == 0 {
			continue
		}
		dst, check := guarded(t, len(want))
		if !d.decode(dst, src) {
			t.Fatalf("seed %d: fast decoder refuses; plain: %v", seed, DecodePlain(dst, src, nil))
		}
		check()
		if !bytes.Equal(dst, want) {
			t.Fatalf("seed %d: fast decoder differs", seed)
		}
		clear(dst)
		if err := DecodePlain(dst, src, nil); err != nil {
			t.Fatalf("seed %d: plain: %v", seed, err)
		}
		if !bytes.Equal(dst, want) {
			t.Fatalf("seed %d: plain decoder differs", seed)
		}
	}
}

// compare checks the fast decoder against the plain one: both return the same bytes or both refuse, and neither writes
// elsewhere.
func compare(t *testing.T, size int, src []byte) {
	t.Helper()
	dst, check := guarded(t, size)
	fast := NewDecoder().decode(dst, src)
	check()
	plain := make([]byte, size)
	err := DecodePlain(plain, src, nil)
	if fast != (err == nil) {
		t.Fatalf("fast decoder: success %v; plain: %v", fast, err)
	}
	if fast && !bytes.Equal(dst, plain) {
		t.Fatal("the decoders give different bytes")
	}
}

// Damaged chunks: changed bits, cut ends, other output sizes.
func TestDamaged(t *testing.T) {
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 2))
		src, want := encode(r, 1+r.IntN(3000))
		size := len(want)
		switch r.IntN(3) {
		case 0:
			src = src[:r.IntN(len(src)+1)]
		case 1:
			size += r.IntN(40) - 20
		}
		for range r.IntN(4) {
			if len(src) > 0 {
				at := r.IntN(len(src))
				if r.IntN(2) == 0 && len(src) > tableSize {
					at = tableSize + r.IntN(len(src)-tableSize)
				}
				src[at] ^= 1 << r.IntN(8)
			}
		}
		compare(t, max(size, 0), src)
	}
}

// FuzzDecode: on any input the decoders agree and stay inside dst.
func FuzzDecode(f *testing.F) {
	for _, c := range loadVectors(f) {
		src, size, err := assemble(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint32(size), src)
	}
	f.Fuzz(func(t *testing.T, size uint32, src []byte) {
		compare(t, int(size%(maxChunk+2)), src)
	})
}

// FuzzTokens: both decoders decode any tokens that an encoder may write.
func FuzzTokens(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint16(100))
	f.Fuzz(func(t *testing.T, a, b uint64, size uint16) {
		src, want := encode(rand.New(rand.NewPCG(a, b)), int(size))
		if len(want) == 0 {
			return
		}
		got := make([]byte, len(want))
		if err := NewDecoder().Decode(got, src); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("error %v, bytes differ: %v", err, !bytes.Equal(got, want))
		}
		compare(t, len(want), src)
	})
}
