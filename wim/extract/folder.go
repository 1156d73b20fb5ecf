package extract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"

	"github.com/hack-pad/hackpadfs"
)

// Target is where a Folder creates files and folders: any hackpadfs file system with OpenFile, Stat, MkdirAll and
// RemoveAll, whose files have WriteAt; one that has links also has Lstat and Remove. A Folder also uses, if present,
// hackpadfs.SymlinkFS, LinkTarget, MetaTarget, and a method Abort() error of the files, which closes a file and discards
// what was written. Folder.Lost counts what the target cannot do.
type Target interface{ hackpadfs.FS }

// LinkTarget is a Target with hard links. Without it, the other names of a file become copies.
type LinkTarget interface {
	Target
	Link(oldname, newname string) error
}

// MetaTarget is a Target that stores an entry's times and attributes. SetMeta is called for a file when it is complete, and
// for folders at the end, the deepest first: creating an entry changes the time of its folder.
type MetaTarget interface {
	Target
	SetMeta(e *Entry) error
}

// FolderOptions controls how a Folder writes. The zero value writes one file at a time and discards damaged files.
type FolderOptions struct {
	Recover  bool             // keep damaged files, as far as they could be read
	Parallel int              // number of files of a segment that are written at once; 0 means 1. The target must be safe for that
	Refused  func(error) bool // reports whether an error of the target means that it refuses a name; nil: no error does
}

// ErrRefused reports a name that the target refuses.
var ErrRefused = errors.New("the target refuses the name")

// Lost counts entries that a Target cannot store exactly.
type Lost struct {
	Symlinks  int // left out
	HardLinks int // written as copies
	Times     int // files, folders and links without their times and attributes
	Names     int // refused, including entries of refused folders
}

// Folder writes the entries of an output as files and folders. An entry whose name the target refuses is reported and left
// out; any other error ends the output. A segment's hard links come after its files, symbolic links after everything else,
// so that none of them is in the path of another entry. A Folder records what it creates, so that Abort can remove it:
// files that already existed are replaced and never removed. It is not safe for concurrent use.
type Folder struct {
	Files int   // complete files
	Bytes int64 // bytes written
	Lost  Lost

	fs    Target
	o     FolderOptions
	links LinkTarget // nil if the target has no hard links
	meta  MetaTarget // nil if the target does not store metadata
	sym   hackpadfs.SymlinkFS
	dirs  map[string]dirState
	open  []openEntry // the files of a blob whose pieces are coming in
	undo  []string    // what was created in folders that already existed, in order

	later   []*Entry // symbolic links, which Finish creates
	folders []*Entry // folders whose times Finish sets
}

// NewFolder returns a Folder that writes to a target.
func NewFolder(t Target, o *FolderOptions) *Folder {
	f := &Folder{fs: t, dirs: map[string]dirState{".": dirFound}}
	if o != nil {
		f.o = *o
	}
	f.links, _ = t.(LinkTarget)
	f.meta, _ = t.(MetaTarget)
	f.sym, _ = t.(hackpadfs.SymlinkFS)
	return f
}

type dirState uint8

const (
	dirFound   dirState = iota // it already existed
	dirMade                    // created by this output
	dirRefused                 // its name was refused
	dirLost                    // a folder above it was refused
)

type openEntry struct {
	entry *Entry
	file  hackpadfs.File
}

// refused reports whether the target refuses a name, or has an entry of the other kind there: a file where a folder is
// wanted, or the reverse.
func (f *Folder) refused(err error) bool {
	return err != nil && f.o.Refused != nil && f.o.Refused(err) || errors.Is(err, hackpadfs.ErrNotDir) || errors.Is(err, hackpadfs.ErrIsDir)
}

// refusal returns the problem of an entry whose own name, or whose folder's name, was refused. Paths of folders end in a
// slash.
func refusal(p string, st dirState, err error) Problem {
	r := Problem{Path: "/" + p, Reason: "name-refused"}
	if st == dirLost {
		r.Reason = "folder-refused"
	}
	if err != nil {
		r.Detail = err.Error()
	}
	return r
}

