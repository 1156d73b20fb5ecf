// Package render updates a document to what Vugu components build, changing only what differs from the previous pass.
//
// It replaces Vugu's own renderer, which writes the whole tree anew in each pass, through a script that it evaluates,
// in instructions of at most 16 KB each, with markup set as strings. Here nothing is evaluated and no markup is
// parsed (the content of vg-content is always text); text may have any length; unchanged nodes are not touched, so
// that a selection, a caret and a scroll position survive a pass; and children are moved by key.
//
// A child's key is its attribute data-k, which must be unique among its siblings. A key that begins with # is a
// row's: when a row is no longer needed, its element is reused for another row. The attributes data-k and data-b (the
// name of a behaviour) are for the renderer only and are not set on elements. Text of white space that contains a
// line break is a template's indentation and is dropped.
package render

import (
	"strings"

	"github.com/vugu/vugu"
)

// Node is a node of a document, in the Document's own representation.
type Node any

// Document is the part of a browser's document that a Renderer needs.
type Document interface {
	Element(ns, name string) Node // ns is a namespace's URI, "" for HTML
	Text(s string) Node
	SetText(n Node, s string) // n is from Text
	SetAttr(n Node, name, value string)
	DelAttr(n Node, name string)
	SetProp(n Node, name, json string)  // only if it differs from the last pass
	SyncProp(n Node, name, json string) // on every pass, for what the user changes: value, checked
	Insert(parent, n, before Node)      // before may be nil: at the end; moves n if it has a parent
	Remove(parent, n Node)
	Listen(eventType string) // pass events of this type to Dispatch from now on; called once per type
	Tag(n Node, id int)      // sets the id that Dispatch gets for events at n
	Attach(n Node, kind string)
	Detach(n Node, kind string)
}

// Renderer keeps a document in step with what components build. It is not safe for concurrent use.
type Renderer struct {
	doc     Document
	mount   Node
	root    *live
	types   map[string]bool
	byID    map[int]*live
	nextID  int
	pending []*live // new elements whose behaviour must be attached
}

// live is a node of the document, with the description it was made from.
type live struct {
	node  Node
	text  bool
	ns    string
	name  string // element name, or the text
	key   string
	kind  string // data-b: the name of its behaviour
	attrs []vugu.VGAttribute
	props []vugu.VGProperty
	on    []vugu.DOMEventHandlerSpec
	id    int
	kids  []*live
	up    *live
}

// New returns a Renderer that fills mount, which must be empty.
func New(doc Document, mount Node) *Renderer {
	return &Renderer{doc: doc, mount: mount, types: map[string]bool{}, byID: map[int]*live{}}
}

// want is a node to show. Components are replaced by what they built, templates by their children.
type want struct {
	n    *vugu.VGNode
	text bool
	name string
	key  string
}

// Render updates the document to br.
func (r *Renderer) Render(br *vugu.BuildResults) {
	list := expand(br, br.Out.Out[0], nil)
	if len(list) != 1 || list[0].text {
		panic("render: the root component must build one element")
	}
	if r.root == nil || !fits(r.root, list[0]) {
		if r.root != nil {
			r.drop(r.root)
			r.doc.Remove(r.mount, r.root.node)
		}
		r.root = r.make(list[0])
		r.doc.Insert(r.mount, r.root.node, nil)
	}
	r.sync(br, r.root, list[0])
	// Only now, when all new elements are in the document.
	pending := r.pending
	r.pending = nil
	for _, l := range pending {
		r.doc.Attach(l.node, l.kind)
	}
}

// expand appends the nodes that n represents.
func expand(br *vugu.BuildResults, n *vugu.VGNode, out []want) []want {
	switch {
	case n.Component != nil:
		for _, o := range br.ResultFor(n.Component).Out {
			out = expand(br, o, out)
		}
	case n.IsTemplate():
		for k := n.FirstChild; k != nil; k = k.NextSibling {
			out = expand(br, k, out)
		}
	case n.Type == vugu.TextNode:
		if !indentation(n.Data) {
			out = append(out, want{n: n, text: true, name: n.Data})
		}
	case n.Type == vugu.ElementNode:
		key, _ := attr(n.Attr, "data-k")
		out = append(out, want{n: n, name: n.Data, key: key})
	}
	return out
}

