package shard

import (
	"context"

	"wimscope/wim/blobs"
)

// Progress reports the progress of a job.
type Progress struct {
	Bytes  int64 // unpacked bytes done, out of Plan.Bytes
	Items  int   // pieces done, out of Plan.Items
	Shards int   // shards merged
}

// Run runs a plan's shards on goroutines and merges their results in order. progress may be nil; it is called by one
// goroutine at a time. Run stops at the first error.
func Run(ctx context.Context, p Plan, src blobs.Source, workers int, progress func(Progress)) error {
	merge := func(i int, r *Result) error {
		_, err := p.Merge(i, r)
		return err
	}
	run := &planRun{InOrder: InOrder[*Result]{N: p.NumShards(), Merge: merge}, progress: progress}
	return run.Run(ctx, workers, func(ctx context.Context) {
		w := NewWorker()
		for {
			s := run.take(ctx, p)
			if s == nil {
				return
			}
			var bytes int64
			var items int
			r, err := Do(s, src, w, func(b int64, k int) error {
				run.report(b-bytes, k-items)
				bytes, items = b, k
				return context.Cause(ctx)
			})
			if err != nil {
				run.Cancel(err)
				return
			}
			run.Give(ctx, r.Seq, &r)
		}
	})
}

// planRun is the state that the goroutines of Run share.
type planRun struct {
	InOrder[*Result]
	progress func(Progress)
	at       Progress
}

// take returns the next shard, or nil if none is left.
func (r *planRun) take(ctx context.Context, p Plan) *Shard {
	r.Mu.Lock()
	more := r.More(ctx) // may wait, and others take shards meanwhile
	i := r.Next
	r.Next++
	r.Mu.Unlock()
	if !more {
		return nil
	}
	s, err := p.Shard(i)
	if err != nil {
		r.Cancel(err)
		return nil
	}
	return s
}

func (r *planRun) report(bytes int64, items int) {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	r.at.Shards = r.merged
	r.at.Bytes += bytes
	r.at.Items += items
	if r.progress != nil {
		r.progress(r.at)
	}
}
