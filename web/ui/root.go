package ui

import "github.com/vugu/vugu"

// Root is the whole page.
type Root struct{ base }

func (c *Root) noteIcon(bad bool) vugu.Builder {
	if bad {
		return icon("triangle-alert")
	}
	return icon("check")
}
