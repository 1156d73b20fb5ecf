package ui

import "wimscope/web/words"

// StatusBar is the line at the bottom of the page.
type StatusBar struct{ base }

func (c *StatusBar) engine() string {
	return c.T("status.engine", words.Size(c.App.Memory), c.App.Workers)
}
