package protocol

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"wimscope/worker/json"
)

// Call is one request, as its handler sees it.
type Call struct {
	Method Method
	Body   []byte // JSON
	Attach []any

	progress func(body any)
	hold     func(ctx context.Context) error
}

// NewCall returns a call without a Server, for a handler's own tests. If progress is nil, reports are dropped.
func NewCall(m Method, body []byte, attach []any, progress func(body any)) *Call {
	return &Call{Method: m, Body: body, Attach: attach, progress: progress}
}

// Progress sends body as a progress message. The handler limits how often.
func (c *Call) Progress(body any) {
	if c.progress != nil {
		c.progress(body)
	}
}

// Hold waits while the request is paused. It returns ctx.Err() at the end of the pause or of ctx.
func (c *Call) Hold(ctx context.Context) error {
	if c.hold == nil {
		return ctx.Err()
	}
	return c.hold(ctx)
}

// Handler handles requests, each in a goroutine of its own. The reply's body becomes JSON; attach is sent as it is.
// An error that wraps no *Error is sent as CodeInternal, a context's error as CodeCancelled.
type Handler interface {
	Handle(ctx context.Context, c *Call) (body any, attach []any, err error)
}

// Server is the worker's end of a connection: it runs requests and applies cancel, pause and resume by ID. Its
// methods may be called from any goroutine.
type Server struct {
	handler Handler
	send    func(Message) error

	mu      sync.Mutex
	running map[uint32]*running
	dead    bool // a handler panicked: its state cannot be trusted any more
}

type running struct {
	cancel context.CancelFunc
	paused chan struct{} // nil: not paused; closed to resume
}

// NewServer returns a server that replies through send, which must not block for long and must keep the order.
func NewServer(h Handler, send func(Message) error) *Server {
	return &Server{handler: h, send: send, running: make(map[uint32]*running)}
}

// Receive handles one message and returns at once.
func (s *Server) Receive(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.running[m.ID]
	switch m.Kind {
	case Request:
		if r != nil || s.dead {
			return
		}
		ctx, cancel := context.WithCancel(context.Background())
		r = &running{cancel: cancel}
		s.running[m.ID] = r
		go s.run(ctx, r, m)
	case Cancel:
		if r != nil {
			r.cancel()
		}
	case Pause:
		if r != nil && r.paused == nil {
			r.paused = make(chan struct{})
		}
	case Resume:
		if r != nil && r.paused != nil {
			close(r.paused)
			r.paused = nil
		}
	}
}

func (s *Server) run(ctx context.Context, r *running, m Message) {
	body, attach, err := s.handle(ctx, r, m)
	r.cancel()
	answer := Message{ID: m.ID, Kind: Reply, Method: m.Method, Attach: attach}
	if err == nil && body != nil {
		answer.Body, err = json.Marshal(body)
	}
	if err != nil {
		answer.Kind, answer.Attach = Failure, nil
		answer.Body, _ = json.Marshal(AsError(err)) // a struct of strings and numbers: it cannot fail
	}
	s.mu.Lock()
	delete(s.running, m.ID)
	s.mu.Unlock()
	// If the reply cannot be sent, the other end is gone.
	_ = s.send(answer)
}

func (s *Server) handle(ctx context.Context, r *running, m Message) (body any, attach []any, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.mu.Lock()
			s.dead = true
			s.mu.Unlock()
			body, attach = nil, nil
			err = &Error{Code: CodeInternal, Fatal: true, Message: fmt.Sprintf("panic in %s: %v\n%s", m.Method, v, debug.Stack())}
		}
	}()
	return s.handler.Handle(ctx, &Call{
		Method: m.Method,
		Body:   m.Body,
		Attach: m.Attach,
		progress: func(body any) {
			b, err := json.Marshal(body)
			if err != nil {
				panic(err) // a body that cannot be encoded is a bug
			}
			_ = s.send(Message{ID: m.ID, Kind: Progress, Method: m.Method, Body: b})
		},
		hold: func(ctx context.Context) error { return s.hold(ctx, r) },
	})
}

func (s *Server) hold(ctx context.Context, r *running) error {
	for {
		s.mu.Lock()
		paused := r.paused
		s.mu.Unlock()
		if paused == nil {
			return ctx.Err()
		}
		select {
		case <-paused:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// AsError returns the *Error in err, or a new one with its text. It returns nil for nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: CodeCancelled, Message: err.Error()}
	}
	return &Error{Code: CodeInternal, Message: err.Error()}
}

// Decode decodes the JSON body of a request or reply. An empty body is the zero T.
func Decode[T any](body []byte) (T, error) {
	var v T
	if len(body) == 0 {
		return v, nil
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, &Error{Code: CodeBadRequest, Message: err.Error()}
	}
	return v, nil
}
