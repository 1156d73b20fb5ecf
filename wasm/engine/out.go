package engine

import (
	"fmt"
	"io"

	"wimscope/wim/apply"
	"wimscope/wim/extract"
	"wimscope/wim/shard"
	"wimscope/worker/protocol"
)

// output is the file or folder that this worker writes. Segments arrive in order, up to the first that fails.
type output struct {
	form   protocol.Format
	name   string
	sink   Sink           // nil for a folder
	writer extract.Output // ZIP and TAR
	folder *apply.Folder
	maker  extract.SegmentMaker
	off    int64 // end of the written data, for Raw and CSV
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
	o := &output{form: req.Format, name: req.Name, maker: extract.SegmentMaker{Recover: req.Recover}}
	if req.Format == protocol.Folder {
		if e.o.OpenFolder == nil {
			return badRequest("this worker cannot open folders")
		}
		fs, err := e.o.OpenFolder(handle)
		if err != nil {
			return err
		}
		o.folder = newFolder(fs)
		e.out = o
		return nil
	}
	switch req.Format {
	case protocol.ZIP, protocol.TAR, protocol.Raw, protocol.CSV:
	default:
		return badRequest(fmt.Sprintf("no output has the format %q", req.Format))
	}
	if e.o.OpenSink == nil {
		return badRequest("this worker cannot open outputs")
	}
	sink, err := e.o.OpenSink(req.Target, req.Name, handle)
	if err != nil {
		return err
	}
	o.sink = sink
	switch req.Format {
	case protocol.ZIP:
		o.writer = extract.NewZIP(sink)
	case protocol.TAR:
		o.writer = extract.NewTAR(sink)
	}
	e.out = o
	return nil
}

// outSegment answers protocol.OutSegment. The attachments are the result, the data and the entries.
func (e *Engine) outSegment(w *Work, c *protocol.Call) (any, []any, error) {
	req, err := protocol.Decode[protocol.OutSegmentRequest](c.Body)
	if err != nil {
		return nil, nil, err
	}
	var parts [3]extract.Packed
	for i := range parts {
		var a any
		if i < len(c.Attach) {
			a = c.Attach[i]
		}
		if parts[i], err = takeBuffer(a); err != nil {
			return nil, nil, err
		}
	}
	p, err := e.writeSegment(w, req, parts)
	if err != nil {
		return nil, nil, err
	}
	return p, c.Attach[:min(len(c.Attach), 1)], nil
}

// writeSegment writes a segment to the output.
func (e *Engine) writeSegment(w *Work, req protocol.OutSegmentRequest, parts [3]extract.Packed) (protocol.OutProgress, error) {
	o, data := e.out, parts[1]
	if o == nil {
		return protocol.OutProgress{}, badRequest("no output is open")
	}
	if o.form == protocol.CSV {
		err := data.CopyTo(o.sink, 0, data.Len(), o.off)
		o.off += data.Len()
		o.files = 1
		return protocol.OutProgress{Bytes: data.Len()}, err
	}
	seg, err := o.segment(req.Result, parts)
	if err != nil {
		return protocol.OutProgress{}, err
	}
	p := protocol.OutProgress{Bytes: data.Len(), Files: countFiles(seg.Entries) - seg.Taken}
	for i := range seg.Damaged {
		d := protocol.Problem{Path: "/" + seg.Damaged[i].Path, Reason: "damaged"}
		if seg.Damaged[i].Marked {
			d.Detail = "written"
		}
		p.Damaged = append(p.Damaged, d)
	}
	switch {
	case o.folder != nil:
		before, lost := o.folder.Files, o.folder.Lost
		var list []extract.Problem
		list, err = o.folder.Segment(w.ctx, seg)
		p.Refused = problems(list, len(list))
		p.Files = o.folder.Files - before
		p.Copies, p.Timeless = o.folder.Lost.HardLinks-lost.HardLinks, o.folder.Lost.Times-lost.Times
	case o.writer != nil && req.Result.Packed == o.form:
		err = o.writer.Packed(data, seg.Entries, seg.CRCs)
	case o.writer != nil:
		err = o.writer.Segment(seg.Data, seg.Entries, seg.CRCs)
	case len(seg.Damaged) > 0 && !o.maker.Recover: // Raw: there is no other file to write
		err = &protocol.Error{Code: protocol.CodeChecksum, Name: o.name, Message: "the content of " + seg.Damaged[0].Path + " is damaged"}
	default:
		err = o.raw(data, seg.Entries)
	}
	o.files += p.Files
	return p, err
}

