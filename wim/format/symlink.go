package format

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	"wimscope/wim/ntname"
)

// SymlinkData returns the reparse data of a Unix symbolic link, as wimlib makes it: slashes and backslashes are exchanged, so
// that nothing is lost, and an absolute target gets a drive letter for the root of the image. An absolute target begins with
// a slash, or is empty if it is that root.
func SymlinkData(target string, absolute bool) ([]byte, error) {
	units, err := ntname.FromUnix(target)
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
	// [MS-FSCC] 2.1.2.4, without the header. Both names end in a NUL that their lengths do not include.
	size := 12 + 2*(len(substitute)+1+len(print)+1)
	if size > MaxReparseData {
		return nil, fmt.Errorf("%w: the target of the link takes %d bytes, and %d is the most", ntname.ErrInvalid, size, MaxReparseData)
	}
	le := binary.LittleEndian
	b := make([]byte, 0, size)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, uint16(2*len(substitute)))
	b = le.AppendUint16(b, uint16(2*len(substitute)+2))
	b = le.AppendUint16(b, uint16(2*len(print)))
	b = le.AppendUint32(b, flags)
	b = append(append(b, ntname.Bytes(substitute)...), 0, 0)
	return append(append(b, ntname.Bytes(print)...), 0, 0), nil
}
