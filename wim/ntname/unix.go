package ntname

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// FromUnix returns the UTF-16 units of a file name on a Unix system. The name must be UTF-8, except that three bytes may
// encode a surrogate: wimlib writes names of Windows in that way.
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
