package blobs

import (
	"wimscope/wim/format"
)

// RegionKind is what a region holds.
type RegionKind string

const (
	RegionHeader    RegionKind = "header"
	RegionMetadata  RegionKind = "metadata"
	RegionData      RegionKind = "data"  // blobs with resources of their own
	RegionSolid     RegionKind = "solid" // solid resources
	RegionTable     RegionKind = "table"
	RegionXML       RegionKind = "xml"
	RegionIntegrity RegionKind = "integrity"
	RegionUnused    RegionKind = "unused" // nothing refers to it
)

// Region is a range of bytes of a part.
type Region struct {
	Part int // index into Store.Parts
	Off  int64
	Len  int64
	Kind RegionKind
}

// Regions reports what each byte of each part belongs to. The regions are sorted by part and offset, without gaps or overlaps; adjacent
// ones of one kind are joined. Where resources overlap, the bytes belong to the one that starts first.
func (a *Store) Regions() []Region {
	var out []Region
	for i := range a.NParts {
		p := &a.Parts[i]
		list := a.extents(i)
		out = appendTiles(out, i, list, p.Size)
	}
	return out
}

// extent is a range of bytes that a structure occupies. Extents may overlap.
type extent struct {
	off, end int64 // within the part
	kind     extentKind
}

// extentKind is a RegionKind in a byte, because there are as many extents as blobs.
type extentKind uint8

const (
	extHeader extentKind = iota
	extMetadata
	extData
	extSolid
	extTable
	extXML
	extIntegrity
	extUnused
)

func (k extentKind) region() RegionKind {
	switch k {
	case extHeader:
		return RegionHeader
	case extMetadata:
		return RegionMetadata
	case extData:
		return RegionData
	case extSolid:
		return RegionSolid
	case extTable:
		return RegionTable
	case extXML:
		return RegionXML
	case extIntegrity:
		return RegionIntegrity
	}
	return RegionUnused
}

// extents returns what part i is known to hold, in no particular order.
func (a *Store) extents(i int) []extent {
	p := &a.Parts[i]
	src := int32(i)
	list := make([]extent, 0, a.NBlobs/a.NParts+len(a.Metas)+16)
	add := func(off, n int64, kind extentKind) {
		if off >= 0 && n > 0 && off < p.Size {
			list = append(list, extent{off, off + min(n, p.Size-off), kind})
		}
	}
	// Each resource of a pipable archive follows a small header of its own.
	front, behind := int64(0), p.Size
	if p.Header.Pipable() {
		front, behind = format.PipableBlobHeaderSize, format.HeaderSize+format.PipableBlobHeaderSize
	}
	resource := func(off, packed int64, kind extentKind) {
		if packed > 0 && off >= behind {
			off, packed = off-front, packed+front
		}
		add(off, packed, kind)
	}
	header := func(r format.ResourceHeader, kind extentKind) {
		resource(ClampSize(r.Off), ClampSize(r.PackedSize), kind)
	}
	add(0, format.HeaderSize, extHeader)
	add(p.HeaderOff, format.HeaderSize, extHeader)
	add(format.HeaderSize, p.frontXML, extXML)
	header(p.Header.BlobTable, extTable)
	header(p.Header.XML, extXML)
	header(p.Header.Integrity, extIntegrity)
	for i := range a.Metas {
		if m := &a.Metas[i]; m.Src == src {
			resource(m.Off, m.Packed, extMetadata)
		}
	}
	for i := range a.Solids {
		if s := &a.Solids[i]; s.Src == src {
			add(s.Off, s.Packed, extSolid)
		}
	}
	for i := range a.Own() {
		if b := &a.Records[i]; b.Run < 0 && b.Src == src {
			resource(b.Off, b.Packed, extData)
		}
	}
	// Usually the same as the metadata resource of an image.
	header(p.Header.BootMetadata, extMetadata)
	return list
}

// appendTiles appends regions that cover a part of the given size exactly once. Of extents that start at the same offset the first in
// the list takes precedence.
func appendTiles(out []Region, src int, list []extent, size int64) []Region {
	begin := len(out)
	put := func(off, n int64, kind extentKind) {
		if last := len(out) - 1; last >= begin && out[last].Kind == kind.region() {
			out[last].Len += n
			return
		}
		out = append(out, Region{src, off, n, kind.region()})
	}
	at, kind := int64(0), extUnused // end and kind of the current region, which is still empty
	from := int64(0)                // its start
	for _, k := range byOffset(list) {
		e := &list[k]
		switch {
		case e.end <= at:
		case e.off <= at && e.kind == kind: // the usual case
			at = e.end
		default:
			if at > from {
				put(from, at-from, kind)
			}
			if e.off > at {
				put(at, e.off-at, extUnused)
				at = e.off
			}
			from, at, kind = at, e.end, e.kind
		}
	}
	if at > from {
		put(from, at-from, kind)
	}
	if at < size {
		put(at, size-at, extUnused)
	}
	return out
}

// byOffset returns the indexes of the extents, stably sorted by offset. It is a radix sort: comparing hundreds of thousands takes
// five times as long.
func byOffset(list []extent) []uint32 {
	order := make([]uint32, len(list))
	sorted, all := true, int64(0)
	for i := range list {
		order[i] = uint32(i)
		off := list[i].off
		all |= off
		sorted = sorted && (i == 0 || off >= list[i-1].off)
	}
	if sorted {
		return order
	}
	const bits = 11
	next := make([]uint32, len(list))
	var count []uint32
	for shift := 0; all>>shift != 0; shift += bits {
		count = append(count[:0], make([]uint32, 1<<bits)...)
		for i := range list {
			count[list[i].off>>shift&(1<<bits-1)]++
		}
		sum := uint32(0)
		for d, n := range count {
			count[d] = sum
			sum += n
		}
		for _, k := range order {
			d := list[k].off >> shift & (1<<bits - 1)
			next[count[d]] = k
			count[d]++
		}
		order, next = next, order
	}
	return order
}
