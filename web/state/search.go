package state

import (
	"context"
	"strings"
	"time"

	"wimscope/worker/protocol"
)

// groupStep is how many groups of hits are loaded at a time, and hitsShown how many hits of a group are shown before
// a person asks for all.
const (
	groupStep = 200
	hitsShown = 3
)

// Search is what the search box leads to.
type Search struct {
	Query   string
	Running bool
	Groups  []protocol.Group
	Total   int // groups
	Hits    int
	Done    int // images searched
	Of      int
	More    bool // it stopped at its limit
	Problem *Problem
	View    Viewport
	Cursor  int // row with the focus, -1 while that is in the box

	stale  bool         // Groups are still those of the query before
	all    map[int]bool // groups of which all hits are shown
	rows   []SearchRow
	serial int
	stop   context.CancelFunc
	back   Route // where the search was started from
}

// SearchRow is a row of the results: a group, one of its hits, or an offer to show more.
type SearchRow struct {
	Group int // index in Groups
	Hit   int // index in the group's hits; -1: the group itself, -2: "more hits", -3: "more groups"
}

// The values of SearchRow.Hit that are no hit.
const (
	RowGroup      = -1
	RowMoreHits   = -2
	RowMoreGroups = -3
)

// Rows are the rows of the results.
func (s *Search) Rows() []SearchRow { return s.rows }

func (s *Search) lay() {
	s.rows = s.rows[:0]
	for g := range s.Groups {
		grp := &s.Groups[g]
		if grp.Count == 1 && len(grp.Hits) == 1 {
			s.rows = append(s.rows, SearchRow{g, 0})
			continue
		}
		s.rows = append(s.rows, SearchRow{g, RowGroup})
		n := len(grp.Hits)
		if !s.all[g] {
			n = min(n, hitsShown)
		}
		for h := range n {
			s.rows = append(s.rows, SearchRow{g, h})
		}
		if !s.all[g] && len(grp.Hits) > n {
			s.rows = append(s.rows, SearchRow{g, RowMoreHits})
		}
	}
	if len(s.Groups) < s.Total && !s.Running {
		s.rows = append(s.rows, SearchRow{len(s.Groups), RowMoreGroups})
	}
	s.View.Total = len(s.rows)
	s.Cursor = min(s.Cursor, len(s.rows)-1)
}

// SetQuery searches for what is in the search box, or lists the commands that start so after a >.
func (a *App) SetQuery(text string) {
	a.update(func() {
		if strings.HasPrefix(text, ">") {
			a.Palette.Open, a.Palette.Query, a.Palette.Cursor = true, text, 0
			return
		}
		a.Palette = Palette{}
		ar := a.Archive
		if ar == nil || a.OnStart() {
			return
		}
		if strings.TrimSpace(text) == "" {
			if a.Route.Tab == TabSearch {
				a.leaveSearch()
			}
			return
		}
		if a.Route.Tab != TabSearch {
			ar.Search.back = a.Route
			a.move(Route{ID: ar.ID, Tab: TabSearch, Query: text}, false)
		} else {
			a.Route.Query = text
			a.queryHashSoon()
		}
		a.search(text)
	})
}

// queryHashSoon brings the address up to date a little after the last letter: browsers allow few changes a second.
func (a *App) queryHashSoon() {
	r := a.Route
	time.AfterFunc(300*time.Millisecond, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.Route == r {
			a.platform.SetHash(r.String(), true)
		}
	})
}

// search starts a search; what was under way is stopped.
func (a *App) search(query string) {
	ar := a.Archive
	s := &ar.Search
	if s.stop != nil {
		s.stop()
	}
	serial, back := s.serial+1, s.back
	old := *s
	*s = Search{Query: query, Running: true, View: Viewport{Row: a.rowHeight(), Height: max(old.View.Height, 400)}, Cursor: -1,
		all: map[int]bool{}, serial: serial, back: back, Of: len(ar.Info.Images)}
	if strings.TrimSpace(query) == "" {
		s.Running = false
		return
	}
	// What was found last stays until the first answer: no flicker at each letter.
	s.Groups, s.Total, s.Hits = old.Groups, old.Total, old.Hits
	s.stale = true
	s.lay()
	ctx, stop := context.WithCancel(ar.ctx)
	s.stop = stop
	a.platform.ScrollTo("results", 0)
	take := func(rep protocol.SearchReply, last bool) {
		a.update(func() {
			if a.Archive != ar || s.serial != serial {
				return
			}
			s.Groups, s.Total, s.Hits, s.Done, s.Of, s.More = rep.Groups, rep.Total, rep.Hits, rep.Done, rep.Of, rep.More
			s.Running = !last
			s.stale = false
			s.lay()
			if last {
				a.say(a.T("search.found", s.Hits, s.Total))
			}
		})
	}
	time.AfterFunc(120*time.Millisecond, func() {
		if ctx.Err() != nil {
			return
		}
		rep, err := ar.Session.Search(ctx, protocol.SearchRequest{Query: query, Count: groupStep},
			func(rep protocol.SearchReply) { take(rep, false) })
		if err == nil {
			take(rep, true)
			return
		}
		a.update(func() {
			if a.Archive != ar || s.serial != serial {
				return
			}
			s.Running = false
			if e := protocol.AsError(err); e.Code != protocol.CodeCancelled {
				s.Problem = a.problem(ar, e, "")
				s.Groups, s.Total, s.Hits = nil, 0, 0
			}
			s.lay()
		})
	})
}

