package config

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"wimscope/wim/ntname"
)

// ParseList reads a list of paths as wimlib-imagex extract takes it, one path on each line. It ignores white space around a
// path, quotes around all of it, empty lines, and lines that begin with ; or #.
func ParseList(b []byte) []string {
	var text string
	switch {
	case len(b) >= 2 && b[0] == 0xff && b[1] == 0xfe:
		text = string(utf16.Decode(ntname.Units(b[2:])))
	case len(b) >= 2 && len(b)%2 == 0 && b[0] != 0 && b[1] == 0 && binary.LittleEndian.Uint16(b[len(b)-2:]) < 0x80:
		text = string(utf16.Decode(ntname.Units(b)))
	default:
		text = strings.TrimPrefix(string(b), "\ufeff")
	}
	var paths []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == ';' || line[0] == '#' {
			continue
		}
		if last := len(line) - 1; last > 0 && (line[0] == '"' || line[0] == '\'') && line[last] == line[0] {
			line = line[1:last]
		}
		paths = append(paths, line)
	}
	return paths
}
