package fsa

import (
	"io"
	"io/fs"
	"path"
	"sync"
	"syscall/js"
	"time"

	"github.com/hack-pad/hackpadfs"

	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// Source is a folder whose files go into an archive: a read-only file system that can read several files at a time.
// Listing a folder takes the browser a millisecond or more, so folders are listed before they are needed. Scanned
// files are kept, as they were then, so that they need not be opened again. Browsers do not report changes to a
// folder. The methods are safe for concurrent use.
type Source struct {
	fs   *FS
	kept kept

	mu      sync.Mutex
	lists   map[string]*listing // done or running, not requested yet
	todo    []*listing          // not started
	running int
}

const (
	listsAtOnce = 32
	listsAhead  = 1024 // not requested yet
)

// listing is the listing of a folder, started before it is needed.
type listing struct {
	name    string
	handle  js.Value
	begun   bool
	done    chan struct{}
	entries []*dirEntry
	err     error
}

// NewSource returns a Source for a FileSystemDirectoryHandle.
func NewSource(root js.Value) *Source {
	return &Source{fs: NewFS(root), lists: make(map[string]*listing)}
}

// Kept returns where the data of a scanned file is: in is a comparable value for a Range, which other files may
// share; from is the offset in it; known is the file's description at the time. in is nil if the file is not kept.
// Reading the data fails if the file has changed since.
func (s *Source) Kept(name string) (in any, from int64, known fs.FileInfo) {
	b, from, known := s.kept.find(name)
	if b == nil {
		return nil, 0, nil
	}
	return b, from, known
}

// sourceEntry is a directory entry. Calling Info on a file keeps it.
type sourceEntry struct {
	*dirEntry
	from *Source
}

// Info implements fs.DirEntry.
func (e sourceEntry) Info() (fs.FileInfo, error) {
	if e.dir {
		return e.dirEntry.Info()
	}
	v, err := e.fs.snapshot(e.path, e.handle)
	if err != nil {
		return nil, pathError("stat", e.path, failure(e.path, err))
	}
	known := infoOf(e.path, v)
	e.from.kept.keep(e.path, v, known)
	return known, nil
}

// Stat implements fs.StatFS.
func (s *Source) Stat(name string) (fs.FileInfo, error) { return s.fs.Stat(name) }

// ReadDir implements fs.ReadDirFS. The folder may already be listed, since its parent was.
func (s *Source) ReadDir(name string) ([]fs.DirEntry, error) {
	s.mu.Lock()
	l := s.lists[name]
	delete(s.lists, name)
	wait := l != nil && l.begun
	if l != nil {
		l.begun = true
	}
	s.mu.Unlock()
	switch {
	case wait:
		<-l.done
	case l != nil:
		s.list(l)
	default:
		h, err := s.fs.dir(name)
		if err != nil {
			return nil, pathError("open", name, failure(name, err))
		}
		l = &listing{name: name, handle: h, done: make(chan struct{})}
		s.list(l)
	}
	s.more()
	if l.err != nil {
		return nil, l.err
	}
	out := make([]fs.DirEntry, len(l.entries))
	for i, e := range l.entries {
		out[i] = sourceEntry{e, s}
	}
	return out, nil
}

// list lists a folder and queues its subfolders.
func (s *Source) list(l *listing) {
	defer close(l.done)
	if l.entries, l.err = s.fs.list(l.name, l.handle); l.err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range l.entries {
		if !e.dir || len(s.lists) >= listsAhead {
			continue
		}
		next := &listing{name: e.path, handle: e.handle, done: make(chan struct{})}
		s.lists[e.path] = next
		s.todo = append(s.todo, next)
	}
}

// more starts queued listings: the last ones first, in the order in which a walk visits them.
func (s *Source) more() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.running < listsAtOnce && len(s.todo) > 0 {
		l := s.todo[len(s.todo)-1]
		s.todo = s.todo[:len(s.todo)-1]
		if l.begun {
			continue
		}
		l.begun = true
		s.running++
		go func() {
			s.list(l)
			s.mu.Lock()
			s.running--
			s.mu.Unlock()
			s.more()
		}()
	}
}

// Open implements fs.FS. The file is a snapshot: if it changes, reading fails.
func (s *Source) Open(name string) (fs.File, error) {
	if !hackpadfs.ValidPath(name) {
		return nil, pathError("open", name, hackpadfs.ErrInvalid)
	}
	h, isDir, err := s.fs.handle(name)
	if err != nil {
		return nil, pathError("open", name, failure(name, err))
	}
	if isDir {
		return &openDir{fs: s.fs, name: name}, nil
	}
	blob, err := s.fs.snapshot(name, h)
	if err != nil {
		return nil, pathError("open", name, failure(name, err))
	}
	return &sourceFile{name: name, blob: blob, size: int64(blob.Get("size").Float())}, nil
}

// sourceFile is a snapshot of a file. Reads are asynchronous, so other goroutines run meanwhile.
type sourceFile struct {
	name string
	blob js.Value
	size int64
	pos  int64
}

// Stat implements fs.File.
func (f *sourceFile) Stat() (fs.FileInfo, error) {
	return info{name: path.Base(f.name), size: f.size, modified: time.UnixMilli(int64(f.blob.Get("lastModified").Float()))}, nil
}

// ReadAt implements io.ReaderAt.
func (f *sourceFile) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, pathError("readat", f.name, errNegative)
	}
	n := 0
	for n < len(p) && off < f.size {
		k := min(int64(len(p)-n), sliceMax, f.size-off)
		b, err := jsx.CallNow(f.blob, "slice", float64(off), float64(off+k))
		if err == nil {
			b, err = jsx.Call(b, "arrayBuffer")
		}
		if err != nil {
			return n, readError(f.name, err)
		}
		got := js.CopyBytesToGo(p[n:], js.Global().Get("Uint8Array").New(b))
		n += got
		off += int64(got)
		if int64(got) < k {
			return n, &protocol.Error{Code: protocol.CodeChanged, Name: f.name, Record: protocol.FileCut, Message: "fsa: " + f.name + " became shorter"}
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Read implements fs.File.
func (f *sourceFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.pos)
	f.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// Close implements fs.File.
func (f *sourceFile) Close() error { return nil }

var (
	_ fs.StatFS    = (*Source)(nil)
	_ fs.ReadDirFS = (*Source)(nil)
)
