package engine

import (
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
	parts, refs, err := attached(req.Parts, req.References, attach)
	if err != nil {
		return err
	}
	var src blobs.Source
	for _, p := range append(parts, refs...) {
		src = append(src, p.R)
	}
	e.files[req.Key] = src
	return nil
}

// Files returns the files that a Parts request provided under key.
func (e *Engine) Files(key string) (blobs.Source, error) {
	src, ok := e.files[key]
	if !ok {
		return nil, notFound("no files for key " + key)
	}
	return src, nil
}

// run answers protocol.Run.
func (e *Engine) run(w *Work, c *protocol.Call) (any, []any, error) {
	req, s, err := ShardOf(c)
	if err != nil {
		return nil, nil, err
	}
	src, err := e.Files(req.Key)
	if err != nil {
		return nil, nil, err
	}
	return e.RunShard(w, req, s, shard.Sources{Parts: src}, c.Attach[1:])
}

// ShardOf returns the request and the shard of a Run call.
func ShardOf(c *protocol.Call) (req protocol.RunRequest, s *shard.Shard, err error) {
	if req, err = protocol.Decode[protocol.RunRequest](c.Body); err != nil {
		return req, nil, err
	}
	var packed []byte
	if len(c.Attach) > 0 {
		packed, _ = c.Attach[0].([]byte)
	}
	if packed == nil {
		return req, nil, badRequest("a shard must be a buffer")
	}
	s, err = shard.Parse(packed)
	return req, s, err
}

// RunShard runs a shard and returns the reply to Run. A shard that arrives while another one runs waits for it; meanwhile its
// first bytes are read ahead. entries are those of an extraction; they are returned behind the data.
func (e *Engine) RunShard(w *Work, req protocol.RunRequest, s *shard.Shard, from shard.Sources, entries []any) (any, []any, error) {
	s.ReadAhead(from.Parts)
	if err := e.running.Enter(w); err != nil {
		return nil, nil, err
	}
	defer e.running.Leave()
	if e.runner == nil {
		e.runner = e.o.Runner()
	}
	result, err := e.runner.Run(s, from, w.Yield())
	if err != nil {
		return nil, nil, err
	}
	rep := protocol.RunReply{Bytes: result.Bytes, Items: result.Items, Bad: len(result.Bad), Memory: LinearMemory()}
	attach := []any{result.AppendBinary(nil)}
	if len(result.Data) == 0 && s.Op != shard.OpExtract {
		return rep, attach, nil
	}
	data := result.Data
	if form, ok := packForm(req.Format); ok && len(entries) > 0 {
		if data, err = e.pack(form, req.Recover, &result, entries[0]); err != nil {
			return nil, nil, err
		}
		rep.Packed = req.Format
	}
	attach = append(append(attach, e.o.Export(data)), entries...)
	e.runner.Reuse(result.Data)
	return rep, attach, nil
}

// Yield returns a function that reports the request's progress and gives up the turn from time to time.
func (w *Work) Yield() shard.Yield {
	last := time.Now()
	return func(bytes int64, items int) error {
		if now := time.Now(); now.Sub(last) >= progressEvery {
			last = now
			w.call.Progress(protocol.RunProgress{Bytes: bytes, Items: items})
		}
		return w.rest()
	}
}

// LinearMemory returns the size of the program's memory, bytes.
func LinearMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

// packForm returns the form in which decoded data is packed for an output, and whether it is packed at all.
func packForm(f protocol.Format) (extract.Form, bool) {
	switch f {
	case protocol.ZIP:
		return extract.OutputZIP, true
	case protocol.TAR:
		return extract.OutputTAR, true
	}
	return extract.OutputRaw, false
}

// pack lays out a shard's bytes between the headers of its entries. The result is valid until the next call.
func (e *Engine) pack(form extract.Form, recover bool, r *shard.Result, packed any) ([]byte, error) {
	b, ok := packed.([]byte)
	if !ok {
		return nil, badRequest("the entries must be a buffer")
	}
	entries, err := extract.ParseEntries(b)
	if err != nil {
		return nil, err
	}
	e.packed, err = extract.PackSegment(e.packed[:0], form, recover, r, entries)
	return e.packed, err
}
