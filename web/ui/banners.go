package ui

import "wimscope/web/state"

// Banners show what the open archive lacks: parts, blobs in other archives, what was lost.
type Banners struct{ base }

func (c *Banners) missing() string {
	a := c.Archive
	n := a.Info.Missing[0]
	if len(a.Info.Missing) == 1 {
		return c.T("missing.one", n, a.Info.TotalParts, a.MissingName(n))
	}
	return c.T("missing.many", len(a.Info.Missing), a.Info.TotalParts, a.MissingName(n))
}

// lost returns a notice if the archive or the current image is incomplete, "" if not. The Verify tab lists the losses and
// needs none.
func (c *Banners) lost() string {
	a := c.Archive
	switch {
	case c.App.Route.Tab == state.TabVerify:
		return ""
	case a.Info.Losses > 0:
		return c.T("lost.archive", a.Info.Losses)
	case a.Files.List.Lost > 0:
		return c.T("lost.image", a.Files.List.Lost)
	}
	return ""
}

func (c *Banners) verify() { c.App.Go(state.TabVerify) }
