package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wimscope/worker/protocol"
)

// fakeStarter starts workers in memory. Each is a protocol.Server whose messages pass through queues in both
// directions, like a real worker's.
type fakeStarter struct {
	handle func(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error)
	fail   func(n int) error // error of the n-th start, from 1
	mute   func(n int) bool  // the n-th worker never becomes ready
	load   func(p Program) error

	mu      sync.Mutex
	loaded  map[Program]bool
	workers []*fakeWorker
}

type fakeWorker struct {
	n        int
	program  Program
	name     string
	receiver Receiver
	server   *protocol.Server

	deaf  atomic.Bool // it receives no messages, as if its program never reached a checkpoint
	mu    sync.Mutex
	over  bool
	in    chan protocol.Message
	out   chan protocol.Message
	ended chan struct{}
	keys  map[string]bool

	running chan struct{} // has a slot while a shard runs: like the engine, it runs one at a time
}

func (s *fakeStarter) Load(p Program) error {
	if s.load != nil {
		if err := s.load(p); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded == nil {
		s.loaded = make(map[Program]bool)
	}
	s.loaded[p] = true
	return nil
}

func (s *fakeStarter) Start(p Program, name string, r Receiver) (Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.loaded[p] {
		return nil, fmt.Errorf("program %s is not loaded", p)
	}
	w := &fakeWorker{
		n: len(s.workers) + 1, program: p, name: name, receiver: r, keys: make(map[string]bool), running: make(chan struct{}, 1),
		in: make(chan protocol.Message, 1000), out: make(chan protocol.Message, 1000), ended: make(chan struct{}),
	}
	s.workers = append(s.workers, w)
	if s.fail != nil {
		if err := s.fail(w.n); err != nil {
			return nil, err
		}
	}
	w.server = protocol.NewServer(handler(func(ctx context.Context, c *protocol.Call) (any, []any, error) {
		if p == Reader && needsBuilder(c) {
			return nil, nil, &protocol.Error{Code: protocol.CodeInternal, Message: fmt.Sprintf("a worker that only reads received %s", c.Method)}
		}
		return s.handle(ctx, w, c)
	}), w.answer)
	go func() {
		for {
			select {
			case m := <-w.in:
				if !w.deaf.Load() {
					w.server.Receive(m)
				}
			case <-w.ended:
				return
			}
		}
	}()
	go func() {
		for {
			select {
			case m := <-w.out:
				r.Message(m)
			case <-w.ended:
				return
			}
		}
	}()
	if s.mute == nil || !s.mute(w.n) {
		w.out <- protocol.Message{Kind: protocol.Ready}
	}
	return w, nil
}

// needsBuilder reports whether a worker must run Builder to answer c.
func needsBuilder(c *protocol.Call) bool {
	switch c.Method {
	case protocol.Input, protocol.Draft, protocol.Build, protocol.Skip:
		return true
	case protocol.Run:
		s, ok := c.Attach[0].([]byte)
		return !ok || strings.HasSuffix(string(s), fakePack)
	case protocol.OutOpen:
		req, err := protocol.Decode[protocol.OutOpenRequest](c.Body)
		return err != nil || req.Format == protocol.WIM
	case protocol.Parts:
		req, err := protocol.Decode[protocol.PartsRequest](c.Body)
		return err != nil || len(req.Folders) > 0
	}
	return false
}

const fakePack = " to pack" // the end of a build's shards

func (s *fakeStarter) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.workers)
}

// worker returns the n-th worker started, from 1.
func (s *fakeStarter) worker(n int) *fakeWorker {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.workers[n-1]
}

func (s *fakeStarter) live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, w := range s.workers {
		w.mu.Lock()
		if !w.over {
			n++
		}
		w.mu.Unlock()
	}
	return n
}

type handler func(ctx context.Context, c *protocol.Call) (any, []any, error)

func (h handler) Handle(ctx context.Context, c *protocol.Call) (any, []any, error) { return h(ctx, c) }

func (w *fakeWorker) answer(m protocol.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return errors.New("gone")
	}
	w.out <- m
	return nil
}

func (w *fakeWorker) Send(m protocol.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return errors.New("gone")
	}
	w.in <- m
	return nil
}

func (w *fakeWorker) Bytes(a any) ([]byte, error) {
	b, ok := a.([]byte)
	if !ok {
		return nil, fmt.Errorf("%T is not a buffer", a)
	}
	return b, nil
}

func (w *fakeWorker) Terminate() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.over = true
		close(w.ended)
	}
}

// crash ends the worker as a browser would: Lost is called once, and nothing after it.
func (w *fakeWorker) crash(why string) {
	w.Terminate()
	w.receiver.Lost(errors.New(why))
}

// decodeBody is protocol.Decode for tests.
func decodeBody[T any](t *testing.T, b []byte) T {
	t.Helper()
	v, err := protocol.Decode[T](b)
	if err != nil {
		t.Error(err)
	}
	return v
}

// fakeEngine replies as a session, shard worker and output worker would, for a job of the given number of shards of
// 100 bytes each. Shard i is the bytes "shard i"; running it returns "result i", "data i" and the entries "entries i".
type fakeEngine struct {
	t      *testing.T
	shards int
	ready  bool // the shards need not be run

	// run may be replaced.
	run func(ctx context.Context, w *fakeWorker, c *protocol.Call, index int) error

	mu       sync.Mutex
	staged   map[*fakeWorker]bool // whether the stage of the session's plan has begun
	opened   int
	fetched  []int
	merged   []int
	segments []string
	finished bool
	dropped  bool
	outDone  bool
	aborted  int
	ahead    int // the most shards fetched beyond those merged
	running  int
	most     int // shards that ran at the same time, at most
}