func indentation(s string) bool {
	return strings.TrimSpace(s) == "" && (s == "" || strings.Contains(s, "\n"))
}

func fits(l *live, w want) bool {
	return l.text == w.text && l.key == w.key && (l.text || l.name == w.name)
}

func (r *Renderer) make(w want) *live {
	if w.text {
		return &live{node: r.doc.Text(w.name), text: true, name: w.name}
	}
	ns := ""
	switch w.n.Namespace {
	case "svg":
		ns = "http://www.w3.org/2000/svg"
	case "math":
		ns = "http://www.w3.org/1998/Math/MathML"
	}
	l := &live{node: r.doc.Element(ns, w.name), ns: ns, name: w.name, key: w.key}
	if kind, ok := attr(w.n.Attr, "data-b"); ok {
		l.kind = kind
		r.pending = append(r.pending, l)
	}
	return l
}

// sync updates l to w.
func (r *Renderer) sync(br *vugu.BuildResults, l *live, w want) {
	if w.text {
		if l.name != w.name {
			l.name = w.name
			r.doc.SetText(l.node, w.name)
		}
		return
	}
	n := w.n
	r.syncAttrs(l, n.Attr)
	r.syncHandlers(l, n.DOMEventHandlerSpecList)
	switch {
	case n.InnerHTML != nil:
		r.syncKids(br, l, textOf(*n.InnerHTML))
	default:
		var list []want
		for k := n.FirstChild; k != nil; k = k.NextSibling {
			list = expand(br, k, list)
		}
		r.syncKids(br, l, list)
	}
	// After the children, since a <select> accepts a value only if it has the option.
	r.syncProps(l, n.Prop)
}

func textOf(escaped string) []want {
	if escaped == "" {
		return nil
	}
	if strings.IndexByte(escaped, '<') >= 0 {
		panic("render: markup as a string: " + escaped)
	}
	return []want{{text: true, name: unescape(escaped)}}
}

// unescape undoes html.EscapeString, which Vugu applies to the text of vg-content.
func unescape(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		return s
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#39;", "'", "&#34;", `"`, "&amp;", "&").Replace(s)
}

func (r *Renderer) syncAttrs(l *live, attrs []vugu.VGAttribute) {
	same := len(l.attrs) == len(attrs)
	for i := 0; same && i < len(attrs); i++ {
		same = l.attrs[i].Key == attrs[i].Key && l.attrs[i].Val == attrs[i].Val
	}
	if same {
		return
	}
	for i := range attrs {
		a := &attrs[i]
		if a.Key == "data-k" || a.Key == "data-b" {
			continue
		}
		if old, ok := attr(l.attrs, a.Key); !ok || old != a.Val {
			r.doc.SetAttr(l.node, a.Key, a.Val)
		}
	}
	for i := range l.attrs {
		if _, ok := attr(attrs, l.attrs[i].Key); !ok && l.attrs[i].Key != "data-k" {
			r.doc.DelAttr(l.node, l.attrs[i].Key)
		}
	}
	l.attrs = attrs
}

func attr(list []vugu.VGAttribute, key string) (string, bool) {
	for i := range list {
		if list[i].Key == key {
			return list[i].Val, true
		}
	}
	return "", false
}

func (r *Renderer) syncProps(l *live, props []vugu.VGProperty) {
	for i := range props {
		p := &props[i]
		if p.Key == "value" || p.Key == "checked" {
			r.doc.SyncProp(l.node, p.Key, string(p.JSONVal))
			continue
		}
		old := ""
		for j := range l.props {
			if l.props[j].Key == p.Key {
				old = string(l.props[j].JSONVal)
			}
		}
		if old != string(p.JSONVal) {
			r.doc.SetProp(l.node, p.Key, string(p.JSONVal))
		}
	}
	for j := range l.props {
		gone := true
		for i := range props {
			gone = gone && props[i].Key != l.props[j].Key
		}
		if gone {
			r.doc.SetProp(l.node, l.props[j].Key, `""`)
		}
	}
	l.props = props
}

