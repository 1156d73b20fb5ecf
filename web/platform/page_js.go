package platform

import (
	"syscall/js"
	"time"

	"wimscope/web/state"
)

// Listen passes events of the page as a whole to the model: keys, the address, dropped and pasted files, the window's
// size, the system's theme.
func (b *Browser) Listen(app *state.App) {
	on := func(target js.Value, name string, f func(e js.Value)) {
		target.Call("addEventListener", name, js.FuncOf(func(_ js.Value, args []js.Value) any {
			f(args[0])
			return nil
		}))
	}
	w := b.window

	on(b.doc, "keydown", func(e js.Value) {
		if e.Get("defaultPrevented").Bool() || e.Get("isComposing").Bool() {
			return
		}
		held := state.Keys{Shift: e.Get("shiftKey").Bool(), Ctrl: e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool(), Alt: e.Get("altKey").Bool()}
		key := e.Get("key")
		if key.Type() == js.TypeString && app.Key(key.String(), held, typing(e.Get("target"))) {
			e.Call("preventDefault")
		}
	})

	// pushState raises neither event; a change by the user raises both.
	follow := func(js.Value) {
		hash := w.Get("location").Get("hash").String()
		if hash != b.hash {
			b.hash = hash
			app.Navigate(hash)
		}
	}
	on(w, "hashchange", follow)
	on(w, "popstate", follow)

	files := func(e js.Value) bool {
		t := e.Get("dataTransfer")
		return t.Truthy() && t.Get("types").Call("includes", "Files").Bool()
	}
	// A drag that ends outside of the page, or is handled elsewhere, raises no event. It is over when there was no
	// event for a second.
	silent := time.AfterFunc(time.Hour, func() { app.Drag(false) })
	on(w, "dragover", func(e js.Value) {
		if !files(e) {
			return
		}
		e.Call("preventDefault")
		e.Get("dataTransfer").Set("dropEffect", "copy")
		silent.Reset(time.Second)
		app.Drag(true)
	})
	on(w, "dragleave", func(e js.Value) {
		if e.Get("relatedTarget").IsNull() {
			app.Drag(false)
		}
	})
	on(w, "drop", func(e js.Value) {
		if !files(e) {
			return
		}
		e.Call("preventDefault")
		o := OfferedIn(e.Get("dataTransfer"))
		app.Drag(false)
		go func() { app.Opener.Open(o.Files()) }()
	})
	on(w, "paste", func(e js.Value) {
		if t := e.Get("clipboardData"); t.Truthy() && t.Get("files").Length() > 0 {
			e.Call("preventDefault")
			o := OfferedIn(t)
			go func() { app.Opener.Open(o.Files()) }()
		}
	})

	width := func(js.Value) { app.Look.Resized(w.Get("innerWidth").Float()) }
	on(w, "resize", width)
	width(js.Null())

	dark := w.Call("matchMedia", "(prefers-color-scheme: dark)")
	on(dark, "change", func(js.Value) { app.Look.SystemDark(dark.Get("matches").Bool()) })
	app.Look.SystemDark(dark.Get("matches").Bool())
}

// typing reports whether el takes text input.
func typing(el js.Value) bool {
	switch el.Get("tagName").String() {
	case "INPUT":
		switch el.Get("type").String() {
		case "radio", "checkbox", "button", "submit":
			return false
		}
		return true
	case "TEXTAREA", "SELECT":
		return true
	}
	return false
}
