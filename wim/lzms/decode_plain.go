package lzms

import "slices"

// Kind is the kind of an item.
type Kind uint8

const (
	Literal    Kind = iota // one byte
	LZMatch                // a copy of earlier output
	DeltaMatch             // a copy of earlier differences
)

func (k Kind) String() string {
	switch k {
	case Literal:
		return "literal"
	case LZMatch:
		return "lz match"
	case DeltaMatch:
		return "delta match"
	}
	return "?"
}

// Item is one step of decoding.
type Item struct {
	Kind   Kind
	Out    int  // bytes of output before it
	Length int  // bytes of output
	Value  byte // of a literal

	Offset int // of a match: bytes back. Of a delta match this is RawOffset times Span.
	Recent int // of a match: 1 to 3 if it uses that one of the recent offsets, 0 if the offset is explicit

	RawOffset int // of a delta match: the offset in spans
	Span      int // of a delta match: distance of the two bytes that are subtracted, 1 to 128

	OffsetSlot int // of a match with an explicit offset
	LengthSlot int // of a match

	Decisions int   // number of decisions read from the range coder
	Units     int   // 16-bit units that the range coder had read before it
	Bit       int64 // bits read backward from the end before it
	Bits      int   // bits read backward for it
}

// DecodePlain does the same as [Decoder.Decode], slowly and readably, and reports each item before it writes its output. item may be
// nil. After an error, dst holds the output before the bad item.
//
// Items describe the output before x86 addresses are made relative again, which is the last step.
func DecodePlain(dst, src []byte, item func(Item)) error {
	d := plainDecoder{dst: dst, src: src, report: item}
	if err := d.run(); err != nil {
		return &CorruptError{Out: d.item.Out, Bit: d.item.Bit, Err: err}
	}
	unfilterPlain(dst)
	return nil
}

type plainDecoder struct {
	dst, src []byte
	out      int
	item     Item // the current one
	report   func(Item)

	// The range coder.
	units      int // units read
	rng, value uint32

	bits int64 // bits read backward

	mainBit, matchBit, lzBit, deltaBit plainDecision
	lzRecent, deltaRecent              [2]plainDecision

	literals, offsets, lengths, deltaOffsets, powers plainCode
	offsetSlots, lengthSlots                         []slot

	lz, delta plainRecent
}

func (d *plainDecoder) run() error {
	switch {
	case len(d.dst) == 0 || len(d.dst) > maxChunk:
		return errChunkSize
	case len(d.src)%2 != 0:
		return errOdd
	case len(d.src) < 4:
		return errShort
	}
	d.rng = 0xFFFFFFFF
	d.value = uint32(d.unit())<<16 | uint32(d.unit())
	if d.value >= d.rng {
		return errCode
	}
	d.mainBit = newPlainDecision(mainStates)
	d.matchBit = newPlainDecision(matchStates)
	d.lzBit = newPlainDecision(repStates)
	d.deltaBit = newPlainDecision(repStates)
	for i := range 2 {
		d.lzRecent[i] = newPlainDecision(repStates)
		d.deltaRecent[i] = newPlainDecision(repStates)
	}
	d.offsetSlots = make([]slot, maxOffsets)
	d.lengthSlots = make([]slot, numLengths)
	makeSlots(d.offsetSlots, offsetRuns[:])
	makeSlots(d.lengthSlots, lengthRuns[:])
	n := offsetSlots(d.offsetSlots, len(d.dst))
	d.literals = newPlainCode(numLiterals, literalInterval)
	d.offsets = newPlainCode(n, offsetInterval)
	d.lengths = newPlainCode(numLengths, lengthInterval)
	d.deltaOffsets = newPlainCode(n, offsetInterval)
	d.powers = newPlainCode(numPowers, powerInterval)
	d.lz = newPlainRecent()
	d.delta = newPlainRecent()

	for d.out < len(d.dst) {
		d.item = Item{Out: d.out, Units: d.units, Bit: d.bits}
		var err error
		switch {
		case d.decide(&d.mainBit) == 0:
			err = d.literal()
		case d.decide(&d.matchBit) == 0:
			err = d.lzMatch()
		default:
			err = d.deltaMatch()
		}
		if err != nil {
			return err
		}
		d.lz.itemDone()
		d.delta.itemDone()
	}
	return nil
}

// emit reports the current item, after it has checked that the input did not end within it.
func (d *plainDecoder) emit() error {
	if int64(d.units)+(d.bits+15)/16 > int64(len(d.src)/2) {
		return errOverlap
	}
	d.item.Bits = int(d.bits - d.item.Bit)
	if d.report != nil {
		d.report(d.item)
	}
	return nil
}

func (d *plainDecoder) literal() error {
	d.item.Kind, d.item.Length = Literal, 1
	d.item.Value = byte(d.symbol(&d.literals))
	if err := d.emit(); err != nil {
		return err
	}
	d.dst[d.out] = d.item.Value
	d.out++
	return nil
}

