package config

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var errText = errors.New("wim: the text is neither valid UTF-8 nor valid UTF-16")

// decodeText decodes a text file: UTF-8, or UTF-16 of either byte order after a byte order mark. Without a mark, it takes text
// for UTF-16LE if the upper byte of the first character is zero.
func decodeText(b []byte) (string, error) {
	switch {
	case len(b) >= 2 && b[0] == 0xff && b[1] == 0xfe:
		return decodeText16(b[2:], binary.LittleEndian)
	case len(b) >= 2 && b[0] == 0xfe && b[1] == 0xff:
		return decodeText16(b[2:], binary.BigEndian)
	case len(b) >= 2 && b[0] <= 0x7f && b[0] != 0 && b[1] == 0:
		return decodeText16(b, binary.LittleEndian)
	}
	s := strings.TrimPrefix(string(b), "\ufeff")
	if !utf8.ValidString(s) {
		return "", errText
	}
	return s, nil
}

func decodeText16(b []byte, order binary.ByteOrder) (string, error) {
	if len(b)&1 != 0 {
		return "", errText
	}
	out := make([]byte, 0, len(b)/2)
	for i := 0; i < len(b); i += 2 {
		r := rune(order.Uint16(b[i:]))
		if utf16.IsSurrogate(r) {
			if i+4 > len(b) {
				return "", errText
			}
			if r = utf16.DecodeRune(r, rune(order.Uint16(b[i+2:]))); r == utf8.RuneError {
				return "", errText
			}
			i += 2
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out), nil
}

// splitWords splits a line at white space. A word that begins with a quotation mark, single or double, ends at the next one
// of the same kind; there is no escape.
func splitWords(line string) (words []string, ok bool) {
	const space = " \t\r\n\v\f\x00"
	for {
		line = strings.TrimLeft(line, space)
		if line == "" {
			return words, true
		}
		if q := line[0]; q == '"' || q == '\'' {
			word, rest, found := strings.Cut(line[1:], string(rune(q)))
			if !found {
				return nil, false
			}
			words, line = append(words, word), rest
			continue
		}
		end := strings.IndexAny(line, space)
		if end < 0 {
			end = len(line)
		}
		words, line = append(words, line[:end]), line[end:]
	}
}

// eachLine calls f with the words of each line that is neither empty nor a comment.
func eachLine(b []byte, f func(line int, words []string) error) error {
	text, err := decodeText(b)
	if err != nil {
		return err
	}
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimRight(line, "\r")
		if rest := strings.TrimSpace(line); rest == "" || rest[0] == '#' {
			continue
		}
		words, ok := splitWords(line)
		if !ok {
			return &Error{number, strings.TrimSpace(line), "the closing quotation mark is missing"}
		}
		if len(words) == 0 { // the line had only NULs
			continue
		}
		if err := f(number, words); err != nil {
			return err
		}
	}
	return nil
}
