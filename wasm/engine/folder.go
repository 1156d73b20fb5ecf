package engine

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"sync"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wim/extract"
	"wimscope/worker/protocol"
)

const writesAtOnce = 32 // into a folder: each file costs the browser several turns, in which others go on

// folder writes an output's entries as files and folders. What the target refuses by name is told, and passed over;
// whatever else goes wrong ends the output. It remembers what it made, so that Abort can take it back: files that
// were there before are replaced as the person asked, and never removed.
type folder struct {
	fs      hackpadfs.FS
	recover bool // keep what is damaged
	dirs    map[string]dirState
	open    []openEntry // the files of a content that comes in pieces
	undo    []string    // what was made in folders that were there before, in order
	files   int
	bytes   int64
}

type dirState uint8

const (
	dirFound   dirState = iota // it was there
	dirMade                    // by this output
	dirRefused                 // by its name
	dirLost                    // a folder above it was refused
)

type openEntry struct {
	path string
	file hackpadfs.File
}

func newFolder(fs hackpadfs.FS, recover bool) *folder {
	return &folder{fs: fs, recover: recover, dirs: map[string]dirState{".": dirFound}}
}

// refusedName says that the target does not take a name, or has something of the other kind there: a file where a
// folder is wanted.
func refusedName(err error) bool {
	var e *protocol.Error
	return errors.As(err, &e) && e.Code == protocol.CodeName || errors.Is(err, hackpadfs.ErrNotDir) || errors.Is(err, hackpadfs.ErrIsDir)
}

// refusal tells of an entry whose name, or the name of whose folder, was refused. Paths of folders end in a slash.
func refusal(p string, st dirState, err error) protocol.Problem {
	r := protocol.Problem{Path: "/" + p, Reason: "name-refused"}
	if st == dirLost {
		r.Reason = "folder-refused"
	}
	if err != nil {
		r.Detail = err.Error()
	}
	return r
}

// ensure makes the folder p and those above it.
func (f *folder) ensure(p string) (dirState, error) {
	if st, ok := f.dirs[p]; ok {
		return st, nil
	}
	st := f.dirs["."]
	for i := 0; i <= len(p); i++ {
		if i < len(p) && p[i] != '/' {
			continue
		}
		known, ok := f.dirs[p[:i]]
		if !ok {
			var err error
			if known, err = f.enter(p[:i], st); err != nil {
				return known, err
			}
			f.dirs[p[:i]] = known
		}
		st = known
	}
	return st, nil
}

// enter makes or finds the folder p, whose parent has been seen to.
func (f *folder) enter(p string, parent dirState) (dirState, error) {
	switch parent {
	case dirRefused, dirLost:
		return dirLost, nil
	case dirFound:
		info, err := hackpadfs.Stat(f.fs, p)
		switch {
		case err == nil && info.IsDir():
			return dirFound, nil
		case err == nil, refusedName(err): // or a file where the folder should be
			return dirRefused, nil
		case !errors.Is(err, hackpadfs.ErrNotExist):
			return dirFound, err
		}
	}
	err := hackpadfs.MkdirAll(f.fs, p, 0o777)
	if refusedName(err) {
		return dirRefused, nil
	}
	if err == nil && parent == dirFound {
		f.undo = append(f.undo, p)
	}
	return dirMade, err
}

// place makes room for the file p: dirRefused or dirLost if it may not be written.
func (f *folder) place(p string) (dirState, error) {
	st, err := f.ensure(path.Dir(p))
	if err != nil {
		return st, err
	}
	if st >= dirRefused {
		return dirLost, nil
	}
	if st == dirFound {
		info, err := hackpadfs.Stat(f.fs, p)
		switch {
		case refusedName(err), err == nil && info.IsDir():
			return dirRefused, nil
		case errors.Is(err, hackpadfs.ErrNotExist):
			f.undo = append(f.undo, p)
		case err != nil:
			return st, err
		}
	}
	return st, nil
}

