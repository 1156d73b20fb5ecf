package engine

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Names of encodings in a ReadReply.
const (
	encUTF8    = "UTF-8"
	encUTF16LE = "UTF-16LE"
	encUTF16BE = "UTF-16BE"
	enc1252    = "Windows-1252"
)

const detectSize = 8 << 10 // bytes at the beginning of a file that detect needs

// detect returns the encoding of a file by its beginning, or "" if the file is not text. whole reports whether head is
// the whole file.
func detect(head []byte, whole bool) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return encUTF8
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return encUTF16LE
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return encUTF16BE
	case looksUTF16(head, binary.LittleEndian):
		return encUTF16LE
	case looksUTF16(head, binary.BigEndian):
		return encUTF16BE
	}
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b && c != 0x1a {
			return ""
		}
	}
	rest := head[validUTF8(head):]
	if len(rest) == 0 || !whole && !utf8.FullRune(rest) {
		return encUTF8
	}
	return enc1252
}

// looksUTF16 reports whether b, which has no byte order mark, is UTF-16 text of mostly Latin letters.
func looksUTF16(b []byte, order binary.ByteOrder) bool {
	if len(b) < 4 || len(b)%2 == 1 && len(b) < detectSize {
		return false
	}
	latin, n := 0, len(b)/2
	for i := range n {
		switch u := order.Uint16(b[2*i:]); {
		case u == 0 || u < ' ' && u != '\t' && u != '\n' && u != '\r':
			return false
		case u < 0x250:
			latin++
		}
	}
	return latin*10 >= n*7
}

// validUTF8 returns the length of the longest prefix of b that is valid UTF-8.
func validUTF8(b []byte) int {
	i := 0
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}

// decodeText decodes b, a window of a file at off, and returns how many of its bytes it used: a character that the end
// of the window cuts is left for the next window. last reports whether the file ends with b.
func decodeText(b []byte, off int64, encoding string, last bool) (text string, used int) {
	switch encoding {
	case encUTF16LE, encUTF16BE:
		order := binary.ByteOrder(binary.LittleEndian)
		if encoding == encUTF16BE {
			order = binary.BigEndian
		}
		units := make([]uint16, 0, len(b)/2)
		for i := 0; i+1 < len(b); i += 2 {
			units = append(units, order.Uint16(b[i:]))
		}
		used = len(b)
		if !last {
			used = 2 * len(units)
			if k := len(units); k > 1 && units[k-1]&0xfc00 == 0xd800 {
				units, used = units[:k-1], used-2
			}
		}
		if off == 0 && len(units) > 0 && units[0] == 0xfeff {
			units = units[1:]
		}
		return string(utf16.Decode(units)), used
	case enc1252:
		var t strings.Builder
		t.Grow(len(b))
		for _, c := range b {
			if c >= 0x80 && c < 0xa0 {
				t.WriteRune(high1252[c-0x80])
			} else {
				t.WriteRune(rune(c))
			}
		}
		return t.String(), len(b)
	}
	used = len(b)
	if !last {
		for k := 1; k < utf8.UTFMax && k <= len(b); k++ { // a rune that begins here and is incomplete
			if c := b[len(b)-k]; utf8.RuneStart(c) {
				if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-k:]) && k < len(b) {
					used -= k
				}
				break
			}
		}
	}
	b = b[:used]
	if off == 0 {
		b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), used
}

// high1252 has the characters of Windows-1252 from 0x80 to 0x9f. The five unassigned ones map to themselves, as in the
// WHATWG's Encoding Standard.
var high1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
}

// isMarkup reports whether text is an XML document or looks like one. HTML without an XML declaration does not count.
func isMarkup(text string) bool {
	t := strings.TrimLeft(text, " \t\r\n\uFEFF")
	if strings.HasPrefix(t, "<?xml") {
		return true
	}
	if len(t) < 4 || t[0] != '<' || strings.HasPrefix(fold(t[:min(len(t), 16)]), "<!doctype html") {
		return false
	}
	c := t[1]
	return (c|0x20 >= 'a' && c|0x20 <= 'z') && strings.ContainsRune(t, '>') && strings.Contains(t, "</") && !strings.HasPrefix(fold(t[:min(len(t), 8)]), "<html")
}

// pictureType returns the MIME type of a picture that browsers can show, or "" for anything else.
func pictureType(head []byte) string {
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case has(0, "\x89PNG\r\n\x1a\n"):
		return "image/png"
	case has(0, "\xff\xd8\xff"):
		return "image/jpeg"
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return "image/gif"
	case has(0, "BM") && len(head) >= 18 && has(6, "\x00\x00\x00\x00"):
		return "image/bmp"
	case has(0, "RIFF") && has(8, "WEBP"):
		return "image/webp"
	case has(0, "\x00\x00\x01\x00") && len(head) >= 22 && head[4] > 0 && head[5] == 0:
		return "image/x-icon"
	case has(4, "ftypavif"):
		return "image/avif"
	}
	return ""
}
