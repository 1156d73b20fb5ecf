package pool

import (
	"context"
	"sync"

	"wimscope/worker/protocol"
)

// perWorker is how many shards a worker has at a time: one runs while the next one's bytes are read.
const perWorker = 2

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

// stages runs the stages of the plan, one after another.
func (r *run) stages(plan protocol.FinishRequest) error {
	for {
		stage, err := request[protocol.StageReply](r, r.coordinator, protocol.Stage, plan, nil, 0)
		if err != nil || stage.Shards == 0 {
			return err
		}
		r.enter(stage)
		if err := r.pipeline(); err != nil {
			return err
		}
	}
}

// pipeline runs the shards of a stage. A fetcher asks the coordinator for shards, in order and no further ahead than there
// are credits; shard workers run them; this goroutine takes the results in order, passes them to the output worker and then
// to the coordinator, and frees the credit.
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
		merge.Refused, merge.Damaged, merge.Copies, merge.Timeless = w.Refused, w.Damaged, w.Copies, w.Timeless
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

// at returns an attachment, nil if it is missing.
func at(attach []any, i int) any {
	if i < len(attach) {
		return attach[i]
	}
	return nil
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
