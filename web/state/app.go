package state

import (
	"context"
	"strings"
	"time"

	"wimscope/web/words"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
	"wimscope/worker/visible"
)

// App is the page's model. It wires the parts together, goes to routes, and passes keys and scroll positions to the part
// concerned. The commands that change a part are methods of the part.
//
// Commands may be called from any goroutine, but not within Read. Components read fields, and call methods that return
// part of the model, within Read.
type App struct {
	*host
	*address

	Archive *Archive // the open archive, nil if none is
	Opener  *Opener
	Jobs    *Jobs
	Palette *Palette
	Look    *Look

	Shortcuts bool  // the list of shortcuts is shown
	Dragging  bool  // files are being dragged over the page
	Memory    int64 // of all workers, bytes
	Workers   int

	engine   Engine
	pending  Route // where to go once its archive is open
	title    string
	titledAt time.Time
	pane     int // index in panes of the one that had the focus last
}

// NewApp returns an App. It calls show, from any goroutine, whenever the page must be rendered again.
func NewApp(p Platform, e Engine, w *words.Catalogue, show func()) *App {
	h := &host{platform: p, words: w, show: show, Caps: p.Caps(), width: 1360}
	a := &App{host: h, engine: e}
	a.address = &address{host: h, moved: a.setTitle, follow: a.follow}
	a.Opener = &Opener{host: h, engine: e, at: a.address, shown: a.shown, install: a.install}
	a.Jobs = &Jobs{host: h, engine: e, progress: a.setTitleSoon, ended: func() { a.setTitle(); go a.Measure() }}
	a.Palette = &Palette{host: h, all: a.commands}
	a.Look = newLook(h)
	return a
}

// Start goes to the place that the address names, unless the user has opened an archive already.
func (a *App) Start(hash string) {
	a.platform.SetTheme(a.Look.Theme)
	go func() {
		c := a.platform.Try() // takes milliseconds
		a.update(func() { a.Caps = c })
	}()
	go a.Opener.loadRecents(func() {
		if a.Archive == nil && a.Opener.serial == 0 {
			a.follow(ParseRoute(hash))
		}
	})
}

// Navigate goes to an address that the browser has changed: by a link, back or forward.
func (a *App) Navigate(hash string) {
	a.update(func() { a.follow(ParseRoute(hash)) })
}

// Go goes to a tab of the open archive.
func (a *App) Go(tab Tab) {
	a.update(func() {
		if a.Archive == nil {
			return
		}
		r := Route{ID: a.Archive.ID, Tab: tab}
		if tab == TabFiles {
			r = a.Archive.Files.route()
		}
		a.goTo(r)
	})
}

// Home goes to the start screen. The archive stays open.
func (a *App) Home() {
	a.update(func() { a.goTo(Route{}) })
}

// follow brings the model to the place r.
func (a *App) follow(r Route) {
	a.Route = r
	a.Opener.Waiting = nil
	defer a.setTitle()
	switch {
	case r.ID == "":
	case a.OnStart():
		a.pending = r
		a.Opener.seek(r.ID)
	default:
		a.Opener.Problem = nil
		a.Archive.goTo(r)
	}
}

// OnStart reports whether the start screen is shown: no archive is open, or the address is not in the open one.
func (a *App) OnStart() bool { return a.shown() == nil }

// shown returns the archive that is shown, nil on the start screen.
func (a *App) shown() *Archive {
	if a.Archive == nil || a.Archive.ID != a.Route.ID {
		return nil
	}
	return a.Archive
}

// Current returns the open archive, nil if none is open. It is called outside of Read.
func (a *App) Current() (ar *Archive) {
	a.Read(func() { ar = a.Archive })
	return ar
}

// install makes s the open archive and goes there.
func (a *App) install(s Session, parts, refs []File, sample bool) {
	old := a.Archive
	ar := newArchive(newOpened(a.host, a.address, s, parts, refs, sample), a.Jobs)
	a.Archive = ar
	again := old != nil && old.ID == ar.ID
	if old != nil {
		if again && len(refs) > len(old.Refs) {
			ar.before = old.Info.Elsewhere.Blobs
		}
		old.left = true
		a.Jobs.retire(old.opened)
	}
	s.OnState(func(st pool.SessionState, e *protocol.Error) {
		a.update(func() {
			ar.Restart = st == pool.SessionReopening
			switch {
			case ar.Restart:
				a.note(a.T("engine.restarting"), true)
			case st == pool.SessionFailed && e != nil:
				a.Opener.Problem = ar.problem(e, "")
			}
		})
	})
	r := Route{ID: ar.ID, Tab: TabFiles}
	switch {
	case a.pending.ID == ar.ID:
		r = a.pending
	case again && a.Route.ID == ar.ID:
		r = a.Route
	}
	a.pending = Route{}
	a.goTo(r)
	a.announce("open.opened", ar.Info.Name, len(ar.Info.Images))
	if !ar.UsesOnRequest() || ar.before >= 0 {
		ar.countLacks()
	}
	go a.Opener.remember(ar.opened)
	go a.Measure()
}

