package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"
)

// Memory returns the memory of the process of the page and all its workers in bytes: its proportional set size on
// Linux, including Chromium's own part and compiled code.
func (p *Page) Memory() (int64, error) {
	list, err := chromedp.CallBrowser(p.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	// The largest renderer is the page's. Others draw the browser's own windows, or are spare.
	var most int64
	for _, process := range list.ProcessInfo {
		if process.Type != "renderer" {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", process.ID))
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(text)) {
			var kilobytes int64
			if n, _ := fmt.Sscanf(line, "Pss: %d kB", &kilobytes); n == 1 {
				most = max(most, kilobytes<<10)
			}
		}
	}
	return most, nil
}

// Held returns the memory held by the page and all its workers after a garbage collection, in bytes: script heaps,
// buffers and the DOM, as the browser counts them for the page itself, and all linear memory of their WebAssembly,
// which it does not count. It does not include Chromium's own part of the process and compiled code. The browser must
// have been started with MeasureAtOnce, or this takes minutes.
func (p *Page) Held() (int64, error) {
	got, err := p.eval(`performance.measureUserAgentSpecificMemory()`)
	if err != nil {
		return 0, err
	}
	var m struct{ Bytes int64 }
	if err := json.Unmarshal(got, &m); err != nil {
		return 0, err
	}
	sum := m.Bytes
	own, err := linear(p.ctx)
	if err != nil {
		return 0, err
	}
	sum += own
	for _, w := range p.Workers() {
		ctx, cancel := p.attach(w.id)
		n, err := linear(ctx)
		cancel()
		if err != nil {
			return 0, fmt.Errorf("%s: %w", w.Name, err)
		}
		sum += n
	}
	return sum, nil
}

// linear returns the size of all WebAssembly memories of a document or a worker, in bytes.
func linear(ctx context.Context) (int64, error) {
	prototype, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: `WebAssembly.Memory.prototype`})
	if err != nil {
		return 0, err
	}
	all, err := chromedp.Call(ctx, runtime.QueryObjects, runtime.QueryObjectsParams{PrototypeObjectID: prototype.Result.ObjectID})
	if err != nil {
		return 0, err
	}
	yes := true
	got, err := chromedp.Call(ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: `function() { return this.reduce((sum, m) => sum + m.buffer.byteLength, 0); }`,
		ObjectID:            all.Objects.ObjectID, ReturnByValue: &yes,
	})
	if err != nil {
		return 0, err
	}
	var n float64
	err = json.Unmarshal(got.Result.Value, &n)
	return int64(n), err
}

// MeasureAtOnce makes the browser measure memory on request, instead of at its next garbage collection.
func MeasureAtOnce() chromedp.ExecAllocatorOption {
	return chromedp.Flag("enable-blink-features", "ForceEagerMeasureMemory")
}