func (d *plainDecoder) lzMatch() error {
	d.item.Kind = LZMatch
	var offset uint64
	if d.decide(&d.lzBit) == 0 {
		d.item.OffsetSlot = d.symbol(&d.offsets)
		offset = d.inSlot(d.offsetSlots[d.item.OffsetSlot])
	} else {
		d.item.Recent = d.recent(&d.lzRecent)
		offset = d.lz.take(d.item.Recent)
	}
	d.lz.upcoming = offset
	d.length()
	d.item.Offset = int(offset)
	if err := d.checkMatch(offset); err != nil {
		return err
	}
	for range d.item.Length {
		d.dst[d.out] = d.dst[d.out-d.item.Offset]
		d.out++
	}
	return nil
}

// deltaMatch repeats differences: each byte differs from the one a span before it as the two bytes at the offset before them differ.
func (d *plainDecoder) deltaMatch() error {
	d.item.Kind = DeltaMatch
	var pair uint64 // power and raw offset, one entry of the queue
	if d.decide(&d.deltaBit) == 0 {
		power := d.symbol(&d.powers)
		d.item.OffsetSlot = d.symbol(&d.deltaOffsets)
		pair = uint64(power)<<32 | d.inSlot(d.offsetSlots[d.item.OffsetSlot])
	} else {
		d.item.Recent = d.recent(&d.deltaRecent)
		pair = d.delta.take(d.item.Recent)
	}
	d.delta.upcoming = pair
	d.length()
	power, raw := pair>>32, pair&0xFFFFFFFF
	d.item.Span = 1 << power
	d.item.RawOffset = int(raw)
	d.item.Offset = int(raw << power)
	if err := d.checkMatch(raw<<power + 1<<power); err != nil {
		return err
	}
	for range d.item.Length {
		a, b := d.out-d.item.Span, d.out-d.item.Offset
		d.dst[d.out] = d.dst[a] + d.dst[b] - d.dst[b-d.item.Span]
		d.out++
	}
	return nil
}

// length reads the length of a match. checkMatch must follow.
func (d *plainDecoder) length() {
	d.item.LengthSlot = d.symbol(&d.lengths)
	d.item.Length = int(d.inSlot(d.lengthSlots[d.item.LengthSlot]))
}

// checkMatch checks that the output reaches back that far and has room for the match, and emits the item.
func (d *plainDecoder) checkMatch(reach uint64) error {
	switch {
	case reach > uint64(d.out):
		return errOffset
	case d.item.Length > len(d.dst)-d.out:
		return errLength
	}
	return d.emit()
}

// recent reads which of the recent offsets is used, 1 to 3.
func (d *plainDecoder) recent(decisions *[2]plainDecision) int {
	for i := range decisions {
		if d.decide(&decisions[i]) == 0 {
			return i + 1
		}
	}
	return len(decisions) + 1
}

// plainDecision is one kind of decision: its current context, and the last 64 outcomes of each context.
type plainDecision struct {
	state   int
	history []uint64
}

func newPlainDecision(states int) plainDecision {
	p := plainDecision{history: make([]uint64, states)}
	for i := range p.history {
		p.history[i] = initialHistory
	}
	return p
}

// decide reads one decision.
func (d *plainDecoder) decide(p *plainDecision) int {
	d.item.Decisions++
	if d.rng <= 0xFFFF {
		d.rng <<= 16
		d.value = d.value<<16 | uint32(d.unit())
	}
	h := &p.history[p.state]
	zeros := uint32(0)
	for i := range 64 {
		zeros += uint32(^*h >> i & 1)
	}
	bound := d.rng / 64 * min(max(zeros, 1), 63)
	bit := 0
	if d.value < bound {
		d.rng = bound
	} else {
		d.rng -= bound
		d.value -= bound
		bit = 1
	}
	*h = *h<<1 | uint64(bit)
	p.state = (p.state<<1 | bit) % len(p.history)
	return bit
}

// unit reads the range coder's next 16 bits. They are zero after the end of the input.
func (d *plainDecoder) unit() uint16 {
	i := d.units * 2
	d.units++
	if i >= len(d.src) {
		return 0
	}
	return uint16(d.src[i]) | uint16(d.src[i+1])<<8
}

// bit reads the next bit backward. Bits are zero before the start of the input. Because units are little-endian and are read most
// significant bit first, the bits are those of the bytes in backward order.
func (d *plainDecoder) bit() uint32 {
	i := len(d.src) - 1 - int(d.bits/8)
	shift := 7 - d.bits%8
	d.bits++
	if i < 0 {
		return 0
	}
	return uint32(d.src[i]>>shift) & 1
}

