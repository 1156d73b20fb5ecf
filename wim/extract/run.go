package extract

import (
	"context"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/shard"
)

// cutHash is a SHA-1 digest that is allocated when first needed.
type cutHash struct{ d *sha1.Digest }

func (h *cutHash) reset() {
	if h.d == nil {
		h.d = sha1.New()
		return
	}
	h.d.Reset()
}

func (h *cutHash) write(b []byte) {
	if h.d != nil {
		h.d.Write(b)
	}
}

func (h *cutHash) sum() format.Hash {
	if h.d == nil {
		return format.Hash{}
	}
	return h.d.Sum()
}

// Run runs an extraction on goroutines and writes its segments to out in order, from one goroutine at a time. It returns
// the entries whose blobs are damaged. It does not call out.Finish. The first error ends the job.
func Run(ctx context.Context, p *Plan, src blobs.Source, workers int, out Output, progress func(shard.Progress)) ([]Entry, error) {
	run := &segmentPlan{Plan: p, maker: SegmentMaker{Recover: p.o.Recover, damaged: p.o.Damaged}, out: out}
	err := shard.Run(ctx, run, shard.Sources{Parts: src}, &shard.Options{Workers: workers, Progress: progress})
	return run.damaged, err
}

// segmentPlan makes a segment of each result and writes it.
type segmentPlan struct {
	*Plan
	maker   SegmentMaker
	out     Output
	damaged []Entry
}

// Merge implements shard.Plan.
func (p *segmentPlan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	seg, err := p.segment(i, r)
	if err != nil {
		return nil, err
	}
	p.damaged = append(p.damaged, seg.Damaged...)
	return nil, p.out.Segment(seg.Data, seg.Entries, seg.CRCs)
}

// segment makes a segment of a result.
func (p *segmentPlan) segment(i int, r *shard.Result) (*Segment, error) {
	entries, err := p.Entries(i)
	if err != nil {
		return nil, err
	}
	return p.maker.Make(r.Data, r, entries)
}

// RunFolder runs an extraction to a folder on goroutines, and calls out.Finish. It returns the entries that the folder
// cannot hold exactly, in addition to the problems of the plan; damaged ones have the reason "damaged". The first error
// ends the job; Folder.Abort then removes what was created.
func RunFolder(ctx context.Context, p *Plan, src blobs.Source, workers int, out *Folder, progress func(shard.Progress)) ([]Problem, error) {
	run := &folderPlan{segmentPlan: segmentPlan{Plan: p, maker: SegmentMaker{Recover: p.o.Recover, damaged: p.o.Damaged}}, ctx: ctx, folder: out}
	if err := shard.Run(ctx, run, shard.Sources{Parts: src}, &shard.Options{Workers: workers, Progress: progress}); err != nil {
		return run.problems, err
	}
	last, err := out.Finish()
	return append(run.problems, last...), err
}

// folderPlan writes a segment of each result to a folder.
type folderPlan struct {
	segmentPlan
	ctx      context.Context
	folder   *Folder
	problems []Problem
}

// Merge implements shard.Plan.
func (p *folderPlan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	seg, err := p.segment(i, r)
	if err != nil {
		return nil, err
	}
	for i := range seg.Damaged {
		d := Problem{Path: "/" + seg.Damaged[i].Path, Reason: "damaged"}
		if seg.Damaged[i].Marked {
			d.Detail = "written"
		}
		p.problems = append(p.problems, d)
	}
	list, err := p.folder.Segment(p.ctx, seg)
	p.problems = append(p.problems, list...)
	return nil, err
}
