package engine

import (
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

// run answers protocol.Run.
func (e *Engine) run(w *work, c *protocol.Call) (any, []any, error) {
	req, err := protocol.Decode[protocol.RunRequest](c.Body)
	if err != nil {
		return nil, nil, err
	}
	src, ok := e.files[req.Key]
	if !ok {
		return nil, nil, notFound("no files were given under " + req.Key)
	}
	if len(c.Attach) != 1 {
		return nil, nil, badRequest("a shard is one buffer")
	}
	packed, ok := c.Attach[0].([]byte)
	if !ok {
		return nil, nil, badRequest("a shard is one buffer")
	}
	shard, err := wim.ParseShard(packed)
	if err != nil {
		return nil, nil, err
	}
	runner := e.runner
	e.runner = nil // a second shard at a time has a worker of its own
	if runner == nil {
		runner = wim.NewShardWorker()
	}
	last := time.Now()
	result, err := wim.RunShard(shard, src, runner, func(bytes int64, items int) error {
		if now := time.Now(); now.Sub(last) >= progressEvery {
			last = now
			c.Progress(protocol.RunProgress{Bytes: bytes, Items: items})
		}
		return w.rest()
	})
	e.runner = runner
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
	return rep, []any{result.Data}, nil
}
