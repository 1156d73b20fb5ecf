package bitio_test

import (
	"bytes"
	"testing"

	"wimscope/wim/internal/bitio"
	"wimscope/wim/internal/codectest"
)

// Bits come from the top of little-endian units.
func TestBits(t *testing.T) {
	r := bitio.Reader{Src: []byte{0x34, 0x12, 0x78, 0x56}}
	for _, c := range []struct {
		n    uint
		want uint32
		pos  int64
	}{{4, 1, 4}, {0, 0, 4}, {8, 0x23, 12}, {12, 0x456, 24}, {8, 0x78, 32}} {
		got, err := r.Bits(c.n)
		if err != nil || got != c.want || r.Pos() != c.pos {
			t.Errorf("%d bits: got %#x at %d, %v; want %#x at %d", c.n, got, r.Pos(), err, c.want, c.pos)
		}
	}
	if _, err := r.Bits(1); err != bitio.ErrEnd {
		t.Errorf("past the end: got %v, want ErrEnd", err)
	}
}

// A byte is the next one after the fetched units. A last odd byte is not a unit, but can be read as a byte.
func TestBytesBetweenBits(t *testing.T) {
	var w codectest.Writer
	w.Fetch(32)
	w.Bits(0b101, 3)
	w.Fetch(16)
	w.Bytes('a')
	w.Bits(0xABCD, 16)
	w.Bits(0x1FFFF, 17)
	w.Bytes('b', 'c', 'd')
	r := bitio.Reader{Src: w.Buf}
	r.Fetch(32)
	v, err := r.Bits(3)
	if v != 0b101 || err != nil {
		t.Fatalf("got %b, %v", v, err)
	}
	r.Fetch(16)
	if b, err := r.Byte(); b != 'a' || err != nil {
		t.Fatalf("got %q, %v, want a", b, err)
	}
	if v, err = r.Bits(16); v != 0xABCD || err != nil {
		t.Fatalf("got %x, %v", v, err)
	}
	if v, err = r.Bits(17); v != 0x1FFFF || err != nil {
		t.Fatalf("got %x, %v", v, err)
	}
	if b, err := r.Bytes(2); !bytes.Equal(b, []byte("bc")) || err != nil {
		t.Fatalf("got %q, %v, want bc", b, err)
	}
	if r.Fetch(32); r.Held() >= 32 {
		t.Errorf("an odd byte was fetched as a unit")
	}
	if b, err := r.Byte(); b != 'd' || err != nil {
		t.Fatalf("got %q, %v, want d", b, err)
	}
	if _, err := r.Byte(); err != bitio.ErrEnd {
		t.Errorf("got %v, want ErrEnd", err)
	}
	if _, err := r.Bytes(1); err != bitio.ErrEnd {
		t.Errorf("got %v, want ErrEnd", err)
	}
}
