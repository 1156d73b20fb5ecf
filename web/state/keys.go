package state

// Key does what a key means anywhere on the page, if nothing nearer had a use for it; it reports whether it means
// anything. Typing says that the focus is in a text field.
func (a *App) Key(key string, held Keys, typing bool) bool {
	var open, dialog, preview, searching bool
	a.Read(func() {
		open = a.Archive != nil && !a.OnStart()
		dialog = a.Extract != nil || a.Report != nil || a.Shortcuts || a.Choice != nil
		preview = open && a.Route.Tab == TabFiles && a.Archive.Files.Preview.Open
		searching = open && a.Route.Tab == TabSearch
	})
	if dialog {
		return false // a modal dialog has the keyboard to itself
	}
	switch {
	case held.Ctrl && !held.Alt && !held.Shift && (key == "o" || key == "O"):
		a.Choose()
	case held.Ctrl && !held.Alt && !held.Shift && (key == "k" || key == "K") && open, key == "F1" && open:
		a.focus("search")
	case held.Ctrl && !held.Alt && !held.Shift && (key == "f" || key == "F") && open && !preview:
		a.Go(TabFiles)
		a.focus("filter")
	case held.Ctrl && !held.Alt && !held.Shift && (key == "s" || key == "S") && open:
		a.SaveFile("")
	case held.Ctrl && !held.Alt && !held.Shift && (key == "e" || key == "E") && open:
		a.ExtractSelection()
	case held.Alt && !held.Ctrl && len(key) == 1 && key >= "1" && key <= "4" && open:
		a.Go(tabs[key[0]-'1'])
	case held.Alt && !held.Ctrl && key == "ArrowUp" && open:
		a.Up()
	case key == "F6" && open:
		a.nextPane(held.Shift)
	case key == "?" && !typing:
		a.ShowShortcuts(true)
	case key == "Escape" && preview:
		a.ClosePreview()
	case key == "Escape" && searching:
		a.LeaveSearch()
	default:
		return false
	}
	return true
}

// focus puts the focus on an element. The browser does that when the page was shown, which is asked for here: nothing else
// may have changed.
func (a *App) focus(id string) {
	a.update(func() { a.platform.Focus(id) })
}

// panes are what F6 goes through.
var panes = [...]string{"search", "tree", "list", "inspector"}

// nextPane puts the focus on the next pane.
func (a *App) nextPane(back bool) {
	a.update(func() {
		step := 1
		if back {
			step = len(panes) - 1
		}
		a.paneAt = (a.paneAt + step) % len(panes)
		if a.Route.Tab != TabFiles {
			a.paneAt = 0
		}
		id := panes[a.paneAt]
		if id == "list" && a.Archive.Files.Preview.Open {
			id = "preview"
		}
		a.platform.Focus(id)
	})
}

// Focused tells which pane has the focus.
func (a *App) Focused(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, p := range panes {
		if p == id {
			a.paneAt = i
		}
	}
}
