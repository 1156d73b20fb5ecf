package jsx

import "syscall/js"

// Turns lets the event loop run in the middle of a long computation. The program receives no messages while a
// goroutine runs; waiting for a task of the event loop lets it deliver the messages queued before. The task is a
// message to itself, not a timer, since nested timers wait at least 4 ms.
type Turns struct {
	port  js.Value
	waits chan struct{}
	f     js.Func
}

// NewTurns opens the channel that Take uses.
func NewTurns() *Turns {
	t := &Turns{waits: make(chan struct{}, 1024)}
	t.f = js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case t.waits <- struct{}{}:
		default:
		}
		return nil
	})
	c := js.Global().Get("MessageChannel").New()
	c.Get("port1").Set("onmessage", t.f)
	t.port = c.Get("port2")
	return t
}

// Take waits until the event loop has run the tasks queued before the call. Any number of goroutines may wait.
func (t *Turns) Take() {
	t.port.Call("postMessage", js.Null())
	<-t.waits
}