// Close cancels all jobs, closes the archive and goes to the start screen.
func (a *App) Close() {
	a.update(func() {
		ar := a.Archive
		if ar == nil {
			return
		}
		a.Jobs.cancelAll()
		a.Opener.drop()
		ar.Files.Preview.close()
		ar.left = true
		ar.close()
		a.Archive = nil
		a.goTo(Route{})
	})
	go a.Measure()
}

// setTitle sets the title: the progress of the first job, the name of the archive, and of the program.
func (a *App) setTitle() {
	t := a.T("app.name")
	if ar := a.shown(); ar != nil {
		t = visible.Text(ar.Info.Name) + " - " + t
	}
	if j := a.Jobs.active(); j != nil {
		t = a.T("job.title-percent", j.Percent()) + " " + t
	}
	// Setting a title is slow in browsers, even to the same text.
	if t != a.title {
		a.title, a.titledAt = t, a.platform.Now()
		a.platform.SetTitle(t)
	}
}

// setTitleSoon sets the title for a change of progress, at most once a second.
func (a *App) setTitleSoon() {
	if a.platform.Now().Sub(a.titledAt) >= time.Second {
		a.setTitle()
	}
}

// SetQuery searches for the text in the search box, or after a > lists the commands that match it.
func (a *App) SetQuery(text string) {
	a.update(func() {
		if strings.HasPrefix(text, ">") {
			a.Palette.set(text)
			return
		}
		a.Palette.close()
		if ar := a.shown(); ar != nil {
			ar.Search.set(text)
		}
	})
}

// LeaveSearch closes the palette and the search, and goes back to where the search was started.
func (a *App) LeaveSearch() {
	a.update(func() {
		a.Palette.close()
		if a.Archive != nil && a.Route.Tab == TabSearch {
			a.Archive.Search.leave()
		}
	})
}

// commands returns the commands that are available now.
func (a *App) commands() []Command {
	list := []Command{
		{"command.open", "Ctrl O", a.Opener.Choose},
		{"command.sample", "", a.Opener.TrySample},
	}
	if ar := a.shown(); ar != nil {
		list = append(list,
			Command{"command.files", "Alt 1", func() { a.Go(TabFiles) }},
			Command{"command.images", "Alt 2", func() { a.Go(TabImages) }},
			Command{"command.verify", "Alt 3", func() { a.Go(TabVerify) }},
			Command{"command.details", "Alt 4", func() { a.Go(TabDetails) }},
			Command{"command.start-verify", "", func() { a.Go(TabVerify); ar.Verify.Start() }},
			Command{"command.names", "", func() { ar.Extract.SaveNames(0) }},
		)
		if image := ar.Files.Image; image > 0 {
			list = append(list,
				Command{"command.extract", "Ctrl E", ar.Extract.Selection},
				Command{"command.extract-image", "", func() { ar.Extract.Image(image) }})
		}
		if in := &ar.Files.Inspector; in.Has && !in.Row.Dir {
			list = append(list, Command{"command.save", "Ctrl S", func() { ar.Extract.SaveFile("") }})
		}
		list = append(list, Command{"command.close", "", a.Close})
	}
	return append(list, Command{"command.shortcuts", "?", func() { a.ShowShortcuts(true) }})
}

// Scrolled passes on the scroll position and the visible height of an element, in CSS pixels.
func (a *App) Scrolled(id string, top, height float64) {
	a.update(func() {
		ar := a.Archive
		if ar == nil {
			return
		}
		switch id {
		case "list":
			ar.Files.List.scrolled(top, height)
		case "tree":
			ar.Files.Tree.scrolled(top, height)
		case "text":
			ar.Files.Preview.textScrolled(top, height)
		case "hex":
			if ar.Files.Preview.Open {
				ar.Files.Preview.Hex.scrolled(top, height)
			}
		case "results":
			ar.Search.scrolled(top, height)
		}
	})
}

// ShowShortcuts shows or hides the list of shortcuts.
func (a *App) ShowShortcuts(on bool) { a.update(func() { a.Shortcuts = on }) }

// Drag sets whether files are being dragged over the page.
func (a *App) Drag(on bool) {
	same := false
	a.Read(func() {
		same = a.Dragging == on
		a.Dragging = on
	})
	if !same {
		a.show()
	}
}

// Copy copies text to the clipboard.
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

// Measure updates Memory and Workers. It waits for the engine for 5 s at most.
func (a *App) Measure() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	memory, workers := a.engine.Memory(ctx), a.engine.Workers()
	same := false
	a.Read(func() {
		same = a.Memory>>20 == memory>>20 && a.Workers == workers
		a.Memory, a.Workers = memory, workers
	})
	if !same {
		a.show()
	}
}
