package wim

import (
	"encoding/hex"
	"slices"

	"wimscope/wim/format"
)

// Info describes an archive as a whole.
type Info struct {
	GUID           string // 32 hexadecimal digits in file order
	Version        string // "1.13" or "0.14"
	RawVersion     uint32
	Flags          []string // names of the header's set flags
	RawFlags       uint32
	Codec          format.Codec // of resources that are not solid
	ChunkSize      int64        // 0 if Codec is None
	Solid          bool         // there are solid resources
	SolidCodec     format.Codec // of the first one
	SolidChunkSize int64        // of the first one, unpacked bytes
	Pipable        bool
	ReadOnly       bool       // the header's flag
	Parts          []PartInfo // in the order of Open; indexes of parts elsewhere refer to this list
	First          int        // index in Parts of part number 1
	References     []PartInfo // their indexes continue those of Parts
	TotalParts     int
	Missing        []int // numbers of the missing parts
	BootIndex      int   // 0 if there is none
	Images         int
	Blobs          int
	BlobBytes      int64    // unpacked
	PackedBytes    int64    // as stored, including solid resources
	Warnings       []string // found when opening, including Losses
	Losses         []Loss   // found when opening
}

// PartInfo describes one file.
type PartInfo struct {
	Name      string
	Number    int // from 1
	Size      int64
	Integrity bool  // it has a readable integrity table
	Trailing  int64 // unused bytes at its end, as an interrupted append leaves them; 0 for references
}

// Info returns a description of the archive as a whole. Counts and sizes exclude the references.
func (a *Archive) Info() *Info {
	p := a.st.FirstPart()
	h := &p.Header
	info := &Info{
		GUID: hex.EncodeToString(h.GUID[:]), Version: format.VersionText(h.Version), RawVersion: h.Version,
		Flags: h.FlagNames(), RawFlags: h.Flags, Codec: p.Codec, Pipable: h.Pipable(),
		ReadOnly: h.Flags&format.FlagReadOnly != 0, First: a.st.FirstPart().Index, TotalParts: a.st.Total, Missing: a.st.Missing,
		BootIndex: int(h.BootIndex), Images: len(a.images), Blobs: a.st.NBlobs, Warnings: a.allWarnings(), Losses: a.losses,
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

// allWarnings returns the losses and the tolerated faults that opening found.
func (a *Archive) allWarnings() []string {
	list := make([]string, 0, len(a.losses))
	for i := range a.losses {
		list = append(list, a.losses[i].String())
	}
	return append(list, a.Warnings()...)
}

// Warnings returns the faults that opening tolerated, without the losses.
func (a *Archive) Warnings() []string { return slices.Concat(a.st.Warnings, a.warnings) }

// HeaderFields returns the fields of part 1's header with their meanings.
func (a *Archive) HeaderFields() []format.Field { return a.st.FirstPart().Header.Fields() }
