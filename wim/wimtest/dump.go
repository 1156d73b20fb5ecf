package wimtest

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// Dump returns the bytes of the hex dump in a page of documentation: of indented lines such as
//
//	01f0: 00 00 86 75 67 66
//
// It reads two-digit numbers after an offset, up to the first other word. Bytes that no line shows are zero. It returns nil if
// two lines disagree.
func Dump(page string) []byte {
	var out []byte
	shown := map[int]byte{}
	for line := range strings.Lines(page) {
		at, row, ok := strings.Cut(strings.TrimSpace(line), ": ")
		off, err := strconv.ParseUint(at, 16, 24)
		if !strings.HasPrefix(line, "    ") || !ok || err != nil {
			continue
		}
		for i, word := range strings.Fields(row) {
			b, err := hex.DecodeString(word)
			if err != nil || len(b) != 1 {
				break
			}
			n := int(off) + i
			if before, ok := shown[n]; ok && before != b[0] {
				return nil
			}
			shown[n] = b[0]
			if n >= len(out) {
				out = append(out, make([]byte, n+1-len(out))...)
			}
			out[n] = b[0]
		}
	}
	return out
}
