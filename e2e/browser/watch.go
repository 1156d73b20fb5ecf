package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
)

// A watch records forbidden actions of a page. It is also a proxy for all requests that are not for the page's own
// server, from any part of the browser; it rejects all of them.
type watch struct {
	own      string // host:port
	listener net.Listener

	mu       sync.Mutex
	messages []string // all messages of the console
	errors   []string
	requests []string // to other origins
}

func newWatch(own string) (*watch, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &watch{own: own, listener: l}
	go (&http.Server{Handler: w, ReadHeaderTimeout: time.Minute}).Serve(l)
	return w, nil
}

func (w *watch) close() { w.listener.Close() }

// flags send everything except requests to own through the proxy; by default Chromium exempts all of 127.0.0.1.
func (w *watch) flags() []chromedp.ExecAllocatorOption {
	return []chromedp.ExecAllocatorOption{
		chromedp.ProxyServer("http://" + w.listener.Addr().String()),
		chromedp.Flag("proxy-bypass-list", "<-loopback>;"+w.own),
	}
}

// browsersOwn are hosts that Chromium itself contacts, whatever page is open and in spite of its flags.
var browsersOwn = []string{".google.com", ".googleapis.com", ".gvt1.com", ".gstatic.com"}

func (w *watch) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	own := slices.ContainsFunc(browsersOwn, func(suffix string) bool { return strings.HasSuffix("."+host, suffix) })
	w.mu.Lock()
	if own {
		w.messages = append(w.messages, "the browser itself requested "+r.Host)
	} else {
		w.requests = append(w.requests, r.Method+" "+r.URL.String()+" of "+r.Host)
	}
	w.mu.Unlock()
	http.Error(rw, "no access to other origins", http.StatusForbidden)
}

// start records the console of the tab in ctx.
func (w *watch) start(ctx context.Context) chromedp.Action[chromedp.Void] {
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			w.mu.Lock()
			w.messages = append(w.messages, fmt.Sprintf("%s: %s", m.Type, m.Text))
			if m.Type == "error" || m.Type == "assert" || m.IsException() {
				w.errors = append(w.errors, fmt.Sprintf("%s: %s", m.Type, m.Text))
			}
			w.mu.Unlock()
		}
	}()
	return chromedp.Steps()
}

func (w *watch) log() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.messages)
}

// violationScript records violations of the security policy in a document.
const violationScript = `(() => {
	const seen = window.wimscopeViolations = [];
	document.addEventListener("securitypolicyviolation", (e) => seen.push(e.effectiveDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber + " " + e.sample));
})();`

// Trouble returns the errors logged, violations of the security policy and requests to other origins so far.
func (p *Page) Trouble() []string {
	p.watch.mu.Lock()
	trouble := slices.Clone(p.watch.errors)
	for _, r := range p.watch.requests {
		trouble = append(trouble, "requested another origin: "+r)
	}
	p.watch.mu.Unlock()
	if p.ctx.Err() != nil {
		return trouble
	}
	got, err := p.eval(`window.wimscopeViolations`)
	var violations []string
	if err == nil {
		err = json.Unmarshal(got, &violations)
	}
	if err != nil {
		return append(trouble, "cannot read policy violations: "+err.Error())
	}
	for _, v := range violations {
		trouble = append(trouble, "violated the security policy: "+v)
	}
	return trouble
}

// Forgive removes the errors logged so far that contain text, for journeys in which one is expected.
func (p *Page) Forgive(text string) {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	p.watch.errors = slices.DeleteFunc(p.watch.errors, func(e string) bool { return strings.Contains(e, text) })
}

// seen returns the requests to other origins.
func (w *watch) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// forget clears what was recorded so far.
func (w *watch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errors, w.requests = nil, nil
}
