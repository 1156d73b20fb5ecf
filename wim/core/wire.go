package core

import (
	"encoding/binary"
	"math"
)

const (
	maxEntryNo = 1 << 30
)

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// cursor reads packed values. After the first one that is not there, bad is set and all are zero.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.b)) {
		c.bad, c.b = true, nil
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) byte() byte {
	if p := c.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if p := c.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if p := c.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.b)
	if c.bad || n <= 0 {
		c.bad, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return v
}

// size reads a length or offset that must fit int64.
func (c *cursor) size() int64 {
	v := c.uvarint()
	if v > 1<<62 {
		c.bad, c.b = true, nil
		return 0
	}
	return int64(v)
}

// count reads how many values follow, each at least size bytes long: never more than the bytes that are there.
func (c *cursor) count(size int) int {
	v := c.uvarint()
	if v > uint64(len(c.b)/size) || v > maxEntryNo {
		c.bad, c.b = true, nil
		return 0
	}
	return int(v)
}

func (c *cursor) text() string { return string(c.take(c.uvarint())) }

func appendBytes(b, v []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

func appendSizes(b []byte, sizes []uint32) []byte {
	b = binary.AppendUvarint(b, uint64(len(sizes)))
	for _, n := range sizes {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

// sizes reads what appendSizes wrote.
func (c *cursor) sizes() []uint32 {
	n := c.count(1)
	if n == 0 {
		return nil
	}
	list := make([]uint32, n)
	for i := range list {
		v := c.uvarint()
		if v > 1<<32-1 {
			c.bad, c.b = true, nil
		}
		list[i] = uint32(v)
	}
	return list
}

// maxLength bounds lengths and places in a packed shard, so that a few of them can be added up.
const maxLength = 1 << 60

// length reads a length or place.
func (c *cursor) length() int64 {
	v := c.size()
	if v > maxLength {
		c.bad, c.b = true, nil
		return 0
	}
	return v
}

// delta reads a place told as its distance from another one.
func (c *cursor) delta(from int64) int64 {
	v, n := binary.Varint(c.b)
	if c.bad || n <= 0 || v > 4*maxLength || v < -4*maxLength || from+v < 0 || from+v > maxLength {
		c.bad, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return from + v
}

// int32 reads a number and clamps it to the range of int32.
func (c *cursor) int32() int32 { return int32(min(c.size(), math.MaxInt32)) }

// some reads a run of bytes, nil if it is empty. It points into what is parsed.
func (c *cursor) some() []byte {
	p := c.take(c.uvarint())
	if len(p) == 0 {
		return nil
	}
	return p
}
