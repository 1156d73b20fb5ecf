package state

import "strings"

// Palette is the list of commands that a > in the search box opens.
type Palette struct {
	Open   bool
	Query  string // with its >
	Cursor int
}

// Command is something that the palette can do.
type Command struct {
	Key  string // of its name in the catalogue
	Keys string // its shortcut, "" if none
	Run  func()
}

// Commands are those that can be done now and fit what is typed.
func (a *App) Commands() []Command {
	all := []Command{
		{"command.open", "Ctrl O", a.Choose},
		{"command.sample", "", a.TrySample},
	}
	if ar := a.Archive; ar != nil && !a.OnStart() {
		all = append(all,
			Command{"command.files", "Alt 1", func() { a.Go(TabFiles) }},
			Command{"command.images", "Alt 2", func() { a.Go(TabImages) }},
			Command{"command.verify", "Alt 3", func() { a.Go(TabVerify) }},
			Command{"command.details", "Alt 4", func() { a.Go(TabDetails) }},
			Command{"command.start-verify", "", func() { a.Go(TabVerify); a.StartVerify() }},
			Command{"command.names", "", func() { a.SaveNames(0) }},
		)
		if image := ar.Files.Image; image > 0 {
			all = append(all,
				Command{"command.extract", "Ctrl E", a.ExtractSelection},
				Command{"command.extract-image", "", func() { a.ExtractImage(image) }})
		}
		if ar.Files.Insp.Has && !ar.Files.Insp.Row.Dir {
			all = append(all, Command{"command.save", "Ctrl S", func() { a.SaveFile("") }})
		}
		all = append(all, Command{"command.close", "", a.Close})
	}
	all = append(all, Command{"command.shortcuts", "?", func() { a.ShowShortcuts(true) }})
	want := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(a.Palette.Query, ">")))
	var out []Command
	for _, c := range all {
		if fuzzy(strings.ToLower(a.T(c.Key)), want) {
			out = append(out, c)
		}
	}
	return out
}

// fuzzy tells whether want's letters stand in name in their order.
func fuzzy(name, want string) bool {
	for _, c := range want {
		if c == ' ' {
			continue
		}
		i := strings.IndexRune(name, c)
		if i < 0 {
			return false
		}
		name = name[i+len(string(c)):]
	}
	return true
}

// PaletteKey does what a key means while the palette is open.
func (a *App) PaletteKey(key string) bool {
	var run func()
	done := true
	a.update(func() {
		if !a.Palette.Open {
			done = false
			return
		}
		list := a.Commands()
		switch key {
		case "ArrowDown":
			a.Palette.Cursor = min(a.Palette.Cursor+1, max(len(list)-1, 0))
		case "ArrowUp":
			a.Palette.Cursor = max(a.Palette.Cursor-1, 0)
		case "Enter":
			if a.Palette.Cursor < len(list) {
				run = list[a.Palette.Cursor].Run
			}
			a.Palette = Palette{}
		case "Escape":
			a.Palette = Palette{}
		default:
			done = false
		}
	})
	if run != nil {
		run()
	}
	return done
}

// RunCommand runs the command of a row of the palette.
func (a *App) RunCommand(i int) {
	var run func()
	a.update(func() {
		if list := a.Commands(); i < len(list) {
			run = list[i].Run
		}
		a.Palette = Palette{}
	})
	if run != nil {
		run()
	}
}

// OpenPalette opens the palette from the keyboard.
func (a *App) OpenPalette() {
	a.update(func() { a.Palette = Palette{Open: true, Query: ">"} })
}
