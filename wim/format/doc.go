// Package format contains the records of the Windows Imaging format as they are stored on disk.
//
// ParseX reads a record from the front of a slice, X.Append writes it. Fields are in file order, each with its offset;
// everything is little-endian. Fields describes a record: name, offset, value and meaning of each field, from a list next
// to the parser. The package does no I/O.
//
// Parsers keep unused and reserved fields, so that writing a parsed record gives the same bytes. Where padding is not kept,
// the doc comment says so. Slices in parsed records point into the parsed bytes.
package format

import "encoding/binary"

var le = binary.LittleEndian

func errorf(record string, off int64, text string, args ...any) error {
	return Errorf(record, "", off, text, args...)
}

// tooShort returns the error for a record that is cut off.
func tooShort(record string, have, need int) error {
	return errorf(record, 0, "%d bytes are there, %d are needed", have, need)
}

// Align8 rounds up to a multiple of eight. It saturates instead of overflowing.
func Align8(n uint64) uint64 {
	if n > ^uint64(7) {
		return ^uint64(7)
	}
	return (n + 7) &^ 7
}
