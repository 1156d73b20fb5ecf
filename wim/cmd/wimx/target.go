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
	"wimscope/wim/format"
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

type outKind uint8

const (
	outDir     outKind = iota
	outFile            // with data of its own, perhaps empty
	outHard            // another name of the out at index first
	outSymlink         // or a junction
	outSpecial         // a device node, pipe or socket
)

// out is an entry to write.
type out struct {
	node   wim.Node
	parent int32 // index of its folder; -1 for the target itself
	first  int32 // outHard
	kind   outKind
	name   string // a single path element, checked
	target string // outSymlink
}

// writer writes entries of an image to a folder. Every path element is resolved in an os.Root of its folder, so nothing is
// created outside the target, whatever the names and whatever links exist there. Symbolic links come after all other
// entries, so none of the archive's own is ever in a path. A writer is not safe for concurrent use.
type writer struct {
	t    *tool
	arc  *wim.Archive
	im   *wim.Image
	o    writeOptions
	base string // the target's absolute path
	root *os.Root
	outs []out // parents before children
	uses contentUses
	dirs dirCache
	busy map[format.Hash]*unfinished // blobs whose pieces are coming in
	temp int

	workers int    // goroutines that decode
	written func() // called after each piece; for tests

	files, bytes int64
	damaged      int
	lost         losses
}

// losses counts what files on this system cannot store, for warnings.
type losses struct {
	streams, reparse, security, unix, xattrs, objects, short int
	readonly, hidden, system, encrypted, encryptedDirs       int
}

// unfinished is a file that is being written. If anything fails before it is complete, it is removed.
type unfinished struct {
	out  int32
	f    *os.File
	name string // its current name on disk

	sparse bool  // zeros become holes
	size   int64 // of a sparse file: bytes so far
	hole   bool  // of a sparse file: it ends in a hole so far
}

// newWriter returns a writer for a target. Nothing is created before write.
func newWriter(t *tool, arc *wim.Archive, im *wim.Image, target string, o writeOptions) (*writer, error) {
	base, err := filepath.Abs(target)
	if err != nil {
		return nil, err
	}
	return &writer{t: t, arc: arc, im: im, o: o, base: base, busy: map[format.Hash]*unfinished{}}, nil
}

func (w *writer) close() {
	w.dirs.close()
	if w.root != nil {
		w.root.Close()
	}
}

// openTarget opens the target, and creates it if necessary.
func (w *writer) openTarget() (err error) {
	if err := os.MkdirAll(w.base, 0o777); err != nil {
		return coded(exitMakeDirectory, err)
	}
	w.root, err = os.OpenRoot(w.base)
	return coded(exitOpen, err)
}

// write creates the planned entries. On any error, and when the context ends, it removes files that are incomplete.
func (w *writer) write() (err error) {
	if err := w.findUses(); err != nil {
		return err
	}
	if err := w.openTarget(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			w.abandon()
		}
	}()
	for i := range w.outs {
		if err := w.ctxErr(); err != nil {
			return err
		}
		switch o := &w.outs[i]; o.kind {
		case outDir:
			err = w.makeDir(int32(i))
		case outFile:
			if w.content(o).IsZero() {
				err = w.emptyFile(int32(i))
			}
		case outSpecial:
			err = w.makeSpecial(int32(i))
		}
		if err != nil {
			return err
		}
	}
	if err := w.contents(); err != nil {
		return err
	}
	for i := range w.outs {
		if o := &w.outs[i]; o.kind == outHard {
			if err := w.makeHardLink(o); err != nil {
				return err
			}
		}
	}
	for i := range w.outs {
		if o := &w.outs[i]; o.kind == outSymlink {
			if err := w.makeSymlink(o); err != nil {
				return err
			}
		}
	}
	// Folders last, the deepest first: creating an entry changes its folder's time.
	for i := len(w.outs) - 1; i >= 0; i-- {
		if o := &w.outs[i]; o.kind == outDir {
			if err := w.finishDir(int32(i)); err != nil {
				return err
			}
		}
	}
	w.lost.warn(w.t, false)
	return nil
}

