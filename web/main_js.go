// Command web is the page's program: it connects the model to the browser and to the pool of engine workers, and
// shows the components.
package main

import (
	"syscall/js"
	"time"

	"github.com/vugu/vugu"

	"wimscope/web/platform"
	"wimscope/web/state"
	"wimscope/web/ui"
	"wimscope/web/words"
	"wimscope/worker/jsx"
	"wimscope/worker/pool"
	"wimscope/worker/port"
)

func main() {
	boot := js.Global().Get("wimscope")
	browser := platform.NewBrowser()
	due := make(chan struct{}, 1)
	show := func() {
		select {
		case due <- struct{}{}:
		default:
		}
	}

	starter := &port.Starter{
		URL:    boot.Get("workerURL"),
		Module: func(p pool.Program) (js.Value, error) { return jsx.Call(boot, "program", string(p)) },
	}
	workers := pool.New(starter, pool.Options{Cores: cores(), Memory: memory()})
	app := state.NewApp(browser, state.FromPool(workers), words.English(), show)

	// Replace the static page, and open what was dropped on it meanwhile.
	doc := js.Global().Get("document")
	mount := doc.Call("getElementById", "app")
	root := doc.Call("createElement", "div")
	root.Set("className", "root")
	behaviours := platform.NewBehaviours()
	_, renderer := platform.NewDocument(root, behaviours.Attach, behaviours.Detach)
	behaviours.Bind(app)
	env, page := ui.New(app)
	browser.Listen(app)
	mount.Call("replaceWith", root)

	queue := js.Global().Get("wimscopeQueue")
	js.Global().Set("wimscopeQueue", js.Null())
	hash := js.Global().Get("location").Get("hash").String()
	if queue.Truthy() && queue.Length() > 0 {
		hash = ""
	}
	app.Start(hash)
	if hash == "" && queue.Truthy() {
		for i := range queue.Length() {
			o := platform.OfferedBy(queue.Index(i))
			go func() { app.Opener.Open(o.Files()) }()
		}
	}
	go func() {
		// The first archive then need not wait for a worker. If this fails, opening an archive reports the error.
		if err := workers.StartSpare(); err == nil {
			warmUp(browser, workers)
		}
		for range time.Tick(3 * time.Second) {
			if doc.Get("visibilityState").String() == "visible" {
				app.Measure()
			}
		}
	}()

	started := false
	frames := newFrames(doc)
	for range due {
		frames.wait()
		// Build while the model does not change, but render without the lock: changing the document can raise events.
		var built *vugu.BuildResults
		app.Read(func() { built = env.RunBuild(page) })
		renderer.Render(built)
		browser.Shown()
		if !started {
			started = true
			boot.Call("started")
		}
	}
}

// warmUp lets the spare worker run the page's sample, so that the browser compiles the code that the first archive
// needs. Errors do not matter.
func warmUp(browser *platform.Browser, workers *pool.Pool) {
	if sample, err := browser.Sample(); err == nil {
		_ = workers.WarmUp(pool.File{Name: sample.Name, Value: sample.Value})
	}
}

// frames waits for the browser's animation frames.
type frames struct {
	doc  js.Value
	f    js.Func
	next chan struct{}
}

func newFrames(doc js.Value) *frames {
	fr := &frames{doc: doc, next: make(chan struct{}, 1)}
	fr.f = js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case fr.next <- struct{}{}:
		default:
		}
		return nil
	})
	return fr
}

// wait waits for the next frame, so that changes that come together are shown together. A hidden tab has no frames;
// there it waits for a short time.
func (fr *frames) wait() {
	if fr.doc.Get("visibilityState").String() != "visible" {
		time.Sleep(200 * time.Millisecond)
		return
	}
	select {
	case <-fr.next: // from an earlier call
	default:
	}
	js.Global().Call("requestAnimationFrame", fr.f)
	select {
	case <-fr.next:
	case <-time.After(250 * time.Millisecond): // the tab was hidden meanwhile
	}
}

// memory returns how many bytes the shard workers of a job may use together: a quarter of the machine's memory as the
// browser reports it, rounded. Encoders of large solid chunks need most of a gigabyte.
func memory() int64 {
	gigabytes := js.Global().Get("navigator").Get("deviceMemory")
	if gigabytes.Type() != js.TypeNumber || gigabytes.Float() < 4 {
		return 0 // the pool's default
	}
	return int64(min(gigabytes.Float(), 16) * (1 << 28))
}

func cores() int {
	n := js.Global().Get("navigator").Get("hardwareConcurrency")
	if n.Type() != js.TypeNumber {
		return 0
	}
	return n.Int()
}
