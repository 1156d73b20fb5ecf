package engine

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/write"
	"wimscope/worker/protocol"
	"wimscope/worker/visible"
)

// opPack is what ShardReply and RunRequest say of shards of an archive that is written.
const opPack = "pack"

// buildPlan writes an archive.
type buildPlan struct {
	b       *build
	p       *write.Plan
	inPlace bool
	split   bool
	name    string
	out     *output // once writing has begun
	written int64   // bytes, so far
}

// makePlan answers protocol.Build.
func (b *build) makePlan(w *work, req protocol.BuildRequest) (protocol.BuildReply, error) {
	rep := protocol.BuildReply{Name: buildName(req)}
	if err := b.room(); err != nil {
		return rep, err
	}
	if err := b.enter(w); err != nil {
		return rep, err
	}
	defer b.leave()
	e, err := b.edit(&req, &rep)
	if err != nil {
		return rep, err
	}
	o, err := b.options(&req)
	if err != nil {
		return rep, err
	}
	var p *write.Plan
	switch {
	case req.InPlace && req.PartSize > 0:
		err = badRequest("no set is made in place")
	case req.InPlace:
		p, err = e.PlanAppend(o)
	case req.PartSize > 0:
		p, err = e.PlanSplit(req.PartSize, req.Force, o)
	default:
		p, err = e.PlanWrite(o)
	}
	if err != nil {
		return rep, err
	}
	losses, lost := p.Losses()
	if req.Base > 0 && req.PartSize == 0 { // the result replaces the archive
		if err := p.NeedWhole(); err != nil {
			return rep, err
		}
	}
	if !slices.Equal(p.Parts(), b.parts(req.Base)) {
		return rep, &protocol.Error{Code: protocol.CodeInternal, Message: "the archives are in another order than workers have them"}
	}
	est, err := p.Estimate(w.ctx, p.FilesOf(b.folders...), req.Sample)
	if err != nil {
		return rep, err
	}
	rep.Size, rep.Grows, rep.Exact = est.Size, est.Grows, est.Exact
	rep.Copied, rep.Unpacked, rep.Memory = est.Copied, est.Pack, est.Memory
	for _, x := range p.Warnings() {
		rep.Warnings = append(rep.Warnings, protocol.Pair{Name: x.Key, Value: x.Text})
	}
	if lost > 0 {
		rep.Warnings = append(rep.Warnings, protocol.Pair{Name: write.WarnIncomplete, Value: losses[0].String()})
	}
	if est.Large != nil {
		rep.Warnings = append(rep.Warnings, protocol.Pair{Name: write.WarnLargePart, Value: est.Large.Error()})
	}
	rep.Plan = b.add(&buildPlan{b: b, p: p, inPlace: req.InPlace, split: req.PartSize > 0, name: rep.Name})
	return rep, nil
}

// parts is the order in which workers have archives: first the one that is changed.
func (b *build) parts(base int) blobs.Source {
	var s blobs.Source
	if base > 0 {
		s = b.archives[base-1].Store().Source()
	}
	for i, a := range b.archives {
		if i != base-1 {
			s = append(s, a.Store().Source()...)
		}
	}
	return s
}

// buildName suggests a name for the file.
func buildName(req protocol.BuildRequest) string {
	name, extension := cutExtension(safeName(req.Name))
	switch {
	case req.PartSize > 0:
		return name + ".swm"
	case len(extension) == len(".wim"):
		return name + extension
	}
	return name + extension + ".wim"
}

// edit builds the Edit for a request. Problems with the hives of a Windows go to the reply.
func (b *build) edit(req *protocol.BuildRequest, rep *protocol.BuildReply) (*write.Builder, error) {
	e := write.New()
	if req.Base > 0 {
		a, err := b.archive(req.Base)
		if err != nil {
			return nil, err
		}
		if e, err = write.Of(a); err != nil {
			return nil, err
		}
		e.UseContents(a)
	}
	for _, a := range b.archives {
		e.UseContents(a)
	}
	for _, n := range req.LeaveOut {
		a, err := b.archive(n)
		if err != nil {
			return nil, err
		}
		e.LeaveOut(a)
	}
	old := e.Len()
	now := format.FiletimeOf(time.Now())
	for i := range req.Images {
		im := &req.Images[i]
		var d *draft.Draft
		var err error
		if im.Draft > 0 {
			if d, err = b.draftAt(im.Draft); err != nil {
				return nil, err
			}
		}
		var index int
		switch {
		case im.Archive > 0:
			var a *wim.Archive
			if a, err = b.archive(im.Archive); err != nil {
				return nil, err
			}
			if index, err = e.AddImage(a, im.Image); err == nil && d != nil {
				err = e.SetDraft(index, d, now)
			}
		case d != nil:
			index, err = e.AddDraft(d, &write.Image{Created: now})
		default:
			err = badRequest(fmt.Sprintf("image %d is neither one of an archive nor a draft", i+1))
		}
		if err != nil {
			return nil, err
		}
		if d != nil && (im.Archive == 0 || b.rooted[im.Draft]) {
			b.fillWindows(e, index, im.Draft, rep)
		}
		for _, p := range im.Properties {
			e.ImageElement(index).SetContent(p.Value, strings.Split(p.Name, "/")...)
		}
	}
	for range old { // the list says what stays
		if err := e.Delete(1); err != nil {
			return nil, err
		}
	}
	e.Boot = req.Boot
	return e, nil
}

