package ui

import (
	"strings"

	"wimscope/web/state"
	"wimscope/web/words"
)

// TopBar shows the name of the archive, the search box and the tabs.
type TopBar struct{ base }

// facts returns what tells archives apart: size, compression, number of images and parts.
func (c *TopBar) facts() []string {
	i := &c.Archive.Info
	f := []string{words.Size(i.Size), codec(&c.base, i.Codec, i.ChunkSize)}
	if i.Solid {
		f[1] = codec(&c.base, i.SolidCodec, i.SolidChunk) + " " + c.T("archive.solid")
	}
	f = append(f, c.T("archive.images", len(i.Images)))
	if i.TotalParts > 1 {
		f = append(f, c.T("archive.parts", len(i.Parts), i.TotalParts))
	}
	return f
}

// codec returns a compression and its chunk size: LZX 32K.
func codec(b *base, name string, chunk int64) string {
	switch {
	case name == "" || name == "none":
		return b.T("archive.uncompressed")
	case chunk <= 0:
		return name
	case chunk < 1<<20:
		return name + " " + i64(chunk>>10) + "K"
	}
	return name + " " + i64(chunk>>20) + "M"
}

func (c *TopBar) tabs() []state.Tab { return state.Tabs() }

func (c *TopBar) href(t state.Tab) string {
	return state.Route{ID: c.Archive.ID, Tab: t}.String()
}

func (c *TopBar) current(t state.Tab) any {
	if c.App.Route.Tab == t {
		return "page"
	}
	return nil
}

func (c *TopBar) query() string {
	switch {
	case c.App.Palette.Open:
		return c.App.Palette.Query
	case c.App.Route.Tab == state.TabSearch:
		return c.Archive.Search.Query
	}
	return ""
}

func (c *TopBar) clear() {
	c.App.SetQuery("")
}

// expanded reports whether the search box has a list: the one that controls names.
func (c *TopBar) expanded() bool { return c.controls() != nil }

func (c *TopBar) controls() any {
	switch {
	case c.App.Palette.Open:
		return "palette"
	case c.App.Route.Tab == state.TabSearch && len(c.Archive.Search.Rows()) > 0:
		return "results"
	}
	return nil
}

// active returns the ID of the row with the cursor, nil if that is not in the document.
func (c *TopBar) active() any {
	if p := c.App.Palette; p.Open {
		if p.Cursor < len(c.App.Palette.Commands()) {
			return "cmd-" + itoa(p.Cursor)
		}
		return nil
	}
	if c.App.Route.Tab == state.TabSearch {
		s := &c.Archive.Search
		if from, to := s.View.Range(); s.Cursor >= from && s.Cursor < to {
			return "hit-" + itoa(s.Cursor)
		}
	}
	return nil
}

func (c *TopBar) key(key string, held state.Keys) bool {
	if held.Ctrl || held.Alt {
		return false
	}
	if c.App.Palette.Key(key) || c.Archive.Search.Key(key) {
		return true
	}
	if key == "Escape" {
		c.App.LeaveSearch()
		return true
	}
	return false
}

func splitKeys(s string) []string { return strings.Fields(s) }
