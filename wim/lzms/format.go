package lzms

// The format's constants.
const (
	maxChunk = 1 << 30 // bytes of output

	mainStates  = 16 // contexts of each kind of decision: the last 4, 5 or 6 of its outcomes
	matchStates = 32
	repStates   = 64

	maxCodeBits = 15 // no Huffman code is longer

	numLiterals = 256
	numLengths  = 54
	numPowers   = 8
	maxOffsets  = 799

	// Symbols after which a code is made anew from the counts so far.
	literalInterval = 1024
	offsetInterval  = 1024
	lengthInterval  = 512
	powerInterval   = 512

	// A context remembers its last 64 outcomes. The probability of a zero, in 64ths, is the number of zeros among them, but at least 1
	// and at most 63. It starts with 48: 32 zeros, and after them zeros and ones by turns.
	initialHistory = 0x55555555
)

// A slot is a range of offsets or lengths: a symbol names the slot, extra bits say which value in it.
type slot struct {
	base  uint32 // the lowest value
	extra uint8  // how many bits choose among the slot's values
}

// offsetRuns counts the offset slots of each width: 8 slots of 1 value, none of 2, 9 of 4, 7 of 8, and so on. One more slot, of
// 30 bits, follows.
var offsetRuns = [...]uint8{8, 0, 9, 7, 10, 15, 15, 20, 20, 30, 33, 40, 42, 45, 60, 73, 80, 85, 95, 105, 6}

// lengthRuns does so for lengths: 26 slots of 1 value, 4 of 2, 6 of 4, and so on; again a slot of 30 bits follows.
var lengthRuns = [...]uint8{26, 4, 6, 4, 5, 2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1}

// lastSlotBits is the extra bits of the slot that follows the runs.
const lastSlotBits = 30

// makeSlots writes out the slots that runs describes, the last one included. The lowest value is 1.
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

// offsetSlots is how many offset slots, and so symbols of an offset code, a chunk of size bytes has: up to the one that holds size-1, the
// farthest offset. A code needs two symbols to be one; a chunk of one or two bytes has no use for the second.
func offsetSlots(slots []slot, size int) int {
	n := 0
	for n < len(slots) && int64(slots[n].base) <= int64(size)-1 {
		n++
	}
	return max(n, 2)
}
