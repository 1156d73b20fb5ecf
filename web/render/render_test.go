package render

import (
	"fmt"
	"html"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/vugu/vugu"
)

// fakeNode and fakeDoc are a minimal document for tests.
type fakeNode struct {
	name, text string
	attrs      map[string]string
	props      map[string]string
	kids       []*fakeNode
	up         *fakeNode
	id         int
	moves      int
}

type fakeDoc struct {
	ops                int
	attached, detached []string
	listening          []string
}

func (d *fakeDoc) Element(ns, name string) Node {
	d.ops++
	return &fakeNode{name: name, attrs: map[string]string{}, props: map[string]string{}}
}
func (d *fakeDoc) Text(s string) Node          { d.ops++; return &fakeNode{text: s} }
func (d *fakeDoc) SetText(n Node, s string)    { d.ops++; n.(*fakeNode).text = s }
func (d *fakeDoc) SetAttr(n Node, k, v string) { d.ops++; n.(*fakeNode).attrs[k] = v }
func (d *fakeDoc) DelAttr(n Node, k string)    { d.ops++; delete(n.(*fakeNode).attrs, k) }
func (d *fakeDoc) SetProp(n Node, k, v string) { d.ops++; n.(*fakeNode).props[k] = v }
func (d *fakeDoc) SyncProp(n Node, k, v string) {
	n.(*fakeNode).props[k] = v
}
func (d *fakeDoc) Insert(parent, n, before Node) {
	d.ops++
	p, k := parent.(*fakeNode), n.(*fakeNode)
	if k.up != nil {
		k.moves++
		k.up.kids = remove(k.up.kids, k)
	}
	k.up = p
	at := len(p.kids)
	if before != nil {
		at = -1
		for i := range p.kids {
			if p.kids[i] == before.(*fakeNode) {
				at = i
			}
		}
		if at < 0 {
			panic("before is not a child of parent")
		}
	}
	p.kids = append(p.kids[:at], append([]*fakeNode{k}, p.kids[at:]...)...)
}
func (d *fakeDoc) Remove(parent, n Node) {
	d.ops++
	p, k := parent.(*fakeNode), n.(*fakeNode)
	if k.up != p {
		panic("not a child of parent")
	}
	p.kids, k.up = remove(p.kids, k), nil
}
func (d *fakeDoc) Listen(t string)            { d.listening = append(d.listening, t) }
func (d *fakeDoc) Tag(n Node, id int)         { n.(*fakeNode).id = id }
func (d *fakeDoc) Attach(n Node, kind string) { d.attached = append(d.attached, kind) }
func (d *fakeDoc) Detach(n Node, kind string) { d.detached = append(d.detached, kind) }

func remove(list []*fakeNode, n *fakeNode) []*fakeNode {
	var out []*fakeNode
	for _, k := range list {
		if k != n {
			out = append(out, k)
		}
	}
	return out
}

func (n *fakeNode) String() string {
	if n.name == "" {
		return html.EscapeString(n.text)
	}
	var b strings.Builder
	b.WriteString("<" + n.name)
	for _, m := range []map[string]string{n.attrs, n.props} {
		var keys []string
		for k := range m {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			fmt.Fprintf(&b, " %s=%q", k, m[k])
		}
	}
	b.WriteString(">")
	for _, k := range n.kids {
		b.WriteString(k.String())
	}
	return b.String() + "</>"
}

// built is a component that builds the given node.
type built struct{ n *vugu.VGNode }

func (b *built) Build(*vugu.BuildIn) *vugu.BuildOut {
	return &vugu.BuildOut{Out: []*vugu.VGNode{b.n}}
}

func results(t *testing.T, n *vugu.VGNode) *vugu.BuildResults {
	t.Helper()
	env, err := vugu.NewBuildEnv()
	if err != nil {
		t.Fatal(err)
	}
	return env.RunBuild(&built{n})
}

func el(name string, attrs []string, kids ...*vugu.VGNode) *vugu.VGNode {
	n := &vugu.VGNode{Type: vugu.ElementNode, Data: name}
	for i := 0; i < len(attrs); i += 2 {
		n.Attr = append(n.Attr, vugu.VGAttribute{Key: attrs[i], Val: attrs[i+1]})
	}
	for _, k := range kids {
		n.AppendChild(k)
	}
	return n
}

func text(s string) *vugu.VGNode { return &vugu.VGNode{Type: vugu.TextNode, Data: s} }

func randomTree(r *rand.Rand, depth int) *vugu.VGNode {
	n := el([]string{"div", "span", "p"}[r.IntN(3)], nil)
	for _, k := range []string{"class", "title", "role"} {
		if r.IntN(2) == 0 {
			n.Attr = append(n.Attr, vugu.VGAttribute{Key: k, Val: fmt.Sprint(r.IntN(3))})
		}
	}
	if r.IntN(3) == 0 {
		n.Prop = append(n.Prop, vugu.VGProperty{Key: "hidden", JSONVal: fmt.Append(nil, r.IntN(2) == 0)})
	}
	if depth == 0 {
		n.SetInnerHTML(fmt.Sprintf("a<b>&\"'%d", r.IntN(3)))
		return n
	}
	keys := r.Perm(6)
	for range r.IntN(6) {
		switch r.IntN(4) {
		case 0:
			n.AppendChild(text(fmt.Sprint("t", r.IntN(3))))
		case 1:
			tmpl := &vugu.VGNode{Type: vugu.ElementNode}
			tmpl.AppendChild(randomTree(r, depth-1))
			n.AppendChild(tmpl)
		case 2:
			k := randomTree(r, depth-1)
			key := fmt.Sprint(keys[0])
			if keys[0]%2 == 0 {
				key = "#" + fmt.Sprint(r.IntN(1000), ".", key)
			}
			k.Attr = append(k.Attr, vugu.VGAttribute{Key: "data-k", Val: key})
			keys = keys[1:]
			n.AppendChild(k)
		default:
			n.AppendChild(randomTree(r, depth-1))
		}
	}
	return n
}

