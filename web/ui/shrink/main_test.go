package main

import (
	"strings"
	"testing"
)

const generated = `package ui

func (c *X) Build(vgin *vugu.BuildIn) (vgout *vugu.BuildOut) {
	vgn = &vugu.VGNode{Type: vugu.VGNodeType(1), Data: "\n\t"}
	vgparent.AppendChild(vgn)
	vgn = &vugu.VGNode{Type: vugu.VGNodeType(3), Namespace: "", Data: "p", Attr: []vugu.VGAttribute{{Namespace: "", Key: "class", Val: "a b"}, vugu.VGAttribute{Namespace: "", Key: "id", Val: "say \"x\""}}}
	vgparent.AppendChild(vgn)
	vgn.AddAttrInterface("title", c.T("a.b"))
	{
		b, err := vjson.Marshal(c.spacer())
		if err != nil {
			panic(err)
		}
		vgn.Prop = append(vgn.Prop, vugu.VGProperty{Key: "style", JSONVal: vjson.RawMessage(b)})
	}
	vgn.SetInnerHTML(c.T("x", f(1)))
	vgn.DOMEventHandlerSpecList = append(vgn.DOMEventHandlerSpecList, vugu.DOMEventHandlerSpec{
		EventType: "click",
		Func:      func(event vugu.DOMEvent) { c.App.Go(1) },
		// TODO: implement capture, etc. mostly need to decide syntax
	})
	{
		var vgcomp vugu.Builder = icon("x")
		if vgcomp != nil {
			vgin.BuildEnv.WireComponent(vgcomp)
			vgout.Components = append(vgout.Components, vgcomp)
			vgn = &vugu.VGNode{Component: vgcomp}
			vgparent.AppendChild(vgn)
		}
	}
	vgn = &vugu.VGNode{Type: vugu.VGNodeType(3), Namespace: "svg", Data: "path", Attr: []vugu.VGAttribute(nil)}
	vgparent.AppendChild(vgn)
	if c.on {
	}
}
`

func TestRewrite(t *testing.T) {
	got, err := rewrite(generated)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`vgn = element(vgparent, "p\x00class\x00a b\x00id\x00say \"x\"")`,
		`attribute(vgn, "title", c.T("a.b"))`,
		`property(vgn, "style", c.spacer())`,
		`content(vgn, c.T("x", f(1)))`,
		`on(vgn, "click", func(event vugu.DOMEvent) { c.App.Go(1) })`,
		"\n\tcomponent(vgin, vgout, vgparent, icon(\"x\"))",
		"\n\tdrawing(vgparent, \"path\")", // nothing uses it
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, `Data: "\n\t"`) {
		t.Errorf("indentation is left:\n%s", got)
	}
}

func TestRewriteNotices(t *testing.T) {
	for name, text := range map[string]string{
		"markup":           strings.Replace(generated, `vgn.SetInnerHTML(c.T("x", f(1)))`, `vgn.SetInnerHTML(vugu.HTML("\x3Cb>"))`, 1),
		"another spelling": strings.Replace(generated, "err := vjson.Marshal(c.spacer())", "err := vjson.Marshal(\n\t\t\tc.spacer())", 1),
		"no element":       "package ui\n",
	} {
		if _, err := rewrite(text); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
