package state

import (
	"context"
	"sync"
	"time"

	"wimscope/web/words"
	"wimscope/worker/visible"
)

// App is the page's model and its commands. Exported methods are commands and may be called from any goroutine;
// fields are read by components within Read, and by nobody else.
type App struct {
	mu       sync.Mutex
	platform Platform
	engine   Engine
	words    *words.Catalogue
	show     func()

	Route   Route
	Caps    Caps
	Recents []Recent
	Opening string   // names of the files that are being opened, "" if none are
	Problem *Problem // what stands in the way of opening
	Choice  *Choice  // several archives came at once
	Waiting *Recent  // a link points into this archive, which a person must bring
	Archive *Archive // the open archive

	Jobs      []*JobView
	Extract   *ExtractDialog
	Report    *JobView // its closing report is shown
	Shortcuts bool
	Palette   Palette
	Notes     []Note // small messages that go away by themselves
	Said      string // for the live region
	Dragging  bool   // files are over the page

	Theme  string // "", "light", "dark"
	Sizes  Sizes
	Wide   float64 // CSS pixels of the window
	Memory int64
	Crew   int // workers

	pending    Route  // where to go once an archive is open
	pendParts  []File // parts that wait for another
	openSerial int
	noteSerial int
	jobSerial  int
	busy       bool
	systemDark bool
	titled     string
	titledAt   time.Time
	paneAt     int
}

// Note is a small message.
type Note struct {
	ID   int
	Text string
	Bad  bool
}

// Sizes are the widths of the side panes, in CSS pixels.
type Sizes struct{ Tree, Inspector int }

// The bounds within which a pane can be drawn.
const (
	MinTree, MaxTree           = 140, 600
	MinInspector, MaxInspector = 240, 720
)

// NewApp makes an App. Show is called, from any goroutine, whenever the page must be shown again.
func NewApp(p Platform, e Engine, w *words.Catalogue, show func()) *App {
	a := &App{platform: p, engine: e, words: w, show: show, Caps: p.Caps(), Wide: 1360}
	a.Theme = p.Stored("theme")
	a.Sizes = Sizes{stored(p, "tree", 230, MinTree, MaxTree), stored(p, "inspector", 380, MinInspector, MaxInspector)}
	return a
}

func stored(p Platform, key string, otherwise, least, most int) int {
	n := 0
	for _, c := range p.Stored(key) {
		if c < '0' || c > '9' || n > most {
			return otherwise
		}
		n = n*10 + int(c-'0')
	}
	if n < least || n > most {
		return otherwise
	}
	return n
}

