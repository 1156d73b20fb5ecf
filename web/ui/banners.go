package ui

// Banners are what the open archive is waiting for.
type Banners struct{ base }

func (c *Banners) missing() string {
	a := c.App.Archive
	n := a.Info.Missing[0]
	if len(a.Info.Missing) == 1 {
		return c.T("missing.one", n, a.Info.TotalParts, a.MissingName(n))
	}
	return c.T("missing.many", len(a.Info.Missing), a.Info.TotalParts, a.MissingName(n))
}