// ensure creates the folder p and those above it.
func (f *Folder) ensure(p string) (dirState, error) {
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

// enter creates or finds the folder p, whose parent has the given state.
func (f *Folder) enter(p string, parent dirState) (dirState, error) {
	switch parent {
	case dirRefused, dirLost:
		return dirLost, nil
	case dirFound:
		info, err := hackpadfs.LstatOrStat(f.fs, p)
		switch {
		case err == nil && info.IsDir():
			return dirFound, nil
		case err == nil, f.refused(err): // a file or link is in the place of the folder
			return dirRefused, nil
		case !errors.Is(err, hackpadfs.ErrNotExist):
			return dirFound, err
		}
	}
	err := hackpadfs.MkdirAll(f.fs, p, 0o777)
	if f.refused(err) {
		return dirRefused, nil
	}
	if err == nil && parent == dirFound {
		f.undo = append(f.undo, p)
	}
	return dirMade, err
}

// place prepares the target for the file p. It returns dirRefused or dirLost if the file cannot be written.
func (f *Folder) place(p string) (dirState, error) {
	st, err := f.ensure(path.Dir(p))
	if err != nil {
		return st, err
	}
	if st >= dirRefused {
		return dirLost, nil
	}
	if st == dirFound {
		info, err := hackpadfs.LstatOrStat(f.fs, p)
		switch {
		case f.refused(err), err == nil && info.IsDir():
			return dirRefused, nil
		case err == nil && info.Mode()&hackpadfs.ModeSymlink != 0: // writing would follow the link
			if err := hackpadfs.Remove(f.fs, p); err != nil {
				return st, err
			}
		case errors.Is(err, hackpadfs.ErrNotExist):
			f.undo = append(f.undo, p)
		case err != nil:
			return st, err
		}
	}
	return st, nil
}

// Segment writes a segment's entries and returns when they are complete, except symbolic links. The problems are sorted by
// path.
func (f *Folder) Segment(ctx context.Context, seg *Segment) ([]Problem, error) {
	data, s := seg.Data, seg.Entries
	damaged := make(map[string]bool) // paths of files that are discarded
	for i := range seg.Damaged {
		if !seg.Damaged[i].Marked || !f.o.Recover {
			damaged[seg.Damaged[i].Path] = true
		}
	}
	var (
		mu      sync.Mutex
		refused []*Problem
		failure error
	)
	refuse := func(p Problem) {
		mu.Lock()
		defer mu.Unlock()
		refused = append(refused, &p)
		if p.Reason == "reparse" {
			f.Lost.Symlinks++
		} else {
			f.Lost.Names++
		}
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
	made := func(e *Entry, size int) error {
		kept, err := f.keepMeta(e)
		mu.Lock()
		defer mu.Unlock()
		f.Files++
		f.Bytes += int64(size)
		f.countMeta(kept)
		return err
	}
	room := make(chan struct{}, max(1, f.o.Parallel))
	var wg sync.WaitGroup
	var links []hardLink
	for i := range s {
		p := &s[i]
		if err := ctx.Err(); err != nil || failed() {
			fail(err)
			break
		}
		if p.Len < 0 || p.Len > int64(len(data)) {
			fail(ErrSegment)
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
			case EntryDir:
				switch st, err := f.ensure(e.Path); {
				case err != nil:
					fail(err)
				case st >= dirRefused:
					refuse(refusal(e.Path+"/", st, nil))
				case f.meta != nil:
					f.folders = append(f.folders, e)
				default:
					f.Lost.Times++
				}
				continue
			case EntrySymlink:
				if f.sym == nil {
					refuse(noSymlink(e))
				} else {
					f.later = append(f.later, e)
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
			if e.Kind == EntryHardLink {
				if f.links != nil {
					links = append(links, hardLink{e, body})
					continue
				}
				f.Lost.HardLinks++
			}
			room <- struct{}{}
			wg.Go(func() {
				err := f.write(e.Path, body)
				if err == nil {
					err = made(e, len(body))
				}
				<-room
				switch {
				case f.refused(err):
					refuse(refusal(e.Path, dirRefused, err))
				case err != nil:
					fail(err)
				}
			})
		}
	}
	wg.Wait()
	for _, l := range links { // the files that they link to are complete now
		if failure != nil {
			break
		}
		err := f.link(l.e)
		if err == nil {
			f.Files++
			continue
		}
		f.Lost.HardLinks++
		if err = f.write(l.e.Path, l.body); err == nil {
			err = made(l.e, len(l.body))
		}
		if f.refused(err) {
			refuse(refusal(l.e.Path, dirRefused, err))
		} else if err != nil {
			fail(err)
		}
	}
	// Sorted by path, since the order in which goroutines finish varies. Sorting pointers shares compiled code with the engine's
	// search.
	slices.SortStableFunc(refused, func(a, b *Problem) int { return cmp.Compare(a.Path, b.Path) })
	var list []Problem
	for _, p := range refused {
		list = append(list, *p)
	}
	return list, failure
}

// hardLink is another name of a file, with the bytes for a copy.
type hardLink struct {
	e    *Entry
	body []byte
}

// link creates a hard link. It replaces a file or link that has its name.
func (f *Folder) link(e *Entry) error {
	return f.replace(e.Path, func() error { return f.links.Link(e.Target, e.Path) })
}

// replace calls link, and removes a file or link that is in the way.
func (f *Folder) replace(p string, link func() error) error {
	err := link()
	if errors.Is(err, hackpadfs.ErrExist) {
		if err = hackpadfs.Remove(f.fs, p); err == nil {
			err = link()
		}
	}
	return err
}

// keepMeta sets an entry's times and attributes if the target stores them.
func (f *Folder) keepMeta(e *Entry) (kept bool, err error) {
	if f.meta == nil {
		return false, nil
	}
	if err := f.meta.SetMeta(e); !errors.Is(err, hackpadfs.ErrNotImplemented) {
		return true, err
	}
	return false, nil
}

func (f *Folder) countMeta(kept bool) {
	if !kept {
		f.Lost.Times++
	}
}

// noSymlink returns the problem of a symbolic link that cannot be created.
func noSymlink(e *Entry) Problem {
	return Problem{Path: "/" + e.Path, Reason: "reparse", Detail: e.Target}
}

// write writes a whole file.
func (f *Folder) write(p string, data []byte) error {
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

// giveUp closes a file, and discards what was written if the target can do that.
func giveUp(file hackpadfs.File) {
	if a, ok := file.(interface{ Abort() error }); ok {
		_ = a.Abort() // the caller reports the error that led here
		return
	}
	_ = file.Close()
}

// cut writes a piece of a blob that comes in several. If the blob turns out to be damaged, its files are discarded at the
// last piece.
func (f *Folder) cut(p *EntryPiece, data []byte, damaged map[string]bool, refuse func(Problem)) error {
	if p.Off == 0 {
		if len(f.open) > 0 {
			return fmt.Errorf("a content begins before the last one ended: %w", ErrSegment)
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
			if e.Kind == EntryHardLink {
				if f.links != nil && len(f.open) > 0 {
					f.open = append(f.open, openEntry{entry: e})
					continue
				}
				f.Lost.HardLinks++
			}
			file, err := hackpadfs.OpenFile(f.fs, e.Path, hackpadfs.FlagWriteOnly|hackpadfs.FlagCreate|hackpadfs.FlagTruncate, 0o666)
			if f.refused(err) {
				refuse(refusal(e.Path, dirRefused, err))
				continue
			}
			if err != nil {
				return err
			}
			f.open = append(f.open, openEntry{e, file})
		}
	}
	for _, o := range f.open {
		if o.file == nil {
			continue
		}
		if _, err := hackpadfs.WriteAtFile(o.file, data, p.Off); err != nil {
			return err
		}
		f.Bytes += int64(len(data))
	}
	if !p.Last {
		return nil
	}
	for len(f.open) > 0 {
		o := &f.open[0]
		f.open = f.open[1:]
		if damaged[o.entry.Path] {
			if o.file != nil {
				giveUp(o.file)
			}
			continue
		}
		if o.file == nil {
			if err := f.link(o.entry); err != nil {
				return err
			}
			f.Files++
			continue
		}
		err := o.file.Close()
		if f.refused(err) {
			refuse(refusal(o.entry.Path, dirRefused, err))
			continue
		}
		if err != nil {
			return err
		}
		kept, err := f.keepMeta(o.entry)
		if err != nil {
			return err
		}
		f.countMeta(kept)
		f.Files++
	}
	return nil
}

// Create creates or truncates a file that the caller writes piece by piece. The file is complete when Complete returns.
func (f *Folder) Create(p string) (hackpadfs.File, error) {
	st, err := f.place(p)
	if err == nil && st >= dirRefused {
		err = &hackpadfs.PathError{Op: "create", Path: p, Err: ErrRefused}
	}
	if err != nil {
		return nil, err
	}
	file, err := hackpadfs.OpenFile(f.fs, p, hackpadfs.FlagWriteOnly|hackpadfs.FlagCreate|hackpadfs.FlagTruncate, 0o666)
	if err == nil {
		f.open = append(f.open, openEntry{&Entry{Path: p}, file})
	}
	return file, err
}

// Complete closes the files that Create opened.
func (f *Folder) Complete() error {
	for len(f.open) > 0 {
		o := f.open[0]
		f.open = f.open[1:]
		if err := o.file.Close(); err != nil {
			return err
		}
		f.Files++
	}
	return nil
}

// Finish creates the symbolic links and sets the times of folders. It returns the links that could not be created. It fails
// if the last piece of a blob is missing.
func (f *Folder) Finish() ([]Problem, error) {
	if len(f.open) > 0 {
		return nil, fmt.Errorf("a content ended before its last piece: %w", ErrSegment)
	}
	var list []Problem
	for _, e := range f.later {
		st, err := f.place(e.Path)
		if err == nil && st >= dirRefused {
			err = ErrRefused
		}
		if err == nil {
			err = f.replace(e.Path, func() error { return f.sym.Symlink(e.Target, e.Path) })
		}
		if err != nil {
			list = append(list, noSymlink(e))
			f.Lost.Symlinks++
			continue
		}
		kept, err := f.keepMeta(e)
		if err != nil {
			return list, err
		}
		f.countMeta(kept)
	}
	f.later = nil
	for i := len(f.folders) - 1; i >= 0; i-- { // a plan lists folders before their entries
		kept, err := f.keepMeta(f.folders[i])
		if err != nil {
			return list, err
		}
		f.countMeta(kept)
	}
	f.folders = nil
	return list, nil
}

// Abort removes what was created.
func (f *Folder) Abort() error {
	for _, o := range f.open {
		if o.file != nil {
			giveUp(o.file)
		}
	}
	f.open = nil
	var first error
	for _, p := range slices.Backward(f.undo) {
		if err := removeAll(f.fs, p); err != nil && first == nil && !errors.Is(err, hackpadfs.ErrNotExist) {
			first = err
		}
	}
	return first
}

// removeAll is hackpadfs.RemoveAll without the fallback for targets that lack RemoveAll, which is a lot of code.
func removeAll(fs Target, p string) error {
	if fs, ok := fs.(hackpadfs.RemoveAllFS); ok {
		return fs.RemoveAll(p)
	}
	return hackpadfs.Remove(fs, p)
}
