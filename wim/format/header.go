package format

import (
	"bytes"
	"fmt"
)

// HeaderSize is the size of the header of versions 1.13 and 0.14.
const HeaderSize = 208

// Versions. 0.14 is numerically lower than 1.13: compare for equality only.
const (
	Version113 = 0x00010D00 // non-solid archives
	Version014 = 0x00000E00 // LZMS or solid resources
)

// Header flags.
const (
	FlagReserved        = 0x00000001
	FlagCompression     = 0x00000002
	FlagReadOnly        = 0x00000004
	FlagSpanned         = 0x00000008
	FlagResourceOnly    = 0x00000010
	FlagMetadataOnly    = 0x00000020
	FlagWriteInProgress = 0x00000040
	FlagReparseFixup    = 0x00000080
	FlagXPRESS          = 0x00020000
	FlagLZX             = 0x00040000
	FlagLZMS            = 0x00080000
	FlagXPRESS2         = 0x00200000 // XPRESS with a chunk size other than 32 KiB
)

func headerFlagNames() []flagName {
	return []flagName{
		{FlagCompression, "compressed"}, {FlagReadOnly, "read-only"}, {FlagSpanned, "split"},
		{FlagResourceOnly, "resource-only"}, {FlagMetadataOnly, "metadata-only"},
		{FlagWriteInProgress, "write in progress"}, {FlagReparseFixup, "reparse points fixed"},
		{FlagXPRESS, "XPRESS"}, {FlagLZX, "LZX"}, {FlagLZMS, "LZMS"}, {FlagXPRESS2, "XPRESS-2"},
	}
}

// FlagNames returns the names of the set bits of the header's flags.
func (h Header) FlagNames() []string {
	var out []string
	v := h.Flags
	for _, n := range headerFlagNames() {
		if v&n.bit != 0 {
			out = append(out, n.name)
			v &^= n.bit
		}
	}
	if v != 0 {
		out = append(out, fmt.Sprintf("0x%x", v))
	}
	return out
}

// Magic numbers: the first eight bytes.
const (
	Magic        = "MSWIM\x00\x00\x00"
	MagicPipable = "WLPWM\x00\x00\x00" // wimlib's pipable archives; the full header is at the end of the file
)

// Header is the first record of every part.
type Header struct {
	Magic        [8]byte        // +0x00
	Size         uint32         // +0x08: of this header, 208
	Version      uint32         // +0x0c
	Flags        uint32         // +0x10
	ChunkSize    uint32         // +0x14: unpacked bytes per chunk of non-solid resources; 0 if uncompressed
	GUID         [16]byte       // +0x18: the same in all parts of a split set
	PartNumber   uint16         // +0x28: from 1
	TotalParts   uint16         // +0x2a
	ImageCount   uint32         // +0x2c
	BlobTable    ResourceHeader // +0x30
	XML          ResourceHeader // +0x48
	BootMetadata ResourceHeader // +0x60: the bootable image's metadata resource, all zero if there is none
	BootIndex    uint32         // +0x78: from 1; 0 if no image is bootable
	Integrity    ResourceHeader // +0x7c: on a multiple of four, with no padding before it
	Unused       [60]byte       // +0x94
}

// Probe reads the fields that all versions of the format have in the first 16 bytes. ok is false if the file is not a WIM.
func Probe(b []byte) (size, version uint32, pipable, ok bool) {
	if len(b) < 16 {
		return 0, 0, false, false
	}
	pipable = string(b[:8]) == MagicPipable
	if !pipable && string(b[:8]) != Magic {
		return 0, 0, false, false
	}
	return le.Uint32(b[8:]), le.Uint32(b[12:]), pipable, true
}

// OldVersion returns the text of a version before 1.13, "" for any other. The headers of these versions have 0x60 bytes
// (1.09 to 1.11) or 0x74 (1.12).
func OldVersion(version uint32) string {
	switch version >> 8 {
	case 0x109, 0x10a, 0x10b, 0x10c:
		return fmt.Sprintf("%d.%02d", version>>16, version>>8&0xff)
	}
	return ""
}