// segment writes a segment's entries and returns once all of them are there.
func (f *folder) segment(ctx context.Context, seg *extract.Segment) ([]protocol.Problem, error) {
	data, s := seg.Data, seg.Entries
	damaged := make(map[string]bool) // that are not to be kept
	for i := range seg.Damaged {
		if !seg.Damaged[i].Marked || !f.recover {
			damaged[seg.Damaged[i].Path] = true
		}
	}
	var (
		mu      sync.Mutex
		refused []*protocol.Problem
		failure error
	)
	refuse := func(p protocol.Problem) {
		mu.Lock()
		defer mu.Unlock()
		refused = append(refused, &p)
	}
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if failure == nil {
			failure = err
		}
	}
	failed := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return failure != nil
	}
	room := make(chan struct{}, writesAtOnce)
	var wg sync.WaitGroup
	for i := range s {
		p := &s[i]
		if err := ctx.Err(); err != nil || failed() {
			fail(err)
			break
		}
		if p.Len < 0 || p.Len > int64(len(data)) {
			fail(badRequest("segment and entries do not fit"))
			break
		}
		body := data[:p.Len]
		data = data[p.Len:]
		if p.Off > 0 || !p.Last {
			if err := f.cut(p, body, damaged, refuse); err != nil {
				fail(err)
				break
			}
			continue
		}
		for j := range p.Entries {
			e := &p.Entries[j]
			if !hackpadfs.ValidPath(e.Path) {
				refuse(refusal(e.Path, dirRefused, nil))
				continue
			}
			switch e.Kind {
			case extract.EntryDir:
				if st, err := f.ensure(e.Path); err != nil {
					fail(err)
				} else if st >= dirRefused {
					refuse(refusal(e.Path+"/", st, nil))
				}
				continue
			case extract.EntrySymlink:
				if err := f.symlink(e); err != nil {
					refuse(protocol.Problem{Path: "/" + e.Path, Reason: "reparse", Detail: e.Target})
				}
				continue
			}
			st, err := f.place(e.Path)
			if err != nil {
				fail(err)
				break
			}
			if st >= dirRefused {
				refuse(refusal(e.Path, st, nil))
				continue
			}
			room <- struct{}{}
			wg.Go(func() {
				err := f.write(e.Path, body)
				<-room
				switch {
				case refusedName(err):
					refuse(refusal(e.Path, dirRefused, err))
				case err != nil:
					fail(err)
				default:
					mu.Lock()
					f.files++
					f.bytes += int64(len(body))
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	// In the order of paths, which does not depend on who was first. Sorting pointers shares its code with search.
	slices.SortStableFunc(refused, func(a, b *protocol.Problem) int { return cmp.Compare(a.Path, b.Path) })
	var list []protocol.Problem
	for _, p := range refused {
		list = append(list, *p)
	}
	return list, failure
}

// write writes a whole file.
func (f *folder) write(p string, data []byte) error {
	file, err := hackpadfs.OpenFile(f.fs, p, hackpadfs.FlagWriteOnly|hackpadfs.FlagCreate|hackpadfs.FlagTruncate, 0o666)
	if err != nil {
		return err
	}
	if _, err := hackpadfs.WriteFile(file, data); err != nil {
		giveUp(file)
		return err
	}
	return file.Close()
}

// giveUp closes a file without keeping what was written to it, where the target can do that.
func giveUp(file hackpadfs.File) {
	if a, ok := file.(interface{ Abort() error }); ok {
		_ = a.Abort() // the failure that led here is the one to tell
		return
	}
	_ = file.Close()
}

// cut writes a piece of a content that comes in several. One that turns out damaged at its end is not kept.
func (f *folder) cut(p *extract.EntryPiece, data []byte, damaged map[string]bool, refuse func(protocol.Problem)) error {
	if p.Off == 0 {
		if len(f.open) > 0 {
			return badRequest("a content begins before the last one ended")
		}
		for j := range p.Entries {
			e := &p.Entries[j]
			st := dirRefused
			if hackpadfs.ValidPath(e.Path) {
				var err error
				if st, err = f.place(e.Path); err != nil {
					return err
				}
			}
			if st >= dirRefused {
				refuse(refusal(e.Path, st, nil))
				continue
			}
			file, err := hackpadfs.OpenFile(f.fs, e.Path, hackpadfs.FlagWriteOnly|hackpadfs.FlagCreate|hackpadfs.FlagTruncate, 0o666)
			if refusedName(err) {
				refuse(refusal(e.Path, dirRefused, err))
				continue
			}
			if err != nil {
				return err
			}
			f.open = append(f.open, openEntry{e.Path, file})
		}
	}
	for _, o := range f.open {
		if _, err := hackpadfs.WriteAtFile(o.file, data, p.Off); err != nil {
			return err
		}
		f.bytes += int64(len(data))
	}
	if !p.Last {
		return nil
	}
	for len(f.open) > 0 {
		o := f.open[0]
		f.open = f.open[1:]
		if damaged[o.path] {
			giveUp(o.file)
			continue
		}
		switch err := o.file.Close(); {
		case refusedName(err):
			refuse(refusal(o.path, dirRefused, err))
		case err != nil:
			return err
		default:
			f.files++
		}
	}
	return nil
}

// symlink makes a link where the target has such.
func (f *folder) symlink(e *extract.Entry) error {
	if st, err := f.ensure(path.Dir(e.Path)); err != nil || st >= dirRefused {
		return hackpadfs.ErrNotImplemented
	}
	return hackpadfs.Symlink(f.fs, e.Target, e.Path)
}

// create makes a file that is written piece by piece, or empties it. It is there once complete says so.
func (f *folder) create(p string) (hackpadfs.File, error) {
	st, err := f.place(p)
	if err == nil && st >= dirRefused {
		err = &protocol.Error{Code: protocol.CodeName, Name: p, Message: "the browser does not take the name " + p}
	}
	if err != nil {
		return nil, err
	}
	file, err := hackpadfs.OpenFile(f.fs, p, hackpadfs.FlagWriteOnly|hackpadfs.FlagCreate|hackpadfs.FlagTruncate, 0o666)
	if err == nil {
		f.open = append(f.open, openEntry{p, file})
	}
	return file, err
}

// complete closes the files that create made.
func (f *folder) complete() error {
	for len(f.open) > 0 {
		o := f.open[0]
		f.open = f.open[1:]
		if err := o.file.Close(); err != nil {
			return err
		}
		f.files++
	}
	return nil
}

// finish checks that nothing is left half-written.
func (f *folder) finish() error {
	if len(f.open) > 0 {
		return badRequest("a content ended before its last piece")
	}
	return nil
}

// abort takes back what was made.
func (f *folder) abort() error {
	for _, o := range f.open {
		giveUp(o.file)
	}
	f.open = nil
	var first error
	for _, p := range slices.Backward(f.undo) {
		if err := hackpadfs.RemoveAll(f.fs, p); err != nil && first == nil && !errors.Is(err, hackpadfs.ErrNotExist) {
			first = err
		}
	}
	return first
}
