package lzms

import (
	"math"
	"unsafe"

	"wimscope/wim/internal/match"
)

// Levels 2 and 3 look for the cheapest items for a stretch of positions, at the costs of decisions and codes at its start. Each position of
// the stretch is a node. From the first node to the last, each item that may begin at a node is a possible cheaper way to the node where it
// ends. The cost of an item depends on the items before it, through the contexts of decisions and the recent offsets; each node keeps those
// of the cheapest way to it. The stretch ends where all ways meet, so that costs are never far out of date, or after lookahead nodes.

const (
	costBits   = 6 // costs are in 64ths of a bit
	niceMost   = 255
	nodeSlack  = 2*niceMost + 8
	findPlaces = 64      // positions whose matches are found at once
	findSpace  = 1024    // room for their matches
	parseRest  = 1 << 14 // positions between calls of rest
)

// node is a position of the stretch, with the last step of the cheapest way to it.
type node struct {
	cost   uint32
	length uint32 // bytes of the step
	source uint32 // of its item
	// If not 0, the step is two or three items: a match with source, if length allows one, a literal, and a match of tail bytes with the
	// latest offset.
	tail uint32
}

// parser is the working space of levels 2 and 3.
type parser struct {
	tree    *match.Tree
	found   [findSpace]match.TreeMatch
	ends    [findPlaces]uint32 // ends in found of the matches of the positions that tree passed last
	begin   uint32             // begin in found of the matches of the next of those positions
	next    int                // index of that position
	passed  int                // number of those positions
	deltas  deltaFinder
	spanned [numPowers]uint32 // pairs found by deltas

	nodes  []node
	states []history
	path   []node

	covered   int    // positions covered by the match just taken that tree has not passed yet
	nice      int    // a match of this length is taken at once
	lookahead int    // largest number of nodes in a stretch
	enough    uint32 // no delta match is looked for where an LZ match is longer
	all       bool   // try more combinations

	zero, one [64]uint32 // costs of the outcomes, by the probability of a zero in 64ths

	literal     [numLiterals]uint32
	length      [niceMost + 1]uint32 // by length
	offset      [1024]uint32         // by slot
	deltaOffset [1024]uint32
}

func newParser(chunkSize, level int) *parser {
	p := &parser{nice: 63, lookahead: 1024, enough: 8}
	p.deltas.powers = 6
	if level == levelMaximum {
		p.nice, p.lookahead, p.enough, p.all = niceMost, 4096, niceMost, true
		p.deltas.powers, p.deltas.always = numPowers, true
	}
	p.tree = match.NewTree(chunkSize, p.nice)
	p.nodes = make([]node, p.lookahead+nodeSlack)
	p.states = make([]history, p.lookahead+nodeSlack)
	p.path = make([]node, p.lookahead+nodeSlack)
	for z := uint64(1); z <= 63; z++ {
		p.zero[z], p.one[64-z] = bitCost(z), bitCost(z)
	}
	return p
}

func parserMemory(chunkSize int) int64 {
	return match.TreeMemory(chunkSize) + int64(unsafe.Sizeof(parser{})) + (4096+nodeSlack)*(2*int64(unsafe.Sizeof(node{}))+int64(unsafe.Sizeof(history{})))
}

// bitCost returns the cost of an outcome of probability z/64: log2(64/z). It squares integers, so that all platforms get the same.
func bitCost(z uint64) uint32 {
	v := z << (32 - 6) // of 1<<32
	cost := uint32(0)
	for v < 1<<31 {
		v <<= 1
		cost++
	}
	// v is 1<<31 to 1<<32: log2(1<<32/v) is left to add to cost
	frac := uint32(0)
	for range costBits {
		v = v * v >> 32
		frac <<= 1
		if v < 1<<31 {
			v <<= 1
			frac |= 1
		}
	}
	return cost<<costBits + frac
}

func (p *parser) literalCosts(e *Encoder) {
	for i, l := range e.literals.length[:numLiterals] {
		p.literal[i] = uint32(l) << costBits
	}
}

func (p *parser) offsetCosts(e *Encoder) {
	for i, l := range e.offsets.length[:e.offsets.n] {
		p.offset[i] = (uint32(l) + uint32(e.slots[i].extra)) << costBits
	}
}

func (p *parser) deltaOffsetCosts(e *Encoder) {
	for i, l := range e.deltaOffsets.length[:e.deltaOffsets.n] {
		p.deltaOffset[i] = (uint32(l) + uint32(e.slots[i].extra)) << costBits
	}
}

