package lzms

import (
	"errors"
	"math"
	"math/bits"
	"runtime"
	"unsafe"
)

// MaxEncode is the largest chunk that an [Encoder] packs, in bytes, and that a Decoder unpacks. Microsoft's programs refuse chunks of
// more than 64 MiB.
const MaxEncode = maxChunk

// Levels of effort.
const (
	levelFast    = 1 // lazy parsing with a few candidates
	levelNormal  = 2 // the cheapest way through a stretch of positions, by the costs at its start
	levelMaximum = 3 // longer matches, longer stretches, more combinations
)

// Errors of NewEncoder and EncodeFunc.
var (
	errEncodeSize = errors.New("lzms: chunk size is not 1 byte to 1 GiB")
	errMemory     = errors.New("lzms: an encoder for that chunk size needs more memory than a program can address here")
	errLevel      = errors.New("lzms: level is not 1 to 3")
	errTooLong    = errors.New("lzms: chunk is larger than the encoder's chunk size")
)

// Encoder packs LZMS chunks. The packed chunk depends only on the chunk, not on earlier ones. It allocates only in NewEncoder: see
// [Memory]. It is not safe for concurrent use.
type Encoder struct {
	// The contexts of each decision, as in Decoder.
	main   [mainStates]context
	match  [matchStates]context
	lz     [repStates]context
	lzRep  [2][repStates]context
	delta  [repStates]context
	dltRep [2][repStates]context
	cur    history // before the next item

	literals, offsets, lengths, deltaOffsets, powers coder
	work                                             workspace
	slots                                            [maxOffsets]slot
	lengthSlots                                      [numLengths]slot
	runs                                             offsetTable
	lengthSlot                                       [256]uint8 // by length

	out output

	level int
	buf   []byte // the chunk, with absolute addresses in x86 instructions, then bufSlack bytes
	n     int    // size of the chunk
	x86   x86Filter

	fast   *chains
	parser *parser
}

// coder is an adaptive Huffman code as in Decoder, with the codes of its symbols.
type coder struct {
	huff
	code   [1024]uint16 // by symbol
	length [1024]uint8  // of code, in bits
}

// takePiece is the number of bytes copied between calls of rest.
const takePiece = 8 << 20

// addressable returns the number of bytes of memory that a program can address.
func addressable() int64 {
	if runtime.GOARCH == "wasm" {
		return 4 << 30
	}
	return math.MaxInt
}

// bufSlack is the number of bytes of the buffer after the chunk. Loads may reach them.
const bufSlack = 32

// NewEncoder returns an Encoder for chunks of at most chunkSize bytes, 1 to 1 GiB. level is 1 (fast), 2 (normal) or 3 (maximum). It fails
// if [Memory] exceeds what a program can address, as it may in a browser. Whether so much memory is available is up to the caller.
func NewEncoder(chunkSize, level int) (*Encoder, error) {
	switch {
	case chunkSize < 1 || chunkSize > MaxEncode:
		return nil, errEncodeSize
	case level < levelFast || level > levelMaximum:
		return nil, errLevel
	case Memory(chunkSize, level) > addressable():
		return nil, errMemory
	}
	e := &Encoder{level: level, buf: make([]byte, chunkSize+bufSlack)}
	makeSlots(e.slots[:], offsetRuns[:])
	makeSlots(e.lengthSlots[:], lengthRuns[:])
	e.runs.make()
	s := 0
	for l := 1; l < len(e.lengthSlot); l++ {
		for l >= int(e.lengthSlots[s+1].base) {
			s++
		}
		e.lengthSlot[l] = uint8(s)
	}
	if level == levelFast {
		e.fast = newChains(chunkSize)
	} else {
		e.parser = newParser(chunkSize, level)
	}
	return e, nil
}

// Memory estimates how many bytes NewEncoder allocates: for large chunks 5 times the chunk size at level 1, and 9 times at the other
// levels, or 17 times for chunks of more than 64 MiB.
func Memory(chunkSize, level int) int64 {
	n := int64(unsafe.Sizeof(Encoder{})) + int64(chunkSize) + bufSlack
	if level == levelFast {
		return n + chainsMemory(chunkSize)
	}
	return n + parserMemory(chunkSize)
}

// Encode packs src, at most the chunk size, into dst and returns the packed size: an even number of at least 8, or 0 if src is empty or
// its packed form does not fit. It writes nothing outside dst, does not change src, and does not allocate. To keep only chunks that shrink,
// pass a dst of len(src)-1 bytes.
func (e *Encoder) Encode(dst, src []byte) int {
	n, _ := e.EncodeFunc(dst, src, nil)
	return n
}

