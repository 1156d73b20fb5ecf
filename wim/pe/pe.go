package pe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"wimscope/wim/ntname"
)

// Version holds the facts in the headers and the version resource of a Windows program or library.
type Version struct {
	Machine        string // "x86", "x64", "ARM64", …
	DLL            bool
	FileVersion    string // "10.0.22621.2428", of the fixed part of the version resource; "" if there is none
	ProductVersion string
	Strings        []String // of the version resource's first language, in their order
}

// String is one string of a version resource, such as CompanyName.
type String struct{ Name, Value string }

var (
	ErrNotPE = errors.New("wim: not a PE file")
	ErrShort = errors.New("wim: PE file is cut short or its headers lie")
)

const (
	maxPESections    = 96       // the loader's limit
	maxPEResources   = 4096     // entries of a resource directory that are looked at
	maxPEVersionSize = 64 << 10 // a version resource cannot be longer: its length has 16 bits
	maxPEStrings     = 100
)

// Read reads the headers and the version resource of a PE file, a few kilobytes in all. If the version resource is missing
// or malformed, only the facts of the headers are set.
func Read(r io.ReaderAt, size int64) (*Version, error) {
	p := file{r: r, size: size}
	v, err := p.headers()
	if err != nil {
		return nil, err
	}
	if b, err := p.versionResource(); err == nil {
		v.parse(b)
	}
	return v, nil
}

// ReadMachine returns the machine type, and reads no more of the file than it needs for that. See MachineName.
func ReadMachine(r io.ReaderAt, size int64) (uint16, error) {
	p := file{r: r, size: size}
	mz, err := p.read(0, 64)
	if err != nil {
		return 0, err
	}
	at := int64(binary.LittleEndian.Uint32(mz[0x3c:]))
	head, err := p.read(at, 6)
	if err != nil {
		return 0, err
	}
	if at%4 != 0 || string(head[:4]) != "PE\x00\x00" {
		return 0, ErrNotPE
	}
	return binary.LittleEndian.Uint16(head[4:]), nil
}

// file reads a PE file. Offsets are into the file; rva are addresses in memory, from where the image is loaded.
type file struct {
	r         io.ReaderAt
	size      int64
	sections  []peSection
	resources uint32 // rva of the root of the resource tree, 0 if there is none
}

type peSection struct{ rva, virtual, off, raw uint32 }

func (p *file) read(off int64, n int) ([]byte, error) {
	if off < 0 || off > p.size || int64(n) > p.size-off {
		return nil, ErrShort
	}
	b := make([]byte, n)
	if k, err := p.r.ReadAt(b, off); k < n {
		if err == nil || errors.Is(err, io.EOF) {
			err = ErrShort
		}
		return nil, err
	}
	return b, nil
}

// headers reads the MZ, COFF and optional headers and the section table. [PE Format] "COFF File Header".
func (p *file) headers() (*Version, error) {
	if p.size < 64 {
		return nil, ErrNotPE
	}
	mz, err := p.read(0, 64)
	if err != nil {
		return nil, err
	}
	if mz[0] != 'M' || mz[1] != 'Z' {
		return nil, ErrNotPE
	}
	at := int64(binary.LittleEndian.Uint32(mz[0x3c:]))
	coff, err := p.read(at, 24)
	if err != nil || string(coff[:4]) != "PE\x00\x00" {
		return nil, ErrNotPE
	}
	v := &Version{
		Machine: MachineName(binary.LittleEndian.Uint16(coff[4:])),
		DLL:     binary.LittleEndian.Uint16(coff[22:])&0x2000 != 0,
	}
	sections := int(binary.LittleEndian.Uint16(coff[6:]))
	optSize := int(binary.LittleEndian.Uint16(coff[20:]))
	opt, err := p.read(at+24, optSize)
	if err != nil || optSize < 2 {
		return v, nil
	}
	dirs := 0
	switch binary.LittleEndian.Uint16(opt) {
	case 0x10b:
		dirs = 96
	case 0x20b:
		dirs = 112
	default:
		return v, nil
	}
	const resourceDir = 2
	if len(opt) < dirs+8*(resourceDir+1) || binary.LittleEndian.Uint32(opt[dirs-4:]) <= resourceDir {
		return v, nil
	}
	p.resources = binary.LittleEndian.Uint32(opt[dirs+8*resourceDir:])
	table, err := p.read(at+24+int64(optSize), 40*min(sections, maxPESections))
	if err != nil {
		return v, nil
	}
	for ; len(table) >= 40; table = table[40:] {
		p.sections = append(p.sections, peSection{
			virtual: binary.LittleEndian.Uint32(table[8:]), rva: binary.LittleEndian.Uint32(table[12:]),
			raw: binary.LittleEndian.Uint32(table[16:]), off: binary.LittleEndian.Uint32(table[20:]),
		})
	}
	return v, nil
}

// readRVA reads n bytes at an address. They must be in one section.
func (p *file) readRVA(rva uint32, n int) ([]byte, error) {
	for _, s := range p.sections {
		if rva >= s.rva && rva-s.rva < s.raw && uint32(n) <= s.raw-(rva-s.rva) {
			return p.read(int64(s.off)+int64(rva-s.rva), n)
		}
	}
	return nil, ErrShort
}

