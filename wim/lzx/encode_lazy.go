package lzx

import (
	"math/bits"
	"unsafe"
)

// lengthAt returns the number of equal bytes at p and at q < p of the chunk, at most limit. It may read the slack.
func lengthAt(data unsafe.Pointer, p, q, limit int) int {
	a, b := unsafe.Add(data, p), unsafe.Add(data, q)
	for l := 0; l < limit; l += 8 {
		if x := *(*uint64)(unsafe.Add(a, l)) ^ *(*uint64)(unsafe.Add(b, l)); x != 0 {
			return min(l+bits.TrailingZeros64(x)>>3, limit)
		}
	}
	return limit
}

// recentMatch returns the longest match of 2 to limit bytes at p with a recent distance, as a token, or 0.
func recentMatch(data unsafe.Pointer, p, limit int, queue uint64) uint32 {
	best := uint32(0)
	if limit < minMatch {
		return 0
	}
	x := *(*uint16)(unsafe.Add(data, p))
	for r := range uint32(numRecent) {
		d := int(queue & recentMask)
		queue >>= recentBits
		if d <= p && *(*uint16)(unsafe.Add(data, p-d)) == x {
			if l := uint32(lengthAt(data, p, p-d, limit)); l > best&tokenLength {
				best = r<<tokenShift | l
			}
		}
	}
	return best
}

// worth estimates what a match saves compared with literals, in quarters of a bit; below 0 if nothing.
func worth(token uint32) int {
	l, v := int(token&tokenLength), token>>tokenShift
	if l < minMatch {
		return -1
	}
	if v < numRecent {
		return 24*l - 22
	}
	return 24*l - 40 - 4*min(bits.Len32(v)-2, 17) // the extra bits of v
}

// oneLiteral is about the cost of a literal, in the units of worth. A match that begins one byte later must save so much more.
const oneLiteral = 24

// better returns the token that saves more, or 0 if neither saves anything.
func better(a, b uint32) uint32 {
	wa, wb := worth(a), worth(b)
	switch {
	case wa < 0 && wb < 0:
		return 0
	case wa >= wb:
		return a
	default:
		return b
	}
}

// counter divides tokens into segments.
type counter struct {
	e       *Encoder
	segment int
	next    int // position from which on the next segment may begin
	size    int // of a segment, in bytes
}

func (e *Encoder) count(start, end int) counter {
	size := segmentSize(end - start)
	clear(e.histogram[:(end-start+size-1)/size])
	return counter{e: e, next: start + size, size: size}
}

// at ends the segment if it is large enough at position p, after that many tokens.
func (c *counter) at(p, tokens int) {
	if p >= c.next {
		c.close(p, tokens)
	}
}

func (c *counter) close(p, tokens int) {
	c.e.segments[c.segment] = segment{end: p, tokens: tokens}
	c.segment++
	c.next = p + c.size
}

// segments ends the last segment at position end and returns the number of segments.
func (c *counter) segments(end, tokens int) int {
	if c.segment == 0 || c.e.segments[c.segment-1].end < end {
		c.close(end, tokens)
	}
	return c.segment
}

// lazy sets the tokens of the bytes from start to end, divides them into segments, and returns the number of segments. It writes
// a literal instead of a match if the match at the next position saves more.
func (e *Encoder) lazy(start, end int) int {
	c := e.count(start, end)
	queue, n := e.queue, 0
	token := e.look(start, end, queue)
	for p := start; p < end; {
		looked := p + 1 // the first position not yet passed to look
		next := uint32(0)
		if token != 0 && int(token&tokenLength) < e.tuning.search.Nice && p+1 < end {
			looked++
			if next = e.look(p+1, end, queue); worth(next) <= worth(token)+oneLiteral {
				next = 0
			}
		}
		if token == 0 || next != 0 {
			e.histogram[c.segment].literal(e.buf[p])
			e.tokens[n] = 1
			p++
		} else {
			e.histogram[c.segment].match(token)
			e.tokens[n] = token
			queue = moved(queue, token)
			p += int(token & tokenLength)
			e.chain.Skip(looked, p-looked)
		}
		n++
		c.at(p, n)
		token = next
		if token == 0 && p < end {
			token = e.look(p, end, queue)
		}
	}
	return c.segments(end, n)
}

// look returns the match at p that saves most, as a token, or 0, and inserts p into the chain.
func (e *Encoder) look(p, end int, queue uint64) uint32 {
	limit := min(end-p, maxMatch)
	recent := recentMatch(unsafe.Pointer(unsafe.SliceData(e.buf)), p, limit, queue)
	s := &e.tuning.search
	if int(recent&tokenLength) >= s.Nice {
		e.chain.Skip(p, 1)
		return recent
	}
	l, d := e.chain.Longest(p, 2, s.Nice, s.Depth)
	// Distances need no check: a match has at least three bytes, so no distance exceeds window-3.
	if l = min(l, limit); l < 3 {
		return better(recent, 0)
	}
	return better(recent, uint32(d+2)<<tokenShift|uint32(l))
}

// greedy divides the bytes from start to end, whose matches are known, into segments and returns their number. It chooses tokens
// about as lazy does, but only counts them.
func (e *Encoder) greedy(start, end int) int {
	data := unsafe.Pointer(unsafe.SliceData(e.buf))
	c := e.count(start, end)
	queue := e.queue
	longest := func(p int) uint32 {
		limit := min(end-p, maxMatch)
		recent := recentMatch(data, p, limit, queue)
		from := uint32(0)
		if p > start {
			from = e.ends[p-start-1]
		}
		to := e.ends[p-start]
		if to == from {
			return better(recent, 0)
		}
		m := e.matches[to-1]
		l := min(m.Length(), limit)
		if l < minMatch {
			return better(recent, 0)
		}
		return better(recent, uint32(m)&^tokenLength+2<<tokenShift|uint32(l))
	}
	token := longest(start)
	for p := start; p < end; {
		next := uint32(0)
		if token != 0 && int(token&tokenLength) < e.tuning.search.Nice && p+1 < end {
			if next = longest(p + 1); worth(next) <= worth(token)+oneLiteral {
				next = 0
			}
		}
		if token == 0 || next != 0 {
			e.histogram[c.segment].literal(e.buf[p])
			p++
		} else {
			e.histogram[c.segment].match(token)
			queue = moved(queue, token)
			p += int(token & tokenLength)
		}
		c.at(p, 0)
		token = next
		if token == 0 && p < end {
			token = longest(p)
		}
	}
	return c.segments(end, 0)
}