// fillWindows writes the facts about the Windows in a draft to the XML document. The hives are read once for all plans.
func (b *build) fillWindows(e *write.Builder, index, draft int, rep *protocol.BuildReply) {
	w, ok := b.windows[draft]
	if !ok {
		w = e.ReadWindows(index, b.folders...)
		b.windows[draft] = w
	}
	if w == nil {
		return
	}
	w.Fill(e.ImageElement(index))
	for _, p := range w.Problems {
		rep.Warnings = append(rep.Warnings, protocol.Pair{Name: write.WarnWindows, Value: p.Error()})
	}
}

// onePass is write.Options.OnePass: to open and read a file takes a browser 0.1 to 0.5 ms, in which more than this is
// packed by any codec but the slowest.
const onePass = 4 << 10

// options translates how the archive is packed.
func (b *build) options(req *protocol.BuildRequest) (*write.Options, error) {
	in := &req.Options
	o := &write.Options{}
	switch {
	case in.AsBase && req.PartSize > 0: // a solid archive's parts cannot be
		return nil, nil
	case in.AsBase:
		a, err := b.archive(req.Base)
		if err != nil {
			return nil, err
		}
		*o = write.OptionsOf(a)
	default:
		var err error
		if o.Codec, err = codecOf(in.Codec); err != nil {
			return nil, err
		}
		if o.SolidCodec, err = codecOf(in.SolidCodec); err != nil {
			return nil, err
		}
		o.ChunkSize, o.Solid, o.SolidChunkSize = in.ChunkSize, in.Solid, in.SolidChunk
		o.Integrity, o.Pipable = in.Integrity, in.Pipable
		binary.LittleEndian.PutUint64(o.GUID[:8], rand.Uint64())
		binary.LittleEndian.PutUint64(o.GUID[8:], rand.Uint64())
	}
	o.Level, o.SolidLevel, o.Recompress, o.OnePass = in.Level, in.SolidLevel, in.Recompress, onePass
	return o, nil
}

func codecOf(name string) (format.Codec, error) {
	if name == "" {
		return format.None, nil
	}
	for c := format.None; c <= format.LZMS; c++ {
		if c.String() == name {
			return c, nil
		}
	}
	return 0, badRequest("no codec " + name)
}

// archivePlan finds a plan.
func (b *build) archivePlan(n int) (*buildPlan, error) {
	p, err := b.plan(n)
	if err != nil {
		return nil, err
	}
	return p.(*buildPlan), nil // there is no other kind here
}

// outArchive opens the output of an archive that this worker writes itself.
func (e *Engine) outArchive(o *output, req protocol.OutOpenRequest, handle any) error {
	if e.build == nil {
		return badRequest("there is nothing to write")
	}
	x, err := e.build.archivePlan(req.Plan)
	if err != nil {
		return err
	}
	switch {
	case x.out != nil:
		return badRequest("the plan's archive is written already")
	case x.inPlace != (req.Target == protocol.ToFile), x.split != (req.Target == protocol.ToFolder):
		return badRequest(fmt.Sprintf("what the plan writes does not go to %q", req.Target))
	case x.split:
		return e.outParts(o, x, req.Name, handle)
	case e.o.OpenSink == nil:
		return badRequest("no outputs here")
	}
	sink, err := e.o.OpenSink(req.Target, req.Name, handle)
	if err != nil {
		return err
	}
	o.sink = sink
	if err := x.p.Start(&counted{sink, &x.written}); err != nil {
		_ = sink.Abort() // nothing was written
		return err
	}
	o.files = 1
	e.out, x.out = o, o
	return nil
}

// outParts opens the folder that a set goes to. Its files appear when the last of them is whole.
func (e *Engine) outParts(o *output, x *buildPlan, name string, handle any) error {
	if e.o.OpenFolder == nil {
		return badRequest("no folders here")
	}
	fsys, err := e.o.OpenFolder(handle)
	if err != nil {
		return err
	}
	o.folder = newFolder(fsys, false)
	name, extension := cutExtension(name)
	err = x.p.StartParts(func(part int) (io.WriterAt, error) {
		path := name + extension
		if part > 1 {
			path = name + strconv.Itoa(part) + extension
		}
		file, err := o.folder.Create(path)
		return &partFile{file, &x.written}, err
	})
	if err == nil {
		e.out, x.out = o, o
	}
	return err
}

// cutExtension parts a name from what begins with its last dot.
func cutExtension(name string) (string, string) {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i], name[i:]
	}
	return name, ""
}

// partFile is a part of a set.
type partFile struct {
	hackpadfs.File
	n *int64
}

// WriteAt implements io.WriterAt.
func (f *partFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := hackpadfs.WriteAtFile(f.File, p, off)
	*f.n += int64(n)
	return n, err
}