// VersionText returns a version in the usual form: 0x00010d00 is 1.13, 0x00000e00 is 0.14.
func VersionText(version uint32) string {
	return fmt.Sprintf("%d.%02d", version>>16, version>>8&0xff)
}

// ParseHeader reads a header of 208 bytes. It checks the magic number and the size; checking the version is up to the
// caller.
func ParseHeader(b []byte) (Header, error) {
	var h Header
	if len(b) < HeaderSize {
		return h, tooShort("header", len(b), HeaderSize)
	}
	size, version, _, ok := Probe(b)
	if !ok {
		return h, errorf("header", 0, "magic number is %x", b[:8])
	}
	if size != HeaderSize {
		return h, errorf("header", 8, "header size is %d, should be %d", size, HeaderSize)
	}
	copy(h.Magic[:], b)
	h.Size = size
	h.Version = version
	h.Flags = le.Uint32(b[0x10:])
	h.ChunkSize = le.Uint32(b[0x14:])
	copy(h.GUID[:], b[0x18:])
	h.PartNumber = le.Uint16(b[0x28:])
	h.TotalParts = le.Uint16(b[0x2a:])
	h.ImageCount = le.Uint32(b[0x2c:])
	h.BlobTable = resourceHeader(b[0x30:])
	h.XML = resourceHeader(b[0x48:])
	h.BootMetadata = resourceHeader(b[0x60:])
	h.BootIndex = le.Uint32(b[0x78:])
	h.Integrity = resourceHeader(b[0x7c:])
	copy(h.Unused[:], b[0x94:])
	return h, nil
}

// Append appends the header's 208 bytes.
func (h Header) Append(b []byte) []byte {
	b = append(b, h.Magic[:]...)
	b = le.AppendUint32(b, h.Size)
	b = le.AppendUint32(b, h.Version)
	b = le.AppendUint32(b, h.Flags)
	b = le.AppendUint32(b, h.ChunkSize)
	b = append(b, h.GUID[:]...)
	b = le.AppendUint16(b, h.PartNumber)
	b = le.AppendUint16(b, h.TotalParts)
	b = le.AppendUint32(b, h.ImageCount)
	b = h.BlobTable.Append(b)
	b = h.XML.Append(b)
	b = h.BootMetadata.Append(b)
	b = le.AppendUint32(b, h.BootIndex)
	b = h.Integrity.Append(b)
	return append(b, h.Unused[:]...)
}

// Pipable reports whether the magic number is that of a pipable archive.
func (h Header) Pipable() bool { return string(h.Magic[:]) == MagicPipable }

// Fields describes the header.
func (h Header) Fields() []Field {
	var f fields
	f.add(8, "Magic", fmt.Sprintf("%q", bytes.TrimRight(h.Magic[:], "\x00")), "MSWIM, or WLPWM for a pipable archive")
	f.dec(4, "Size", h.Size, "bytes of this header")
	f.add(4, "Version", fmt.Sprintf("0x%08x", h.Version), "format version "+VersionText(h.Version))
	f.add(4, "Flags", fmt.Sprintf("0x%08x", h.Flags), flagText(h.Flags, headerFlagNames()))
	f.dec(4, "ChunkSize", h.ChunkSize, "unpacked bytes per chunk of non-solid resources; 0 if uncompressed")
	f.bytes("GUID", h.GUID[:], "the same in all parts of a set")
	f.dec(2, "PartNumber", h.PartNumber, "from 1")
	f.dec(2, "TotalParts", h.TotalParts, "parts in the set")
	f.dec(4, "ImageCount", h.ImageCount, "images in the set")
	f.sub("BlobTable", h.BlobTable.Fields())
	f.sub("XML", h.XML.Fields())
	f.sub("BootMetadata", h.BootMetadata.Fields())
	f.dec(4, "BootIndex", h.BootIndex, "image to boot from; 0: none")
	f.sub("Integrity", h.Integrity.Fields())
	f.bytes("Unused", h.Unused[:], "reserved")
	return f.list
}
