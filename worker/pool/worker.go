package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"wimscope/worker/json"
	"wimscope/worker/protocol"
)

const (
	cancelGrace = 2 * time.Second  // time for a cancelled request to stop before its worker is terminated
	startLimit  = 60 * time.Second // a worker that is not ready by then is lost
	pingEvery   = 10 * time.Second // while a reply is pending
	pingMisses  = 6                // ticks with a ping unanswered after which the worker is considered hung. Ticks, not time: a machine may sleep.
)

// worker is one worker and its pending calls.
type worker struct {
	name    string
	program Program
	conn    Conn

	ready     chan struct{} // closed when the worker sends Ready
	lost      chan struct{} // closed when the worker is gone
	readyOnce sync.Once

	mu     sync.Mutex
	next   uint32
	calls  map[uint32]*call
	err    *protocol.Error // why it is lost
	paused bool
	owed   int // ticks since the oldest unanswered ping; 0: none is pending

	// Only the borrower of the worker uses these.
	keys   map[string]bool // keys of the archives whose files it has
	memory atomic.Int64    // bytes of linear memory, as last reported
	since  time.Time       // idle since
}

// call is a request without its final reply.
type call struct {
	method protocol.Method
	answer chan protocol.Message // one slot
	news   chan struct{}         // one slot: latest has changed
	mu     sync.Mutex
	latest []byte // unread progress; newer replaces older
}

func startWorker(s Starter, p Program, name string) (*worker, error) {
	w := &worker{
		name:    name,
		program: p,
		ready:   make(chan struct{}),
		lost:    make(chan struct{}),
		calls:   make(map[uint32]*call),
		keys:    make(map[string]bool),
	}
	w.mu.Lock() // the starter may call back before conn is set
	conn, err := s.Start(p, name, w)
	w.conn = conn
	w.mu.Unlock()
	if err != nil {
		return nil, protocol.AsError(err)
	}
	return w, nil
}

// Message implements Receiver.
func (w *worker) Message(m protocol.Message) {
	w.mu.Lock()
	w.owed = 0
	c := w.calls[m.ID]
	switch m.Kind {
	case protocol.Ready:
		w.readyOnce.Do(func() { close(w.ready) })
	case protocol.Exit:
		w.mu.Unlock()
		e, err := protocol.Decode[protocol.Error](m.Body)
		if err != nil || e.Code == "" {
			e = protocol.Error{Code: protocol.CodeCrashed, Message: "the engine stopped unexpectedly"}
		}
		w.fail(&e)
		return
	case protocol.Progress:
		if c != nil {
			c.mu.Lock()
			c.latest = m.Body
			c.mu.Unlock()
			select {
			case c.news <- struct{}{}:
			default:
			}
		}
	case protocol.Reply, protocol.Failure:
		if c != nil {
			delete(w.calls, m.ID)
			c.answer <- m
		}
	}
	w.mu.Unlock()
}

// Lost implements Receiver.
func (w *worker) Lost(err error) {
	w.fail(&protocol.Error{Code: protocol.CodeCrashed, Message: err.Error()})
}

// fail ends the worker; every pending call fails with e.
func (w *worker) fail(e *protocol.Error) {
	w.mu.Lock()
	if w.err != nil {
		w.mu.Unlock()
		return
	}
	w.err = e
	conn := w.conn
	close(w.lost)
	w.mu.Unlock()
	if conn != nil {
		conn.Terminate()
	}
}

// end terminates a worker that is no longer needed.
func (w *worker) end() {
	w.fail(&protocol.Error{Code: protocol.CodeCancelled, Message: "the worker was stopped"})
}

func (w *worker) isLost() bool {
	select {
	case <-w.lost:
		return true
	default:
		return false
	}
}

