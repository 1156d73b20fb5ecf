package engine

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wim/blobs"
	"wimscope/wim/shard"
	"wimscope/worker/protocol"
)

// Source is a file attached to a request.
type Source interface {
	ReadAt(p []byte, off int64) (int, error)
	Size() int64
}

// Sink receives an output that is a single file.
type Sink interface {
	WriteAt(p []byte, off int64) (int, error)
	// Truncate shortens the file to size.
	Truncate(size int64) error
	// Finish completes the file. If file is not nil, it is attached to the reply.
	Finish() (file any, err error)
	// Abort discards what was written.
	Abort() error
}

// Options holds what the engine needs from the surrounding program.
type Options struct {
	CacheSize     int64 // bytes of decoded chunks; 0 means 48 MiB
	TreeCacheSize int64 // bytes of loaded trees; 0 means 64 MiB
	MaxMemory     int64 // bytes that one chunk or metadata resource may need; 0 means 1 GiB

	// SHA1 is blobs.Options.SHA1.
	SHA1 func(b []byte) (wait func() ([20]byte, error))

	// Turn lets the event loop deliver messages. Nil suffices where goroutines run in parallel.
	Turn func()

	// Runner makes the runner of shards. Nil makes one that only reads.
	Runner func() shard.Runner

	// Export returns an attachment with the given bytes, which the caller may change afterwards. Nil copies them.
	Export func([]byte) any

	// OpenSink and OpenFolder open an output. handle is the request's attachment, nil if there is none.
	OpenSink   func(target protocol.Target, name string, handle any) (Sink, error)
	OpenFolder func(handle any) (hackpadfs.FS, error)
}

// Engine is the engine of one worker. It implements protocol.Handler.
type Engine struct {
	o Options

	turn sync.Mutex // held by the request that computes; guards all fields below

	session *session
	files   map[string]blobs.Source // for shards, by key
	runner  shard.Runner
	running Slot   // held while a shard runs
	packed  []byte // the last result of pack, reused by the next
	out     *output
}

var _ protocol.Handler = (*Engine)(nil)

const restEvery = 16 * time.Millisecond // of work between rests; the current step of a shard adds to it

// New returns an engine with nothing open.
func New(o Options) *Engine {
	if o.CacheSize == 0 {
		o.CacheSize = 48 << 20
	}
	if o.TreeCacheSize == 0 {
		o.TreeCacheSize = 64 << 20
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = 1 << 30
	}
	if o.Turn == nil {
		o.Turn = runtime.Gosched
	}
	if o.Runner == nil {
		o.Runner = func() shard.Runner { return shard.NewWorker() }
	}
	if o.Export == nil {
		o.Export = func(b []byte) any { return bytes.Clone(b) }
	}
	return &Engine{o: o, files: make(map[string]blobs.Source), running: NewSlot()}
}

// Handle implements protocol.Handler.
func (e *Engine) Handle(ctx context.Context, c *protocol.Call) (any, []any, error) {
	return e.Do(ctx, c, e.Dispatch)
}

// Do answers a call with f once the call has the turn. It answers Status, which is also the heartbeat, at once.
func (e *Engine) Do(ctx context.Context, c *protocol.Call, f func(*Work, *protocol.Call) (any, []any, error)) (any, []any, error) {
	if c.Method == protocol.Status {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return protocol.StatusReply{Memory: int64(m.Sys), Heap: int64(m.HeapAlloc)}, nil, nil
	}
	e.turn.Lock()
	defer e.turn.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	body, attach, err := f(&Work{e: e, ctx: ctx, call: c, last: time.Now()}, c)
	if err != nil {
		return nil, nil, Error(err)
	}
	return body, attach, nil
}

