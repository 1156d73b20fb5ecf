package main

import (
	"io/fs"

	"wimscope/wim/core"
)

// fillWindows has the XML document tell of the Windows in an image that was captured or changed, index from 1. Hives that
// cannot be read are no reason not to keep them.
func (t *tool) fillWindows(e *core.Edit, index int, sources []fs.FS) {
	if w := e.FillWindows(index, sources...); w != nil {
		for _, p := range w.Problems {
			t.warn("%s; what it tells of Windows is not in the XML document", p)
		}
	}
}
