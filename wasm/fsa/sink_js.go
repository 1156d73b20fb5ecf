package fsa

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall/js"
	"time"

	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// Sink receives a file's bytes at positions. Nobody else sees the data before Finish; Abort removes all of it. After
// either call the sink must not be used.
type Sink interface {
	io.WriterAt
	// WriteBuffer writes n bytes of b, starting at from, at offset off, without copying them into the program's
	// memory. b must have a method JSValue that returns a Uint8Array, whose bytes must not change until Finish.
	WriteBuffer(b any, from, n, off int64) error
	// Truncate shortens the file to size.
	Truncate(size int64) error
	// Finish completes the file. It returns a js.Value of a File that the page must offer as a download, or nil if
	// the file is already where the user wanted it.
	Finish() (file any, err error)
	Abort() error
}

// OpenSink opens an output for target. For ToHandle and ToFile, handle is the FileSystemFileHandle. With ToFile the
// file keeps its data except where it is overwritten.
func OpenSink(target protocol.Target, name string, handle any) (Sink, error) {
	switch target {
	case protocol.ToHandle, protocol.ToFile:
		h, ok := handle.(js.Value)
		if !ok || h.Type() != js.TypeObject {
			return nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: "the output's file handle is missing"}
		}
		return openWritable(name, h, target == protocol.ToFile)
	case protocol.ToOPFS:
		s, err := openOPFS(name)
		if e := protocol.AsError(err); err != nil && e.Code != protocol.CodeNoSpace {
			// The page tried OPFS, but the browser refuses it here. Fall back to memory.
			return &memorySink{name: name}, nil
		}
		return s, err
	case protocol.ToMemory:
		return &memorySink{name: name}, nil
	}
	return nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: fmt.Sprintf("unknown output target %q", target)}
}

// subarray returns a view of n bytes of b, as WriteBuffer received it.
func subarray(b any, from, n int64) (js.Value, error) {
	v, ok := b.(interface{ JSValue() js.Value })
	if !ok {
		return js.Undefined(), &protocol.Error{Code: protocol.CodeBadRequest, Message: fmt.Sprintf("a %T is not a buffer", b)}
	}
	return jsx.CallNow(v.JSValue(), "subarray", float64(from), float64(from+n))
}

// inSteps calls write for n bytes, at most step at a time.
func inSteps(from, n, off, step int64, write func(from, n, off int64) error) error {
	for n > 0 {
		k := min(n, step)
		if err := write(from, k, off); err != nil {
			return err
		}
		from, n, off = from+k, n-k, off+k
	}
	return nil
}

const (
	writesAhead = 4       // pending writes of a stream when the next one starts
	streamStep  = 4 << 20 // of a buffer: smaller steps take more turns, larger ones make the browser allocate new memory for its copy
)

// writableSink writes through createWritable: the browser keeps the data in a temporary file and swaps it in at the
// end.
type writableSink struct {
	name   string
	handle js.Value
	stream js.Value
	fresh  bool // the picker created the file: it is removed if the output fails

	room chan struct{} // one slot for each pending write
	wg   sync.WaitGroup
	mu   sync.Mutex
	err  error // the first error of a pending write
}

func openWritable(name string, handle js.Value, keep bool) (*writableSink, error) {
	s := &writableSink{name: name, handle: handle, room: make(chan struct{}, writesAhead)}
	f, err := jsx.Call(handle, "getFile")
	if err != nil {
		return nil, writeError(name, err)
	}
	s.fresh = f.Get("size").Float() == 0 && !keep
	if s.stream, err = jsx.Call(handle, "createWritable", map[string]any{"keepExistingData": keep}); err != nil {
		return nil, writeError(name, err)
	}
	return s, nil
}

// WriteAt implements io.WriterAt. It copies p. An error may be returned by a later call.
func (s *writableSink) WriteAt(p []byte, off int64) (int, error) {
	if err := s.failure(); err != nil {
		return 0, err
	}
	s.write(map[string]any{"type": "write", "position": float64(off), "data": jsx.Uint8Array(p)})
	return len(p), nil
}

// WriteBuffer implements Sink. An error may be returned by a later call.
func (s *writableSink) WriteBuffer(b any, from, n, off int64) error {
	return inSteps(from, n, off, streamStep, func(from, n, off int64) error {
		if err := s.failure(); err != nil {
			return err
		}
		data, err := subarray(b, from, n)
		if err != nil {
			return err
		}
		s.write(map[string]any{"type": "write", "position": float64(off), "data": data})
		return nil
	})
}

