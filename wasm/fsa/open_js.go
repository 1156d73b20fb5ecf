package fsa

import (
	"io"
	"path"
	"sync"
	"syscall/js"

	"github.com/hack-pad/hackpadfs"

	"wimscope/worker/jsx"
)

// openFile is an open file. Its written data goes to a stream; the browser swaps it in at Close or Sync.
type openFile struct {
	fs                     *FS
	name                   string
	handle                 js.Value
	created                bool // by this call of OpenFile
	reads, writes, appends bool

	mu     sync.Mutex
	closed bool
	file   js.Value // a snapshot of the file; undefined until needed
	stream js.Value // undefined unless something is being written
	size   int64    // including unsaved data
	pos    int64
}

// load takes a new snapshot.
func (o *openFile) load() (err error) {
	if o.file, err = o.fs.snapshot(o.name, o.handle); err == nil {
		o.size = int64(o.file.Get("size").Float())
	}
	return err
}

// begin opens the stream for writing. If keep is true it starts with the file's data, otherwise empty.
func (o *openFile) begin(keep bool) (err error) {
	if o.stream.IsUndefined() {
		swap := o.fs.swap(o.name)
		swap.RLock()
		defer swap.RUnlock()
		o.stream, err = jsx.Call(o.handle, "createWritable", map[string]any{"keepExistingData": keep})
	}
	return err
}

// end closes the stream; the browser then swaps the written data into the file.
func (o *openFile) end() error {
	s := o.stream
	o.stream = js.Undefined()
	swap := o.fs.swap(o.name)
	swap.Lock()
	defer swap.Unlock()
	_, err := jsx.Call(s, "close")
	return err
}

// commit swaps in the written data and takes a new snapshot.
func (o *openFile) commit() error {
	if o.stream.IsUndefined() {
		return nil
	}
	if err := o.end(); err != nil {
		return err
	}
	return o.load()
}

func (o *openFile) fail(op string, err error) error {
	return pathError(op, o.name, failure(o.name, err))
}

// check returns an error if the file is closed or if op is not allowed.
func (o *openFile) check(op string, allowed bool) error {
	switch {
	case o.closed:
		return pathError(op, o.name, hackpadfs.ErrClosed)
	case !allowed:
		return pathError(op, o.name, hackpadfs.ErrPermission)
	}
	return nil
}

// Stat implements io/fs.File.
func (o *openFile) Stat() (hackpadfs.FileInfo, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.check("stat", true); err != nil {
		return nil, err
	}
	i, err := o.fs.fileInfo(o.name, o.handle)
	if err != nil {
		return nil, o.fail("stat", err)
	}
	if !o.stream.IsUndefined() {
		i.size = o.size
	}
	return i, nil
}

// Read implements io/fs.File.
func (o *openFile) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.readAt("read", p, o.pos)
	o.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (o *openFile) ReadAt(p []byte, off int64) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if off < 0 {
		return 0, pathError("readat", o.name, hackpadfs.ErrInvalid)
	}
	return o.readAt("readat", p, off)
}

func (o *openFile) readAt(op string, p []byte, off int64) (int, error) {
	if err := o.check(op, o.reads); err != nil {
		return 0, err
	}
	if err := o.commit(); err != nil {
		return 0, o.fail(op, err)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if o.file.IsUndefined() {
		if err := o.load(); err != nil {
			return 0, o.fail(op, err)
		}
	}
	if off >= o.size {
		return 0, io.EOF
	}
	b, err := jsx.CallNow(o.file, "slice", float64(off), float64(min(off+int64(len(p)), o.size)))
	if err == nil {
		b, err = jsx.Call(b, "arrayBuffer")
	}
	if err != nil {
		return 0, o.fail(op, err)
	}
	n := js.CopyBytesToGo(p, js.Global().Get("Uint8Array").New(b))
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Write implements io.Writer.
func (o *openFile) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.appends {
		o.pos = o.size
	}
	n, err := o.writeAt("write", p, o.pos)
	o.pos += int64(n)
	return n, err
}

// WriteAt implements io.WriterAt.
func (o *openFile) WriteAt(p []byte, off int64) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if off < 0 {
		return 0, pathError("writeat", o.name, errNegative)
	}
	return o.writeAt("writeat", p, off)
}

