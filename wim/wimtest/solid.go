package wimtest

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"

	"wimscope/wim/format"
)

// PackedSolid returns a solid resource of a codec with the given packed chunks, which may be invalid.
func PackedSolid(codec uint32, size, chunk int64, chunks ...[]byte) []byte {
	b := format.SolidHeader{Size: uint64(size), ChunkSize: uint32(chunk), Codec: codec}.Append(nil)
	for _, c := range chunks {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(c)))
	}
	return append(b, bytes.Join(chunks, nil)...)
}

// LinksInSolid returns an archive with n symbolic links whose data, 32 bytes each, are in a solid resource: step bytes apart, every
// second one half bytes further on. data returns the unpacked bytes of the resource, for correct hashes; nil uses made-up hashes.
func LinksInSolid(resource []byte, n int, step, half int64, data func(off, size int64) []byte) []byte {
	h := &HandArchive{Version: format.Version014, Flags: format.FlagCompression | format.FlagLZMS, Unused: resource}
	add := func(r format.ResourceHeader, hash [20]byte) {
		r.Flags = format.ResSolid
		h.Extra = append(h.Extra, format.BlobEntry{Resource: r, Part: 1, RefCount: 1, Hash: hash}.Append(nil))
	}
	add(format.ResourceHeader{Off: format.HeaderSize, PackedSize: uint64(len(resource)), Size: format.SolidMagicSize}, [20]byte{})
	root := Folder("")
	const size = 32
	for i := range n {
		off := int64(i)*step + int64(i%2)*half
		var hash [20]byte
		binary.LittleEndian.PutUint32(hash[:], uint32(i+1))
		if data != nil {
			hash = sha1.Sum(data(off, size))
		}
		add(format.ResourceHeader{Off: uint64(off), PackedSize: size}, hash)
		root.Children = append(root.Children, &HandEntry{Name: fmt.Sprintf("link%06d", i), Attrs: 0x400, Tag: TagSymlink, Hash: hash})
	}
	h.Metadata = []HandMeta{{Data: HandMetadata(root, nil), RefCount: 1}}
	return h.Bytes()
}

// LargeClaim returns an LZMS archive with chunks of 1 GiB and a file that claims to have size bytes, packed to the given ones.
func LargeClaim(packed []byte, size int64) []byte {
	hash := [20]byte{9}
	h := One(Folder("", &HandEntry{Name: "large", Hash: hash}, TextFile("text", "text")))
	h.Flags, h.ChunkSize, h.Unused = format.FlagCompression|format.FlagLZMS, 1<<30, packed
	r := format.ResourceHeader{Off: format.HeaderSize, PackedSize: uint64(len(packed)), Size: uint64(size), Flags: format.ResCompressed}
	h.Extra = [][]byte{format.BlobEntry{Resource: r, Part: 1, RefCount: 1, Hash: hash}.Append(nil)}
	return h.Bytes()
}
