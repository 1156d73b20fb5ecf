package format

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// Field describes one field of a record.
type Field struct {
	Name    string
	Off     int // from the start of the record
	Size    int // bytes
	Value   string
	Meaning string
}

// fields collects a record's fields in file order; off is the sum of the sizes so far, so that offsets are not repeated.
type fields struct {
	list []Field
	off  int
}

func (f *fields) add(size int, name, value, meaning string) {
	f.list = append(f.list, Field{Name: name, Off: f.off, Size: size, Value: value, Meaning: meaning})
	f.off += size
}

func (f *fields) dec(size int, name string, v any, meaning string) {
	f.add(size, name, fmt.Sprint(v), meaning)
}

func (f *fields) hex(size int, name string, v uint64, meaning string) {
	f.add(size, name, fmt.Sprintf("0x%x", v), meaning)
}

// bytes shows raw bytes as hexadecimal digits; it shortens long runs.
func (f *fields) bytes(name string, b []byte, meaning string) {
	f.add(len(b), name, hexText(b), meaning)
}

// skip adds bytes that have no field of their own, such as padding.
func (f *fields) skip(size int, name, meaning string) {
	if size > 0 {
		f.add(size, name, "", meaning)
	}
}

// sub adds the fields of a record inside this one.
func (f *fields) sub(prefix string, inner []Field) {
	for _, x := range inner {
		x.Name = prefix + "." + x.Name
		x.Off = f.off
		f.list = append(f.list, x)
		f.off += x.Size
	}
}

func hexText(b []byte) string {
	const most = 64
	if len(b) > most {
		return fmt.Sprintf("%s… (%d bytes)", hex.EncodeToString(b[:most]), len(b))
	}
	return hex.EncodeToString(b)
}

// flagText returns the names of the set bits, and the unnamed bits as a number.
func flagText(v uint32, names []flagName) string {
	var out []string
	for _, n := range names {
		if v&n.bit != 0 {
			out = append(out, n.name)
			v &^= n.bit
		}
	}
	if v != 0 {
		out = append(out, fmt.Sprintf("0x%x", v))
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

type flagName struct {
	bit  uint32
	name string
}

// nameText returns UTF-16LE bytes as text to show; unpaired surrogates become U+FFFD.
func nameText(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = le.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}

// timeText returns a time in 100-ns units since 1601 as a date.
func timeText(v uint64) string {
	if v == 0 {
		return "0 (not set)"
	}
	const perSecond, to1970 = 10_000_000, 11_644_473_600
	t := time.Unix(int64(v/perSecond)-to1970, int64(v%perSecond)*100).UTC()
	return fmt.Sprintf("%s.%07d UTC", t.Format("2006-01-02 15:04:05"), t.Nanosecond()/100)
}
