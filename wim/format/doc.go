// Package format holds the records of the Windows Imaging format as they lie on disk.
//
// ParseX reads a record from the front of a slice, X.Append writes it. Fields stand in file order, each with its
// offset; everything is little-endian. A record also explains itself: Fields gives name, place, value and meaning
// of each field, from the same description that the parser stands beside. Nothing here does I/O.
//
// Parsers keep what they do not understand (unused and reserved fields), so that writing back what was read gives
// the same bytes. Where padding is not kept the doc comment says so. Slices in parsed records point into the
// parsed bytes.
package format

import "encoding/binary"

var le = binary.LittleEndian

func errorf(record string, off int64, text string, args ...any) error {
	return Errorf(record, "", off, text, args...)
}

// tooShort is the error of a record whose bytes are not all there.
func tooShort(record string, have, need int) error {
	return errorf(record, 0, "%d bytes are there, %d are needed", have, need)
}

// Align8 rounds up to a multiple of eight. It saturates instead of wrapping round.
func Align8(n uint64) uint64 {
	if n > ^uint64(7) {
		return ^uint64(7)
	}
	return (n + 7) &^ 7
}
