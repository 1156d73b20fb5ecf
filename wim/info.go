package wim

import (
	"encoding/hex"
	"slices"

	"wimscope/wim/format"
)

// Info is an archive as a whole.
type Info struct {
	GUID           string // 32 hexadecimal digits, in the order of the file
	Version        string // "1.13" or "0.14"
	RawVersion     uint32
	Flags          []string // names of the header's set flags
	RawFlags       uint32
	Codec          format.Codec // of resources that are not solid
	ChunkSize      int64        // 0 if Codec is None
	Solid          bool         // there are solid resources
	SolidCodec     format.Codec // of the first one
	SolidChunkSize int64
	Pipable        bool
	ReadOnly       bool       // by the header's flag
	Parts          []PartInfo // in the order of Open: where other things hold the number of a part, they count from here
	First          int        // index in Parts of part number 1
	References     []PartInfo // they count on from Parts
	TotalParts     int
	Missing        []int // numbers of the parts that were not given
	BootIndex      int   // 0: none
	Images         int
	Blobs          int
	BlobBytes      int64    // unpacked
	PackedBytes    int64    // as stored, solid resources included
	Warnings       []string // found when opening, Losses included
	Losses         []Loss   // found when opening
}

// PartInfo is one file.
type PartInfo struct {
	Name      string
	Number    int // from 1
	Size      int64
	Integrity bool  // it has an integrity table that makes sense
	Trailing  int64 // bytes at its end that belong to nothing, as an append that was cut leaves them; of references not told
}

// Info tells about the archive as a whole. Numbers are of the parts, references not counted.
func (a *Archive) Info() *Info {
	p := a.st.FirstPart()
	h := &p.Header
	info := &Info{
		GUID: hex.EncodeToString(h.GUID[:]), Version: format.VersionText(h.Version), RawVersion: h.Version,
		Flags: h.FlagNames(), RawFlags: h.Flags, Codec: p.Codec, Pipable: h.Pipable(),
		ReadOnly: h.Flags&format.FlagReadOnly != 0, First: a.st.FirstPart().Index, TotalParts: a.st.Total, Missing: a.st.Missing,
		BootIndex: int(h.BootIndex), Images: len(a.images), Blobs: a.st.NBlobs, Warnings: a.told(), Losses: a.losses,
	}
	if p.Codec != format.None {
		info.ChunkSize = int64(h.ChunkSize)
	}
	for i := range a.st.Parts {
		q := PartInfo{Name: a.st.Parts[i].Name, Number: int(a.st.Parts[i].Header.PartNumber), Size: a.st.Parts[i].Size, Integrity: a.st.Parts[i].Integrity != nil}
		if i < a.st.NParts {
			q.Trailing = a.st.Parts[i].Trailing
			info.Parts = append(info.Parts, q)
		} else {
			info.References = append(info.References, q)
		}
	}
	for i := range a.st.Solids {
		s := &a.st.Solids[i]
		if int(s.Src) >= a.st.NParts {
			continue
		}
		if !info.Solid {
			info.Solid, info.SolidCodec, info.SolidChunkSize = true, s.Codec, s.ChunkSize
		}
		info.PackedBytes += s.Packed
	}
	for i := range a.st.Own() {
		info.BlobBytes += a.st.Records[i].Size
		info.PackedBytes += a.st.Records[i].Packed
	}
	return info
}

// told returns the losses and the harmless oddities that opening found.
func (a *Archive) told() []string {
	list := make([]string, 0, len(a.losses))
	for i := range a.losses {
		list = append(list, a.losses[i].String())
	}
	return append(list, a.Warnings()...)
}

// Warnings returns the faults that opening passed over, without the losses.
func (a *Archive) Warnings() []string { return slices.Concat(a.st.Warnings, a.warnings) }

// HeaderFields explains part 1's header, field by field.
func (a *Archive) HeaderFields() []format.Field { return a.st.FirstPart().Header.Fields() }
