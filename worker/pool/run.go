package pool

import (
	"context"
	"fmt"
	"sync"
	"time"

	"wimscope/worker/protocol"
)

const (
	maxTries     = 3                      // a shard whose worker died is run again at most twice
	figuresEvery = 100 * time.Millisecond // ten times a second
	etaAfter     = 2 * time.Second        // no guess of the time left before
	rateTau      = 3.0                    // seconds over which the rate is averaged
	abortLimit   = 10 * time.Second       // for an output to remove what it wrote
	perWorker    = 2                      // shards that a worker is given: one runs, the next is being read for it
)

// run is the inside of a job. A fetcher asks the session for shards, in order and no further ahead than there are
// credits; shard workers run them; the main goroutine takes the results in order, gives them to the output worker
// and then to the session, and frees the credit.
type run struct {
	pool            *Pool
	inputs          inputs                                     // to shard workers
	findCoordinator func(ctx context.Context) (*worker, error) // who has the plan: the session's worker, or a build's
	build           *BuildSpec                                 // nil of a session's job
	spec            JobSpec

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	result Result
	err    error // set before done is closed

	coordinator *worker
	out         *worker // nil without an output

	notify sync.Mutex // held while the listener is told something

	mu      sync.Mutex
	fig     Figures
	pause   chan struct{} // not nil while paused; closed to go on
	workers map[*worker]bool
	partial map[int]protocol.RunProgress // of shards at work, by index
	settled protocol.RunProgress         // of shards that are done
	meter   meter
}

// task is a shard on its way.
type task struct {
	index   int
	shard   protocol.ShardReply
	attach  []any // of the shard's reply
	result  protocol.RunReply
	data    []any // of the run's reply
	entries any   // nil unless something is written
	err     error
}

