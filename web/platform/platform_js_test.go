package platform

import (
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/vugu/vugu"

	"wimscope/web/state"
)

// built is a component that builds the given node.
type built struct{ n *vugu.VGNode }

func (b *built) Build(*vugu.BuildIn) *vugu.BuildOut {
	return &vugu.BuildOut{Out: []*vugu.VGNode{b.n}}
}

// stage returns an element in the document and a function that shows a node in it.
func stage(t *testing.T) (root js.Value, show func(*vugu.VGNode)) {
	t.Helper()
	doc := js.Global().Get("document")
	if !doc.Truthy() {
		t.Fatal("no document: run this with jsexec -page")
	}
	root = doc.Call("createElement", "div")
	doc.Get("body").Call("appendChild", root)
	t.Cleanup(func() { root.Call("remove") })
	_, r := NewDocument(root, func(js.Value, string) {}, func(js.Value, string) {})
	return root, func(n *vugu.VGNode) {
		env, err := vugu.NewBuildEnv()
		if err != nil {
			t.Fatal(err)
		}
		r.Render(env.RunBuild(&built{n}))
	}
}

func node(name string, kids ...*vugu.VGNode) *vugu.VGNode {
	n := &vugu.VGNode{Type: vugu.ElementNode, Data: name}
	for _, k := range kids {
		n.AppendChild(k)
	}
	return n
}

func TestDocument(t *testing.T) {
	root, show := stage(t)
	clicks, key := 0, ""
	make := func(label, value string) *vugu.VGNode {
		button := node("button")
		button.SetInnerHTML(label)
		button.Attr = []vugu.VGAttribute{{Key: "aria-label", Val: `a "b" <c>`}}
		button.DOMEventHandlerSpecList = []vugu.DOMEventHandlerSpec{{EventType: "click", Func: func(e vugu.DOMEvent) {
			clicks++
			key = e.PropString("target", "nodeName")
			e.PreventDefault()
		}}}
		input := node("input")
		input.Prop = []vugu.VGProperty{{Key: "value", JSONVal: []byte(`"` + value + `"`)}}
		svg := node("svg", &vugu.VGNode{Type: vugu.ElementNode, Namespace: "svg", Data: "use", Attr: []vugu.VGAttribute{{Key: "href", Val: "icons.svg#x"}}})
		svg.Namespace = "svg"
		styled := node("i")
		styled.Prop = []vugu.VGProperty{{Key: "style", JSONVal: []byte(`"height:7px;--level:2"`)}}
		return node("p", button, input, svg, styled)
	}
	show(make("<b>1 & 2</b>", "one"))
	button := root.Call("querySelector", "button")
	if got := button.Get("textContent").String(); got != "<b>1 & 2</b>" {
		t.Errorf("text %q", got)
	}
	if got := button.Call("getAttribute", "aria-label").String(); got != `a "b" <c>` {
		t.Errorf("label %q", got)
	}
	if got := root.Call("querySelector", "use").Get("namespaceURI").String(); got != "http://www.w3.org/2000/svg" {
		t.Errorf("namespace %q", got)
	}
	style := root.Call("querySelector", "i").Get("style")
	if style.Get("height").String() != "7px" || style.Call("getPropertyValue", "--level").String() != "2" {
		t.Errorf("style %q", style.Get("cssText").String())
	}
	input := root.Call("querySelector", "input")
	input.Call("focus")
	input.Call("setSelectionRange", 1, 1)
	show(make("2", "one"))
	if !button.Equal(root.Call("querySelector", "button")) || button.Get("textContent").String() != "2" {
		t.Error("the button was replaced, or its text is wrong")
	}
	if got := input.Get("selectionStart").Int(); got != 1 {
		t.Errorf("the caret moved to %d", got)
	}
	input.Set("value", "typed")
	show(make("2", "one"))
	if got := input.Get("value").String(); got != "one" {
		t.Errorf("value %q: typed text was not reset", got)
	}
	button.Call("click")
	if clicks != 1 || key != "BUTTON" {
		t.Errorf("%d clicks, on %q", clicks, key)
	}
}

