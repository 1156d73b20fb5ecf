package ui

import (
	"strconv"
	"strings"

	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// DetailsView is the Details tab.
type DetailsView struct{ base }

func (c *DetailsView) info() *protocol.Archive { return &c.Archive.Info }

func px1(f float64) string { return strconv.FormatFloat(f, 'f', 3, 64) }

func (c *DetailsView) segments(part int, size int64) []state.Segment {
	return state.Segments(c.info().Regions, part, size)
}

func (c *DetailsView) totals() []state.KindTotal { return state.KindTotals(c.info().Regions) }

func (c *DetailsView) number(n int) string { return words.Number(int64(n)) }

func (c *DetailsView) bytes(n int64) string { return words.Number(n) }

func (c *DetailsView) off(n int64) string { return "0x" + strings.ToUpper(strconv.FormatInt(n, 16)) }

func (c *DetailsView) facts() []fact {
	i := c.info()
	var f []fact
	add := func(key, value string) {
		if value != "" {
			f = append(f, fact{name: c.T(key), value: value})
		}
	}
	f = append(f, fact{name: c.T("archive.guid"), value: i.GUID, copy: i.GUID, mono: true})
	add("archive.version", i.Version)
	add("archive.compression", codec(&c.base, i.Codec, i.ChunkSize))
	if i.Solid {
		add("archive.solid-compression", codec(&c.base, i.SolidCodec, i.SolidChunk))
	}
	add("archive.size", c.T("details.bytes", i.Size))
	add("archive.contents", c.T("archive.contents-value", i.Blobs, words.Size(i.BlobBytes), words.Size(i.PackedBytes)))
	if i.BlobBytes > 0 {
		add("archive.ratio", c.T("archive.ratio-value", i.PackedBytes*100/i.BlobBytes))
	}
	add("archive.integrity", c.T("archive.integrity-"+yes(i.Integrity)))
	if i.Pipable {
		add("archive.pipable", c.T("yes"))
	}
	if i.BootIndex > 0 {
		add("archive.boot", itoa(i.BootIndex))
	}
	add("archive.flags", strings.Join(i.Flags, ", "))
	for _, p := range i.Parts {
		f = append(f, fact{name: c.T("archive.part", p.Number, i.TotalParts), value: p.Name + " · " + words.Size(p.Size)})
	}
	if len(i.References) > 0 {
		add("archive.references", strings.Join(i.References, ", "))
	}
	return f
}

func (c *DetailsView) warnings() []string {
	w := c.info().Warnings
	if len(w) > 100 {
		return append(append([]string(nil), w[:100]...), c.T("list.more", len(w)-100))
	}
	return w
}

func (c *DetailsView) xml() verbatim {
	d := &c.Archive.Details
	if d.Raw {
		return verbatim(d.XML.Raw)
	}
	return verbatim(d.XML.Pretty)
}
