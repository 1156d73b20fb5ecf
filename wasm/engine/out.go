package engine

import (
	"fmt"

	"wimscope/wim"
	"wimscope/worker/protocol"
)

// output is the file or folder that this worker writes. Segments come in order; the first failure is the end.
type output struct {
	form   protocol.Format
	name   string
	sink   Sink             // nil for a folder
	writer wim.OutputWriter // ZIP and TAR
	folder *folder
	maker  wim.SegmentMaker
	off    int64 // end of what was written, for Raw and CSV
	files  int
}

// outOpen answers protocol.OutOpen.
func (e *Engine) outOpen(req protocol.OutOpenRequest, attach []any) error {
	if e.out != nil {
		return badRequest("an output is open already")
	}
	var handle any
	if len(attach) > 0 {
		handle = attach[0]
	}
	o := &output{form: req.Format, name: req.Name, maker: wim.SegmentMaker{Recover: req.Recover}}
	if req.Format == protocol.Folder {
		if e.o.OpenFolder == nil {
			return badRequest("no folders here")
		}
		fs, err := e.o.OpenFolder(handle)
		if err != nil {
			return err
		}
		o.folder = newFolder(fs, req.Recover)
		e.out = o
		return nil
	}
	switch req.Format {
	case protocol.ZIP, protocol.TAR, protocol.Raw, protocol.CSV:
	default:
		return badRequest(fmt.Sprintf("no output has the form %q", req.Format))
	}
	if e.o.OpenSink == nil {
		return badRequest("no outputs here")
	}
	sink, err := e.o.OpenSink(req.Target, req.Name, handle)
	if err != nil {
		return err
	}
	o.sink = sink
	switch req.Format {
	case protocol.ZIP:
		o.writer = wim.NewZIPWriter(sink)
	case protocol.TAR:
		o.writer = wim.NewTARWriter(sink)
	}
	e.out = o
	return nil
}

// outSegment answers protocol.OutSegment.
func (e *Engine) outSegment(w *work, req protocol.OutSegmentRequest, attach []any) (protocol.OutProgress, error) {
	o := e.out
	if o == nil {
		return protocol.OutProgress{}, badRequest("no output is open")
	}
	var data, packed []byte
	for i, b := range attach {
		bytes, ok := b.([]byte)
		if !ok && b != nil {
			return protocol.OutProgress{}, badRequest("an attachment is no buffer")
		}
		switch i {
		case 0:
			data = bytes
		case 1:
			packed = bytes
		}
	}
	if o.form == protocol.CSV {
		_, err := o.sink.WriteAt(data, o.off)
		o.off += int64(len(data))
		o.files = 1
		return protocol.OutProgress{Bytes: int64(len(data))}, err
	}
	seg, err := o.segment(req.Result.Sum, data, packed)
	if err != nil {
		return protocol.OutProgress{}, err
	}
	p := protocol.OutProgress{Bytes: int64(len(data)), Files: countFiles(seg.Entries)}
	for i := range seg.Damaged {
		d := protocol.Problem{Path: "/" + seg.Damaged[i].Path, Reason: "damaged"}
		if seg.Damaged[i].Marked {
			d.Detail = "written"
		}
		p.Damaged = append(p.Damaged, d)
	}
	switch {
	case o.folder != nil:
		before := o.folder.files
		p.Refused, err = o.folder.segment(w.ctx, seg)
		p.Files = o.folder.files - before
	case o.writer != nil:
		err = o.writer.Segment(seg.Data, seg.Entries, seg.CRCs)
	case len(seg.Damaged) > 0 && !o.maker.Recover: // the one file that was wanted
		err = &protocol.Error{Code: protocol.CodeChecksum, Name: o.name, Message: "the content of " + seg.Damaged[0].Path + " is damaged"}
	default:
		err = o.raw(seg)
	}
	o.files += p.Files
	return p, err
}

// segment makes a segment ready to be written. Without a sum nothing was run, and nothing of it is a content.
func (o *output) segment(sum, data, packed []byte) (*wim.Segment, error) {
	entries, err := wim.ParseEntries(packed)
	if err != nil {
		return nil, err
	}
	r := &wim.ShardResult{}
	if len(sum) > 0 {
		if r, err = wim.ParseShardResult(sum); err != nil {
			return nil, err
		}
	}
	return o.maker.Make(data, r, entries)
}

// raw writes a segment of the one stream.
func (o *output) raw(seg *wim.Segment) error {
	data := seg.Data
	for i := range seg.Entries {
		piece := &seg.Entries[i]
		if piece.Len < 0 || piece.Len > int64(len(data)) {
			return badRequest("segment and entries do not fit")
		}
		if piece.Len > 0 {
			if _, err := o.sink.WriteAt(data[:piece.Len], piece.Off); err != nil {
				return err
			}
		}
		data = data[piece.Len:]
		o.off = max(o.off, piece.Off+piece.Len)
	}
	return nil
}

// countFiles counts the files that begin in a segment.
func countFiles(s wim.SegmentEntries) int {
	n := 0
	for i := range s {
		for j := range s[i].Entries {
			if k := s[i].Entries[j].Kind; k == wim.EntryFile || k == wim.EntryHardLink {
				n++
			}
		}
	}
	return n
}

// outFinish answers protocol.OutFinish.
func (e *Engine) outFinish() (any, []any, error) {
	o := e.out
	if o == nil {
		return nil, nil, badRequest("no output is open")
	}
	rep := protocol.OutReply{Bytes: o.off, Files: o.files}
	if o.folder != nil {
		if err := o.folder.finish(); err != nil {
			return nil, nil, err
		}
		rep.Bytes = o.folder.bytes
		e.out = nil
		return rep, nil, nil
	}
	if o.writer != nil {
		var err error
		if rep.Bytes, err = o.writer.Finish(); err != nil {
			return nil, nil, err
		}
	}
	file, err := o.sink.Finish()
	if err != nil {
		return nil, nil, err
	}
	e.out = nil
	if file == nil {
		return rep, nil, nil
	}
	return rep, []any{file}, nil
}

// outAbort answers protocol.OutAbort. Without an output there is nothing to do.
func (e *Engine) outAbort() error {
	o := e.out
	e.out = nil
	switch {
	case o == nil:
		return nil
	case o.folder != nil:
		return o.folder.abort()
	}
	return o.sink.Abort()
}