// Read calls f while nothing changes.
func (a *App) Read(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// update changes the model and asks for it to be shown.
func (a *App) update(f func()) {
	a.mu.Lock()
	f()
	a.mu.Unlock()
	a.show()
}

// later changes the model where something else asks for it to be shown soon enough: what comes in many small steps.
func (a *App) later(f func()) { a.Read(f) }

// T is the message of key. It may be called anywhere.
func (a *App) T(key string, args ...any) string { return a.words.T(key, args...) }

// Words is the catalogue.
func (a *App) Words() *words.Catalogue { return a.words }

// Start brings the page to the place that its address names.
func (a *App) Start(hash string) {
	a.platform.SetTheme(a.Theme)
	go a.try()
	go func() {
		list, err := a.platform.Recents()
		a.update(func() {
			if err == nil {
				a.Recents = list
			}
			// A person may have been faster, and opened something.
			if a.Archive == nil && a.openSerial == 0 {
				a.follow(ParseRoute(hash))
			}
		})
	}()
}

// try finds out what the browser allows. It takes milliseconds.
func (a *App) try() {
	c := a.platform.Try()
	a.update(func() { a.Caps = c })
}

// Navigate follows a change of the address: a link, back, forward.
func (a *App) Navigate(hash string) {
	a.update(func() { a.follow(ParseRoute(hash)) })
}

// Go leads to a tab of the open archive.
func (a *App) Go(tab Tab) {
	a.update(func() {
		if a.Archive == nil {
			return
		}
		r := Route{ID: a.Archive.ID, Tab: tab}
		if tab == TabFiles {
			r = a.Archive.filesRoute()
		}
		a.move(r, false)
		a.follow(r)
	})
}

// Home leads to the start screen. The archive stays open.
func (a *App) Home() {
	a.update(func() {
		a.move(Route{}, false)
		a.follow(Route{})
	})
}

// move sets the address. Replace: without an entry in the history.
func (a *App) move(r Route, replace bool) {
	if r == a.Route {
		return
	}
	a.Route = r
	a.platform.SetHash(r.String(), replace)
	a.title()
}

// follow makes the model be where r says.
func (a *App) follow(r Route) {
	a.Route = r
	a.Waiting = nil
	defer a.title()
	switch {
	case r.ID == "":
		return
	case a.Archive == nil || a.Archive.ID != r.ID:
		a.pending = r
		a.seek(r)
		return
	}
	a.Problem = nil
	switch r.Tab {
	case TabFiles:
		a.goFiles(r)
	case TabImages:
		a.loadVersions()
	case TabDetails:
		a.loadXML()
	case TabSearch:
		if a.Archive.Search.Query != r.Query {
			a.search(r.Query)
		}
	}
}

// OnStart tells whether the start screen is shown: there is no archive, or another is to be brought.
func (a *App) OnStart() bool {
	return a.Route.ID == "" || a.Archive == nil || a.Archive.ID != a.Route.ID
}

func (a *App) title() {
	t := a.T("app.name")
	if !a.OnStart() {
		t = visible.Text(a.Archive.Info.Name) + " - " + t
	}
	for _, j := range a.Jobs {
		if j.Active() {
			t = a.T("job.title-percent", j.Percent()) + " " + t
			break
		}
	}
	// Browsers take their time over a title: it is set only when it changes.
	if t != a.titled {
		a.titled, a.titledAt = t, a.platform.Now()
		a.platform.SetTitle(t)
	}
}

// titleSoon is for the percentages of jobs: a title that changes more than once a second is read by nobody.
func (a *App) titleSoon() {
	if a.platform.Now().Sub(a.titledAt) >= time.Second {
		a.title()
	}
}

// say puts a sentence into the live region.
func (a *App) say(text string) { a.Said = text }

// note shows a small message for some seconds.
func (a *App) note(text string, bad bool) {
	a.noteSerial++
	id := a.noteSerial
	a.Notes = append(a.Notes, Note{ID: id, Text: text, Bad: bad})
	a.say(text)
	time.AfterFunc(6*time.Second, func() { a.DismissNote(id) })
}

// DismissNote takes a small message away.
func (a *App) DismissNote(id int) {
	a.update(func() {
		for i := range a.Notes {
			if a.Notes[i].ID == id {
				a.Notes = append(a.Notes[:i:i], a.Notes[i+1:]...)
				return
			}
		}
	})
}

// ToggleTheme goes from what the system says to its opposite and back.
func (a *App) ToggleTheme() {
	a.update(func() {
		systemDark := a.systemDark
		dark := a.Theme == "dark" || a.Theme == "" && systemDark
		switch {
		case dark && systemDark, !dark && !systemDark:
			a.Theme = map[bool]string{true: "light", false: "dark"}[dark]
		default:
			a.Theme = ""
		}
		a.platform.Store("theme", a.Theme)
		a.platform.SetTheme(a.Theme)
	})
}

// SystemDark tells whether the system asks for dark.
func (a *App) SystemDark(on bool) { a.update(func() { a.systemDark = on }) }

// Resized tells the width of the window.
func (a *App) Resized(width float64) { a.update(func() { a.Wide = width }) }

// Narrow tells whether there is room for one pane only.
func (a *App) Narrow() bool { return a.Wide < 720 }

// SizePane sets the width of a side pane, within its bounds; done says that it has its final width.
func (a *App) SizePane(tree bool, width int, done bool) {
	a.update(func() {
		if tree {
			a.Sizes.Tree = min(max(width, MinTree), MaxTree)
		} else {
			a.Sizes.Inspector = min(max(width, MinInspector), MaxInspector)
		}
		if done {
			a.platform.Store("tree", itoa(a.Sizes.Tree))
			a.platform.Store("inspector", itoa(a.Sizes.Inspector))
		}
	})
}

// ShowShortcuts shows or hides the list of shortcuts.
func (a *App) ShowShortcuts(on bool) { a.update(func() { a.Shortcuts = on }) }

// Drag says that files are being dragged over the page, or no longer.
func (a *App) Drag(on bool) {
	a.mu.Lock()
	same := a.Dragging == on
	a.Dragging = on
	a.mu.Unlock()
	if !same {
		a.show()
	}
}

// Copy puts text on the clipboard.
func (a *App) Copy(text string) {
	go func() {
		err := a.platform.Copy(text)
		a.update(func() {
			if err != nil {
				a.note(a.T("copy.refused"), true)
			} else {
				a.note(a.T("copy.done"), false)
			}
		})
	}()
}

// Measure asks the engine for its memory and its workers. It waits for the answer, some seconds at most.
func (a *App) Measure() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	memory, crew := a.engine.Memory(ctx), a.engine.Workers()
	a.mu.Lock()
	same := a.Memory>>20 == memory>>20 && a.Crew == crew
	a.Memory, a.Crew = memory, crew
	a.mu.Unlock()
	if !same {
		a.show()
	}
}