// segment prepares a segment for writing. Without a result the shard was not run, because it has no contents.
func (o *output) segment(res protocol.RunReply, parts [3]extract.Packed) (*extract.Segment, error) {
	data := parts[1]
	packed, err := parts[2].Bytes(0, parts[2].Len())
	if err != nil {
		return nil, err
	}
	entries, err := extract.ParseEntries(packed)
	if err != nil {
		return nil, err
	}
	r := &shard.Result{}
	if n := parts[0].Len(); n > 0 {
		b, err := parts[0].Bytes(0, n)
		if err != nil {
			return nil, err
		}
		if r, err = shard.ParseResult(b); err != nil {
			return nil, err
		}
	}
	form, ready := packForm(res.Packed)
	if o.sink != nil && (o.form == protocol.Raw || ready && res.Packed == o.form) {
		return o.maker.MakePacked(form, data, r, entries)
	}
	plain, err := data.Bytes(0, data.Len())
	if err != nil {
		return nil, err
	}
	return o.maker.Make(plain, r, entries)
}

// Buffer is an attachment that may be outside the program's memory. A Sink with a method WriteBuffer writes it from
// there.
type Buffer interface {
	Len() int64
	Bytes(from, n int64) ([]byte, error)
}

// away is a Buffer as an extract.Packed.
type away struct{ Buffer }

// CopyTo implements extract.Packed.
func (a away) CopyTo(sink io.WriterAt, from, n, off int64) error {
	if s, ok := sink.(interface {
		WriteBuffer(b any, from, n, off int64) error
	}); ok {
		return s.WriteBuffer(a.Buffer, from, n, off)
	}
	b, err := a.Bytes(from, n)
	if err != nil {
		return err
	}
	return extract.PackedBytes(b).CopyTo(sink, 0, n, off)
}

// takeBuffer returns an attachment as an extract.Packed.
func takeBuffer(a any) (extract.Packed, error) {
	switch a := a.(type) {
	case nil:
		return extract.PackedBytes(nil), nil
	case []byte:
		return extract.PackedBytes(a), nil
	case Buffer:
		return away{a}, nil
	}
	return nil, badRequest("an attachment must be a buffer")
}

// raw writes a segment of a Raw output, which is a single stream.
func (o *output) raw(data extract.Packed, s extract.SegmentEntries) error {
	at := int64(0)
	for i := range s {
		piece := &s[i]
		if piece.Len < 0 || piece.Len > data.Len()-at {
			return badRequest("segment and entries do not match")
		}
		if piece.Len > 0 {
			if err := data.CopyTo(o.sink, at, piece.Len, piece.Off); err != nil {
				return err
			}
		}
		at += piece.Len
		o.off = max(o.off, piece.Off+piece.Len)
	}
	if at != data.Len() {
		return badRequest("segment and entries do not match")
	}
	return nil
}

// countFiles returns the number of files that begin in a segment.
func countFiles(s extract.SegmentEntries) int {
	n := 0
	for i := range s {
		for j := range s[i].Entries {
			if k := s[i].Entries[j].Kind; k == extract.EntryFile || k == extract.EntryHardLink {
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
		if _, err := o.folder.Finish(); err != nil { // a folder in the browser has no links
			return nil, nil, err
		}
		rep.Bytes = o.folder.Bytes
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

// outAbort answers protocol.OutAbort. It does nothing if no output is open.
func (e *Engine) outAbort() error {
	o := e.out
	e.out = nil
	switch {
	case o == nil:
		return nil
	case o.folder != nil:
		return o.folder.Abort()
	}
	return o.sink.Abort()
}
