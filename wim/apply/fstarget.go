package apply

import (
	"errors"
	"io"
	"path"
	"slices"
	"sync"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wim/extract"
)

// Options controls how a Folder of New writes. The zero value writes one file at a time.
type Options struct {
	Parallel int              // number of files of a segment that are written at once; 0 means 1. The file system must be safe for that
	Refused  func(error) bool // reports whether an error of the file system means that it refuses a name; nil: no error does
}

// ErrRefused reports a name that the target refuses.
var ErrRefused = errors.New("the target refuses the name")

// New returns a Folder that writes to a hackpadfs file system with OpenFile, Stat, MkdirAll and RemoveAll, whose
// files have WriteAt; one that has links also has Lstat and Remove. A Folder also uses, if present, hackpadfs.SymlinkFS,
// MetaTarget, a method Link(oldname, newname string) error, and a method Abort() error of the files, which closes a file
// and discards what was written.
//
// An entry is refused if the file system refuses its name, or has an entry of the other kind in its place. Abort removes
// what was created: files that already existed are replaced and never removed.
func New(fs hackpadfs.FS, o *Options) *Folder {
	t := &fsTarget{fs: fs, dirs: map[string]dirState{".": dirFound}}
	f := &Folder{t: t, parallel: 1}
	if o != nil {
		t.refuses, f.parallel = o.Refused, max(1, o.Parallel)
	}
	var ok bool
	if t.links, ok = fs.(linkFS); ok {
		f.links = t
	}
	if t.sym, ok = fs.(hackpadfs.SymlinkFS); ok {
		f.sym = t
	}
	f.meta, _ = fs.(MetaTarget)
	return f
}

type linkFS interface {
	Link(oldname, newname string) error
}

// fsTarget creates entries in a hackpadfs file system, by their paths.
type fsTarget struct {
	fs      hackpadfs.FS
	refuses func(error) bool
	links   linkFS
	sym     hackpadfs.SymlinkFS

	mu   sync.Mutex
	dirs map[string]dirState
	undo []string // what was created in folders that already existed, in order
}

type dirState uint8

const (
	dirFound   dirState = iota // it already existed
	dirMade                    // created by this output
	dirRefused                 // its name was refused
	dirLost                    // a folder above it was refused
)

// refused reports whether the file system refuses a name, or has an entry of the other kind there: a file where a folder is
// wanted, or the reverse.
func (t *fsTarget) refused(err error) bool {
	return err != nil && t.refuses != nil && t.refuses(err) || errors.Is(err, hackpadfs.ErrNotDir) || errors.Is(err, hackpadfs.ErrIsDir)
}

// refusal returns the Problem of an entry that err refuses, and err otherwise.
func (t *fsTarget) refusal(err error) error {
	if t.refused(err) {
		return &extract.Problem{Reason: "name-refused", Detail: err.Error()}
	}
	return err
}

// The problems of an entry whose own name, or whose folder's name, is refused.
var (
	nameRefused   = &extract.Problem{Reason: "name-refused"}
	folderRefused = &extract.Problem{Reason: "folder-refused"}
)

// Make implements Target.
func (t *fsTarget) Make(e *extract.Entry) error {
	if !hackpadfs.ValidPath(e.Path) {
		return nameRefused
	}
	t.mu.Lock()
	st, err := t.ensure(e.Path)
	t.mu.Unlock()
	switch {
	case err != nil:
		return err
	case st == dirRefused:
		return nameRefused
	case st == dirLost:
		return folderRefused
	}
	return nil
}

// ensure creates the folder p and those above it.
func (t *fsTarget) ensure(p string) (dirState, error) {
	if st, ok := t.dirs[p]; ok {
		return st, nil
	}
	st := t.dirs["."]
	for i := 0; i <= len(p); i++ {
		if i < len(p) && p[i] != '/' {
			continue
		}
		known, ok := t.dirs[p[:i]]
		if !ok {
			var err error
			if known, err = t.enter(p[:i], st); err != nil {
				return known, err
			}
			t.dirs[p[:i]] = known
		}
		st = known
	}
	return st, nil
}

