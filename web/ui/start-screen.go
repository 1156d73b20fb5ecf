package ui

import (
	"time"

	"wimscope/web/state"
	"wimscope/web/words"
)

// StartScreen is where files are opened.
type StartScreen struct{ base }

type promise struct {
	icon        icon
	title, text string
}

var promises = [...]promise{
	{"shield-check", "promise.private.title", "promise.private.text"},
	{"hard-drive", "promise.inplace.title", "promise.inplace.text"},
	{"eye", "promise.readonly.title", "promise.readonly.text"},
}

func (c *StartScreen) dropTitle() string {
	if c.App.Dragging {
		return c.T("start.drop-now")
	}
	return c.T("start.drop")
}

func (c *StartScreen) waitingName() string {
	if w := c.App.Opener.Waiting; w.Name != "" {
		return w.Name
	}
	return c.T("waiting.unknown")
}

func (c *StartScreen) waitingKey() string {
	if c.canAsk() {
		return "waiting.ask"
	}
	return "waiting.drop"
}

func (c *StartScreen) canAsk() bool {
	w := c.App.Opener.Waiting
	return len(w.Handles) > 0 && w.State != state.RecentMissing
}

func (c *StartScreen) about(r state.Recent) string {
	return words.Size(r.Size) + " · " + c.T("archive.images", r.Images) + " · " + c.day(r.When)
}

// day returns the local date of t: today, yesterday, or the day and month, with the year if it is another.
func (c *StartScreen) day(t time.Time) string {
	y, m, d := t.Local().Date()
	now := time.Now()
	ny, nm, nd := now.Date()
	days := int(time.Date(ny, nm, nd, 12, 0, 0, 0, time.UTC).Sub(time.Date(y, m, d, 12, 0, 0, 0, time.UTC)).Hours() / 24)
	switch days {
	case 0:
		return c.T("day.today")
	case 1:
		return c.T("day.yesterday")
	}
	s := itoa(d) + " " + c.T("month."+itoa(int(m)))
	if y != ny {
		s += " " + itoa(y)
	}
	return s
}

func (c *StartScreen) stateText(r state.Recent) string {
	switch {
	case r.State == state.RecentMissing || len(r.Handles) == 0:
		return c.T("recent.missing")
	case r.State == state.RecentAsks:
		return c.T("recent.asks")
	}
	return c.T("recent.ready")
}

func (c *StartScreen) stateClass(r state.Recent) string {
	switch {
	case r.State == state.RecentMissing || len(r.Handles) == 0:
		return "muted"
	case r.State == state.RecentAsks:
		return "warn"
	}
	return "good"
}
