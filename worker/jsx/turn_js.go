package jsx

import "syscall/js"

// Turns lets the event loop take its turn in the middle of a long computation. A running goroutine hides every
// message from the program; waiting for a task of the loop's own makes room for those that came before it.
// A message to oneself is used and no timer, since nested timers wait at least 4 ms.
type Turns struct {
	port  js.Value
	waits chan struct{}
	f     js.Func
}

// NewTurns makes the channel that Take waits on.
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

// Take waits until the loop has been through what was there before. Any number of goroutines may wait.
func (t *Turns) Take() {
	t.port.Call("postMessage", js.Null())
	<-t.waits
}