func (w *writer) ctxErr() error {
	if w.t.ctx.Err() != nil {
		return coded(exitInterrupted, errors.New("interrupted"))
	}
	return nil
}

func (w *writer) makeDir(i int32) error {
	o := &w.outs[i]
	if o.name == "" { // the target itself
		w.tidyDir(i)
		return nil
	}
	d, err := w.dir(o.parent)
	if err != nil {
		return coded(exitMakeDirectory, err)
	}
	err = d.root.Mkdir(o.name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		// An existing entry must be a folder, not a link to one: entries are written at this place, not elsewhere.
		fi, serr := d.root.Lstat(o.name)
		if serr == nil && fi.IsDir() {
			w.tidyDir(i)
			return nil
		}
	}
	if err != nil {
		return coded(exitMakeDirectory, w.outError(o, err))
	}
	return nil
}

// create opens a new file for an out. If the name is taken, the file has a temporary name until it is complete.
func (w *writer) create(i int32) (*unfinished, error) {
	o := &w.outs[i]
	d, err := w.dir(o.parent)
	if err != nil {
		return nil, coded(exitOpen, err)
	}
	u := &unfinished{out: i, name: o.name, sparse: w.im.Attributes(o.node)&format.AttrSparse != 0}
	u.f, err = d.root.OpenFile(u.name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	for errors.Is(err, fs.ErrExist) && w.temp < 1<<20 {
		w.temp++
		u.name = fmt.Sprintf(".wimx-%d-%d.tmp", os.Getpid(), w.temp)
		if u.f, err = d.root.OpenFile(u.name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644); err != nil {
			continue
		}
		// The lock distinguishes it from a leftover. Another run that removes leftovers may have removed it already.
		taken, lockErr := lockFile(u.f.Fd())
		now, lerr := d.root.Lstat(u.name)
		if taken || lockErr != nil || !stillThere(u.f, now, lerr) {
			closeLocked(u.f)
			err = fs.ErrExist
		}
	}
	if err != nil {
		return nil, coded(exitOpen, w.outError(o, err))
	}
	return u, nil
}

// finish sets the metadata of a complete file, and renames it to its final name.
func (w *writer) finish(u *unfinished) error {
	o := &w.outs[u.out]
	m := w.meta(o.node)
	d, err := w.dir(o.parent)
	if err == nil && u.hole {
		err = coded(exitWrite, u.f.Truncate(u.size))
	}
	if err == nil {
		err = m.setFile(d, u.name, u.f)
	}
	named := u.name == o.name
	if err == nil && !named && !onWindows { // while it is locked, as newFile.keep does
		err, named = d.root.Rename(u.name, o.name), true
	}
	if cerr := u.f.Close(); err == nil && cerr != nil {
		err = coded(exitWrite, cerr)
	}
	if err == nil && !named {
		err = d.root.Rename(u.name, o.name)
	}
	if err != nil {
		w.remove(u)
		return w.outError(o, err)
	}
	w.files++
	return nil
}

func (w *writer) remove(u *unfinished) {
	u.f.Close()
	if d, err := w.dir(w.outs[u.out].parent); err == nil {
		d.root.Remove(u.name)
	}
}

// abandon removes incomplete files.
func (w *writer) abandon() {
	for h, u := range w.busy {
		w.remove(u)
		delete(w.busy, h)
	}
}

func (w *writer) emptyFile(i int32) error {
	u, err := w.create(i)
	if err != nil {
		return err
	}
	return w.finish(u)
}

// withoutContent reports whether the file of n stays empty, whatever its streams contain. The data of a reparse point that
// is not a link is meaningful to Windows only. The stream of an encrypted file is a raw backup with keys and encrypted
// bytes, not the data that programs read.
func (w *writer) withoutContent(n wim.Node) bool {
	a := w.im.Attributes(n)
	return a&format.AttrEncrypted != 0 || a&format.AttrReparsePoint != 0 && !onWindows && w.im.Hash(n).IsZero()
}

func (w *writer) makeHardLink(o *out) error {
	first := &w.outs[o.first]
	from, err := w.dir(first.parent)
	if err != nil {
		return coded(exitLink, err)
	}
	from.pin()
	defer from.unpin()
	d, err := w.dir(o.parent)
	if err != nil {
		return coded(exitLink, err)
	}
	link := func() error {
		if from == d {
			return d.root.Link(first.name, o.name)
		}
		err := linkBetween(from, first.name, d, o.name)
		if errors.Is(err, errors.ErrUnsupported) {
			err = w.root.Link(w.path(o.first), w.pathOf(o)) // no element of the path is a link
		}
		return err
	}
	err = link()
	if errors.Is(err, fs.ErrExist) {
		if fi, serr := d.root.Lstat(o.name); serr == nil && !fi.IsDir() {
			if err = d.root.Remove(o.name); err == nil {
				err = link()
			}
		}
	}
	if err != nil {
		return coded(exitLink, w.outError(o, err))
	}
	return nil
}

func (w *writer) makeSymlink(o *out) error {
	d, err := w.dir(o.parent)
	if err != nil {
		return coded(exitLink, err)
	}
	err = d.root.Symlink(o.target, o.name)
	if errors.Is(err, fs.ErrExist) {
		if fi, serr := d.root.Lstat(o.name); serr == nil && !fi.IsDir() {
			if err = d.root.Remove(o.name); err == nil {
				err = d.root.Symlink(o.target, o.name)
			}
		}
	}
	if err != nil {
		return coded(exitLink, w.outError(o, err))
	}
	m := w.meta(o.node)
	if err := m.setSymlink(d, o.name); err != nil {
		return w.outError(o, err)
	}
	return nil
}

func (w *writer) makeSpecial(i int32) error {
	o := &w.outs[i]
	d, err := w.dir(o.parent)
	if err != nil {
		return err
	}
	m := w.meta(o.node)
	if err := m.makeSpecial(d, o.name); err != nil {
		if w.o.strict {
			return w.outError(o, err)
		}
		w.t.warn("%s: %v", w.im.Path(o.node), err)
	}
	return nil
}

func (w *writer) finishDir(i int32) error {
	d, err := w.dir(i)
	if err != nil {
		return err
	}
	f, err := d.handle()
	if err != nil {
		return err
	}
	m := w.meta(w.outs[i].node)
	if err := m.setFile(d, ".", f); err != nil {
		return w.outError(&w.outs[i], err)
	}
	return nil
}

// outError adds the entry and its destination to an error: the system's errors have file names relative to their folder, or
// temporary ones.
func (w *writer) outError(o *out, err error) error {
	place := filepath.Join(w.base, w.pathOf(o))
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
	if fi, serr := os.Lstat(place); serr == nil && fi.IsDir() != (o.kind == outDir) && (errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.EISDIR)) {
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
	return fmt.Errorf("%s: %w", w.im.Path(o.node), told)
}

// path returns the path of an out relative to the target.
func (w *writer) path(i int32) string { return w.pathOf(&w.outs[i]) }

func (w *writer) pathOf(o *out) string {
	steps := []string{o.name}
	for up := o.parent; up >= 0 && w.outs[up].name != ""; up = w.outs[up].parent {
		steps = append(steps, w.outs[up].name)
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

func (w *writer) meta(n wim.Node) *meta {
	m := &meta{mod: w.im.Modified(n), acc: w.im.Accessed(n), cre: w.im.Created(n), strict: w.o.strict, warn: w.t.warn}
	if !w.o.noAttributes {
		m.attrs = w.im.Attributes(n)
	}
	if w.o.unixData {
		if u, ok := w.im.Items(n).UnixData(); ok {
			m.unix = &u
		}
		m.xattrs = w.im.Items(n).Xattrs()
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
