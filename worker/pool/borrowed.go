package pool

import (
	"context"
	"fmt"

	"wimscope/worker/protocol"
)

// maxTries is how often a shard runs whose worker dies.
const maxTries = 3

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
