package lzx

import "math/bits"

// segment is a run of tokens; after split, those of a block.
type segment struct {
	end       int    // position after its last byte
	tokens    int    // index after its last token
	histogram int    // index of its histogram
	cost      uint64 // of its symbols, as entropy returns it
	gain      int64  // saved by joining it with the next segment
}

// newBlock is about the cost of a block's header and code lengths. It was found by trials.
const newBlock = 1400 << logBits

// segmentSize returns the smallest size of the segments of a span of n bytes.
func segmentSize(n int) int { return max(minSegment, (n+maxSegments-1)/maxSegments) }

// split joins neighbours among the first n segments as long as that costs less than codes of their own, each time the two that
// save most. It returns the remaining segments, which become blocks and share the histograms of the segments.
func (e *Encoder) split(n int) []segment {
	s := e.segments[:n]
	for i := range s {
		s[i].histogram = i
		s[i].cost = e.entropy(&e.histogram[i], &e.nothing)
	}
	for i := range s {
		e.joint(s, i)
	}
	for len(s) > 1 {
		best := 0
		for i := range s[:len(s)-1] {
			if s[i].gain > s[best].gain {
				best = i
			}
		}
		if s[best].gain <= 0 {
			break
		}
		a, b := &s[best], &s[best+1]
		e.histogram[a.histogram].add(&e.histogram[b.histogram])
		a.cost = uint64(int64(a.cost+b.cost+newBlock) - a.gain)
		a.end, a.tokens = b.end, b.tokens
		s = append(s[:best+1], s[best+2:]...)
		e.joint(s, best)
		if best > 0 {
			e.joint(s, best-1)
		}
	}
	return s
}

// joint computes the gain of joining segment i with the next one.
func (e *Encoder) joint(s []segment, i int) {
	if i+1 >= len(s) {
		return
	}
	both := e.entropy(&e.histogram[s[i].histogram], &e.histogram[s[i+1].histogram])
	s[i].gain = int64(s[i].cost+s[i+1].cost+newBlock) - int64(both)
}

func (h *histogram) add(o *histogram) {
	for i, n := range o.main {
		h.main[i] += n
	}
	for i, n := range o.length {
		h.length[i] += n
	}
	for i, n := range o.low {
		h.low[i] += n
	}
}

// entropy returns the smallest size of the symbols counted in a and b together, in units of 1/256 bit, without extra bits.
func (e *Encoder) entropy(a, b *histogram) uint64 {
	return e.entropyOf(a.main[:e.numMain], b.main[:e.numMain]) + e.entropyOf(a.length[:numLengths], b.length[:numLengths])
}

func (e *Encoder) entropyOf(a, b []uint32) uint64 {
	total, sum := uint32(0), uint64(0)
	b = b[:len(a)]
	for i, n := range a {
		n += b[i]
		if n > 1 {
			total += n
			sum += uint64(n) * uint64(logOf(&e.log, n))
		} else {
			total += n
		}
	}
	return uint64(total)*uint64(logOf(&e.log, total)) - sum
}

const (
	logBits = 8 // fraction bits of a logarithm
	logSize = 4096
)

// log2 returns the binary logarithm of n > 0, rounded down to a multiple of 1/256. It uses only integers, so that every machine
// packs alike.
func log2(n uint32) uint32 {
	whole := uint32(bits.Len32(n)) - 1
	x := uint64(n) << (31 - whole) // 1 to 2, with 31 fraction bits
	v := whole
	for range logBits {
		x = x * x >> 31
		v <<= 1
		if x >= 1<<32 {
			x >>= 1
			v |= 1
		}
	}
	return v
}

// logOf returns log2(n), or 0 for 0. It is exact up to the size of the table.
func logOf(table *[logSize]uint16, n uint32) uint32 {
	if n < logSize {
		return uint32(table[n])
	}
	shift := uint32(bits.Len32(n)) - 12
	return uint32(table[n>>shift&(logSize-1)]) + shift<<logBits
}