func (w *worker) lostError() *protocol.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// call sends a request and waits for the final reply. When ctx ends, it sends a cancel: with no grace it returns at
// once; otherwise it waits that long for the worker to stop, and then terminates it. The error is a *protocol.Error.
func (w *worker) call(ctx context.Context, m protocol.Method, req any, attach []any, onProgress func([]byte), grace time.Duration) ([]byte, []any, error) {
	var body []byte
	if req != nil {
		var err error
		if body, err = json.Marshal(req); err != nil {
			return nil, nil, &protocol.Error{Code: protocol.CodeBadRequest, Message: err.Error()}
		}
	}
	if err := w.waitReady(ctx); err != nil {
		return nil, nil, err
	}
	c := &call{method: m, answer: make(chan protocol.Message, 1), news: make(chan struct{}, 1)}
	w.mu.Lock()
	w.next++
	id := w.next
	w.calls[id] = c
	paused := w.paused && m == protocol.Run
	w.mu.Unlock()
	if err := w.conn.Send(protocol.Message{ID: id, Kind: protocol.Request, Method: m, Body: body, Attach: attach}); err != nil {
		w.mu.Lock()
		delete(w.calls, id)
		w.mu.Unlock()
		var refused *protocol.Error // the connection works but cannot carry this message
		if !errors.As(err, &refused) {
			w.Lost(err)
			refused = w.lostError()
		}
		return nil, nil, refused
	}
	if paused {
		w.notify(id, protocol.Pause)
	}
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	stop := ctx.Done()
	var force <-chan time.Time
	for {
		select {
		case a := <-c.answer:
			return w.take(a)
		case <-c.news:
			c.mu.Lock()
			b := c.latest
			c.mu.Unlock()
			if onProgress != nil {
				onProgress(b)
			}
		case <-stop:
			stop = nil
			w.notify(id, protocol.Cancel)
			if grace == 0 {
				w.mu.Lock()
				delete(w.calls, id)
				w.mu.Unlock()
				return nil, nil, protocol.AsError(ctx.Err())
			}
			t := time.NewTimer(grace)
			defer t.Stop()
			force = t.C
		case <-force:
			w.end()
			return nil, nil, protocol.AsError(ctx.Err())
		case <-tick.C:
			w.ping()
		case <-w.lost:
			select { // the final reply may have come just before the end
			case a := <-c.answer:
				return w.take(a)
			default:
				return nil, nil, w.lostError()
			}
		}
	}
}

func (w *worker) waitReady(ctx context.Context) error {
	t := time.NewTimer(startLimit)
	defer t.Stop()
	select {
	case <-w.ready:
	case <-w.lost:
		return w.lostError()
	case <-ctx.Done():
		return protocol.AsError(ctx.Err())
	case <-t.C:
		w.fail(&protocol.Error{Code: protocol.CodeCrashed, Message: "the engine did not start within a minute"})
		return w.lostError()
	}
	return nil
}

// take turns a final reply into a result.
func (w *worker) take(m protocol.Message) ([]byte, []any, error) {
	if m.Kind == protocol.Reply {
		return m.Body, m.Attach, nil
	}
	e, err := protocol.Decode[protocol.Error](m.Body)
	if err != nil {
		return nil, nil, err
	}
	if e.Fatal {
		w.fail(&e)
	}
	return nil, nil, &e
}

// notify sends a message that has no reply. If it cannot be sent, the worker is lost and Lost reports it.
func (w *worker) notify(id uint32, k protocol.Kind) {
	_ = w.conn.Send(protocol.Message{ID: id, Kind: k})
}

// ping sends a ping, and fails the worker after several went unanswered.
func (w *worker) ping() {
	w.mu.Lock()
	w.owed++
	owed := w.owed
	w.next++
	id := w.next
	w.mu.Unlock()
	switch {
	case owed > pingMisses:
		w.fail(&protocol.Error{Code: protocol.CodeCrashed, Message: "the engine's worker stopped responding"})
	case owed == 1:
		_ = w.conn.Send(protocol.Message{ID: id, Kind: protocol.Request, Method: protocol.Status})
	}
}

// setPaused pauses or resumes the shards that the worker runs, and those that it receives later.
func (w *worker) setPaused(paused bool) {
	kind := protocol.Resume
	if paused {
		kind = protocol.Pause
	}
	w.mu.Lock()
	if w.paused == paused {
		w.mu.Unlock()
		return
	}
	w.paused = paused
	var ids []uint32
	for id, c := range w.calls {
		if c.method == protocol.Run {
			ids = append(ids, id)
		}
	}
	w.mu.Unlock()
	for _, id := range ids {
		w.notify(id, kind)
	}
}
