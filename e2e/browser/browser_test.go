package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPage checks that actions of tests reach the page as a user's would.
func TestPage(t *testing.T) {
	p := Open(t, "testdata/site", Options{})
	p.Click("button", "Count")
	p.DoubleClick("button", "Count")
	if got := p.Text("status", "Count so far"); got != "3" {
		t.Errorf("three clicks count as %s", got)
	}
	p.Type("textbox", "Name", "first")
	p.Type("textbox", "Name", "second")
	p.Sees("name second")
	p.Choose("combobox", "Kind", "Banana")
	p.Sees("kind b")
	p.Press("Control+K")
	p.Sees("palette")
	if p.Has("button", "Nothing") || !p.Find("button", "Never").Disabled {
		t.Error("Has reports wrong buttons")
	}

	p.Drop(write(t, filepath.Join(p.Dir, "a.txt"), "one"), write(t, filepath.Join(p.Dir, "b.txt"), "two"))
	p.Sees("dropped one,two")

	p.PickSave(p.Dir, "")
	p.Click("button", "Save by picker")
	p.Sees("saved out.txt")
	if got := read(t, filepath.Join(p.Dir, "out.txt")); got != "written by the page" {
		t.Errorf("saved %q", got)
	}
	p.Click("button", "Download")
	if path := p.Download(); filepath.Base(path) != "got.txt" || read(t, path) != "downloaded" {
		t.Errorf("downloaded %s: %q", path, read(t, path))
	}
}

// TestTrouble checks that no misbehaviour of a page goes unseen.
func TestTrouble(t *testing.T) {
	p := Open(t, "testdata/site", Options{})
	if got := p.Trouble(); len(got) > 0 {
		t.Errorf("trouble with a good page: %q", got)
	}
	for _, test := range []struct{ script, want string }{
		{`void console.error("something broke")`, "something broke"},
		{`void setTimeout(() => { throw new Error("thrown") })`, "thrown"},
		{`fetch("https://example.com/").catch(() => 0)`, "connect-src"},
		{`void document.head.appendChild(Object.assign(document.createElement("style"), {textContent: "a{}"}))`, "style-src"},
		{`new Promise((done) => { const i = new Image(); i.onerror = done; i.src = "http://127.0.0.2/x.png"; }).then(() => 0)`, "img-src"},
	} {
		p.Eval(test.script)
		found := ""
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if found = strings.Join(p.Trouble(), "\n"); strings.Contains(found, test.want) {
				break
			}
		}
		if !strings.Contains(found, test.want) {
			t.Errorf("%s: no %q in %q", test.script, test.want, found)
		}
	}
	// The policy blocks requests. That they would be seen is checked with the only thing that it allows: navigating
	// to another origin.
	p.eval(`void (location.href = "http://127.0.0.2:8123/away")`)
	seen := ""
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if seen = strings.Join(p.watch.seen(), "\n"); strings.Contains(seen, "127.0.0.2:8123") {
			break
		}
	}
	if !strings.Contains(seen, "127.0.0.2:8123") {
		t.Errorf("a request to another origin was not seen: %q", seen)
	}
	p.Go("/") // the violations belong to this document, so the test ends without trouble
	p.watch.forget()
}

// TestAxe checks that a correct page passes and that a violation is found.
func TestAxe(t *testing.T) {
	p := Open(t, "testdata/site", Options{})
	p.Axe("the page")
	other := &recorder{TB: t}
	p.t = other
	p.Eval(`void document.body.appendChild(document.createElement("button"))`)
	p.Axe("a button without a name")
	p.t = t
	if !strings.Contains(other.errors, "button-name") {
		t.Errorf("a button without a name passes: %q", other.errors)
	}
}

// recorder records errors of a test.
type recorder struct {
	testing.TB
	errors string
}

func (r *recorder) Errorf(format string, args ...any) { r.errors += fmt.Sprintf(format, args...) }

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		got, want string
		ok        bool
	}{
		{"Save file", "Save file", true}, {"Save file", "Save", false}, {"Save file", "Save…", true}, {"Save file", "…file", true},
		{"Save file", "…e f…", true}, {"Save file", "S…f…e", true}, {"Save file", "…File", false}, {"", "…", true}, {"a", "a…a", false}, {"x", "", true},
	} {
		if ok := matches(test.got, test.want); ok != test.ok {
			t.Errorf("%q as %q: %v", test.got, test.want, ok)
		}
	}
}
