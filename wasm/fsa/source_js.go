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

// Source is a folder whose files go into an archive: an FS that only reads, and whose files can be read while others are.
// Listing a folder costs the browser a millisecond and more, so folders are listed ahead of who goes through them.
// Files that were looked at are kept, as they were then, so that they need not be looked for again.
// No browser tells when a folder was changed. Its methods may be called by several goroutines at a time.
type Source struct {
	fs   *FS
	kept kept

	mu      sync.Mutex
	lists   map[string]*listing // that nobody has asked for yet
	todo    []*listing          // that are not begun
	running int
}

const (
	listsAtOnce = 32
	listsAhead  = 1024 // that wait for somebody to ask
)

// listing is a folder that is listed ahead of use.
type listing struct {
	name    string
	handle  js.Value
	begun   bool
	done    chan struct{}
	entries []*dirEntry
	err     error
}

// NewSource makes a Source of a FileSystemDirectoryHandle.
func NewSource(root js.Value) *Source {
	return &Source{fs: NewFS(root), lists: make(map[string]*listing)}
}

// Kept gives where the bytes of a file are that was looked at: from a byte of something that Join takes, comparable, which
// other files may be part of; and what was known of the file then. It gives nil if the file is not kept. Reading it fails if
// it has changed since.
func (s *Source) Kept(name string) (in any, from int64, known fs.FileInfo) {
	b, from, known := s.kept.find(name)
	if b == nil {
		return nil, 0, nil
	}
	return b, from, known
}

// sourceEntry is a directory entry. A file that is looked at is kept.
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

// ReadDir implements fs.ReadDirFS. A folder may have been listed when that was asked of one above it.
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

// list lists a folder, and has those in it listed when there is time.
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

// more begins to list folders: the last ones first, as they are gone through.
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

// Open implements fs.FS. A file is read as it is now: if it changes, reading fails.
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

// sourceFile is a file as it was when it was opened. Reads are promises: other goroutines go on meanwhile.
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
			return n, reading(f.name, err)
		}
		got := js.CopyBytesToGo(p[n:], js.Global().Get("Uint8Array").New(b))
		n += got
		off += int64(got)
		if int64(got) < k {
			return n, &protocol.Error{Code: protocol.CodeChanged, Name: f.name, Record: protocol.FileCut, Message: "fsa: " + f.name + " is shorter than it was"}
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
