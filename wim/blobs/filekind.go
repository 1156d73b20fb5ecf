package blobs

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// magic is a byte string at an offset of a file; a negative offset counts from the end.
type magic struct {
	off  int64
	text string
}

// fileKinds lists the file types that are recognised by a magic. The first match counts.
var fileKinds = [...]struct {
	kind string
	any  []magic
}{
	{"zip", []magic{{0, "PK\x03\x04"}, {0, "PK\x05\x06"}, {0, "PK\x07\x08"}}},
	{"7z", []magic{{0, "7z\xbc\xaf\x27\x1c"}}},
	{"vhdx", []magic{{0, "vhdxfile"}}},
	{"vhd", []magic{{0, "conectix"}, {-512, "conectix"}}},
	{"ffu", []magic{{4, "SignedImage "}, {0, "SignedImage "}, {0, "ImageFlash  "}}},
	{"cab", []magic{{0, "MSCF"}}},
	{"gzip", []magic{{0, "\x1f\x8b"}}},
	{"xz", []magic{{0, "\xfd7zXZ\x00"}}},
	{"zstd", []magic{{0, "\x28\xb5\x2f\xfd"}}},
	{"bzip2", []magic{{0, "BZh"}}},
	{"rar", []magic{{0, "Rar!\x1a\x07"}}},
	{"pe", []magic{{0, "MZ"}}},
	{"pdf", []magic{{0, "%PDF-"}}},
	{"vmdk", []magic{{0, "KDMV"}}},
	{"qcow2", []magic{{0, "QFI\xfb"}}},
	{"iso", []magic{{0x8001, "CD001"}, {0x8801, "CD001"}, {0x8001, "BEA01"}}},
	{"tar", []magic{{257, "ustar"}}},
	{"ntfs", []magic{{3, "NTFS    "}}},
	{"disk", []magic{{510, "\x55\xaa"}}},
}

// FileKinds lists all values of NotWIMError.Guess except "".
func FileKinds() []string {
	list := []string{"empty", "zeros", "text"}
	for _, k := range fileKinds {
		list = append(list, k.kind)
	}
	return list
}

// notWIM returns the error for a file that is not a WIM part, with a guess at its type.
func notWIM(p Part, first []byte) error {
	e := &NotWIMError{Name: p.Name, First: bytes.Clone(first[:min(16, len(first))])}
	has := func(m magic) bool {
		b := make([]byte, len(m.text))
		off := m.off
		if off < 0 {
			off += p.Size
		}
		if off < 0 || off+int64(len(b)) > p.Size {
			return false
		}
		_, err := ReadFull(p.R, b, off)
		return err == nil && string(b) == m.text
	}
	if p.Size == 0 {
		e.Guess = "empty"
		return e
	}
	for _, k := range fileKinds {
		if slices.ContainsFunc(k.any, has) {
			e.Guess = k.kind
			return e
		}
	}
	switch {
	case len(bytes.Trim(first, "\x00")) == 0:
		e.Guess = "zeros"
	case isText(first):
		e.Guess = "text"
	}
	return e
}

// isText reports whether the first bytes of a file are UTF-8 text, or UTF-16 with a byte order mark.
func isText(b []byte) bool {
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return true
	}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return len(b) < utf8.UTFMax && !utf8.FullRune(b) // cut in the middle of a rune
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' {
			return false
		}
		b = b[n:]
	}
	return true
}
