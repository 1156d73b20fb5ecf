package wim

import (
	"context"
	"sync"
)

// Progress is how far a job is.
type Progress struct {
	Bytes  int64 // unpacked bytes done, of Plan.Bytes
	Items  int   // of Plan.Items
	Shards int   // merged
}

// RunPlan runs a plan's shards on goroutines and merges their results in their order. progress, which may be nil, is
// called from one goroutine at a time. The first error ends the job.
func RunPlan(ctx context.Context, p Plan, src Source, workers int, progress func(Progress)) error {
	return runPlan(ctx, p, src, workers, progress, func(i int, r *ShardResult) error {
		_, err := p.Merge(i, r)
		return err
	})
}

// runPlan calls merge for each shard in their order, from one goroutine at a time, while
// others go on.
func runPlan(ctx context.Context, p Plan, src Source, workers int, progress func(Progress), merge func(i int, r *ShardResult) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	n := p.NumShards()
	workers = max(min(workers, n), 1)
	run := &planRun{n: n, workers: workers, waiting: map[int]*ShardResult{}, progress: progress, merge: merge, cancel: cancel}
	run.room.L = &run.mu
	stop := context.AfterFunc(ctx, func() {
		run.mu.Lock()
		defer run.mu.Unlock()
		run.room.Broadcast()
	})
	defer stop()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
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
					cancel(err)
					return
				}
				run.give(ctx, &r)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// planRun is what the goroutines of runPlan share.
type planRun struct {
	n, workers int
	progress   func(Progress)
	merge      func(i int, r *ShardResult) error
	cancel     context.CancelCauseFunc

	mu      sync.Mutex // guards the rest
	room    sync.Cond
	next    int // shard to start
	merged  int
	merging bool
	waiting map[int]*ShardResult
	at      Progress
}

// take gives the next shard, nil if there is no more to do. A worker far ahead of the others waits, for results are
// held until those before them are merged.
func (r *planRun) take(ctx context.Context, p Plan) *Shard {
	r.mu.Lock()
	for ctx.Err() == nil && r.next < r.n && r.next >= r.merged+2*r.workers {
		r.room.Wait()
	}
	i := r.next
	if ctx.Err() != nil || i >= r.n {
		r.mu.Unlock()
		return nil
	}
	r.next++
	r.mu.Unlock()
	s, err := p.Shard(i)
	if err != nil {
		r.cancel(err)
		return nil
	}
	return s
}

// give takes a result, and merges all whose turn it is unless another goroutine is at that.
func (r *planRun) give(ctx context.Context, res *ShardResult) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[res.Seq] = res
	if r.merging {
		return
	}
	r.merging = true
	defer func() { r.merging = false }()
	for ctx.Err() == nil {
		next, ok := r.waiting[r.merged]
		if !ok {
			return
		}
		delete(r.waiting, r.merged)
		r.mu.Unlock()
		err := r.merge(next.Seq, next)
		r.mu.Lock()
		if err != nil {
			r.cancel(err)
			return
		}
		r.merged++
		r.at.Shards = r.merged
		r.room.Broadcast()
	}
}

func (r *planRun) tell(bytes int64, items int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at.Bytes += bytes
	r.at.Items += items
	if r.progress != nil {
		r.progress(r.at)
	}
}
