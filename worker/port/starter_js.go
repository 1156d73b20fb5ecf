package port

import (
	"errors"
	"fmt"
	"sync"
	"syscall/js"

	"wimscope/worker/jsx"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// Starter starts workers from a page. It implements pool.Starter.
type Starter struct {
	URL js.Value // of the loader script: a TrustedScriptURL if the page has Trusted Types, otherwise a string

	// Module returns a program as a WebAssembly.Module. It is called until it has succeeded once for a program, and
	// may be called several times at once.
	Module func(pool.Program) (js.Value, error)

	mu      sync.Mutex
	modules map[pool.Program]js.Value
}

var _ pool.Starter = (*Starter)(nil)

func (s *Starter) module(p pool.Program) (js.Value, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.modules[p]
	return m, ok
}

// Load implements pool.Starter.
func (s *Starter) Load(p pool.Program) error {
	if _, ok := s.module(p); ok {
		return nil
	}
	m, err := s.Module(p)
	if err != nil {
		return &protocol.Error{Code: protocol.CodeBrowser, Message: "the engine could not be loaded: " + err.Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.modules == nil {
		s.modules = make(map[pool.Program]js.Value)
	}
	s.modules[p] = m
	return nil
}

// Start implements pool.Starter.
func (s *Starter) Start(p pool.Program, name string, r pool.Receiver) (pool.Conn, error) {
	module, ok := s.module(p)
	if !ok {
		return nil, fmt.Errorf("port: program %s is not loaded", p)
	}
	w, err := jsx.New("Worker", s.URL, map[string]any{"name": name, "type": "module"})
	if err != nil {
		return nil, &protocol.Error{Code: protocol.CodeBrowser, Message: err.Error()}
	}
	l := &line{to: w, receiver: r}
	l.listen("message", func(e js.Value) {
		m, err := decode(e.Get("data"), nil)
		if err != nil {
			r.Lost(err)
			return
		}
		if m.Kind == protocol.Ready {
			if h, err := protocol.Decode[protocol.Hello](m.Body); err == nil {
				go l.watchLife(h)
			}
		}
		r.Message(m)
	})
	l.listen("messageerror", func(js.Value) { r.Lost(errors.New("a message from the engine could not be read")) })
	l.listen("error", func(e js.Value) {
		text := "the engine's script failed"
		if m := e.Get("message"); m.Type() == js.TypeString {
			text = m.String()
		}
		e.Call("preventDefault")
		r.Lost(errors.New(text))
	})
	boot := js.Global().Get("Object").New()
	boot.Set("kind", "boot")
	boot.Set("module", module)
	if _, err := jsx.CallNow(w, "postMessage", boot); err != nil {
		l.Terminate()
		return nil, &protocol.Error{Code: protocol.CodeBrowser, Message: err.Error()}
	}
	return l, nil
}

// line is the page's end of the connection to a worker.
type line struct {
	to       js.Value
	receiver pool.Receiver

	mu     sync.Mutex
	events map[string]js.Func
	over   bool
}

func (l *line) listen(event string, f func(js.Value)) {
	if l.events == nil {
		l.events = make(map[string]js.Func)
	}
	l.events[event] = js.FuncOf(func(_ js.Value, args []js.Value) any {
		l.mu.Lock()
		over := l.over
		l.mu.Unlock()
		if !over {
			f(args[0])
		}
		return nil
	})
	l.to.Call("addEventListener", event, l.events[event])
}

// Send implements pool.Conn.
func (l *line) Send(m protocol.Message) error {
	if err := post(l.to, m); err != nil {
		return &protocol.Error{Code: protocol.CodeInternal, Message: fmt.Sprintf("%s: %v", m.Method, err)}
	}
	return nil
}

// Bytes implements pool.Conn.
func (l *line) Bytes(attachment any) ([]byte, error) {
	if v, ok := attachment.(js.Value); ok {
		if b, ok := jsx.Bytes(v); ok {
			return b, nil
		}
	}
	return nil, &protocol.Error{Code: protocol.CodeInternal, Message: "the attachment is not a buffer"}
}

// Terminate implements pool.Conn.
func (l *line) Terminate() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.over = true
	l.to.Call("terminate")
	for event, f := range l.events {
		l.to.Call("removeEventListener", event, f)
		f.Release()
	}
}
