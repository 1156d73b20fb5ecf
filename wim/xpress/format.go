package xpress

import "encoding/binary"

// [MS-XCA] 2.1.4.1, 2.2.4.
const (
	maxChunk   = 65536
	numSyms    = 512
	tableSize  = numSyms / 2 // bytes of the table of code lengths
	maxCodeLen = 15
	minMatch   = 3
	longLength = 15  // value of a symbol's length field: a byte follows
	hugeLength = 255 // value of that byte: a 16-bit length follows
)

// unpackLengths unpacks the table of a packed chunk. The low half of a byte belongs to the earlier symbol.
func unpackLengths(lens *[numSyms]uint8, table []byte) {
	table = table[:tableSize]
	for i := 0; i < tableSize; i += 4 {
		x := uint64(binary.LittleEndian.Uint32(table[i:]))
		x = (x | x<<16) & 0x0000FFFF0000FFFF
		x = (x | x<<8) & 0x00FF00FF00FF00FF
		x = (x | x<<4) & 0x0F0F0F0F0F0F0F0F
		binary.LittleEndian.PutUint64(lens[2*i:], x)
	}
}
