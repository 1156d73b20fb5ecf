package extract

import (
	"context"

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
// the entries whose blobs are damaged. It does not call out.Finish. The first error ends the job. o may be nil.
func Run(ctx context.Context, p *Plan, out Output, o *shard.Options) (damaged []Entry, err error) {
	err = RunSegments(ctx, p, o, func(seg *Segment) error {
		damaged = append(damaged, seg.Damaged...)
		return out.Segment(seg.Data, seg.Entries, seg.CRCs)
	})
	return damaged, err
}

// RunSegments runs an extraction on goroutines and calls write for each segment in order, from one goroutine at a time. The
// bytes of a segment are valid during the call.
func RunSegments(ctx context.Context, p *Plan, o *shard.Options, write func(*Segment) error) error {
	run := &segmentPlan{Plan: p, maker: SegmentMaker{Recover: p.o.Recover, damaged: p.o.Damaged}, write: write}
	return shard.Run(ctx, run, shard.Sources{Parts: p.Store.Source()}, o)
}

// segmentPlan makes a segment of each result and writes it.
type segmentPlan struct {
	*Plan
	maker SegmentMaker
	write func(*Segment) error
}

// Merge implements shard.Plan.
func (p *segmentPlan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	entries, err := p.Entries(i)
	if err != nil {
		return nil, err
	}
	seg, err := p.maker.Make(r.Data, r, entries)
	if err != nil {
		return nil, err
	}
	return nil, p.write(seg)
}
