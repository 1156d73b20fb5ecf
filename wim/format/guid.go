package format

import (
	"encoding/hex"
	"fmt"
)

// GUIDText returns the first 16 bytes of b as the text of a GUID: {00112233-4455-6677-8899-aabbccddeeff}, its first three fields
// little-endian; "" if b is shorter.
func GUIDText(b []byte) string {
	if len(b) < 16 {
		return ""
	}
	return fmt.Sprintf("{%08x-%04x-%04x-%s-%s}", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), hex.EncodeToString(b[8:10]), hex.EncodeToString(b[10:16]))
}
