package fsa

import (
	"hash/crc32"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall/js"
	"time"

	"github.com/hack-pad/hackpadfs"

	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

const (
	fileMode = 0o666 // browsers have no modes: every file and folder has these
	dirMode  = hackpadfs.ModeDir | 0o777
	longName = 200  // bytes: for a name beyond the system's limit Chromium reports an invalid state
	dirCache = 4096 // cached folder handles: finding one costs a turn of the event loop for each step of its path
)

// FS is the folder of a directory handle as a hackpadfs file system. A written file appears as a whole when it is
// closed. Modes and times cannot be set: Chmod does nothing to an existing entry, and Chtimes returns an error. A
// name that the browser rejects is a *protocol.Error with CodeName. FS is safe for concurrent use.
type FS struct {
	root js.Value

	mu   sync.Mutex
	dirs map[string]js.Value

	making sync.Mutex // held from checking whether a name exists until it is created, and while one is removed

	// While the browser swaps the written data into a file, opening the file fails for a moment. The hash of a file's
	// name picks its lock.
	swaps [64]sync.RWMutex
}

// swap returns the lock of a file: held for writing while its data is swapped in, and for reading while it is opened.
func (f *FS) swap(name string) *sync.RWMutex {
	return &f.swaps[crc32.ChecksumIEEE([]byte(name))%uint32(len(f.swaps))]
}

// NewFS returns the file system of a FileSystemDirectoryHandle.
func NewFS(root js.Value) *FS {
	return &FS{root: root, dirs: make(map[string]js.Value)}
}

// Origin returns the origin private file system.
func Origin() (*FS, error) {
	root, err := jsx.OriginRoot()
	if err != nil {
		return nil, writeError("", err)
	}
	return NewFS(root), nil
}

func pathError(op, name string, err error) error {
	return &hackpadfs.PathError{Op: op, Path: name, Err: err}
}

// failure converts an exception to an error of io/fs if there is one for it.
func failure(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case jsx.Named(err, "NotFoundError"):
		return hackpadfs.ErrNotExist
	case jsx.Named(err, "TypeMismatchError"):
		return hackpadfs.ErrNotDir
	case jsx.Named(err, "InvalidModificationError"):
		return hackpadfs.ErrNotEmpty
	case jsx.Named(err, "TypeError"), jsx.Named(err, "InvalidStateError") && len(path.Base(name)) > longName:
		return &protocol.Error{Code: protocol.CodeName, Name: name, Message: err.Error()}
	}
	return writeError(name, err)
}

// dir returns the handle of a folder. It starts at the nearest ancestor whose handle is cached.
func (f *FS) dir(name string) (js.Value, error) {
	at, h := name, f.root
	f.mu.Lock()
	for at != "." {
		if known, ok := f.dirs[at]; ok {
			h = known
			break
		}
		at = path.Dir(at)
	}
	f.mu.Unlock()
	for at != name {
		end := len(name)
		from := 0
		if at != "." {
			from = len(at) + 1
		}
		if i := strings.IndexByte(name[from:], '/'); i >= 0 {
			end = from + i
		}
		var err error
		if h, err = jsx.Call(h, "getDirectoryHandle", name[from:end]); err != nil {
			return h, err
		}
		at = name[:end]
		f.keep(at, h)
	}
	return h, nil
}

func (f *FS) keep(name string, h js.Value) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.dirs) >= dirCache {
		clear(f.dirs)
	}
	f.dirs[name] = h
}

// drop removes the handles at and below name from the cache.
func (f *FS) drop(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for d := range f.dirs {
		if d == name || strings.HasPrefix(d, name+"/") {
			delete(f.dirs, d)
		}
	}
}

// parent returns the handle of the folder that contains name, and the last element of name.
func (f *FS) parent(name string) (js.Value, string, error) {
	h, err := f.dir(path.Dir(name))
	return h, path.Base(name), err
}

// handle returns the handle of a file or a folder.
func (f *FS) handle(name string) (h js.Value, isDir bool, err error) {
	if name == "." {
		return f.root, true, nil
	}
	parent, base, err := f.parent(name)
	if err != nil {
		return h, false, err
	}
	swap := f.swap(name)
	swap.RLock()
	h, err = jsx.Call(parent, "getFileHandle", base)
	swap.RUnlock()
	if jsx.Named(err, "TypeMismatchError") {
		h, err = f.dir(name)
		return h, true, err
	}
	return h, false, err
}

// Open implements hackpadfs.FS.
func (f *FS) Open(name string) (hackpadfs.File, error) {
	return f.OpenFile(name, hackpadfs.FlagReadOnly, 0)
}

