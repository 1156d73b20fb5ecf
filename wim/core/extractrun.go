package core

import (
	"context"

	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
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

// RunExtract runs an extraction on goroutines and hands its segments to out in their order, from one goroutine at a
// time. It gives the entries whose content was damaged; out is not finished. The first error ends the job.
func RunExtract(ctx context.Context, p *ExtractPlan, src Source, workers int, out OutputWriter, progress func(Progress)) ([]Entry, error) {
	m := SegmentMaker{Recover: p.o.Recover}
	var damaged []Entry
	err := runPlan(ctx, p, src, workers, progress, func(i int, r *ShardResult) error {
		entries, err := p.Entries(i)
		if err != nil {
			return err
		}
		seg, err := m.Make(r.Data, r, entries)
		if err != nil {
			return err
		}
		damaged = append(damaged, seg.Damaged...)
		return out.Segment(seg.Data, seg.Entries, seg.CRCs)
	})
	return damaged, err
}
