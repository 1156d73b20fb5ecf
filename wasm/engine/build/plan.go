package build

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"wimscope/wasm/engine"
	"wimscope/wim"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/write"
	"wimscope/worker/protocol"
	"wimscope/worker/visible"
)

// maxProblems is how many files Report.Problems lists.
const maxProblems = 1000

// plan is an archive to write. It implements shard.Plan.
type plan struct {
	p       *write.Plan
	inPlace bool
	split   bool
	name    string
	out     *output // set once writing has started
	written int64   // bytes so far
}

// plan returns the plan with a number.
func (b *build) plan(n int) (*plan, error) {
	j, err := b.jobs.Job(n)
	if err != nil {
		return nil, err
	}
	return j.Plan.(*plan), nil
}

// makePlan answers protocol.Build.
func (b *build) makePlan(w *engine.Work, req protocol.BuildRequest) (protocol.BuildReply, error) {
	rep := protocol.BuildReply{Name: buildName(req)}
	if err := b.jobs.Room(); err != nil {
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
		err = badRequest("a split set cannot be written in place")
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
	if !slices.Equal(p.Parts(), b.source(req.Base)) {
		return rep, &protocol.Error{Code: protocol.CodeInternal, Message: "the plan has the archives in another order than the shard workers"}
	}
	est, err := p.Estimate(w.Context(), p.FilesOf(b.folders...), req.Sample)
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
	x := &plan{p: p, inPlace: req.InPlace, split: req.PartSize > 0, name: rep.Name}
	rep.Plan = b.jobs.Add(&engine.Job{
		Plan: x,
		Attach: func(_ *engine.Work, s *shard.Shard, packed []byte, _ *protocol.ShardReply) ([]any, error) {
			return b.attach(x, s, packed)
		},
		Merged: func(_ *protocol.MergeRequest, rep *protocol.MergeReply) { rep.Written = x.written },
		Report: func(*engine.Work) (protocol.Report, error) { return x.report() },
	})
	return rep, nil
}

// buildName returns the suggested name of the file.
func buildName(req protocol.BuildRequest) string {
	name, extension := cutExtension(engine.SafeName(req.Name))
	switch {
	case req.PartSize > 0:
		return name + ".swm"
	case len(extension) == len(".wim"):
		return name + extension
	}
	return name + extension + ".wim"
}

// edit returns a builder of the archive to write. It adds problems with registry hives to the warnings in rep.
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
			err = badRequest(fmt.Sprintf("image %d names neither an archive nor a draft", i+1))
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
	for range old { // the request lists every image that stays
		if err := e.Delete(1); err != nil {
			return nil, err
		}
	}
	e.Boot = req.Boot
	return e, nil
}

// fillWindows writes the properties of the Windows in a draft to the XML document. It reads the registry hives once for
// all plans.
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

// onePass is write.Options.OnePass. A browser takes 0.1 to 0.5 ms to open and read a file; in that time all codecs but
// the slowest compress more than this.
const onePass = 4 << 10

// options returns the options for writing the archive. Nil means those that PlanSplit derives from the base.
func (b *build) options(req *protocol.BuildRequest) (*write.Options, error) {
	in := &req.Options
	o := &write.Options{}
	switch {
	case in.AsBase && req.PartSize > 0: // the parts of a set are not solid, even if the archive is
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
	return 0, badRequest("unknown codec " + name)
}

// cutExtension splits a name before its last dot.
func cutExtension(name string) (string, string) {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i], name[i:]
	}
	return name, ""
}

// Next implements shard.Plan.
func (x *plan) Next() (shard.Stage, bool, error) {
	if x.out == nil {
		return shard.Stage{}, false, badRequest("no output is open")
	}
	return x.p.Next()
}

// Shard implements shard.Plan.
func (x *plan) Shard(i int) (*shard.Shard, error) {
	s, err := x.p.Shard(i)
	return s, x.unreadable(err)
}

// Merge implements shard.Plan.
func (x *plan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	marks, err := x.p.Merge(i, r)
	return marks, x.unreadable(err)
}

// unreadable adds to the error of a content what the page needs to skip it.
func (x *plan) unreadable(err error) error {
	var ce *shard.ContentError
	if !errors.As(err, &ce) {
		return err
	}
	e := contentError(ce, x.p.Name)
	for _, id := range ce.More {
		e.More = append(e.More, protocol.Unread{Content: int(id) + 1, Name: x.p.Name(id)})
	}
	return e
}

// skip answers protocol.Skip.
func (b *build) skip(req protocol.SkipRequest) error {
	x, err := b.plan(req.Plan)
	if err != nil {
		return err
	}
	return x.p.Skip(&shard.ContentError{ID: int32(req.Error.Content) - 1, Path: req.Error.Name, Err: &req.Error})
}

// attach adds to a shard the places of its files, and the bytes of the joined ones.
func (b *build) attach(x *plan, s *shard.Shard, packed []byte) ([]any, error) {
	if s.Pack == nil {
		return []any{packed}, nil
	}
	var places []byte
	var joined []FileRange
	for k := range s.Pack.Pieces {
		p := &s.Pack.Pieces[k]
		if p.Source != shard.PieceFile {
			continue
		}
		_, c, _ := x.p.Content(p.ID)
		at := contentPlace{folder: c.Source, path: c.Path, when: c.ModTime}
		if in, from := b.kept(&c); in != nil {
			at.joined = true
			joined = appendRange(joined, FileRange{in, from + p.From - p.Lead, p.Lead + p.Len + p.Trail})
		}
		places = at.append(places)
	}
	attach := []any{packed, places}
	if len(joined) > 0 {
		files, err := b.e.o.Join(joined)
		if err != nil {
			return nil, err
		}
		attach = append(attach, files)
	}
	return attach, nil
}

// appendRange appends a range, or extends the last one if the two are adjacent.
func appendRange(list []FileRange, r FileRange) []FileRange {
	if i := len(list) - 1; i >= 0 && list[i].In == r.In && list[i].From+list[i].N == r.From {
		list[i].N += r.N
		return list
	}
	return append(list, r)
}

// kept returns where the bytes of a content are, if its folder keeps the file unchanged since the scan. Otherwise in is
// nil.
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

// report completes the archive, except for its output, and returns the final report.
func (x *plan) report() (protocol.Report, error) {
	r, err := x.p.Finish()
	if err != nil {
		return protocol.Report{}, err
	}
	x.out.size = r.Size
	rep := protocol.Report{
		Op: protocol.Write, OK: len(r.Skipped) == 0, Blobs: r.Contents, Bytes: r.Bytes, Written: max(len(r.Parts), 1), WrittenLen: r.Size,
		ProblemsN: len(r.Skipped),
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Wrote %s: %d blobs of %d bytes, in %d bytes.\n", x.name, rep.Blobs, rep.Bytes, rep.WrittenLen)
	for _, e := range r.Skipped {
		p := protocol.Problem{Path: "/" + e.Path, Reason: "unreadable", Detail: e.Err.Error()}
		if len(rep.Problems) < maxProblems {
			rep.Problems = append(rep.Problems, p)
		}
		fmt.Fprintf(&text, "%s\t%s\t%s\n", visible.Text(p.Path), p.Reason, visible.Text(p.Detail))
	}
	rep.Text = text.String()
	return rep, nil
}
