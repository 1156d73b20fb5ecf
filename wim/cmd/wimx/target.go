package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"wimscope/wim/core"
)

// writeOptions is what apply and extract take alike.
type writeOptions struct {
	unixData     bool // owner, mode, device nodes and extended attributes as wimlib stored them
	strict       bool // fail where these cannot be set
	noAttributes bool
	noACLs       bool
	invalidNames bool // give impossible names a substitute, instead of leaving the entry out
	recoverData  bool // write damaged contents too
	fixLinks     bool // absolute links that were made to fit the image's root are led into the target
}

type outKind uint8

const (
	outDir     outKind = iota
	outFile            // with bytes of its own, perhaps none
	outHard            // another name of the out called first
	outSymlink         // or a junction
	outSpecial         // a device node, pipe or socket
)

// out is an entry on its way to disk.
type out struct {
	node   core.Node
	parent int32 // index of the folder that holds it; -1 for the target itself
	first  int32 // outHard
	kind   outKind
	name   string // a single step, checked
	target string // outSymlink
}

// writer makes entries of an image in a folder. Every step of every path goes through an os.Root of the folder that
// it is a name in, so nothing is made outside the target, whatever the names are and whatever links lie about; and
// links are made only when all else is there, so none of the archive's own is ever on the way. One goroutine.
type writer struct {
	t    *tool
	arc  *core.Archive
	im   *core.Image
	o    writeOptions
	base string // the target's absolute path
	root *os.Root
	outs []out // parents before children
	by   map[core.Hash][]int32
	dirs dirCache
	busy map[core.Hash][]*unfinished
	temp int

	workers int    // goroutines that decode
	written func() // called after each piece; for tests

	files, bytes int64
	damaged      int
	lost         losses
}

// losses counts what this system's files cannot hold, for warnings.
type losses struct {
	streams, reparse, security, unix, xattrs, objects, short int
	readonly, hidden, system, encrypted                      int
}

// unfinished is a file that is being written. Until it is complete it is removed when anything goes wrong.
type unfinished struct {
	out  int32
	f    *os.File
	name string // on disk for now
}

func newWriter(t *tool, arc *core.Archive, im *core.Image, target string, o writeOptions) (*writer, error) {
	if err := os.MkdirAll(target, 0o777); err != nil {
		return nil, coded(exitMakeDirectory, err)
	}
	base, err := filepath.Abs(target)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(target)
	if err != nil {
		return nil, coded(exitOpen, err)
	}
	w := &writer{t: t, arc: arc, im: im, o: o, base: base, root: root, by: map[core.Hash][]int32{}, busy: map[core.Hash][]*unfinished{}}
	w.dirs.open = map[int32]*cachedDir{}
	return w, nil
}

func (w *writer) close() {
	w.dirs.drop(0)
	w.root.Close()
}