// TestSameAsFresh checks that a pass gives the same result as a first pass, whatever was shown before. Removed
// properties become "", the default value of those used here.
func TestSameAsFresh(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	doc, mount := &fakeDoc{}, &fakeNode{name: "body"}
	r := New(doc, mount)
	for i := range 500 {
		n := randomTree(rng, 3)
		r.Render(results(t, n))
		fresh := &fakeNode{name: "body"}
		New(&fakeDoc{}, fresh).Render(results(t, n))
		got := strings.ReplaceAll(mount.String(), ` hidden="\"\""`, "")
		if want := fresh.String(); got != want {
			t.Fatalf("pass %d:\n got %s\nwant %s", i, got, want)
		}
		before := doc.ops
		r.Render(results(t, n))
		if doc.ops != before {
			t.Fatalf("pass %d: %d operations to render the same again", i, doc.ops-before)
		}
	}
}

func TestText(t *testing.T) {
	doc, mount := &fakeDoc{}, &fakeNode{name: "body"}
	r := New(doc, mount)
	n := el("p", nil)
	n.SetInnerHTML(`<script>"&amp;'`)
	r.Render(results(t, n))
	if got := mount.kids[0].kids[0].text; got != `<script>"&amp;'` {
		t.Errorf("text = %q", got)
	}
	// No children any more: no old text remains.
	r.Render(results(t, el("p", nil)))
	if got := mount.String(); got != "<body><p></></>" {
		t.Errorf("after: %s", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("markup as a string was accepted")
		}
	}()
	bad := el("p", nil)
	bad.SetInnerHTML(vugu.HTML("<b>x</b>"))
	r.Render(results(t, bad))
}

func TestKeyedRowsMove(t *testing.T) {
	doc, mount := &fakeDoc{}, &fakeNode{name: "body"}
	r := New(doc, mount)
	show := func(keys ...string) {
		n := el("div", nil)
		for _, k := range keys {
			n.AppendChild(el("p", []string{"data-k", k, "data-b", "row"}))
		}
		r.Render(results(t, n))
	}
	show("1", "2", "3", "4")
	second := mount.kids[0].kids[1]
	show("2", "3", "4", "5")
	if mount.kids[0].kids[0] != second {
		t.Error("the element of key 2 was not kept")
	}
	for _, k := range mount.kids[0].kids {
		if k.moves != 0 {
			t.Error("an element moved although the order of the kept ones is the same")
		}
	}
	if got := strings.Join(doc.detached, ","); got != "row" {
		t.Errorf("detached = %s, want one row", got)
	}
	if len(doc.attached) != 5 {
		t.Errorf("attached = %d, want 5", len(doc.attached))
	}
}

func TestDispatchBubblesAndStops(t *testing.T) {
	doc, mount := &fakeDoc{}, &fakeNode{name: "body"}
	r := New(doc, mount)
	var calls []string
	stop := false
	on := func(n *vugu.VGNode, name string, stops bool) *vugu.VGNode {
		n.DOMEventHandlerSpecList = []vugu.DOMEventHandlerSpec{{EventType: "click", Func: func(vugu.DOMEvent) {
			calls = append(calls, name)
			stop = stops
		}}}
		return n
	}
	inner := on(el("b", nil), "inner", false)
	middle := on(el("p", nil, inner), "middle", true)
	r.Render(results(t, on(el("div", nil, middle), "outer", false)))
	id := mount.kids[0].kids[0].kids[0].id
	if !r.Dispatch(id, nil, "click", func() bool { return stop }) {
		t.Error("no handler ran")
	}
	if got := strings.Join(calls, " "); got != "inner middle" {
		t.Errorf("calls = %q, want inner middle", got)
	}
	if len(doc.listening) != 1 || doc.listening[0] != "click" {
		t.Errorf("listening = %v", doc.listening)
	}
}

// TestRowsAreTakenOver checks that scrolling creates no new elements.
func TestRowsAreTakenOver(t *testing.T) {
	doc, mount := &fakeDoc{}, &fakeNode{name: "body"}
	r := New(doc, mount)
	show := func(from, to int) {
		n := el("div", nil)
		for i := from; i < to; i++ {
			row := el("p", []string{"data-k", "#" + fmt.Sprint(i)})
			row.SetInnerHTML(fmt.Sprint(i))
			n.AppendChild(row)
		}
		r.Render(results(t, n))
	}
	show(0, 5)
	had := map[*fakeNode]bool{}
	for _, k := range mount.kids[0].kids {
		had[k] = true
	}
	kept := mount.kids[0].kids[2]
	show(2, 7)
	if mount.kids[0].kids[0] != kept || kept.moves != 0 {
		t.Error("a row that stayed in view was moved or replaced")
	}
	show(100, 105)
	for i, k := range mount.kids[0].kids {
		if !had[k] {
			t.Errorf("row %d is a new element", i)
		}
		if want := fmt.Sprint(100 + i); k.kids[0].text != want {
			t.Errorf("row %d reads %q, want %q", i, k.kids[0].text, want)
		}
	}
}
