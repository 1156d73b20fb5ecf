package platform

import (
	"strings"
	"syscall/js"
	"time"

	"wimscope/web/state"
	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// Browser implements state.Platform.
type Browser struct {
	window, doc js.Value
	after       []func() // run after the next render
	hash        string   // as we set it last
	busy        *busy
}

var _ state.Platform = (*Browser)(nil)

// NewBrowser returns the browser of this page.
func NewBrowser() *Browser {
	w := js.Global()
	return &Browser{window: w, doc: w.Get("document"), busy: newBusy()}
}

// Shown runs what waits for the next render: focus, scroll positions.
func (b *Browser) Shown() {
	list := b.after
	b.after = nil
	for _, f := range list {
		f()
	}
}

// Now implements state.Platform.
func (b *Browser) Now() time.Time { return time.Now() }

// Caps implements state.Platform. It reports only what can be seen without trying.
func (b *Browser) Caps() state.Caps {
	has := func(v js.Value, name string) bool { return v.Type() != js.TypeUndefined && v.Get(name).Truthy() }
	nav := b.window.Get("navigator")
	item := b.window.Get("DataTransferItem")
	return state.Caps{
		OpenPicker:   has(b.window, "showOpenFilePicker"),
		SavePicker:   has(b.window, "showSaveFilePicker"),
		FolderPicker: has(b.window, "showDirectoryPicker"),
		DropHandles:  item.Truthy() && has(item.Get("prototype"), "getAsFileSystemHandle"),
		WakeLock:     has(nav, "wakeLock"),
		Coarse:       b.window.Call("matchMedia", "(pointer: coarse)").Get("matches").Bool(),
		Names:        system(nav),
	}
}

// system guesses whose naming rules apply; nothing else depends on it.
func system(nav js.Value) string {
	s := ""
	if d := nav.Get("userAgentData"); d.Truthy() {
		s = d.Get("platform").String()
	} else {
		s = nav.Get("platform").String()
	}
	s = strings.ToLower(s)
	switch {
	case strings.HasPrefix(s, "win"):
		return "windows"
	case strings.HasPrefix(s, "mac"):
		return "mac"
	}
	return "linux"
}

// Copy implements state.Platform.
func (b *Browser) Copy(text string) error {
	clip := b.window.Get("navigator").Get("clipboard")
	if !clip.Truthy() {
		return &protocol.Error{Code: protocol.CodeBrowser, Message: "this browser offers no clipboard access"}
	}
	_, err := jsx.Call(clip, "writeText", text)
	return err
}

// Download implements state.Platform.
func (b *Browser) Download(file any, name string) {
	v, ok := file.(js.Value)
	if !ok {
		return
	}
	b.save(v, name, func() {
		// By now a file in the browser's own storage has been read. If it is still being read, the next output
		// removes it.
		go func() { _ = jsx.RemoveOutput(v.Get("name").String()) }()
	})
}

// SaveBytes implements state.Platform.
func (b *Browser) SaveBytes(name, mime string, data []byte) {
	b.save(blob(data, mime), name, func() {})
}

// save starts a download of a Blob, and calls over when the browser must have finished reading it.
func (b *Browser) save(v js.Value, name string, over func()) {
	url := b.window.Get("URL").Call("createObjectURL", v)
	a := b.doc.Call("createElement", "a")
	a.Set("href", url)
	a.Set("download", name)
	b.doc.Get("body").Call("appendChild", a)
	a.Call("click")
	a.Call("remove")
	time.AfterFunc(jsx.HandOver(int64(v.Get("size").Float())), func() {
		b.window.Get("URL").Call("revokeObjectURL", url)
		over()
	})
}

func blob(data []byte, mime string) js.Value {
	return js.Global().Get("Blob").New([]any{jsx.Uint8Array(data)}, map[string]any{"type": mime})
}

// ObjectURL implements state.Platform.
func (b *Browser) ObjectURL(data []byte, mime string) string {
	return b.window.Get("URL").Call("createObjectURL", blob(data, mime)).String()
}

// RevokeURL implements state.Platform.
func (b *Browser) RevokeURL(url string) { b.window.Get("URL").Call("revokeObjectURL", url) }

// SetHash implements state.Platform.
func (b *Browser) SetHash(hash string, replace bool) {
	if b.window.Get("location").Get("hash").String() == hash {
		return
	}
	b.hash = hash
	how := "pushState"
	if replace {
		how = "replaceState"
	}
	// A browser may refuse if the address changes too often; then the address is just less exact.
	_, _ = jsx.CallNow(b.window.Get("history"), how, js.Null(), "", hash)
}

// SetTitle implements state.Platform.
func (b *Browser) SetTitle(title string) {
	if b.doc.Get("title").String() != title {
		b.doc.Set("title", title)
	}
}

// SetTheme implements state.Platform.
func (b *Browser) SetTheme(theme string) {
	root := b.doc.Get("documentElement")
	if theme == "" {
		root.Call("removeAttribute", "data-theme")
		return
	}
	root.Call("setAttribute", "data-theme", theme)
}

// Print implements state.Platform.
func (b *Browser) Print() {
	// Not inside the click handler: print blocks until its dialog is closed.
	time.AfterFunc(50*time.Millisecond, func() { b.window.Call("print") })
}

// Focus implements state.Platform.
func (b *Browser) Focus(id string) {
	b.after = append(b.after, func() {
		el := b.doc.Call("getElementById", id)
		if !el.Truthy() {
			return
		}
		el.Call("focus", map[string]any{"preventScroll": true})
		if el.Get("tagName").String() == "INPUT" {
			el.Call("select")
		}
	})
}

// ScrollTo implements state.Platform.
func (b *Browser) ScrollTo(id string, top float64) {
	b.after = append(b.after, func() {
		if el := b.doc.Call("getElementById", id); el.Truthy() {
			el.Set("scrollTop", top)
		}
	})
}

// Stored implements state.Platform.
func (b *Browser) Stored(key string) string {
	s, err := storage()
	if err != nil {
		return ""
	}
	v, err := jsx.CallNow(s, "getItem", "wimscope."+key)
	if err != nil || v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}

// Store implements state.Platform.
func (b *Browser) Store(key, value string) {
	if s, err := storage(); err == nil {
		// If it is full or blocked, the value is not remembered.
		_, _ = jsx.CallNow(s, "setItem", "wimscope."+key, value)
	}
}

// storage returns localStorage. Even reading the property throws if a user or a policy blocks it.
func storage() (js.Value, error) {
	v, err := jsx.Path("localStorage")
	if err == nil && v.Type() != js.TypeObject {
		err = &jsx.Error{Name: "SecurityError"}
	}
	return v, err
}

// Busy implements state.Platform.
func (b *Browser) Busy(on bool) { b.busy.set(on) }
