package ui

import (
	"strings"

	"wimscope/web/state"
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// SearchView shows the results of a search, grouped by equal content.
type SearchView struct{ base }

type searchRow struct {
	i                      int
	kind, name, path, note string
	icon                   icon
	cursor                 bool
}

func (c *SearchView) s() *state.Search { return &c.Archive.Search }

func (c *SearchView) summary() string {
	s := c.s()
	if strings.TrimSpace(s.Query) == "" {
		return c.T("search.empty")
	}
	out := c.T("search.summary", s.Query, s.Hits, s.Total)
	if s.Running && s.Of > 1 {
		out += " · " + c.T("search.progress", s.Done, s.Of)
	}
	if s.More {
		out += " · " + c.T("search.limit")
	}
	return out
}

func (c *SearchView) key(key string, held state.Keys) bool {
	if held.Ctrl || held.Alt {
		return false
	}
	return c.Archive.Search.Key(key)
}

// role returns the ARIA role. A list box must contain options, so an empty one is a group.
func (c *SearchView) role() string {
	if len(c.s().Rows()) == 0 {
		return "group"
	}
	return "listbox"
}

func (c *SearchView) spacer() string { return "height:" + px(c.s().View.Spacer()) }

func (c *SearchView) run() string {
	from, _ := c.s().View.Range()
	return "transform:translateY(" + px(c.s().View.Offset(from)) + ")"
}

func (c *SearchView) active() any {
	s := c.s()
	if from, to := s.View.Range(); s.Cursor >= from && s.Cursor < to {
		return "hit-" + itoa(s.Cursor)
	}
	return nil
}

func (c *SearchView) rows() []searchRow {
	s := c.s()
	all := s.Rows()
	from, to := s.View.Range()
	out := make([]searchRow, 0, to-from)
	for i := from; i < to && i < len(all); i++ {
		r := searchRow{i: i, cursor: i == s.Cursor}
		switch at := all[i]; at.Hit {
		case state.RowMoreGroups:
			r.kind, r.name = "more", c.T("search.more-groups", s.Total-len(s.Groups))
		case state.RowMoreHits:
			r.kind, r.name = "more", c.T("search.more-hits", s.Groups[at.Group].Count)
		case state.RowGroup:
			g := &s.Groups[at.Group]
			r.kind, r.name, r.icon = "group", g.Name, symbol(g.Name, g.Dir, false)
			r.path = c.T("search.same", g.Count)
			r.note = c.size(g)
		default:
			g := &s.Groups[at.Group]
			h := g.Hits[at.Hit]
			r.path = c.place(h)
			r.kind = "hit"
			if g.Count == 1 {
				r.kind, r.name, r.icon, r.note = "group", g.Name, symbol(g.Name, g.Dir, false), c.size(g)
			}
		}
		out = append(out, r)
	}
	return out
}

func (c *SearchView) size(g *protocol.Group) string {
	if g.Dir {
		return ""
	}
	return words.Number(g.Size)
}

func (c *SearchView) place(h protocol.Hit) string {
	if h.Image < 1 || h.Image > len(c.Archive.Info.Images) || len(c.Archive.Info.Images) == 1 {
		return h.Path
	}
	return imageLabel(&c.base, c.Archive.Info.Images[h.Image-1]) + "  " + h.Path
}
