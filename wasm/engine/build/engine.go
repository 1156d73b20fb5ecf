// Package build answers the requests for building an archive: inputs, drafts, plans, shards and output. It passes all
// others to the reading engine that it extends, so a worker with this program can take any role.
//
// It is separate from package engine so that the read-only program does not contain encoders, drafts and writing.
package build

import (
	"context"
	"io/fs"

	"wimscope/wasm/engine"
	"wimscope/wim/pack"
	"wimscope/wim/shard"
	"wimscope/worker/protocol"
)

// Options holds what building needs from the surrounding program, in addition to what reading needs.
type Options struct {
	engine.Options

	// OpenSource opens a folder whose files go into an archive. Several goroutines open, read and stat its files at the
	// same time. The files must be io.ReaderAts.
	OpenSource func(handle any) (fs.FS, error)

	// Join makes one attachment from ranges of files. The receiver gets it as an engine.Source. It saves a shard worker
	// from opening each file; if Join is nil, the worker opens them.
	Join func(ranges []FileRange) (any, error)
}

// FileRange is a range of bytes of a value that Keeper.Kept returned.
type FileRange struct {
	In      any
	From, N int64
}

// Keeper is an optional interface of the folders that OpenSource opens. A Keeper keeps files as they were at the scan.
// Kept returns where a file's bytes are: in is a comparable value for a FileRange, which other files may share; from is
// the offset in it; known is the file's description from the scan. in is nil if the file is not kept. Reading the bytes
// fails if the file has changed since.
type Keeper interface {
	Kept(name string) (in any, from int64, known fs.FileInfo)
}

// Engine is the engine of one worker that builds. It implements protocol.Handler.
type Engine struct {
	*engine.Engine
	o Options

	// The turn of the embedded engine guards these fields.
	build   *build
	folders map[string][]fs.FS // for shards, by key
	out     *output            // the archive that is being written
}

var _ protocol.Handler = (*Engine)(nil)

// New returns an engine with nothing open.
func New(o Options) *Engine {
	o.Runner = func() shard.Runner { return pack.NewWorker(nil) }
	return &Engine{Engine: engine.New(o.Options), o: o, folders: make(map[string][]fs.FS)}
}

// Handle implements protocol.Handler.
func (e *Engine) Handle(ctx context.Context, c *protocol.Call) (any, []any, error) {
	return e.Do(ctx, c, func(w *engine.Work, c *protocol.Call) (any, []any, error) {
		body, attach, err := e.dispatch(w, c)
		return body, attach, protocolError(err)
	})
}

func (e *Engine) dispatch(w *engine.Work, c *protocol.Call) (any, []any, error) {
	switch c.Method {
	case protocol.Input:
		return engine.Answer(c, func(req protocol.InputRequest) (protocol.InputReply, error) { return e.input(req, c.Attach) })
	case protocol.Open, protocol.Close:
		e.build = nil // there is not enough memory for both
	case protocol.Parts:
		return engine.Nothing(c, func(req protocol.PartsRequest) error { return e.parts(req, c.Attach) })
	case protocol.Forget:
		if _, _, err := engine.Nothing(c, func(req protocol.ForgetRequest) error { delete(e.folders, req.Key); return nil }); err != nil {
			return nil, nil, err
		}
	case protocol.Run:
		return e.run(w, c)
	case protocol.OutOpen:
		req, err := protocol.Decode[protocol.OutOpenRequest](c.Body)
		if err != nil {
			return nil, nil, err
		}
		if e.out != nil || req.Format == protocol.WIM && e.Writing() {
			return nil, nil, badRequest("an output is open already")
		}
		if req.Format == protocol.WIM {
			return nil, nil, e.outOpen(req, c.Attach)
		}
	case protocol.OutFinish:
		if e.out != nil {
			return e.outFinish()
		}
	case protocol.OutAbort:
		if e.out != nil {
			return nil, nil, e.outAbort()
		}
	}
	if b := e.build; b != nil {
		switch c.Method {
		case protocol.Draft:
			return engine.Answer(c, func(req protocol.DraftRequest) (protocol.DraftReply, error) { return b.draft(w, req) })
		case protocol.Build:
			return engine.Answer(c, func(req protocol.BuildRequest) (protocol.BuildReply, error) { return b.makePlan(w, req) })
		case protocol.Skip:
			return engine.Nothing(c, b.skip)
		}
		if body, attach, ok, err := b.jobs.Dispatch(w, c); ok {
			return body, attach, err
		}
	}
	return e.Dispatch(w, c)
}
