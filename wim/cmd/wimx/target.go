package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"wimscope/wim"
	"wimscope/wim/apply"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/shard"
)

// writeOptions are the options that apply and extract share.
type writeOptions struct {
	unixData     bool // owner, mode, device nodes and extended attributes as wimlib stored them
	strict       bool // fail if these cannot be set
	noAttributes bool
	noACLs       bool
	invalidNames bool // write entries with invalid names under a substitute, instead of leaving them out
	recoverData  bool // also write damaged files
	fixLinks     bool // absolute links that were made relative to the image's root get targets below the target folder
}

// folderTarget is the folder that apply and extract write to: an apply.Target, and the extract.Rules of this system. Every path
// element is resolved in an os.Root of its folder, so nothing is created outside the target, whatever the names and
// whatever links exist there. A folderTarget is not safe for concurrent use.
type folderTarget struct {
	t       *tool
	arc     *wim.Archive
	im      *wim.Image
	o       writeOptions
	base    string // its absolute path
	root    *os.Root
	plan    *extract.Plan
	lost    extract.LostFacts
	dummies map[wim.Node]string // substitutes for invalid names
	dirs    dirCache
	open    *targetFile // created and not closed
	temp    int

	workers int    // goroutines that decode
	written func() // called after each write; for tests
}

// newTarget plans the extraction of a selection to a folder. It returns an error for a link or content that cannot be read.
// Nothing is created before write.
func newTarget(t *tool, arc *wim.Archive, sel extract.Selection, folder string, o writeOptions) (*folderTarget, error) {
	base, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	w := &folderTarget{t: t, arc: arc, im: sel.Image, o: o, base: base, dummies: map[wim.Node]string{}}
	w.plan, err = extract.New(arc, sel, &extract.Options{
		Form: extract.OutputFolder, Placing: extract.ByPlace(w), Recover: o.recoverData, Written: w.lost.Count, Problem: w.problem, Damaged: w.damaged, PieceSize: t.pieceSize,
		Rest: func(int64, int) error { return t.ctx.Err() },
	})
	return w, interrupted(err)
}

// toFolder extracts a selection to a folder.
func (t *tool) toFolder(arc *wim.Archive, sel extract.Selection, folder string, wo writeOptions, o *parsed) error {
	w, err := newTarget(t, arc, sel, folder, wo)
	if err != nil {
		return err
	}
	if w.workers, err = o.threads(); err != nil {
		return err
	}
	_, err = w.write()
	return err
}

// problem is called for an entry that is not written as it is.
func (w *folderTarget) problem(n wim.Node, reason, detail string, err error) error {
	switch {
	case err != nil:
		return unreadable(w.arc, w.im, n, err)
	case reason == "same-place":
		other, _ := w.im.Lookup(detail)
		w.t.warn("%q: not extracted, since its path in the output is that of %q", nativePath(w.im, n), nativePath(w.im, other))
	}
	return nil // streams are counted, and Name reports names
}

// damaged is called for a damaged content.
func (w *folderTarget) damaged(list []extract.Entry, why string) error {
	path := nativePath(w.im, list[0].At.Node)
	if !w.o.recoverData {
		return damageError(path, why)
	}
	w.t.warn("Corruption in %q (%s)! Extracting anyway since data recovery mode is enabled.", path, why)
	return nil
}

// Name implements extract.Rules.
func (w *folderTarget) Name(n wim.Node) bool {
	raw := ntname.Units(w.im.StoredName(n))
	if checkName(raw, onWindows) || w.dummies[n] != "" {
		return true
	}
	path := nativePath(w.im, n)
	if !w.o.invalidNames {
		w.t.warn("Not extracting %q: has an invalid filename that is not supported on this platform", path)
		return false
	}
	w.t.warn("%q has an invalid filename that is not supported on this platform; extracting dummy name instead", path)
	w.dummies[n] = dummyName(raw, len(w.dummies)+1, onWindows)
	return true
}

// name returns the name of an entry on disk.
func (w *folderTarget) name(p extract.Place) string {
	if name := w.dummies[p.Node]; name != "" {
		return name
	}
	return nativeName(ntname.Units(w.im.StoredName(p.Node)))
}