func (p *parser) lengthCosts(e *Encoder) {
	for l := 1; l <= niceMost; l++ {
		s := e.lengthSlot[l]
		p.length[l] = (uint32(e.lengths.length[s]) + uint32(e.lengthSlots[s&63].extra)) << costBits
	}
}

// parse packs the chunk at level 2 or 3.
func (e *Encoder) parse(rest func() error) error {
	p := e.parser
	if err := p.tree.Reset(e.buf[:e.n], rest); err != nil {
		return err
	}
	p.covered, p.next, p.passed = 0, 0, 0
	p.deltas.reset(e.n)
	p.literalCosts(e)
	p.offsetCosts(e)
	p.deltaOffsetCosts(e)
	p.lengthCosts(e)
	next := parseRest
	for at := 0; at < e.n; {
		at = e.stretch(at)
		if e.out.failed {
			return nil
		}
		for p.covered > 0 {
			n := min(p.covered, parseRest)
			p.skip(n)
			p.covered -= n
			if p.covered > 0 && rest != nil {
				if err := rest(); err != nil {
					return err
				}
			}
		}
		if at >= next {
			if rest != nil {
				if err := rest(); err != nil {
					return err
				}
			}
			next = at + parseRest
		}
	}
	return nil
}

// stretch writes the items of one stretch, from at on, and returns its end.
func (e *Encoder) stretch(at int) int {
	p := e.parser
	buf := unsafe.Pointer(&e.buf[0])
	nodes := unsafe.Pointer(&p.nodes[0])
	nodeAt := func(i int) *node { return (*node)(unsafe.Add(nodes, i*int(unsafe.Sizeof(node{})))) }
	states := unsafe.Pointer(&p.states[0])
	stateAt := func(i int) *history { return (*history)(unsafe.Add(states, i*int(unsafe.Sizeof(history{})))) }
	nodeAt(0).cost = 0
	*stateAt(0) = e.cur
	reach := 0 // last node that a way leads to
	nice := uint32(p.nice)
	spans := p.deltas.spans(at)
	for i := 0; ; i++ {
		if i > 0 && (i == reach || i >= p.lookahead) {
			e.writePath(at, i)
			return at + i
		}
		nd := nodeAt(i)
		h := stateAt(i)
		if i > 0 {
			*h = *stateAt(i - int(nd.length))
			switch {
			case nd.source == sourceLiteral:
				h.literal()
			case nd.tail != 0:
				if nd.length > nd.tail+1 {
					h.lzMatch(nd.source)
				}
				h.literal()
				h.lzMatch(0)
			case nd.source&sourceDelta == 0:
				h.lzMatch(nd.source)
			default:
				h.deltaMatch(nd.source &^ sourceDelta)
			}
		}
		cost := nd.cost
		here := at + i
		limit := e.n - here
		cur := unsafe.Add(buf, here)
		ctx := h.ctx
		zero := e.main[ctx>>mainAt%mainStates].zero
		literal := cost + p.zero[zero&63] + p.literal[*(*byte)(cur)]
		matchBase := cost + p.one[zero&63]
		zero = e.match[ctx>>matchAt%matchStates].zero
		lzBase, deltaBase := matchBase+p.zero[zero&63], matchBase+p.one[zero&63]

		if reach < i+1 {
			reach = i + 1
			nodeAt(reach).cost = math.MaxUint32
		}

		if p.next == p.passed {
			p.find()
		}
		found := p.found[p.begin&(findSpace-1) : p.ends[p.next&(findPlaces-1)]]
		p.begin = p.ends[p.next&(findPlaces-1)]
		p.next++
		if limit < 2 {
			if to := nodeAt(i + 1); literal < to.cost {
				*to = node{literal, 1, sourceLiteral, 0}
			}
			continue
		}
		word := *(*uint16)(cur)

		// Recent offsets.
		zero = e.lz[ctx>>lzAt%repStates].zero
		repBase := lzBase + p.one[zero&63]
		farBase := lzBase + p.zero[zero&63]
		rep0 := e.lzRep[0][ctx>>lzRep0At%repStates].zero
		rep1 := e.lzRep[1][ctx>>lzRep1At%repStates].zero
		r01, r2 := recent(h.lz01, h.lz23, ctx&lzLate)
		for which := range uint32(3) {
			offset := uint32(r01)
			r01 = r01>>32 | r2<<32
			if int(offset) > here || *(*uint16)(unsafe.Add(cur, -int(offset))) != word {
				continue
			}
			n := matchLength(cur, unsafe.Add(cur, -int(offset)), limit)
			if n >= int(nice) {
				return e.takeMatch(at, i, n, which)
			}
			base := repBase
			switch which {
			case 0:
				base += p.zero[rep0&63]
			case 1:
				base += p.one[rep0&63] + p.zero[rep1&63]
			default:
				base += p.one[rep0&63] + p.one[rep1&63]
			}
			reach = p.extend(reach, i+n)
			to := nodeAt(i + 2)
			for l := 2; l <= n; l++ {
				if c := base + p.length[l&255]; c < to.cost {
					*to = node{c, uint32(l), which, 0}
				}
				to = (*node)(unsafe.Add(unsafe.Pointer(to), unsafe.Sizeof(node{})))
			}
			if p.all {
				reach = e.withTail(i, n, reach, base+p.length[n&255], which, int(offset), here, h)
			}
		}

		// Other offsets, the nearest of each length.
		if len(found) > 0 {
			best := &found[0]
			best.Length = min(best.Length, uint32(limit))
			if best.Length >= nice || int(best.Length) == p.tree.Cap() {
				best.Length = uint32(matchLength(cur, unsafe.Add(cur, -int(best.Offset)), limit))
				if best.Length >= nice {
					return e.takeMatch(at, i, int(best.Length), best.Offset+sourceBase)
				}
			}
			reach = p.extend(reach, i+int(best.Length))
			to := nodeAt(i + 2)
			l := uint32(2)
			for k := len(found) - 1; k >= 0; k-- {
				m := found[k]
				base := farBase + p.offset[e.runs.slot(m.Offset)&1023]
				source := m.Offset + sourceBase
				for ; l <= m.Length; l++ {
					if c := base + p.length[l&255]; c < to.cost {
						*to = node{c, l, source, 0}
					}
					to = (*node)(unsafe.Add(unsafe.Pointer(to), unsafe.Sizeof(node{})))
				}
				if k == 0 || p.all {
					reach = e.withTail(i, int(m.Length), reach, base+p.length[m.Length&255], source, int(m.Offset), here, h)
				}
			}
		}

		if to := nodeAt(i + 1); literal < to.cost {
			*to = node{literal, 1, sourceLiteral, 0}
		}
		if p.all { // a literal, then the latest offset, as one step: the node between may have a cheaper way that loses that offset
			offset := uint32(h.lz01)
			if int(offset) < here && limit > 3 {
				reach = e.withTail(i, 0, reach, cost, 0, int(offset), here, h)
			}
		}

		// Delta matches.
		zero = e.delta[ctx>>deltaAt%repStates].zero
		if h.delta01 != firstHistory.delta01 {
			repBase := deltaBase + p.one[zero&63]
			rep0 := e.dltRep[0][ctx>>dltRep0At%repStates].zero
			rep1 := e.dltRep[1][ctx>>dltRep1At%repStates].zero
			r01, r2 := recent(h.delta01, h.delta23, ctx&deltaLate)
			for which := range uint32(3) {
				pair := uint32(r01)
				r01 = r01>>32 | r2<<32
				power := pair >> rawBits
				span := 1 << power
				offset := int(pair&(1<<rawBits-1)) << power
				if offset+span > here {
					continue
				}
				n := deltaLength(cur, offset, span, limit)
				if n < 2 {
					continue
				}
				if n >= int(nice) {
					return e.takeMatch(at, i, n, which|sourceDelta)
				}
				base := repBase
				switch which {
				case 0:
					base += p.zero[rep0&63]
				case 1:
					base += p.one[rep0&63] + p.zero[rep1&63]
				default:
					base += p.one[rep0&63] + p.one[rep1&63]
				}
				reach = p.extend(reach, i+n)
				to := nodeAt(i + 2)
				for l := 2; l <= n; l++ {
					if c := base + p.length[l&255]; c < to.cost {
						*to = node{c, uint32(l), which | sourceDelta, 0}
					}
					to = (*node)(unsafe.Add(unsafe.Pointer(to), unsafe.Sizeof(node{})))
				}
			}
		}
		farBase = deltaBase + p.zero[zero&63]
		if limit < 4 || len(found) > 0 && found[0].Length > p.enough {
			continue
		}
		for _, pair := range p.spanned[:p.deltas.find(cur, here, spans, &p.spanned)] {
			power := pair >> rawBits
			raw := pair & (1<<rawBits - 1)
			n := deltaLength(cur, int(raw)<<power, 1<<power, limit)
			if n < 3 {
				continue
			}
			source := pair + sourceBase | sourceDelta
			if n >= int(nice) {
				return e.takeMatch(at, i, n, source)
			}
			base := farBase + uint32(e.powers.length[power&7])<<costBits + p.deltaOffset[e.runs.slot(raw)&1023]
			reach = p.extend(reach, i+n)
			to := nodeAt(i + 3)
			for l := 3; l <= n; l++ {
				if c := base + p.length[l&255]; c < to.cost {
					*to = node{c, uint32(l), source, 0}
				}
				to = (*node)(unsafe.Add(unsafe.Pointer(to), unsafe.Sizeof(node{})))
			}
		}
	}
}

