package state

import (
	"context"
	"errors"
	"strings"
	"sync"

	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// Opener opens archives: files that are picked or dropped, recent ones, the sample.
type Opener struct {
	Opening string   // names of the files that are being opened, "" if none are
	Problem *Problem // why they could not be opened, or why the open archive cannot be read
	Choice  *Choice  // several archives were dropped or picked together, nil if not
	Waiting *Recent  // the archive that the address names and the user must open or drop, nil if none
	Recents []Recent

	host    *host
	engine  Engine
	at      *address
	shown   func() *Archive // the archive that is shown, nil on the start screen
	install func(s Session, parts, refs []File, sample bool)

	pending []File // parts that were refused because another is missing
	serial  int

	recentsMu sync.Mutex // held while Recents is read from the database
}

// Choose lets the user pick files, and opens them.
func (o *Opener) Choose() {
	go func() {
		files, err := o.host.platform.PickFiles()
		if err != nil {
			if !errors.Is(err, ErrDismissed) {
				o.fail(err)
			}
			return
		}
		o.Open(files)
	}()
}

// TrySample opens the archive that comes with the page.
func (o *Opener) TrySample() {
	go func() {
		f, err := o.host.platform.Sample()
		if err != nil {
			o.fail(err)
			return
		}
		o.open([]File{f}, nil, true)
	}()
}

// Open opens files that were dropped, picked or pasted: an archive, the parts of a split one, or what the open archive
// lacks: missing parts, or the archive with the blobs that a delta refers to.
func (o *Opener) Open(files []File) {
	if len(files) == 0 {
		return
	}
	var ar *Archive
	var pending []File
	o.host.Read(func() { ar, pending = o.shown(), o.pending })
	switch {
	case len(pending) > 0 && ar == nil:
		go o.open(merge(pending, files), nil, false)
	case ar != nil && len(ar.Info.Missing) > 0 && !ar.Info.Sample:
		go o.open(merge(ar.Parts, files), ar.Refs, false)
	case ar != nil && ar.Info.Elsewhere.Blobs > 0:
		go o.open(ar.Parts, merge(ar.Refs, files), ar.Info.Sample)
	default:
		go o.openNew(files)
	}
}

// OpenInstead opens files in place of the open archive, whatever that lacks.
func (o *Opener) OpenInstead(files []File) { go o.openNew(files) }

// merge returns list with files added. A file replaces one of the same name and size.
func merge(list, files []File) []File {
	out := append([]File(nil), list...)
next:
	for _, f := range files {
		for i := range out {
			if out[i].Name == f.Name && out[i].Size == f.Size {
				out[i] = f
				continue next
			}
		}
		out = append(out, f)
	}
	return out
}

// begin shows that files are being opened. The serial it returns differs from o.serial once other files are opened.
func (o *Opener) begin(files []File) (serial int) {
	o.host.update(func() {
		o.serial++
		serial = o.serial
		if label := fileNames(files); label != o.Opening {
			o.Opening = label
			o.host.announce("open.opening", label)
		}
		o.Problem, o.Choice = nil, nil
	})
	return serial
}

// drop gives up what is being opened, for example the open archive once more with references.
func (o *Opener) drop() {
	o.serial++
	o.Opening = ""
}

func fileNames(files []File) string {
	names := make([]string, len(files))
	for i := range files {
		names[i] = files[i].Name
	}
	return strings.Join(names, ", ")
}

func (o *Opener) open(parts, refs []File, sample bool) {
	serial := o.begin(parts)
	files := pool.Files{Parts: poolFiles(parts), References: poolFiles(refs)}
	s, err := o.engine.Open(context.Background(), files)
	o.host.update(func() {
		if serial != o.serial {
			if err == nil {
				s.Close()
			}
			return
		}
		o.Opening = ""
		if err != nil {
			o.refuse(err, parts)
			return
		}
		o.Waiting, o.Problem, o.pending = nil, nil, nil
		o.install(s, parts, refs, sample)
	})
}

func poolFiles(files []File) []pool.File {
	out := make([]pool.File, len(files))
	for i, f := range files {
		out[i] = pool.File{Name: f.Name, Value: f.Value}
	}
	return out
}

// refuse shows why files could not be opened.
func (o *Opener) refuse(err error, parts []File) {
	e := protocol.AsError(err)
	o.pending = nil
	if e.Code == protocol.CodeMissingPart {
		o.pending = parts
	}
	name := e.Name
	if name == "" && len(parts) > 0 {
		name = parts[0].Name
	}
	o.Problem = NewProblem(e, name)
	o.host.checkChanged(o.Problem, parts)
	o.host.announce(o.Problem.TitleKey(), o.Problem.Args()...)
	if o.shown() == nil { // otherwise the problem is shown above the open archive
		o.at.move(Route{}, false)
	}
}

// fail shows an error that concerns no particular file.
func (o *Opener) fail(err error) {
	o.host.update(func() {
		o.Opening = ""
		o.Problem = NewProblem(protocol.AsError(err), "")
		o.host.announce(o.Problem.TitleKey(), o.Problem.Args()...)
	})
}

// DismissProblem hides the problem.
func (o *Opener) DismissProblem() {
	o.host.update(func() { o.Problem, o.pending = nil, nil })
}
