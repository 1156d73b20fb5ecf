package core

import "context"

// Progress is how far a job is.
type Progress struct {
	Bytes  int64 // unpacked bytes done, of Plan.Bytes
	Items  int   // of Plan.Items
	Shards int   // merged
}

// RunPlan runs a plan's shards on goroutines and merges their results in their order. progress, which may be nil, is
// called from one goroutine at a time. The first error ends the job.
func RunPlan(ctx context.Context, p Plan, src Source, workers int, progress func(Progress)) error {
	merge := func(i int, r *ShardResult) error {
		_, err := p.Merge(i, r)
		return err
	}
	run := &planRun{inOrder: inOrder[*ShardResult]{n: p.NumShards(), merge: merge}, progress: progress}
	return run.run(ctx, workers, func(ctx context.Context) {
		w := NewShardWorker()
		for {
			s := run.take(ctx, p)
			if s == nil {
				return
			}
			var bytes int64
			var items int
			r, err := RunShard(s, src, w, func(b int64, k int) error {
				run.tell(b-bytes, k-items)
				bytes, items = b, k
				return context.Cause(ctx)
			})
			if err != nil {
				run.cancel(err)
				return
			}
			run.give(ctx, r.Seq, &r)
		}
	})
}

// planRun is what the goroutines of RunPlan share.
type planRun struct {
	inOrder[*ShardResult]
	progress func(Progress)
	at       Progress
}

// take gives the next shard, nil if there is no more to do.
func (r *planRun) take(ctx context.Context, p Plan) *Shard {
	r.mu.Lock()
	more := r.more(ctx) // others may take some meanwhile
	i := r.next
	r.next++
	r.mu.Unlock()
	if !more {
		return nil
	}
	s, err := p.Shard(i)
	if err != nil {
		r.cancel(err)
		return nil
	}
	return s
}

func (r *planRun) tell(bytes int64, items int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at.Shards = r.merged
	r.at.Bytes += bytes
	r.at.Items += items
	if r.progress != nil {
		r.progress(r.at)
	}
}
