package lzx

import (
	"wimscope/wim/internal/huffman"
)

// maxChanges is the room for coded changes of code lengths: at most one item for each length, two for a run of equal lengths.
const maxChanges = maxMain + numLengths

// blockCodes holds the codes of the current block.
type blockCodes struct {
	builder huffman.LengthBuilder

	mainLens    [maxMain]uint8
	lengthLens  [numLengths]uint8
	alignedLens [numAligned]uint8

	// Codes for the token writer: code<<8 | length.
	main    [maxMain]uint32
	length  [lengthSpace]uint32
	aligned [numAligned]uint32
	words   [maxMain]uint16 // working space of join

	slotBits [64]uint8
	slotBase [64]uint32

	changes [3]changes // of literals, matches, and the length code
}

// changes holds the coded difference between the code lengths of a block and those of the block before.
type changes struct {
	items [maxChanges]uint16 // extra bits<<8 | symbol of the pre-code
	n     int
	lens  [numPre]uint8
	words [numPre]uint16
}

func (b *blockCodes) init() {
	for slot := range maxSlots {
		b.slotBits[slot] = uint8(slotBits(slot))
		b.slotBase[slot] = uint32(slotBase(slot))
	}
}

// preBits returns the number of extra bits of a symbol of the pre-code.
func preBits(sym uint16) int {
	switch sym {
	case preRun:
		return 4
	case preRunLong:
		return 5
	case preSame:
		return 1
	}
	return 0
}

// set computes the changes from the lengths old to the lengths now, and returns their size in bits.
func (c *changes) set(b *huffman.LengthBuilder, old, now []uint8) int {
	var freqs [numPre]uint32
	c.n = 0
	add := func(sym, extra int) {
		c.items[c.n] = uint16(sym | extra<<8)
		c.n++
		freqs[sym]++
	}
	delta := func(i int) int {
		d := int(old[i]) - int(now[i])
		if d < 0 {
			d += 17
		}
		return d
	}
	for i := 0; i < len(now); {
		run := 1
		for i+run < len(now) && now[i+run] == now[i] {
			run++
		}
		switch {
		case now[i] == 0 && run >= 20:
			run = min(run, 51)
			add(preRunLong, run-20)
		case now[i] == 0 && run >= 4:
			add(preRun, run-4)
		case run >= 4:
			run = min(run, 5)
			add(preSame, run-4)
			add(delta(i), 0)
		default:
			run = 1
			add(delta(i), 0)
		}
		i += run
	}
	b.Build(c.lens[:], freqs[:], 15)
	huffman.Codes(c.words[:], c.lens[:])
	size := 4 * numPre
	for sym, n := range freqs {
		size += int(n) * (int(c.lens[sym]) + preBits(uint16(sym)))
	}
	return size
}

// put writes the pre-code and the changes.
func (c *changes) put(w *bitWriter) {
	for _, l := range c.lens {
		w.put(uint32(l), 4)
	}
	for _, item := range c.items[:c.n] {
		sym := item & 0xFF
		w.put(uint32(c.words[sym]), uint(c.lens[sym]))
		w.put(uint32(item>>8), uint(preBits(sym)))
	}
}

// join sets codes to the canonical codes for lens, each with its length.
func join(codes []uint32, words []uint16, lens []uint8) {
	huffman.Codes(words[:len(lens)], lens)
	for i, l := range lens {
		codes[i] = uint32(words[i])<<8 | uint32(l)
	}
}

// writeBlock writes the bytes from start to end as tokens, which h counts, or uncompressed if that is smaller. queue holds the
// recent distances after the tokens. It reports whether the block fits; if not, it writes nothing.
func (e *Encoder) writeBlock(tokens []uint32, start, end int, h *histogram, queue uint64) bool {
	b := &e.block
	b.builder.Build(b.mainLens[:e.numMain], h.main[:e.numMain], maxMainLen)
	b.builder.Build(b.lengthLens[:], h.length[:numLengths], maxMainLen)
	b.builder.Build(b.alignedLens[:], h.low[:], 7)

	// The size of each type of block, in bits.
	header := 4
	if end-start != defaultBlock {
		header += 16
		if e.window >= wideWindow {
			header += 8
		}
	}
	size := header +
		b.changes[0].set(&b.builder, e.mainLens[:numChars], b.mainLens[:numChars]) +
		b.changes[1].set(&b.builder, e.mainLens[numChars:e.numMain], b.mainLens[numChars:e.numMain]) +
		b.changes[2].set(&b.builder, e.lengthLens[:], b.lengthLens[:])
	for i, n := range h.main[:e.numMain] {
		each := int(b.mainLens[i])
		if i >= numChars {
			each += int(b.slotBits[(i-numChars)/numHeaders])
		}
		size += int(n) * each
	}
	for i, n := range h.length[:numLengths] {
		size += int(n) * int(b.lengthLens[i])
	}
	aligned := 3 * numAligned
	for i, n := range h.low {
		aligned += int(n) * (int(b.alignedLens[i]) - 3)
	}
	kind := uint32(blockVerbatim)
	if aligned < 0 {
		kind = blockAligned
		size += aligned
	}
	n := end - start
	before := e.w.size()
	raw := header + 16 - (before+header)%16 + 8*12 + 8*(n+n%2)
	if raw <= size {
		kind, size = blockRaw, raw
	}
	if (before+size+15)/16*2 > len(e.w.dst) {
		return false
	}

	w := &e.w
	w.put(kind, 3)
	switch {
	case n == defaultBlock:
		w.put(1, 1)
	case e.window >= wideWindow:
		w.put(uint32(n), 1+24)
	default:
		w.put(uint32(n), 1+16)
	}
	if kind == blockRaw {
		// An uncompressed block sets the recent distances. Set those after the tokens: the next block's tokens
		// were chosen for them.
		w.raw(queue, e.buf[start:end])
		e.queue = queue
		return true
	}
	if kind == blockAligned {
		for _, l := range b.alignedLens {
			w.put(uint32(l), 3)
		}
		join(b.aligned[:], b.words[:], b.alignedLens[:])
	}
	for i := range b.changes {
		b.changes[i].put(w)
	}
	join(b.main[:], b.words[:], b.mainLens[:e.numMain])
	join(b.length[:], b.words[:], b.lengthLens[:])
	w.tokens(tokens, e.buf[start:end], b, kind == blockAligned)
	e.mainLens, e.lengthLens, e.queue = b.mainLens, b.lengthLens, queue
	return true
}

