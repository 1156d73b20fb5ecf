// Package wire encodes and decodes the values in messages between workers: shards, results, entries.
//
// Numbers are varints; strings and lists are preceded by their length. A message is no more trusted than a file: a Cursor checks
// every length against the bytes that are left.
package wire

import (
	"encoding/binary"
	"math"
)

// maxCount bounds the number of values in a list.
const maxCount = 1 << 30

// AppendText appends a string, which Text reads.
func AppendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Cursor reads values from the front of B. At the first one that is truncated or out of range it sets Bad; that value and all
// later ones are zero.
type Cursor struct {
	B   []byte // what is left
	Bad bool
}

// Take returns the next n bytes, as a part of the message.
func (c *Cursor) Take(n uint64) []byte {
	if c.Bad || n > uint64(len(c.B)) {
		c.Bad, c.B = true, nil
		return nil
	}
	out := c.B[:n]
	c.B = c.B[n:]
	return out
}

// Byte reads a byte.
func (c *Cursor) Byte() byte {
	if p := c.Take(1); p != nil {
		return p[0]
	}
	return 0
}

// U32 reads four bytes, little-endian.
func (c *Cursor) U32() uint32 {
	if p := c.Take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

// U64 reads eight bytes, little-endian.
func (c *Cursor) U64() uint64 {
	if p := c.Take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// Uvarint reads a varint.
func (c *Cursor) Uvarint() uint64 {
	v, n := binary.Uvarint(c.B)
	if c.Bad || n <= 0 {
		c.Bad, c.B = true, nil
		return 0
	}
	c.B = c.B[n:]
	return v
}

// Size reads a length or offset of at most 1<<62.
func (c *Cursor) Size() int64 {
	v := c.Uvarint()
	if v > 1<<62 {
		c.Bad, c.B = true, nil
		return 0
	}
	return int64(v)
}

// Count reads the number of values that follow, each at least size bytes long. It never returns more than the remaining bytes can
// hold.
func (c *Cursor) Count(size int) int {
	v := c.Uvarint()
	if v > uint64(len(c.B)/size) || v > maxCount {
		c.Bad, c.B = true, nil
		return 0
	}
	return int(v)
}

// Text reads a string.
func (c *Cursor) Text() string { return string(c.Take(c.Uvarint())) }

// AppendBytes appends bytes, which Some reads.
func AppendBytes(b, v []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// AppendSizes appends a list of numbers, which Sizes reads.
func AppendSizes(b []byte, sizes []uint32) []byte {
	b = binary.AppendUvarint(b, uint64(len(sizes)))
	for _, n := range sizes {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

// Sizes reads a list of numbers.
func (c *Cursor) Sizes() []uint32 {
	n := c.Count(1)
	if n == 0 {
		return nil
	}
	list := make([]uint32, n)
	for i := range list {
		v := c.Uvarint()
		if v > 1<<32-1 {
			c.Bad, c.B = true, nil
		}
		list[i] = uint32(v)
	}
	return list
}

// MaxLength bounds lengths and offsets, so that a few of them can be added without overflow.
const MaxLength = 1 << 60

// Length reads a length or offset of at most MaxLength.
func (c *Cursor) Length() int64 {
	v := c.Size()
	if v > MaxLength {
		c.Bad, c.B = true, nil
		return 0
	}
	return v
}

// Delta reads an offset that is stored as its difference from another one.
func (c *Cursor) Delta(from int64) int64 {
	v, n := binary.Varint(c.B)
	if c.Bad || n <= 0 || v > 4*MaxLength || v < -4*MaxLength || from+v < 0 || from+v > MaxLength {
		c.Bad, c.B = true, nil
		return 0
	}
	c.B = c.B[n:]
	return from + v
}

// Int32 reads a number and clamps it to the range of int32.
func (c *Cursor) Int32() int32 { return int32(min(c.Size(), math.MaxInt32)) }

// Some reads bytes and returns them as a part of the message, or nil if there are none.
func (c *Cursor) Some() []byte {
	p := c.Take(c.Uvarint())
	if len(p) == 0 {
		return nil
	}
	return p
}
