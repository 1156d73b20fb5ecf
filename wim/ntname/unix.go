package ntname

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// FromUnix gives the UTF-16 units of a name of a Unix system: UTF-8 in which, as wimlib writes what Windows allows, a
// surrogate may stand as three bytes.
func FromUnix(name string) ([]uint16, error) {
	units := make([]uint16, 0, len(name))
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && n <= 1 {
			b := name[i:]
			if len(b) < 3 || b[0] != 0xed || b[1]&0xe0 != 0xa0 || b[2]&0xc0 != 0x80 {
				return nil, fmt.Errorf("%w: it is not valid UTF-8", ErrInvalid)
			}
			units = append(units, 0xd000|uint16(b[1]&0x3f)<<6|uint16(b[2]&0x3f))
			i += 3
			continue
		}
		units = utf16.AppendRune(units, r)
		i += n
	}
	return units, nil
}
