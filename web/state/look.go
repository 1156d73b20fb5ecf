package state

import "strconv"

// Look is the theme and the widths of the side panes. The browser stores them.
type Look struct {
	Theme string // "", "light", "dark"
	Sizes Sizes

	host       *host
	systemDark bool
}

// Sizes are the widths of the side panes, in CSS pixels.
type Sizes struct{ Tree, Inspector int }

// The bounds of the widths of the panes.
const (
	MinTree, MaxTree           = 140, 600
	MinInspector, MaxInspector = 240, 720
)

func newLook(h *host) *Look {
	stored := func(key string, otherwise, least, most int) int {
		if n, err := strconv.Atoi(h.platform.Stored(key)); err == nil && n >= least && n <= most {
			return n
		}
		return otherwise
	}
	return &Look{host: h, Theme: h.platform.Stored("theme"),
		Sizes: Sizes{stored("tree", 230, MinTree, MaxTree), stored("inspector", 380, MinInspector, MaxInspector)}}
}

// ToggleTheme switches between the system's theme and its opposite.
func (l *Look) ToggleTheme() {
	l.host.update(func() {
		dark := l.Theme == "dark" || l.Theme == "" && l.systemDark
		switch {
		case dark != l.systemDark:
			l.Theme = ""
		case dark:
			l.Theme = "light"
		default:
			l.Theme = "dark"
		}
		l.host.platform.Store("theme", l.Theme)
		l.host.platform.SetTheme(l.Theme)
	})
}

// SystemDark sets whether the system's theme is dark.
func (l *Look) SystemDark(on bool) { l.host.update(func() { l.systemDark = on }) }

// Resized sets the width of the window.
func (l *Look) Resized(width float64) { l.host.update(func() { l.host.width = width }) }

// SizePane sets the width of a side pane, within its bounds. If done is set, the width is final and is stored.
func (l *Look) SizePane(tree bool, width int, done bool) {
	l.host.update(func() {
		if tree {
			l.Sizes.Tree = min(max(width, MinTree), MaxTree)
		} else {
			l.Sizes.Inspector = min(max(width, MinInspector), MaxInspector)
		}
		if done {
			l.host.platform.Store("tree", strconv.Itoa(l.Sizes.Tree))
			l.host.platform.Store("inspector", strconv.Itoa(l.Sizes.Inspector))
		}
	})
}
