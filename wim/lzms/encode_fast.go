package lzms

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Level 1 takes, of the recent offsets and a few earlier positions with the same four bytes, the match that is expected to save most,
// unless the next position has a better one.

const (
	chainDepth = 12 // earlier positions tried
	farDepth   = 6  // the same in chunks larger than farSize, where each of them lies outside the processor's caches
	farSize    = 1 << 20
	chainNice  = 64      // a match of this length is taken at once
	restSize   = 1 << 16 // bytes between calls of rest
)

// chains finds earlier positions with the same first four bytes.
type chains struct {
	head  []uint32 // by hash: the latest position, from 1, plus base
	prev  []uint32 // by position: the one before with the same hash, likewise
	shift uint32   // makes a hash from a product
	base  uint32   // grows with each chunk, so that entries of earlier chunks are not above it
	size  uint32   // of the chunk
	depth int      // earlier positions tried
}

// chainOrder returns the number of bits of a hash.
func chainOrder(size int) int { return min(max(bits.Len(uint(size-1)), 12), 20) }

func newChains(size int) *chains {
	order := chainOrder(size)
	return &chains{head: make([]uint32, 1<<order), prev: make([]uint32, size), shift: uint32(32 - order)}
}

func chainsMemory(size int) int64 { return 4<<chainOrder(size) + 4*int64(size) }

// reset starts with a new chunk of size bytes.
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

// matchLength returns the number of equal bytes from a and b on, at most limit. It may read 8 bytes past limit.
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

// insert inserts a position, which has at least four bytes, and returns the entry of the latest one with the same hash before.
func (c *chains) insert(buf []byte, at int) uint32 {
	h := binary.LittleEndian.Uint32(buf[at:]) * 0x9E3779B1 >> (c.shift & 31)
	was := c.head[h]
	c.head[h] = c.base + uint32(at+1)
	c.prev[at] = was
	return was
}

// fastMatch is the best match at a position. gain estimates how many bits it saves.
type fastMatch struct {
	length int
	source uint32
	gain   int
}

// find returns the best match at position at, and inserts the position.
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

// parseFast packs the chunk at level 1.
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
			// The recent offsets change after a literal, so look with those that hold then.
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

// fastSkip inserts the positions that a match covers, at most the last 1024.
func (e *Encoder) fastSkip(from, to int) {
	for i := max(from, to-1024); i < min(to, e.n-3); i++ {
		e.fast.insert(e.buf, i)
	}
}
