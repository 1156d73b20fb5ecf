package ntname

import (
	"errors"
	"fmt"
	"unsafe"
)

// CompareStored orders stored names ignoring case, and those that differ by case alone by their units.
func CompareStored(a, b string) int {
	if a == b {
		return 0
	}
	exact, fold := Compare(RawBytes(a), RawBytes(b))
	if fold != 0 {
		return fold
	}
	return exact
}

// Stored returns the stored form of a name, which may be escaped.
func Stored(name string) string {
	units, _ := Unescape(name)
	return string(Bytes(units))
}

// Text returns the escaped form of a stored name.
func Text(name string) string {
	var room [64]byte
	return string(AppendEscaped(room[:0], RawBytes(name)))
}

var (
	ErrInvalid = errors.New("the name cannot be stored")
)

// MaxBytes is the longest stored name, in bytes: a directory entry has 16 bits for it, and names are whole units.
const MaxBytes = 65534

// Check returns an error, an ErrInvalid, if an entry cannot have this stored name.
func Check(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty", ErrInvalid)
	case name == ".\x00" || name == ".\x00.\x00":
		return fmt.Errorf("%w: \".\" and \"..\" stand for the folder itself and the one above it", ErrInvalid)
	case len(name) > MaxBytes:
		return fmt.Errorf("%w: it is %d UTF-16 units long; the limit is %d", ErrInvalid, len(name)/2, MaxBytes/2)
	}
	for i := 0; i+1 < len(name); i += 2 {
		if name[i+1] != 0 {
			continue
		}
		switch name[i] {
		case 0:
			return fmt.Errorf("%w: it contains a NUL", ErrInvalid)
		case '/':
			return fmt.Errorf("%w: it contains a slash", ErrInvalid)
		}
	}
	return nil
}

// RawBytes returns the bytes of a stored name without copying them. They must not be changed.
func RawBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// RawText is the inverse of RawBytes. The bytes must not change afterwards.
func RawText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
