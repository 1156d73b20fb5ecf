package ui

import (
	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// ExtractDialog asks for the destination and the options of an extraction.
type ExtractDialog struct{ base }

type destination struct {
	format     protocol.Format
	name, note string
	can, first bool
}

func (c *ExtractDialog) d() *state.ExtractDialog { return c.Archive.Extract.Dialog }

func (c *ExtractDialog) options() []destination {
	folder := destination{protocol.Folder, "extract.folder-name", "extract.folder-note", c.App.Caps.FolderPicker, false}
	if !folder.can {
		folder.note = "extract.folder-cannot"
	}
	return []destination{
		{protocol.ZIP, "extract.zip", "extract.zip-note", true, true},
		{protocol.TAR, "extract.tar", "extract.tar-note", true, false},
		folder,
	}
}

func (c *ExtractDialog) plan() string {
	p := c.d().Plan
	s := c.T("extract.plan-files", p.Files)
	if p.Dirs > 0 {
		s = c.T("extract.plan", p.Files, p.Dirs)
	}
	if p.Links > 0 {
		s += ", " + c.T("extract.plan-links", p.Links)
	}
	return s + " · " + words.Size(p.OutSize)
}

func (c *ExtractDialog) memory() bool {
	d := c.d()
	return d.Plan != nil && d.Format != protocol.Folder && c.Archive.Extract.InMemory(d.Plan.OutSize)
}

func (c *ExtractDialog) refused() int {
	if p := c.d().Plan; p != nil {
		return p.Refused
	}
	return 0
}

// reason returns what is wrong with a path.
func reason(b *base, p protocol.Problem) string {
	s := p.Reason
	if key := "reason." + p.Reason; b.App.Words().Has(key) {
		s = b.T(key)
	}
	if p.Detail != "" {
		s += ": " + p.Detail
	}
	return s
}
