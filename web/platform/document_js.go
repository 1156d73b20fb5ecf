package platform

import (
	"syscall/js"

	"github.com/vugu/vugu"
	vjs "github.com/vugu/vugu/js"

	"wimscope/web/render"
)

// Document implements render.Document in the browser's document.
type Document struct {
	doc      js.Value
	root     js.Value // the element with the event listeners
	json     js.Value
	renderer *render.Renderer
	attach   func(el js.Value, kind string)
	detach   func(el js.Value, kind string)
}

// tag is the property that holds an element's id for Dispatch.
const tag = "wimscopeID"

// NewDocument returns a document and a renderer that fills root. attach and detach are called for elements with a
// behaviour (data-b).
func NewDocument(root js.Value, attach, detach func(el js.Value, kind string)) (*Document, *render.Renderer) {
	d := &Document{doc: js.Global().Get("document"), root: root, json: js.Global().Get("JSON"), attach: attach, detach: detach}
	d.renderer = render.New(d, root)
	return d, d.renderer
}

// Element implements render.Document.
func (d *Document) Element(ns, name string) render.Node {
	if ns != "" {
		return d.doc.Call("createElementNS", ns, name)
	}
	return d.doc.Call("createElement", name)
}

// Text implements render.Document.
func (d *Document) Text(s string) render.Node { return d.doc.Call("createTextNode", s) }

// SetText implements render.Document.
func (d *Document) SetText(n render.Node, s string) { n.(js.Value).Set("data", s) }

// SetAttr implements render.Document.
func (d *Document) SetAttr(n render.Node, name, value string) {
	n.(js.Value).Call("setAttribute", name, value)
}

// DelAttr implements render.Document.
func (d *Document) DelAttr(n render.Node, name string) { n.(js.Value).Call("removeAttribute", name) }

// SetProp implements render.Document.
func (d *Document) SetProp(n render.Node, name, json string) {
	n.(js.Value).Set(name, d.json.Call("parse", json))
}

// SyncProp implements render.Document. It does not set an equal value, which would move the caret.
func (d *Document) SyncProp(n render.Node, name, json string) {
	v := d.json.Call("parse", json)
	if !n.(js.Value).Get(name).Equal(v) {
		n.(js.Value).Set(name, v)
	}
}

// Insert implements render.Document.
func (d *Document) Insert(parent, n, before render.Node) {
	if before == nil {
		parent.(js.Value).Call("appendChild", n.(js.Value))
		return
	}
	parent.(js.Value).Call("insertBefore", n.(js.Value), before.(js.Value))
}

// Remove implements render.Document.
func (d *Document) Remove(parent, n render.Node) {
	parent.(js.Value).Call("removeChild", n.(js.Value))
}

// Tag implements render.Document.
func (d *Document) Tag(n render.Node, id int) { n.(js.Value).Set(tag, id) }

// Attach implements render.Document.
func (d *Document) Attach(n render.Node, kind string) { d.attach(n.(js.Value), kind) }

// Detach implements render.Document.
func (d *Document) Detach(n render.Node, kind string) { d.detach(n.(js.Value), kind) }

// Listen implements render.Document. It adds one listener per type, at the root and for the capture phase, since not
// all events bubble. The renderer then walks up from the target, like bubbling.
func (d *Document) Listen(eventType string) {
	d.root.Call("addEventListener", eventType, js.FuncOf(func(_ js.Value, args []js.Value) any {
		e := args[0]
		id := 0
		for n := e.Get("target"); n.Truthy() && !n.Equal(d.root); n = n.Get("parentNode") {
			if v := n.Get(tag); v.Type() == js.TypeNumber {
				id = v.Int()
				break
			}
		}
		if id == 0 {
			return nil
		}
		ev := &event{v: e}
		d.renderer.Dispatch(id, ev, eventType, func() bool { return ev.stopped })
		return nil
	}), true)
}

// event is a DOM event in the form that Vugu's handlers expect. Only requested properties are read.
type event struct {
	v       js.Value
	stopped bool
}

var _ vugu.DOMEvent = (*event)(nil)

// Prop implements vugu.DOMEvent.
func (e *event) Prop(keys ...string) any {
	v := e.v
	for _, k := range keys {
		if v.Type() != js.TypeObject {
			return nil
		}
		v = v.Get(k)
	}
	switch v.Type() {
	case js.TypeString:
		return v.String()
	case js.TypeNumber:
		return v.Float()
	case js.TypeBoolean:
		return v.Bool()
	}
	return nil
}

// PropString implements vugu.DOMEvent.
func (e *event) PropString(keys ...string) string {
	s, _ := e.Prop(keys...).(string)
	return s
}

// PropFloat64 implements vugu.DOMEvent.
func (e *event) PropFloat64(keys ...string) float64 {
	f, _ := e.Prop(keys...).(float64)
	return f
}

// PropBool implements vugu.DOMEvent.
func (e *event) PropBool(keys ...string) bool {
	b, _ := e.Prop(keys...).(bool)
	return b
}

// EventSummary implements vugu.DOMEvent. It is empty: nothing is copied out of an event.
func (e *event) EventSummary() map[string]any { return nil }

// JSEvent implements vugu.DOMEvent.
func (e *event) JSEvent() vjs.Value { return vjs.Value(e.v) }

// JSEventTarget implements vugu.DOMEvent.
func (e *event) JSEventTarget() vjs.Value { return vjs.Value(e.v.Get("target")) }

// JSEventCurrentTarget implements vugu.DOMEvent.
func (e *event) JSEventCurrentTarget() vjs.Value { return vjs.Value(e.v.Get("currentTarget")) }

// EventEnv implements vugu.DOMEvent. The model has its own lock.
func (e *event) EventEnv() vugu.EventEnv { return nil }

// PreventDefault implements vugu.DOMEvent.
func (e *event) PreventDefault() { e.v.Call("preventDefault") }

// StopPropagation implements vugu.DOMEvent.
func (e *event) StopPropagation() { e.stopped = true }