// Truncate implements Sink. An error may be returned by Finish.
func (s *writableSink) Truncate(size int64) error {
	s.write(map[string]any{"type": "truncate", "size": float64(size)})
	return s.failure()
}

// write issues a command at once, since the browser runs commands in the order in which it gets them and writes to
// one place must not be reordered. Only the result is awaited in a goroutine.
func (s *writableSink) write(command map[string]any) {
	s.room <- struct{}{}
	promise, err := jsx.CallNow(s.stream, "write", command)
	s.wg.Go(func() {
		if err == nil {
			_, err = jsx.Await(promise)
		}
		if err != nil {
			s.mu.Lock()
			if s.err == nil {
				s.err = writeError(s.name, err)
			}
			s.mu.Unlock()
		}
		<-s.room
	})
}

func (s *writableSink) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Finish implements Sink. The browser checks the whole file here, which takes seconds per gigabyte.
func (s *writableSink) Finish() (any, error) {
	s.wg.Wait()
	if err := s.failure(); err != nil {
		return nil, err
	}
	if _, err := jsx.Call(s.stream, "close"); err != nil {
		return nil, writeError(s.name, err)
	}
	return nil, nil
}

// Abort implements Sink.
func (s *writableSink) Abort() error {
	_, err := jsx.Call(s.stream, "abort")
	s.wg.Wait()
	if s.fresh && s.handle.Get("remove").Type() == js.TypeFunction {
		if _, e := jsx.Call(s.handle, "remove"); err == nil && !jsx.Named(e, "NotFoundError") {
			err = e
		}
	}
	if err != nil {
		return writeError(s.name, err)
	}
	return nil
}

// opfsSink writes a file in the origin private file system, which the page then offers as a download.
type opfsSink struct {
	name   string // for the user
	folder js.Value
	entry  string // in folder
	handle js.Value
	access js.Value // FileSystemSyncAccessHandle
}

func openOPFS(name string) (*opfsSink, error) {
	s := &opfsSink{name: name}
	var err error
	if s.folder, err = jsx.OutputFolder(); err != nil {
		return nil, s.fails(err)
	}
	// Remove what earlier pages left. If that fails, the code below reports the error.
	_ = jsx.RemoveOutputs(func(size int64, age time.Duration) bool { return age > jsx.HandOver(size) })
	for try, now := 0, time.Now(); ; try++ {
		s.entry = fmt.Sprintf("%d-%d", now.UnixMilli(), try)
		if s.handle, err = jsx.Call(s.folder, "getFileHandle", s.entry, map[string]any{"create": true}); err != nil {
			return nil, s.fails(err)
		}
		s.access, err = jsx.Call(s.handle, "createSyncAccessHandle")
		// Two outputs started in the same millisecond: the second one finds the file locked.
		if jsx.Named(err, "NoModificationAllowedError") && try < 100 {
			continue
		}
		if err != nil {
			return nil, s.fails(err)
		}
		break
	}
	if _, err := jsx.CallNow(s.access, "truncate", 0); err != nil {
		s.remove()
		return nil, s.fails(err)
	}
	return s, nil
}

// fails converts an exception. If there is no space, the error says that the browser's own storage is full, not the
// chosen disk.
func (s *opfsSink) fails(err error) error {
	err = writeError(s.name, err)
	var e *protocol.Error
	if errors.As(err, &e) && e.Code == protocol.CodeNoSpace {
		e.Record = protocol.InStore
	}
	return err
}

// WriteAt implements io.WriterAt.
func (s *opfsSink) WriteAt(p []byte, off int64) (int, error) { return s.write(jsx.Uint8Array(p), off) }

// WriteBuffer implements Sink.
func (s *opfsSink) WriteBuffer(b any, from, n, off int64) error {
	return inSteps(from, n, off, opfsStep, func(from, n, off int64) error {
		data, err := subarray(b, from, n)
		if err == nil {
			_, err = s.write(data, off)
		}
		return err
	})
}

// opfsStep is the size of one write. Chromium copies the data to memory that it allocates each time, which for 8 MiB
// takes eight times as long as for eight times 1 MiB.
const opfsStep = 1 << 20