// inSlot reads the extra bits of a slot and returns the value.
func (d *plainDecoder) inSlot(s slot) uint64 {
	v := uint64(0)
	for range s.extra {
		v = v<<1 | uint64(d.bit())
	}
	return uint64(s.base) + v
}

// symbol reads a symbol and counts it.
func (d *plainDecoder) symbol(c *plainCode) int {
	code := uint32(0)
	for n := 1; n <= maxCodeBits; n++ {
		code = code<<1 | d.bit()
		if i := code - c.first[n]; code >= c.first[n] && i < uint32(len(c.ofLen[n])) {
			sym := c.ofLen[n][i]
			c.count(sym)
			return sym
		}
	}
	panic("lzms: incomplete code") // a bug: build makes complete codes only
}

// plainCode is an adaptive Huffman code: canonical, of at most 15 bits.
type plainCode struct {
	freq     []uint32 // counts of symbols; older ones count less
	interval int
	left     int                     // symbols until it is rebuilt
	first    [maxCodeBits + 1]uint32 // the first code of each length
	ofLen    [maxCodeBits + 1][]int  // the symbols of each length, in order of their codes
}

func newPlainCode(n, interval int) plainCode {
	c := plainCode{freq: make([]uint32, n), interval: interval}
	for i := range c.freq {
		c.freq[i] = 1
	}
	c.build()
	return c
}

func (c *plainCode) count(sym int) {
	c.freq[sym]++
	if c.left--; c.left == 0 {
		c.build()
		for i, f := range c.freq {
			c.freq[i] = f>>1 + 1
		}
	}
}

// build makes the code for the counts. Two rules belong to the format: of equal weights, a leaf comes before an inner node; and
// limitPlain cuts a tree that is too deep.
func (c *plainCode) build() {
	c.left = c.interval
	n := len(c.freq)
	syms := make([]int, n) // the rarest first; of equally frequent ones the lower symbol
	for i := range syms {
		syms[i] = i
	}
	slices.SortStableFunc(syms, func(a, b int) int { return int(c.freq[a]) - int(c.freq[b]) })

	// Inner nodes in the order in which they are made, which is also the order of their weights.
	weight := make([]uint32, 0, n-1)
	parent := make([]int, n-1)
	leaf, inner := 0, 0
	take := func() uint32 {
		if leaf < n && (inner == len(weight) || c.freq[syms[leaf]] <= weight[inner]) {
			leaf++
			return c.freq[syms[leaf-1]]
		}
		parent[inner] = len(weight)
		inner++
		return weight[inner-1]
	}
	for len(weight) < n-1 {
		a := take()
		weight = append(weight, a+take())
	}
	counts := limitPlain(parent)

	// The rarest symbols get the longest codes.
	lens := make([]int, n)
	i := 0
	for length := maxCodeBits; length > 0; length-- {
		for range counts[length] {
			lens[syms[i]] = length
			i++
		}
	}
	code := uint32(0)
	for length := 1; length <= maxCodeBits; length++ {
		code <<= 1
		c.first[length] = code
		c.ofLen[length] = c.ofLen[length][:0]
		for sym, l := range lens {
			if l == length {
				c.ofLen[length] = append(c.ofLen[length], sym)
				code++
			}
		}
	}
}

// limitPlain returns the number of codes of each length in the tree whose inner nodes have these parents, the root last. It grows
// the tree from the root: an inner node replaces a leaf and adds two leaves, one level deeper. Where those would be too deep, it
// replaces the deepest leaf whose children are not.
func limitPlain(parent []int) [maxCodeBits + 1]int {
	root := len(parent) - 1
	depth := make([]int, len(parent))
	var counts [maxCodeBits + 1]int
	counts[1] = 2
	for node := root - 1; node >= 0; node-- {
		depth[node] = depth[parent[node]] + 1
		at := depth[node]
		if at >= maxCodeBits {
			at = maxCodeBits - 1
			for counts[at] == 0 {
				at--
			}
		}
		counts[at]--
		counts[at+1] += 2
	}
	return counts
}

// plainRecent is the queue of recent offsets of one kind of match. The offset of a match enters it one item late: the next item does
// not see it there, the one after does.
type plainRecent struct {
	queue    [4]uint64
	previous uint64 // offset of the item before, if it was a match of this kind, or 0
	upcoming uint64 // offset of the current item, likewise
}

func newPlainRecent() plainRecent { return plainRecent{queue: [4]uint64{1, 2, 3, 4}} }

// take removes the n-th offset of the queue, from 1, and returns it.
func (r *plainRecent) take(n int) uint64 {
	v := r.queue[n-1]
	copy(r.queue[n-1:], r.queue[n:])
	return v
}

func (r *plainRecent) itemDone() {
	if r.previous != 0 {
		copy(r.queue[1:], r.queue[:3])
		r.queue[0] = r.previous
	}
	r.previous, r.upcoming = r.upcoming, 0
}
