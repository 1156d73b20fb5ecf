package wimtest

import (
	"encoding/binary"
	"sort"
)

// VersionedPE returns a small x64 program file of at least size bytes with a version resource: the fixed version, and strings
// such as "FileDescription" for the language en-US. The program does nothing.
func VersionedPE(version [4]uint16, strings map[string]string, size int) []byte {
	const (
		fileAlign    = 0x200
		sectionAlign = 0x1000
		textRVA      = 0x1000
		rsrcRVA      = 0x2000
	)
	rsrc := versionSection(rsrcRVA, versionInfo(version, strings))
	le := binary.LittleEndian
	b := make([]byte, 0x40)
	copy(b, "MZ")
	le.PutUint32(b[0x3C:], 0x40)
	b = append(b, "PE\x00\x00"...)
	b = le.AppendUint16(b, 0x8664)
	b = le.AppendUint16(b, 2) // sections
	b = append(b, make([]byte, 12)...)
	b = le.AppendUint16(b, 240)
	b = le.AppendUint16(b, 0x22) // executable, large addresses
	opt := make([]byte, 240)
	le.PutUint16(opt, 0x20B)
	le.PutUint32(opt[4:], fileAlign)     // code
	le.PutUint32(opt[16:], textRVA)      // entry point
	le.PutUint32(opt[20:], textRVA)      // base of code
	le.PutUint64(opt[24:], 0x140000000)  // image base
	le.PutUint32(opt[32:], sectionAlign) //
	le.PutUint32(opt[36:], fileAlign)    //
	le.PutUint16(opt[40:], 10)           // system version
	le.PutUint16(opt[48:], 10)           // subsystem version
	le.PutUint32(opt[56:], 0x3000)       // image size
	le.PutUint32(opt[60:], fileAlign)    // headers
	le.PutUint16(opt[68:], 3)            // console
	le.PutUint32(opt[108:], 16)          // data directories
	le.PutUint32(opt[112+2*8:], rsrcRVA) // resources
	le.PutUint32(opt[112+2*8+4:], uint32(len(rsrc)))
	b = append(b, opt...)
	up := func(n int) int { return (n + fileAlign - 1) &^ (fileAlign - 1) }
	section := func(name string, rva, off, size int, flags uint32) {
		s := make([]byte, 40)
		copy(s, name)
		le.PutUint32(s[8:], uint32(size))
		le.PutUint32(s[12:], uint32(rva))
		le.PutUint32(s[16:], uint32(up(size)))
		le.PutUint32(s[20:], uint32(off))
		le.PutUint32(s[36:], flags)
		b = append(b, s...)
	}
	section(".text", textRVA, fileAlign, 4, 0x60000020)
	section(".rsrc", rsrcRVA, 2*fileAlign, len(rsrc), 0x40000040)
	b = append(b, make([]byte, fileAlign-len(b))...)
	b = append(b, 0x31, 0xC0, 0xC3, 0xCC) // xor eax, eax; ret
	b = append(b, make([]byte, 2*fileAlign-len(b))...)
	b = append(b, rsrc...)
	b = append(b, make([]byte, up(len(b))-len(b))...)
	if len(b) < size {
		b = append(b, make([]byte, size-len(b))...)
	}
	return b
}

// versionSection returns a resource section with one resource: type 16, name 1, language 0x409.
func versionSection(rva int, info []byte) []byte {
	le := binary.LittleEndian
	var b []byte
	for level, id := range []uint32{16, 1, 0x409} {
		b = append(b, make([]byte, 12)...)
		b = le.AppendUint16(b, 0)
		b = le.AppendUint16(b, 1)
		b = le.AppendUint32(b, id)
		next := uint32(24 * (level + 1))
		if level < 2 {
			next |= 0x80000000
		}
		b = le.AppendUint32(b, next)
	}
	b = le.AppendUint32(b, uint32(rva+len(b)+16))
	b = le.AppendUint32(b, uint32(len(info)))
	b = append(b, make([]byte, 8)...)
	return append(b, info...)
}

// versionInfo returns a VS_VERSIONINFO record.
func versionInfo(v [4]uint16, strings map[string]string) []byte {
	le := binary.LittleEndian
	fixed := make([]byte, 52)
	le.PutUint32(fixed, 0xFEEF04BD)
	le.PutUint32(fixed[4:], 0x10000)
	for _, at := range []int{8, 16} { // file, product
		le.PutUint32(fixed[at:], uint32(v[0])<<16|uint32(v[1]))
		le.PutUint32(fixed[at+4:], uint32(v[2])<<16|uint32(v[3]))
	}
	le.PutUint32(fixed[24:], 0x3F)
	le.PutUint32(fixed[32:], 0x40004) // Windows NT
	le.PutUint32(fixed[36:], 1)       // program
	names := make([]string, 0, len(strings))
	for n := range strings {
		names = append(names, n)
	}
	sort.Strings(names)
	var list [][]byte
	for _, n := range names {
		list = append(list, versionNode(n, 1, append(utf16Bytes(utf16Of(strings[n])), 0, 0)))
	}
	table := versionNode("040904B0", 1, nil, list...)
	return versionNode("VS_VERSION_INFO", 0, fixed,
		versionNode("StringFileInfo", 1, nil, table),
		versionNode("VarFileInfo", 1, nil, versionNode("Translation", 0, []byte{0x09, 0x04, 0xB0, 0x04})))
}

// versionNode returns a record of the tree in a version resource: length, value length (in characters, if it is text), kind, key,
// value, children; the last two at multiples of four.
func versionNode(key string, text uint16, value []byte, children ...[]byte) []byte {
	le := binary.LittleEndian
	n := len(value)
	if text == 1 {
		n /= 2
	}
	b := make([]byte, 2)
	b = le.AppendUint16(b, uint16(n))
	b = le.AppendUint16(b, text)
	b = append(append(b, utf16Bytes(utf16Of(key))...), 0, 0)
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
	le.PutUint16(b, uint16(len(b)))
	return b
}
