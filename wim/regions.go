package wim

import (
	"cmp"
	"slices"

	"wimscope/wim/internal/format"
)

// RegionKind says what lies in a region.
type RegionKind string

const (
	RegionHeader    RegionKind = "header"
	RegionMetadata  RegionKind = "metadata"
	RegionData      RegionKind = "data"  // contents with resources of their own
	RegionSolid     RegionKind = "solid" // solid resources
	RegionTable     RegionKind = "table"
	RegionXML       RegionKind = "xml"
	RegionIntegrity RegionKind = "integrity"
	RegionUnused    RegionKind = "unused" // nothing refers to it
)

// Region is a run of bytes of a part.
type Region struct {
	Part int // index into Info().Parts
	Off  int64
	Len  int64
	Kind RegionKind
}

// Regions tells what each byte of each part is for: part by part in their order, without gap or overlap, neighbours
// of one kind joined. Where resources overlap, the one that starts first has the bytes.
func (a *Archive) Regions() []Region {
	lists := make([][]Region, a.nParts)
	add := func(src int32, off, n int64, kind RegionKind) {
		if int(src) >= a.nParts {
			return
		}
		size := a.parts[src].Size
		if off < 0 || n <= 0 || off >= size {
			return
		}
		lists[src] = append(lists[src], Region{int(src), off, min(n, size-off), kind})
	}
	// Each resource of a pipable archive stands after a small header of its own.
	before := func(src int32, off int64) int64 {
		if int(src) < a.nParts && a.parts[src].hdr.Pipable() && off >= format.HeaderSize+format.PipableBlobHeaderSize {
			return format.PipableBlobHeaderSize
		}
		return 0
	}
	resource := func(src int32, off, packed int64, kind RegionKind) {
		if packed > 0 {
			k := before(src, off)
			add(src, off-k, packed+k, kind)
		}
	}
	header := func(src int32, r format.ResourceHeader, kind RegionKind) {
		resource(src, clampInt64(r.Off), clampInt64(r.PackedSize), kind)
	}
	for i := range a.nParts {
		p := &a.parts[i]
		src := int32(i)
		add(src, 0, format.HeaderSize, RegionHeader)
		add(src, p.hdrOff, format.HeaderSize, RegionHeader)
		add(src, format.HeaderSize, p.frontXML, RegionXML)
		header(src, p.hdr.BlobTable, RegionTable)
		header(src, p.hdr.XML, RegionXML)
		header(src, p.hdr.Integrity, RegionIntegrity)
	}
	for i := range a.metas {
		m := &a.metas[i]
		resource(m.src, m.off, m.packed, RegionMetadata)
	}
	for i := range a.solids {
		s := &a.solids[i]
		add(s.src, s.off, s.packed, RegionSolid)
	}
	for i := range a.blobs[:a.nBlobs] {
		b := &a.blobs[i]
		if b.run < 0 {
			resource(b.src, b.off, b.packed, RegionData)
		}
	}
	// The bootable image's metadata resource is that of an image, as a rule.
	for i := range a.nParts {
		header(int32(i), a.parts[i].hdr.BootMetadata, RegionMetadata)
	}
	var out []Region
	for i, list := range lists {
		out = appendTiles(out, i, list, a.parts[i].Size)
	}
	return out
}

// appendTiles makes regions that cover a part of that size exactly once.
func appendTiles(out []Region, src int, list []Region, size int64) []Region {
	slices.SortStableFunc(list, func(x, y Region) int { return cmp.Compare(x.Off, y.Off) })
	begin := len(out)
	put := func(off, n int64, kind RegionKind) {
		if last := len(out) - 1; last >= begin && out[last].Kind == kind {
			out[last].Len += n
			return
		}
		out = append(out, Region{src, off, n, kind})
	}
	at := int64(0)
	for _, r := range list {
		end := r.Off + r.Len
		if end <= at {
			continue
		}
		if r.Off > at {
			put(at, r.Off-at, RegionUnused)
			at = r.Off
		}
		put(at, end-at, r.Kind)
		at = end
	}
	if at < size {
		put(at, size-at, RegionUnused)
	}
	return out
}
