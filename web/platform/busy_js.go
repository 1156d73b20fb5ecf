package platform

import (
	"syscall/js"

	"wimscope/worker/jsx"
)

// busy keeps a tab alive while work is under way: a lock, which keeps browsers from freezing the page; the screen
// awake; a question before the tab is closed.
type busy struct {
	on      bool
	ask     js.Func
	release js.Value // resolves the promise that holds the lock
	wake    js.Value
	visible js.Func
}

func newBusy() *busy {
	b := &busy{}
	b.ask = js.FuncOf(func(_ js.Value, args []js.Value) any {
		args[0].Call("preventDefault")
		args[0].Set("returnValue", "")
		return nil
	})
	// The browser takes the wake lock back when the tab is hidden; it must be asked for again.
	b.visible = js.FuncOf(func(js.Value, []js.Value) any {
		if b.on {
			go b.awake()
		}
		return nil
	})
	js.Global().Get("document").Call("addEventListener", "visibilitychange", b.visible)
	return b
}

func (b *busy) set(on bool) {
	if on == b.on {
		return
	}
	b.on = on
	w := js.Global()
	if !on {
		w.Call("removeEventListener", "beforeunload", b.ask)
		if b.release.Truthy() {
			b.release.Invoke()
			b.release = js.Undefined()
		}
		if b.wake.Truthy() {
			_, _ = jsx.CallNow(b.wake, "release") // it may be gone already
			b.wake = js.Undefined()
		}
		return
	}
	w.Call("addEventListener", "beforeunload", b.ask)
	if locks, err := jsx.Path("navigator", "locks"); err == nil && locks.Truthy() {
		var hold, executor js.Func
		executor = js.FuncOf(func(_ js.Value, args []js.Value) any {
			b.release = args[0]
			return nil
		})
		hold = js.FuncOf(func(js.Value, []js.Value) any {
			return w.Get("Promise").New(executor)
		})
		go func() {
			// Shared: two tabs may work at a time.
			_, _ = jsx.Call(locks, "request", "wimscope-busy", map[string]any{"mode": "shared"}, hold)
			hold.Release()
			executor.Release()
		}()
	}
	go b.awake()
}

func (b *busy) awake() {
	wl, err := jsx.Path("navigator", "wakeLock")
	if err != nil || !wl.Truthy() || js.Global().Get("document").Get("visibilityState").String() != "visible" {
		return
	}
	v, err := jsx.Call(wl, "request", "screen")
	if err != nil {
		return // a battery that is low, or a policy
	}
	if !b.on {
		_, _ = jsx.CallNow(v, "release")
		return
	}
	b.wake = v
}
