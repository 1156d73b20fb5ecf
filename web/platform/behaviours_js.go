package platform

import (
	"math"
	"strconv"
	"strings"
	"syscall/js"
	"time"

	"wimscope/web/state"
)

// Behaviours are actions of elements that are not single events of a component: scrolling, which has too many events,
// dragging a separator, and standing above the page as a dialog.
type Behaviours struct {
	app   *state.App
	sizes js.Value // a ResizeObserver of the scrolled elements
	on    map[string][]listener
	back  []js.Value // the element that had the focus before each dialog
}

type listener struct {
	el   js.Value
	name string
	f    js.Func
}

// NewBehaviours returns the behaviours of a page.
func NewBehaviours() *Behaviours { return &Behaviours{on: map[string][]listener{}} }

// Bind sets the model. It must be called before the first element is attached.
func (b *Behaviours) Bind(app *state.App) {
	b.app = app
	b.sizes = js.Global().Get("ResizeObserver").New(js.FuncOf(func(_ js.Value, args []js.Value) any {
		for i := range args[0].Length() {
			b.scrolled(args[0].Index(i).Get("target"))
		}
		return nil
	}))
}

// Attach starts the behaviour of a new element.
func (b *Behaviours) Attach(el js.Value, kind string) {
	switch kind {
	case "scroll":
		b.scroll(el)
	case "split":
		b.split(el)
	case "modal":
		b.back = append(b.back, js.Global().Get("document").Get("activeElement"))
		el.Call("showModal")
	}
}

// Detach ends the behaviour of an element before it is removed.
func (b *Behaviours) Detach(el js.Value, kind string) {
	switch kind {
	case "scroll":
		b.sizes.Call("unobserve", el)
	case "modal":
		el.Call("close")
		if n := len(b.back); n > 0 {
			el := b.back[n-1]
			b.back = b.back[:n-1]
			if el.Truthy() && el.Get("isConnected").Bool() {
				el.Call("focus")
			}
		}
	}
	key := el.Get("id").String()
	for _, l := range b.on[key] {
		l.el.Call("removeEventListener", l.name, l.f)
		l.f.Release()
	}
	delete(b.on, key)
}

func (b *Behaviours) listen(el js.Value, name string, options any, f func(e js.Value)) {
	fn := js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(args[0])
		return nil
	})
	el.Call("addEventListener", name, fn, options)
	key := el.Get("id").String()
	b.on[key] = append(b.on[key], listener{el, name, fn})
}

// scroll reports an element's scroll position and size to the model, at most once per frame.
func (b *Behaviours) scroll(el js.Value) {
	due := false
	b.listen(el, "scroll", map[string]any{"passive": true}, func(js.Value) {
		if due {
			return
		}
		due = true
		var once js.Func
		once = js.FuncOf(func(js.Value, []js.Value) any {
			due = false
			once.Release()
			b.scrolled(el)
			return nil
		})
		js.Global().Call("requestAnimationFrame", once)
	})
	if el.Get("id").String() == "list" {
		b.hold(el)
	}
	if el.Get("id").String() == "hex" {
		b.listen(el, "wheel", map[string]any{"passive": false}, func(e js.Value) {
			ar := b.app.Current()
			scaled := false
			b.app.Read(func() { scaled = ar != nil && ar.Files.Preview.Hex.View.Scaled() })
			if !scaled || e.Get("ctrlKey").Bool() {
				return
			}
			e.Call("preventDefault")
			rows := int(e.Get("deltaY").Float() / state.LineHeight)
			if rows == 0 {
				rows = 1
				if e.Get("deltaY").Float() < 0 {
					rows = -1
				}
			}
			ar.Files.Preview.Hex.Wheel(rows)
		})
	}
	b.listen(el, "focusin", nil, func(js.Value) { b.app.Focused(el.Get("id").String()) })
	b.sizes.Call("observe", el)
	b.scrolled(el)
}

const (
	holdFor  = 500 * time.Millisecond // a touch of a row that lasts this long is not a tap
	holdNear = 10                     // CSS pixels that a finger may move
)

// hold detects a long press on a row of the list. Browsers differ in how they handle one, if at all.
func (b *Behaviours) hold(el js.Value) {
	var timer *time.Timer
	var x, y float64
	stop := func(js.Value) {
		if timer != nil {
			timer.Stop()
			timer = nil
		}
	}
	at := func(e js.Value) (float64, float64) { return e.Get("clientX").Float(), e.Get("clientY").Float() }
	b.listen(el, "pointerdown", nil, func(e js.Value) {
		stop(e)
		if e.Get("pointerType").String() != "touch" {
			return
		}
		ar := b.app.Current()
		if ar == nil {
			return
		}
		list := &ar.Files.List
		list.Hold(-1)
		row := e.Get("target").Call("closest", "[role=row]")
		if !row.Truthy() {
			return
		}
		i, err := strconv.Atoi(strings.TrimPrefix(row.Get("id").String(), "row-"))
		if err != nil {
			return
		}
		x, y = at(e)
		timer = time.AfterFunc(holdFor, func() { list.Hold(i) })
	})
	b.listen(el, "pointermove", map[string]any{"passive": true}, func(e js.Value) {
		if timer == nil {
			return
		}
		if toX, toY := at(e); math.Hypot(toX-x, toY-y) > holdNear {
			stop(e)
		}
	})
	for _, name := range []string{"pointerup", "pointercancel"} {
		b.listen(el, name, nil, stop)
	}
	b.listen(el, "contextmenu", nil, func(e js.Value) {
		if e.Get("pointerType").String() == "touch" {
			e.Call("preventDefault")
		}
	})
}

func (b *Behaviours) scrolled(el js.Value) {
	if !el.Get("isConnected").Bool() {
		return
	}
	top, height := el.Get("scrollTop").Float(), el.Get("clientHeight").Float()
	id := el.Get("id").String()
	if id == "list" {
		// The list's header stays in view above the rows.
		if h := el.Get("firstElementChild"); h.Truthy() {
			height -= h.Get("offsetHeight").Float()
		}
	}
	b.app.Scrolled(id, top, height)
}

// split makes a separator draggable.
func (b *Behaviours) split(el js.Value) {
	tree := el.Get("dataset").Get("name").String() == "tree"
	var from float64
	var width int
	down := false
	size := func(e js.Value) int {
		d := int(e.Get("clientX").Float() - from)
		if !tree {
			d = -d
		}
		return width + d
	}
	b.listen(el, "pointerdown", nil, func(e js.Value) {
		if e.Get("button").Int() != 0 {
			return
		}
		down, from = true, e.Get("clientX").Float()
		b.app.Read(func() {
			width = b.app.Look.Sizes.Inspector
			if tree {
				width = b.app.Look.Sizes.Tree
			}
		})
		el.Call("setPointerCapture", e.Get("pointerId"))
	})
	b.listen(el, "pointermove", nil, func(e js.Value) {
		if down {
			b.app.Look.SizePane(tree, size(e), false)
		}
	})
	for _, name := range []string{"pointerup", "pointercancel"} {
		b.listen(el, name, nil, func(e js.Value) {
			if down {
				down = false
				b.app.Look.SizePane(tree, size(e), true)
			}
		})
	}
}
