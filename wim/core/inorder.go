package core

import (
	"context"
	"sync"
)

// inOrder is numbered work that goroutines take in its order, and whose results are merged in that order whoever is done
// first.
type inOrder[T any] struct {
	n      int                         // pieces of work
	merge  func(i int, result T) error // called from one goroutine at a time, without the lock
	cancel context.CancelCauseFunc     // ends the work

	mu      sync.Mutex // guards the rest, and what its owner counts
	change  sync.Cond  // of anything that it guards
	ahead   int        // how many may be begun before the first of them is merged: results are held that long
	next    int        // piece to begin
	merged  int
	merging bool
	waiting map[int]T
}

// run has as many goroutines do the work as there are workers, at most one for each piece, and waits until all return. The
// first error ends it: what cancel is given, what merge gives, or the cause for which ctx ended.
func (o *inOrder[T]) run(ctx context.Context, workers int, work func(ctx context.Context)) error {
	ctx, o.cancel = context.WithCancelCause(ctx)
	defer o.cancel(nil)
	workers = max(min(workers, o.n), 1)
	o.ahead, o.waiting, o.change.L = 2*workers, map[int]T{}, &o.mu
	stop := context.AfterFunc(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.change.Broadcast()
	})
	defer stop()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { work(ctx) })
	}
	wg.Wait()
	return context.Cause(ctx)
}

// more waits until piece next may be begun; it is false if there is no more to do. The lock is held.
func (o *inOrder[T]) more(ctx context.Context) bool {
	for ctx.Err() == nil && o.next < o.n && o.next >= o.merged+o.ahead {
		o.change.Wait()
	}
	return ctx.Err() == nil && o.next < o.n
}

// give takes a result, and merges all whose turn it is unless another goroutine is at that.
func (o *inOrder[T]) give(ctx context.Context, i int, result T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting[i] = result
	if o.merging {
		return
	}
	o.merging = true
	defer func() {
		o.merging = false
		o.change.Broadcast()
	}()
	for ctx.Err() == nil {
		i := o.merged
		result, ok := o.waiting[i]
		if !ok {
			return
		}
		delete(o.waiting, i)
		o.mu.Unlock()
		err := o.merge(i, result)
		o.mu.Lock()
		if err != nil {
			o.cancel(err)
			return
		}
		o.merged++
		o.change.Broadcast()
	}
}
