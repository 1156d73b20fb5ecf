package core

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// symlinkData makes the reparse data of a Unix link, as wimlib does: slashes and backslashes change places, so that
// nothing is lost, and an absolute target gets a drive that stands for the root of the image. absolute ones begin with a
// slash or, if they lead to that root, are empty.
func symlinkData(target string, absolute bool) ([]byte, error) {
	units, err := unitsOf(target)
	if err != nil {
		return nil, fmt.Errorf("target of the link: %w", err)
	}
	for i, u := range units {
		switch u {
		case '/':
			units[i] = '\\'
		case '\\':
			units[i] = '/'
		}
	}
	const relative = 1
	flags := uint32(relative)
	substitute, print := units, units
	if absolute {
		flags = 0
		substitute = append(utf16.Encode([]rune(`\??\C:`)), units...)
		print = substitute[4:]
	}
	// [MS-FSCC] 2.1.2.4, without the header. Both names end in a NUL that does not count.
	size := 12 + 2*(len(substitute)+1+len(print)+1)
	if size > maxReparseData {
		return nil, fmt.Errorf("%w: the target of the link takes %d bytes, and %d is the most", ErrName, size, maxReparseData)
	}
	le := binary.LittleEndian
	b := make([]byte, 0, size)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, uint16(2*len(substitute)))
	b = le.AppendUint16(b, uint16(2*len(substitute)+2))
	b = le.AppendUint16(b, uint16(2*len(print)))
	b = le.AppendUint32(b, flags)
	b = append(append(b, encodeUTF16(substitute)...), 0, 0)
	return append(append(b, encodeUTF16(print)...), 0, 0), nil
}

// unitsOf gives the UTF-16 units of a name of a Unix system: UTF-8 in which, as wimlib writes what Windows allows, a
// surrogate may stand as three bytes.
func unitsOf(name string) ([]uint16, error) {
	units := make([]uint16, 0, len(name))
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && n <= 1 {
			b := name[i:]
			if len(b) < 3 || b[0] != 0xed || b[1]&0xe0 != 0xa0 || b[2]&0xc0 != 0x80 {
				return nil, fmt.Errorf("%w: it is not valid UTF-8", ErrName)
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
