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

// Report is what was written.
type Report struct {
	Size     int64   // bytes of the archive, of all its parts
	Parts    []int64 // bytes of each part
	Contents int
	Bytes    int64                 // unpacked, of all contents, each once
	Packed   int64                 // what they take
	Skipped  []*shard.ContentError // contents that were left out, see Plan.Skip
	Large    []LargePart           // parts of a split set that exceed the requested size
}

// endedPart is a part that is complete but for its header.
type endedPart struct {
	writeOut
	h   format.Header
	end int64 // of the part; a pipable one has its header there
}

// header makes the header of the part at hand but for what is known at the end.
func (p *Plan) header() format.Header {
	h := format.Header{
		Size: format.HeaderSize, Version: format.Version113, GUID: p.o.GUID, PartNumber: uint16(p.part), TotalParts: 1,
		ImageCount: uint32(len(p.shown)), BootIndex: uint32(p.boot), ChunkSize: uint32(p.o.ChunkSize),
	}
	copy(h.Magic[:], format.Magic)
	if p.o.Pipable {
		copy(h.Magic[:], format.MagicPipable)
	}
	if p.fixup {
		h.Flags |= format.FlagReparseFixup
	}
	switch p.o.Codec {
	case format.XPRESS:
		h.Flags |= format.FlagCompression | format.FlagXPRESS
	case format.LZX:
		h.Flags |= format.FlagCompression | format.FlagLZX
	case format.LZMS:
		h.Flags |= format.FlagCompression | format.FlagLZMS
	}
	switch p.o.Only {
	case OnlyContents:
		h.Flags |= format.FlagResourceOnly
	case OnlyMetadata:
		h.Flags |= format.FlagMetadataOnly
	}
	if p.partSize > 0 {
		h.Flags |= format.FlagSpanned
		h.BootIndex = 0
	}
	if p.o.Solid || p.o.Codec == format.LZMS {
		h.Version = format.Version014
	}
	if p.base != nil { // what is there stays as it is, known or not
		old := p.base.Store().FirstPart().Header
		h.Flags = old.Flags&^format.FlagReparseFixup | h.Flags&format.FlagReparseFixup
		h.ChunkSize, h.Unused = old.ChunkSize, old.Unused
		if !p.o.Solid {
			h.Version = old.Version
		}
	}
	return h
}

// flags are those of the resource of a content that stands alone.
func (c *packContent) flags() (f uint8) {
	if !c.stored {
		f |= format.ResCompressed
	}
	if c.meta {
		f |= format.ResMetadata
	}
	return f
}

// resourceHeader tells where a content stands alone.
func (c *packContent) resourceHeader() format.ResourceHeader {
	return format.ResourceHeader{PackedSize: uint64(c.packed), Flags: c.flags(), Off: uint64(c.off), Size: uint64(c.size)}
}

// blobTable makes the blob table of the part at hand: metadata resources in the order of images, solid resources with what
// is in them, all others as they lie.
func (p *Plan) blobTable() []byte {
	b := make([]byte, 0, (len(p.contents)+len(p.solids))*format.BlobEntrySize)
	entry := func(r format.ResourceHeader, refs uint32, hash format.Hash) {
		b = format.BlobEntry{Resource: r, Part: uint16(p.part), RefCount: refs, Hash: hash}.Append(b)
	}
	if p.part == 1 {
		for _, id := range p.metas {
			entry(p.contents[id].resourceHeader(), 1, p.contents[id].hash)
		}
	}
	var solid, alone []int32
	used := make([]bool, len(p.solids))
	for i := range p.contents {
		switch c := &p.contents[i]; {
		case c.same != written || c.meta || int(c.part) != p.part:
		case c.solid >= 0:
			solid = append(solid, int32(i))
			used[c.solid] = true
		default:
			alone = append(alone, int32(i))
		}
	}
	bases := make([]int64, len(p.solids))
	sum := int64(0)
	for i := range p.solids {
		if s := &p.solids[i]; used[i] {
			bases[i] = sum
			sum += s.size
			entry(format.ResourceHeader{PackedSize: uint64(s.packed), Flags: format.ResSolid, Off: uint64(s.off), Size: format.SolidMagicSize}, 1, format.Hash{})
		}
	}
	place := func(c *packContent) int64 {
		if c.solid >= 0 {
			return bases[c.solid] + c.off
		}
		return c.off
	}
	byPlace := func(x, y int32) int {
		return cmp.Or(cmp.Compare(place(&p.contents[x]), place(&p.contents[y])), cmp.Compare(x, y))
	}
	slices.SortFunc(solid, byPlace)
	slices.SortFunc(alone, byPlace)
	for _, id := range solid {
		c := &p.contents[id]
		entry(format.ResourceHeader{PackedSize: uint64(c.size), Flags: format.ResSolid, Off: uint64(place(c))}, c.refs, c.hash)
	}
	for _, id := range alone {
		entry(p.contents[id].resourceHeader(), p.contents[id].refs, p.contents[id].hash)
	}
	return b
}

// elements returns copies of the IMAGE elements of the images that are written.
func (p *Plan) elements() []*xmldoc.Node {
	nodes := make([]*xmldoc.Node, len(p.shown))
	for k, i := range p.shown {
		nodes[k] = p.images[i].node.Clone()
	}
	return nodes
}

