package port

import (
	"errors"
	"syscall/js"

	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// A worker can die without any event on the page. But a browser releases the Web Locks of a worker that is gone,
// whatever the reason. So each worker holds a lock of its own while it lives and names it in its first message, and
// the page requests the same lock: when the page gets it, the worker is gone. Where there are no locks, the pool's
// pings notice a minute later.

func locks() (js.Value, bool) {
	l, err := jsx.Path("navigator", "locks")
	return l, err == nil && l.Type() == js.TypeObject
}

// holdLife takes a lock that this worker holds until its end. The name is "" if there are no locks.
func holdLife() protocol.Hello {
	l, ok := locks()
	if !ok {
		return protocol.Hello{}
	}
	name := "wimscope worker " + js.Global().Get("crypto").Call("randomUUID").String()
	forever := js.Global().Get("Promise").New(js.FuncOf(func(js.Value, []js.Value) any { return nil }))
	held := make(chan bool, 2)
	granted := js.FuncOf(func(js.Value, []js.Value) any {
		held <- true
		return forever
	})
	go func() {
		if _, err := jsx.Call(l, "request", name, granted); err != nil { // request does not return while the lock is held
			held <- false // a page without storage has no locks either
		}
	}()
	if !<-held {
		return protocol.Hello{}
	}
	return protocol.Hello{Life: name}
}

// watchLife waits until the worker that sent h is gone, and reports it.
func (l *line) watchLife(h protocol.Hello) {
	all, ok := locks()
	if h.Life == "" || !ok {
		return
	}
	ours := js.FuncOf(func(js.Value, []js.Value) any { return nil })
	defer ours.Release()
	if _, err := jsx.Call(all, "request", h.Life, ours); err != nil {
		return
	}
	l.mu.Lock()
	over := l.over
	l.mu.Unlock()
	if !over {
		l.receiver.Lost(errors.New("the engine's worker is gone"))
	}
}
