package shard

import (
	"context"
	"sync"
)

// InOrder runs numbered tasks on goroutines. They start in order, and their results are merged in order, whichever finishes
// first.
type InOrder[T any] struct {
	N      int                         // number of tasks
	Merge  func(i int, result T) error // called by one goroutine at a time, without holding Mu
	Cancel context.CancelCauseFunc     // stops the work

	Mu      sync.Mutex // guards the fields below, and state of the owner
	Change  sync.Cond  // signals a change of anything that Mu guards
	Ahead   int        // how many tasks may be started before the first of them is merged: their results stay in memory
	Next    int        // next task to start
	merged  int        // number of results merged
	Merging bool       // a goroutine is merging results
	waiting map[int]T  // results that cannot be merged yet
}

// Run starts the given number of workers, at most one per task, and waits until all return. It stops at the first error: the
// one passed to Cancel, the one returned by Merge, or the cause of ctx.
func (o *InOrder[T]) Run(ctx context.Context, workers int, work func(ctx context.Context)) error {
	ctx, o.Cancel = context.WithCancelCause(ctx)
	defer o.Cancel(nil)
	workers = max(min(workers, o.N), 1)
	o.Ahead, o.waiting, o.Change.L = 2*workers, map[int]T{}, &o.Mu
	stop := context.AfterFunc(ctx, func() {
		o.Mu.Lock()
		defer o.Mu.Unlock()
		o.Change.Broadcast()
	})
	defer stop()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { work(ctx) })
	}
	wg.Wait()
	return context.Cause(ctx)
}

// More waits until task Next may be started. It returns false if none is left. Mu must be held.
func (o *InOrder[T]) More(ctx context.Context) bool {
	for ctx.Err() == nil && o.Next < o.N && o.Next >= o.merged+o.Ahead {
		o.Change.Wait()
	}
	return ctx.Err() == nil && o.Next < o.N
}

// Give takes a result. It merges all results whose turn has come, unless another goroutine is merging.
func (o *InOrder[T]) Give(ctx context.Context, i int, result T) {
	o.Mu.Lock()
	defer o.Mu.Unlock()
	o.waiting[i] = result
	if o.Merging {
		return
	}
	o.Merging = true
	defer func() {
		o.Merging = false
		o.Change.Broadcast()
	}()
	for ctx.Err() == nil {
		i := o.merged
		result, ok := o.waiting[i]
		if !ok {
			return
		}
		delete(o.waiting, i)
		o.Mu.Unlock()
		err := o.Merge(i, result)
		o.Mu.Lock()
		if err != nil {
			o.Cancel(err)
			return
		}
		o.merged++
		o.Change.Broadcast()
	}
}
