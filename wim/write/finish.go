package write

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/xmldoc"
)

var le = binary.LittleEndian

// Report summarizes what was written.
type Report struct {
	Size     int64                 // bytes of the archive, all parts together
	Parts    []int64               // bytes of each part
	Contents int                   // blobs written
	Bytes    int64                 // unpacked bytes of all blobs, each counted once
	Packed   int64                 // packed bytes of all blobs
	Skipped  []*shard.ContentError // contents that were left out, see Plan.Skip
	Large    []LargePart           // parts of a split set that exceed the requested size
}

// endedPart is a part that is complete except for its header.
type endedPart struct {
	writeOut
	h   format.Header
	end int64 // size of the part; a pipable one has its header there
}

// header returns the header of the current part, without the fields that are only known at the end.
func (f *output) header() format.Header {
	h := format.Header{
		Size: format.HeaderSize, Version: format.Version113, GUID: f.o.GUID, PartNumber: uint16(f.part), TotalParts: 1,
		ImageCount: uint32(len(f.shown)), BootIndex: uint32(f.boot), ChunkSize: uint32(f.o.ChunkSize),
	}
	copy(h.Magic[:], format.Magic)
	if f.o.Pipable {
		copy(h.Magic[:], format.MagicPipable)
	}
	if f.fixup {
		h.Flags |= format.FlagReparseFixup
	}
	switch f.o.Codec {
	case format.XPRESS:
		h.Flags |= format.FlagCompression | format.FlagXPRESS
	case format.LZX:
		h.Flags |= format.FlagCompression | format.FlagLZX
	case format.LZMS:
		h.Flags |= format.FlagCompression | format.FlagLZMS
	}
	switch f.o.Only {
	case OnlyContents:
		h.Flags |= format.FlagResourceOnly
	case OnlyMetadata:
		h.Flags |= format.FlagMetadataOnly
	}
	if f.partSize > 0 {
		h.Flags |= format.FlagSpanned
		h.BootIndex = 0
	}
	if f.o.Solid || f.o.Codec == format.LZMS {
		h.Version = format.Version014
	}
	if f.base != nil { // other fields and flags of the old header stay, even unknown ones
		old := f.base.Store().FirstPart().Header
		h.Flags = old.Flags&^format.FlagReparseFixup | h.Flags&format.FlagReparseFixup
		h.ChunkSize, h.Unused = old.ChunkSize, old.Unused
		if !f.o.Solid {
			h.Version = old.Version
		}
	}
	return h
}

// flags returns the flags of the content's own resource.
func (c *content) flags() (f uint8) {
	if !c.stored {
		f |= format.ResCompressed
	}
	if c.meta {
		f |= format.ResMetadata
	}
	return f
}

// resourceHeader returns the header of the content's own resource.
func (c *content) resourceHeader() format.ResourceHeader {
	return format.ResourceHeader{PackedSize: uint64(c.packed), Flags: c.flags(), Off: uint64(c.off), Size: uint64(c.size)}
}

// blobTable returns the blob table of the current part: metadata resources in the order of images, then solid resources with
// their blobs, then all other blobs by their place.
func (f *output) blobTable() []byte {
	b := make([]byte, 0, (len(f.inv.contents)+len(f.inv.solids))*format.BlobEntrySize)
	entry := func(r format.ResourceHeader, refs uint32, hash format.Hash) {
		b = format.BlobEntry{Resource: r, Part: uint16(f.part), RefCount: refs, Hash: hash}.Append(b)
	}
	if f.part == 1 {
		for _, id := range f.inv.metas {
			entry(f.inv.contents[id].resourceHeader(), 1, f.inv.contents[id].hash)
		}
	}
	var solid, alone []int32
	used := make([]bool, len(f.inv.solids))
	for i := range f.inv.contents {
		switch c := &f.inv.contents[i]; {
		case c.same != written || c.meta || int(c.part) != f.part:
		case c.solid >= 0:
			solid = append(solid, int32(i))
			used[c.solid] = true
		default:
			alone = append(alone, int32(i))
		}
	}
	bases := make([]int64, len(f.inv.solids))
	sum := int64(0)
	for i := range f.inv.solids {
		if s := &f.inv.solids[i]; used[i] {
			bases[i] = sum
			sum += s.size
			entry(format.ResourceHeader{PackedSize: uint64(s.packed), Flags: format.ResSolid, Off: uint64(s.off), Size: format.SolidMagicSize}, 1, format.Hash{})
		}
	}
	place := func(c *content) int64 {
		if c.solid >= 0 {
			return bases[c.solid] + c.off
		}
		return c.off
	}
	byPlace := func(x, y int32) int {
		return cmp.Or(cmp.Compare(place(&f.inv.contents[x]), place(&f.inv.contents[y])), cmp.Compare(x, y))
	}
	slices.SortFunc(solid, byPlace)
	slices.SortFunc(alone, byPlace)
	for _, id := range solid {
		c := &f.inv.contents[id]
		entry(format.ResourceHeader{PackedSize: uint64(c.size), Flags: format.ResSolid, Off: uint64(place(c))}, c.refs, c.hash)
	}
	for _, id := range alone {
		entry(f.inv.contents[id].resourceHeader(), f.inv.contents[id].refs, f.inv.contents[id].hash)
	}
	return b
}

