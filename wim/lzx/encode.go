package lzx

import (
	"errors"
	"math/bits"

	"wimscope/wim/internal/match"
)

// ErrLevel is returned for a level that is not 1 to 3.
var ErrLevel = errors.New("lzx: level must be 1, 2 or 3")

// Levels of an Encoder.
const (
	Fast    = 1 // lazy parsing
	Normal  = 2 // near-optimal parsing
	Maximum = 3 // near-optimal parsing with a deeper search, repeated
)

const (
	maxSpan     = 1 << 17 // bytes parsed together
	minSegment  = 1 << 10 // smallest block in bytes, except at the end of a span
	maxSegments = 32

	// A token has its length in the low bits, as match.Packed has, 1 for a literal. Above them, a match has the value that
	// is coded for its distance: 0 to 2 for a recent one, otherwise the distance plus 2.
	tokenLength = match.MaxLength
	tokenShift  = match.LengthBits

	firstQueue = 1<<(2*recentBits) | 1<<recentBits | 1
)

// tuning holds the parameters of a level.
type tuning struct {
	search  match.Search
	matches int // room for matches, per byte of a span
	passes  int // of optimal parsing
}

func tuningOf(level int) tuning {
	switch level {
	case Fast:
		return tuning{search: match.Search{Depth: 16, Nice: 48, MaxLen: maxMatch}}
	case Normal:
		return tuning{search: match.Search{Depth: 24, Nice: 48, MaxLen: maxMatch}, matches: 8, passes: 1}
	default:
		return tuning{search: match.Search{Depth: 96, Nice: 128, MaxLen: maxMatch}, matches: 12, passes: 5}
	}
}

// Encoder packs chunks of at most one window size. The packed chunk depends only on the chunk, not on earlier ones. An Encoder
// is not safe for concurrent use. It allocates only in NewEncoder.
type Encoder struct {
	window  int
	numMain int
	tuning  tuning

	buf []byte // the chunk with its calls translated, then match.Slack bytes
	n   int    // size of the chunk

	// One of the two, by level.
	chain *match.HashChain
	tree  *match.BinTree

	matches []match.Packed // of all positions of the span, in order
	ends    []uint32       // by position of the span: end of its matches in matches
	tokens  []uint32
	nodes   []uint64 // by position of a block: the cheapest way to it; see parse
	queues  []uint64 // by position of a block: the recent distances on that way

	segments  [maxSegments]segment
	histogram [maxSegments]histogram // of the segments
	final     histogram              // of a block's tokens, after parsing
	nothing   histogram              // stays empty

	costs costs
	log   [logSize]uint16

	queue      uint64 // recent distances, as in state, at the end of the written blocks
	mainLens   [maxMain]uint8
	lengthLens [numLengths]uint8
	block      blockCodes
	w          bitWriter
}

// NewEncoder returns an Encoder for archives whose chunk size is windowSize, or ErrWindow or ErrLevel. A chunk may be smaller.
func NewEncoder(windowSize, level int) (*Encoder, error) {
	if !validWindow(windowSize) {
		return nil, ErrWindow
	}
	if level < Fast || level > Maximum {
		return nil, ErrLevel
	}
	e := &Encoder{
		window:  windowSize,
		numMain: numChars + numSlots(windowSize)*numHeaders,
		tuning:  tuningOf(level),
	}
	span := min(windowSize, maxSpan)
	e.buf = make([]byte, windowSize+match.Slack)
	e.tokens = make([]uint32, span)
	if level == Fast {
		e.chain = match.NewHashChain(windowSize)
	} else {
		e.tree = match.NewBinTree(windowSize, windowSize-3)
		e.matches = make([]match.Packed, span*e.tuning.matches)
		e.ends = make([]uint32, span)
		e.nodes = make([]uint64, span+1, span+2) // one more, so that a pointer past the last node is still inside the array
		e.queues = make([]uint64, span+1)
	}
	for i := range e.log {
		e.log[i] = uint16(log2(uint32(max(i, 1))))
	}
	e.block.init()
	return e, nil
}

