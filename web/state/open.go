package state

import (
	"context"
	"errors"
	"path"
	"strings"

	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// Archive is the open archive and what each of its screens shows.
type Archive struct {
	ID      string
	Session Session
	Info    protocol.Archive
	Parts   []File
	Refs    []File
	Restart bool   // its worker died and it is being opened again
	Broken  string // why it could not be

	Files   Files
	Search  Search
	Images  Images
	Verify  Verify
	Details Details

	ctx     context.Context
	stop    context.CancelFunc
	counted bool // Info.Elsewhere is known, or being asked for
	before  int  // Info.Elsewhere before the last reference was added, -1 if none was
}

// SampleID is the ID of the archive that comes with the page.
const SampleID = "sample"

// ArchiveID names an archive in addresses: the first 12 digits of its GUID, which is the same on every machine.
func ArchiveID(info *protocol.Archive) string {
	if info.Sample {
		return SampleID
	}
	if len(info.GUID) >= 12 {
		return info.GUID[:12]
	}
	return "archive"
}

// MissingName guesses what part n of the set is called: install.swm, install2.swm, install3.swm.
func (ar *Archive) MissingName(n int) string {
	if len(ar.Parts) == 0 {
		return ""
	}
	return partName(ar.Info.Parts, ar.Parts[0].Name, n)
}

func partName(parts []protocol.Part, otherwise string, n int) string {
	name, number := otherwise, 1
	if len(parts) > 0 {
		name, number = parts[0].Name, parts[0].Number
	}
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if number > 1 {
		stem = strings.TrimSuffix(stem, itoa(number))
	}
	if n > 1 {
		stem += itoa(n)
	}
	return stem + ext
}

// Choose lets a person pick files to open.
func (a *App) Choose() {
	go func() {
		files, err := a.platform.PickFiles()
		if err != nil {
			if !errors.Is(err, ErrDismissed) {
				a.fail(err)
			}
			return
		}
		a.Open(files)
	}()
}

// TrySample opens the archive that comes with the page.
func (a *App) TrySample() {
	go func() {
		f, err := a.platform.Sample()
		if err != nil {
			a.fail(err)
			return
		}
		a.open([]File{f}, nil, true)
	}()
}

// Open takes files that were dropped, picked or pasted: an archive, the parts of a split one, or what the open
// one is waiting for: a part that is missing, or the archive in which the contents of a delta lie.
func (a *App) Open(files []File) {
	if len(files) == 0 {
		return
	}
	a.mu.Lock()
	ar, pend := a.Archive, a.pendParts
	onStart := a.OnStart()
	a.mu.Unlock()
	switch {
	case len(pend) > 0 && onStart:
		go a.open(merge(pend, files), nil, false)
	case ar != nil && !onStart && len(ar.Info.Missing) > 0 && !ar.Info.Sample:
		go a.open(merge(ar.Parts, files), ar.Refs, false)
	case ar != nil && !onStart && ar.Info.Elsewhere.Blobs > 0:
		go a.open(ar.Parts, merge(ar.Refs, files), ar.Info.Sample)
	default:
		go a.openNew(files)
	}
}

// OpenInstead opens files as an archive of their own, whatever the open one is waiting for.
func (a *App) OpenInstead(files []File) { go a.openNew(files) }

// merge adds files to list; one of the same name and size as one that is there takes its place.
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

// opening says that files are being opened, and gives the number by which to see whether others were meanwhile.
func (a *App) opening(files []File) (serial int) {
	a.update(func() {
		a.openSerial++
		serial = a.openSerial
		if label := fileNames(files); label != a.Opening {
			a.Opening = label
			a.say(a.T("open.opening", label))
		}
		a.Problem, a.Choice = nil, nil
	})
	return serial
}

func fileNames(files []File) string {
	names := make([]string, len(files))
	for i := range files {
		names[i] = files[i].Name
	}
	return strings.Join(names, ", ")
}

func (a *App) open(parts, refs []File, sample bool) {
	serial := a.opening(parts)
	files := pool.Files{Parts: poolFiles(parts), References: poolFiles(refs)}
	s, err := a.engine.Open(context.Background(), files)
	a.update(func() {
		if serial != a.openSerial {
			if err == nil {
				s.Close()
			}
			return
		}
		a.Opening = ""
		if err != nil {
			a.refuse(err, parts)
			return
		}
		a.install(s, parts, refs, sample)
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
func (a *App) refuse(err error, parts []File) {
	e := protocol.AsError(err)
	a.pendParts = nil
	if e.Code == protocol.CodeMissingPart {
		a.pendParts = parts
	}
	name := e.Name
	if name == "" && len(parts) > 0 {
		name = parts[0].Name
	}
	a.Problem = NewProblem(e, name)
	a.settle(a.Problem, parts)
	a.say(a.T(a.Problem.TitleKey(), a.Problem.Args()...))
	if !a.OnStart() {
		return // it is shown above what is open
	}
	if a.Route.ID != "" {
		a.move(Route{}, false)
	}
}

// fail shows an error that has nothing to do with particular files.
func (a *App) fail(err error) {
	a.update(func() {
		a.Opening = ""
		a.Problem = NewProblem(protocol.AsError(err), "")
		a.say(a.T(a.Problem.TitleKey(), a.Problem.Args()...))
	})
}

// DismissProblem takes the card away.
func (a *App) DismissProblem() {
	a.update(func() { a.Problem, a.pendParts = nil, nil })
}

// install makes s the open archive.
func (a *App) install(s Session, parts, refs []File, sample bool) {
	info := s.Archive()
	info.Sample = sample
	ar := &Archive{Session: s, Info: info, Parts: parts, Refs: refs, before: -1}
	ar.ID = ArchiveID(&info)
	ar.ctx, ar.stop = context.WithCancel(context.Background())
	old := a.Archive
	a.Archive, a.Waiting, a.Problem, a.pendParts = ar, nil, nil, nil
	ar.Files.init(a.rowHeight())
	again := old != nil && old.ID == ar.ID
	if old != nil {
		if again && len(refs) > len(old.Refs) {
			ar.before = old.Info.Elsewhere.Blobs
		}
		a.retire(old)
	}
	s.OnState(func(st pool.SessionState, e *protocol.Error) {
		a.update(func() {
			ar.Restart = st == pool.SessionReopening
			switch {
			case ar.Restart:
				a.note(a.T("engine.restarting"), true)
			case st == pool.SessionFailed && e != nil:
				ar.Broken = e.Message
				a.Problem = a.problem(ar, e, "")
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
	a.move(r, false)
	a.follow(r)
	a.say(a.T("open.opened", info.Name, len(info.Images)))
	if !a.UsesOnRequest() || ar.before >= 0 {
		a.countLacks()
	}
	go a.remember(ar)
	go a.Measure()
}

// countLacks asks how many contents lie in other archives, once.
func (a *App) countLacks() {
	ar := a.Archive
	if ar.counted || len(ar.Info.Missing) > 0 {
		return
	}
	ar.counted = true
	go func() {
		e, err := ar.Session.Lacks(ar.ctx)
		a.update(func() {
			if err != nil || a.Archive != ar {
				return
			}
			ar.Info.Elsewhere = e
			switch {
			case e.Blobs == 0:
			case ar.before >= 0 && e.Blobs >= ar.before:
				a.note(a.T("delta.no-help", ar.Refs[len(ar.Refs)-1].Name), true)
			default:
				a.say(a.T("delta.banner", e.Blobs))
			}
		})
	}()
}

// retire closes an archive as soon as no job needs it.
func (a *App) retire(ar *Archive) {
	for _, j := range a.Jobs {
		if j.Active() && j.ar == ar {
			return // the end of its last job comes here again
		}
	}
	ar.close()
}

func (ar *Archive) close() {
	ar.stop()
	ar.Session.Close()
}

// Close closes the archive and leads to the start screen. Its jobs are cancelled.
func (a *App) Close() {
	a.update(func() {
		ar := a.Archive
		if ar == nil {
			return
		}
		for _, j := range a.Jobs {
			if j.Active() {
				j.job.Cancel()
			}
		}
		ar.Files.Preview.release(a.platform)
		ar.close()
		a.Archive = nil
		a.move(Route{}, false)
		a.follow(Route{})
	})
	go a.Measure()
}

// remember puts the archive among the recent ones.
func (a *App) remember(ar *Archive) {
	if ar.Info.Sample {
		return
	}
	r := Recent{ID: ar.ID, Name: ar.Info.Name, Size: ar.Info.Size, Images: len(ar.Info.Images), When: a.platform.Now()}
	// With its references: what came together is sorted when it is opened again.
	for _, list := range [][]File{ar.Parts, ar.Refs} {
		handles := r.Handles
		for _, f := range list {
			if f.Handle == nil {
				handles = r.Handles
				break
			}
			handles = append(handles, f.Handle)
		}
		if len(handles) == len(r.Handles) {
			break // without all of its parts nothing is opened
		}
		r.Handles = handles
	}
	// Where there is no database, or it is full, the archive is just not remembered.
	if a.platform.PutRecent(r) != nil {
		return
	}
	if list, err := a.platform.Recents(); err == nil {
		a.update(func() { a.Recents = list })
	}
}

// seek brings the archive that a link points into, or asks for it.
func (a *App) seek(r Route) {
	if r.ID == SampleID {
		a.TrySample()
		return
	}
	for i := range a.Recents {
		if a.Recents[i].ID != r.ID {
			continue
		}
		rec := a.Recents[i]
		if rec.State == RecentReady && len(rec.Handles) > 0 {
			go a.openRecent(rec, false)
			return
		}
		a.Waiting = &rec
		return
	}
	a.Waiting = &Recent{ID: r.ID, State: RecentMissing}
}

// OpenRecent opens an archive that was open before, after asking for permission if it must.
func (a *App) OpenRecent(id string) {
	var rec Recent
	a.Read(func() {
		for _, r := range a.Recents {
			if r.ID == id {
				rec = r
			}
		}
	})
	if len(rec.Handles) > 0 {
		go a.openRecent(rec, true)
	}
}

func (a *App) openRecent(rec Recent, ask bool) {
	var files []File
	for _, h := range rec.Handles {
		ok, err := a.platform.Allowed(h, false, ask)
		if err == nil && !ok {
			a.update(func() {
				if !ask {
					rec.State = RecentAsks
					a.Waiting = &rec
				} else {
					a.note(a.T("recent.refused", rec.Name), true)
				}
			})
			return
		}
		var f File
		if err == nil {
			f, err = a.platform.FileOf(h)
		}
		if err != nil {
			a.update(func() {
				for i := range a.Recents {
					if a.Recents[i].ID == rec.ID {
						a.Recents[i].State = RecentMissing
					}
				}
				rec.State = RecentMissing
				if ask {
					a.note(a.T("recent.gone", rec.Name), true)
				} else {
					a.Waiting = &rec
				}
			})
			return
		}
		f.Handle = h
		files = append(files, f)
	}
	a.openNew(files)
}

// ForgetRecent takes an archive out of the list.
func (a *App) ForgetRecent(id string) {
	go func() {
		err := a.platform.DropRecent(id)
		a.update(func() {
			if err != nil {
				return
			}
			for i := range a.Recents {
				if a.Recents[i].ID == id {
					a.Recents = append(a.Recents[:i:i], a.Recents[i+1:]...)
					return
				}
			}
		})
	}()
}
