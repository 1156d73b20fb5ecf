package wimtest

import (
	"encoding/binary"
	"unicode/utf16"
)

// UTF16Text returns s as UTF-16 in that byte order, with a byte order mark if mark is set.
func UTF16Text(s string, order binary.AppendByteOrder, mark bool) []byte {
	var b []byte
	if mark {
		b = order.AppendUint16(b, 0xfeff)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return b
}
