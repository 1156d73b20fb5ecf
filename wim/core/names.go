package core

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"wimscope/wim/internal/upcase"
)

// Names stand in an archive as UTF-16, and nothing makes them well formed: NTFS takes unpaired surrogates, a
// capture on Linux may bring backslashes. An io/fs name must be UTF-8 without a slash. One escape bridges the two:
// escapeRune and four upper-case hexadecimal digits stand for one UTF-16 unit that could not stand for itself.
// Those are slash and backslash (testing/fstest refuses both), NUL, an unpaired surrogate, the escape rune, and
// the dots of the names "." and "..". Every other name is its own escape.
const escapeRune = '\u241b' // SYMBOL FOR ESCAPE

// EscapeName writes a name of UTF-16 units as an io/fs name. UnescapeName is its inverse.
func EscapeName(units []uint16) string {
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

// UnescapeName gives the UTF-16 units of an io/fs name. ok is false if EscapeName makes s of no name; the units
// are then those of s as it stands.
func UnescapeName(s string) (units []uint16, ok bool) {
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
	if EscapeName(units) != s {
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

// appendName appends the escaped form of a name stored as UTF-16LE. Most names are plain ASCII and go byte by byte.
func appendName(b []byte, name []byte) []byte {
	start := len(b)
	for i := 0; i+1 < len(name); i += 2 {
		lo := name[i]
		if name[i+1] != 0 || lo >= utf8.RuneSelf || lo == '/' || lo == '\\' || lo == 0 || lo == '.' && len(name) <= 4 {
			return append(b[:start], EscapeName(decodeUTF16(name))...)
		}
		b = append(b, lo)
	}
	return b
}

// decodeUTF16 gives the units of little-endian bytes; an odd last byte is left out.
func decodeUTF16(b []byte) []uint16 {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return units
}

// encodeUTF16 is the inverse of decodeUTF16.
func encodeUTF16(units []uint16) []byte {
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// textOf gives text for people: UTF-16LE bytes up to the first NUL, unpaired surrogates as U+FFFD.
func textOf(b []byte) string {
	units := decodeUTF16(b)
	for i, u := range units {
		if u == 0 {
			units = units[:i]
			break
		}
	}
	return string(utf16.Decode(units))
}

// nameEqual compares two stored names unit by unit.
func nameEqual(a, b []byte) bool { return string(a) == string(b) }

// nameEqualFold compares two stored names as NTFS does: unit by unit, ignoring case.
func nameEqualFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i+1 < len(a); i += 2 {
		x, y := binary.LittleEndian.Uint16(a[i:]), binary.LittleEndian.Uint16(b[i:])
		if x != y && upcase.Unit(x) != upcase.Unit(y) {
			return false
		}
	}
	return true
}
