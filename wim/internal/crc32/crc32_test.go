package crc32

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

func random(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{3}).Read(b)
	return b
}

// own returns a table that is filled on all platforms.
func own() *Table {
	t := new(Table)
	t.fill()
	return t
}

// Sizes around the steps and the pieces, at every alignment, against hash/crc32.
func TestSum(t *testing.T) {
	data := random(3*piece + 100)
	o, std := own(), New()
	for _, n := range []int{0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 100, 255, 256, 1000, piece - 1, piece, piece + 1, piece + 15, 2 * piece, 3*piece + 77} {
		for at := range 17 {
			b := data[at : at+n]
			want := crc32.ChecksumIEEE(b)
			if got := o.own(b); got != want {
				t.Fatalf("own loop, %d bytes at %d: got %08x, want %08x", n, at, got, want)
			}
			if got := std.Sum(b); got != want {
				t.Fatalf("Sum, %d bytes at %d: got %08x, want %08x", n, at, got, want)
			}
		}
	}
	if got := o.own([]byte("123456789")); got != 0xCBF43926 {
		t.Errorf("the check value: got %08x", got)
	}
}

func TestJoin(t *testing.T) {
	data := random(2000)
	want := crc32.ChecksumIEEE(data)
	for cut := range len(data) + 1 {
		if got := Join(crc32.ChecksumIEEE(data[:cut]), crc32.ChecksumIEEE(data[cut:]), int64(len(data)-cut)); got != want {
			t.Fatalf("joined at %d: got %08x, want %08x", cut, got, want)
		}
	}
	// More bytes than a test can hold: 2^32+1 zeros after a byte, in two steps and in one.
	a := crc32.ChecksumIEEE([]byte{7})
	zero := crc32.ChecksumIEEE([]byte{0})
	half := zero // of 2^k zeros
	for k := range 32 {
		half = Join(half, half, 1<<k)
	}
	if one, two := Join(Join(a, half, 1<<32), zero, 1), Join(a, Join(half, zero, 1), 1<<32+1); one != two {
		t.Errorf("2^32+1 zeros: %08x at once, %08x in steps", two, one)
	}
}

func FuzzSum(f *testing.F) {
	f.Add([]byte("123456789"), uint16(4))
	f.Add(random(1000), uint16(333))
	o := own()
	f.Fuzz(func(t *testing.T, b []byte, cut uint16) {
		want := crc32.ChecksumIEEE(b)
		if got := o.own(b); got != want {
			t.Errorf("got %08x, want %08x", got, want)
		}
		at := min(int(cut), len(b))
		if got := Join(o.own(b[:at]), o.own(b[at:]), int64(len(b)-at)); got != want {
			t.Errorf("joined at %d: got %08x, want %08x", at, got, want)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	data := random(1 << 20)
	o := own()
	for _, c := range []struct {
		name string
		sum  func([]byte) uint32
	}{{"own", o.own}, {"std", crc32.ChecksumIEEE}} {
		b.Run(c.name+"/1M", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				c.sum(data)
			}
		})
	}
}