func TestRecents(t *testing.T) {
	if !js.Global().Get("indexedDB").Truthy() {
		t.Fatal("no database here")
	}
	b := &Browser{window: js.Global(), doc: js.Global().Get("document")}
	handle := js.ValueOf(map[string]any{"kind": "file"}) // anything that can be cloned
	when := time.UnixMilli(1_700_000_000_000)
	for i, id := range []string{"a", "b"} {
		r := state.Recent{ID: id, Name: id + ".wim", Size: 1 << 40, Images: 3, When: when.Add(time.Duration(i) * time.Hour), Handles: []any{handle}}
		if err := b.PutRecent(r); err != nil {
			t.Fatal(err)
		}
	}
	list, err := b.Recents()
	if err != nil || len(list) != 2 {
		t.Fatalf("%d recents, %v", len(list), err)
	}
	if r := list[0]; r.ID != "b" || r.Name != "b.wim" || r.Size != 1<<40 || r.Images != 3 || !r.When.Equal(when.Add(time.Hour)) || len(r.Handles) != 1 || r.State != state.RecentReady {
		t.Errorf("the newest first: %+v", r)
	}
	for i := range maxRecents + 3 {
		if err := b.PutRecent(state.Recent{ID: string(rune('c' + i)), When: when.Add(time.Duration(2+i) * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	if list, err = b.Recents(); err != nil || len(list) != maxRecents {
		t.Errorf("%d recents, want %d (%v)", len(list), maxRecents, err)
	}
	for _, r := range list {
		if r.State != state.RecentMissing {
			t.Errorf("%s: without a handle it is in state %d", r.ID, r.State)
		}
		if err := b.DropRecent(r.ID); err != nil {
			t.Error(err)
		}
	}
	if list, err = b.Recents(); err != nil || len(list) != 0 {
		t.Errorf("%d recents are left (%v)", len(list), err)
	}
}

func TestOffered(t *testing.T) {
	if !js.Global().Get("DataTransfer").Truthy() {
		t.Fatal("no DataTransfer: run this with jsexec -page")
	}
	transfer := js.Global().Get("DataTransfer").New()
	for _, name := range []string{"install.swm", "install2.swm"} {
		transfer.Get("items").Call("add", js.Global().Get("File").New([]any{strings.Repeat("x", len(name))}, name))
	}
	transfer.Get("items").Call("add", "just text", "text/plain")
	files := OfferedIn(transfer).Files()
	if len(files) != 2 || files[0].Name != "install.swm" || files[1].Size != int64(len("install2.swm")) || files[0].Value == nil {
		t.Errorf("files: %+v", files)
	}
}

func TestStorage(t *testing.T) {
	b := &Browser{window: js.Global(), doc: js.Global().Get("document")}
	b.Store("test", "1")
	if got := b.Stored("test"); got != "1" && js.Global().Get("localStorage").Truthy() {
		t.Errorf("Stored = %q", got)
	}
	c := b.Try()
	if !c.Settings || !c.Database || !c.OPFS || !c.Locks || c.Room <= 0 {
		t.Errorf("a browser without restrictions: %+v", c)
	}
}

// TestRefusals makes every storage API throw on access or reject on use, as in browsers that store nothing for a
// site. An uncaught exception would end the test.
func TestRefusals(t *testing.T) {
	b := &Browser{window: js.Global(), doc: js.Global().Get("document"), busy: newBusy()}
	refuse := js.Global().Get("Function").New("how", `
		const thrown = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
		const undo = [];
		const put = (o, name, d) => {
			const own = Object.getOwnPropertyDescriptor(o, name);
			Object.defineProperty(o, name, { configurable: true, ...d });
			undo.push(() => { delete o[name]; if (own) Object.defineProperty(o, name, own); });
		};
		const rejecting = (names) => Object.fromEntries(names.map((n) => [n, async () => thrown()]));
		put(window, "localStorage", { get: thrown });
		put(window, "indexedDB", { get: thrown });
		if (how === "throw") {
			put(navigator, "locks", { get: thrown });
			put(navigator, "storage", { get: thrown });
		} else {
			put(navigator, "locks", { value: rejecting(["request"]) });
			put(navigator, "storage", { value: rejecting(["getDirectory", "estimate"]) });
		}
		return () => { for (const f of undo.reverse()) f(); };`)
	for _, how := range []string{"throw", "reject"} {
		undo := refuse.Invoke(how)
		b.Store("test", "2")
		if got := b.Stored("test"); got != "" {
			t.Errorf("%s: Stored = %q", how, got)
		}
		c := b.Try()
		if c.Settings || c.Database || c.OPFS || c.Locks {
			t.Errorf("%s: %+v", how, c)
		}
		if _, err := b.Recents(); err == nil {
			t.Errorf("%s: Recents returned no error", how)
		}
		if room := b.Room(1); room != -1 {
			t.Errorf("%s: room for %d", how, room)
		}
		b.Busy(true)
		time.Sleep(20 * time.Millisecond)
		b.Busy(false)
		undo.Invoke()
	}
	if !b.Try().OPFS {
		t.Error("the storage APIs were not restored")
	}
}
