package lzms

// The source of an item is one word. For an LZ match it is 0 to 2 for a recent offset, or the offset plus sourceBase. A delta match has
// sourceDelta set, and a pair power<<rawBits | raw offset in place of the offset.
const (
	sourceBase    = 3
	sourceDelta   = 1 << 31
	sourceLiteral = 1<<32 - 1
	rawBits       = 28 // largest number of bits of a raw offset; the encoder ignores delta matches with larger ones
)

// history is what the model keeps of the items so far: recent offsets and the contexts of decisions. It is small, because the parser keeps
// one for each node.
type history struct {
	// The last four offsets, the latest first, 32 bits each, the lowest first, as in the decoder. Directly after a match its own offset,
	// the first, is not among the three recent ones.
	lz01, lz23       uint64
	delta01, delta23 uint64 // pairs, likewise
	ctx              uint64 // latest outcomes of each decision; lzLate, deltaLate
}

// Offsets in ctx of the outcomes of each decision.
const (
	mainAt    = 0
	matchAt   = mainAt + 4
	lzAt      = matchAt + 5
	lzRep0At  = lzAt + 6
	lzRep1At  = lzRep0At + 6
	deltaAt   = lzRep1At + 6
	dltRep0At = deltaAt + 6
	dltRep1At = dltRep0At + 6
	lzLate    = 1 << (dltRep1At + 6) // the item before was an LZ match
	deltaLate = lzLate << 1
)

var firstHistory = history{lz01: 2<<32 | 1, lz23: 4<<32 | 3, delta01: 2<<32 | 1, delta23: 4<<32 | 3}

const (
	mainMask   = (mainStates - 1) << mainAt
	matchMask  = (matchStates - 1) << matchAt
	lzMask     = (repStates - 1) << lzAt
	lzRep0Mask = (repStates - 1) << lzRep0At
	lzRep1Mask = (repStates - 1) << lzRep1At
	deltaMask  = (repStates - 1) << deltaAt
	dlt0Mask   = (repStates - 1) << dltRep0At
	dlt1Mask   = (repStates - 1) << dltRep1At
)

// literal updates h after a literal.
func (h *history) literal() {
	c := h.ctx
	h.ctx = c&^(mainMask|lzLate|deltaLate) | c<<1&mainMask
}

// lzMatch updates h after an LZ match.
func (h *history) lzMatch(source uint32) {
	c := h.ctx
	late := c & lzLate
	n := c&^(mainMask|matchMask|lzMask|deltaLate|lzLate) | (c<<1|1<<mainAt)&mainMask | c<<1&(matchMask&^(1<<matchAt)) | c<<1&(lzMask&^(1<<lzAt)) | lzLate
	if source >= sourceBase {
		h.ctx = n
		h.lz23 = h.lz23<<32 | h.lz01>>32
		h.lz01 = h.lz01<<32 | uint64(source-sourceBase)
		return
	}
	n |= 1 << lzAt
	if source == 0 {
		n = n&^lzRep0Mask | c<<1&(lzRep0Mask&^(1<<lzRep0At))
	} else {
		n = n&^(lzRep0Mask|lzRep1Mask) | c<<1&(lzRep0Mask&^(1<<lzRep0At)) | 1<<lzRep0At | c<<1&(lzRep1Mask&^(1<<lzRep1At)) | uint64(source-1)<<lzRep1At
	}
	h.ctx = n
	if late != 0 {
		source++
	}
	h.lz01, h.lz23 = toFront(h.lz01, h.lz23, source)
}

// deltaMatch updates h after a delta match. source does not have sourceDelta.
func (h *history) deltaMatch(source uint32) {
	c := h.ctx
	late := c & deltaLate
	n := c&^(mainMask|matchMask|deltaMask|lzLate|deltaLate) | (c<<1|1<<mainAt)&mainMask | c<<1&(matchMask&^(1<<matchAt)) | 1<<matchAt | c<<1&(deltaMask&^(1<<deltaAt)) | deltaLate
	if source >= sourceBase {
		h.ctx = n
		h.delta23 = h.delta23<<32 | h.delta01>>32
		h.delta01 = h.delta01<<32 | uint64(source-sourceBase)
		return
	}
	n |= 1 << deltaAt
	if source == 0 {
		n = n&^dlt0Mask | c<<1&(dlt0Mask&^(1<<dltRep0At))
	} else {
		n = n&^(dlt0Mask|dlt1Mask) | c<<1&(dlt0Mask&^(1<<dltRep0At)) | 1<<dltRep0At | c<<1&(dlt1Mask&^(1<<dltRep1At)) | uint64(source-1)<<dltRep1At
	}
	h.ctx = n
	if late != 0 {
		source++
	}
	h.delta01, h.delta23 = toFront(h.delta01, h.delta23, source)
}

// toFront moves the offset with index at, 0 to 3, to the front.
func toFront(a, b uint64, at uint32) (uint64, uint64) {
	switch at {
	case 0:
		return a, b
	case 1:
		return a<<32 | a>>32, b
	case 2:
		return a<<32 | b&0xFFFFFFFF, b&^0xFFFFFFFF | a>>32
	}
	return a<<32 | b>>32, b<<32 | a>>32
}

// recent returns the three recent ones of four offsets, 32 bits each, the lowest first. late is not 0 if the item before was a match of
// their kind.
func recent(a, b, late uint64) (uint64, uint64) {
	if late != 0 {
		return a>>32 | b<<32, b >> 32
	}
	return a, b
}
