package engine

import (
	"context"
	"io/fs"
	"runtime"
	"time"

	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/shard"
	"wimscope/worker/protocol"
)

const progressEvery = 100 * time.Millisecond

// parts answers protocol.Parts.
func (e *Engine) parts(req protocol.PartsRequest, attach []any) error {
	n := min(len(req.Parts)+len(req.References), len(attach))
	folders := attach[n:]
	parts, refs, err := attached(req.Parts, req.References, attach[:n])
	if err != nil {
		return err
	}
	var src sources
	for _, p := range append(parts, refs...) {
		src.parts = append(src.parts, p.R)
	}
	for _, f := range req.Folders {
		fsys, err := e.folder(f, &folders)
		if err != nil {
			return err
		}
		src.folders = append(src.folders, fsys)
	}
	if len(folders) > 0 {
		return badRequest("more files are attached than there are names")
	}
	e.files[req.Key] = src
	return nil
}

// sources are what shards take their bytes from.
type sources struct {
	parts   blobs.Source
	folders []fs.FS
}

// oneAtATime waits until there is room for one more: in running, until no other shard runs. The turn is not held
// meanwhile.
func (e *Engine) oneAtATime(ctx context.Context, running chan struct{}) error {
	e.turn.Unlock()
	defer e.turn.Lock()
	select {
	case running <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run answers protocol.Run. A shard that comes while another one runs waits for it, and has its first bytes read
// meanwhile.
func (e *Engine) run(w *work, c *protocol.Call) (any, []any, error) {
	req, err := protocol.Decode[protocol.RunRequest](c.Body)
	if err != nil {
		return nil, nil, err
	}
	src, ok := e.files[req.Key]
	if !ok {
		return nil, nil, notFound("no files were given under " + req.Key)
	}
	if req.Op == opPack {
		return e.runPack(w, c.Attach, src)
	}
	if len(c.Attach) < 1 || len(c.Attach) > 2 {
		return nil, nil, badRequest("a shard is one buffer, and one of entries")
	}
	packed, ok := c.Attach[0].([]byte)
	if !ok {
		return nil, nil, badRequest("a shard is one buffer, and one of entries")
	}
	s, err := shard.Parse(packed)
	if err != nil {
		return nil, nil, err
	}
	s.ReadAhead(src.parts)
	if err := e.oneAtATime(w.ctx, e.running); err != nil {
		return nil, nil, err
	}
	defer func() { <-e.running }()
	if e.runner == nil {
		e.runner = shard.NewWorker()
	}
	result, err := shard.Do(s, src.parts, e.runner, w.tell())
	if err != nil {
		return nil, nil, err
	}
	rep := protocol.RunReply{
		Bytes: result.Bytes, Items: result.Items, Bad: len(result.Bad),
		Sum: result.AppendBinary(nil), Memory: linearMemory(),
	}
	if s.Op != shard.OpExtract {
		return rep, nil, nil
	}
	data := result.Data
	if form, ok := packForm(req.Format); ok && len(c.Attach) > 1 {
		if data, err = e.pack(form, req.Recover, &result, c.Attach[1]); err != nil {
			return nil, nil, err
		}
		rep.Packed = req.Format
	}
	attach := append([]any{e.o.Export(data)}, c.Attach[1:]...)
	e.runner.Reuse(result.Data)
	return rep, attach, nil
}

// tell makes a rest that also tells the caller how far the request is.
func (w *work) tell() shard.Yield {
	last := time.Now()
	return func(bytes int64, items int) error {
		if now := time.Now(); now.Sub(last) >= progressEvery {
			last = now
			w.call.Progress(protocol.RunProgress{Bytes: bytes, Items: items})
		}
		return w.rest()
	}
}

func linearMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

// packForm is the form in which what is decoded is packed for an output; false: it is not.
func packForm(f protocol.Format) (extract.Form, bool) {
	switch f {
	case protocol.ZIP:
		return extract.OutputZIP, true
	case protocol.TAR:
		return extract.OutputTAR, true
	}
	return extract.OutputRaw, false
}

// pack lays out a shard's bytes between the headers of its entries. They are valid until the next shard is packed.
func (e *Engine) pack(form extract.Form, recover bool, r *shard.Result, packed any) ([]byte, error) {
	b, ok := packed.([]byte)
	if !ok {
		return nil, badRequest("entries are one buffer")
	}
	entries, err := extract.ParseEntries(b)
	if err != nil {
		return nil, err
	}
	e.packed, err = extract.PackSegment(e.packed[:0], form, recover, r, entries)
	return e.packed, err
}
