package pe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"wimscope/wim/ntname"
	"wimscope/wim/wimtest"
)

// peSpec describes a PE file that is made for a test.
type peSpec struct {
	machine uint16
	plus    bool // PE32+
	dll     bool
	version [4]uint16
	product [4]uint16
	strings [][2]string
	none    bool // without a version resource
}

// pe lays the file out: headers, a section of code, a section of resources.
func (s peSpec) bytes() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0x400)
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], 0x80)
	copy(b[0x80:], "PE\x00\x00")
	le.PutUint16(b[0x84:], s.machine)
	le.PutUint16(b[0x86:], 2)
	dirs, magic := 96, uint16(0x10b)
	if s.plus {
		dirs, magic = 112, 0x20b
	}
	opt := 0x98
	optSize := dirs + 16*8
	le.PutUint16(b[0x94:], uint16(optSize))
	flags := uint16(0x0102)
	if s.dll {
		flags |= 0x2000
	}
	le.PutUint16(b[0x96:], flags)
	le.PutUint16(b[opt:], magic)
	le.PutUint32(b[opt+32:], 0x1000) // section alignment
	le.PutUint32(b[opt+36:], 0x200)  // file alignment
	le.PutUint32(b[opt+56:], 0x4000) // size of image
	le.PutUint32(b[opt+60:], 0x400)  // size of headers
	le.PutUint32(b[opt+dirs-4:], 16)

	res := s.resources(0x3000)
	if !s.none {
		le.PutUint32(b[opt+dirs+16:], 0x3000)
		le.PutUint32(b[opt+dirs+20:], uint32(len(res)))
	}
	section := func(at int, name string, rva, off, size uint32) {
		copy(b[at:], name)
		le.PutUint32(b[at+8:], size)
		le.PutUint32(b[at+12:], rva)
		le.PutUint32(b[at+16:], (size+0x1ff)&^0x1ff)
		le.PutUint32(b[at+20:], off)
		le.PutUint32(b[at+36:], 0x40000040)
	}
	section(opt+optSize, ".text", 0x1000, 0x400, 0x200)
	section(opt+optSize+40, ".rsrc", 0x3000, 0x600, uint32(len(res)))
	b = append(b, make([]byte, 0x200)...)
	b = append(b, res...)
	for len(b)%0x200 != 0 {
		b = append(b, 0)
	}
	return b
}

// resources makes a tree of two types, an icon before the version.
func (s peSpec) resources(rva uint32) []byte {
	le := binary.LittleEndian
	var b []byte
	folder := func(entries ...uint32) {
		b = append(b, make([]byte, 12)...)
		b = le.AppendUint16(b, 0)
		b = le.AppendUint16(b, uint16(len(entries)/2))
		for _, e := range entries {
			b = le.AppendUint32(b, e)
		}
	}
	const sub = 1 << 31
	folder(3, 0x50|sub, 16, 0x20|sub) // 0x00: icons, version
	folder(1, 0x38|sub)               // 0x20
	folder(0x409, 0x78)               // 0x38
	folder(1, 0x68|sub)               // 0x50
	folder(0)                         // 0x68
	b = b[:0x78]                      //
	version := s.versionInfo()        //
	b = le.AppendUint32(b, rva+0x88)  // 0x78: data entry
	b = le.AppendUint32(b, uint32(len(version)))
	b = append(b, make([]byte, 8)...)
	return append(b, version...)
}

func (s peSpec) versionInfo() []byte {
	le := binary.LittleEndian
	quad := func(b []byte, v [4]uint16) []byte {
		b = le.AppendUint32(b, uint32(v[0])<<16|uint32(v[1]))
		return le.AppendUint32(b, uint32(v[2])<<16|uint32(v[3]))
	}
	fixed := le.AppendUint32(nil, 0xfeef04bd)
	fixed = le.AppendUint32(fixed, 0x10000)
	fixed = quad(quad(fixed, s.version), s.product)
	fixed = append(fixed, make([]byte, 52-len(fixed))...)
	var items [][]byte
	for _, kv := range s.strings {
		items = append(items, versionItem(kv[0], append(ntname.Bytes(utf16.Encode([]rune(kv[1]))), 0, 0), true))
	}
	table := versionItem("040904B0", nil, true, items...)
	translation := versionItem("Translation", []byte{9, 4, 0xb0, 4}, false)
	return versionItem("VS_VERSION_INFO", fixed, false,
		versionItem("StringFileInfo", nil, true, table), versionItem("VarFileInfo", nil, true, translation))
}

func versionItem(key string, value []byte, text bool, children ...[]byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, 6)
	b = append(append(b, ntname.Bytes(utf16.Encode([]rune(key)))...), 0, 0)
	pad := func() {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	pad()
	b = append(b, value...)
	for _, c := range children {
		pad()
		b = append(b, c...)
	}
	size := len(value)
	if text {
		size /= 2
		le.PutUint16(b[4:], 1)
	}
	le.PutUint16(b, uint16(len(b)))
	le.PutUint16(b[2:], uint16(size))
	return b
}

func kernelSpec() peSpec {
	return peSpec{
		machine: 0x8664, plus: true, version: [4]uint16{10, 0, 22621, 2428}, product: [4]uint16{10, 0, 22621, 2429},
		strings: [][2]string{
			{"CompanyName", "Microsoft Corporation"}, {"FileDescription", "NT Kernel & System"},
			{"FileVersion", "10.0.22621.2428 (WinBuild.160101.0800)"}, {"LegalCopyright", "© Microsoft"}, {"Empty", ""},
		},
	}
}