// xml returns the XML document of a part. total is the offset at which it will be written, which the document's TOTALBYTES
// element holds; -1 if not known.
func (f *output) xml(total int64) []byte {
	nodes := f.elements()
	for k, i := range f.shown {
		if im := &f.images[i]; im.draft != nil {
			nodes[k].SetStats(im.draft.Stats(), im.created, im.modified)
		}
	}
	return xmldoc.New(f.doc, nodes, total).AppendUTF16(nil)
}

// endPart writes the end of the current part except for its header: blob table, XML document, integrity table.
func (f *output) endPart() error {
	h := f.header()
	own := func(n int, off int64) format.ResourceHeader {
		return format.ResourceHeader{PackedSize: uint64(n), Flags: format.ResMetadata, Off: uint64(off), Size: uint64(n)}
	}
	out := &f.out
	old := format.Header{}
	if f.unchanged {
		old = f.base.Store().FirstPart().Header
		h.BlobTable = old.BlobTable
	} else {
		table := f.blobTable()
		off, err := f.piped(table)
		if err != nil {
			return err
		}
		h.BlobTable = own(len(table), off)
	}
	sums := out.sum
	out.sum = nil // what follows is not covered
	if h.XML = old.XML; !f.unchanged || !f.sameXML() {
		at := out.off
		if f.o.Pipable {
			at += format.PipableBlobHeaderSize
		}
		xml := f.xml(at)
		off, err := f.piped(xml)
		if err != nil {
			return err
		}
		h.XML = own(len(xml), off)
	}
	if h.Integrity = old.Integrity; sums == nil {
		h.Integrity = format.ResourceHeader{}
	} else if !f.unchanged || f.base.Store().FirstPart().Integrity == nil {
		if f.unchanged {
			part := f.base.Store().FirstPart()
			_, to := part.Covered()
			if err := sums.read(part, format.HeaderSize, to); err != nil {
				return err
			}
		}
		t := sums.table().Append(nil)
		h.Integrity = format.ResourceHeader{PackedSize: uint64(len(t)), Off: uint64(out.off), Size: uint64(len(t))}
		if err := out.append(t); err != nil {
			return err
		}
	}
	if h.BootIndex > 0 {
		h.BootMetadata = f.bootMetadata()
	}
	end := out.off
	if f.unchanged {
		end = f.lastByte(&h)
	}
	f.ended = append(f.ended, endedPart{*out, h, end})
	return nil
}

// bootMetadata returns the resource header of the boot image's metadata, or a zero one if there is no boot image.
func (f *output) bootMetadata() format.ResourceHeader {
	if f.boot == 0 {
		return format.ResourceHeader{}
	}
	return f.inv.contents[f.inv.metas[f.boot-1]].resourceHeader()
}

