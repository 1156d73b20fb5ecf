package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Control is an element in the accessibility tree.
type Control struct {
	Role, Name, Value string
	Disabled          bool
	id                cdp.BackendNodeID
	properties        map[string]string
}

// Property returns a property from the accessibility tree ("checked", "expanded", "selected", …), or "".
func (c Control) Property(name string) string { return c.properties[name] }

// All returns the controls with a role (any, if it is "") and an accessible name (any, if it is ""), in document
// order. In a name each "…" matches anything: "Save…" is any name that starts with Save. Elements hidden from
// assistive technology are not found.
func (p *Page) All(role, name string) []Control {
	p.t.Helper()
	found, err := p.all(role, name)
	if err != nil {
		p.t.Fatal(err)
	}
	return found
}

func (p *Page) all(role, name string) ([]Control, error) {
	nodes, err := p.nodes(role, name)
	var found []Control
	for _, n := range nodes {
		if c := control(n); !n.Ignored && n.BackendDOMNodeID != 0 && matches(c.Name, name) {
			found = append(found, c)
		}
	}
	return found, err
}

func (p *Page) nodes(role, name string) ([]*accessibility.Node, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.Patience)
	defer cancel()
	return chromedp.Run(ctx, func(ctx context.Context, tab *chromedp.Target) ([]*accessibility.Node, error) {
		document, err := cdp.Call(ctx, tab, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"})
		if err != nil {
			return nil, err
		}
		object := document.Result.ObjectID
		defer cdp.Call(ctx, tab, runtime.ReleaseObject, runtime.ReleaseObjectParams{ObjectID: object})
		query := accessibility.QueryAXTreeParams{ObjectID: object, Role: role}
		if !strings.Contains(name, "…") {
			query.AccessibleName = name
		}
		got, err := cdp.Call(ctx, tab, accessibility.QueryAXTree, query)
		return got.Nodes, err
	})
}

// matches compares a name with a pattern, in which each "…" matches anything.
func matches(got, want string) bool {
	if want == "" {
		return true
	}
	pieces := strings.Split(want, "…")
	last := len(pieces) - 1
	if last == 0 {
		return got == want
	}
	got, ok := strings.CutPrefix(got, pieces[0])
	for _, piece := range pieces[1:last] {
		if !ok {
			break
		}
		_, got, ok = strings.Cut(got, piece)
	}
	return ok && strings.HasSuffix(got, pieces[last])
}

func control(n *accessibility.Node) Control {
	c := Control{Role: text(n.Role), Name: text(n.Name), Value: text(n.Value), id: n.BackendDOMNodeID, properties: make(map[string]string)}
	for _, property := range n.Properties {
		c.properties[string(property.Name)] = text(property.Value)
	}
	c.Disabled = c.properties["disabled"] == "true"
	return c
}

// text returns a value of the accessibility tree, without quotes if it is a string.
func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	if json.Unmarshal(v.Value, &s) == nil {
		return s
	}
	return string(v.Value)
}

// Find waits for a control and returns the first match.
func (p *Page) Find(role, name string) Control {
	p.t.Helper()
	var found []Control
	p.wait(describe(role, name), func() (bool, error) {
		var err error
		found, err = p.all(role, name)
		return len(found) > 0, err
	})
	return found[0]
}

// Enabled waits for a control that is enabled.
func (p *Page) Enabled(role, name string) Control {
	p.t.Helper()
	var c Control
	p.wait(describe(role, name)+" to be enabled", func() (bool, error) {
		found, err := p.all(role, name)
		if len(found) == 0 || found[0].Disabled {
			return false, err
		}
		c = found[0]
		return true, nil
	})
	return c
}

// Gone waits until there is no such control.
func (p *Page) Gone(role, name string) {
	p.t.Helper()
	p.wait("no "+describe(role, name), func() (bool, error) {
		found, err := p.all(role, name)
		return err == nil && len(found) == 0, err
	})
}

// Has reports whether there is such a control now.
func (p *Page) Has(role, name string) bool {
	p.t.Helper()
	return len(p.All(role, name)) > 0
}

// Text returns the text of a control as it is rendered.
func (p *Page) Text(role, name string) string {
	p.t.Helper()
	var s string
	p.wait("the text of "+describe(role, name), func() (bool, error) {
		found, err := p.all(role, name)
		if len(found) == 0 {
			return false, err
		}
		got, err := p.call(found[0], `function() { return this.innerText ?? this.textContent }`)
		if err != nil {
			return false, err
		}
		return true, json.Unmarshal(got, &s)
	})
	return s
}

// Sees waits until the page shows a text anywhere.
func (p *Page) Sees(text string) {
	p.t.Helper()
	p.Until(fmt.Sprintf("the text %q", text), `document.body.innerText.replace(/\s+/g, " ").includes(`+quote(strings.Join(strings.Fields(text), " "))+`)`)
}

// Shows reports whether the page shows a text now.
func (p *Page) Shows(text string) bool {
	p.t.Helper()
	return string(p.Eval(`document.body.innerText.includes(`+quote(text)+`)`)) == "true"
}

// call calls a function with a control's element and returns its result as JSON.
func (p *Page) call(c Control, function string, args ...any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.Patience)
	defer cancel()
	return chromedp.Run(ctx, func(ctx context.Context, tab *chromedp.Target) (json.RawMessage, error) {
		node, err := cdp.Call(ctx, tab, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: c.id})
		if err != nil {
			return nil, err
		}
		id := node.Object.ObjectID
		defer cdp.Call(ctx, tab, runtime.ReleaseObject, runtime.ReleaseObjectParams{ObjectID: id})
		params := runtime.CallFunctionOnParams{FunctionDeclaration: function, ObjectID: id, ReturnByValue: new(bool), AwaitPromise: new(bool)}
		*params.ReturnByValue, *params.AwaitPromise = true, true
		for _, a := range args {
			b, err := json.Marshal(a)
			if err != nil {
				return nil, err
			}
			params.Arguments = append(params.Arguments, &runtime.CallArgument{Value: b})
		}
		got, err := cdp.Call(ctx, tab, runtime.CallFunctionOn, params)
		if err != nil {
			return nil, err
		}
		if got.ExceptionDetails != nil {
			return nil, fmt.Errorf("%s", got.ExceptionDetails.Text)
		}
		return json.RawMessage(got.Result.Value), nil
	})
}

func describe(role, name string) string { return fmt.Sprintf("%s %q", role, name) }

// Outline returns the page's accessibility tree, for messages of failed tests.
func (p *Page) Outline() string {
	nodes, err := p.nodes("", "")
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	fmt.Fprintln(&b, "the page has:")
	for _, n := range nodes {
		c := control(n)
		switch c.Role {
		case "StaticText", "InlineTextBox", "generic", "none", "", "LineBreak", "ListMarker":
			continue
		}
		if n.Ignored || b.Len() > 20_000 {
			continue
		}
		fmt.Fprintf(&b, "  %s %q", c.Role, c.Name)
		if c.Value != "" {
			fmt.Fprintf(&b, " = %q", c.Value)
		}
		if c.Disabled {
			b.WriteString(" (disabled)")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