// find finds the matches of the next positions.
func (p *parser) find() {
	p.begin, p.next = 0, 0
	p.passed = p.tree.Find(p.found[:], p.ends[:])
}

// skip passes n positions without looking for matches.
func (p *parser) skip(n int) {
	if known := min(n, p.passed-p.next); known > 0 {
		p.next += known
		p.begin = p.ends[p.next-1]
		n -= known
	}
	p.tree.Skip(n)
}

// extend makes sure that nodes up to to are initialized, and returns the last initialized one.
func (p *parser) extend(reach, to int) int {
	for reach < to {
		reach++
		p.nodes[reach].cost = math.MaxUint32
	}
	return reach
}

// withTail checks whether a match of n bytes continues with the same offset after one byte that differs, and offers the three items as one
// step. cost is the cost up to the end of the match, h the history before it. If n is 0, there is no match, and offset is the latest one. It
// returns the new reach.
func (e *Encoder) withTail(i, n, reach int, cost uint32, source uint32, offset, here int, h *history) int {
	p := e.parser
	from := here + n + 1
	limit := min(e.n-from, niceMost)
	if limit < 2 {
		return reach
	}
	cur := unsafe.Add(unsafe.Pointer(&e.buf[0]), from)
	if *(*uint16)(cur) != *(*uint16)(unsafe.Add(cur, -offset)) {
		return reach
	}
	tail := matchLength(cur, unsafe.Add(cur, -offset), limit)
	after := history{ctx: h.ctx}
	if n > 0 {
		after.lzMatch(source)
	}
	cost += p.zero[e.main[after.ctx>>mainAt%mainStates].zero&63] + p.literal[e.buf[from-1]]
	after.literal()
	ctx := after.ctx
	cost += p.one[e.main[ctx>>mainAt%mainStates].zero&63] + p.zero[e.match[ctx>>matchAt%matchStates].zero&63] +
		p.one[e.lz[ctx>>lzAt%repStates].zero&63] + p.zero[e.lzRep[0][ctx>>lzRep0At%repStates].zero&63] + p.length[tail&255]
	end := i + n + 1 + tail
	reach = p.extend(reach, end)
	if nd := &p.nodes[end]; cost < nd.cost {
		*nd = node{cost, uint32(n + 1 + tail), source, uint32(tail)}
	}
	return reach
}

// takeMatch ends the stretch with a long match of n bytes at its i-th node, and returns the end of that match.
func (e *Encoder) takeMatch(at, i, n int, source uint32) int {
	e.writePath(at, i)
	e.write(at+i, n, source)
	e.parser.covered = n - 1
	return at + i + n
}

// writePath writes the items of the cheapest way to a node of the stretch that starts at at.
func (e *Encoder) writePath(at, to int) {
	p := e.parser
	n := 0
	for i := to; i > 0; {
		p.path[n] = p.nodes[i]
		i -= int(p.nodes[i].length)
		n++
	}
	for n--; n >= 0; n-- {
		s := p.path[n]
		length := int(s.length)
		if s.tail != 0 {
			tail := int(s.tail)
			if first := length - 1 - tail; first > 0 {
				e.write(at, first, s.source)
			}
			e.write(at+length-1-tail, 1, sourceLiteral)
			e.write(at+length-tail, tail, 0)
		} else {
			e.write(at, length, s.source)
		}
		at += length
	}
}