func newRun(p *Pool, in inputs, findCoordinator func(context.Context) (*worker, error), spec JobSpec) *run {
	r := &run{
		pool:            p,
		inputs:          in,
		findCoordinator: findCoordinator,
		spec:            spec,
		done:            make(chan struct{}),
		fig:             Figures{Phase: Planning, Left: -1},
		workers:         make(map[*worker]bool),
		partial:         make(map[int]protocol.RunProgress),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.meter.start = time.Now()
	return r
}

func (r *run) main() {
	stop := make(chan struct{})
	var ticker sync.WaitGroup
	ticker.Go(func() { r.tick(stop) })
	err := r.work()
	close(stop)
	ticker.Wait()
	if err != nil && r.ctx.Err() != nil {
		err = &protocol.Error{Code: protocol.CodeCancelled, Message: "the job was cancelled"}
	}
	r.cancel()
	phase := Done
	if err != nil {
		r.err = protocol.AsError(err)
		phase = Failed
		if IsCode(err, protocol.CodeCancelled) {
			phase = Cancelled
		}
	}
	r.snapshot()
	r.mu.Lock()
	r.fig.Phase = phase
	r.fig.Left = -1
	r.mu.Unlock()
	r.reportFigures()
	close(r.done)
}

// work does the job. Whatever goes wrong, nothing half-written stays and no worker stays borrowed.
func (r *run) work() (err error) {
	if r.coordinator, err = r.findCoordinator(r.ctx); err != nil {
		return err
	}
	if r.build != nil {
		return r.write()
	}
	if r.spec.Plan != nil {
		r.result.Plan = *r.spec.Plan
	} else if r.result.Plan, err = request[protocol.PlanReply](r, r.coordinator, protocol.Plan, r.spec.Request, nil, 0); err != nil {
		return err
	}
	plan := r.result.Plan
	finished := false
	defer func() {
		if !finished && !r.coordinator.isLost() {
			ctx, cancel := context.WithTimeout(context.Background(), abortLimit)
			defer cancel()
			// The plan is only memory of the session: it goes with the archive if it cannot be dropped.
			_, _, _ = r.coordinator.call(ctx, protocol.Drop, protocol.FinishRequest{Plan: plan.Plan}, nil, nil, 0)
		}
	}()
	r.mu.Lock()
	r.fig.Phase = Reading
	r.fig.OfBytes, r.fig.OfItems, r.fig.OfOut = plan.Bytes, plan.Items, plan.OutSize
	r.mu.Unlock()

	if t := r.spec.Out; t != nil {
		if err := r.openOutput(*t); err != nil {
			return err
		}
		defer func() { r.closeOutput(err) }()
	}
	if err := r.pipeline(); err != nil {
		return err
	}
	r.phase(Finalising)
	// The report first: without it the job has failed, and then its output must not stay.
	if r.result.Report, err = request[protocol.Report](r, r.coordinator, protocol.Finish, protocol.FinishRequest{Plan: plan.Plan}, nil, 0); err != nil {
		return err
	}
	finished = true
	if r.out == nil {
		return nil
	}
	return r.finishOutput(r.ctx, r.out)
}

// finishOutput completes what w has written.
func (r *run) finishOutput(ctx context.Context, w *worker) error {
	body, att, err := w.call(ctx, protocol.OutFinish, nil, nil, nil, cancelGrace)
	if err != nil {
		return err
	}
	if r.result.Output, err = protocol.Decode[protocol.OutReply](body); err != nil {
		return err
	}
	if len(att) > 0 {
		r.result.File = att[0]
	}
	r.mu.Lock()
	r.fig.Written, r.fig.Files = r.result.Output.Bytes, r.result.Output.Files
	r.mu.Unlock()
	return nil
}

// request asks w for m and decodes the answer.
func request[Rep any](r *run, w *worker, m protocol.Method, req any, attach []any, grace time.Duration) (Rep, error) {
	body, _, err := w.call(r.ctx, m, req, attach, nil, grace)
	if err != nil {
		var zero Rep
		return zero, err
	}
	return protocol.Decode[Rep](body)
}

func (r *run) openOutput(t OutTarget) error {
	w, err := r.pool.borrow("output", "")
	if err != nil {
		return err
	}
	req := protocol.OutOpenRequest{
		Target: t.Target, Format: r.spec.Request.Format, Name: t.Name, Size: r.result.Plan.OutSize,
		Recover: r.spec.Request.Recover, Platform: r.spec.Request.Platform,
	}
	if req.Name == "" {
		req.Name = r.result.Plan.Name
	}
	var attach []any
	if t.Handle != nil {
		attach = []any{t.Handle}
	}
	if _, _, err := w.call(r.ctx, protocol.OutOpen, req, attach, nil, cancelGrace); err != nil {
		abort(w)
		return err
	}
	r.out = w
	return nil
}

// closeOutput returns the output worker, or has it remove what it wrote.
func (r *run) closeOutput(err error) {
	if err == nil {
		r.pool.giveBack(r.out)
		return
	}
	abort(r.out)
}

// abort lets a worker take its output back and then ends it: after a failure no state of it is worth keeping.
func abort(w *worker) {
	ctx, cancel := context.WithTimeout(context.Background(), abortLimit)
	defer cancel()
	// If this fails too, ending the worker drops the browser's swap file all the same.
	_, _, _ = w.call(ctx, protocol.OutAbort, nil, nil, nil, cancelGrace)
	w.end()
}

// pipeline moves all shards through workers and output.
func (r *run) pipeline() error {
	plan := r.result.Plan
	if plan.Shards == 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	n := r.pool.workersFor(plan)
	r.mu.Lock()
	r.fig.Workers = n
	r.mu.Unlock()

	ahead := perWorker*n + 1
	credits := make(chan struct{}, ahead)
	fetched := make(chan *task, 1)
	results := make(chan *task, ahead)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel(nil) // before the wait

	wg.Go(func() {
		defer close(fetched)
		for i := range plan.Shards {
			if r.waitWhilePaused(ctx) != nil {
				return
			}
			select {
			case credits <- struct{}{}:
			case <-ctx.Done():
				return
			}
			t := &task{index: i}
			t.err = r.fetch(ctx, t)
			if t.err != nil {
				results <- t // it has a credit, so there is room
				return
			}
			select {
			case fetched <- t:
			case <-ctx.Done():
				return
			}
		}
	})
	for range n {
		b := newBorrowed(r)
		wg.Go(func() {
			defer b.release()
			var lanes sync.WaitGroup
			for range perWorker {
				lanes.Go(func() {
					for t := range fetched {
						t.err = b.runShard(ctx, t)
						results <- t
					}
				})
			}
			lanes.Wait()
		})
	}

	waiting := make(map[int]*task)
	for next := 0; next < plan.Shards; {
		var t *task
		select {
		case t = <-results:
		case <-ctx.Done():
			return ctx.Err()
		}
		if t.err != nil {
			return t.err
		}
		waiting[t.index] = t
		for waiting[next] != nil {
			t := waiting[next]
			delete(waiting, next)
			if err := r.settle(ctx, t); err != nil {
				return err
			}
			next++
			<-credits
		}
	}
	return nil
}

// fetch asks the session for a shard.
func (r *run) fetch(ctx context.Context, t *task) error {
	body, att, err := r.coordinator.call(ctx, protocol.Shard, protocol.ShardRequest{Plan: r.result.Plan.Plan, Index: t.index}, nil, nil, 0)
	if err != nil {
		return err
	}
	t.shard, err = protocol.Decode[protocol.ShardReply](body)
	t.attach = att
	if len(att) > 1 {
		t.entries = att[1]
	}
	return err
}

// settle gives a result, whose turn it is, to the output and to the session.
func (r *run) settle(ctx context.Context, t *task) error {
	merge := protocol.MergeRequest{Plan: r.result.Plan.Plan, Index: t.index, Result: t.result}
	var attach []any
	if r.out != nil {
		seg := t.data
		if len(seg) == 0 {
			seg = []any{[]byte(nil)}
		}
		entries := t.entries
		if len(t.data) > 1 { // they went to the shard worker and came back
			entries = t.data[1]
		}
		seg = append(seg[:1:1], entries)
		body, _, err := r.out.call(ctx, protocol.OutSegment, protocol.OutSegmentRequest{Index: t.index, Result: t.result}, seg, nil, cancelGrace)
		if err != nil {
			return err
		}
		w, err := protocol.Decode[protocol.OutProgress](body)
		if err != nil {
			return err
		}
		merge.Refused, merge.Damaged = w.Refused, w.Damaged
		r.mu.Lock()
		r.fig.Written += w.Bytes
		r.fig.Files += w.Files
		r.fig.Refused += len(w.Refused)
		r.mu.Unlock()
	} else {
		attach = t.data
	}
	body, _, err := r.coordinator.call(ctx, protocol.Merge, merge, attach, nil, 0)
	if err != nil {
		return err
	}
	m, err := protocol.Decode[protocol.MergeReply](body)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.fig.Bad = m.Bad
	if m.Written > 0 {
		r.fig.Written = m.Written
	}
	r.mu.Unlock()
	if f := r.spec.OnBlocks; f != nil && len(m.Blocks) > 0 {
		r.notify.Lock()
		f(m.Blocks)
		r.notify.Unlock()
	}
	return nil
}

// borrowed is a worker of the job, taken when first needed and replaced when it dies.
type borrowed struct {
	run *run

	slots chan struct{} // perWorker of them: a shard that may be at fault takes all
	gate  chan struct{} // one slot: for who takes slots; guards w
	w     *worker       // nil: none yet
}

func newBorrowed(r *run) *borrowed {
	return &borrowed{run: r, slots: make(chan struct{}, perWorker), gate: make(chan struct{}, 1)}
}

func (b *borrowed) release() {
	if b.w == nil {
		return
	}
	b.run.forget(b.w)
	b.run.pool.giveBack(b.w)
	b.w = nil
}

// runShard runs t, on another worker if the first one dies of it or meanwhile.
func (b *borrowed) runShard(ctx context.Context, t *task) error {
	r := b.run
	if t.shard.Op == "" { // nothing to decode: its attachments are the data and the entries
		t.data = t.attach[:min(len(t.attach), 1)]
		t.result = protocol.RunReply{Bytes: t.shard.Bytes, Items: t.shard.Items}
		r.progressed(t, t.result.Bytes, t.result.Items, true)
		return nil
	}
	for try := 1; ; try++ {
		w, err := b.tryShard(ctx, t, try > 1)
		if err == nil {
			r.progressed(t, t.result.Bytes, t.result.Items, true)
			return nil
		}
		if w != nil && !w.isLost() && r.skip(ctx, t, err) {
			try = 0
			continue
		}
		if ctx.Err() != nil || w == nil || !w.isLost() {
			return err
		}
		r.mu.Lock()
		delete(r.partial, t.index)
		r.fig.Restarts++
		r.mu.Unlock()
		if try == maxTries {
			return &protocol.Error{
				Code: protocol.CodeCrashed, Part: t.shard.Part, Off: t.shard.Off,
				Message: fmt.Sprintf("the engine died %d times at bytes %d to %d of part %d: %s", try, t.shard.Off, t.shard.Off+t.shard.Len, t.shard.Part+1, w.lostError().Message),
			}
		}
		// The dead worker took the shard's bytes with it.
		if err := r.fetch(ctx, t); err != nil {
			return err
		}
	}
}

// take takes n slots; the gate keeps two that want several from waiting for each other.
func (b *borrowed) take(ctx context.Context, n int) error {
	for i := range n {
		select {
		case b.slots <- struct{}{}:
		case <-ctx.Done():
			b.leave(i)
			return ctx.Err()
		}
	}
	return nil
}

func (b *borrowed) leave(n int) {
	for range n {
		<-b.slots
	}
}

// ready gives the worker, with the archive's files.
func (b *borrowed) ready(ctx context.Context) (*worker, error) {
	r := b.run
	key := r.inputs.request.Key
	if b.w != nil && b.w.isLost() {
		r.forget(b.w)
		b.w = nil
	}
	if b.w == nil {
		w, err := r.pool.borrow("shards", key)
		if err != nil {
			return nil, err
		}
		b.w = w
		r.remember(w)
	}
	if !b.w.keys[key] {
		if _, _, err := b.w.call(ctx, protocol.Parts, r.inputs.request, r.inputs.values, nil, cancelGrace); err != nil {
			return b.w, err
		}
		b.w.keys[key] = true
	}
	return b.w, nil
}

// enter takes slots of the worker and gives it.
func (b *borrowed) enter(ctx context.Context, slots int) (*worker, error) {
	select {
	case b.gate <- struct{}{}:
		defer func() { <-b.gate }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := b.take(ctx, slots); err != nil {
		return nil, err
	}
	w, err := b.ready(ctx)
	if err != nil {
		b.leave(slots)
	}
	return w, err
}

// tryShard runs t on the worker that it returns. A shard whose worker has died while it was there runs alone on the
// next one: then it is known who is at fault.
func (b *borrowed) tryShard(ctx context.Context, t *task, alone bool) (*worker, error) {
	r := b.run
	slots := 1
	if alone {
		slots = perWorker
	}
	w, err := b.enter(ctx, slots)
	if err != nil {
		return w, err
	}
	defer b.leave(slots)
	progress := func(body []byte) {
		if at, err := protocol.Decode[protocol.RunProgress](body); err == nil {
			r.progressed(t, at.Bytes, at.Items, false)
		}
	}
	if len(t.attach) == 0 {
		return w, &protocol.Error{Code: protocol.CodeInternal, Message: "a shard came without its bytes"}
	}
	req := protocol.RunRequest{Key: r.inputs.request.Key, Op: t.shard.Op, Format: r.spec.Request.Format, Recover: r.spec.Request.Recover}
	body, att, err := w.call(ctx, protocol.Run, req, t.attach, progress, cancelGrace)
	if err != nil {
		return w, err
	}
	t.data = att
	t.result, err = protocol.Decode[protocol.RunReply](body)
	w.memory.Store(t.result.Memory)
	return w, err
}