// EncodeFunc is Encode for chunks that may take seconds. It calls rest, if not nil, every few milliseconds to tens of milliseconds; an
// error from rest stops it and is returned. Otherwise it fails only if src is larger than the chunk size.
func (e *Encoder) EncodeFunc(dst, src []byte, rest func() error) (int, error) {
	switch {
	case len(src) > len(e.buf)-bufSlack:
		return 0, errTooLong
	case len(src) == 0 || len(dst) < leastPacked:
		return 0, nil
	}
	e.n = len(src)
	for at := 0; at < e.n; at += takePiece {
		copy(e.buf[at:], src[at:min(at+takePiece, e.n)])
		if rest != nil {
			if err := rest(); err != nil {
				return 0, err
			}
		}
	}
	clear(e.buf[e.n:][:bufSlack]) // the result must not depend on the chunk before
	if err := e.x86.run(e.buf[:e.n], toAbsolute, rest); err != nil {
		return 0, err
	}
	e.reset()
	e.out.reset(dst)
	var err error
	if e.level == levelFast {
		err = e.parseFast(rest)
	} else {
		err = e.parse(rest)
	}
	n := 0
	if err == nil {
		n = e.out.finish()
	}
	e.out = output{} // keep no reference to dst
	return n, err
}

// reset initializes the model for a chunk, as the decoder does.
func (e *Encoder) reset() {
	for _, c := range [...][]context{e.main[:], e.match[:], e.lz[:], e.lzRep[0][:], e.lzRep[1][:], e.delta[:], e.dltRep[0][:], e.dltRep[1][:]} {
		for i := range c {
			c[i] = context{initialHistory, 64 - uint64(bits.OnesCount64(initialHistory))}
		}
	}
	n := offsetSlots(e.slots[:], e.n)
	e.literals.reset(&e.work, numLiterals, literalInterval, literalRoot)
	e.offsets.reset(&e.work, n, offsetInterval, offsetRoot)
	e.lengths.reset(&e.work, numLengths, lengthInterval, lengthRoot)
	e.deltaOffsets.reset(&e.work, n, offsetInterval, deltaRoot)
	e.powers.reset(&e.work, numPowers, powerInterval, powerRoot)
	e.literals.assign()
	e.offsets.assign()
	e.lengths.assign()
	e.deltaOffsets.assign()
	e.powers.assign()
	e.cur = firstHistory
}

// assign sets code and length of each symbol from the decoding tables.
func (c *coder) assign() {
	at, code := 0, uint32(0)
	for l := uint32(1); l <= maxCodeBits; l++ {
		for ; code < c.limit[l]; code += 1 << (maxCodeBits - l) {
			sym := c.order[at&1023] & 1023
			c.code[sym] = uint16(code >> (maxCodeBits - l))
			c.length[sym] = uint8(l)
			at++
		}
	}
}

// decide writes one decision.
func (e *Encoder) decide(c *context, bit uint64) {
	o := &e.out
	if o.rng < 1<<16 {
		o.shift()
	}
	bound := o.rng >> 6 * c.zero
	if bit == 0 {
		o.rng = bound
	} else {
		o.low += bound
		o.rng -= bound
	}
	c.history = c.history<<1 | bit
	c.zero = uint64(min(max(64-bits.OnesCount64(c.history), 1), 63))
}

// symbol writes a symbol and counts it. renew rebuilds a code that is due at the end of the item, as the decoder does.
func (e *Encoder) symbol(c *coder, sym int) {
	e.out.put(uint64(c.code[sym&1023]), uint(c.length[sym&1023]))
	c.freq[sym&1023]++
	c.left--
}

// renew rebuilds a code if it is due, and reports whether it did.
func (e *Encoder) renew(c *coder) bool {
	if c.left >= 0 {
		return false
	}
	c.rebuild(&e.work)
	c.assign()
	return true
}

// writeLength writes a match length.
func (e *Encoder) writeLength(length int) {
	s := 0
	if length < len(e.lengthSlot) {
		s = int(e.lengthSlot[length])
	} else {
		s = e.longLengthSlot(length)
	}
	e.symbol(&e.lengths, s)
	slot := e.lengthSlots[s]
	e.out.put(uint64(uint32(length)-slot.base), uint(slot.extra))
}

