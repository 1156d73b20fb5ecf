package state

import "strings"

// Palette is the list of commands that opens with a > in the search box.
type Palette struct {
	Open   bool
	Query  string // with the >
	Cursor int

	host *host
	all  func() []Command // the commands available now
}

// Command is a command of the palette.
type Command struct {
	Key  string // of its name in the catalogue
	Keys string // its shortcut, "" if none
	Run  func()
}

// Commands returns the available commands that match the query.
func (p *Palette) Commands() []Command {
	want := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(p.Query, ">")))
	var out []Command
	for _, c := range p.all() {
		if fuzzy(strings.ToLower(p.host.T(c.Key)), want) {
			out = append(out, c)
		}
	}
	return out
}

// fuzzy reports whether name contains the letters of want in their order.
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

// set opens the palette with a query.
func (p *Palette) set(query string) { p.Open, p.Query, p.Cursor = true, query, 0 }

func (p *Palette) close() { p.Open, p.Query, p.Cursor = false, "", 0 }

// Key handles a key while the palette is open. It reports whether the key was used.
func (p *Palette) Key(key string) bool {
	done, run := true, -1
	p.host.update(func() {
		if !p.Open {
			done = false
			return
		}
		switch key {
		case "ArrowDown":
			p.Cursor = min(p.Cursor+1, max(len(p.Commands())-1, 0))
		case "ArrowUp":
			p.Cursor = max(p.Cursor-1, 0)
		case "Enter":
			run = p.Cursor
		case "Escape":
			p.close()
		default:
			done = false
		}
	})
	if run >= 0 {
		p.Run(run)
	}
	return done
}

// Run closes the palette and runs the command of row i.
func (p *Palette) Run(i int) {
	var run func()
	p.host.update(func() {
		if list := p.Commands(); i < len(list) {
			run = list[i].Run
		}
		p.close()
	})
	if run != nil {
		run()
	}
}
