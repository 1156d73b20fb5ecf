package platform

import (
	"syscall/js"

	"wimscope/worker/jsx"
)

// busy keeps a tab alive while a job runs: a lock keeps browsers from freezing the page, a wake lock keeps the screen
// on, and closing the tab asks for confirmation.
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
	// The browser releases the wake lock when the tab is hidden; it must be requested again.
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
			_, _ = jsx.CallNow(b.wake, "release") // it may have been released already
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
			// Shared, since two tabs may work at the same time.
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
		return // low battery, or a policy
	}
	if !b.on {
		_, _ = jsx.CallNow(v, "release")
		return
	}
	b.wake = v
}