// bitWriter writes bits into 16-bit units, the highest bit first. Callers make sure that there is room.
type bitWriter struct {
	dst  []byte
	out  int    // bytes written
	bits uint64 // the lowest n are not yet written
	n    uint   // less than 32
}

// size returns the number of bits so far.
func (w *bitWriter) size() int { return 8*w.out + int(w.n) }

// put writes the lowest n bits of v, at most 32. The other bits of v are 0.
func (w *bitWriter) put(v uint32, n uint) {
	w.bits = w.bits<<(n&63) | uint64(v)
	w.n += n
	if w.n >= 32 {
		w.n -= 32
		w.unit(uint32(w.bits >> (w.n & 63) >> 16))
		w.unit(uint32(w.bits >> (w.n & 63)))
	}
}

func (w *bitWriter) unit(v uint32) {
	w.dst[w.out], w.dst[w.out+1] = byte(v), byte(v>>8)
	w.out += 2
}

// finish writes the remaining bits, padded with zeros to a whole unit, and returns the size in bytes.
func (w *bitWriter) finish() int {
	w.put(0, -w.n&15)
	if w.n == 16 {
		w.unit(uint32(w.bits))
		w.n = 0
	}
	return w.out
}

// raw writes an uncompressed block, except its type and size.
func (w *bitWriter) raw(queue uint64, b []byte) {
	// A header that ends with its unit is followed by an empty unit.
	w.put(0, 16-w.n&15)
	w.finish()
	for range numRecent {
		v := uint32(queue & recentMask)
		w.unit(v & 0xFFFF)
		w.unit(v >> 16)
		queue >>= recentBits
	}
	w.out += copy(w.dst[w.out:], b)
	if len(b)%2 == 1 {
		w.dst[w.out] = 0
		w.out++
	}
}

// tokens writes tokens for the bytes of b.
func (w *bitWriter) tokens(tokens []uint32, b []byte, codes *blockCodes, aligned bool) {
	dst, out, buf, n := w.dst, w.out, w.bits, w.n
	from := uint32(alignedSlot)
	if !aligned {
		from = maxSlots
	}
	p := 0
	for _, t := range tokens {
		l := t & tokenLength
		if l == 1 {
			c := codes.main[b[p]]
			p++
			buf = buf<<(c&31) | uint64(c>>8)
			n += uint(c & 31)
		} else {
			p += int(l)
			v := t >> tokenShift
			slot := slotOf(v)
			header := l - minMatch
			if header < longHeader {
				c := codes.main[numChars+slot*numHeaders+header]
				buf = buf<<(c&31) | uint64(c>>8)
				n += uint(c & 31)
			} else {
				c := codes.main[numChars+slot*numHeaders+longHeader]
				buf = buf<<(c&31) | uint64(c>>8)
				n += uint(c & 31)
				c = codes.length[(header-longHeader)&(lengthSpace-1)]
				buf = buf<<(c&31) | uint64(c>>8)
				n += uint(c & 31)
			}
			if n >= 32 {
				n -= 32
				x := uint32(buf >> (n & 63))
				d := dst[out : out+4]
				d[0], d[1], d[2], d[3] = byte(x>>16), byte(x>>24), byte(x), byte(x>>8)
				out += 4
			}
			if slot >= numRecent {
				extra := uint(codes.slotBits[slot&63])
				x := v - codes.slotBase[slot&63]
				if slot >= from {
					extra -= 3
					buf = buf<<(extra&31) | uint64(x>>3)
					n += extra
					c := codes.aligned[x&(numAligned-1)]
					buf = buf<<(c&31) | uint64(c>>8)
					n += uint(c & 31)
				} else {
					buf = buf<<(extra&31) | uint64(x)
					n += extra
				}
			}
		}
		if n >= 32 {
			n -= 32
			x := uint32(buf >> (n & 63))
			d := dst[out : out+4]
			d[0], d[1], d[2], d[3] = byte(x>>16), byte(x>>24), byte(x), byte(x>>8)
			out += 4
		}
	}
	w.out, w.bits, w.n = out, buf, n
}
