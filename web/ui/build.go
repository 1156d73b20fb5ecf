package ui

import (
	"html"
	"strconv"
	"strings"

	"github.com/vugu/vugu"

	"wimscope/worker/visible"
)

// The functions below are called by the generated code, which the command shrink has rewritten.

// element appends an element to parent. Tag is its name, then the names and values of its attributes, separated by zero
// bytes.
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

// drawing appends an element of an SVG drawing to parent.
func drawing(parent *vugu.VGNode, tag string) *vugu.VGNode {
	n := element(parent, tag)
	n.Namespace = "svg"
	return n
}

// spoken reports whether users read or hear the value of an attribute.
func spoken(key string) bool {
	return key == "title" || key == "aria-label" || key == "alt" || key == "placeholder"
}

// attribute sets an attribute: true without a value, nil and false not at all. In spoken attributes it makes hidden
// characters visible.
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

// verbatim is text that is shown unchanged: the content of a file, not its name.
type verbatim string

// lines is text with line breaks.
type lines string

// content sets the text of n to v: a string, lines or verbatim. It makes hidden characters visible except in verbatim:
// every name reaches the page through here.
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

// property sets a property of the element in the document to a string or a bool.
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

// quote returns s as JSON.
func quote(s string) []byte {
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	for _, r := range s { // what is not UTF-8 becomes U+FFFD
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

// on adds a handler of an event to n.
func on(n *vugu.VGNode, eventType string, f func(vugu.DOMEvent)) {
	n.DOMEventHandlerSpecList = append(n.DOMEventHandlerSpecList, vugu.DOMEventHandlerSpec{EventType: eventType, Func: f})
}

// component appends to parent what b builds.
func component(in *vugu.BuildIn, out *vugu.BuildOut, parent *vugu.VGNode, b vugu.Builder) {
	in.BuildEnv.WireComponent(b)
	out.Components = append(out.Components, b)
	parent.AppendChild(&vugu.VGNode{Component: b})
}

// child appends to parent what a component builds: the instance that was here at the last rendering, or a new one. The
// caller may set fields of it, which is built later.
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
