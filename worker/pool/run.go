package pool

import (
	"context"
	"sync"
	"time"

	"wimscope/worker/protocol"
)

const (
	figuresEvery = 100 * time.Millisecond // ten times a second
	etaAfter     = 2 * time.Second        // no estimate of the time left before this
	rateTau      = 3.0                    // seconds over which the rate is averaged
	abortLimit   = 10 * time.Second       // time for an output to remove what it wrote
)

// run is the implementation of a job.
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
	if err := r.stages(plan); err != nil {
		return err
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
