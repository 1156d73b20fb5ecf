package lzx

import "math/bits"

// [MS-PATCH], as WIM uses it.
const (
	minWindow     = 1 << 15
	maxWindow     = 1 << 21
	wideWindow    = 1 << 16 // from this size on, block sizes have 24 bits
	defaultBlock  = 32768
	blockVerbatim = 1
	blockAligned  = 2
	blockRaw      = 3

	numChars    = 256
	minMatch    = 2
	maxMatch    = 257
	numHeaders  = 8   // length headers of each slot
	longHeader  = 7   // the length header that a length symbol follows
	numLengths  = 249 // symbols of the length code
	numAligned  = 8
	numPre      = 20
	alignedFrom = 3 // number of extra bits from which an aligned block codes the lowest three
	numRecent   = 3 // slots 0 to 2 are recent distances
	maxSlots    = 50
	maxMain     = numChars + maxSlots*numHeaders

	maxMainLen = 16
	preRunLong = 18
	preRun     = 17
	preSame    = 19
)

func validWindow(size int) bool {
	return size >= minWindow && size <= maxWindow && size&(size-1) == 0
}

// slotBits returns the number of extra bits of a distance slot.
func slotBits(slot int) uint {
	if slot < 4 {
		return 0
	}
	return min(uint(slot)/2-1, 17)
}

// slotBase returns the smallest coded value of a slot from 3 on. The coded value is the distance plus 2.
func slotBase(slot int) int {
	base := 0
	for s := range slot {
		base += 1 << slotBits(s)
	}
	return base
}

// numSlots returns the number of distance slots that the largest distance in a window, window-3, needs.
func numSlots(window int) int {
	// The largest coded value is window-1. There are two slots for each bit up to 18 bits, then one for each 2^17.
	if window >= 1<<19 {
		return 34 + window>>17
	}
	return 2 * (bits.Len(uint(window)) - 1)
}

// x86 translation works on calls in the first 12,000,000 bytes of a file. Each chunk counts as the start of such a file.
const (
	x86FileSize = 12000000
	x86Tail     = 10 // the last bytes of a chunk, where no call is translated
	x86Call     = 0xE8
)
