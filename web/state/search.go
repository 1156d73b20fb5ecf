package state

import (
	"context"
	"strings"
	"time"

	"wimscope/worker/protocol"
)

// groupStep is the number of groups of hits that are loaded at a time, hitsShown the number of hits of a group that are
// shown before the user asks for all.
const (
	groupStep = 200
	hitsShown = 3
)

// searchDelay is how long a search waits for the next letter before it starts.
const searchDelay = 120 * time.Millisecond

// Search is the screen of the search box.
type Search struct {
	Query   string
	Running bool
	Groups  []protocol.Group
	Total   int // groups
	Hits    int
	Done    int // images searched
	Of      int
	More    bool // the search stopped at its limit
	Problem *Problem
	View    Viewport
	Cursor  int // row with the focus, -1 while the box has it

	ar     *opened
	home   func() Route                 // where leaving leads if the page was opened with the search
	reveal func(image int, path string) // shows a hit in its folder

	stale  bool         // Groups are still those of the previous query
	all    map[int]bool // groups that show all of their hits
	rows   []SearchRow
	serial int
	stop   context.CancelFunc
	back   Route // where the search was started
}

// SearchRow is a row of the results: a group, one of its hits, or a button that shows more.
type SearchRow struct {
	Group int // index in Groups
	Hit   int // index in the group's hits, or one of the values below
}

// The values of SearchRow.Hit for rows that are not hits.
const (
	RowGroup      = -1
	RowMoreHits   = -2
	RowMoreGroups = -3
)

// Rows returns the rows of the results.
func (s *Search) Rows() []SearchRow { return s.rows }

func (s *Search) layOut() {
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

// set searches for text. Without text it leaves the search.
func (s *Search) set(text string) {
	at := s.ar.at
	if strings.TrimSpace(text) == "" {
		if at.Route.Tab == TabSearch {
			s.leave()
		}
		return
	}
	r := Route{ID: s.ar.ID, Tab: TabSearch, Query: text}
	if at.Route.Tab == TabSearch {
		at.typed(r)
	} else {
		s.back = at.Route
		at.move(r, false)
	}
	s.start(text)
}

// start starts a search and stops the previous one.
func (s *Search) start(query string) {
	if s.stop != nil {
		s.stop()
	}
	ar, old := s.ar, *s
	serial := old.serial + 1
	*s = Search{Query: query, Running: true, View: Viewport{Row: ar.rowHeight(), Height: max(old.View.Height, 400)}, Cursor: -1,
		Of: len(ar.Info.Images), ar: ar, home: old.home, reveal: old.reveal, all: map[int]bool{}, serial: serial, back: old.back}
	if strings.TrimSpace(query) == "" {
		s.Running = false
		return
	}
	// The previous results stay until the first reply, so that they do not flicker at each letter.
	s.Groups, s.Total, s.Hits = old.Groups, old.Total, old.Hits
	s.stale = true
	s.layOut()
	ctx, stop := context.WithCancel(ar.ctx)
	s.stop = stop
	ar.platform.ScrollTo("results", 0)
	take := func(rep protocol.SearchReply, last bool) {
		ar.update(func() {
			if s.serial != serial {
				return
			}
			s.Groups, s.Total, s.Hits, s.Done, s.Of, s.More = rep.Groups, rep.Total, rep.Hits, rep.Done, rep.Of, rep.More
			s.Running = !last
			s.stale = false
			s.layOut()
			if last {
				ar.announce("search.found", s.Hits, s.Total)
			}
		})
	}
	time.AfterFunc(searchDelay, func() {
		if ctx.Err() != nil {
			return
		}
		rep, err := ar.Session.Search(ctx, protocol.SearchRequest{Query: query, Count: groupStep},
			func(rep protocol.SearchReply) { take(rep, false) })
		if err == nil {
			take(rep, true)
			return
		}
		ar.update(func() {
			if s.serial != serial {
				return
			}
			s.Running = false
			if protocol.AsError(err).Code != protocol.CodeCancelled {
				s.Problem = ar.problem(err, "")
				s.Groups, s.Total, s.Hits = nil, 0, 0
			}
			s.layOut()
		})
	})
}

// Cancel stops the search and keeps the results.
func (s *Search) Cancel() {
	s.ar.update(func() {
		if s.stop != nil {
			s.stop()
		}
		s.Running = false
		s.layOut()
	})
}

// leave stops the search and goes back to where it was started.
func (s *Search) leave() {
	if s.stop != nil {
		s.stop()
	}
	r := s.back
	if r.ID != s.ar.ID {
		r = s.home()
	}
	s.Query = ""
	s.ar.at.goTo(r)
}

// scrolled sets the scroll position and the visible height.
func (s *Search) scrolled(top, height float64) { s.View.Top, s.View.Height = top, height }

// Key handles a key in the search box while results are shown. It reports whether the key was used.
func (s *Search) Key(key string) bool {
	done := true
	open := -1
	s.ar.update(func() {
		if s.ar.at.Route.Tab != TabSearch {
			done = false
			return
		}
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
			// Enter right after the last letter means the search, not a hit of the previous query.
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
			s.ar.platform.ScrollTo("results", s.View.Top)
		}
	})
	if open >= 0 {
		s.OpenResult(open)
	}
	return done
}

// OpenResult opens the hit of row i, or shows more.
func (s *Search) OpenResult(i int) {
	var hit *protocol.Hit
	s.ar.update(func() {
		if i >= len(s.rows) {
			return
		}
		r := s.rows[i]
		switch r.Hit {
		case RowGroup:
			hit = &s.Groups[r.Group].Hits[0]
		case RowMoreHits:
			s.all[r.Group] = true
			s.layOut()
		case RowMoreGroups:
			s.moreGroups()
		default:
			hit = &s.Groups[r.Group].Hits[r.Hit]
		}
	})
	if hit != nil {
		s.reveal(hit.Image, hit.Path)
	}
}

func (s *Search) moreGroups() {
	serial, start := s.serial, len(s.Groups)
	req := protocol.SearchRequest{Query: s.Query, Start: start, Count: groupStep}
	go func() {
		rep, err := s.ar.Session.Search(s.ar.ctx, req, nil)
		s.ar.update(func() {
			if err != nil || s.serial != serial || len(s.Groups) != start {
				return
			}
			s.Groups = append(s.Groups[:start:start], rep.Groups...)
			if len(rep.Groups) == 0 {
				s.Total = start
			}
			s.layOut()
		})
	}()
}