// longLengthSlot returns the slot of a length of 256 or more.
func (e *Encoder) longLengthSlot(length int) int {
	s := int(e.lengthSlot[len(e.lengthSlot)-1])
	for s+1 < numLengths && length >= int(e.lengthSlots[s+1].base) {
		s++
	}
	return s
}

// writeOffset writes the offset of an LZ match, or the raw offset of a delta match.
func (e *Encoder) writeOffset(c *coder, offset uint32) {
	s := e.runs.slot(offset)
	e.symbol(c, s)
	slot := e.slots[s&1023]
	e.out.put(uint64(offset-slot.base), uint(slot.extra))
}

// write writes an item that covers length bytes from at on, and rebuilds the codes that are due.
func (e *Encoder) write(at, length int, source uint32) {
	h := &e.cur
	ctx := h.ctx
	main := &e.main[ctx>>mainAt%mainStates]
	if source == sourceLiteral {
		e.decide(main, 0)
		e.symbol(&e.literals, int(e.buf[at]))
		h.literal()
		if e.renew(&e.literals) && e.parser != nil {
			e.parser.literalCosts(e)
		}
		return
	}
	e.decide(main, 1)
	which := &e.match[ctx>>matchAt%matchStates]
	if source&sourceDelta == 0 {
		e.decide(which, 0)
		lz := &e.lz[ctx>>lzAt%repStates]
		if source < 3 {
			e.decide(lz, 1)
			e.writeRecent(&e.lzRep, ctx>>lzRep0At, ctx>>lzRep1At, source)
		} else {
			e.decide(lz, 0)
			e.writeOffset(&e.offsets, source-sourceBase)
		}
		h.lzMatch(source)
	} else { // only levels 2 and 3 find delta matches
		e.decide(which, 1)
		delta := &e.delta[ctx>>deltaAt%repStates]
		source &^= sourceDelta
		if source < 3 {
			e.decide(delta, 1)
			e.writeRecent(&e.dltRep, ctx>>dltRep0At, ctx>>dltRep1At, source)
		} else {
			pair := source - sourceBase
			e.decide(delta, 0)
			e.symbol(&e.powers, int(pair>>rawBits))
			e.writeOffset(&e.deltaOffsets, pair&(1<<rawBits-1))
			e.parser.deltas.used(pair>>rawBits, at)
		}
		h.deltaMatch(source)
		if e.renew(&e.deltaOffsets) {
			e.parser.deltaOffsetCosts(e)
		}
		e.renew(&e.powers)
	}
	e.writeLength(length)
	if e.renew(&e.offsets) && e.parser != nil {
		e.parser.offsetCosts(e)
	}
	if e.renew(&e.lengths) && e.parser != nil {
		e.parser.lengthCosts(e)
	}
}

// writeRecent writes which of the recent offsets is used, 0 to 2.
func (e *Encoder) writeRecent(c *[2][repStates]context, state0, state1 uint64, which uint32) {
	if which == 0 {
		e.decide(&c[0][state0%repStates], 0)
		return
	}
	e.decide(&c[0][state0%repStates], 1)
	e.decide(&c[1][state1%repStates], uint64(which-1))
}

// offsetTable finds the slot of an offset. The slots of one width form a run. The number of bits of an offset gives its run, or one
// slightly before it.
type offsetTable struct {
	base  [32]uint32 // by run: lowest offset; the last slot is a run, and a sentinel follows. 32 are enough, and suit the masks in slot
	first [32]uint16 // by run: first slot
	extra [32]uint8  // by run: number of extra bits
	start [33]uint8  // by number of bits: run of the lowest offset with that many bits
}

func (t *offsetTable) make() {
	base, n := uint32(1), 0
	for width, run := range offsetRuns {
		t.base[width], t.first[width], t.extra[width] = base, uint16(n), uint8(width)
		base += uint32(run) << width
		n += int(run)
	}
	t.base[len(offsetRuns)], t.first[len(offsetRuns)], t.extra[len(offsetRuns)] = base, uint16(n), lastSlotBits
	t.base[len(offsetRuns)+1] = 1<<32 - 1
	for size := 1; size <= 32; size++ {
		run := uint8(0)
		for t.base[run+1] <= 1<<(size-1) {
			run++
		}
		t.start[size] = run
	}
}

// slot returns the slot of an offset of at most 31 bits. The masks avoid bounds checks.
func (t *offsetTable) slot(offset uint32) int {
	run := uint32(t.start[bits.Len32(offset)&31])
	for offset >= t.base[(run+1)&31] {
		run++
	}
	run &= 31
	return int(t.first[run]) + int((offset-t.base[run])>>(t.extra[run]&31))
}
