package extract

import "wimscope/wim"

// Rules are those of the system on which an extraction creates entries.
type Rules interface {
	// Name reports whether n can be created under its name or another one. Otherwise it is left out, with everything below.
	Name(n wim.Node) bool
	// Kind returns what is created for n: a file, a folder, a symbolic link with its target, or a special file. empty is set
	// for a file that does not get its content. An error ends New.
	Kind(n wim.Node) (kind EntryKind, target string, empty bool, err error)
}

// Placing gives the entries of a plan places instead of paths. ByPlace returns it; only programs that call ByPlace link the
// code.
type Placing interface {
	add(p *Plan, u extractUse, taken placer) error
	place(p *Plan, u *extractUse, e *Entry)
}

// ByPlace makes a plan whose entries have places, so that their paths may have any length, and their names and kinds by
// rules. If a whole image is extracted, the output's own folder has an entry too.
func ByPlace(r Rules) Placing { return &placing{r, map[wim.Node]bool{}} }

type placing struct {
	rules Rules
	out   map[wim.Node]bool // entries whose children are left out
}

// add adds an entry to a plan as what the rules make of it.
func (x *placing) add(p *Plan, u extractUse, taken placer) error {
	im, n, base := p.sel.Image, u.node, p.tops[u.top].base
	leaveOut := func() {
		if _, below := im.Children(n); below > 0 {
			x.out[n] = true
		}
	}
	named := n == 0 || n == base
	if !named {
		up := im.Parent(n)
		named = (up == base || !x.out[up]) && x.rules.Name(n)
	}
	if !named {
		p.problem(&p.Refused, n, "name", "", nil)
		leaveOut()
		return nil
	}
	if taken != nil && !taken.take(p, u) {
		return nil
	}
	kind, target, empty, err := x.rules.Kind(n)
	if err != nil {
		return err
	}
	switch u.kind = kind; kind {
	case EntryDir:
		p.add(u)
	case EntrySymlink:
		p.symlink(u, target)
	default:
		p.file(u, empty || kind == EntrySpecial)
	}
	if kind != EntryDir {
		leaveOut() // of a link to a folder
	}
	p.streams(n, u.top, 0, maxOutPath)
	return nil
}

// place sets the place of an entry, and the target of a link.
func (x *placing) place(p *Plan, u *extractUse, e *Entry) {
	e.At = Place{u.node, p.tops[u.top].base}
	switch u.kind {
	case EntrySymlink:
		e.Target = p.targets[u.aux]
	case EntryHardLink:
		e.First = Place{wim.Node(u.aux), p.tops[u.link].base}
	}
}
