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
	etaAfter     = 2 * time.Second        // no estimate of the time left before this
	rateTau      = 3.0                    // seconds over which the rate is averaged
	abortLimit   = 10 * time.Second       // time for an output to remove what it wrote
	perWorker    = 2                      // shards that a worker has at a time: one runs while the next one's bytes are read
)

// run is the implementation of a job. A fetcher asks the coordinator for shards, in order and no further ahead than
// there are credits; shard workers run them; the main goroutine takes the results in order, passes them to the output
// worker and then to the coordinator, and frees the credit.
type run struct {
	pool            *Pool
	inputs          inputs                                     // for shard workers
	findCoordinator func(ctx context.Context) (*worker, error) // the worker that holds the plan: a session's or a build's
	spec            JobSpec

	// Of a build only: its coordinator writes the output itself.
	build      *protocol.BuildRequest
	unreadable func(*protocol.Error) bool

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	result Result
	err    error // set before done is closed

	coordinator *worker
	out         *worker // writes the output; nil without one
	stage       protocol.StageReply

	notify sync.Mutex // held during callbacks

	mu      sync.Mutex
	fig     Figures
	pause   chan struct{} // not nil while paused; closed to resume
	workers map[*worker]bool
	partial map[int]protocol.RunProgress // of running shards, by index
	settled protocol.RunProgress         // of shards that are done
	meter   meter
}

// task is a shard on its way through the job.
type task struct {
	index   int
	shard   protocol.ShardReply
	attach  []any // of the reply to Shard
	reply   protocol.RunReply
	result  any // nil if there was nothing to run
	data    any
	entries any // nil unless something is extracted
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

// work runs the job. If it fails, no partial output remains and no worker stays borrowed.
func (r *run) work() (err error) {
	if r.coordinator, err = r.findCoordinator(r.ctx); err != nil {
		return err
	}
	if r.result.Plan, err = r.plan(); err != nil {
		return err
	}
	plan := protocol.FinishRequest{Plan: r.result.Plan.Plan}
	defer func() {
		if err != nil {
			r.discard(plan)
		} else if r.out != nil && r.out != r.coordinator {
			r.pool.giveBack(r.out)
		}
	}()
	r.mu.Lock()
	r.fig.OfBytes, r.fig.OfItems, r.fig.OfOut = r.result.Plan.Bytes, r.result.Plan.Items, r.result.Plan.OutSize
	r.mu.Unlock()
	if err := r.openOutput(); err != nil {
		return err
	}
	for {
		stage, err := request[protocol.StageReply](r, r.coordinator, protocol.Stage, plan, nil, 0)
		if err != nil {
			return err
		}
		if stage.Shards == 0 {
			break
		}
		r.enter(stage)
		if err := r.pipeline(); err != nil {
			return err
		}
	}
	r.phase(Finalising)
	// The report comes first: without it the job has failed, and its output must be removed.
	if r.result.Report, err = request[protocol.Report](r, r.coordinator, protocol.Finish, plan, nil, 0); err != nil {
		return err
	}
	return r.finishOutput()
}

// plan returns the plan of the job. It asks the coordinator for it, unless the caller of the job has done so.
func (r *run) plan() (protocol.PlanReply, error) {
	switch {
	case r.spec.Plan != nil:
		return *r.spec.Plan, nil
	case r.build != nil:
		rep, err := request[protocol.BuildReply](r, r.coordinator, protocol.Build, *r.build, nil, 0)
		return writePlan(rep), err
	}
	return request[protocol.PlanReply](r, r.coordinator, protocol.Plan, r.spec.Request, nil, 0)
}

// enter begins a stage: the shards and figures are now those of the stage.
func (r *run) enter(stage protocol.StageReply) {
	r.stage = stage
	r.mu.Lock()
	defer r.mu.Unlock()
	switch stage.Stage {
	case "check", "hash":
		r.fig.Phase = Hashing
	case "measure", "compact", "pack", "metadata":
		r.fig.Phase = Packing
	default:
		r.fig.Phase = Reading
	}
	r.fig.OfBytes, r.fig.OfItems = stage.Bytes, stage.Items
	r.settled = protocol.RunProgress{}
	r.meter.restart()
}

// discard removes the output and drops the plan.
func (r *run) discard(plan protocol.FinishRequest) {
	if r.out != nil && r.out != r.coordinator {
		abort(r.out)
	}
	if r.coordinator.isLost() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), abortLimit)
	defer cancel()
	if r.out == r.coordinator {
		// The coordinator keeps the drafts, so the archive can be written again. If it cannot remove its output, it is no
		// longer usable.
		if _, _, err := r.coordinator.call(ctx, protocol.OutAbort, nil, nil, nil, 0); err != nil {
			r.coordinator.end()
			return
		}
	}
	// If this fails, the plan takes memory until its session or build is closed.
	_, _, _ = r.coordinator.call(ctx, protocol.Drop, plan, nil, nil, 0)
}

