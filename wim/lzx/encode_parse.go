package lzx

import (
	"math/bits"
	"unsafe"

	"wimscope/wim/internal/match"
)

// costs holds the costs of tokens. The upper half of a word is a cost in units of 1/256 bit, the lower half the value to add to a
// token.
type costs struct {
	literal [numChars]uint64
	match   [maxSlots][256]uint64 // by slot and length-2, without low
	low     [numAligned]uint64    // of the lowest three bits of matches from alignedSlot on
}

const costShift = 32

// rowSize is the size of a row of costs.match, in bytes.
const rowSize = 256 * 8

// set sets the costs to those of ideal codes for the tokens that h counts.
func (c *costs) set(h *histogram, numMain int, log *[logSize]uint16) {
	// A symbol that does not occur counts as a quarter of an occurrence.
	const (
		scale = 8
		least = 2
	)
	total := uint32(0)
	for _, n := range h.main[:numMain] {
		total += n*scale + least
	}
	whole := logOf(log, total)
	for i := range c.literal {
		c.literal[i] = uint64(whole-logOf(log, h.main[i]*scale+least))<<costShift | 1
	}

	var length [numLengths]uint64
	total = 0
	for _, n := range h.length[:numLengths] {
		total += n*scale + least
	}
	lengthWhole := logOf(log, total)
	for i := range length {
		length[i] = uint64(lengthWhole-logOf(log, h.length[i]*scale+least)) << costShift
	}

	for slot := range (numMain - numChars) / numHeaders {
		extra := uint32(slotBits(slot)) << logBits
		if slot >= alignedSlot {
			extra -= 3 << logBits
		}
		row := &c.match[slot]
		for header := range uint32(numHeaders) {
			cost := whole - logOf(log, h.main[numChars+uint32(slot)*numHeaders+header]*scale+least) + extra
			if header < longHeader {
				row[header] = uint64(cost)<<costShift | uint64(header+minMatch)
				continue
			}
			base := uint64(cost)<<costShift | longHeader + minMatch
			to := row[longHeader:]
			for i, l := range length[:len(to)] {
				to[i] = base + l + uint64(i)
			}
		}
	}

	// The lowest three bits of distances: plain, or the aligned code if it pays.
	total = 0
	sum := uint64(0)
	for _, n := range h.low {
		total += n
		sum += uint64(n) * uint64(logOf(log, n))
	}
	aligned := uint64(total)*uint64(logOf(log, total))-sum+(3*numAligned)<<logBits < uint64(3*total)<<logBits
	whole = logOf(log, (total*scale)+numAligned*least)
	for i, n := range h.low {
		c.low[i] = 3 << logBits << costShift
		if aligned {
			c.low[i] = uint64(whole-logOf(log, n*scale+least)) << costShift
		}
	}
}