// Dispatch answers a request that has the turn.
func (e *Engine) Dispatch(w *Work, c *protocol.Call) (any, []any, error) {
	switch c.Method {
	case protocol.Open:
		return Answer(c, func(req protocol.OpenRequest) (protocol.Archive, error) { return e.open(w, req, c.Attach) })
	case protocol.Close:
		e.session = nil
		return nil, nil, nil
	case protocol.Sort:
		return Answer(c, func(req protocol.OpenRequest) (protocol.SortReply, error) { return e.sort(w, req, c.Attach) })
	case protocol.Parts:
		return Nothing(c, func(req protocol.PartsRequest) error { return e.parts(req, c.Attach) })
	case protocol.Forget:
		return Nothing(c, func(req protocol.ForgetRequest) error { delete(e.files, req.Key); return nil })
	case protocol.Run:
		return e.run(w, c)
	case protocol.OutOpen:
		return Nothing(c, func(req protocol.OutOpenRequest) error { return e.outOpen(req, c.Attach) })
	case protocol.OutSegment:
		return e.outSegment(w, c)
	case protocol.OutFinish:
		return e.outFinish()
	case protocol.OutAbort:
		return nil, nil, e.outAbort()
	}
	s := e.session
	if s == nil {
		return nil, nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: fmt.Sprintf("%s without an open archive", c.Method)}
	}
	switch c.Method {
	case protocol.List:
		return Answer(c, s.list)
	case protocol.Tree:
		return Answer(c, s.tree)
	case protocol.Find:
		return Answer(c, s.find)
	case protocol.Stat:
		return Answer(c, func(req protocol.StatRequest) (protocol.Details, error) { return s.stat(w, req) })
	case protocol.Read:
		return s.read(c)
	case protocol.Search:
		return Answer(c, func(req protocol.SearchRequest) (protocol.SearchReply, error) { return s.search(w, req) })
	case protocol.Uses:
		return Answer(c, func(req protocol.UsesRequest) (protocol.UsesReply, error) { return s.uses(w, req) })
	case protocol.Lacks:
		rep, err := s.lacks(w)
		return rep, nil, err
	case protocol.XML:
		return s.xml()
	case protocol.Version:
		return Answer(c, s.version)
	case protocol.Windows:
		return Answer(c, s.windows)
	case protocol.Plan:
		return Answer(c, func(req protocol.PlanRequest) (protocol.PlanReply, error) { return s.makePlan(w, req) })
	}
	if body, attach, ok, err := s.jobs.Dispatch(w, c); ok {
		return body, attach, err
	}
	return nil, nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: fmt.Sprintf("unknown method %q", c.Method)}
}

// Answer decodes a request's body and passes it to f, which returns the reply.
func Answer[Req, Rep any](c *protocol.Call, f func(Req) (Rep, error)) (any, []any, error) {
	req, err := protocol.Decode[Req](c.Body)
	if err != nil {
		return nil, nil, err
	}
	rep, err := f(req)
	if err != nil {
		return nil, nil, err
	}
	return rep, nil, nil
}

// Nothing decodes a request's body and passes it to f. The reply is empty.
func Nothing[Req any](c *protocol.Call, f func(Req) error) (any, []any, error) {
	req, err := protocol.Decode[Req](c.Body)
	if err != nil {
		return nil, nil, err
	}
	return nil, nil, f(req)
}

// Work is a request that has the turn.
type Work struct {
	e    *Engine
	ctx  context.Context
	call *protocol.Call
	last time.Time // of the last rest
}

// Context returns the request's context.
func (w *Work) Context() context.Context { return w.ctx }

// Aside runs f without the turn, so that other requests can run meanwhile.
func (w *Work) Aside(f func()) {
	w.e.turn.Unlock()
	defer w.e.turn.Lock()
	f()
}

// Wait gives up the turn until done is closed or the request is cancelled.
func (w *Work) Wait(done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	w.e.turn.Unlock()
	defer w.e.turn.Lock()
	select {
	case <-done:
		return nil
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

// rest gives up the turn for a moment if the last rest was at least restEvery ago, and keeps resting while the request
// is paused. It returns the context's error once the request is cancelled. The engine's state may have changed when it
// returns.
func (w *Work) rest() error {
	if time.Since(w.last) < restEvery {
		return nil
	}
	w.e.turn.Unlock()
	w.e.o.Turn()
	err := w.call.Hold(w.ctx)
	w.e.turn.Lock()
	w.last = time.Now()
	return err
}

// A Slot is held by one request at a time.
type Slot chan struct{}

// NewSlot returns a Slot that nobody holds.
func NewSlot() Slot { return make(Slot, 1) }

// Enter gives up the turn until w holds the slot or is cancelled.
func (s Slot) Enter(w *Work) error {
	w.e.turn.Unlock()
	defer w.e.turn.Lock()
	select {
	case s <- struct{}{}:
		return nil
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

// Leave frees the slot.
func (s Slot) Leave() { <-s }
