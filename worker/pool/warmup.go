package pool

import (
	"context"

	"wimscope/worker/json"
	"wimscope/worker/protocol"
)

// A browser first compiles WebAssembly fast and with little optimisation, and optimises only code that has run often.
// All workers of the page share the compiled code. warmUpRounds over a small archive take a tenth of a second while
// the page waits for the user to open something, and save the first archive twice that.
const (
	warmUpRounds = 10
	warmUpKey    = "warm-up"
)

// WarmUp makes the spare worker open, list and verify a small archive a few times. It returns early and without an
// error when the spare worker is needed. Call it once per page, after StartSpare.
func (p *Pool) WarmUp(sample File) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	e := &warmUp{ctx: ctx, stop: stop, done: make(chan struct{}), files: Files{Parts: []File{sample}}}
	p.mu.Lock()
	if p.spare == nil || p.warmUp != nil {
		p.mu.Unlock()
		return nil
	}
	e.w = p.spare
	p.warmUp = e
	p.mu.Unlock()
	err := e.run()
	// The worker must hold nothing when it is handed over. If this fails, the worker is lost.
	_, _, _ = e.w.call(context.Background(), protocol.Close, nil, nil, nil, 0)
	_, _, _ = e.w.call(context.Background(), protocol.Forget, protocol.ForgetRequest{Key: warmUpKey}, nil, nil, 0)
	close(e.done)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// endWarmUp stops the warm-up and waits until its current request is answered, which does not take long.
func (p *Pool) endWarmUp() {
	p.mu.Lock()
	e := p.warmUp
	p.mu.Unlock()
	if e != nil {
		e.stop()
		<-e.done
	}
}

type warmUp struct {
	ctx   context.Context
	stop  func()
	done  chan struct{}
	w     *worker
	files Files
}

// ask sends a request to the worker unless the warm-up was stopped.
func (e *warmUp) ask(m protocol.Method, req any, attach []any, reply any, got *[]any) error {
	if err := e.ctx.Err(); err != nil {
		return err
	}
	body, att, err := e.w.call(context.Background(), m, req, attach, nil, 0)
	if err == nil && reply != nil {
		err = json.Unmarshal(body, reply)
	}
	if got != nil {
		*got = att
	}
	return err
}

func (e *warmUp) run() error {
	parts := names(e.files.Parts)
	if err := e.ask(protocol.Parts, protocol.PartsRequest{Key: warmUpKey, Parts: parts}, e.files.values(), nil, nil); err != nil {
		return err
	}
	for range warmUpRounds {
		if err := e.ask(protocol.Open, protocol.OpenRequest{Parts: parts}, e.files.values(), nil, nil); err != nil {
			return err
		}
		if err := e.ask(protocol.List, protocol.ListRequest{Image: 1, Count: 100}, nil, nil, nil); err != nil {
			return err
		}
		if err := e.verify(); err != nil {
			return err
		}
	}
	return nil
}

// verify runs a verification job, one shard after another.
func (e *warmUp) verify() error {
	var plan protocol.PlanReply
	if err := e.ask(protocol.Plan, protocol.PlanRequest{Op: protocol.Verify}, nil, &plan, nil); err != nil {
		return err
	}
	var stage protocol.StageReply
	if err := e.ask(protocol.Stage, protocol.FinishRequest{Plan: plan.Plan}, nil, &stage, nil); err != nil {
		return err
	}
	for i := range stage.Shards {
		var shard protocol.ShardReply
		var packed, result []any
		if err := e.ask(protocol.Shard, protocol.ShardRequest{Plan: plan.Plan, Index: i}, nil, &shard, &packed); err != nil {
			return err
		}
		merge := protocol.MergeRequest{Plan: plan.Plan, Index: i}
		if err := e.ask(protocol.Run, protocol.RunRequest{Key: warmUpKey}, packed, &merge.Result, &result); err != nil {
			return err
		}
		if err := e.ask(protocol.Merge, merge, result, nil, nil); err != nil {
			return err
		}
	}
	return e.ask(protocol.Finish, protocol.FinishRequest{Plan: plan.Plan}, nil, nil, nil)
}
