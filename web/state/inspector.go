package state

import (
	"time"

	"wimscope/worker/protocol"
)

// Inspector is the right pane: the one entry that is selected.
type Inspector struct {
	Row     protocol.Row
	Has     bool
	Details *protocol.Details // nil until it has arrived
	Problem *Problem
	Uses    *protocol.UsesReply
	Asking  bool // Uses is on its way

	serial int
}

// autoUses is the number of entries up to which the archive's images are searched for other uses of a content
// without being asked: it means that the trees of all of them are loaded.
const autoUses = 400_000

// usesCount is how many uses are listed.
const usesCount = 100

// inspect shows the entry under the cursor, if it alone is selected. Keys that repeat ask for the last one only.
func (a *App) inspect() {
	ar := a.Archive
	f := &ar.Files
	in := &f.Insp
	row, ok := f.List.Row(f.List.Cursor)
	ok = ok && f.List.Sel.Count() == 1 && f.List.Sel.Has(f.List.Cursor)
	if ok && in.Has && in.Row.Node == row.Node && in.Details != nil {
		return
	}
	serial := in.serial + 1
	*in = Inspector{Row: row, Has: ok, serial: serial}
	if !ok {
		return
	}
	image, node := f.Image, row.Node
	current := func() bool { return a.Archive == ar && in.serial == serial }
	time.AfterFunc(40*time.Millisecond, func() {
		still := false
		a.Read(func() { still = current() })
		if !still {
			return
		}
		d, err := ar.Session.Stat(ar.ctx, protocol.StatRequest{Image: image, Node: node})
		ask := false
		a.update(func() {
			if !current() {
				return
			}
			if err != nil {
				in.Problem = a.problem(ar, err, row.Name)
				return
			}
			in.Details = &d
			ask = d.Hash != "" && !a.UsesOnRequest()
		})
		if ask {
			time.AfterFunc(150*time.Millisecond, func() { a.askUses(serial) })
		}
	})
}

// FindUses looks for all uses of the inspected entry's content.
func (a *App) FindUses() {
	var serial int
	a.Read(func() { serial = a.Archive.Files.Insp.serial })
	a.askUses(serial)
}

func (a *App) askUses(serial int) {
	var ar *Archive
	var in *Inspector
	var hash string
	a.update(func() {
		if a.Archive == nil {
			return
		}
		in = &a.Archive.Files.Insp
		if in.serial == serial && in.Details != nil && !in.Asking && in.Uses == nil {
			ar, hash = a.Archive, in.Details.Hash
			in.Asking = true
		}
	})
	if ar == nil {
		return
	}
	go func() {
		rep, err := ar.Session.Uses(ar.ctx, protocol.UsesRequest{Hash: hash, Count: usesCount})
		a.update(func() {
			if a.Archive != ar || in.serial != serial {
				return
			}
			in.Asking = false
			if err == nil {
				in.Uses = &rep
			}
		})
	}()
}

// size returns the size in bytes of the entry's content, or of a named stream; 0 if unknown.
func (in *Inspector) size(stream string) int64 {
	if stream == "" {
		return in.Row.Size
	}
	if in.Details != nil {
		for _, s := range in.Details.StreamList {
			if s.Name == stream {
				return s.Size
			}
		}
	}
	return 0
}

// Inspect shows the inspector pane on a narrow page.
func (a *App) Inspect() { a.ShowPane(PaneInspector) }

// UsesOnRequest tells whether other uses of a content are looked for only when asked. It is read within Read.
func (a *App) UsesOnRequest() bool {
	var entries int64
	for i := range a.Archive.Info.Images {
		entries += a.Archive.Info.Images[i].Files + a.Archive.Info.Images[i].Dirs
	}
	return entries > autoUses
}
