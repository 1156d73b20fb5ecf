package wire

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// message holds one value of each kind; read returns what a cursor reads of it.
func message() []byte {
	b := []byte{7}
	b = binary.LittleEndian.AppendUint32(b, 0xdeadbeef)
	b = binary.LittleEndian.AppendUint64(b, 1<<63+5)
	b = binary.AppendUvarint(b, math.MaxUint64)
	b = binary.AppendUvarint(b, 1<<62)
	b = binary.AppendUvarint(b, MaxLength)
	b = binary.AppendVarint(b, -300)
	b = binary.AppendUvarint(b, 1<<40)
	b = AppendText(b, "text")
	b = AppendBytes(b, []byte{1, 2, 3})
	b = AppendBytes(b, nil)
	return AppendSizes(b, []uint32{0, 1, math.MaxUint32})
}

type values struct {
	one           byte
	u32           uint32
	u64, varint   uint64
	size, length  int64
	delta         int64
	clamped       int32
	text          string
	some, nothing []byte
	sizes         []uint32
}

func read(c *Cursor) values {
	return values{c.Byte(), c.U32(), c.U64(), c.Uvarint(), c.Size(), c.Length(), c.Delta(1000), c.Int32(), c.Text(), c.Some(), c.Some(), c.Sizes()}
}

// TestThereAndBack reads what was appended, to the last byte.
func TestThereAndBack(t *testing.T) {
	c := Cursor{B: message()}
	v := read(&c)
	if c.Bad || len(c.B) != 0 {
		t.Fatalf("bad: %v, %d bytes are left", c.Bad, len(c.B))
	}
	if v.one != 7 || v.u32 != 0xdeadbeef || v.u64 != 1<<63+5 || v.varint != math.MaxUint64 || v.size != 1<<62 || v.length != MaxLength ||
		v.delta != 700 || v.clamped != math.MaxInt32 || v.text != "text" || !slices.Equal(v.some, []byte{1, 2, 3}) || v.nothing != nil ||
		!slices.Equal(v.sizes, []uint32{0, 1, math.MaxUint32}) {
		t.Errorf("got %+v", v)
	}
}

// TestTruncated cuts the message at every place: the cursor is bad then, and reads nothing more.
func TestTruncated(t *testing.T) {
	whole := message()
	for n := range whole {
		c := Cursor{B: whole[:n]}
		if read(&c); !c.Bad {
			t.Errorf("%d of %d bytes are read without an error", n, len(whole))
		}
		if c.Byte() != 0 || c.Uvarint() != 0 || c.Text() != "" || c.Sizes() != nil {
			t.Errorf("cut at %d, later values are not zero", n)
		}
	}
}

// TestOutOfRange gives each kind of number a value that it may not have.
func TestOutOfRange(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		read func(c *Cursor)
	}{
		"a size of 2^62+1":              {binary.AppendUvarint(nil, 1<<62+1), func(c *Cursor) { c.Size() }},
		"a length of 2^60+1":            {binary.AppendUvarint(nil, MaxLength+1), func(c *Cursor) { c.Length() }},
		"an offset before 0":            {binary.AppendVarint(nil, -11), func(c *Cursor) { c.Delta(10) }},
		"an offset beyond 2^60":         {binary.AppendVarint(nil, MaxLength), func(c *Cursor) { c.Delta(1) }},
		"a difference that overflows":   {binary.AppendVarint(nil, math.MinInt64), func(c *Cursor) { c.Delta(1) }},
		"more values than bytes":        {append(binary.AppendUvarint(nil, 3), make([]byte, 11)...), func(c *Cursor) { c.Count(4) }},
		"a number of more than 32 bits": {binary.AppendUvarint([]byte{1}, 1<<32), func(c *Cursor) { c.Sizes() }},
		"a text longer than all":        {append(binary.AppendUvarint(nil, 1<<63), "text"...), func(c *Cursor) { c.Text() }},
		"a varint of eleven bytes":      {slices.Repeat([]byte{0xff}, 11), func(c *Cursor) { c.Uvarint() }},
	} {
		cur := Cursor{B: c.b}
		if c.read(&cur); !cur.Bad || cur.B != nil {
			t.Errorf("%s: bad %v, %d bytes are left", name, cur.Bad, len(cur.B))
		}
	}
}