// versionResource finds the data of the first version resource: type 16, then the first name, then the first
// language. [PE Format] "The .rsrc Section".
func (p *file) versionResource() ([]byte, error) {
	if p.resources == 0 {
		return nil, ErrShort
	}
	const versionType, isDir = 16, 1 << 31
	at := uint32(0)
	for level := range 3 {
		head, err := p.readRVA(p.resources+at, 16)
		if err != nil {
			return nil, err
		}
		named, ids := int(binary.LittleEndian.Uint16(head[12:])), int(binary.LittleEndian.Uint16(head[14:]))
		n := min(named+ids, maxPEResources)
		if level > 0 {
			n = min(n, 1)
		}
		entries, err := p.readRVA(p.resources+at+16, 8*n)
		if err != nil {
			return nil, err
		}
		found := false
		for ; len(entries) >= 8 && !found; entries = entries[8:] {
			if level > 0 || binary.LittleEndian.Uint32(entries) == versionType {
				at, found = binary.LittleEndian.Uint32(entries[4:]), true
			}
		}
		if !found || (at&isDir != 0) != (level < 2) {
			return nil, ErrShort
		}
		at &^= isDir
	}
	data, err := p.readRVA(p.resources+at, 16)
	if err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(data[4:])
	if size > maxPEVersionSize {
		return nil, ErrShort
	}
	return p.readRVA(binary.LittleEndian.Uint32(data), int(size))
}

// parse reads a version resource, VS_VERSIONINFO.
func (v *Version) parse(b []byte) {
	root, _, ok := nextVersionNode(b)
	if !ok || root.key != "VS_VERSION_INFO" {
		return
	}
	if f := root.value; len(f) >= 24 && binary.LittleEndian.Uint32(f) == 0xfeef04bd {
		quad := func(at int) string {
			ms, ls := binary.LittleEndian.Uint32(f[at:]), binary.LittleEndian.Uint32(f[at+4:])
			return fmt.Sprintf("%d.%d.%d.%d", ms>>16, ms&0xffff, ls>>16, ls&0xffff)
		}
		v.FileVersion, v.ProductVersion = quad(8), quad(16)
	}
	for rest := root.children; ; {
		info, next, ok := nextVersionNode(rest)
		if !ok {
			return
		}
		rest = next
		if info.key != "StringFileInfo" {
			continue
		}
		table, _, ok := nextVersionNode(info.children)
		if !ok {
			return
		}
		for items := table.children; len(v.Strings) < maxPEStrings; {
			item, next, ok := nextVersionNode(items)
			if !ok {
				return
			}
			v.Strings = append(v.Strings, String{item.key, strings.TrimRight(ntname.TextToNUL(item.value), " ")})
			items = next
		}
		return
	}
}

// versionNode is a node of a version resource: a key, a value and child nodes.
type versionNode struct {
	key      string
	value    []byte
	children []byte
}

// nextVersionNode reads the first node of b. Nodes have u16 length, u16 length of the value (in bytes, or UTF-16
// units if u16 type is 1), the key with a NUL, the value, the children, each at a multiple of 4.
func nextVersionNode(b []byte) (n versionNode, rest []byte, ok bool) {
	if len(b) < 6 {
		return n, nil, false
	}
	length := int(binary.LittleEndian.Uint16(b))
	size := int(binary.LittleEndian.Uint16(b[2:]))
	text := binary.LittleEndian.Uint16(b[4:]) == 1
	if length < 6 || length > len(b) {
		return n, nil, false
	}
	rest = b[min((length+3)&^3, len(b)):]
	b = b[:length]
	end := ntname.IndexNUL(b[6:])
	if end < 0 {
		return n, nil, false
	}
	n.key = ntname.LossyText(b[6 : 6+end])
	at := min((6+end+2+3)&^3, length)
	if text {
		// Some linkers count bytes here too. A text has no children, so it ends at its NUL.
		size *= 2
		if size > 0 {
			n.value = b[at:]
			return n, rest, true
		}
	}
	to := min(at+size, length)
	n.value = b[at:to]
	n.children = b[min((to+3)&^3, length):]
	return n, rest, true
}

// MachineName names a machine type, such as "x64". [PE Format] "Machine Types".
func MachineName(m uint16) string {
	switch m {
	case 0x014c:
		return "x86"
	case 0x8664:
		return "x64"
	case 0xaa64:
		return "ARM64"
	case 0xa641:
		return "ARM64EC"
	case 0xa64e:
		return "ARM64X"
	case 0x01c4, 0x01c0, 0x01c2:
		return "ARM"
	case 0x0200:
		return "Itanium"
	case 0x0ebc:
		return "EFI byte code"
	case 0x5064, 0x5032:
		return "RISC-V"
	case 0x0184, 0x0284:
		return "Alpha"
	case 0x0166:
		return "MIPS"
	case 0x01f0, 0x01f2:
		return "PowerPC"
	}
	return fmt.Sprintf("machine 0x%04x", m)
}
