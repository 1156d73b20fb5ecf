package ui

import (
	"github.com/vugu/vugu"

	"wimscope/web/words"
)

// CapsList lists what this browser can do, and what the page does instead if it cannot.
type CapsList struct{ base }

type capability struct {
	name, note string
	can        bool
}

func (p capability) icon() vugu.Builder {
	if p.can {
		return icon("check")
	}
	return icon("minus")
}

func (c *CapsList) list() []capability {
	k := c.App.Caps
	yes := func(name string, can bool) capability {
		if can {
			return capability{name, c.T(name + ".yes"), true}
		}
		return capability{name, c.T(name + ".no"), false}
	}
	stage := yes("caps.stage", k.OPFS)
	switch {
	case k.SavePicker:
		stage = capability{"caps.stage", c.T("caps.stage.direct"), true}
	case k.OPFS && k.Room >= 0:
		stage.note = c.T("caps.stage.room", words.Size(k.Room))
	}
	return []capability{
		yes("caps.recent", k.Database && k.OpenPicker),
		yes("caps.settings", k.Settings),
		yes("caps.save", k.SavePicker),
		yes("caps.folder", k.FolderPicker),
		stage,
		yes("caps.awake", k.WakeLock),
	}
}
