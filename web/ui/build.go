package ui

import (
	"html"
	"strconv"
	"strings"

	"github.com/vugu/vugu"

	"wimscope/worker/visible"
)

// The functions below are what generated code calls, after the command shrink has been over it.

// element makes a child of parent. Tag is its name, then the names and values of its attributes, zero bytes between.
func element(parent *vugu.VGNode, tag string) *vugu.VGNode {
	n := &vugu.VGNode{Type: vugu.ElementNode}
	var rest string
	n.Data, rest, _ = strings.Cut(tag, "\x00")
	if rest != "" {
		n.Attr = make([]vugu.VGAttribute, 0, strings.Count(rest, "\x00")/2+4)
	}
	for rest != "" {
		var key, val string
		key, rest, _ = strings.Cut(rest, "\x00")
		val, rest, _ = strings.Cut(rest, "\x00")
		n.Attr = append(n.Attr, vugu.VGAttribute{Key: key, Val: val})
	}
	parent.AppendChild(n)
	return n
}

// drawing makes an element of an SVG drawing.
func drawing(parent *vugu.VGNode, tag string) *vugu.VGNode {
	n := element(parent, tag)
	n.Namespace = "svg"
	return n
}

// spoken lists the attributes that people read or hear.
func spoken(key string) bool {
	return key == "title" || key == "aria-label" || key == "alt" || key == "placeholder"
}

// attribute sets an attribute: nil and false remove it, true sets it without a value. In spoken attributes, hidden characters are
// made visible.
func attribute(n *vugu.VGNode, key string, v any) {
	var s string
	switch v := v.(type) {
	case nil:
		return
	case string:
		if s = v; spoken(key) {
			s = visible.Text(s)
		}
	case int:
		s = strconv.Itoa(v)
	case bool:
		if !v {
			return
		}
	default:
		panic("ui: an attribute of this type: " + key)
	}
	n.Attr = append(n.Attr, vugu.VGAttribute{Key: key, Val: s})
}

// verbatim is text shown unchanged: the content of a file, not its name.
type verbatim string

// lines is text with line breaks.
type lines string

// content makes v, a string, lines or verbatim, the text of n. Hidden characters of strings are always made visible: every name
// reaches the page through here.
func content(n *vugu.VGNode, v any) {
	var s string
	switch v := v.(type) {
	case string:
		s = visible.Text(v)
	case lines:
		s = visible.Lines(string(v))
	case verbatim:
		s = string(v)
	default:
		panic("ui: a text of this type")
	}
	s = html.EscapeString(s)
	n.InnerHTML = &s
}

// property sets a property of the document's element: a string or a bool.
func property(n *vugu.VGNode, key string, v any) {
	var json []byte
	switch v := v.(type) {
	case string:
		json = quote(v)
	case bool:
		json = strconv.AppendBool(nil, v)
	default:
		panic("ui: a property of this type: " + key)
	}
	n.Prop = append(n.Prop, vugu.VGProperty{Key: key, JSONVal: json})
}

// quote writes s as JSON.
func quote(s string) []byte {
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	for _, r := range s { // what is no UTF-8 becomes U+FFFD, as JSON has it
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}

// on handles an event of n.
func on(n *vugu.VGNode, eventType string, f func(vugu.DOMEvent)) {
	n.DOMEventHandlerSpecList = append(n.DOMEventHandlerSpecList, vugu.DOMEventHandlerSpec{EventType: eventType, Func: f})
}

// component makes what b builds a child of parent.
func component(in *vugu.BuildIn, out *vugu.BuildOut, parent *vugu.VGNode, b vugu.Builder) {
	in.BuildEnv.WireComponent(b)
	out.Components = append(out.Components, b)
	parent.AppendChild(&vugu.VGNode{Component: b})
}

// child makes what a component of the page builds a child of parent: the instance that stood here the last time, or
// a new one. Fields of it may be set until it is built.
func child(in *vugu.BuildIn, out *vugu.BuildOut, parent *vugu.VGNode, id uint64, iterkey any, make func() vugu.Builder) *vugu.VGNode {
	key := vugu.MakeCompKey(id^in.CurrentPositionHash(), iterkey)
	c := in.BuildEnv.CachedComponent(key)
	if c == nil {
		c = make()
	}
	in.BuildEnv.WireComponent(c)
	in.BuildEnv.UseComponent(key, c)
	out.Components = append(out.Components, c)
	n := &vugu.VGNode{Component: c}
	parent.AppendChild(n)
	return n
}
