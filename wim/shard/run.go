package shard

import (
	"context"
	"errors"
	"sync"

	"wimscope/wim/format"
)

// Runner runs shards, one after another: a Worker, or one that packs too. It is not safe for concurrent use.
type Runner interface {
	Run(s *Shard, from Sources, yield Yield) (Result, error)
	// Reuse takes the Data of a result that is no longer needed, as a buffer for the next one.
	Reuse(data []byte)
}

// Options controls how a plan is run on goroutines. The zero value, and nil, runs one shard at a time.
type Options struct {
	Workers  int            // how many shards run at a time; 0 means 1
	Memory   int64          // about how many bytes all workers together may use, by running fewer shards at a time; *format.TooLargeError if one shard needs more. 0: no bound
	Runner   func() Runner  // makes the runner of a worker; nil: NewWorker, which only reads
	Progress func(Progress) // may be nil; called from one goroutine at a time

	// Problem, if set, decides what to do about a content that cannot be read: true leaves it out, if the plan is a Skipper.
	// It is called from one goroutine at a time.
	Problem func(*ContentError) bool
}

// Progress reports the progress of a stage.
type Progress struct {
	Stage  Stage
	Bytes  int64 // unpacked bytes done
	Items  int   // pieces done
	Shards int   // shards merged
}

// Run runs the shards of a plan on goroutines, stage by stage, and merges their results in order. It stops at the first
// error.
func Run(ctx context.Context, p Plan, from Sources, o *Options) error {
	if o == nil {
		o = &Options{}
	}
	for {
		st, more, err := p.Next()
		if err != nil {
			return err
		}
		if !more {
			return context.Cause(ctx)
		}
		r := &stageRun{p: p, n: st.Shards, from: from, o: o, waiting: map[int]*Result{}, at: Progress{Stage: st}}
		if err := r.run(ctx); err != nil {
			var ce *ContentError
			if s, ok := p.(Skipper); ok && errors.As(err, &ce) && ce.Path == "" {
				ce.Path = s.Name(ce.ID)
			}
			return err
		}
	}
}

// stageRun runs the shards of a stage. They start in order, and their results are merged in order, whichever finishes first.
type stageRun struct {
	p      Plan
	n      int // number of shards
	from   Sources
	o      *Options
	cancel context.CancelCauseFunc

	mu      sync.Mutex // guards the fields below
	change  sync.Cond  // signals a change of anything that mu guards
	ahead   int        // how many shards may be started before the first of them is merged: their results stay in memory
	next    int        // next shard to start
	merged  int        // number of results merged
	merging bool       // a goroutine is merging results
	waiting map[int]*Result
	memory  int64    // of the shards that are running
	spare   [][]byte // Data of results that were merged, for reuse
	at      Progress
}

func (r *stageRun) run(ctx context.Context) error {
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	workers := max(min(r.o.Workers, r.n), 1)
	r.ahead, r.change.L = 2*workers, &r.mu
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.change.Broadcast()
	})
	defer stop()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { r.work(ctx) })
	}
	wg.Wait()
	return context.Cause(ctx)
}

// work runs shards until none is left.
func (r *stageRun) work(ctx context.Context) {
	var w Runner
	if r.o.Runner != nil {
		w = r.o.Runner()
	} else {
		w = NewWorker()
	}
	for {
		s := r.take(ctx)
		if s == nil {
			return
		}
		w.Reuse(r.buffer())
		res, err := r.runShard(ctx, s, w)
		if err != nil {
			r.cancel(err)
			return
		}
		r.give(ctx, s, res)
	}
}

// take returns the next shard, or nil if none is left. It waits while too many results wait to be merged, or the other shards
// use too much memory.
func (r *stageRun) take(ctx context.Context) *Shard {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for ctx.Err() == nil && r.next < r.n && r.next >= r.merged+r.ahead {
			r.change.Wait()
		}
		if ctx.Err() != nil || r.next >= r.n {
			return nil
		}
		s, err := r.p.Shard(r.next)
		if err == nil && r.o.Memory > 0 && s.Memory > r.o.Memory {
			err = &format.TooLargeError{What: s.what(), Need: s.Memory, Limit: r.o.Memory}
		}
		switch {
		case err != nil:
			if err := r.skip(err); err != nil {
				r.cancel(err)
				return nil
			}
		case r.memory > 0 && r.o.Memory > 0 && r.memory+s.Memory > r.o.Memory:
			r.change.Wait()
		default:
			r.memory += s.Memory
			r.next++
			return s
		}
	}
}

