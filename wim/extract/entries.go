package extract

import (
	"encoding/binary"
	"errors"
	"fmt"

	"wimscope/wim/format"
	"wimscope/wim/internal/wire"
)

// EntryKind is the type of an entry in an output.
type EntryKind uint8

const (
	EntryFile EntryKind = iota
	EntryDir
	EntrySymlink  // Target is its target, a path with slashes
	EntryHardLink // Target is the path of an earlier entry; a ZIP has no hard links and holds a copy
	EntrySpecial  // a device node, pipe or socket; only Rules create one
)

// Entry is one path of an output: of a ZIP, a TAR or a folder.
type Entry struct {
	Path     string // relative to the output, separated by slashes, without a leading slash; valid UTF-8
	Kind     EntryKind
	Target   string // EntrySymlink, EntryHardLink
	Size     int64  // bytes of an EntryFile, and of the file that an EntryHardLink names
	Modified format.Filetime
	Accessed format.Filetime
	Created  format.Filetime
	Attrs    uint32 // FILE_ATTRIBUTE bits
	Mode     uint32 // Unix permission bits, 0 if the archive holds none
	Marked   bool   // its blob is damaged: what could be read was written

	// With Options.Placing, instead of Path and the Target of an EntryHardLink; never encoded.
	At, First Place
}

// EntryPiece is a run of a segment's bytes that goes into each of its entries. A blob that is split into pieces lists its
// entries in the first one only.
type EntryPiece struct {
	Entries []Entry
	Off     int64 // offset in the blob, in bytes; 0 for the first piece
	Len     int64 // bytes in the segment
	Last    bool
	Drop    bool // with Last: the blob is damaged, and its entries are removed. SegmentMaker sets it; it is not encoded
}

// SegmentEntries lists where one shard's unpacked bytes go, piece by piece in their order. A piece of length 0 with Off 0
// and Last set makes folders, links and empty files.
type SegmentEntries []EntryPiece

var errEntries = errors.New("entries cut short or out of range")

const (
	pieceLast = 1 << 0
	entryMark = 1 << 7
	minEntry  = 1 + 1 + 1 + 1 + 8*3 + 4 + 4 // bytes of the shortest encoded entry
	minPiece  = 1 + 1 + 1 + 1
)

// AppendBinary appends the binary form, which ParseEntries reads, to b.
func (s SegmentEntries) AppendBinary(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	for i := range s {
		p := &s[i]
		flags := byte(0)
		if p.Last {
			flags = pieceLast
		}
		b = append(b, flags)
		b = binary.AppendUvarint(b, uint64(p.Off))
		b = binary.AppendUvarint(b, uint64(p.Len))
		b = binary.AppendUvarint(b, uint64(len(p.Entries)))
		for j := range p.Entries {
			e := &p.Entries[j]
			kind := byte(e.Kind)
			if e.Marked {
				kind |= entryMark
			}
			b = append(b, kind)
			b = wire.AppendText(b, e.Path)
			b = wire.AppendText(b, e.Target)
			b = binary.AppendUvarint(b, uint64(e.Size))
			b = binary.LittleEndian.AppendUint64(b, uint64(e.Modified))
			b = binary.LittleEndian.AppendUint64(b, uint64(e.Accessed))
			b = binary.LittleEndian.AppendUint64(b, uint64(e.Created))
			b = binary.LittleEndian.AppendUint32(b, e.Attrs)
			b = binary.LittleEndian.AppendUint32(b, e.Mode)
		}
	}
	return b
}

// ParseEntries reads the output of AppendBinary.
func ParseEntries(b []byte) (SegmentEntries, error) {
	c := wire.Cursor{B: b}
	all := string(b) // the texts are substrings of it
	text := func() string {
		n := c.Uvarint()
		at := uint64(len(b) - len(c.B))
		if c.Take(n) == nil {
			return ""
		}
		return all[at : at+n]
	}
	n := c.Count(minPiece)
	s := make(SegmentEntries, 0, n)
	for range n {
		var p EntryPiece
		p.Last = c.Byte()&pieceLast != 0
		p.Off, p.Len = c.Size(), c.Size()
		k := c.Count(minEntry)
		if k > 0 {
			p.Entries = make([]Entry, 0, k)
		}
		for range k {
			var e Entry
			kind := c.Byte()
			e.Kind, e.Marked = EntryKind(kind&^entryMark), kind&entryMark != 0
			if e.Kind > EntryHardLink {
				return nil, fmt.Errorf("entry kind %d: %w", e.Kind, errEntries)
			}
			e.Path, e.Target, e.Size = text(), text(), c.Size()
			e.Modified, e.Accessed, e.Created = format.Filetime(c.U64()), format.Filetime(c.U64()), format.Filetime(c.U64())
			e.Attrs, e.Mode = c.U32(), c.U32()
			p.Entries = append(p.Entries, e)
		}
		s = append(s, p)
	}
	if c.Bad || len(c.B) != 0 {
		return nil, errEntries
	}
	return s, nil
}
