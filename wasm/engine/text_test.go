package engine

import (
	"strings"
	"testing"
	"unicode/utf16"
)

func utf16Bytes(s string, big, mark bool) []byte {
	units := utf16.Encode([]rune(s))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	var b []byte
	for _, u := range units {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}

func TestDetect(t *testing.T) {
	for _, test := range []struct {
		name string
		head []byte
		want string
	}{
		{"ASCII", []byte("[Version]\r\nSignature=\"$Windows NT$\"\r\n"), encUTF8},
		{"UTF-8", []byte("Größe: 5 – schön"), encUTF8},
		{"UTF-8 with mark", []byte("\xef\xbb\xbfx"), encUTF8},
		{"empty", nil, encUTF8},
		{"UTF-16LE with mark", utf16Bytes("a", false, true), encUTF16LE},
		{"UTF-16BE with mark", utf16Bytes("a", true, true), encUTF16BE},
		{"UTF-16LE", utf16Bytes("[Strings]\r\n", false, false), encUTF16LE},
		{"UTF-16BE", utf16Bytes("[Strings]\r\n", true, false), encUTF16BE},
		{"Windows-1252", []byte("Gr\xf6\xdfe \x96 \x80"), enc1252},
		{"program", []byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00"), ""},
		{"zeros", make([]byte, 100), ""},
	} {
		if got := detect(test.head, true); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	// UTF-8 is detected even if the end of the window cuts a character.
	text := []byte(strings.Repeat("a", 100) + "€")
	if got := detect(text[:len(text)-1], false); got != encUTF8 {
		t.Errorf("cut UTF-8 is %q", got)
	}
	if got := detect(text[:len(text)-1], true); got != enc1252 {
		t.Errorf("UTF-8 that ends in the middle of a character is %q", got)
	}
}

// TestDecodeTextWindows checks that decoding in windows of any size gives the same text as decoding the whole.
func TestDecodeTextWindows(t *testing.T) {
	text := "Grüße, €uro, 😀 and plain text\r\n"
	for _, test := range []struct {
		enc  string
		data []byte
	}{
		{encUTF8, []byte("\xef\xbb\xbf" + text)},
		{encUTF8, []byte(text)},
		{encUTF16LE, utf16Bytes(text, false, true)},
		{encUTF16BE, utf16Bytes(text, true, true)},
		{encUTF16LE, utf16Bytes(text, false, false)},
	} {
		for size := 4; size < len(test.data)+2; size++ {
			var got strings.Builder
			for off := 0; off < len(test.data); {
				end := min(off+size, len(test.data))
				s, used := decodeText(test.data[off:end], int64(off), test.enc, end == len(test.data))
				if used <= 0 || used > end-off {
					t.Fatalf("%s: window of %d at %d used %d", test.enc, size, off, used)
				}
				got.WriteString(s)
				off += used
			}
			if got.String() != text {
				t.Fatalf("%s in windows of %d: %q", test.enc, size, got.String())
			}
		}
	}
	if got, _ := decodeText([]byte("\x80\x99\xe9"), 0, enc1252, true); got != "€™é" {
		t.Errorf("Windows-1252: %q", got)
	}
	if got, used := decodeText([]byte("a\xffb"), 5, encUTF8, true); got != "a\uFFFDb" || used != 3 {
		t.Errorf("invalid UTF-8: %q, %d", got, used)
	}
}

func FuzzDecodeText(f *testing.F) {
	f.Add([]byte("\xff\xfea\x00"), true)
	f.Add([]byte("a\xc3"), false)
	f.Fuzz(func(t *testing.T, b []byte, last bool) {
		enc := detect(b, last)
		if enc == "" {
			return
		}
		text, used := decodeText(b, 0, enc, last)
		if used < 0 || used > len(b) || last && used != len(b) {
			t.Fatalf("%s: used %d of %d", enc, used, len(b))
		}
		if len(b)-used > 3 {
			t.Fatalf("%s: %d bytes left for the next window", enc, len(b)-used)
		}
		if strings.ToValidUTF8(text, "") != text {
			t.Fatal("text is not UTF-8")
		}
		isMarkup(text)
		fileType("x", b, last)
	})
}

func TestFileType(t *testing.T) {
	pe := func(machine uint16, flags uint16) []byte {
		b := make([]byte, 0x100)
		copy(b, "MZ")
		b[0x3c] = 0x80
		copy(b[0x80:], "PE\x00\x00")
		b[0x84], b[0x85] = byte(machine), byte(machine>>8)
		b[0x96], b[0x97] = byte(flags), byte(flags>>8)
		return b
	}
	for _, test := range []struct {
		name string
		head []byte
		want string
	}{
		{"notepad.exe", pe(0x8664, 2), "Windows program, x64"},
		{"ntdll.dll", pe(0xaa64, 0x2000), "Windows library, ARM64"},
		{"acpi.sys", pe(0x14c, 2), "Windows driver, x86"},
		{"old.exe", []byte("MZ"), "MS-DOS program"},
		{"SYSTEM", []byte("regf\x00"), "Registry hive"},
		{"a.bin", []byte("\x00\x01\x02"), ""},
		{"readme", []byte("hello"), "Text, UTF-8"},
		{"x", []byte("<?xml version='1.0'?><a/>"), "XML document"},
		{"a.png", []byte("\x89PNG\r\n\x1a\n"), "PNG picture"},
		{"empty", nil, ""},
	} {
		if got := fileType(test.name, test.head, true); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