// Kind implements extract.Rules. The data of a reparse point that is not a link is meaningful to Windows only. The stream
// of an encrypted file is a raw backup with keys and encrypted bytes, not the data that programs read.
func (w *folderTarget) Kind(n wim.Node) (kind extract.EntryKind, target string, empty bool, err error) {
	attrs := w.im.Attributes(n)
	reparse := attrs&format.AttrReparsePoint != 0
	if w.im.IsDir(n) {
		return extract.EntryDir, "", false, nil
	}
	if reparse {
		target, ok, err := w.linkTarget(n)
		switch {
		case err != nil || ok:
			return extract.EntrySymlink, target, false, err
		case attrs&format.AttrDirectory != 0: // an empty folder
			return extract.EntryDir, "", false, nil
		}
	} else if unix, ok := w.im.Items(n).UnixData(); ok && w.o.unixData && keepsUnix && special(unix.Mode) {
		return extract.EntrySpecial, "", false, nil
	}
	return extract.EntryFile, "", attrs&format.AttrEncrypted != 0 || reparse && !onWindows && w.im.Hash(n).IsZero(), nil
}

// special reports whether a mode is that of a device, pipe or socket.
func special(mode uint32) bool {
	switch mode & 0o170000 {
	case 0o140000, 0o060000, 0o020000, 0o010000:
		return true
	}
	return false
}

// write creates the planned entries. On any error, and when the context ends, it removes files that are incomplete.
func (w *folderTarget) write() (f *apply.Folder, err error) {
	if err := os.MkdirAll(w.base, 0o777); err != nil {
		return nil, coded(exitMakeDirectory, err)
	}
	if w.root, err = os.OpenRoot(w.base); err != nil {
		return nil, coded(exitOpen, err)
	}
	defer w.root.Close()
	defer w.dirs.close()
	f = apply.To(w)
	var step func(shard.Progress)
	if n := w.plan.Bytes(); n > 0 {
		bar := w.t.progress(extracting, n)
		defer bar.end()
		step = bar.step
	}
	if _, err := apply.Run(w.t.ctx, w.plan, f, &shard.Options{Workers: w.workers, Progress: step}); err != nil {
		_ = f.Abort() // the error that led here matters
		return f, interrupted(err)
	}
	w.warnLost()
	return f, nil
}

// warnLost reports what files on this system cannot store.
func (w *folderTarget) warnLost() {
	l := w.lost
	if onWindows || w.o.noAttributes {
		l.ReadOnly, l.Hidden, l.System = 0, 0, 0
	}
	if w.o.noACLs {
		l.Security = 0
	}
	if w.o.unixData {
		l.Unix, l.Xattrs = 0, 0
	}
	w.t.warnLost(&l, false)
}

// in opens the folder of an entry. It returns the entry's name in it. The folder is valid until the next call of dir.
func (w *folderTarget) in(p extract.Place, code int) (*cachedDir, string, error) {
	d, err := w.dir(p.Folder(w.im))
	return d, w.name(p), coded(code, err)
}

// Make implements apply.Target.
func (w *folderTarget) Make(e *extract.Entry) error {
	if e.Kind == extract.EntrySpecial {
		return w.makeSpecial(e)
	}
	if e.At.Node == e.At.Base { // the target itself
		w.tidyDir(e.At)
		return nil
	}
	d, name, err := w.in(e.At, exitMakeDirectory)
	if err != nil {
		return err
	}
	err = d.root.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		// An existing entry must be a folder, not a link to one: entries are written at this place, not elsewhere.
		fi, serr := d.root.Lstat(name)
		if serr == nil && fi.IsDir() {
			w.tidyDir(e.At)
			return nil
		}
	}
	return coded(exitMakeDirectory, w.outError(e, err))
}

// Link implements apply.LinkTarget.
func (w *folderTarget) Link(e *extract.Entry) error {
	from, first, err := w.in(e.First, exitLink)
	if err != nil {
		return err
	}
	from.pin()
	defer from.unpin()
	d, name, err := w.in(e.At, exitLink)
	if err != nil {
		return err
	}
	return w.replace(e, d, name, func() error {
		if from == d {
			return d.root.Link(first, name)
		}
		err := linkBetween(from, first, d, name)
		if errors.Is(err, errors.ErrUnsupported) {
			err = w.root.Link(w.path(e.First), w.path(e.At)) // no element of the path is a link
		}
		return err
	})
}

// Symlink implements apply.SymlinkTarget.
func (w *folderTarget) Symlink(e *extract.Entry) error {
	d, name, err := w.in(e.At, exitLink)
	if err != nil {
		return err
	}
	return w.replace(e, d, name, func() error { return d.root.Symlink(e.Target, name) })
}