// enter creates or finds the folder p, whose parent has the given state.
func (t *fsTarget) enter(p string, parent dirState) (dirState, error) {
	switch parent {
	case dirRefused, dirLost:
		return dirLost, nil
	case dirFound:
		info, err := hackpadfs.LstatOrStat(t.fs, p)
		switch {
		case err == nil && info.IsDir():
			return dirFound, nil
		case err == nil, t.refused(err): // a file or link is in the place of the folder
			return dirRefused, nil
		case !errors.Is(err, hackpadfs.ErrNotExist):
			return dirFound, err
		}
	}
	err := hackpadfs.MkdirAll(t.fs, p, 0o777)
	if t.refused(err) {
		return dirRefused, nil
	}
	if err == nil && parent == dirFound {
		t.undo = append(t.undo, p)
	}
	return dirMade, err
}

// place makes room for the file or link p, whose folder it creates if necessary.
func (t *fsTarget) place(p string) error {
	if !hackpadfs.ValidPath(p) {
		return nameRefused
	}
	t.mu.Lock()
	err := t.free(p)
	t.mu.Unlock()
	return err
}

func (t *fsTarget) free(p string) error {
	st, err := t.ensure(path.Dir(p))
	switch {
	case err != nil || st == dirMade:
		return err
	case st >= dirRefused:
		return folderRefused
	}
	info, err := hackpadfs.LstatOrStat(t.fs, p)
	switch {
	case t.refused(err), err == nil && info.IsDir():
		return nameRefused
	case err == nil && info.Mode()&hackpadfs.ModeSymlink != 0: // writing would follow the link
		return hackpadfs.Remove(t.fs, p)
	case errors.Is(err, hackpadfs.ErrNotExist):
		t.undo = append(t.undo, p)
		return nil
	}
	return err
}

// Create implements Target.
func (t *fsTarget) Create(e *extract.Entry) (File, error) {
	if err := t.place(e.Path); err != nil {
		return nil, err
	}
	file, err := hackpadfs.OpenFile(t.fs, e.Path, hackpadfs.FlagWriteOnly|hackpadfs.FlagCreate|hackpadfs.FlagTruncate, 0o666)
	if err != nil {
		return nil, t.refusal(err)
	}
	return &fsFile{t, file}, nil
}

// fsFile is a file of an fsTarget.
type fsFile struct {
	t    *fsTarget
	file hackpadfs.File
}

// WriteAt implements io.WriterAt.
func (f *fsFile) WriteAt(b []byte, off int64) (int, error) {
	n, err := hackpadfs.WriteAtFile(f.file, b, off)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, f.t.refusal(err)
}

// Close implements File.
func (f *fsFile) Close() error { return f.t.refusal(f.file.Close()) }

// Abort implements File.
func (f *fsFile) Abort() error {
	if a, ok := f.file.(interface{ Abort() error }); ok {
		return a.Abort()
	}
	return f.file.Close()
}

// Link implements LinkTarget. A link that cannot be created becomes a copy.
func (t *fsTarget) Link(e *extract.Entry) error {
	if err := t.place(e.Path); err != nil {
		return err
	}
	if err := t.replace(e.Path, func() error { return t.links.Link(e.Target, e.Path) }); err != nil {
		return hackpadfs.ErrNotImplemented
	}
	return nil
}

// Symlink implements SymlinkTarget.
func (t *fsTarget) Symlink(e *extract.Entry) error {
	err := t.place(e.Path)
	if err == nil {
		err = t.replace(e.Path, func() error { return t.sym.Symlink(e.Target, e.Path) })
	}
	if err != nil {
		return noLink(e)
	}
	return nil
}

// replace calls link, and removes a file or link that is in the way.
func (t *fsTarget) replace(p string, link func() error) error {
	err := link()
	if errors.Is(err, hackpadfs.ErrExist) {
		if err = hackpadfs.Remove(t.fs, p); err == nil {
			err = link()
		}
	}
	return err
}

// Abort removes what was created.
func (t *fsTarget) Abort() error {
	var first error
	for _, p := range slices.Backward(t.undo) {
		if err := removeAll(t.fs, p); err != nil && first == nil && !errors.Is(err, hackpadfs.ErrNotExist) {
			first = err
		}
	}
	return first
}

// removeAll is hackpadfs.RemoveAll without the fallback for file systems that lack RemoveAll, which is a lot of code.
func removeAll(fs hackpadfs.FS, p string) error {
	if fs, ok := fs.(hackpadfs.RemoveAllFS); ok {
		return fs.RemoveAll(p)
	}
	return hackpadfs.Remove(fs, p)
}