// OpenFile implements hackpadfs.OpenFileFS. Others can read the written data after Close.
func (f *FS) OpenFile(name string, flag int, _ hackpadfs.FileMode) (hackpadfs.File, error) {
	file, err := f.openFile(name, flag)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return file, nil
}

func (f *FS) openFile(name string, flag int) (hackpadfs.File, error) {
	if !hackpadfs.ValidPath(name) {
		return nil, hackpadfs.ErrInvalid
	}
	writes := flag&(hackpadfs.FlagWriteOnly|hackpadfs.FlagReadWrite) != 0
	if flag&hackpadfs.FlagExclusive != 0 { // without the flag it does not matter who creates the file, and many are created at the same time
		f.making.Lock()
		defer f.making.Unlock()
	}
	h, isDir, err := f.handle(name)
	created := false
	if jsx.Named(err, "NotFoundError") && flag&hackpadfs.FlagCreate != 0 {
		parent, base, perr := f.parent(name)
		if perr != nil {
			return nil, failure(name, perr)
		}
		h, err = jsx.Call(parent, "getFileHandle", base, map[string]any{"create": true})
		created = err == nil
	}
	if err != nil {
		return nil, failure(name, err)
	}
	switch {
	case !created && flag&hackpadfs.FlagCreate != 0 && flag&hackpadfs.FlagExclusive != 0:
		return nil, hackpadfs.ErrExist
	case isDir && (writes || flag&hackpadfs.FlagTruncate != 0):
		return nil, hackpadfs.ErrIsDir
	case isDir:
		return &openDir{fs: f, name: name}, nil
	}
	o := &openFile{fs: f, name: name, handle: h, created: created, writes: writes, reads: flag&hackpadfs.FlagWriteOnly == 0, appends: flag&hackpadfs.FlagAppend != 0}
	switch {
	case created:
	case flag&hackpadfs.FlagTruncate != 0:
		err = o.begin(false)
	default:
		err = o.load()
	}
	if err != nil {
		return nil, failure(name, err)
	}
	return o, nil
}

// Stat implements hackpadfs.StatFS.
func (f *FS) Stat(name string) (hackpadfs.FileInfo, error) {
	if !hackpadfs.ValidPath(name) {
		return nil, pathError("stat", name, hackpadfs.ErrInvalid)
	}
	h, isDir, err := f.handle(name)
	if err == nil && isDir {
		return info{name: path.Base(name), dir: true}, nil
	}
	if err == nil {
		var i info
		if i, err = f.fileInfo(name, h); err == nil {
			return i, nil
		}
	}
	return nil, pathError("stat", name, failure(name, err))
}

func (f *FS) fileInfo(name string, h js.Value) (info, error) {
	v, err := f.snapshot(name, h)
	if err != nil {
		return info{}, err
	}
	return infoOf(name, v), nil
}

// infoOf returns the description of a File.
func infoOf(name string, v js.Value) info {
	return info{name: path.Base(name), size: int64(v.Get("size").Float()), modified: time.UnixMilli(int64(v.Get("lastModified").Float()))}
}

// snapshot returns the file as it is now.
func (f *FS) snapshot(name string, h js.Value) (js.Value, error) {
	swap := f.swap(name)
	swap.RLock()
	defer swap.RUnlock()
	return jsx.Call(h, "getFile")
}

// Mkdir implements hackpadfs.MkdirFS.
func (f *FS) Mkdir(name string, _ hackpadfs.FileMode) error {
	if !hackpadfs.ValidPath(name) {
		return pathError("mkdir", name, hackpadfs.ErrInvalid)
	}
	f.making.Lock()
	defer f.making.Unlock()
	_, _, err := f.handle(name)
	switch {
	case err == nil:
		return pathError("mkdir", name, hackpadfs.ErrExist)
	case !jsx.Named(err, "NotFoundError"):
		return pathError("mkdir", name, failure(name, err))
	}
	return f.make(name)
}

// MkdirAll implements hackpadfs.MkdirAllFS.
func (f *FS) MkdirAll(name string, _ hackpadfs.FileMode) error {
	if !hackpadfs.ValidPath(name) {
		return pathError("mkdirall", name, hackpadfs.ErrInvalid)
	}
	if _, err := f.dir(name); err == nil {
		return nil
	}
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			continue
		}
		if err := f.make(name[:i]); err != nil {
			return err
		}
	}
	return nil
}

// make creates a folder in an existing parent, unless it exists.
func (f *FS) make(name string) error {
	parent, base, err := f.parent(name)
	if err == nil {
		var h js.Value
		if h, err = jsx.Call(parent, "getDirectoryHandle", base, map[string]any{"create": true}); err == nil {
			f.keep(name, h)
			return nil
		}
	}
	return pathError("mkdir", name, failure(name, err))
}

// Remove implements hackpadfs.RemoveFS.
func (f *FS) Remove(name string) error { return f.remove("remove", name, false) }