func (r *Renderer) syncHandlers(l *live, on []vugu.DOMEventHandlerSpec) {
	l.on = on
	if len(on) == 0 {
		return
	}
	for i := range on {
		if t := on[i].EventType; !r.types[t] {
			r.types[t] = true
			r.doc.Listen(t)
		}
	}
	if l.id == 0 {
		r.nextID++
		l.id = r.nextID
		r.byID[l.id] = l
		r.doc.Tag(l.node, l.id)
	}
}

// syncKids updates l's children to list. Unkeyed children keep their order; keyed ones are moved.
func (r *Renderer) syncKids(br *vugu.BuildResults, l *live, list []want) {
	old := l.kids
	same := len(old) == len(list)
	for i := 0; same && i < len(list); i++ {
		same = fits(old[i], list[i])
	}
	if same {
		for i := range list {
			r.sync(br, old[i], list[i])
		}
		return
	}

	kids := make([]*live, len(list))
	used := make([]bool, len(old))
	var byKey map[string]int
	for i, o := range old {
		if o.key != "" {
			if byKey == nil {
				byKey = make(map[string]int, len(old))
			}
			byKey[o.key] = i
		}
	}
	var lost []int // new rows without an old element of the same key
	next := 0      // old unkeyed children are reused in order, each once
	for i, w := range list {
		if w.key != "" {
			if j, ok := byKey[w.key]; ok && !used[j] && fits(old[j], w) {
				kids[i], used[j] = old[j], true
			} else if w.key[0] == '#' {
				lost = append(lost, i)
			}
			continue
		}
		for j := next; j < len(old); j++ {
			if !used[j] && fits(old[j], w) {
				kids[i], used[j] = old[j], true
				next = j + 1
				break
			}
		}
	}
	spare := 0
	for _, i := range lost {
		for ; spare < len(old); spare++ {
			if o := old[spare]; !used[spare] && o.name == list[i].name && o.key != "" && o.key[0] == '#' {
				o.key = list[i].key
				kids[i], used[spare] = o, true
				break
			}
		}
	}
	rest := old[:0:0]
	for j, o := range old {
		if !used[j] {
			r.drop(o)
			r.doc.Remove(l.node, o.node)
		} else {
			rest = append(rest, o)
		}
	}
	// The kept nodes are in the document in the order of rest. Go backwards, so that each child's successor is
	// already in place; a child that is the last of rest is in place too.
	var before Node
	fresh := make([]bool, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		k := kids[i]
		if k == nil {
			k = r.make(list[i])
			kids[i], fresh[i] = k, true
			k.up = l
			// Fill it before it is inserted: one layout, and no listener sees it incomplete.
			r.sync(br, k, list[i])
			r.doc.Insert(l.node, k.node, before)
		} else if len(rest) > 0 && rest[len(rest)-1] == k {
			rest = rest[:len(rest)-1]
		} else {
			for j := range rest {
				if rest[j] == k {
					rest = append(rest[:j], rest[j+1:]...)
					break
				}
			}
			r.doc.Insert(l.node, k.node, before)
		}
		before = k.node
	}
	l.kids = kids
	for i, k := range kids {
		if !fresh[i] {
			k.up = l
			r.sync(br, k, list[i])
		}
	}
}

// drop removes l and its descendants from the renderer's state.
func (r *Renderer) drop(l *live) {
	if l.kind != "" {
		r.doc.Detach(l.node, l.kind)
	}
	if l.id != 0 {
		delete(r.byID, l.id)
	}
	for _, k := range l.kids {
		r.drop(k)
	}
}

// Dispatch calls the handlers of element id and of its ancestors, like bubbling, until stopped returns true. It
// reports whether any handler ran.
func (r *Renderer) Dispatch(id int, e vugu.DOMEvent, eventType string, stopped func() bool) bool {
	ran := false
	for l := r.byID[id]; l != nil; l = l.up {
		for i := range l.on {
			if l.on[i].EventType == eventType {
				l.on[i].Func(e)
				ran = true
			}
		}
		if stopped() {
			break
		}
	}
	return ran
}
