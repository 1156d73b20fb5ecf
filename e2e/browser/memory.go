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

// Memory is what the process of the page and all its workers takes, in bytes: its proportional share, as Linux counts
// it. Chromium's own part and compiled code are in it.
func (p *Page) Memory() (int64, error) {
	list, err := chromedp.CallBrowser(p.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	// The largest renderer is the page's. Others draw the browser's own windows, or wait to be used.
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

// Held is what the page and all its workers hold, in bytes, after garbage has been collected: the heaps of their
// scripts, buffers and the DOM, as the browser counts them for the page itself, and all linear memory of their
// WebAssembly, which it leaves out. Chromium's own part of the process is not in it, nor is compiled code. The browser
// must have been started with MeasureAtOnce, or this takes minutes.
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

// linear is the size of all WebAssembly memories of a document or a worker, bytes.
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

// MeasureAtOnce has the browser measure memory when it is asked, and not when it next collects garbage by itself.
func MeasureAtOnce() chromedp.ExecAllocatorOption {
	return chromedp.Flag("enable-blink-features", "ForceEagerMeasureMemory")
}
