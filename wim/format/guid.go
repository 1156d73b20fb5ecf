package format

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// GUIDText returns 16 bytes as the text of a GUID: {00112233-4455-6677-8899-aabbccddeeff}, its first three fields little-endian.
func GUIDText(b []byte) string {
	return fmt.Sprintf("{%08x-%04x-%04x-%s-%s}", binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]),
		binary.LittleEndian.Uint16(b[6:]), hex.EncodeToString(b[8:10]), hex.EncodeToString(b[10:16]))
}