// RemoveAll implements hackpadfs.RemoveAllFS.
func (f *FS) RemoveAll(name string) error {
	err := f.remove("removeall", name, true)
	if fsErr, ok := err.(*hackpadfs.PathError); ok && fsErr.Err == hackpadfs.ErrNotExist {
		return nil
	}
	return err
}

func (f *FS) remove(op, name string, all bool) error {
	if !hackpadfs.ValidPath(name) || name == "." {
		return pathError(op, name, hackpadfs.ErrInvalid)
	}
	f.making.Lock() // two concurrent removals of one entry end in a meaningless error
	defer f.making.Unlock()
	parent, base, err := f.parent(name)
	if err == nil {
		_, err = jsx.Call(parent, "removeEntry", base, map[string]any{"recursive": all})
	}
	if err != nil {
		return pathError(op, name, failure(name, err))
	}
	f.drop(name)
	return nil
}

// Chmod implements hackpadfs.ChmodFS: it only checks that the entry exists.
func (f *FS) Chmod(name string, _ hackpadfs.FileMode) error {
	if _, _, err := f.handle(name); err != nil {
		return pathError("chmod", name, failure(name, err))
	}
	return nil
}

// Chtimes implements hackpadfs.ChtimesFS: no browser can set times.
func (f *FS) Chtimes(name string, _, _ time.Time) error {
	return pathError("chtimes", name, hackpadfs.ErrNotImplemented)
}

// ReadDir implements hackpadfs.ReadDirFS. Browsers omit names that they would not write.
func (f *FS) ReadDir(name string) ([]hackpadfs.DirEntry, error) {
	if !hackpadfs.ValidPath(name) {
		return nil, pathError("open", name, hackpadfs.ErrInvalid)
	}
	h, err := f.dir(name)
	if jsx.Named(err, "TypeMismatchError") {
		return nil, pathError("readdir", name, hackpadfs.ErrNotDir)
	}
	if err != nil {
		return nil, pathError("open", name, failure(name, err))
	}
	found, err := f.list(name, h)
	if err != nil {
		return nil, err
	}
	entries := make([]hackpadfs.DirEntry, len(found))
	for i, e := range found {
		entries[i] = e
	}
	return entries, nil
}

// list returns the entries of the folder name, whose handle is h, sorted by name.
func (f *FS) list(name string, h js.Value) ([]*dirEntry, error) {
	found := []*dirEntry{}
	add := func(e js.Value) {
		found = append(found, &dirEntry{fs: f, path: path.Join(name, e.Get("name").String()), dir: e.Get("kind").String() == "directory", handle: e})
	}
	values, err := jsx.CallNow(h, "values")
	if array := js.Global().Get("Array"); err == nil && array.Get("fromAsync").Type() == js.TypeFunction {
		// Await once, not once for each entry.
		if values, err = jsx.Call(array, "fromAsync", values); err == nil {
			for i := range values.Length() {
				add(values.Index(i))
			}
		}
	} else {
		for err == nil {
			var step js.Value
			if step, err = jsx.Call(values, "next"); err == nil {
				if step.Get("done").Bool() {
					break
				}
				add(step.Get("value"))
			}
		}
	}
	if err != nil {
		if jsx.Named(err, "NotFoundError") {
			f.drop(name)
		}
		return nil, pathError("readdir", name, failure(name, err))
	}
	slices.SortStableFunc(found, func(a, b *dirEntry) int { return strings.Compare(a.path, b.path) })
	return found, nil
}

// info describes a file or folder.
type info struct {
	name     string
	dir      bool
	size     int64
	modified time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return i.modified }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return dirMode
	}
	return fileMode
}

type dirEntry struct {
	fs     *FS
	path   string
	dir    bool
	handle js.Value
}

func (e *dirEntry) Name() string      { return path.Base(e.path) }
func (e *dirEntry) IsDir() bool       { return e.dir }
func (e *dirEntry) Type() fs.FileMode { return info{dir: e.dir}.Mode().Type() }
func (e *dirEntry) Info() (fs.FileInfo, error) {
	if e.dir {
		return info{name: e.Name(), dir: true}, nil
	}
	i, err := e.fs.fileInfo(e.path, e.handle)
	if err != nil {
		return nil, pathError("stat", e.path, failure(e.path, err))
	}
	return i, nil
}

var (
	_ hackpadfs.OpenFileFS  = (*FS)(nil)
	_ hackpadfs.StatFS      = (*FS)(nil)
	_ hackpadfs.MkdirAllFS  = (*FS)(nil)
	_ hackpadfs.RemoveAllFS = (*FS)(nil)
	_ hackpadfs.ReadDirFS   = (*FS)(nil)
)
