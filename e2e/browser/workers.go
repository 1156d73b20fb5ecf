package browser

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Worker is a dedicated worker of the page, as in the browser's developer tools.
type Worker struct {
	Name string
	id   target.ID
}

// Workers returns the page's live workers.
func (p *Page) Workers() []Worker {
	p.t.Helper()
	list, err := chromedp.CallBrowser(p.ctx, target.GetTargets, target.GetTargetsParams{Filter: target.Filter{{Type: "worker"}}})
	if err != nil {
		p.t.Fatal(err)
	}
	var found []Worker
	for _, info := range list.TargetInfos {
		found = append(found, Worker{info.Title, info.TargetID})
	}
	return found
}

// Worker waits for a worker whose name contains text.
func (p *Page) Worker(text string) Worker {
	p.t.Helper()
	var found Worker
	p.wait("a worker "+text, func() (bool, error) {
		for _, w := range p.Workers() {
			if strings.Contains(w.Name, text) {
				found = w
				return true, nil
			}
		}
		return false, nil
	})
	return found
}

// In runs a script in a worker, like its console. It does not await promises.
func (p *Page) In(w Worker, script string) {
	p.t.Helper()
	ctx, cancel := p.attach(w.id)
	defer cancel()
	if _, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: script}); err != nil {
		p.t.Fatalf("in %s: %s: %v", w.Name, script, err)
	}
}

func (p *Page) attach(id target.ID) (context.Context, context.CancelFunc) {
	return chromedp.NewContext(p.ctx, chromedp.WithTargetID(id), chromedp.WithDetachOnCancel())
}

// InWorkers runs a script in every worker that starts from now on, before it handles its first message. It gives
// workers features that this browser lacks, or removes some that another one lacks.
func (p *Page) InWorkers(script string) {
	p.t.Helper()
	// A worker that has not started does not know its origin, and lacks APIs that depend on it.
	first := `addEventListener("message", () => {` + script + `}, { once: true })`
	events := chromedp.Events(p.ctx, target.AttachedToTarget)
	go func() {
		for e, err := range events {
			if err != nil {
				return
			}
			if e.TargetInfo.Type != "worker" || !e.WaitingForDebugger {
				continue
			}
			go func() {
				ctx, cancel := p.attach(e.TargetInfo.TargetID)
				defer cancel()
				// A worker for which this fails stays paused, and whoever waits for it fails.
				if _, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: first}); err == nil {
					_, _ = chromedp.Call(ctx, runtime.RunIfWaitingForDebugger, cdp.Empty{})
				}
			}()
		}
	}()
	yes := true
	_, err := chromedp.Call(p.ctx, target.SetAutoAttach, target.SetAutoAttachParams{AutoAttach: true, WaitForDebuggerOnStart: true, Flatten: &yes})
	if err != nil {
		p.t.Fatal(err)
	}
}

// OnWindows makes documents loaded from now on believe that the browser runs on Windows.
func (p *Page) OnWindows() {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent:         "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
		Platform:          "Win32",
		UserAgentMetadata: &emulation.UserAgentMetadata{Platform: "Windows", PlatformVersion: "15.0.0", Architecture: "x86", Bitness: "64"},
	})
	if err != nil {
		p.t.Fatal(err)
	}
}