func (e *fakeEngine) starter() *fakeStarter { return &fakeStarter{handle: e.handle} }

func (e *fakeEngine) handle(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error) {
	switch c.Method {
	case protocol.Open:
		e.mu.Lock()
		e.opened++
		e.mu.Unlock()
		return protocol.Archive{Name: "a.wim", Parts: []protocol.Part{{Name: fmt.Sprint(c.Attach...)}}}, nil, nil
	case protocol.List, protocol.Close:
		return nil, nil, nil
	case protocol.Status:
		return protocol.StatusReply{Memory: 1000}, nil, nil
	case protocol.Plan:
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.staged == nil {
			e.staged = make(map[*fakeWorker]bool)
		}
		e.staged[w] = false
		return protocol.PlanReply{Plan: 7, Bytes: int64(e.shards) * 100, Items: e.shards, Name: "out.zip"}, nil, nil
	case protocol.Stage:
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.staged[w] {
			return protocol.StageReply{}, nil, nil
		}
		e.staged[w] = true
		return protocol.StageReply{Stage: "verify", Shards: e.shards, Bytes: int64(e.shards) * 100, Items: e.shards, Memory: 1000}, nil, nil
	case protocol.Shard:
		req := decodeBody[protocol.ShardRequest](e.t, c.Body)
		e.mu.Lock()
		e.fetched = append(e.fetched, req.Index)
		e.ahead = max(e.ahead, req.Index+1-len(e.merged))
		e.mu.Unlock()
		return protocol.ShardReply{Bytes: 100, Items: 1, Op: "op", Off: int64(req.Index) * 100, Len: 100},
			[]any{fmt.Append(nil, "shard ", req.Index), fmt.Append(nil, "entries ", req.Index)}, nil
	case protocol.Parts:
		req := decodeBody[protocol.PartsRequest](e.t, c.Body)
		w.mu.Lock()
		w.keys[req.Key] = true
		w.mu.Unlock()
		return nil, nil, nil
	case protocol.Forget:
		req := decodeBody[protocol.ForgetRequest](e.t, c.Body)
		w.mu.Lock()
		delete(w.keys, req.Key)
		w.mu.Unlock()
		return nil, nil, nil
	case protocol.Run:
		return e.handleRun(ctx, w, c)
	case protocol.Merge:
		req := decodeBody[protocol.MergeRequest](e.t, c.Body)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.merged = append(e.merged, req.Index)
		if want := fmt.Sprint("result ", req.Index); !e.ready && (len(c.Attach) == 0 || fmt.Sprintf("%s", c.Attach[0]) != want) {
			e.t.Errorf("shard %d is merged with %s, want %q", req.Index, c.Attach, want)
		}
		return protocol.MergeReply{Blocks: []protocol.BlockMark{{Off: int64(req.Index) * 100, Len: 100}}}, nil, nil
	case protocol.Finish:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.finished = true
		return protocol.Report{OK: true, Blobs: len(e.merged)}, nil, nil
	case protocol.Drop:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.dropped = true
		return nil, nil, nil
	case protocol.OutOpen:
		return nil, nil, nil
	case protocol.OutSegment:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.segments = append(e.segments, fmt.Sprintf("%s+%s", c.Attach[1:]...))
		return protocol.OutProgress{Bytes: 100, Files: 1}, c.Attach[:1], nil
	case protocol.OutFinish:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.outDone = true
		return protocol.OutReply{Bytes: int64(len(e.segments)) * 100, Files: len(e.segments)}, []any{"the file"}, nil
	case protocol.OutAbort:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.aborted++
		return nil, nil, nil
	}
	return nil, nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: string(c.Method)}
}

func (e *fakeEngine) handleRun(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error) {
	req := decodeBody[protocol.RunRequest](e.t, c.Body)
	w.mu.Lock()
	known := w.keys[req.Key]
	w.mu.Unlock()
	if !known {
		return nil, nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: "no files"}
	}
	select {
	case w.running <- struct{}{}:
		defer func() { <-w.running }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	var index int
	if _, err := fmt.Sscanf(string(c.Attach[0].([]byte)), "shard %d", &index); err != nil {
		e.t.Error(err)
	}
	e.mu.Lock()
	e.running++
	e.most = max(e.most, e.running)
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.running--
		e.mu.Unlock()
	}()
	run := e.run
	if run == nil {
		run = func(ctx context.Context, _ *fakeWorker, c *protocol.Call, _ int) error {
			return work(ctx, c, 50*time.Millisecond)
		}
	}
	if err := run(ctx, w, c, index); err != nil {
		return nil, nil, err
	}
	att := []any{fmt.Append(nil, "result ", index), fmt.Append(nil, "data ", index)}
	return protocol.RunReply{Bytes: 100, Items: 1}, append(att, c.Attach[1:]...), nil
}

// work takes the time d, in steps of 10 ms between which it can be paused and cancelled.
func work(ctx context.Context, c *protocol.Call, d time.Duration) error {
	for done := time.Duration(0); done < d; done += 10 * time.Millisecond {
		time.Sleep(10 * time.Millisecond)
		if err := c.Hold(ctx); err != nil {
			return err
		}
		c.Progress(protocol.RunProgress{Bytes: int64(100 * done / d)})
	}
	return nil
}
