package ntname

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// escapeRune escapes what an io/fs name, which must be UTF-8 without a slash, cannot hold. Archives store names as UTF-16,
// which need not be well formed: NTFS accepts unpaired surrogates, and a capture on Linux may contain backslashes.
// escapeRune and four upper-case hexadecimal digits stand for one UTF-16 unit: slash and backslash (testing/fstest rejects
// both), NUL, unpaired surrogates, the escape rune itself, and the dots of the names "." and "..". Every other name is its
// own escape.
const escapeRune = '\u241b' // SYMBOL FOR ESCAPE

// Escape returns a name of UTF-16 units as an io/fs name. Unescape is its inverse.
func Escape(units []uint16) string {
	dots := len(units) <= 2
	for _, u := range units {
		dots = dots && u == '.'
	}
	var b []byte
	for i := 0; i < len(units); i++ {
		u := units[i]
		switch {
		case utf16.IsSurrogate(rune(u)):
			r := rune(utf8.RuneError)
			if i+1 < len(units) {
				r = utf16.DecodeRune(rune(u), rune(units[i+1]))
			}
			if r == utf8.RuneError {
				b = appendEscape(b, u)
			} else {
				b = utf8.AppendRune(b, r)
				i++
			}
		case dots, needsEscape(u):
			b = appendEscape(b, u)
		default:
			b = utf8.AppendRune(b, rune(u))
		}
	}
	return string(b)
}

// Unescape returns the UTF-16 units of an io/fs name. ok is false if Escape returns s for no name; the units are then
// those of s itself.
func Unescape(s string) (units []uint16, ok bool) {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == escapeRune {
			if u, yes := parseHex4(s[i+n:]); yes {
				units = append(units, u)
				i += n + 4
				continue
			}
		}
		units = utf16.AppendRune(units, r)
		i += n
	}
	if Escape(units) != s {
		return utf16.Encode([]rune(s)), false
	}
	return units, true
}

func needsEscape(u uint16) bool {
	return u == '/' || u == '\\' || u == 0 || u == escapeRune
}

func appendEscape(b []byte, u uint16) []byte {
	const hex = "0123456789ABCDEF"
	b = utf8.AppendRune(b, escapeRune)
	return append(b, hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}

func parseHex4(s string) (uint16, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var u uint16
	for i := range 4 {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		u = u<<4 | uint16(c)
	}
	return u, true
}

// AppendEscaped appends the escaped form of a stored name. Most names are plain ASCII and are copied byte by byte.
func AppendEscaped(b []byte, name []byte) []byte {
	start := len(b)
	for i := 0; i+1 < len(name); i += 2 {
		lo := name[i]
		if name[i+1] != 0 || lo >= utf8.RuneSelf || lo == '/' || lo == '\\' || lo == 0 || lo == '.' && len(name) <= 4 {
			return append(b[:start], Escape(Units(name))...)
		}
		b = append(b, lo)
	}
	return b
}

// Units returns the units of little-endian bytes; an odd last byte is dropped.
func Units(b []byte) []uint16 {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return units
}

// Bytes is the inverse of Units.
func Bytes(units []uint16) []byte {
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// TextToNUL returns UTF-16LE bytes up to the first NUL as text to show, with unpaired surrogates as U+FFFD.
func TextToNUL(b []byte) string {
	units := Units(b)
	for i, u := range units {
		if u == 0 {
			units = units[:i]
			break
		}
	}
	return string(utf16.Decode(units))
}

func IndexNUL(b []byte) int {
	for i := 0; i+1 < len(b); i += 2 {
		if b[i]|b[i+1] == 0 {
			return i
		}
	}
	return -1
}

// LossyText returns UTF-16LE bytes as text to show, with unpaired surrogates as U+FFFD.
func LossyText(b []byte) string { return string(utf16.Decode(Units(b))) }
