package wimtest

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"wimscope/wim/format"
)

// HandBlob is a blob of a hand-made archive.
type HandBlob struct {
	Data     []byte
	Hash     [20]byte // in the blob table
	RefCount uint32
	Part     uint16 // in the blob table; 0: the part that holds it
}

// HandArchive is a hand-made archive, or a part of one. Its resources are not compressed: it is for showing how records fit together, or
// do not.
type HandArchive struct {
	GUID      byte // fills the 16 bytes
	Version   uint32
	Flags     uint32
	ChunkSize uint32
	Part      uint16 // 0: 1
	Parts     uint16 // 0: 1
	Images    uint32 // in the header; 0: the number of metadata entries
	Boot      uint32
	XML       string // "": made from the images

	Metadata   []HandMeta  // the metadata entries of the blob table, in order
	Blobs      []*HandBlob // stored one by one
	Solid      []HandSolid // stored in solid runs
	Chunks     int         // if not 0, resources have a chunk table with uncompressed chunks of this size
	Integrity  int         // if not 0, the block size of an integrity table
	Extra      [][]byte    // more entries of the blob table, of 50 bytes, written as they are
	Unused     []byte      // unused bytes between the header and the first resource
	ImageNames []string
}

// HandMeta is a metadata entry.
type HandMeta struct {
	Data     []byte
	RefCount uint32
	Shared   bool // it refers to the same resource as the entry before it
}

// HandSolid is a solid run, or the share of one part in it: a resource and the blobs in it.
type HandSolid struct {
	Bytes     []byte // unpacked
	ChunkSize int
	Blobs     []HandSolidBlob
	Part      uint16 // in the resource's entry; 0: this part
	Elsewhere bool   // another part has the resource, at Off; only the table entries are written
	Off       int64
	Packed    int64
}

// HandSolidBlob is a blob of a run. Off is its offset in the unpacked run, as in the table.
type HandSolidBlob struct {
	HandBlob
	Off  int64
	Size int64
}

// One returns an archive with one image of the tree, stored in the usual way.
func One(root *HandEntry, security ...[]byte) *HandArchive {
	return &HandArchive{
		Metadata: []HandMeta{{Data: HandMetadata(root, security), RefCount: 1}},
		Blobs:    contents(root, map[[20]byte]*HandBlob{}, nil),
	}
}

func appendTableEntry(b []byte, res format.ResourceHeader, part uint16, refs uint32, hash [20]byte) []byte {
	return format.BlobEntry{Resource: res, Part: part, RefCount: refs, Hash: hash}.Append(b)
}

// SolidResource returns a solid resource whose chunks are not compressed.
func SolidResource(data []byte, chunk int) []byte {
	// The codec is LZMS, but no chunk is packed.
	b := format.SolidHeader{Size: uint64(len(data)), ChunkSize: uint32(chunk), Codec: uint32(format.LZMS)}.Append(nil)
	for off := 0; off < len(data); off += chunk {
		b = binary.LittleEndian.AppendUint32(b, uint32(min(chunk, len(data)-off)))
	}
	return append(b, data...)
}

