package xpress

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"wimscope/wim/internal/huffman"
	"wimscope/wim/internal/match"
)

// Encoder packs chunks. It is not safe for concurrent use. It allocates only in NewEncoder.
type Encoder struct {
	effort
	buf    []byte   // the chunk, then slack
	tokens []uint32 // see firstMatch

	// The match finder: one of these, by parsing.
	recent  *recent
	chains  *chains
	optimum *optimum

	freqs   [numSyms]uint32
	lens    [numSyms]uint8
	lengths huffman.LengthBuilder
	codes   [numSyms]uint16
	words   [numSyms]uint32 // for writing: code<<4 | length
}

// effort holds the parameters of a level.
type effort struct {
	parsing parsing
	depth   int // positions that a search tries
	nice    int // a match of this length ends the search
	passes  int // of optimal parsing
}

// parsing is the way in which a chunk is split into tokens.
type parsing uint8

const (
	greedy parsing = iota
	lazy
	best
)

func effortOf(level int) effort {
	switch {
	case level <= 1:
		return effort{parsing: greedy}
	case level == 2:
		return effort{parsing: lazy, depth: 24, nice: 96}
	default:
		return effort{parsing: best, depth: 32, nice: 96, passes: 6}
	}
}

// farThree is the distance beyond which a match of three bytes usually takes more bits than three literals.
const farThree = 2048

// A token is the byte of a literal, or distance<<16 | length-minMatch of a match. A distance is at least 1, so tokens
// below firstMatch are literals.
const firstMatch = 1 << 16

// endSymbol follows the last token. Windows' decoder fails without it.
const endSymbol = 256

// NewEncoder returns an Encoder for chunks of at most chunkSize bytes, 1 to 65536. Level 1 is fast, 2 normal, 3 packs best.
func NewEncoder(chunkSize, level int) *Encoder {
	if chunkSize < 1 || chunkSize > maxChunk {
		panic("xpress: a chunk is 1 to 65536 bytes")
	}
	e := &Encoder{
		effort: effortOf(level),
		buf:    make([]byte, chunkSize+match.Slack),
		tokens: make([]uint32, chunkSize, chunkSize+1), // one more, so that a pointer past the last token is still inside the array
	}
	switch e.parsing {
	case greedy:
		e.recent = new(recent)
	case lazy:
		e.chains = new(chains)
	case best:
		e.optimum = newOptimum(chunkSize, e.effort)
	}
	return e
}

// Memory estimates how many bytes NewEncoder allocates.
func Memory(chunkSize, level int) int64 {
	n := int64(unsafe.Sizeof(Encoder{})) + 5*int64(chunkSize)
	switch e := effortOf(level); e.parsing {
	case greedy:
		n += int64(unsafe.Sizeof(recent{}))
	case lazy:
		n += int64(unsafe.Sizeof(chains{}))
	case best:
		n += optimumMemory(chunkSize, e)
	}
	return n
}

// Encode packs src, at most chunkSize bytes, into dst and returns the packed size, or 0 if it does not fit: dst is then
// unchanged. The packed chunk depends only on src, not on earlier calls. To keep only chunks that shrink, pass a dst of
// len(src)-1 bytes.
func (e *Encoder) Encode(dst, src []byte) int {
	if len(src) > len(e.tokens) {
		panic("xpress: chunk is larger than the Encoder's chunk size")
	}
	if len(src) == 0 || len(dst) < tableSize+4 {
		return 0
	}
	n := copy(e.buf, src)
	clear(e.buf[n : n+match.Slack])
	var count, huge int
	switch e.parsing {
	case greedy:
		count, huge = e.greedy(n)
	case lazy:
		count, huge = e.lazy(n)
	case best:
		count = e.best(n)
		huge = e.count(e.tokens[:count])
	}
	e.lengths.Build(e.lens[:], e.freqs[:], maxCodeLen)
	size := e.size(huge)
	if size > len(dst) {
		return 0
	}
	e.write(dst[:size], e.tokens[:count])
	return size
}

