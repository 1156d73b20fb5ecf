package ntname

import (
	"encoding/binary"
)

// Compare compares two stored names unit by unit, exactly and ignoring case.
func Compare(a, b []byte) (exact, fold int) {
	i := 0
	for i+8 <= len(a) && i+8 <= len(b) && binary.LittleEndian.Uint64(a[i:]) == binary.LittleEndian.Uint64(b[i:]) {
		i += 8
	}
	for ; i < len(a) && i < len(b); i += 2 {
		if a[i] == b[i] && a[i+1] == b[i+1] {
			continue
		}
		x, y := binary.LittleEndian.Uint16(a[i:]), binary.LittleEndian.Uint16(b[i:])
		if exact == 0 {
			exact = int(x) - int(y)
		}
		if x, y = Upper(x), Upper(y); x != y {
			return exact, int(x) - int(y)
		}
	}
	fold = len(a) - len(b)
	if exact == 0 {
		exact = fold
	}
	return exact, fold
}

// Equal compares two stored names unit by unit.
func Equal(a, b []byte) bool { return string(a) == string(b) }

// EqualFold compares two stored names as NTFS does: unit by unit, ignoring case.
func EqualFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i+1 < len(a); i += 2 {
		x, y := binary.LittleEndian.Uint16(a[i:]), binary.LittleEndian.Uint16(b[i:])
		if x != y && Upper(x) != Upper(y) {
			return false
		}
	}
	return true
}