// buffer returns the Data of a result that was merged, or nil.
func (r *stageRun) buffer() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.spare)
	if n == 0 {
		return nil
	}
	b := r.spare[n-1]
	r.spare = r.spare[:n-1]
	return b
}

// runShard runs a shard, and runs it again if one of its contents is skipped.
func (r *stageRun) runShard(ctx context.Context, s *Shard, w Runner) (*Result, error) {
	var bytes int64
	var items int
	for {
		res, err := w.Run(s, r.from, func(b int64, k int) error {
			r.report(max(b-bytes, 0), max(k-items, 0))
			bytes, items = max(b, bytes), max(k, items)
			return context.Cause(ctx)
		})
		if err == nil {
			return &res, nil
		}
		if s, err = r.again(s.Seq, err); err != nil {
			return nil, err
		}
	}
}

// again makes shard i again without the content that caused the error.
func (r *stageRun) again(i int, err error) (*Shard, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if err := r.skip(err); err != nil {
			return nil, err
		}
		var s *Shard
		if s, err = r.p.Shard(i); err == nil {
			return s, nil
		}
	}
}

// skip asks what to do about contents that cannot be read, and skips them. It returns any other error, and those of contents
// that are not to be skipped. The lock must be held; it is released while another goroutine merges.
func (r *stageRun) skip(err error) error {
	var ce *ContentError
	s, ok := r.p.(Skipper)
	if !ok || r.o.Problem == nil || !errors.As(err, &ce) {
		return err
	}
	for r.merging { // Merge must not run while the plan is changed
		r.change.Wait()
	}
	return r.leaveOut(s, ce)
}

func (r *stageRun) leaveOut(s Skipper, ce *ContentError) error {
	for _, id := range append([]int32{ce.ID}, ce.More...) {
		if s.Skipped(id) {
			continue
		}
		one := &ContentError{ID: id, Path: s.Name(id), Err: ce.Err}
		if !r.o.Problem(one) {
			return one
		}
		if err := s.Skip(one); err != nil {
			return err
		}
	}
	return nil
}

// give takes the result of a shard. It merges all results whose turn has come, unless another goroutine is merging.
func (r *stageRun) give(ctx context.Context, s *Shard, res *Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.memory -= s.Memory
	r.change.Broadcast()
	r.waiting[s.Seq] = res
	if r.merging {
		return
	}
	r.merging = true
	defer func() {
		r.merging = false
		r.change.Broadcast()
	}()
	for ctx.Err() == nil {
		i := r.merged
		res, ok := r.waiting[i]
		if !ok {
			return
		}
		delete(r.waiting, i)
		if err := r.merge(i, res); err != nil {
			r.cancel(err)
			return
		}
		r.merged++
		r.change.Broadcast()
	}
}

// merge merges a result, without holding the lock meanwhile. This is also where damage shows in a content that two shards
// check by halves.
func (r *stageRun) merge(i int, res *Result) error {
	r.mu.Unlock()
	_, err := r.p.Merge(i, res)
	r.mu.Lock()
	var ce *ContentError
	if s, ok := r.p.(Skipper); ok && r.o.Problem != nil && errors.As(err, &ce) {
		err = r.leaveOut(s, ce)
	}
	if err == nil && cap(res.Data) > 0 && len(r.spare) < r.ahead {
		r.spare = append(r.spare, res.Data[:0])
	}
	return err
}

func (r *stageRun) report(bytes int64, items int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at.Shards = r.merged
	r.at.Bytes += bytes
	r.at.Items += items
	if r.o.Progress != nil {
		r.o.Progress(r.at)
	}
}
