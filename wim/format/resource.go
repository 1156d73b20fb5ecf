package format

import "fmt"

// ResourceHeaderSize is the size of a resource header.
const ResourceHeaderSize = 24

// Resource flags.
const (
	ResFree       = 0x01
	ResMetadata   = 0x02 // a metadata resource; the blob table and the XML document carry it too
	ResCompressed = 0x04
	ResSpanned    = 0x08
	ResSolid      = 0x10 // a solid resource, or a blob in one; meaningless in version 1.13
)

func resourceFlagNames() []flagName {
	return []flagName{{ResFree, "free"}, {ResMetadata, "metadata"}, {ResCompressed, "compressed"}, {ResSpanned, "spanned"}, {ResSolid, "solid"}}
}

// SolidMagicSize is the unpacked size that marks a blob table entry as a solid resource.
const SolidMagicSize = 0x1_0000_0000

// MaxPackedSize is the largest packed size that fits in seven bytes.
const MaxPackedSize = 1<<56 - 1

// ResourceHeader is the location of a resource. In a solid run the fields have other meanings: see BlobEntry.
type ResourceHeader struct {
	PackedSize uint64 // +0x00: seven bytes
	Flags      uint8  // +0x07
	Off        uint64 // +0x08: from the start of the part
	Size       uint64 // +0x10: unpacked
}

// ParseResourceHeader reads 24 bytes. All values are valid.
func ParseResourceHeader(b []byte) (ResourceHeader, error) {
	if len(b) < ResourceHeaderSize {
		return ResourceHeader{}, tooShort("resource header", len(b), ResourceHeaderSize)
	}
	return resourceHeader(b), nil
}

func resourceHeader(b []byte) ResourceHeader {
	first := le.Uint64(b)
	return ResourceHeader{
		PackedSize: first & MaxPackedSize,
		Flags:      uint8(first >> 56),
		Off:        le.Uint64(b[8:]),
		Size:       le.Uint64(b[16:]),
	}
}

// Append appends 24 bytes. Only the low 56 bits of PackedSize are kept.
func (r ResourceHeader) Append(b []byte) []byte {
	b = le.AppendUint64(b, r.PackedSize&MaxPackedSize|uint64(r.Flags)<<56)
	b = le.AppendUint64(b, r.Off)
	return le.AppendUint64(b, r.Size)
}

// IsZero reports whether all fields are zero.
func (r ResourceHeader) IsZero() bool { return r == ResourceHeader{} }

// Fields describes the resource header.
func (r ResourceHeader) Fields() []Field {
	var f fields
	f.dec(7, "PackedSize", r.PackedSize, "bytes in the file")
	f.add(1, "Flags", fmt.Sprintf("0x%02x", r.Flags), flagText(uint32(r.Flags), resourceFlagNames()))
	f.hex(8, "Off", r.Off, "from the start of the file")
	f.dec(8, "Size", r.Size, "bytes unpacked")
	return f.list
}

// BlobEntrySize is the size of a blob table entry.
const BlobEntrySize = 50

// BlobEntry is one entry of the blob table (Microsoft's "lookup table" or "offset table"). In a solid run, which
// is a sequence of entries with ResSolid set, an entry whose Size is SolidMagicSize is a solid resource; the others
// are blobs, whose PackedSize is their unpacked size, whose Off is where they start in the concatenated unpacked
// bytes of the run's resources, and whose Size is 0.
type BlobEntry struct {
	Resource ResourceHeader // +0x00
	Part     uint16         // +0x18: number of the part that holds it
	RefCount uint32         // number of references in images; unreliable
	Hash     [20]byte       // +0x1e: SHA-1 of the unpacked bytes; zero for a solid resource
}

// ParseBlobEntry reads 50 bytes. All values are valid.
func ParseBlobEntry(b []byte) (BlobEntry, error) {
	if len(b) < BlobEntrySize {
		return BlobEntry{}, tooShort("blob table entry", len(b), BlobEntrySize)
	}
	return BlobEntry{
		Resource: resourceHeader(b),
		Part:     le.Uint16(b[24:]),
		RefCount: le.Uint32(b[26:]),
		Hash:     [20]byte(b[30:50]),
	}, nil
}

// Append appends 50 bytes.
func (e BlobEntry) Append(b []byte) []byte {
	b = e.Resource.Append(b)
	b = le.AppendUint16(b, e.Part)
	b = le.AppendUint32(b, e.RefCount)
	return append(b, e.Hash[:]...)
}