// counted counts what is written to a sink.
type counted struct {
	Sink
	n *int64
}

// WriteAt implements io.WriterAt.
func (s *counted) WriteAt(p []byte, off int64) (int, error) {
	n, err := s.Sink.WriteAt(p, off)
	*s.n += int64(n)
	return n, err
}

// stage answers protocol.Stage.
func (b *build) stage(req protocol.FinishRequest) (protocol.StageReply, error) {
	rep := protocol.StageReply{}
	x, err := b.archivePlan(req.Plan)
	if err != nil {
		return rep, err
	}
	if x.out == nil {
		return rep, badRequest("there is no output to write to")
	}
	more, err := x.p.Next()
	if err != nil || !more {
		return rep, err
	}
	return protocol.StageReply{
		Stage: x.p.Stage(), Shards: x.p.NumShards(), Bytes: x.p.Bytes(), Items: x.p.Items(), Memory: shardMemory + x.p.Memory(),
	}, nil
}

// skip answers protocol.Skip.
func (b *build) skip(req protocol.SkipRequest) error {
	x, err := b.archivePlan(req.Plan)
	if err != nil {
		return err
	}
	return x.p.Skip(&shard.ContentError{ID: int32(req.Error.Content) - 1, Path: req.Error.Name, Err: &req.Error})
}

func (x *buildPlan) shard(_ *work, i int) (protocol.ShardReply, []any, error) {
	s, err := x.p.Shard(i)
	if err != nil {
		return protocol.ShardReply{}, nil, err
	}
	var places []byte
	var joined []FileRange
	for k := range s.Pieces {
		p := &s.Pieces[k]
		if p.Source != shard.PieceFile {
			continue
		}
		_, c, _ := x.p.Content(p.ID)
		at := contentPlace{folder: c.Source, path: c.Path, when: c.ModTime}
		if in, from := x.b.kept(&c); in != nil {
			at.joined = true
			joined = appendRange(joined, FileRange{in, from + p.From - p.Lead, p.Lead + p.Len + p.Trail})
		}
		places = at.append(places)
	}
	rep := protocol.ShardReply{Bytes: s.Bytes, Items: len(s.Pieces), Memory: s.Memory, Op: opPack}
	attach := []any{s.AppendBinary(nil), places}
	if len(joined) > 0 {
		files, err := x.b.e.o.Join(joined)
		if err != nil {
			return rep, nil, err
		}
		attach = append(attach, files)
	}
	return rep, attach, nil
}

// appendRange appends a range, or makes the last one longer by it.
func appendRange(list []FileRange, r FileRange) []FileRange {
	if i := len(list) - 1; i >= 0 && list[i].In == r.In && list[i].From+list[i].N == r.From {
		list[i].N += r.N
		return list
	}
	return append(list, r)
}

// kept gives where the bytes of a content are if its file is at hand and is what it was when the draft was made.
func (b *build) kept(c *draft.Content) (in any, from int64) {
	if b.e.o.Join == nil || c.Source < 0 || c.Source >= len(b.folders) {
		return nil, 0
	}
	k, ok := b.folders[c.Source].(Keeper)
	if !ok {
		return nil, 0
	}
	in, from, known := k.Kept(c.Path)
	if in == nil || known.Size() != c.Size || !unchanged(known, c.ModTime) {
		return nil, 0
	}
	return in, from
}

func (x *buildPlan) merge(_ *work, req protocol.MergeRequest, attach []any) (protocol.MergeReply, error) {
	rep := protocol.MergeReply{}
	r, err := shard.ParsePackResult(req.Result.Sum)
	if err != nil {
		return rep, err
	}
	if len(attach) > 0 && attach[0] != nil {
		data, ok := attach[0].([]byte)
		if !ok {
			return rep, badRequest("a result is one buffer")
		}
		r.Data = data
	}
	err = x.p.Merge(req.Index, r)
	rep.Written = x.written
	return rep, err
}

func (x *buildPlan) report(*work) (protocol.Report, error) {
	r, err := x.p.Finish()
	if err != nil {
		return protocol.Report{}, err
	}
	x.out.off = r.Size
	rep := protocol.Report{
		Op: protocol.Write, OK: len(r.Skipped) == 0, Blobs: r.Contents, Bytes: r.Bytes, Written: max(len(r.Parts), 1), WrittenLen: r.Size,
		ProblemsN: len(r.Skipped),
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Wrote %s: %d contents of %d bytes, in %d bytes.\n", x.name, rep.Blobs, rep.Bytes, rep.WrittenLen)
	for _, e := range r.Skipped {
		p := protocol.Problem{Path: "/" + e.Path, Reason: "unreadable", Detail: e.Err.Error()}
		if len(rep.Problems) < maxReportProblems {
			rep.Problems = append(rep.Problems, p)
		}
		fmt.Fprintf(&text, "%s\t%s\t%s\n", visible.Text(p.Path), p.Reason, visible.Text(p.Detail))
	}
	rep.Text = text.String()
	return rep, nil
}