func (o *openFile) writeAt(op string, p []byte, off int64) (int, error) {
	if err := o.check(op, o.writes); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if err := o.begin(true); err != nil {
		return 0, o.fail(op, err)
	}
	if _, err := jsx.Call(o.stream, "write", map[string]any{"type": "write", "position": float64(off), "data": jsx.Uint8Array(p)}); err != nil {
		return 0, o.fail(op, err)
	}
	o.size = max(o.size, off+int64(len(p)))
	return len(p), nil
}

// Seek implements io.Seeker.
func (o *openFile) Seek(offset int64, whence int) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.check("seek", true); err != nil {
		return 0, err
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += o.pos
	case io.SeekEnd:
		offset += o.size
	default:
		return 0, pathError("seek", o.name, hackpadfs.ErrInvalid)
	}
	if offset < 0 {
		return 0, pathError("seek", o.name, hackpadfs.ErrInvalid)
	}
	o.pos = offset
	return offset, nil
}

// Truncate implements hackpadfs.TruncaterFile.
func (o *openFile) Truncate(size int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if size < 0 {
		return pathError("truncate", o.name, hackpadfs.ErrInvalid)
	}
	if err := o.check("truncate", true); err != nil {
		return err
	}
	if !o.writes {
		return pathError("truncate", o.name, hackpadfs.ErrInvalid)
	}
	err := o.begin(true)
	if err == nil {
		_, err = jsx.Call(o.stream, "truncate", float64(size))
	}
	if err != nil {
		return o.fail("truncate", err)
	}
	o.size = size
	return nil
}

// Sync implements hackpadfs.SyncerFile.
func (o *openFile) Sync() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.check("sync", true); err != nil {
		return err
	}
	if err := o.commit(); err != nil {
		return o.fail("sync", err)
	}
	return nil
}

// Close implements io/fs.File. If the browser refuses to save a written file, Close returns the error.
func (o *openFile) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.check("close", true); err != nil {
		return err
	}
	o.closed = true
	if o.stream.IsUndefined() {
		return nil
	}
	if err := o.end(); err != nil {
		return o.fail("close", err)
	}
	return nil
}

// Abort closes the file and discards what was written since it was opened. It removes the file if OpenFile created
// it.
func (o *openFile) Abort() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.check("close", true); err != nil {
		return err
	}
	o.closed = true
	var err error
	if !o.stream.IsUndefined() {
		_, err = jsx.Call(o.stream, "abort")
	}
	if o.created {
		parent, base, e := o.fs.parent(o.name)
		if e == nil {
			_, e = jsx.Call(parent, "removeEntry", base)
		}
		if err == nil {
			err = e
		}
	}
	if err != nil {
		return o.fail("close", err)
	}
	return nil
}

// openDir is an open folder.
type openDir struct {
	fs   *FS
	name string

	mu      sync.Mutex
	closed  bool
	entries []hackpadfs.DirEntry // not returned yet; nil before the first ReadDir
	read    bool
}

// Stat implements io/fs.File.
func (d *openDir) Stat() (hackpadfs.FileInfo, error) {
	if d.closed {
		return nil, pathError("stat", d.name, hackpadfs.ErrClosed)
	}
	return info{name: path.Base(d.name), dir: true}, nil
}

// Read implements io/fs.File.
func (d *openDir) Read([]byte) (int, error) { return 0, pathError("read", d.name, hackpadfs.ErrIsDir) }

// Close implements io/fs.File.
func (d *openDir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return pathError("close", d.name, hackpadfs.ErrClosed)
	}
	d.closed = true
	return nil
}

// ReadDir implements io/fs.ReadDirFile.
func (d *openDir) ReadDir(n int) ([]hackpadfs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, pathError("readdir", d.name, hackpadfs.ErrClosed)
	}
	if !d.read {
		entries, err := d.fs.ReadDir(d.name)
		if err != nil {
			return nil, err
		}
		d.entries, d.read = entries, true
	}
	if n <= 0 {
		n = len(d.entries)
	} else if len(d.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.entries))
	out := d.entries[:n:n]
	d.entries = d.entries[n:]
	return out, nil
}