// replace calls link, and removes a file or link that is in the way.
func (w *folderTarget) replace(e *extract.Entry, d *cachedDir, name string, link func() error) error {
	err := link()
	if errors.Is(err, fs.ErrExist) {
		if fi, serr := d.root.Lstat(name); serr == nil && !fi.IsDir() {
			if err = d.root.Remove(name); err == nil {
				err = link()
			}
		}
	}
	return coded(exitLink, w.outError(e, err))
}

func (w *folderTarget) makeSpecial(e *extract.Entry) error {
	d, name, err := w.in(e.At, exitOpen)
	if err != nil {
		return err
	}
	err = w.meta(e).makeSpecial(d, name)
	if err != nil && !w.o.strict {
		w.t.warn("%s: %v", w.im.Path(e.At.Node), err)
		return nil
	}
	return w.outError(e, err)
}

// SetMeta implements apply.MetaTarget. Files have their metadata when they get their names.
func (w *folderTarget) SetMeta(e *extract.Entry) error {
	switch e.Kind {
	case extract.EntrySymlink:
		d, name, err := w.in(e.At, exitOpen)
		if err != nil {
			return err
		}
		return w.outError(e, w.meta(e).setSymlink(d, name))
	case extract.EntryDir:
		d, err := w.dir(e.At)
		if err != nil {
			return err
		}
		f, err := d.handle()
		if err != nil {
			return err
		}
		return w.outError(e, w.meta(e).setFile(d, ".", f))
	}
	return nil
}

// outError adds the entry and its destination to an error: the system's errors have file names relative to their folder, or
// temporary ones.
func (w *folderTarget) outError(e *extract.Entry, err error) error {
	if err == nil {
		return nil
	}
	place := filepath.Join(w.base, w.path(e.At))
	var (
		path *fs.PathError
		link *os.LinkError
	)
	told := err
	switch {
	case errors.As(err, &link) && link.Op != "link" && link.Op != "linkat" && link.Op != "symlink" && link.Op != "symlinkat":
		told = &fs.PathError{Op: "write", Path: place, Err: link.Err}
	case errors.As(err, &link):
		told = &os.LinkError{Op: link.Op, Old: link.Old, New: place, Err: link.Err}
	case errors.As(err, &path):
		told = &fs.PathError{Op: path.Op, Path: place, Err: path.Err}
	}
	if fi, serr := os.Lstat(place); serr == nil && fi.IsDir() != (e.Kind == extract.EntryDir) && (errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.EISDIR)) {
		code, there := exitMakeDirectory, "a file"
		if fi.IsDir() {
			code, there = exitOpen, "a folder"
		}
		told = hinted{codef(code, "cannot write %q: there is %s in its place", place, there), "remove it, or name another target"}
	}
	var ce *codedError
	if errors.As(err, &ce) {
		told = coded(ce.code, told)
	}
	return fmt.Errorf("%s: %w", w.im.Path(e.At.Node), told)
}

// path returns the path of an entry relative to the target.
func (w *folderTarget) path(p extract.Place) string {
	var steps []string
	for ; p.Node != p.Base; p = p.Folder(w.im) {
		steps = append(steps, w.name(p))
	}
	slices.Reverse(steps)
	return filepath.Join(steps...)
}

// meta is the metadata of an entry.
type meta struct {
	mod, acc, cre format.Filetime
	attrs         uint32
	unix          *format.UnixData
	xattrs        []format.Xattr
	strict        bool
	warn          func(format string, args ...any)
}

func (w *folderTarget) meta(e *extract.Entry) *meta {
	m := &meta{mod: e.Modified, acc: e.Accessed, cre: e.Created, strict: w.o.strict, warn: w.t.warn}
	if !w.o.noAttributes {
		m.attrs = e.Attrs
	}
	if w.o.unixData {
		if u, ok := w.im.Items(e.At.Node).UnixData(); ok {
			m.unix = &u
		}
		m.xattrs = w.im.Items(e.At.Node).Xattrs()
	}
	return m
}

// soft turns an error into a warning unless --strict-acls is set: an ordinary user cannot change the owner of files.
func (m *meta) soft(err error) error {
	if err == nil || m.strict {
		return err
	}
	m.warn("%v", err)
	return nil
}
