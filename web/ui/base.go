package ui

import (
	"strconv"
	"strings"

	"github.com/vugu/vugu"

	"wimscope/web/state"
)

// base is embedded in every component: the model, and the archive that was open when the component was built. So an event
// of an element that is about to be removed reaches the archive that the element shows, not the next one.
type base struct {
	App     *state.App
	Archive *state.Archive // nil if none is open
}

func (b *base) wire(a *state.App) { b.App, b.Archive = a, a.Archive }

// T returns the message of key.
func (b *base) T(key string, args ...any) string { return b.App.T(key, args...) }

// New returns the root component of a page that shows app, and the environment to build it in.
func New(app *state.App) (*vugu.BuildEnv, vugu.Builder) {
	env, err := vugu.NewBuildEnv()
	if err != nil {
		panic(err) // it never fails
	}
	env.SetWireFunc(func(b vugu.Builder) {
		if c, ok := b.(interface{ wire(*state.App) }); ok {
			c.wire(app)
		}
	})
	return env, &page{}
}

// page is the root component. Nothing else wires it before it is built.
type page struct{ Root }

// Build implements vugu.Builder.
func (p *page) Build(in *vugu.BuildIn) *vugu.BuildOut {
	in.BuildEnv.WireComponent(&p.Root)
	return p.Root.Build(in)
}

// icon is a symbol of the sprite. It is hidden from assistive technology: its meaning is in the text beside it or in the
// label of its control.
type icon string

// Build implements vugu.Builder.
func (i icon) Build(*vugu.BuildIn) *vugu.BuildOut {
	svg := &vugu.VGNode{Type: vugu.ElementNode, Namespace: "svg", Data: "svg", Attr: []vugu.VGAttribute{
		{Key: "class", Val: "icon"}, {Key: "aria-hidden", Val: "true"}, {Key: "focusable", Val: "false"}, {Key: "viewBox", Val: "0 0 24 24"},
	}}
	svg.AppendChild(&vugu.VGNode{Type: vugu.ElementNode, Namespace: "svg", Data: "use", Attr: []vugu.VGAttribute{
		{Key: "href", Val: "icons.svg#" + string(i)},
	}})
	return &vugu.BuildOut{Out: []*vugu.VGNode{svg}}
}

// yes returns a boolean as ARIA writes it.
func yes(b bool) string { return strconv.FormatBool(b) }

// class returns always and the names whose condition is true: class("row", "selected", sel, "cursor", cur).
func class(always string, pairs ...any) string {
	var out strings.Builder
	out.WriteString(always)
	for i := 0; i+1 < len(pairs); i += 2 {
		if on, _ := pairs[i+1].(bool); on {
			out.WriteString(" " + pairs[i].(string))
		}
	}
	return out.String()
}

func px(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) + "px" }

func itoa(n int) string { return strconv.Itoa(n) }

func i64(n int64) string { return strconv.FormatInt(n, 10) }

// press returns the key of an event and the modifiers that were held.
func press(e vugu.DOMEvent) (string, state.Keys) {
	return e.PropString("key"), state.Keys{Shift: e.PropBool("shiftKey"), Ctrl: e.PropBool("ctrlKey") || e.PropBool("metaKey"), Alt: e.PropBool("altKey")}
}

// take passes a key event to f. If f reports that it used the key, neither the browser nor the page sees the event.
func take(e vugu.DOMEvent, f func(string, state.Keys) bool) {
	if key, held := press(e); f(key, held) {
		e.PreventDefault()
		e.StopPropagation()
	}
}

func value(e vugu.DOMEvent) string { return e.PropString("target", "value") }

func checked(e vugu.DOMEvent) bool { return e.PropBool("target", "checked") }

// symbol returns the icon of an entry, by the extension of its name.
func symbol(name string, dir, link bool) icon {
	switch {
	case link:
		return "link-2"
	case dir:
		return "folder"
	}
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		ext = strings.ToLower(name[i+1:])
	}
	switch ext {
	case "exe", "dll", "sys", "efi", "ocx", "drv", "cpl", "com", "scr", "mui", "so":
		return "file-code-2"
	case "txt", "rtf", "log", "md", "htm", "html", "ini", "inf", "xml", "json", "csv", "cfg", "conf", "manifest", "mof", "doc", "docx", "pdf":
		return "file-text"
	case "png", "jpg", "jpeg", "gif", "bmp", "ico", "cur", "svg", "webp", "tif", "tiff":
		return "file-image"
	case "zip", "cab", "wim", "esd", "swm", "7z", "gz", "xz", "msi", "msu", "tar":
		return "file-archive"
	case "cmd", "bat", "ps1", "vbs", "js", "sh", "py", "pl":
		return "file-terminal"
	}
	return "file"
}

// hashGroups returns the start of a hash: two groups of digits and an ellipsis.
func hashGroups(h string) string {
	if len(h) < 16 {
		return h
	}
	return h[:8] + " " + h[8:14] + "…"
}
