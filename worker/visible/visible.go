// Package visible makes hidden characters in names visible. A name may have invisible characters that change how the others are
// displayed: "photo<U+202E>gpj.exe" looks like "photoexe.jpg" if its control character is interpreted. All code that shows a name
// to people goes through this package; code that compares, copies or writes it uses the name itself.
package visible

import (
	"io"
	"sort"
	"strings"
	"unicode/utf8"
)

// hidden lists the characters that are invisible, look like a space, or reorder text, as ranges in ascending order: control
// characters (Cc), format characters (Cf) except the visible Arabic and Syriac ones, separators (Zl, Zp, and Zs except the two
// spaces that look like one), Default_Ignorable_Code_Point, and noncharacters. [Unicode 16: DerivedCoreProperties.txt,
// DerivedGeneralCategory.txt]
var hidden = [...][2]rune{
	{0x0000, 0x001f},
	{0x007f, 0x00a0},   // DEL, C1, no-break space
	{0x00ad, 0x00ad},   // soft hyphen
	{0x034f, 0x034f},   // combining grapheme joiner
	{0x061c, 0x061c},   // Arabic letter mark
	{0x115f, 0x1160},   // Hangul fillers
	{0x1680, 0x1680},   // Ogham space mark, in most fonts a blank
	{0x17b4, 0x17b5},   // Khmer inherent vowels
	{0x180b, 0x180f},   // Mongolian variation selectors, vowel separator
	{0x2000, 0x200f},   // spaces of all widths, zero-width characters, directional marks
	{0x2028, 0x202f},   // separators, directional embeddings and overrides, narrow no-break space
	{0x205f, 0x206f},   // medium space, invisible operators, directional isolates, deprecated format characters
	{0x2800, 0x2800},   // blank Braille pattern
	{0x3164, 0x3164},   // Hangul filler
	{0xfdd0, 0xfdef},   // noncharacters
	{0xfe00, 0xfe0f},   // variation selectors
	{0xfeff, 0xfeff},   // byte order mark
	{0xffa0, 0xffa0},   // halfwidth Hangul filler
	{0xfff0, 0xfffb},   // unassigned and ignorable, interlinear annotation
	{0xfffe, 0xffff},   // noncharacters
	{0x110bd, 0x110bd}, // Kaithi number sign
	{0x110cd, 0x110cd}, // Kaithi number sign above
	{0x13430, 0x1343f}, // Egyptian hieroglyph format controls
	{0x16fe4, 0x16fe4}, // Khitan filler
	{0x1bca0, 0x1bca3}, // shorthand format controls
	{0x1d159, 0x1d159}, // musical null notehead
	{0x1d173, 0x1d17a}, // musical format controls
	{0xe0000, 0xe0fff}, // tags, more variation selectors
}

// Hidden reports whether r is invisible or looks like something else.
func Hidden(r rune) bool {
	if r < 0x7f { // most of them: the table need not be searched
		return r < 0x20
	}
	if r >= 0x10000 && r&0xfffe == 0xfffe { // the last two of each plane
		return true
	}
	i := sort.Search(len(hidden), func(i int) bool { return hidden[i][1] >= r })
	return i < len(hidden) && hidden[i][0] <= r
}

// Text returns s with each hidden character written by number, as <U+202E>: no Windows name can have < or >. Invalid UTF-8 becomes
// U+FFFD, which is visible. Line breaks and tabs count as hidden too: names have none, and one that does could fake an entry
// of a list.
func Text(s string) string { return show(s, "") }

// Lines is Text for text with several lines: line feeds and tabs stay unchanged.
func Lines(s string) string { return show(s, "\n\t") }

// show writes all hidden characters except those in keep by number.
func show(s, keep string) string {
	plain := 0 // bytes of printable ASCII, which is what most names are
	for plain < len(s) && s[plain] >= ' ' && s[plain] < 0x7f {
		plain++
	}
	at := strings.IndexFunc(s[plain:], func(r rune) bool { return r == utf8.RuneError || Hidden(r) && !strings.ContainsRune(keep, r) })
	if at < 0 {
		return s
	}
	at += plain
	b := append(make([]byte, 0, len(s)+16), s[:at]...)
	for _, r := range s[at:] {
		if Hidden(r) && !strings.ContainsRune(keep, r) {
			b = appendNumber(b, r)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

func appendNumber(b []byte, r rune) []byte {
	const hex = "0123456789ABCDEF"
	b = append(b, "<U+"...)
	for shift := 20; shift >= 0; shift -= 4 {
		if r>>shift != 0 || shift < 16 { // four digits at least
			b = append(b, hex[r>>shift&15])
		}
	}
	return append(b, '>')
}

// Writer returns a writer for a terminal that makes hidden characters visible: a terminal interprets control characters, which names may
// have. Line feeds, carriage returns and tabs pass, since the program itself uses them. A character may be split over two
// writes.
func Writer(w io.Writer) io.Writer { return &writer{w: w} }

type writer struct {
	w    io.Writer
	rest []byte // the beginning of a character
}

func (v *writer) Write(p []byte) (int, error) {
	all := append(v.rest, p...)
	end := len(all)
	// At most three bytes can be a beginning.
	for k := 1; k < utf8.UTFMax && k <= len(all); k++ {
		if c := all[len(all)-k]; utf8.RuneStart(c) {
			if !utf8.FullRune(all[len(all)-k:]) {
				end = len(all) - k
			}
			break
		}
	}
	out := show(string(all[:end]), "\n\r\t")
	v.rest = append([]byte(nil), all[end:]...)
	if _, err := io.WriteString(v.w, out); err != nil {
		return 0, err
	}
	return len(p), nil
}