// xml makes the XML document of a part. total is where it will stand in it; -1: that is not known.
func (p *Plan) xml(total int64) []byte {
	nodes := p.elements()
	for k, i := range p.shown {
		if im := &p.images[i]; im.draft != nil {
			nodes[k].SetStats(im.draft.Stats(), im.created, im.modified)
		}
	}
	return xmldoc.New(p.doc, nodes, total).AppendUTF16(nil)
}

// endPart writes what describes the part at hand, but for its header: blob table, XML document, integrity table.
func (p *Plan) endPart() error {
	h := p.header()
	own := func(n int, off int64) format.ResourceHeader {
		return format.ResourceHeader{PackedSize: uint64(n), Flags: format.ResMetadata, Off: uint64(off), Size: uint64(n)}
	}
	out := &p.out
	old := format.Header{}
	if p.unchanged {
		old = p.base.Store().FirstPart().Header
		h.BlobTable = old.BlobTable
	} else {
		table := p.blobTable()
		off, err := p.piped(table)
		if err != nil {
			return err
		}
		h.BlobTable = own(len(table), off)
	}
	sums := out.sum
	out.sum = nil // what follows is not covered
	if h.XML = old.XML; !p.unchanged || !p.sameXML() {
		at := out.off
		if p.o.Pipable {
			at += format.PipableBlobHeaderSize
		}
		xml := p.xml(at)
		off, err := p.piped(xml)
		if err != nil {
			return err
		}
		h.XML = own(len(xml), off)
	}
	if h.Integrity = old.Integrity; sums == nil {
		h.Integrity = format.ResourceHeader{}
	} else if !p.unchanged || p.base.Store().FirstPart().Integrity == nil {
		if p.unchanged {
			part := p.base.Store().FirstPart()
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
		h.BootMetadata = p.bootMetadata()
	}
	end := out.off
	if p.unchanged {
		end = p.lastByte(&h)
	}
	p.ended = append(p.ended, endedPart{*out, h, end})
	return nil
}

// bootMetadata tells where the metadata of the image to boot from is, nowhere if there is none.
func (p *Plan) bootMetadata() format.ResourceHeader {
	if p.boot == 0 {
		return format.ResourceHeader{}
	}
	return p.contents[p.metas[p.boot-1]].resourceHeader()
}

// lastByte is where the archive ends of which only what is said of images changed: an integrity table at its end may have
// been dropped.
func (p *Plan) lastByte(h *format.Header) int64 {
	size := p.base.Store().FirstPart().Size
	if p.out.off > size || p.base.Store().FirstPart().Trailing > 0 || h.Integrity.PackedSize > 0 {
		return p.out.off
	}
	end := int64(0)
	for _, r := range []format.ResourceHeader{h.BlobTable, h.XML} {
		e, _ := blobs.ResourceEnd(r)
		end = max(end, e)
	}
	old, _ := blobs.ResourceEnd(p.base.Store().FirstPart().Header.Integrity)
	if old < size || end > int64(p.base.Store().FirstPart().Header.Integrity.Off) {
		return size // it was not the last
	}
	return end
}

// sameXML says that the XML document of the archive that is changed in place can stay as it is.
func (p *Plan) sameXML() bool {
	h := p.base.Store().FirstPart().Header
	if h.XML.Flags&format.ResCompressed != 0 {
		return false
	}
	b, err := p.base.RawXML()
	return err == nil && bytes.Equal(b, p.xml(blobs.Clamp(h.XML.Off)))
}

// Finish writes what describes the archive, once all stages are done: blob table, XML document, integrity table, and the
// header, which makes it one.
func (p *Plan) Finish() (*Report, error) {
	if len(p.stages) > 0 || p.merged != len(p.shards) || !p.begun {
		return nil, errors.New("wim: writing is not finished")
	}
	r := &Report{Skipped: p.skipped}
	for i := range p.contents {
		c := &p.contents[i]
		if c.same == written && c.part == 0 {
			return nil, fmt.Errorf("wim: content %v was not written: %w", c.hash, shard.ErrShard)
		}
		if c.meta {
			c.rare = nil // all of its bytes are in the archive
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
	for i := range p.solids {
		r.Packed += p.solids[i].packed
	}
	if err := p.endPart(); err != nil {
		return nil, err
	}
	// All else has to be on the disk before a header is.
	for i := range p.ended {
		if err := p.ended[i].sync(); err != nil {
			return nil, err
		}
	}
	if p.base != nil && !p.compact {
		if err := p.asOpened(); err != nil {
			return nil, err
		}
	}
	p.sink = nil // from here on there is nothing to take back: a header may be there though writing it failed
	for i := len(p.ended) - 1; i >= 0; i-- {
		e := &p.ended[i]
		if e.h.TotalParts = uint16(len(p.ended)); len(p.ended) == 1 && p.partSize > 0 {
			e.h.Flags &^= format.FlagSpanned
			e.h.BootIndex, e.h.BootMetadata = uint32(p.boot), p.bootMetadata()
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
	for i := range p.ended {
		if e := &p.ended[i]; e.far > e.end {
			if err := e.truncate(e.end); err != nil {
				return nil, err
			}
		}
	}
	for i := range p.ended {
		r.Parts = append(r.Parts, p.ended[i].end)
	}
	r.Large = p.largeParts(r.Parts)
	return r, nil
}

// Abort gives up writing. What was added to an archive in place is cut off again, if the sink can do that; a new file is the
// caller's to remove.
func (p *Plan) Abort() error {
	if p.sink == nil || !p.begun || p.base == nil || p.compact || p.out.w == nil {
		return nil
	}
	p.sink = nil
	return p.out.truncate(p.base.Store().FirstPart().Size)
}
