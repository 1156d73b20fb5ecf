package ui

import (
	"wimscope/web/state"
	"wimscope/web/words"
)

// ChooseDialog asks which of several archives to open that were dropped or picked together.
type ChooseDialog struct{ base }

func (c *ChooseDialog) about(o state.Option) string {
	s := words.Size(o.Size) + " · " + c.T("archive.images", o.Images)
	if o.With != "" {
		s += " · " + c.T("choose.with", o.With)
	}
	return s
}