// Memory estimates how many bytes NewEncoder allocates. It returns 0 for a window or level that NewEncoder refuses.
func Memory(windowSize, level int) int64 {
	if !validWindow(windowSize) || level < Fast || level > Maximum {
		return 0
	}
	const fixed = 350 << 10
	window, span := int64(windowSize), int64(min(windowSize, maxSpan))
	if level == Fast {
		return fixed + window + 4*span + match.HashChainMemory(windowSize)
	}
	return fixed + window + (4+4+8+8+4*int64(tuningOf(level).matches))*span + match.BinTreeMemory(windowSize)
}

// Encode packs src, 1 byte to the window size, into dst and returns the packed size. It returns 0 if the packed chunk does not
// fit, or if src is empty or too large. It writes nothing outside dst, does not change src, and keeps neither slice.
func (e *Encoder) Encode(dst, src []byte) int {
	if len(src) < 1 || len(src) > e.window {
		return 0
	}
	e.n = copy(e.buf, src)
	clear(e.buf[e.n : e.n+match.Slack])
	translate(e.buf[:e.n])
	e.queue = firstQueue
	clear(e.mainLens[:])
	clear(e.lengthLens[:])
	e.w = bitWriter{dst: dst}
	if e.chain != nil {
		e.chain.Start(e.buf, e.n)
	} else {
		e.tree.Reset()
	}
	span := len(e.tokens)
	for at := 0; at < e.n; {
		end := min(at+span, e.n)
		ok := false
		if e.chain != nil {
			ok = e.fastSpan(at, end)
		} else {
			end = e.tree.Fill(e.buf, e.n, at, end, &e.tuning.search, e.matches, e.ends)
			ok = e.optimalSpan(at, end)
		}
		if !ok {
			e.w = bitWriter{}
			return 0
		}
		at = end
	}
	size := e.w.finish()
	e.w = bitWriter{} // do not keep dst
	return size
}

// fastSpan packs the bytes from start to end with lazy parsing. It reports whether they fit.
func (e *Encoder) fastSpan(start, end int) bool {
	n := e.lazy(start, end)
	token := 0
	for _, s := range e.split(n) {
		queue := e.queue
		for _, t := range e.tokens[token:s.tokens] {
			queue = moved(queue, t)
		}
		if !e.writeBlock(e.tokens[token:s.tokens], start, s.end, &e.histogram[s.histogram], queue) {
			return false
		}
		start, token = s.end, s.tokens
	}
	return true
}

// optimalSpan packs the bytes from start to end, whose matches are known, with near-optimal parsing. It reports whether they
// fit.
func (e *Encoder) optimalSpan(start, end int) bool {
	n := e.greedy(start, end)
	span := start
	for _, s := range e.split(n) {
		h := &e.histogram[s.histogram]
		var tokens []uint32
		var queue uint64
		for range e.tuning.passes {
			e.costs.set(h, e.numMain, &e.log)
			tokens, queue = e.parse(span, start, s.end)
			h = &e.final
		}
		if !e.writeBlock(tokens, start, s.end, h, queue) {
			return false
		}
		start = s.end
	}
	return true
}

// moved returns the recent distances after a token.
func moved(queue uint64, token uint32) uint64 {
	if token&tokenLength == 1 {
		return queue
	}
	v := token >> tokenShift
	if v >= numRecent {
		return queue<<recentBits | uint64(v-2)
	}
	shift := v * recentBits
	x := (queue ^ queue>>shift) & recentMask
	return queue ^ (x ^ x<<shift)
}

// slotOf returns the slot of a coded distance value.
func slotOf(v uint32) uint32 {
	if v < numRecent {
		return v
	}
	if v >= 1<<18 {
		return 34 + v>>17
	}
	n := uint32(bits.Len32(v)) - 1
	return 2*n + v>>((n-1)&31)&1
}

// histogram counts the symbols of tokens.
type histogram struct {
	main   [maxMain]uint32
	length [lengthSpace]uint32
	low    [numAligned]uint32 // lowest three bits of the distances for which an aligned block codes them
}

func (h *histogram) literal(b byte) { h.main[b]++ }

func (h *histogram) match(token uint32) {
	v := token >> tokenShift
	slot := slotOf(v)
	header := token&tokenLength - minMatch
	if header >= longHeader {
		h.length[(header-longHeader)&(lengthSpace-1)]++
		header = longHeader
	}
	h.main[numChars+slot*numHeaders+header]++
	if slot >= alignedSlot {
		h.low[v&(numAligned-1)]++
	}
}

// alignedSlot is the first slot with alignedFrom extra bits.
const alignedSlot = 8
