package format

import "fmt"

// FILE_ATTRIBUTE bits, [MS-FSCC] 2.6.
const (
	AttrReadOnly          = 0x1
	AttrHidden            = 0x2
	AttrSystem            = 0x4
	AttrDirectory         = 0x10
	AttrArchive           = 0x20
	AttrDevice            = 0x40
	AttrNormal            = 0x80
	AttrTemporary         = 0x100
	AttrSparse            = 0x200
	AttrReparsePoint      = 0x400
	AttrCompressed        = 0x800
	AttrOffline           = 0x1000
	AttrNotContentIndexed = 0x2000
	AttrEncrypted         = 0x4000
	AttrIntegrityStream   = 0x8000
	AttrVirtual           = 0x10000
	AttrNoScrubData       = 0x20000
	AttrEA                = 0x40000 // also RECALL_ON_OPEN, by context
	AttrPinned            = 0x80000
	AttrUnpinned          = 0x100000
	AttrRecallOnAccess    = 0x400000
)

// AttrNames returns the names of the set FILE_ATTRIBUTE bits, lowest first. Bits without a name come last, as one
// hexadecimal number.
func AttrNames(attrs uint32) []string {
	var names []string
	add := func(bit uint32, name string) {
		if attrs&bit != 0 {
			names = append(names, name)
			attrs &^= bit
		}
	}
	add(AttrReadOnly, "read-only")
	add(AttrHidden, "hidden")
	add(AttrSystem, "system")
	add(AttrDirectory, "directory")
	add(AttrArchive, "archive")
	add(AttrDevice, "device")
	add(AttrNormal, "normal")
	add(AttrTemporary, "temporary")
	add(AttrSparse, "sparse")
	add(AttrReparsePoint, "reparse point")
	add(AttrCompressed, "compressed")
	add(AttrOffline, "offline")
	add(AttrNotContentIndexed, "not indexed")
	add(AttrEncrypted, "encrypted")
	add(AttrIntegrityStream, "integrity")
	add(AttrVirtual, "virtual")
	add(AttrNoScrubData, "no scrub")
	add(AttrEA, "recall on open")
	add(AttrPinned, "pinned")
	add(AttrUnpinned, "unpinned")
	add(AttrRecallOnAccess, "recall on access")
	if attrs != 0 {
		names = append(names, fmt.Sprintf("0x%x", attrs))
	}
	return names
}

// AttrLetters returns the common bits as letters: D directory, L reparse point, E encrypted, C compressed, I not
// indexed, O offline, R read-only, H hidden, S system, A archive.
func AttrLetters(attrs uint32) string {
	const bits = "DLECIORHSA"
	masks := [...]uint32{
		AttrDirectory, AttrReparsePoint, AttrEncrypted, AttrCompressed, AttrNotContentIndexed, AttrOffline,
		AttrReadOnly, AttrHidden, AttrSystem, AttrArchive,
	}
	var b []byte
	for i := range bits {
		if attrs&masks[i] != 0 {
			b = append(b, bits[i])
		}
	}
	return string(b)
}
