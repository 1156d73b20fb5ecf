package lzms

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Level 1: of a few earlier places with the same four bytes, and the recent offsets, the one that promises to save most; unless the next place has
// something better.

const (
	chainDepth = 12 // earlier places looked at
	farDepth   = 6  // in a large chunk, where each of them lies outside the processor's caches
	farSize    = 1 << 20
	chainNice  = 64 // a match so long is taken at once
	restSize   = 1 << 16
)

// chains finds earlier places with the same first four bytes.
type chains struct {
	head  []uint32 // of each hash: the latest place, from 1, plus base
	prev  []uint32 // of each place: the one before with its hash, likewise
	shift uint32   // makes a hash from a product
	base  uint32   // grows from chunk to chunk by so much that places of earlier ones are not above it
	size  uint32   // of the chunk
	depth int      // earlier places looked at
}

// chainOrder is the number of bits of a hash.
func chainOrder(size int) int { return min(max(bits.Len(uint(size-1)), 12), 20) }

func newChains(size int) *chains {
	order := chainOrder(size)
	return &chains{head: make([]uint32, 1<<order), prev: make([]uint32, size), shift: uint32(32 - order)}
}

func chainsMemory(size int) int64 { return 4<<chainOrder(size) + 4*int64(size) }

// reset takes up a chunk of so many bytes.
func (c *chains) reset(size int) {
	if c.base += c.size; c.base > 1<<31 {
		c.base = 0
		clear(c.head)
	}
	c.size = uint32(size)
	c.depth = chainDepth
	if size > farSize {
		c.depth = farDepth
	}
}

// matchLength is how many bytes from a and b on are the same, at most limit. After limit bytes from either, 8 more can be read.
func matchLength(a, b unsafe.Pointer, limit int) int {
	i := 0
	for i < limit {
		x := *(*uint64)(unsafe.Add(a, i)) ^ *(*uint64)(unsafe.Add(b, i))
		if x != 0 {
			return min(i+bits.TrailingZeros64(x)>>3, limit)
		}
		i += 8
	}
	return limit
}

// insert adds a place that has four bytes, and gives what was the latest one with their hash.
func (c *chains) insert(buf []byte, at int) uint32 {
	h := binary.LittleEndian.Uint32(buf[at:]) * 0x9E3779B1 >> (c.shift & 31)
	was := c.head[h]
	c.head[h] = c.base + uint32(at+1)
	c.prev[at] = was
	return was
}

// fastMatch is the best match at a place, and how many bits it may save.
type fastMatch struct {
	length int
	source uint32
	gain   int
}

// find looks for the best match at at, and adds the place.
func (e *Encoder) find(at int) (best fastMatch) {
	limit := e.n - at
	if limit < 4 {
		return
	}
	buf := unsafe.Pointer(&e.buf[0])
	here := unsafe.Add(buf, at)
	word := *(*uint32)(here)
	r01, r2 := recent(e.cur.lz01, e.cur.lz23, e.cur.ctx&lzLate)
	for which := range uint32(3) {
		offset := uint32(r01)
		r01 = r01>>32 | r2<<32
		if int(offset) > at || *(*uint32)(unsafe.Add(here, -int(offset)))<<8 != word<<8 {
			continue
		}
		l := matchLength(here, unsafe.Add(here, -int(offset)), limit)
		if gain := l*6 - 6; gain > best.gain {
			best = fastMatch{l, which, gain}
		}
	}
	c := e.fast
	p := c.insert(e.buf, at)
	for range c.depth {
		if p <= c.base {
			break
		}
		from := int(p-c.base) - 1
		p = c.prev[from]
		there := unsafe.Add(buf, from)
		if best.length >= chainNice {
			break
		}
		if *(*uint32)(there) != word || best.length < limit && *(*byte)(unsafe.Add(there, best.length)) != *(*byte)(unsafe.Add(here, best.length)) {
			continue
		}
		l := matchLength(here, there, limit)
		offset := uint32(at - from)
		if gain := l*6 - 9 - bits.Len32(offset); gain > best.gain {
			best = fastMatch{l, offset + sourceBase, gain}
		}
	}
	return best
}

// parseFast packs the chunk.
func (e *Encoder) parseFast(rest func() error) error {
	e.fast.reset(e.n)
	next := restSize
	at := 0
	var ahead fastMatch
	have := false
	for at < e.n {
		if at >= next {
			if rest != nil {
				if err := rest(); err != nil {
					return err
				}
			}
			if e.out.failed {
				return nil
			}
			next = at + restSize
		}
		m := ahead
		if !have {
			m = e.find(at)
		}
		have = false
		if m.gain <= 0 {
			e.write(at, 1, sourceLiteral)
			at++
			continue
		}
		if m.length < chainNice && at+1 < e.n {
			// A recent offset is told by its number, which a literal before it changes: so it is looked up as it will be then.
			was := e.cur
			e.cur.literal()
			ahead = e.find(at + 1)
			e.cur = was
			if ahead.gain > m.gain+2 {
				e.write(at, 1, sourceLiteral)
				at++
				have = true
				continue
			}
			e.write(at, m.length, m.source)
			e.fastSkip(at+2, at+m.length)
		} else {
			e.write(at, m.length, m.source)
			e.fastSkip(at+1, at+m.length)
		}
		at += m.length
	}
	return nil
}

// fastSkip adds places that a match covers; of a very long one only the last.
func (e *Encoder) fastSkip(from, to int) {
	for i := max(from, to-1024); i < min(to, e.n-3); i++ {
		e.fast.insert(e.buf, i)
	}
}
