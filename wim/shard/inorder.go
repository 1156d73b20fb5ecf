package shard

import (
	"context"
	"sync"
)

// InOrder is numbered work that goroutines take in its order, and whose results are merged in that order whoever is done
// first.
type InOrder[T any] struct {
	N      int                         // pieces of work
	Merge  func(i int, result T) error // called from one goroutine at a time, without the lock
	Cancel context.CancelCauseFunc     // ends the work

	Mu      sync.Mutex // guards the rest, and what its owner counts
	Change  sync.Cond  // of anything that it guards
	Ahead   int        // how many may be begun before the first of them is merged: results are held that long
	Next    int        // piece to begin
	merged  int
	Merging bool
	waiting map[int]T
}

// Run has as many goroutines do the work as there are workers, at most one for each piece, and waits until all return. The
// first error ends it: what cancel is given, what merge gives, or the cause for which ctx ended.
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

// More waits until piece next may be begun; it is false if there is no more to do. The lock is held.
func (o *InOrder[T]) More(ctx context.Context) bool {
	for ctx.Err() == nil && o.Next < o.N && o.Next >= o.merged+o.Ahead {
		o.Change.Wait()
	}
	return ctx.Err() == nil && o.Next < o.N
}

// Give takes a result, and merges all whose turn it is unless another goroutine is at that.
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