// Fields describes the entry.
func (e BlobEntry) Fields() []Field {
	var f fields
	if e.Resource.Flags&ResSolid != 0 && e.Resource.Size != SolidMagicSize {
		f.dec(7, "Size", e.Resource.PackedSize, "bytes unpacked, for this is a blob in a solid run")
		f.add(1, "Flags", fmt.Sprintf("0x%02x", e.Resource.Flags), flagText(uint32(e.Resource.Flags), resourceFlagNames()))
		f.hex(8, "Off", e.Resource.Off, "in the unpacked bytes of the run's solid resources, one after another")
		f.dec(8, "Unused", e.Resource.Size, "0 in a solid run")
	} else {
		f.sub("Resource", e.Resource.Fields())
	}
	f.dec(2, "Part", e.Part, "number of the part that holds it")
	f.dec(4, "RefCount", e.RefCount, "times that images use it; not to be trusted")
	f.bytes("Hash", e.Hash[:], "SHA-1 of the unpacked bytes")
	return f.list
}

// SolidHeaderSize is the size of the header inside a solid resource.
const SolidHeaderSize = 16

// SolidHeader is at the start of a solid resource, before its chunk sizes.
type SolidHeader struct {
	Size      uint64 // +0x00: unpacked bytes of all chunks
	ChunkSize uint32 // +0x08
	Codec     uint32 // +0x0c: None … LZMS
}

// ParseSolidHeader reads 16 bytes. All values are valid.
func ParseSolidHeader(b []byte) (SolidHeader, error) {
	if len(b) < SolidHeaderSize {
		return SolidHeader{}, tooShort("solid resource header", len(b), SolidHeaderSize)
	}
	return SolidHeader{Size: le.Uint64(b), ChunkSize: le.Uint32(b[8:]), Codec: le.Uint32(b[12:])}, nil
}

// Append appends 16 bytes.
func (s SolidHeader) Append(b []byte) []byte {
	b = le.AppendUint64(b, s.Size)
	b = le.AppendUint32(b, s.ChunkSize)
	return le.AppendUint32(b, s.Codec)
}

// Fields describes the header.
func (s SolidHeader) Fields() []Field {
	var f fields
	f.dec(8, "Size", s.Size, "bytes unpacked")
	f.dec(4, "ChunkSize", s.ChunkSize, "unpacked bytes per chunk")
	f.dec(4, "Codec", s.Codec, "0 none, 1 XPRESS, 2 LZX, 3 LZMS")
	return f.list
}

// ChunkEntrySize returns the size of the chunk table's entries in a non-solid resource of that many unpacked bytes.
func ChunkEntrySize(size uint64) int {
	if size > 0xffffffff {
		return 8
	}
	return 4
}

// PipableBlobHeaderSize is the size of the header before each blob of a pipable archive.
const PipableBlobHeaderSize = 40

// PipableMagic is the start of a PipableBlobHeader.
const PipableMagic = 0x2b9b9ba2443db9d8

// PipableBlobHeader precedes each resource of a pipable archive, for readers that cannot seek.
type PipableBlobHeader struct {
	Magic uint64   // +0x00
	Size  uint64   // +0x08: unpacked
	Hash  [20]byte // +0x10
	Flags uint32   // +0x24: as in a resource header
}

// ParsePipableBlobHeader reads 40 bytes and checks the magic number.
func ParsePipableBlobHeader(b []byte) (PipableBlobHeader, error) {
	if len(b) < PipableBlobHeaderSize {
		return PipableBlobHeader{}, tooShort("pipable blob header", len(b), PipableBlobHeaderSize)
	}
	p := PipableBlobHeader{Magic: le.Uint64(b), Size: le.Uint64(b[8:]), Hash: [20]byte(b[16:36]), Flags: le.Uint32(b[36:])}
	if p.Magic != PipableMagic {
		return p, errorf("pipable blob header", 0, "magic number is 0x%016x", p.Magic)
	}
	return p, nil
}

// Append appends 40 bytes.
func (p PipableBlobHeader) Append(b []byte) []byte {
	b = le.AppendUint64(b, p.Magic)
	b = le.AppendUint64(b, p.Size)
	b = append(b, p.Hash[:]...)
	return le.AppendUint32(b, p.Flags)
}

// Fields describes the header.
func (p PipableBlobHeader) Fields() []Field {
	var f fields
	f.hex(8, "Magic", p.Magic, "marks a resource of a pipable archive")
	f.dec(8, "Size", p.Size, "bytes unpacked")
	f.bytes("Hash", p.Hash[:], "SHA-1 of the unpacked bytes")
	f.add(4, "Flags", fmt.Sprintf("0x%x", p.Flags), flagText(p.Flags, resourceFlagNames()))
	return f.list
}
