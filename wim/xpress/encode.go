package xpress

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"wimscope/wim/internal/huffman"
	"wimscope/wim/internal/match"
)

// Encoder packs chunks. It is for one goroutine at a time, and does not allocate after it was made.
type Encoder struct {
	effort
	buf    []byte   // the chunk, behind it slack
	tokens []uint32 // see firstMatch

	// What finds matches, one of these.
	recent  *recent
	chains  *chains
	optimum *optimum

	freqs   [numSyms]uint32
	lens    [numSyms]uint8
	lengths huffman.LengthBuilder
	codes   [numSyms]uint16
	words   [numSyms]uint32 // a code and its length, for writing: code<<4 | length
}

// effort is what a level means.
type effort struct {
	parsing parsing
	depth   int // places that a search tries
	nice    int // a match so long is taken without looking further
	passes  int // of best parsing
}

// parsing is how a chunk is made tokens of.
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

// farThree is the distance beyond which a match of three bytes usually takes more bits than three literals do.
const farThree = 2048

// A token is a literal, its byte, or a match, its distance<<16 | length-minMatch. A distance is at least 1, so what is
// below firstMatch is a literal.
const firstMatch = 1 << 16

// endSymbol stands behind the last token. Windows' decoder fails without it.
const endSymbol = 256

// NewEncoder makes an Encoder for chunks of up to chunkSize bytes, 1 to 65536, that works as hard as level says: 1 is
// fast, 2 normal, 3 the best it can.
func NewEncoder(chunkSize, level int) *Encoder {
	if chunkSize < 1 || chunkSize > maxChunk {
		panic("xpress: a chunk is 1 to 65536 bytes")
	}
	e := &Encoder{
		effort: effortOf(level),
		buf:    make([]byte, chunkSize+match.Slack),
		tokens: make([]uint32, chunkSize, chunkSize+1), // one more, so that a pointer behind the last is into the array
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

// Memory is about how many bytes an Encoder for such chunks takes.
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

// Encode packs a chunk, src, of at most the Encoder's chunk size, into dst and gives the size, or 0 if dst has no room
// for it: then dst is as it was. The same bytes give the same packed chunk, whatever the Encoder packed before. A caller
// who keeps only chunks that shrink passes a dst of len(src)-1 bytes.
func (e *Encoder) Encode(dst, src []byte) int {
	if len(src) > len(e.tokens) {
		panic("xpress: chunk is larger than the Encoder was made for")
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

// count sets freqs for the tokens, and gives the number of matches with a length of 16 bits.
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

// size is that of the packed chunk, from freqs and lens.
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
	// One unit is always held beyond that of the last bit.
	return tableSize + 2*((n+15)/16+1) + extra
}

// write writes a packed chunk; dst has its size.
//
// Where a match's further length bytes go is a matter of how far its reader has fetched units by then: two units are
// placed before anything, and another as soon as the first of the two is full. So p and q are where the two units lie
// that are begun or come next, and to is what follows them.
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
		panic("xpress: packed chunk has another size than was reckoned")
	}
}