// lastByte returns the size of an archive of which only the XML document changed. It may be shorter than before, if an
// integrity table at its end was dropped.
func (f *output) lastByte(h *format.Header) int64 {
	size := f.base.Store().FirstPart().Size
	if f.out.off > size || f.base.Store().FirstPart().Trailing > 0 || h.Integrity.PackedSize > 0 {
		return f.out.off
	}
	end := int64(0)
	for _, r := range []format.ResourceHeader{h.BlobTable, h.XML} {
		e, _ := blobs.ResourceEnd(r)
		end = max(end, e)
	}
	old, _ := blobs.ResourceEnd(f.base.Store().FirstPart().Header.Integrity)
	if old < size || end > int64(f.base.Store().FirstPart().Header.Integrity.Off) {
		return size // the integrity table was not at the end
	}
	return end
}

// sameXML reports whether the XML document of the archive that is changed in place can stay.
func (f *output) sameXML() bool {
	h := f.base.Store().FirstPart().Header
	if h.XML.Flags&format.ResCompressed != 0 {
		return false
	}
	b, err := f.base.RawXML()
	return err == nil && bytes.Equal(b, f.xml(blobs.ClampSize(h.XML.Off)))
}

// Finish writes the end of the archive when all stages are done: blob table, XML document, integrity table, and last the
// header, which makes the file a valid archive.
func (p *Plan) Finish() (*Report, error) {
	if len(p.stages) > 0 || p.merged != len(p.list.shards) || !p.file.begun {
		return nil, errors.New("wim: not all stages are finished")
	}
	r := &Report{Skipped: p.skipped}
	for i := range p.inv.contents {
		c := &p.inv.contents[i]
		if c.same == written && c.part == 0 {
			return nil, fmt.Errorf("wim: blob %v was not written: %w", c.hash, shard.ErrShard)
		}
		if c.meta {
			c.rare = nil // its bytes are in the archive
		}
		if c.same != written || c.meta {
			continue
		}
		r.Contents++
		r.Bytes += c.size
		if c.solid < 0 {
			r.Packed += c.packed
		}
	}
	for i := range p.inv.solids {
		r.Packed += p.inv.solids[i].packed
	}
	if err := p.file.endPart(); err != nil {
		return nil, err
	}
	// Everything else must be on the disk before a header is.
	for i := range p.file.ended {
		if err := p.file.ended[i].sync(); err != nil {
			return nil, err
		}
	}
	if p.base != nil && !p.compact {
		if err := p.asOpened(); err != nil {
			return nil, err
		}
	}
	p.file.sink = nil // Abort must do nothing from here on: a header may have been written even if its write failed
	for i := len(p.file.ended) - 1; i >= 0; i-- {
		e := &p.file.ended[i]
		if e.h.TotalParts = uint16(len(p.file.ended)); len(p.file.ended) == 1 && p.partSize > 0 {
			e.h.Flags &^= format.FlagSpanned
			e.h.BootIndex, e.h.BootMetadata = uint32(p.boot), p.file.bootMetadata()
		}
		b := e.h.Append(nil)
		if p.o.Pipable {
			if err := e.put(b, e.end); err != nil {
				return nil, err
			}
			e.end += int64(len(b))
		}
		if p.o.Pipable && p.partSize > 0 {
			front := e.h
			front.BlobTable, front.XML, front.BootMetadata, front.Integrity = format.ResourceHeader{}, format.ResourceHeader{}, format.ResourceHeader{}, format.ResourceHeader{}
			b = front.Append(nil)
		}
		if !p.o.Pipable || p.partSize > 0 {
			if err := e.put(b, 0); err != nil {
				return nil, err
			}
		}
		if err := e.sync(); err != nil {
			return nil, err
		}
		r.Size += e.end
		if p.base != nil {
			e.far = max(e.far, p.base.Store().FirstPart().Size)
		}
	}
	for i := range p.file.ended {
		if e := &p.file.ended[i]; e.far > e.end {
			if err := e.truncate(e.end); err != nil {
				return nil, err
			}
		}
	}
	for i := range p.file.ended {
		r.Parts = append(r.Parts, p.file.ended[i].end)
	}
	r.Large = p.largeParts(r.Parts)
	return r, nil
}

// Abort stops writing. What was appended to an archive in place is cut off again, if the sink supports it. A new file
// remains, for the caller to remove.
func (p *Plan) Abort() error {
	if p.file.sink == nil || !p.file.begun || p.base == nil || p.compact || p.file.out.w == nil {
		return nil
	}
	p.file.sink = nil
	return p.file.out.truncate(p.base.Store().FirstPart().Size)
}
