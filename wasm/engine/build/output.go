package build

import (
	"fmt"
	"io"
	"strconv"

	"wimscope/wasm/engine"
	"wimscope/wim/apply"
	"wimscope/worker/protocol"
)

// output is the archive that this worker writes: one file in sink, or the parts of a set in folder.
type output struct {
	sink   engine.Sink
	folder *apply.Folder // nil for one file
	size   int64         // of the archive, once the plan is finished
}

// outOpen answers protocol.OutOpen for an archive.
func (e *Engine) outOpen(req protocol.OutOpenRequest, attach []any) error {
	if e.build == nil {
		return badRequest("no inputs were given")
	}
	p, err := e.build.plan(req.Plan)
	if err != nil {
		return err
	}
	var handle any
	if len(attach) > 0 {
		handle = attach[0]
	}
	switch {
	case p.out != nil:
		return badRequest("the plan's archive has been written already")
	case p.inPlace != (req.Target == protocol.ToFile), p.split != (req.Target == protocol.ToFolder):
		return badRequest(fmt.Sprintf("the plan's archive cannot be written to target %q", req.Target))
	case p.split:
		return e.outParts(p, req.Name, handle)
	case e.o.OpenSink == nil:
		return badRequest("this worker cannot open outputs")
	}
	sink, err := e.o.OpenSink(req.Target, req.Name, handle)
	if err != nil {
		return err
	}
	if err := p.p.Start(&countedSink{sink, &p.written}); err != nil {
		_ = sink.Abort() // nothing was written
		return err
	}
	e.out = &output{sink: sink}
	p.out = e.out
	return nil
}

// outParts opens the folder of a split set. The files appear in it once the last of them is complete.
func (e *Engine) outParts(p *plan, name string, handle any) error {
	if e.o.OpenFolder == nil {
		return badRequest("this worker cannot open folders")
	}
	fsys, err := e.o.OpenFolder(handle)
	if err != nil {
		return err
	}
	folder := engine.NewFolder(fsys)
	name, extension := cutExtension(name)
	err = p.p.StartParts(func(part int) (io.WriterAt, error) {
		path := name + extension
		if part > 1 {
			path = name + strconv.Itoa(part) + extension
		}
		file, err := folder.Create(path)
		return &countedFile{file, &p.written}, err
	})
	if err == nil {
		e.out = &output{folder: folder}
		p.out = e.out
	}
	return err
}

// outFinish answers protocol.OutFinish.
func (e *Engine) outFinish() (any, []any, error) {
	o := e.out
	rep := protocol.OutReply{Bytes: o.size, Files: 1}
	var attach []any
	if o.folder != nil {
		if err := o.folder.Complete(); err != nil {
			return nil, nil, err
		}
		rep.Files = o.folder.Files
	} else {
		file, err := o.sink.Finish()
		if err != nil {
			return nil, nil, err
		}
		if file != nil {
			attach = []any{file}
		}
	}
	e.out = nil
	return rep, attach, nil
}

// outAbort answers protocol.OutAbort.
func (e *Engine) outAbort() error {
	o := e.out
	e.out = nil
	if o.folder != nil {
		return o.folder.Abort()
	}
	return o.sink.Abort()
}

// countedFile counts the bytes written to a part of a set.
type countedFile struct {
	apply.File
	n *int64
}

// WriteAt implements io.WriterAt.
func (f *countedFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	*f.n += int64(n)
	return n, err
}

// countedSink counts the bytes written to a sink.
type countedSink struct {
	engine.Sink
	n *int64
}

// WriteAt implements io.WriterAt.
func (s *countedSink) WriteAt(p []byte, off int64) (int, error) {
	n, err := s.Sink.WriteAt(p, off)
	*s.n += int64(n)
	return n, err
}