// parse finds the cheapest tokens for the bytes from start to end, by e.costs, and counts them in e.final. It returns the tokens
// and the recent distances after them. span is the position to which e.ends[0] belongs.
//
// It visits the positions in order. The node of a position is a word that holds the cheapest way to it: the cost in the upper
// half, the last token in the lower. It is final when its turn comes. From there, each possible token leads to a later
// position. The recent distances depend on the way, and only those of the cheapest way are kept; so the result is not always
// optimal.
func (e *Encoder) parse(span, start, end int) ([]uint32, uint64) {
	n := end - start
	nodes, queues := e.nodes[:n+1], e.queues[:n+1]
	for i := range nodes {
		nodes[i] = ^uint64(0)
	}
	nodes[0], queues[0] = 0, e.queue
	// All indexes below are positions of the block, or lengths that end in it.
	data := unsafe.Add(unsafe.Pointer(unsafe.SliceData(e.buf)), start)
	node := unsafe.Pointer(unsafe.SliceData(nodes))
	past := unsafe.Pointer(unsafe.SliceData(queues))
	ends := unsafe.Pointer(unsafe.SliceData(e.ends[start-span:]))
	matches := unsafe.Pointer(unsafe.SliceData(e.matches))
	literals := unsafe.Pointer(&e.costs.literal)
	rows := unsafe.Pointer(&e.costs.match)
	low := unsafe.Pointer(&e.costs.low)
	nice := uint64(e.tuning.search.Nice)
	size, before := uint64(n), uint64(start)
	for i := uint64(0); i < size; {
		here := unsafe.Add(data, i)
		at := unsafe.Add(node, i<<3) // the nodes from i on
		way := *(*uint64)(at)
		queue := *(*uint64)(past)
		if i > 0 {
			l, v := way&tokenLength, way<<32>>(32+tokenShift)
			queue = *(*uint64)(unsafe.Add(past, (i-l)<<3))
			if l > 1 {
				if v >= numRecent {
					queue = queue<<recentBits | (v - 2)
				} else {
					shift := v * recentBits
					x := (queue ^ queue>>(shift&63)) & recentMask
					queue ^= x ^ x<<(shift&63)
				}
			}
			*(*uint64)(unsafe.Add(past, i<<3)) = queue
		}
		cost := way &^ (1<<costShift - 1)
		after := (*uint64)(unsafe.Add(at, 8))
		*after = min(*after, cost+*(*uint64)(unsafe.Add(literals, uint64(*(*byte)(here))<<3)))
		limit := min(size-i, maxMatch)
		if limit < minMatch {
			break
		}
		var long, longest uint64 // length of a match of nice length, and the node that it leads to

		first := uint64(minMatch)
		q := queue
		for base := cost; base < cost+numRecent<<tokenShift; base += 1 << tokenShift {
			d := q & recentMask
			q >>= recentBits
			if d > before+i {
				continue
			}
			there := unsafe.Add(here, -int(d))
			x := *(*uint64)(here) ^ *(*uint64)(there)
			if x&0xFFFF != 0 {
				continue
			}
			l := uint64(bits.TrailingZeros64(x)) >> 3
			if x == 0 {
				for l = 8; l < limit; l += 8 {
					if x = *(*uint64)(unsafe.Add(here, l)) ^ *(*uint64)(unsafe.Add(there, l)); x != 0 {
						l += uint64(bits.TrailingZeros64(x)) >> 3
						break
					}
				}
			}
			l = min(l, limit)
			row := unsafe.Add(rows, (base-cost)>>tokenShift*(rowSize))
			if l >= nice {
				if l > long {
					long, longest = l, base+*(*uint64)(unsafe.Add(row, (l-minMatch)<<3))
				}
				continue
			}
			to := unsafe.Add(at, 8*minMatch)
			for stop := unsafe.Add(row, (l-1)<<3); uintptr(row) < uintptr(stop); row = unsafe.Add(row, 8) {
				*(*uint64)(to) = min(*(*uint64)(to), base+*(*uint64)(row))
				to = unsafe.Add(to, 8)
			}
			first = max(first, l+1) // a farther match that is not longer is hardly ever better
		}

		k, last := uint64(0), uint64(*(*uint32)(unsafe.Add(ends, i<<2)))
		if before+i > uint64(span) {
			k = uint64(*(*uint32)(unsafe.Add(ends, i<<2-4)))
		}
		for ; k < last; k++ {
			m := uint64(*(*uint32)(unsafe.Add(matches, k<<2)))
			l := min(m&match.MaxLength, limit)
			v := m>>match.LengthBits + 2
			slot := uint64(slotOf(uint32(v)))
			base := cost + v<<tokenShift
			if slot >= alignedSlot {
				base += *(*uint64)(unsafe.Add(low, v&(numAligned-1)<<3))
			}
			row := unsafe.Add(rows, slot*(rowSize))
			if l >= nice {
				// A match with a recent distance is better unless it is much shorter.
				if l > long+8 {
					long, longest = l, base+*(*uint64)(unsafe.Add(row, (l-minMatch)<<3))
				}
				break
			}
			if l < first {
				continue
			}
			to := unsafe.Add(at, first<<3)
			stop := unsafe.Add(row, (l-1)<<3)
			for row = unsafe.Add(row, (first-minMatch)<<3); uintptr(row) < uintptr(stop); row = unsafe.Add(row, 8) {
				*(*uint64)(to) = min(*(*uint64)(to), base+*(*uint64)(row))
				to = unsafe.Add(to, 8)
			}
			first = l + 1
		}
		if long > 0 {
			// Look for no other way inside a match of this length.
			i += long
			*(*uint64)(unsafe.Add(node, i<<3)) = min(*(*uint64)(unsafe.Add(node, i<<3)), longest)
			continue
		}
		i++
	}

	h := &e.final
	*h = histogram{}
	k := len(e.tokens)
	for i := n; i > 0; {
		t := uint32(nodes[i])
		l := int(t & tokenLength)
		k--
		e.tokens[k] = t
		i -= l
		if l == 1 {
			h.literal(e.buf[start+i])
		} else {
			h.match(t)
		}
	}
	tokens := e.tokens[k:]
	last := tokens[len(tokens)-1]
	return tokens, moved(queues[n-int(last&tokenLength)], last)
}