// Bytes returns the archive: header, resources in the order of the fields, blob table, XML document, integrity table.
func (a *HandArchive) Bytes() []byte {
	part, parts := max(a.Part, 1), max(a.Parts, 1)
	version := a.Version
	if version == 0 {
		version = format.Version113
		if len(a.Solid) > 0 {
			version = format.Version014
		}
	}
	flags := a.Flags
	if len(a.Solid) > 0 && flags&(format.FlagXPRESS|format.FlagLZX|format.FlagLZMS) == 0 {
		flags |= format.FlagCompression | format.FlagLZMS
	}
	chunk := a.ChunkSize
	if chunk == 0 && flags&format.FlagCompression != 0 {
		chunk = uint32(max(a.Chunks, 32768))
	}
	out := make([]byte, format.HeaderSize)
	out = append(out, a.Unused...)
	var table []byte
	store := func(data []byte) format.ResourceHeader {
		r := format.ResourceHeader{Off: uint64(len(out)), Size: uint64(len(data))}
		if a.Chunks != 0 {
			r.Flags = format.ResCompressed
			for i := a.Chunks; i < len(data); i += a.Chunks {
				out = binary.LittleEndian.AppendUint32(out, uint32(i))
			}
		}
		out = append(out, data...)
		r.PackedSize = uint64(len(out)) - r.Off
		return r
	}
	var boot, last format.ResourceHeader
	for i, m := range a.Metadata {
		if !m.Shared {
			last = store(m.Data)
			last.Flags |= format.ResMetadata
		}
		data := m.Data
		if m.Shared {
			data = a.Metadata[i-1].Data
		}
		table = appendTableEntry(table, last, part, m.RefCount, sha1.Sum(data))
		if a.Boot == uint32(i+1) {
			boot = last
		}
	}
	for _, b := range a.Blobs {
		p := b.Part
		if p == 0 {
			p = part
		}
		table = appendTableEntry(table, store(b.Data), p, b.RefCount, b.Hash)
	}
	// A run is the entries of its resources, then the entries of its blobs.
	for i := range a.Solid {
		s := &a.Solid[i]
		if !s.Elsewhere {
			s.Off = int64(len(out))
			res := SolidResource(s.Bytes, s.ChunkSize)
			s.Packed = int64(len(res))
			out = append(out, res...)
		}
		p := s.Part
		if p == 0 {
			p = part
		}
		r := format.ResourceHeader{PackedSize: uint64(s.Packed), Flags: format.ResSolid, Off: uint64(s.Off), Size: format.SolidMagicSize}
		table = appendTableEntry(table, r, p, 1, [20]byte{})
	}
	for i := range a.Solid {
		for _, b := range a.Solid[i].Blobs {
			p := b.Part
			if p == 0 {
				p = part
			}
			r := format.ResourceHeader{PackedSize: uint64(b.Size), Flags: format.ResSolid, Off: uint64(b.Off)}
			table = appendTableEntry(table, r, p, b.RefCount, b.Hash)
		}
	}
	for _, e := range a.Extra {
		table = append(table, e...)
	}
	tableOff := int64(len(out))
	out = append(out, table...)
	xml := utf16Text(a.document(tableOff + int64(len(table))))
	xmlOff := int64(len(out))
	out = append(out, xml...)
	var integrity format.ResourceHeader
	if a.Integrity != 0 {
		covered := out[format.HeaderSize:xmlOff]
		t := format.IntegrityTable{ChunkSize: uint32(a.Integrity)}
		for off := 0; off < len(covered); off += a.Integrity {
			t.Hashes = append(t.Hashes, sha1.Sum(covered[off:min(off+a.Integrity, len(covered))]))
		}
		t.Count = uint32(len(t.Hashes))
		t.Size = 12 + 20*t.Count
		integrity = format.ResourceHeader{PackedSize: uint64(t.Size), Off: uint64(len(out)), Size: uint64(t.Size)}
		out = t.Append(out)
	}

	images := a.Images
	if images == 0 {
		for _, m := range a.Metadata {
			if m.RefCount != 0 {
				images++
			}
		}
	}
	h := format.Header{
		Size:         format.HeaderSize,
		Version:      version,
		Flags:        flags,
		ChunkSize:    chunk,
		PartNumber:   part,
		TotalParts:   parts,
		ImageCount:   images,
		BlobTable:    format.ResourceHeader{PackedSize: uint64(len(table)), Flags: format.ResMetadata, Off: uint64(tableOff), Size: uint64(len(table))},
		XML:          format.ResourceHeader{PackedSize: uint64(len(xml)), Flags: format.ResMetadata, Off: uint64(xmlOff), Size: uint64(len(xml))},
		BootMetadata: boot,
		BootIndex:    a.Boot,
		Integrity:    integrity,
	}
	copy(h.Magic[:], format.Magic)
	for i := range h.GUID {
		h.GUID[i] = a.GUID
	}
	copy(out, h.Append(nil))
	return out
}

// document returns the XML document. In a.XML, it replaces TOTALBYTES_HERE by the document's own offset.
func (a *HandArchive) document(total int64) string {
	if a.XML != "" {
		return strings.ReplaceAll(a.XML, "TOTALBYTES_HERE", fmt.Sprint(total))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<WIM><TOTALBYTES>%d</TOTALBYTES>", total)
	n := int(a.Images)
	if n == 0 {
		for _, m := range a.Metadata {
			if m.RefCount != 0 {
				n++
			}
		}
	}
	for i := range n {
		name := fmt.Sprintf("hand-made %d", i+1)
		if i < len(a.ImageNames) {
			name = a.ImageNames[i]
		}
		fmt.Fprintf(&b, `<IMAGE INDEX="%d"><DIRCOUNT>1</DIRCOUNT><FILECOUNT>1</FILECOUNT><TOTALBYTES>0</TOTALBYTES>`+
			`<CREATIONTIME><HIGHPART>0x01DA9F84</HIGHPART><LOWPART>0x10000000</LOWPART></CREATIONTIME><NAME>%s</NAME></IMAGE>`, i+1, name)
	}
	b.WriteString("</WIM>")
	return b.String()
}

// utf16Text returns text as XML documents are stored: UTF-16LE after a byte order mark.
func utf16Text(s string) []byte {
	return append([]byte{0xFF, 0xFE}, utf16Bytes(utf16.Encode([]rune(s)))...)
}
