package lzms

// Constants of the format.
const (
	maxChunk = 1 << 30 // bytes of output

	mainStates  = 16 // contexts of each kind of decision: its last 4, 5 or 6 outcomes
	matchStates = 32
	repStates   = 64

	maxCodeBits = 15 // no Huffman code is longer

	numLiterals = 256
	numLengths  = 54
	numPowers   = 8
	maxOffsets  = 799

	// Number of symbols after which a code is rebuilt from the counts so far.
	literalInterval = 1024
	offsetInterval  = 1024
	lengthInterval  = 512
	powerInterval   = 512

	// A context remembers its last 64 outcomes. The probability of a zero, in 64ths, is the number of zeros among them, but at least 1
	// and at most 63. It starts with 48: 32 zeros, then 0 and 1 in turn.
	initialHistory = 0x55555555
)

// A slot is a range of offsets or lengths: a symbol gives the slot, extra bits give the value in it.
type slot struct {
	base  uint32 // lowest value
	extra uint8  // number of extra bits
}

// offsetRuns holds the number of offset slots of each width: 8 slots of 1 value, none of 2, 9 of 4, 7 of 8, and so on. One more
// slot, of 30 bits, follows.
var offsetRuns = [...]uint8{8, 0, 9, 7, 10, 15, 15, 20, 20, 30, 33, 40, 42, 45, 60, 73, 80, 85, 95, 105, 6}

// lengthRuns does the same for lengths: 26 slots of 1 value, 4 of 2, 6 of 4, and so on; again a slot of 30 bits follows.
var lengthRuns = [...]uint8{26, 4, 6, 4, 5, 2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1}

// lastSlotBits is the number of extra bits of the slot that follows the runs.
const lastSlotBits = 30

// makeSlots sets slots to those that runs describes, and the last one. The lowest value is 1.
func makeSlots(slots []slot, runs []uint8) {
	base, n := uint32(1), 0
	for width, run := range runs {
		for range run {
			slots[n] = slot{base, uint8(width)}
			base += 1 << width
			n++
		}
	}
	slots[n] = slot{base, lastSlotBits}
}

// offsetSlots returns the number of offset slots, and so of symbols of an offset code, for a chunk of size bytes: up to the slot
// of size-1, the largest offset. A code needs at least two symbols; in a chunk of one or two bytes the second has no valid use.
func offsetSlots(slots []slot, size int) int {
	n := 0
	for n < len(slots) && int64(slots[n].base) <= int64(size)-1 {
		n++
	}
	return max(n, 2)
}
