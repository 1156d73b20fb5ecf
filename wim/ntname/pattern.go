package ntname

import (
	"encoding/binary"
	"slices"
	"unicode/utf16"
)

// Pattern matches stored names. A pattern with * or ? must match the whole name; a text without them matches anywhere in
// the name. Matching does not allocate. The zero value matches every name.
type Pattern struct {
	units []uint16 // upper case if fold
	glob  bool
	fold  bool
	ascii bool // all units are
}

// NewPattern returns the pattern for a text, which may be escaped. With fold, it ignores case as NTFS does.
func NewPattern(text string, fold bool) Pattern {
	m := NewText(text, fold)
	m.glob = slices.ContainsFunc(m.units, isWild)
	return m
}

// NewGlob returns a pattern that must match the whole name, whether or not text has wildcards.
func NewGlob(text string, fold bool) Pattern {
	m := NewText(text, fold)
	m.glob = true
	return m
}

func isWild(u uint16) bool { return u == '*' || u == '?' }

// NewText returns a pattern that looks for text, in which * and ? stand for themselves.
func NewText(text string, fold bool) Pattern {
	units, ok := Unescape(text)
	if !ok {
		units = utf16.Encode([]rune(text))
	}
	m := Pattern{units: units, fold: fold, ascii: true}
	for i, u := range units {
		if fold {
			units[i] = Upper(u)
		}
		m.ascii = m.ascii && u < 0x80
	}
	return m
}

// Match reports whether a stored name matches.
func (m *Pattern) Match(name []byte) bool {
	if m.glob {
		return m.whole(name)
	}
	return m.index(name) >= 0
}

// MatchString reports whether an escaped name matches.
func (m *Pattern) MatchString(name string) bool {
	units, _ := Unescape(name)
	return m.Match(Bytes(units))
}

// at returns a unit of a name, in upper case if case is ignored.
func (m *Pattern) at(name []byte, i int) uint16 {
	u := binary.LittleEndian.Uint16(name[i:])
	if !m.fold || u < 'a' {
		return u
	}
	return Upper(u)
}

// whole matches a whole name. It begins with what follows the last *, which rules out most names at once.
func (m *Pattern) whole(name []byte) bool {
	units := m.units
	last := len(units) - 1
	for last >= 0 && units[last] != '*' {
		last--
	}
	if last < 0 {
		return len(name) == 2*len(units) && m.run(units, name)
	}
	tail := units[last+1:]
	rest := len(name) - 2*len(tail)
	if rest < 0 || !m.run(tail, name[rest:]) {
		return false
	}
	return m.head(units[:last+1], name[:rest])
}

// run matches the first len(units) units of a name. units contains no *.
func (m *Pattern) run(units []uint16, name []byte) bool {
	for i, u := range units {
		if u != '?' && u != m.at(name, 2*i) {
			return false
		}
	}
	return true
}

// head matches a whole name with a pattern that ends in *. Each * takes as few units as possible; if what follows it does
// not match, it takes one more, and earlier ones need not change. So the number of steps is at most the product of the two
// lengths.
func (m *Pattern) head(units []uint16, name []byte) bool {
	n, p := 0, 0
	back, mark := -1, 0
	for p < len(units) {
		switch {
		case units[p] == '*':
			p++
			back, mark = p, n
		case n+1 < len(name) && (units[p] == '?' || units[p] == m.at(name, n)):
			n += 2
			p++
		case back >= 0 && mark+1 < len(name):
			mark += 2
			n, p = mark, back
		default:
			return false
		}
	}
	return true
}

// index returns the byte offset of the text in a name, -1 if it is not there.
func (m *Pattern) index(name []byte) int {
	size := 2 * len(m.units)
	if size == 0 {
		return 0
	}
	if m.ascii && m.fold {
		return m.indexASCII(name)
	}
	first := m.units[0]
	for i := 0; i+size <= len(name); i += 2 {
		if m.at(name, i) == first && m.HasPrefix(name[i:]) {
			return i
		}
	}
	return -1
}

// indexASCII is index for ASCII text without regard to case: no unit above 0x7f can match.
func (m *Pattern) indexASCII(name []byte) int {
	units := m.units
	size := 2 * len(units)
	upper := byte(units[0])
	lower := upper
	if upper-'A' < 26 {
		lower += 'a' - 'A'
	}
	for i := 0; i+size <= len(name); i += 2 {
		if c := name[i]; c != upper && c != lower || name[i+1] != 0 {
			continue
		}
		at := name[i : i+size]
		k := 1
		for k < len(units) {
			c := at[2*k]
			if c-'a' < 26 {
				c -= 'a' - 'A'
			}
			if uint16(c) != units[k] || at[2*k+1] != 0 {
				break
			}
			k++
		}
		if k == len(units) {
			return i
		}
	}
	return -1
}

// HasPrefix reports whether a stored name begins with the text.
func (m *Pattern) HasPrefix(name []byte) bool {
	if len(name) < 2*len(m.units) {
		return false
	}
	for i, u := range m.units {
		if m.at(name, 2*i) != u {
			return false
		}
	}
	return true
}

// HasSuffix reports whether a stored name ends with the text.
func (m *Pattern) HasSuffix(name []byte) bool {
	return len(name) >= 2*len(m.units) && m.HasPrefix(name[len(name)-2*len(m.units):])
}

// Equal reports whether a stored name is the text.
func (m *Pattern) Equal(name []byte) bool { return len(name) == 2*len(m.units) && m.HasPrefix(name) }
