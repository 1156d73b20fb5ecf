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
		return nil, notFound("no files were given under " + key)
	}
	return src, nil
}

// run answers protocol.Run. A shard that arrives while another one runs waits for it; meanwhile its first bytes are
// read ahead.
func (e *Engine) run(w *Work, c *protocol.Call) (any, []any, error) {
	req, err := protocol.Decode[protocol.RunRequest](c.Body)
	if err != nil {
		return nil, nil, err
	}
	src, err := e.Files(req.Key)
	if err != nil {
		return nil, nil, err
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
	s.ReadAhead(src)
	if err := e.running.Enter(w); err != nil {
		return nil, nil, err
	}
	defer e.running.Leave()
	if e.runner == nil {
		e.runner = shard.NewWorker()
	}
	result, err := shard.Do(s, src, e.runner, w.Yield())
	if err != nil {
		return nil, nil, err
	}
	rep := protocol.RunReply{
		Bytes: result.Bytes, Items: result.Items, Bad: len(result.Bad),
		Sum: result.AppendBinary(nil), Memory: LinearMemory(),
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
		return nil, badRequest("entries are one buffer")
	}
	entries, err := extract.ParseEntries(b)
	if err != nil {
		return nil, err
	}
	e.packed, err = extract.PackSegment(e.packed[:0], form, recover, r, entries)
	return e.packed, err
}