func TestPEVersion(t *testing.T) {
	for _, tt := range []struct {
		name string
		spec peSpec
		want string
	}{
		{"x64 program", kernelSpec(), "x64 false 10.0.22621.2428 10.0.22621.2429 [{CompanyName Microsoft Corporation} {FileDescription NT Kernel & System} {FileVersion 10.0.22621.2428 (WinBuild.160101.0800)} {LegalCopyright © Microsoft} {Empty }]"},
		{"x86 library", peSpec{machine: 0x14c, dll: true, version: [4]uint16{6, 1, 7601, 65535}}, "x86 true 6.1.7601.65535 0.0.0.0 []"},
		{"ARM64 without a version", peSpec{machine: 0xaa64, plus: true, none: true}, "ARM64 false   []"},
		{"unknown machine", peSpec{machine: 0x1234, none: true}, "machine 0x1234 false   []"},
	} {
		b := tt.spec.bytes()
		v, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := fmt.Sprint(v.Machine, " ", v.DLL, " ", v.FileVersion, " ", v.ProductVersion, " ", v.Strings); got != tt.want {
			t.Errorf("%s: got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// 7-Zip reads the same of the files that this test makes.
func TestPEVersionAgainst7Zip(t *testing.T) {
	wimtest.Need(t, wimtest.SevenZip)
	dir := t.TempDir()
	spec := kernelSpec()
	if err := os.WriteFile(filepath.Join(dir, "k.exe"), spec.bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	out := wimtest.MustRun(t, dir, wimtest.SevenZip, "x", "-so", "-tPE", "k.exe", ".rsrc/version.txt")
	text := string(out)
	if len(out) > 2 && out[1] == 0 || bytes.HasPrefix(out, []byte{0xff, 0xfe}) {
		text = ntname.LossyText(out)
	}
	for _, want := range []string{"10,0,22621,2428", "10,0,22621,2429", `"FileDescription",`, `"NT Kernel & System"`, `"LegalCopyright",`, "© Microsoft"} {
		if !strings.Contains(text, want) {
			t.Errorf("7-Zip does not find %q in\n%s", want, text)
		}
	}
}

// countingReader tells how much of a file is read.
type countingReader struct {
	*bytes.Reader
	bytes int
}

func (c *countingReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Reader.ReadAt(p, off)
	c.bytes += n
	return n, err
}

func TestPEReadsLittle(t *testing.T) {
	b := append(kernelSpec().bytes(), make([]byte, 10<<20)...)
	r := &countingReader{Reader: bytes.NewReader(b)}
	if v, err := Read(r, int64(len(b))); err != nil || v.FileVersion == "" {
		t.Fatal(v, err)
	}
	if r.bytes > 8<<10 {
		t.Errorf("%d bytes were read", r.bytes)
	}
}

func TestNotPE(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("MZ"), bytes.Repeat([]byte("MZ"), 64), make([]byte, 1000), []byte("MZ" + strings.Repeat("\xff", 100))} {
		if v, err := Read(bytes.NewReader(b), int64(len(b))); !errors.Is(err, ErrNotPE) {
			t.Errorf("%.10x: %v, %v", b, v, err)
		}
	}
	// Cut anywhere, it gives what is left or an error.
	b := kernelSpec().bytes()
	for n := range b {
		v, err := Read(bytes.NewReader(b[:n]), int64(n))
		if (v == nil) == (err == nil) {
			t.Fatalf("cut at %d: %v, %v", n, v, err)
		}
	}
}

func FuzzPE(f *testing.F) {
	f.Add(kernelSpec().bytes(), "CompanyName", "Some & Company", uint64(10<<48|22621<<16))
	f.Add(peSpec{machine: 0x14c, dll: true, version: [4]uint16{1, 2, 3, 4}}.bytes(), "", "", uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, key, value string, number uint64) {
		r := &countingReader{Reader: bytes.NewReader(b)}
		v, err := Read(r, int64(len(b)))
		if (v == nil) == (err == nil) {
			t.Fatalf("%v, %v", v, err)
		}
		if r.bytes > 300<<10 {
			t.Fatalf("%d bytes were read of %d", r.bytes, len(b))
		}
		if v != nil && (v.Machine == "" || len(v.Strings) > maxPEStrings) {
			t.Fatalf("%+v", v)
		}
		// What is put in comes out.
		if len(key)+len(value) > 10000 || strings.ContainsAny(key+value, "\x00\ufffd") || !utf8.ValidString(key) || !utf8.ValidString(value) || strings.HasSuffix(value, " ") {
			return
		}
		q := [4]uint16{uint16(number >> 48), uint16(number >> 32), uint16(number >> 16), uint16(number)}
		b = peSpec{machine: 0x8664, plus: true, version: q, strings: [][2]string{{key, value}, {"Last", "x"}}}.bytes()
		v, err = Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%d.%d.%d.%d", q[0], q[1], q[2], q[3]); v.FileVersion != want {
			t.Fatalf("version %s, want %s", v.FileVersion, want)
		}
		if want := []String{{key, value}, {"Last", "x"}}; !slices.Equal(v.Strings, want) {
			t.Fatalf("strings %q, want %q", v.Strings, want)
		}
	})
}