// CancelSearch stops the search and keeps what was found.
func (a *App) CancelSearch() {
	a.update(func() {
		s := &a.Archive.Search
		if s.stop != nil {
			s.stop()
		}
		s.Running = false
		s.lay()
	})
}

// LeaveSearch goes back to where the search was started.
func (a *App) LeaveSearch() { a.update(a.leaveSearch) }

func (a *App) leaveSearch() {
	a.Palette = Palette{}
	ar := a.Archive
	if ar == nil || a.Route.Tab != TabSearch {
		return
	}
	if ar.Search.stop != nil {
		ar.Search.stop()
	}
	r := ar.Search.back
	if r.ID != ar.ID {
		r = ar.filesRoute()
	}
	ar.Search.Query = ""
	a.move(r, false)
	a.follow(r)
}

// SearchScrolled tells where the results are scrolled to.
func (a *App) SearchScrolled(top, height float64) {
	a.update(func() {
		if a.Archive != nil {
			s := &a.Archive.Search
			s.View.Top, s.View.Height = top, height
		}
	})
}

// SearchKey does what a key means in the search box while results are shown.
func (a *App) SearchKey(key string) bool {
	done := true
	open := -1
	a.update(func() {
		if a.Archive == nil || a.Route.Tab != TabSearch {
			done = false
			return
		}
		s := &a.Archive.Search
		to := s.Cursor
		switch key {
		case "ArrowDown":
			to++
		case "ArrowUp":
			to--
		case "PageDown":
			to += s.View.Page()
		case "PageUp":
			to = max(to-s.View.Page(), 0)
		case "Enter":
			// Whoever types fast and ends with Enter wants the search, not a hit of the query before.
			if !s.stale || s.Cursor >= 0 {
				open = max(s.Cursor, 0)
			}
			return
		default:
			done = false
			return
		}
		s.Cursor = min(max(to, -1), len(s.rows)-1)
		if s.Cursor >= 0 {
			s.View.Top = s.View.Reveal(s.Cursor)
			a.platform.ScrollTo("results", s.View.Top)
		}
	})
	if open >= 0 {
		a.OpenResult(open)
	}
	return done
}

// OpenResult goes to the hit of a row, or shows more.
func (a *App) OpenResult(i int) {
	var hit *protocol.Hit
	a.update(func() {
		s := &a.Archive.Search
		if i >= len(s.rows) {
			return
		}
		r := s.rows[i]
		switch r.Hit {
		case RowGroup:
			hit = &s.Groups[r.Group].Hits[0]
		case RowMoreHits:
			s.all[r.Group] = true
			s.lay()
		case RowMoreGroups:
			a.moreGroups()
		default:
			hit = &s.Groups[r.Group].Hits[r.Hit]
		}
	})
	if hit != nil {
		a.Reveal(hit.Image, hit.Path)
	}
}

func (a *App) moreGroups() {
	ar := a.Archive
	s := &ar.Search
	serial, start := s.serial, len(s.Groups)
	go func() {
		rep, err := ar.Session.Search(ar.ctx, protocol.SearchRequest{Query: s.Query, Start: start, Count: groupStep}, nil)
		a.update(func() {
			if err != nil || a.Archive != ar || s.serial != serial || len(s.Groups) != start {
				return
			}
			s.Groups = append(s.Groups[:start:start], rep.Groups...)
			if len(rep.Groups) == 0 {
				s.Total = start
			}
			s.lay()
		})
	}()
}