func (s *opfsSink) write(data js.Value, off int64) (int, error) {
	n, err := jsx.CallNow(s.access, "write", data, map[string]any{"at": float64(off)})
	if err != nil {
		return 0, s.fails(err)
	}
	if want := data.Length(); n.Int() < want {
		return n.Int(), &protocol.Error{Code: protocol.CodeNoSpace, Name: s.name, Record: protocol.InStore, Message: "the browser's private file system is full"}
	}
	return n.Int(), nil
}

// Truncate implements Sink.
func (s *opfsSink) Truncate(size int64) error {
	if _, err := jsx.Call(s.access, "truncate", float64(size)); err != nil { // a promise in older Safari
		return s.fails(err)
	}
	return nil
}

// Finish implements Sink.
func (s *opfsSink) Finish() (any, error) {
	// No flush, which would wait for the disk: the File is read on this machine. In older Safari, close returns a
	// promise.
	if _, err := jsx.Call(s.access, "close"); err != nil {
		return nil, s.fails(err)
	}
	f, err := jsx.Call(s.handle, "getFile")
	if err != nil {
		return nil, s.fails(err)
	}
	return f, nil
}

// Abort implements Sink.
func (s *opfsSink) Abort() error { return s.remove() }

func (s *opfsSink) remove() error {
	_, _ = jsx.Call(s.access, "close") // removeEntry reports the error that matters
	_, err := jsx.Call(s.folder, "removeEntry", s.entry)
	if err != nil {
		return s.fails(err)
	}
	return nil
}

const memoryChunk = 4 << 20

// memorySink keeps the data on the JavaScript side, in chunks, and makes a File of them.
type memorySink struct {
	name   string
	chunks []js.Value // Uint8Arrays of memoryChunk bytes; undefined where nothing has been written
	size   int64
}

// WriteAt implements io.WriterAt.
func (s *memorySink) WriteAt(p []byte, off int64) (int, error) {
	err := s.each(int64(len(p)), off, func(to js.Value, from, n int64) { js.CopyBytesToJS(to, p[from:from+n]) })
	return len(p), err
}

// WriteBuffer implements Sink.
func (s *memorySink) WriteBuffer(b any, from, n, off int64) error {
	data, err := subarray(b, from, n)
	if err != nil {
		return err
	}
	return s.each(n, off, func(to js.Value, from, n int64) { to.Call("set", data.Call("subarray", from, from+n)) })
}

// each splits a write of n bytes at off by chunks. For each chunk it calls put with the target's bytes and the range
// of the data.
func (s *memorySink) each(n, off int64, put func(to js.Value, from, n int64)) (err error) {
	defer func() {
		if err != nil {
			err = writeError(s.name, err)
		}
	}()
	defer jsx.Catch(&err)
	for done := int64(0); done < n; {
		at := off + done
		i, from := int(at/memoryChunk), at%memoryChunk
		for len(s.chunks) <= i {
			s.chunks = append(s.chunks, js.Undefined())
		}
		if s.chunks[i].IsUndefined() {
			s.chunks[i] = js.Global().Get("Uint8Array").New(memoryChunk)
		}
		k := min(n-done, memoryChunk-from)
		put(s.chunks[i].Call("subarray", from, from+k), done, k)
		done += k
	}
	s.size = max(s.size, off+n)
	return nil
}

// Truncate implements Sink.
func (s *memorySink) Truncate(size int64) error {
	s.size = size
	s.chunks = s.chunks[:(size+memoryChunk-1)/memoryChunk]
	return nil
}

// Finish implements Sink.
func (s *memorySink) Finish() (file any, err error) {
	defer func() {
		if err != nil {
			file, err = nil, writeError(s.name, err)
		}
	}()
	defer jsx.Catch(&err)
	parts := js.Global().Get("Array").New()
	for i, c := range s.chunks {
		if c.IsUndefined() {
			c = js.Global().Get("Uint8Array").New(memoryChunk)
		}
		if left := s.size - int64(i)*memoryChunk; left < memoryChunk {
			c = c.Call("subarray", 0, left)
		}
		parts.Call("push", c)
	}
	s.chunks = nil
	return js.Global().Get("File").New(parts, s.name, map[string]any{"type": "application/octet-stream"}), nil
}

// Abort implements Sink.
func (s *memorySink) Abort() error {
	s.chunks = nil
	return nil
}
