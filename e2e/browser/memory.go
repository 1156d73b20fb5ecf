package browser

import (
	"fmt"
	"os"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"
)

// Memory is what the page and all its workers hold, in bytes: the proportional share of the renderer processes, as
// Linux counts it. Chromium's own part of that, for an empty page, is some tens of megabytes.
func (p *Page) Memory() (int64, error) {
	list, err := chromedp.CallBrowser(p.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	var sum int64
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
				sum += kilobytes << 10
			}
		}
	}
	return sum, nil
}
