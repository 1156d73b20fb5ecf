package engine

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"time"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wim/shard"
	"wimscope/worker/protocol"
)

// Source is a file as it comes attached to a request.
type Source interface {
	ReadAt(p []byte, off int64) (int, error)
	Size() int64
}

// Sink is where an output goes that is one file.
type Sink interface {
	WriteAt(p []byte, off int64) (int, error)
	// Truncate cuts the file to size, which is less than it has.
	Truncate(size int64) error
	// Finish completes the file. What it returns, if not nil, is attached to the reply.
	Finish() (file any, err error)
	// Abort removes what was written.
	Abort() error
}

// Options are what the engine needs of the program around it.
type Options struct {
	CacheSize     int64 // of decoded chunks, bytes; 0: 48 MiB
	TreeCacheSize int64 // of loaded trees, bytes; 0: 64 MiB
	MaxMemory     int64 // that one chunk or metadata resource may need, bytes; 0: 1 GiB

	// SHA1 is wim.Options.SHA1.
	SHA1 func(b []byte) (wait func() ([20]byte, error))

	// Turn lets the event loop take in messages; nil is right where goroutines run beside each other anyway.
	Turn func()

	// Export makes an attachment of bytes that change as soon as it returns; nil copies them.
	Export func([]byte) any

	// OpenSink and OpenFolder open an output. Handle is what was attached to the request.
	OpenSink   func(target protocol.Target, name string, handle any) (Sink, error)
	OpenFolder func(handle any) (hackpadfs.FS, error)

	// OpenSource opens a folder whose files go into an archive: they are opened, read and looked at by several
	// goroutines at a time. Those of its files that an archive holds are io.ReaderAts.
	OpenSource func(handle any) (fs.FS, error)

	// Join makes one attachment of ranges of files, which comes to the other side as a Source. Whoever runs a shard need not
	// look for its files then; nil: they must.
	Join func(ranges []FileRange) (any, error)
}

// FileRange is bytes of what a Keeper has at hand.
type FileRange struct {
	In      any
	From, N int64
}

// Keeper is what a folder that OpenSource opens may be: it has files at hand as they were when they were looked at. Kept gives
// where the bytes of one are, from a byte of something comparable that others may be part of, and what was known of the file
// then; nil if it is not at hand. If it has changed since, it cannot be read.
type Keeper interface {
	Kept(name string) (in any, from int64, known fs.FileInfo)
}

// Engine is one worker's. It implements protocol.Handler.
type Engine struct {
	o Options

	turn sync.Mutex // held by the request that computes; guards all below

	session *session
	build   *build
	files   map[string]sources // that shards may be of, by key
	runner  *shard.Worker
	packer  *shard.PackWorker
	running chan struct{} // has a slot while a shard runs
	packed  []byte        // the last shard's bytes, as they went out
	out     *output
}

var _ protocol.Handler = (*Engine)(nil)

const restEvery = 16 * time.Millisecond // of work without a rest: a shard's own steps add to it

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
	if o.Export == nil {
		o.Export = func(b []byte) any { return bytes.Clone(b) }
	}
	return &Engine{o: o, files: make(map[string]sources), running: make(chan struct{}, 1)}
}

// Handle implements protocol.Handler.
func (e *Engine) Handle(ctx context.Context, c *protocol.Call) (any, []any, error) {
	if c.Method == protocol.Status { // also the sign of life: it does not wait for its turn
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return protocol.StatusReply{Memory: int64(m.Sys), Heap: int64(m.HeapAlloc)}, nil, nil
	}
	e.turn.Lock()
	defer e.turn.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	w := &work{e: e, ctx: ctx, call: c, last: time.Now()}
	body, attach, err := e.dispatch(w, c)
	if err != nil {
		return nil, nil, protocolError(err)
	}
	return body, attach, nil
}

