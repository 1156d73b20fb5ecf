package engine

import (
	"context"
	"runtime"
	"time"

	"wimscope/wim"
	"wimscope/worker/protocol"
)

const progressEvery = 100 * time.Millisecond

// parts answers protocol.Parts.
func (e *Engine) parts(req protocol.PartsRequest, attach []any) error {
	parts, refs, err := attached(req.Parts, req.References, attach)
	if err != nil {
		return err
	}
	var src wim.Source
	for _, p := range append(parts, refs...) {
		src = append(src, p.R)
	}
	e.files[req.Key] = src
	return nil
}

// oneAtATime waits until no other shard runs. The turn is not held meanwhile.
func (e *Engine) oneAtATime(ctx context.Context) error {
	e.turn.Unlock()
	defer e.turn.Lock()
	select {
	case e.running <- struct{}{}:
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
	if len(c.Attach) < 1 || len(c.Attach) > 2 {
		return nil, nil, badRequest("a shard is one buffer, and one of entries")
	}
	packed, ok := c.Attach[0].([]byte)
	if !ok {
		return nil, nil, badRequest("a shard is one buffer, and one of entries")
	}
	shard, err := wim.ParseShard(packed)
	if err != nil {
		return nil, nil, err
	}
	shard.ReadAhead(src)
	if err := e.oneAtATime(w.ctx); err != nil {
		return nil, nil, err
	}
	defer func() { <-e.running }()
	if e.runner == nil {
		e.runner = wim.NewShardWorker()
	}
	last := time.Now()
	result, err := wim.RunShard(shard, src, e.runner, func(bytes int64, items int) error {
		if now := time.Now(); now.Sub(last) >= progressEvery {
			last = now
			c.Progress(protocol.RunProgress{Bytes: bytes, Items: items})
		}
		return w.rest()
	})
	if err != nil {
		return nil, nil, err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	rep := protocol.RunReply{
		Bytes: result.Bytes, Items: result.Items, Bad: len(result.Bad),
		Sum: result.AppendBinary(nil), Memory: int64(m.Sys),
	}
	if shard.Op != wim.OpExtract {
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

// packForm is the form in which what is decoded is packed for an output; false: it is not.
func packForm(f protocol.Format) (wim.OutputForm, bool) {
	switch f {
	case protocol.ZIP:
		return wim.OutputZIP, true
	case protocol.TAR:
		return wim.OutputTAR, true
	}
	return wim.OutputRaw, false
}

// pack lays out a shard's bytes between the headers of its entries. They are valid until the next shard is packed.
func (e *Engine) pack(form wim.OutputForm, recover bool, r *wim.ShardResult, packed any) ([]byte, error) {
	b, ok := packed.([]byte)
	if !ok {
		return nil, badRequest("entries are one buffer")
	}
	entries, err := wim.ParseEntries(b)
	if err != nil {
		return nil, err
	}
	e.packed, err = wim.PackSegment(e.packed[:0], form, recover, r, entries)
	return e.packed, err
}
