package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"wimscope/server/site"
)

// A Page is one tab of its own Chromium, and a server for it. Its methods fail the test if what they wait for does
// not happen within Patience.
type Page struct {
	t      testing.TB
	ctx    context.Context
	watch  *watch
	asked  *requests
	Origin string // of the server, like http://127.0.0.1:1234
	Dir    string // a folder that pages may write to through handles, for files and outputs of tests
	Saved  string // the folder for downloads

	// Patience is the time limit for each wait.
	Patience time.Duration
}

// Artifacts is the folder for screenshots and reports of failures.
const Artifacts = "e2e/artifacts"

// Open starts a server for dist, a folder with a build, and Chromium, and opens the start page. At the end of the
// test it fails the test if the page logged an error, violated its security policy, or sent a request to another
// origin. Without Chromium the test is skipped, and fails in CI.
func Open(t testing.TB, dist string, o Options) *Page {
	t.Helper()
	if _, err := Find(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := &requests{handler: hold(site.New(os.DirFS(dist)), o.Hold), n: make(map[string]int)}
	server := &http.Server{Handler: asked, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })

	dir := t.TempDir()
	p := &Page{t: t, asked: asked, Origin: "http://" + listener.Addr().String(), Dir: filepath.Join(dir, "files"),
		Saved: filepath.Join(dir, "downloads"), Patience: 30 * time.Second}
	for _, d := range []string{p.Dir, p.Saved} {
		if err := os.Mkdir(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	o.Origin, o.Downloads = p.Origin, p.Saved
	o.Writable = append(o.Writable, p.Dir)
	proxy, err := newWatch(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.close)
	o.Flags = append(o.Flags, proxy.flags()...)
	// Not t.Context, which ends before the clean-ups that check the page for the last time.
	ctx, cancel, err := Launch(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	p.ctx, p.watch = ctx, proxy
	t.Cleanup(cancel)
	t.Cleanup(p.finish)

	yes := true
	p.must(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
			Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: p.Saved, EventsEnabled: &yes})
		return err
	}))
	p.must(p.watch.start(ctx))
	p.must(p.addScript(violationScript))
	p.Size(1360, 860)
	if o.Hold == nil {
		p.Go("/")
	} else {
		p.Eval(`void (location.href = ` + quote(p.Origin) + `)`)
		p.Until("the page itself", `document.readyState !== "loading" && window.wimscopeQueue !== undefined`)
	}
	return p
}

func hold(h http.Handler, gates map[string]<-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gate := gates[r.URL.Path]; gate != nil {
			select {
			case <-gate:
			case <-r.Context().Done():
			}
		}
		h.ServeHTTP(w, r)
	})
}

// requests is a handler that counts the requests for each path.
type requests struct {
	handler http.Handler

	mu sync.Mutex
	n  map[string]int
}

func (c *requests) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.n[r.URL.Path]++
	c.mu.Unlock()
	c.handler.ServeHTTP(w, r)
}

// Requests returns how often the browser has requested a path of the server.
func (p *Page) Requests(path string) int {
	p.asked.mu.Lock()
	defer p.asked.mu.Unlock()
	return p.asked.n[path]
}

// Go navigates to a path of the server and waits until the page's program has drawn its first screen.
func (p *Page) Go(path string) {
	p.t.Helper()
	p.must(chromedp.Navigate(p.Origin + path))
	p.Until("the program to start", `document.documentElement.dataset.started !== undefined`)
}

// Hash navigates to another state of the page through its address, like a link.
func (p *Page) Hash(hash string) {
	p.t.Helper()
	p.Eval(`void (location.hash = ` + quote(hash) + `)`)
}

// Eval runs a script in the page, awaits its promise, and returns the value as JSON.
func (p *Page) Eval(script string) json.RawMessage {
	p.t.Helper()
	got, err := p.eval(script)
	if err != nil {
		p.t.Fatalf("%s: %v", script, err)
	}
	return got
}

func (p *Page) eval(script string) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.Patience)
	defer cancel()
	// The value is converted to JSON in the page, so that undefined is a value too.
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		`(async () => JSON.stringify((await (`+script+`)) ?? null))()`,
		chromedp.EvalAwaitPromise, userGesture))
	return json.RawMessage(got), err
}

// Until waits until a script's value is true.
func (p *Page) Until(what, script string) {
	p.t.Helper()
	p.wait(what, func() (bool, error) {
		v, err := p.eval(script)
		return string(v) == "true", err
	})
}

// wait polls until done returns true. Errors count as "not yet", since a page in motion causes many.
func (p *Page) wait(what string, done func() (bool, error)) {
	p.t.Helper()
	var last error
	for deadline := time.Now().Add(p.Patience); ; time.Sleep(40 * time.Millisecond) {
		ok, err := done()
		if ok {
			return
		}
		last = err
		if time.Now().After(deadline) {
			break
		}
		if p.ctx.Err() != nil {
			p.t.Fatalf("waiting for %s: the browser has ended: %v", what, context.Cause(p.ctx))
		}
	}
	p.t.Fatalf("waited %v for %s (%v)\n%s", p.Patience, what, last, p.Outline())
}

// Media sets the preferred colour scheme: "light" or "dark".
func (p *Page) Media(scheme string) {
	p.t.Helper()
	p.must(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	}))
}

// Size sets the size of the viewport in CSS pixels.
func (p *Page) Size(width, height int64) {
	p.t.Helper()
	p.must(chromedp.EmulateViewport(width, height))
}

// Screenshot saves a picture of the viewport to the artifacts as name.png.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	got, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = p.artifact(name+".png", got)
	}
	if err != nil {
		p.t.Errorf("picture %s: %v", name, err)
	}
}

func (p *Page) artifact(name string, content []byte) error {
	path := filepath.Join(Root(), filepath.FromSlash(Artifacts), strings.ReplaceAll(name, "/", "-"))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o666)
}

// Context returns the tab's context, for features that this package lacks.
func (p *Page) Context() context.Context { return p.ctx }

func (p *Page) must(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, p.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// addScript runs a script in every document before its own scripts.
func (p *Page) addScript(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// finish ends a test: it fails the test for the page's misbehaviour, and keeps a picture if it failed.
func (p *Page) finish() {
	for _, trouble := range p.Trouble() {
		p.t.Errorf("the page: %s", trouble)
	}
	if !p.t.Failed() || p.ctx.Err() != nil {
		return
	}
	name := "failed-" + p.t.Name()
	p.Screenshot(name)
	if err := p.artifact(name+".txt", []byte(p.Outline()+"\n"+strings.Join(p.watch.log(), "\n"))); err != nil {
		p.t.Log(err)
	}
}

func userGesture(e *runtime.EvaluateParams) {
	yes := true
	e.UserGesture = &yes
}

// quote returns s as a JavaScript string.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("quote %q: %v", s, err))
	}
	return string(b)
}

// Root returns the module's folder: the nearest ancestor of the working directory with a go.mod.
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// For makes the page's methods fail another test from now on: a subtest that shares the page.
func (p *Page) For(t testing.TB) { p.t = t }