// openOutput opens the output, if there is one: in the coordinator of a build, otherwise in a worker of its own.
func (r *run) openOutput() (err error) {
	t := r.spec.Out
	if t == nil {
		return nil
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
	grace := time.Duration(0)
	if r.build != nil {
		r.out, req.Plan, r.result.Plan.Name = r.coordinator, r.result.Plan.Plan, req.Name
	} else {
		grace = cancelGrace
		if r.out, err = r.pool.borrow(Reader, "output", ""); err != nil {
			return err
		}
	}
	_, _, err = r.out.call(r.ctx, protocol.OutOpen, req, attach, nil, grace)
	return err
}

// finishOutput completes the output, if there is one.
func (r *run) finishOutput() error {
	if r.out == nil {
		return nil
	}
	ctx := r.ctx
	if r.build != nil { // the archive is complete; a cancel no longer removes it
		ctx = context.WithoutCancel(ctx)
	}
	body, att, err := r.out.call(ctx, protocol.OutFinish, nil, nil, nil, cancelGrace)
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

// request sends a request to w and decodes the reply.
func request[Rep any](r *run, w *worker, m protocol.Method, req any, attach []any, grace time.Duration) (Rep, error) {
	body, _, err := w.call(r.ctx, m, req, attach, nil, grace)
	if err != nil {
		var zero Rep
		return zero, err
	}
	return protocol.Decode[Rep](body)
}

// abort makes a worker remove its output and then ends it: after a failure none of its state is worth keeping.
func abort(w *worker) {
	ctx, cancel := context.WithTimeout(context.Background(), abortLimit)
	defer cancel()
	// If this fails too, ending the worker still drops the browser's swap file.
	_, _, _ = w.call(ctx, protocol.OutAbort, nil, nil, nil, cancelGrace)
	w.end()
}

// pipeline runs the shards of a stage and passes their results to the output.
func (r *run) pipeline() error {
	shards := r.stage.Shards
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	n := r.pool.workersFor(r.stage)
	r.mu.Lock()
	r.fig.Workers = n
	r.mu.Unlock()

	ahead := perWorker*n + 1
	credits := make(chan struct{}, ahead)
	fetched := make(chan *task, 1)
	results := make(chan *task, ahead)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel(nil) // before wg.Wait

	wg.Go(func() {
		defer close(fetched)
		for i := range shards {
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
				results <- t // the task has a credit, so there is room
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
	for next := 0; next < shards; {
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

// fetch gets a shard from the coordinator.
func (r *run) fetch(ctx context.Context, t *task) error {
	req := protocol.ShardRequest{Plan: r.result.Plan.Plan, Index: t.index}
	body, att, err := r.coordinator.call(ctx, protocol.Shard, req, nil, nil, 0)
	for err != nil && r.skip(ctx, err) {
		body, att, err = r.coordinator.call(ctx, protocol.Shard, req, nil, nil, 0)
	}
	if err != nil {
		return err
	}
	t.shard, err = protocol.Decode[protocol.ShardReply](body)
	t.attach = att
	return err
}

// settle passes the next result in order to the output and to the coordinator.
func (r *run) settle(ctx context.Context, t *task) error {
	merge := protocol.MergeRequest{Plan: r.result.Plan.Plan, Index: t.index, Result: t.reply}
	attach := []any{t.result}
	switch {
	case r.out != nil && r.out != r.coordinator:
		body, att, err := r.out.call(ctx, protocol.OutSegment, protocol.OutSegmentRequest{Index: t.index, Result: t.reply}, []any{t.result, t.data, t.entries}, nil, cancelGrace)
		if err != nil {
			return err
		}
		w, err := protocol.Decode[protocol.OutProgress](body)
		if err != nil {
			return err
		}
		attach = att
		merge.Refused, merge.Damaged = w.Refused, w.Damaged
		r.mu.Lock()
		r.fig.Written += w.Bytes
		r.fig.Files += w.Files
		r.fig.Refused += len(w.Refused)
		r.mu.Unlock()
	case t.data != nil:
		attach = append(attach, t.data)
	}
	body, _, err := r.coordinator.call(ctx, protocol.Merge, merge, attach, nil, 0)
	if err != nil && r.skip(ctx, err) {
		return nil
	}
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

// skip leaves out the blobs that could not be read, as an error of Run or Merge reports, if the caller of the job agrees.
func (r *run) skip(ctx context.Context, err error) bool {
	e := protocol.AsError(err)
	if r.unreadable == nil || e.Content == 0 {
		return false
	}
	for _, x := range append([]protocol.Unread{{Content: e.Content, Name: e.Name}}, e.More...) {
		one := *e
		one.Content, one.Name, one.More = x.Content, x.Name, nil
		if ctx.Err() != nil || !r.unreadable(&one) {
			return false
		}
		if _, _, err := r.coordinator.call(ctx, protocol.Skip, protocol.SkipRequest{Plan: r.result.Plan.Plan, Error: one}, nil, nil, 0); err != nil {
			return false
		}
	}
	return true
}

// program returns the program of the job's shard workers.
func (r *run) program() Program {
	if r.build != nil {
		return Builder
	}
	return Reader
}

// borrowed is a worker of the job, taken when first needed and replaced when it dies.
type borrowed struct {
	run *run

	slots chan struct{} // perWorker of them; a shard that may have killed a worker takes all
	gate  chan struct{} // one slot: held while taking slots; guards w
	w     *worker       // nil until the first shard
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

// runShard runs t, on another worker if the first one dies.
func (b *borrowed) runShard(ctx context.Context, t *task) error {
	r := b.run
	if t.shard.Op == "" { // nothing to run: the attachments are the data and the entries
		t.data, t.entries = at(t.attach, 0), at(t.attach, 1)
		t.reply = protocol.RunReply{Bytes: t.shard.Bytes, Items: t.shard.Items}
		r.progressed(t, t.reply.Bytes, t.reply.Items, true)
		return nil
	}
	for try := 1; ; try++ {
		w, err := b.tryShard(ctx, t, try > 1)
		if err == nil {
			r.progressed(t, t.reply.Bytes, t.reply.Items, true)
			return nil
		}
		if w != nil && !w.isLost() && r.skip(ctx, err) {
			if err := r.fetch(ctx, t); err != nil {
				return err
			}
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
		// The shard's bytes were lost with the worker.
		if err := r.fetch(ctx, t); err != nil {
			return err
		}
	}
}

// take takes n slots. The gate prevents a deadlock of two callers that each want several.
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

// ready returns the worker after it has received the archive's files.
func (b *borrowed) ready(ctx context.Context) (*worker, error) {
	r := b.run
	key := r.inputs.request.Key
	if b.w != nil && b.w.isLost() {
		r.forget(b.w)
		b.w = nil
	}
	if b.w == nil {
		w, err := r.pool.borrow(r.program(), "shards", key)
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

// enter takes slots and returns the worker.
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

// tryShard runs t on the worker that it returns. A shard that was on a worker when it died runs alone on the next
// one: if that dies too, the shard is the cause.
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
		return w, &protocol.Error{Code: protocol.CodeInternal, Message: "the shard's bytes are missing"}
	}
	req := protocol.RunRequest{Key: r.inputs.request.Key, Format: r.spec.Request.Format, Recover: r.spec.Request.Recover}
	body, att, err := w.call(ctx, protocol.Run, req, t.attach, progress, cancelGrace)
	if err != nil {
		return w, err
	}
	t.result, t.data, t.entries = at(att, 0), at(att, 1), at(att, 2)
	t.reply, err = protocol.Decode[protocol.RunReply](body)
	w.memory.Store(t.reply.Memory)
	return w, err
}

// at returns an attachment, nil if it is missing.
func at(attach []any, i int) any {
	if i < len(attach) {
		return attach[i]
	}
	return nil
}
