package xpress

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"wimscope/wim/internal/match"
)

// optimum is the working space of optimal parsing.
type optimum struct {
	tree    *match.BinTree
	search  match.Search
	matches []match.Packed // of all positions in order; of each position the shortest first
	room    int            // matches kept before positions get only one each
	ends    []uint32       // by position: end of its matches in matches
	bits    []uint32       // by position: least cost of the rest of the chunk
	choice  []uint32       // by position: first token of that cheapest way
	kept    []uint32       // tokens of the best pass so far
	costs   [numSyms]uint32
}

// matchesKept is the number of matches per position, on average, that there is room for. When the room is used up, positions
// keep only their longest match.
const matchesKept = 6

// costUnit is the cost of one bit.
const costUnit = 16

func newOptimum(chunkSize int, e effort) *optimum {
	window := max(chunkSize, 2)
	return &optimum{
		tree:    match.NewBinTree(window, window-1),
		search:  match.Search{Depth: e.depth, Nice: e.nice, MaxLen: match.MaxLength},
		matches: make([]match.Packed, (matchesKept+1)*chunkSize+2*(e.depth+2)),
		room:    matchesKept * chunkSize,
		ends:    make([]uint32, chunkSize),
		bits:    make([]uint32, chunkSize+1),
		choice:  make([]uint32, chunkSize),
		kept:    make([]uint32, chunkSize),
	}
}

func optimumMemory(chunkSize int, e effort) int64 {
	return match.BinTreeMemory(chunkSize) + 4*(int64(matchesKept+5)*int64(chunkSize)+int64(e.depth)+numSyms)
}

// best sets tokens for the chunk of n bytes in buf, and returns their number. It takes the tokens with the fewest bits among
// all ways to use the matches found, at the cost that each symbol had in the pass before.
func (e *Encoder) best(n int) (count int) {
	o := e.optimum
	e.find(n)
	e.guess(n)
	least := 0
	for pass := range e.passes {
		e.price(n)
		c := e.follow(n)
		huge := e.count(e.tokens[:c])
		e.lengths.Build(e.lens[:], e.freqs[:], maxCodeLen)
		size := e.size(huge)
		if pass > 0 && size >= least {
			break
		}
		o.kept, e.tokens = e.tokens, o.kept
		gained := least - size
		least, count = size, c
		if pass > 0 && gained <= size>>enough {
			break
		}
		e.learn()
	}
	o.kept, e.tokens = e.tokens, o.kept
	return count
}

// enough ends the passes: a pass is the last if it saves at most 1/2^enough of the size.
const enough = 12

// follow sets tokens to the cheapest way through choice, for a chunk of n bytes, and returns their number.
func (e *Encoder) follow(n int) (count int) {
	choice, tokens := e.optimum.choice[:n], e.tokens
	for pos := 0; pos < n; count++ {
		t := choice[pos]
		tokens[count] = t
		pos++
		if t >= firstMatch {
			pos += int(t&0xFFFF) + minMatch - 1
		}
	}
	return count
}

// find fills matches and ends.
func (e *Encoder) find(n int) {
	o := e.optimum
	o.tree.Reset()
	slack := o.search.Depth + 2
	pos := o.tree.Fill(e.buf, n, 0, n, &o.search, o.matches[:o.room+slack], o.ends)
	if pos == n {
		return
	}
	k := o.ends[pos-1]
	for ; pos < n; pos++ {
		o.tree.Fill(e.buf, n, pos, pos+1, &o.search, o.matches[k:int(k)+slack], o.ends[pos:])
		if m := o.ends[pos]; m > 0 {
			o.matches[k] = o.matches[k+m-1]
			k++
		}
		o.ends[pos] = k
	}
}

// guess sets the costs of the first pass: literals by how often each byte occurs, matches at typical costs.
func (e *Encoder) guess(n int) {
	o := e.optimum
	var count [256]uint32
	for _, b := range e.buf[:n] {
		count[b]++
	}
	for b, c := range &count {
		// log2(n/c)+1 bits, at least 3 and at most 12.
		cost := 12 * costUnit
		if c > 0 {
			cost = (logTwo(uint32(n)) - logTwo(c)) + costUnit
		}
		o.costs[b] = uint32(min(max(cost, 3*costUnit), 12*costUnit))
	}
	for sym := 256; sym < numSyms; sym++ {
		o.costs[sym] = uint32(costUnit * (7 + sym>>4&15))
	}
	e.escapes()
}

