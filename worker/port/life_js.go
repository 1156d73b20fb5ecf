package port

import (
	"errors"
	"syscall/js"

	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// A worker can vanish without a word: no event tells a page of it. But a browser gives back the Web Locks of a worker
// that is gone, however it went. So each worker takes a lock of its own for as long as it lives and names it in its
// first message, and the page queues for it: when its turn comes, there is no worker any more. Where there are no
// locks the pool's pings notice it, a minute later.

func locks() (js.Value, bool) {
	l, err := jsx.Path("navigator", "locks")
	return l, err == nil && l.Type() == js.TypeObject
}

// live takes a lock that is held until this worker's end. Where it cannot be had the name is "".
func live() protocol.Hello {
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
		if _, err := jsx.Call(l, "request", name, granted); err != nil { // ends no other way
			held <- false // a page without storage has no locks either
		}
	}()
	if !<-held {
		return protocol.Hello{}
	}
	return protocol.Hello{Life: name}
}

// mourn waits for the end of the worker that said h, and tells of it.
func (l *line) mourn(h protocol.Hello) {
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
