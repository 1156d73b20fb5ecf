package extract

import (
	"context"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/shard"
)

// cutHash is a SHA-1 that is made when first needed.
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

// Run runs an extraction on goroutines and hands its segments to out in their order, from one goroutine at a
// time. It returns the entries whose content was damaged; out is not finished. The first error ends the job.
func Run(ctx context.Context, p *Plan, src blobs.Source, workers int, out Output, progress func(shard.Progress)) ([]Entry, error) {
	run := &segmentPlan{Plan: p, maker: SegmentMaker{Recover: p.o.Recover}, out: out}
	err := shard.Run(ctx, run, src, workers, progress)
	return run.damaged, err
}

// segmentPlan makes a segment of each result of its plan and writes it.
type segmentPlan struct {
	*Plan
	maker   SegmentMaker
	out     Output
	damaged []Entry
}

// Merge implements Plan.
func (p *segmentPlan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	entries, err := p.Entries(i)
	if err != nil {
		return nil, err
	}
	seg, err := p.maker.Make(r.Data, r, entries)
	if err != nil {
		return nil, err
	}
	p.damaged = append(p.damaged, seg.Damaged...)
	if p.o.Damaged != nil {
		for i := range seg.Damaged {
			if err := p.o.Damaged(seg.Damaged[i]); err != nil {
				return nil, err
			}
		}
	}
	return nil, p.out.Segment(seg.Data, seg.Entries, seg.CRCs)
}