func (e *Engine) dispatch(w *work, c *protocol.Call) (any, []any, error) {
	switch c.Method {
	case protocol.Open:
		return answer(c, func(req protocol.OpenRequest) (protocol.Archive, error) { return e.open(w, req, c.Attach) })
	case protocol.Close:
		e.session, e.build = nil, nil
		return nil, nil, nil
	case protocol.Sort:
		return answer(c, func(req protocol.OpenRequest) (protocol.SortReply, error) { return e.sort(w, req, c.Attach) })
	case protocol.Parts:
		return nothing(c, func(req protocol.PartsRequest) error { return e.parts(req, c.Attach) })
	case protocol.Forget:
		return nothing(c, func(req protocol.ForgetRequest) error { delete(e.files, req.Key); return nil })
	case protocol.Run:
		return e.run(w, c)
	case protocol.OutOpen:
		return nothing(c, func(req protocol.OutOpenRequest) error { return e.outOpen(req, c.Attach) })
	case protocol.OutSegment:
		return answer(c, func(req protocol.OutSegmentRequest) (protocol.OutProgress, error) {
			return e.outSegment(w, req, c.Attach)
		})
	case protocol.OutFinish:
		return e.outFinish()
	case protocol.OutAbort:
		return nil, nil, e.outAbort()
	case protocol.Input:
		return answer(c, func(req protocol.InputRequest) (protocol.InputReply, error) { return e.input(req, c.Attach) })
	}
	if b := e.build; b != nil {
		switch c.Method {
		case protocol.Draft:
			return answer(c, func(req protocol.DraftRequest) (protocol.DraftReply, error) { return b.draft(w, req) })
		case protocol.Build:
			return answer(c, func(req protocol.BuildRequest) (protocol.BuildReply, error) { return b.makePlan(w, req) })
		case protocol.Stage:
			return answer(c, b.stage)
		case protocol.Skip:
			return nothing(c, b.skip)
		}
	}
	if p := e.planner(); p != nil {
		switch c.Method {
		case protocol.Shard:
			return p.shard(w, c)
		case protocol.Merge:
			return answer(c, func(req protocol.MergeRequest) (protocol.MergeReply, error) { return p.merge(w, req, c.Attach) })
		case protocol.Finish:
			return answer(c, func(req protocol.FinishRequest) (protocol.Report, error) { return p.finish(w, req) })
		case protocol.Drop:
			return nothing(c, func(req protocol.FinishRequest) error { delete(p.plans, req.Plan); return nil })
		}
	}
	s := e.session
	if s == nil {
		return nil, nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: fmt.Sprintf("%s without an open archive", c.Method)}
	}
	switch c.Method {
	case protocol.List:
		return answer(c, s.list)
	case protocol.Tree:
		return answer(c, s.tree)
	case protocol.Find:
		return answer(c, s.find)
	case protocol.Stat:
		return answer(c, func(req protocol.StatRequest) (protocol.Details, error) { return s.stat(w, req) })
	case protocol.Read:
		return s.read(c)
	case protocol.Search:
		return answer(c, func(req protocol.SearchRequest) (protocol.SearchReply, error) { return s.search(w, req) })
	case protocol.Uses:
		return answer(c, func(req protocol.UsesRequest) (protocol.UsesReply, error) { return s.uses(w, req) })
	case protocol.Lacks:
		rep, err := s.lacks(w)
		return rep, nil, err
	case protocol.XML:
		return s.xml()
	case protocol.Version:
		return answer(c, s.version)
	case protocol.Windows:
		return answer(c, s.windows)
	case protocol.Plan:
		return answer(c, func(req protocol.PlanRequest) (protocol.PlanReply, error) { return s.makePlan(w, req) })
	}
	return nil, nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: fmt.Sprintf("no method %q", c.Method)}
}

// planner keeps the plans of what is open, nil if nothing is.
func (e *Engine) planner() *planner {
	switch {
	case e.build != nil:
		return &e.build.planner
	case e.session != nil:
		return &e.session.planner
	}
	return nil
}

// answer decodes a request's body and gives it to f.
func answer[Req, Rep any](c *protocol.Call, f func(Req) (Rep, error)) (any, []any, error) {
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

func nothing[Req any](c *protocol.Call, f func(Req) error) (any, []any, error) {
	req, err := protocol.Decode[Req](c.Body)
	if err != nil {
		return nil, nil, err
	}
	return nil, nil, f(req)
}

// work is a request that computes.
type work struct {
	e    *Engine
	ctx  context.Context
	call *protocol.Call
	last time.Time // of the last rest
}

// wait lets others have the turn until done is closed or the request is cancelled.
func (w *work) wait(done <-chan struct{}) error {
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

// rest gives up the turn for a moment if the last rest was long ago; paused, for as long as that lasts. It returns
// the context's error once the request is cancelled. What the engine holds may have changed when it returns.
func (w *work) rest() error {
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