// escapes adds the cost of the first length byte.
func (e *Encoder) escapes() {
	for sym := 256 + longLength; sym < numSyms; sym += 16 {
		e.optimum.costs[sym] += 8 * costUnit
	}
}

// logTwo returns the binary logarithm of x >= 1, approximately, in units of 1/costUnit.
func logTwo(x uint32) int {
	n := bits.Len32(x) - 1
	return n*costUnit + int(uint64(x)<<4>>n&15)
}

// learn sets the costs from the code in lens.
func (e *Encoder) learn() {
	o := e.optimum
	for sym, l := range &e.lens {
		cost := uint32(l) * costUnit
		if l == 0 {
			cost = 13 * costUnit
		}
		if sym >= 256 {
			cost += uint32(sym>>4&15) * costUnit
		}
		o.costs[sym] = cost
	}
	e.escapes()
}

// price fills choice, from the end of the chunk to its beginning. A match of nice length is only considered as a whole.
func (e *Encoder) price(n int) {
	o := e.optimum
	o.bits[n] = 0
	buf := unsafe.Pointer(unsafe.SliceData(e.buf))
	costs := unsafe.Pointer(&o.costs)
	ends := unsafe.Pointer(unsafe.SliceData(o.ends))
	matches := unsafe.Pointer(unsafe.SliceData(o.matches))
	choices := unsafe.Pointer(unsafe.SliceData(o.choice))
	nice := uint64(e.nice)
	next := unsafe.Pointer(unsafe.SliceData(o.bits)) // points at the cost of the current position
	next = unsafe.Add(next, uint64(n)<<2)
	for pos := uint64(n); pos > 0; {
		pos--
		token := uint32(*(*uint8)(unsafe.Add(buf, pos)))
		least := *(*uint32)(next) + *(*uint32)(unsafe.Add(costs, token<<2))
		next = unsafe.Add(next, -4)
		k, end := uint64(0), uint64(*(*uint32)(unsafe.Add(ends, pos<<2)))
		if pos > 0 {
			k = uint64(*(*uint32)(unsafe.Add(ends, pos<<2-4)))
		}
		length := uint64(minMatch)
		for ; k < end; k++ {
			m := *(*uint32)(unsafe.Add(matches, k<<2))
			dist := m >> match.LengthBits
			row := unsafe.Add(costs, 4*(256+(31-bits.LeadingZeros32(dist))<<4))
			longest := uint64(m & match.MaxLength)
			if longest >= nice {
				if longest == match.MaxLength {
					longest += e.further(int(pos+longest), int(dist), n)
				}
				length = longest
			}
			dist <<= 16
			for stop := min(longest, longLength+minMatch-1); length <= stop; length++ {
				if cost := *(*uint32)(unsafe.Add(next, length<<2)) + *(*uint32)(unsafe.Add(row, length<<2-4*minMatch)); cost < least {
					least = cost
					token = dist | uint32(length-minMatch)
				}
			}
			if longest >= longLength+minMatch {
				// Long lengths all have the same symbol, so only the longest is worth trying.
				length = longest
				cost := *(*uint32)(unsafe.Add(next, length<<2)) + *(*uint32)(unsafe.Add(row, 4*longLength))
				if length >= longLength+hugeLength+minMatch {
					cost += 16 * costUnit
				}
				if cost < least {
					least = cost
					token = dist | uint32(length-minMatch)
				}
			}
		}
		*(*uint32)(next) = least
		*(*uint32)(unsafe.Add(choices, pos<<2)) = token
	}
}

// further returns the number of bytes from pos on that equal those dist bytes before, up to the end n of the chunk.
func (e *Encoder) further(pos, dist, n int) uint64 {
	from := pos
	for ; pos < n; pos += 8 {
		x := binary.LittleEndian.Uint64(e.buf[pos:]) ^ binary.LittleEndian.Uint64(e.buf[pos-dist:])
		if x != 0 {
			pos += bits.TrailingZeros64(x) >> 3
			break
		}
	}
	return uint64(min(pos, n) - from)
}