// write makes the entries that were added. On any error, and when the context ends, what was half-written is removed.
func (w *writer) write() (err error) {
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
			err = w.makeDir(o)
		case outFile:
			if h := w.im.Hash(o.node); h.IsZero() || w.emptyReparse(o.node) {
				err = w.emptyFile(int32(i))
			} else {
				w.by[h] = append(w.by[h], int32(i))
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
	// Folders last, and the deepest first: making an entry changes its folder's time.
	for i := len(w.outs) - 1; i >= 0; i-- {
		if o := &w.outs[i]; o.kind == outDir {
			if err := w.finishDir(int32(i)); err != nil {
				return err
			}
		}
	}
	w.lost.warn(w)
	return nil
}

func (w *writer) ctxErr() error {
	if w.t.ctx.Err() != nil {
		return coded(exitInterrupted, errors.New("interrupted"))
	}
	return nil
}

// dirCache keeps some folders open: the one that was used longest ago goes first. Index -1 is the target.
type dirCache struct {
	open  map[int32]*cachedDir
	clock uint64
}

type cachedDir struct {
	root *os.Root
	file *os.File // for calls that want a descriptor; opened when first asked for
	used uint64
}

const maxOpenDirs = 200

func (c *dirCache) drop(keep int) {
	for len(c.open) > keep {
		oldest, key := ^uint64(0), int32(0)
		if keep == 0 {
			for k := range c.open {
				key = k
				break
			}
		} else {
			for k, d := range c.open {
				if d.used < oldest {
					oldest, key = d.used, k
				}
			}
		}
		d := c.open[key]
		d.root.Close()
		if d.file != nil {
			d.file.Close()
		}
		delete(c.open, key)
	}
}

// dir opens the folder of index i. It is good until 200 other folders have been used.
func (w *writer) dir(i int32) (*cachedDir, error) {
	c := &w.dirs
	c.clock++
	if d, ok := c.open[i]; ok {
		d.used = c.clock
		return d, nil
	}
	// The chain of folders up to one that is open; from there on down, each is opened in the one above it.
	var chain []int32
	up := i
	for up >= 0 && c.open[up] == nil && w.outs[up].name != "" {
		chain = append(chain, up)
		up = w.outs[up].parent
	}
	var d *cachedDir
	if d = c.open[up]; d == nil {
		r, err := w.root.OpenRoot(".")
		if err != nil {
			return nil, err
		}
		d = &cachedDir{root: r, used: c.clock}
		c.open[up] = d
	}
	for k := len(chain) - 1; k >= 0; k-- {
		if len(c.open) >= maxOpenDirs {
			d.used = c.clock
			c.drop(maxOpenDirs / 2)
		}
		r, err := d.root.OpenRoot(w.outs[chain[k]].name)
		if err != nil {
			return nil, err
		}
		d = &cachedDir{root: r, used: c.clock}
		c.open[chain[k]] = d
	}
	d.used = c.clock
	return d, nil
}

// handle is the folder as an open file.
func (d *cachedDir) handle() (*os.File, error) {
	if d.file == nil {
		f, err := d.root.Open(".")
		if err != nil {
			return nil, err
		}
		d.file = f
	}
	return d.file, nil
}

func (w *writer) makeDir(o *out) error {
	if o.name == "" {
		return nil // the target itself
	}
	d, err := w.dir(o.parent)
	if err != nil {
		return coded(exitMakeDirectory, err)
	}
	err = d.root.Mkdir(o.name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		// What is there already must be a folder, not a link to one: its place is where the image's entries go.
		fi, serr := d.root.Lstat(o.name)
		if serr == nil && fi.IsDir() {
			return nil
		}
	}
	if err != nil {
		return coded(exitMakeDirectory, fmt.Errorf("%s: %w", w.im.Path(o.node), err))
	}
	return nil
}

// create opens a new file for an out. Where the name is taken, the file gets another until it is complete.
func (w *writer) create(i int32) (*unfinished, error) {
	o := &w.outs[i]
	d, err := w.dir(o.parent)
	if err != nil {
		return nil, coded(exitOpen, err)
	}
	u := &unfinished{out: i, name: o.name}
	u.f, err = d.root.OpenFile(u.name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	for errors.Is(err, fs.ErrExist) && w.temp < 1<<20 {
		w.temp++
		u.name = fmt.Sprintf(".wimx-%d-%d.tmp", os.Getpid(), w.temp)
		u.f, err = d.root.OpenFile(u.name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	}
	if err != nil {
		return nil, coded(exitOpen, fmt.Errorf("%s: %w", w.im.Path(o.node), err))
	}
	return u, nil
}

// finish gives a complete file its metadata and its name.
func (w *writer) finish(u *unfinished) error {
	o := &w.outs[u.out]
	m := w.meta(o.node)
	d, err := w.dir(o.parent)
	if err == nil {
		err = m.setFile(d, u.name, u.f)
	}
	if cerr := u.f.Close(); err == nil && cerr != nil {
		err = coded(exitWrite, cerr)
	}
	if err == nil && u.name != o.name {
		err = d.root.Rename(u.name, o.name)
	}
	if err != nil {
		w.remove(u)
		return fmt.Errorf("%s: %w", w.im.Path(o.node), err)
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

// abandon removes what is half-written.
func (w *writer) abandon() {
	for h, us := range w.busy {
		for _, u := range us {
			w.remove(u)
		}
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

// piece writes a run of a content into every file that has it. Pieces of a content come in order. good is of the
// whole content, known with the last piece.
func (w *writer) piece(h core.Hash, off int64, data []byte, last bool) error {
	us := w.busy[h]
	if off == 0 && us == nil {
		for _, i := range w.by[h] {
			u, err := w.create(i)
			if err != nil {
				for _, u := range us {
					w.remove(u)
				}
				return err
			}
			us = append(us, u)
		}
		w.busy[h] = us
	}
	for _, u := range us {
		if _, err := u.f.Write(data); err != nil {
			return coded(exitWrite, err)
		}
		w.bytes += int64(len(data))
	}
	if w.written != nil {
		w.written()
	}
	if last {
		delete(w.busy, h)
		for k, u := range us {
			if err := w.finish(u); err != nil {
				for _, rest := range us[k+1:] {
					w.remove(rest)
				}
				return err
			}
		}
	}
	return nil
}

// emptyReparse says that n is a reparse point that is no link: it becomes an empty file, for what its data mean is
// known to Windows alone.
func (w *writer) emptyReparse(n core.Node) bool {
	return w.im.Attributes(n)&core.AttrReparsePoint != 0 && !onWindows && w.im.Hash(n).IsZero()
}

func (w *writer) makeHardLink(o *out) error {
	first := &w.outs[o.first]
	d, err := w.dir(o.parent)
	if err != nil {
		return coded(exitLink, err)
	}
	// Names in one folder are linked there; others by their paths from the target, whose steps are all real folders.
	link := func() error {
		if first.parent == o.parent {
			return d.root.Link(first.name, o.name)
		}
		return w.root.Link(w.path(o.first), w.pathOf(o))
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
		return coded(exitLink, fmt.Errorf("%s: %w", w.im.Path(o.node), err))
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
		return coded(exitLink, fmt.Errorf("%s: %w", w.im.Path(o.node), err))
	}
	m := w.meta(o.node)
	if err := m.setSymlink(d, o.name); err != nil {
		return fmt.Errorf("%s: %w", w.im.Path(o.node), err)
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
			return fmt.Errorf("%s: %w", w.im.Path(o.node), err)
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
		return fmt.Errorf("%s: %w", w.im.Path(w.outs[i].node), err)
	}
	return nil
}

// path is the way from the target to an out.
func (w *writer) path(i int32) string { return w.pathOf(&w.outs[i]) }

func (w *writer) pathOf(o *out) string {
	p := o.name
	for up := o.parent; up >= 0 && w.outs[up].name != ""; up = w.outs[up].parent {
		p = filepath.Join(w.outs[up].name, p)
	}
	return p
}

// meta is what an entry has beside its bytes.
type meta struct {
	mod, acc, cre core.Filetime
	attrs         uint32
	unix          *core.UnixData
	xattrs        []core.Xattr
	strict        bool
	warn          func(format string, args ...any)
}

func (w *writer) meta(n core.Node) *meta {
	m := &meta{mod: w.im.Modified(n), acc: w.im.Accessed(n), cre: w.im.Created(n), strict: w.o.strict, warn: w.t.warn}
	if !w.o.noAttributes {
		m.attrs = w.im.Attributes(n)
	}
	if w.o.unixData {
		if u, ok := w.im.UnixData(n); ok {
			m.unix = &u
		}
		m.xattrs = w.im.Xattrs(n)
	}
	return m
}

// soft turns an error into a warning unless --strict-acls was given: an ordinary user cannot give files away.
func (m *meta) soft(err error) error {
	if err == nil || m.strict {
		return err
	}
	m.warn("%v", err)
	return nil
}

// wholeFile writes a file of its own at once: it is there complete, or not at all.
func wholeFile(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".wimx-*.tmp")
	if err != nil {
		return coded(exitOpen, err)
	}
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
		return coded(exitWrite, err)
	}
	return nil
}
