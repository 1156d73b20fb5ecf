package state

import "slices"

// Key handles a key that no component has used. Typing says that the focus is in a text field. It reports whether the key
// was used.
func (a *App) Key(key string, held Keys, typing bool) bool {
	var ar *Archive // nil on the start screen
	var dialog, preview, searching bool
	a.Read(func() {
		ar = a.shown()
		dialog = a.Archive != nil && a.Archive.Extract.Dialog != nil || a.Jobs.Report != nil || a.Shortcuts || a.Opener.Choice != nil
		preview = ar != nil && a.Route.Tab == TabFiles && ar.Files.Preview.Open
		searching = ar != nil && a.Route.Tab == TabSearch
	})
	if dialog {
		return false // while a modal dialog is open, keys are for the dialog
	}
	switch {
	case held.Ctrl && !held.Alt && !held.Shift && (key == "o" || key == "O"):
		a.Opener.Choose()
	case held.Ctrl && !held.Alt && !held.Shift && (key == "k" || key == "K") && ar != nil, key == "F1" && ar != nil:
		a.focus("search")
	case held.Ctrl && !held.Alt && !held.Shift && (key == "f" || key == "F") && ar != nil && !preview:
		a.Go(TabFiles)
		a.focus("filter")
	case held.Ctrl && !held.Alt && !held.Shift && (key == "s" || key == "S") && ar != nil:
		ar.Extract.SaveFile("")
	case held.Ctrl && !held.Alt && !held.Shift && (key == "e" || key == "E") && ar != nil:
		ar.Extract.Selection()
	case held.Alt && !held.Ctrl && len(key) == 1 && key >= "1" && key <= "4" && ar != nil:
		a.Go(tabs[key[0]-'1'])
	case held.Alt && !held.Ctrl && key == "ArrowUp" && ar != nil:
		ar.Files.Up()
	case key == "F6" && ar != nil:
		a.nextPane(ar, held.Shift)
	case key == "?" && !typing:
		a.ShowShortcuts(true)
	case key == "Escape" && preview:
		ar.Files.Preview.Close()
	case key == "Escape" && searching:
		a.LeaveSearch()
	default:
		return false
	}
	return true
}

// focus moves the focus to an element. The browser does that after the next rendering, which focus requests because
// nothing else may.
func (a *App) focus(id string) {
	a.update(func() { a.platform.Focus(id) })
}

// panes are the panes that F6 cycles through.
var panes = [...]string{"search", "tree", "list", "inspector"}

// nextPane moves the focus to the next pane, or to the previous one.
func (a *App) nextPane(ar *Archive, back bool) {
	a.update(func() {
		step := 1
		if back {
			step = len(panes) - 1
		}
		a.pane = (a.pane + step) % len(panes)
		if a.Route.Tab != TabFiles {
			a.pane = 0
		}
		id := panes[a.pane]
		if id == "list" && ar.Files.Preview.Open {
			id = "preview"
		}
		a.platform.Focus(id)
	})
}

// Focused records that a pane has the focus.
func (a *App) Focused(id string) {
	if i := slices.Index(panes[:], id); i >= 0 {
		a.Read(func() { a.pane = i })
	}
}
