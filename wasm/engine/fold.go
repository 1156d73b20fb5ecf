package engine

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold maps letters that differ only in case to the same letter.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, s)
		}
	}
	return strings.ToLower(s)
}
