package format_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"unicode/utf16"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/wimtest"
)

func TestReparseNames(t *testing.T) {
	for tag, want := range map[uint32]string{
		0: "", format.TagSymlink: "symbolic link", format.TagMountPoint: "junction", format.TagWOF: "compressed by the system (WOF)", 0x80000013: "deduplicated",
		0x9000001a: "cloud file (OneDrive)", 0x9000601a: "cloud file (OneDrive)", 0x80000021: "OneDrive", 0x12345678: "reparse point 0x12345678",
	} {
		if got := format.ReparseName(tag); got != want {
			t.Errorf("0x%08x is %q, want %q", tag, got, want)
		}
	}
}

func FuzzReparse(f *testing.F) {
	f.Add(uint32(format.TagSymlink), wimtest.SymlinkData(`..\a`, `..\a`, true), "target", true)
	f.Add(uint32(format.TagMountPoint), wimtest.JunctionData(`\??\C:\a`, `C:\a`), `\??\C:\x`, false)
	f.Add(uint32(format.TagLxSymlink), []byte("\x02\x00\x00\x00/mnt"), "", false)
	f.Add(uint32(format.TagAppExecLink), append([]byte{3, 0, 0, 0}, u16("a\x00b\x00c\x00")...), "日本", true)
	f.Fuzz(func(t *testing.T, tag uint32, b []byte, target string, relative bool) {
		if p, ok := format.ParseReparse(tag, b); ok {
			if p.Kind == "" || len(p.Substitute) == 0 {
				t.Fatalf("%+v", p)
			}
			format.DrivePath(p.Substitute)
		}
		// The data that was written is parsed unchanged.
		if target == "" || len(target) > 5000 {
			return
		}
		for tag, b := range map[uint32][]byte{format.TagSymlink: wimtest.SymlinkData(target, "print", relative), format.TagMountPoint: wimtest.JunctionData(target, "print")} {
			p, ok := format.ParseReparse(tag, b)
			if !ok || !slices.Equal(p.Substitute, u16(target)) || p.Print != "print" || p.Rel != (relative && tag == format.TagSymlink) {
				t.Fatalf("tag %x: %+v, %v", tag, p, ok)
			}
		}
		if binary.LittleEndian.Uint16(u16(target)) == '\\' && relative {
			return
		}
		if rest, ok := format.DrivePath(u16(`\??\Q:\` + target)); !ok || !slices.Equal(rest, u16(`\`+target)) {
			t.Fatalf("%q, %v", ntname.LossyText(rest), ok)
		}
	})
}

// u16 encodes text in the stored form.
func u16(s string) []byte { return ntname.Bytes(utf16.Encode([]rune(s))) }