// count sets freqs for the tokens, and returns the number of matches with a 16-bit length.
func (e *Encoder) count(tokens []uint32) (huge int) {
	clear(e.freqs[:])
	e.freqs[endSymbol] = 1
	freqs := unsafe.Pointer(&e.freqs)
	for _, t := range tokens {
		sym := t
		if t >= firstMatch {
			length := t & 0xFFFF
			if length >= longLength+hugeLength {
				huge++
			}
			sym = 256 + (15-uint32(bits.LeadingZeros32(t)))<<4 + min(length, longLength)
		}
		*(*uint32)(unsafe.Add(freqs, sym<<2))++
	}
	return huge
}

// size returns the size of the packed chunk in bytes, from freqs and lens.
func (e *Encoder) size(huge int) int {
	n, extra := 0, 2*huge
	for sym, f := range &e.freqs {
		n += int(f) * int(e.lens[sym])
	}
	for sym := 256; sym < numSyms; sym++ {
		n += int(e.freqs[sym]) * (sym >> 4 & 15)
	}
	for sym := 256 + longLength; sym < numSyms; sym += 16 {
		extra += int(e.freqs[sym])
	}
	// A reader always fetches one unit beyond that of the last bit.
	return tableSize + 2*((n+15)/16+1) + extra
}

// write writes a packed chunk into dst, which has its size.
//
// The length bytes of a match lie where a reader finds them, behind the units that it has fetched by then: two at the
// start, and another as soon as the first of the two is used up. So p and q are the offsets of the two units that are
// open, and to is the offset behind all units and length bytes so far.
func (e *Encoder) write(dst []byte, tokens []uint32) {
	for i := range tableSize {
		dst[i] = e.lens[2*i] | e.lens[2*i+1]<<4
	}
	huffman.Codes(e.codes[:], e.lens[:])
	for sym, c := range &e.codes {
		e.words[sym] = uint32(c)<<4 | uint32(e.lens[sym])
	}
	words := unsafe.Pointer(&e.words)
	base := unsafe.Pointer(unsafe.SliceData(dst))
	p, q, to := uint64(tableSize), uint64(tableSize+2), uint64(tableSize+4)
	var acc, n uint64 // bits not yet written: the lowest n, at most 32 of them between tokens
	for _, t := range tokens {
		if t < firstMatch {
			w := *(*uint32)(unsafe.Add(words, t<<2))
			acc = acc<<(w&15) | uint64(w>>4)
			n += uint64(w & 15)
		} else {
			length := uint64(t & 0xFFFF)
			dist := uint64(t >> 16)
			distBits := uint64(63 - bits.LeadingZeros64(dist))
			w := *(*uint32)(unsafe.Add(words, (256+distBits<<4+min(length, longLength))<<2))
			acc = acc<<(w&15) | uint64(w>>4)
			n += uint64(w & 15)
			if length >= longLength {
				if n > 32 {
					*(*uint16)(unsafe.Add(base, p)) = uint16(acc >> ((n - 16) & 63))
					*(*uint16)(unsafe.Add(base, q)) = uint16(acc >> ((n - 32) & 63))
					p, q, to = to, to+2, to+4
					n -= 32
				}
				if n > 16 {
					*(*uint16)(unsafe.Add(base, p)) = uint16(acc >> ((n - 16) & 63))
					p, q, to = q, to, to+2
					n -= 16
				}
				more := length - longLength
				*(*byte)(unsafe.Add(base, to)) = byte(min(more, hugeLength))
				to++
				if more >= hugeLength {
					*(*uint16)(unsafe.Add(base, to)) = uint16(length)
					to += 2
				}
			}
			acc = acc<<(distBits&63) | dist&^(1<<(distBits&63))
			n += distBits
		}
		if n > 32 {
			*(*uint16)(unsafe.Add(base, p)) = uint16(acc >> ((n - 16) & 63))
			*(*uint16)(unsafe.Add(base, q)) = uint16(acc >> ((n - 32) & 63))
			p, q, to = to, to+2, to+4
			n -= 32
		}
	}
	w := e.words[endSymbol]
	acc = acc<<(w&15) | uint64(w>>4)
	n += uint64(w & 15)
	for ; n > 16; n -= 16 {
		binary.LittleEndian.PutUint16(dst[p:], uint16(acc>>(n-16)))
		p, q, to = q, to, to+2
	}
	binary.LittleEndian.PutUint16(dst[p:], uint16(acc<<(16-n)))
	binary.LittleEndian.PutUint16(dst[q:], 0)
	if to != uint64(len(dst)) {
		panic("xpress: packed chunk does not have the computed size")
	}
}
