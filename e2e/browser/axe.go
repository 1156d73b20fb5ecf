package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// Axe checks the page's current screen against the rules of axe-core and fails the test for each violation. If the
// npm package is missing, the check is skipped, and fails in CI.
func (p *Page) Axe(screen string) {
	p.t.Helper()
	script, err := os.ReadFile(filepath.Join(Root(), "e2e", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		if os.Getenv("CI") != "" {
			p.t.Fatal(err)
		}
		p.t.Logf("%s is not checked: axe-core is missing, run `make tools`", screen)
		return
	}
	// Through the debugger, which the page's security policy does not restrict.
	p.must(chromedp.Evaluate[chromedp.Void](string(script) + ";void 0"))
	var found []struct {
		ID, Impact, Help string
		Nodes            []struct {
			HTML, FailureSummary string
			Target               []any
		}
	}
	// Finish animations, since colours differ while something fades in; endless ones are checked as they are.
	if err := json.Unmarshal(p.Eval(`(async () => {
		const ends = document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime < Infinity);
		await Promise.allSettled(ends.map((a) => a.finished));
		return (await axe.run(document, { resultTypes: ["violations"] })).violations;
	})()`), &found); err != nil {
		p.t.Fatal(err)
	}
	for _, v := range found {
		var b strings.Builder
		for i, n := range v.Nodes {
			if i == 3 {
				fmt.Fprintf(&b, "\n  and %d more", len(v.Nodes)-i)
				break
			}
			fmt.Fprintf(&b, "\n  %v %.160s\n    %s", n.Target, n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n    "))
		}
		p.t.Errorf("%s breaks %s (%s): %s%s", screen, v.ID, v.Impact, v.Help, b.String())
	}
}

// Fits fails the test if the page is wider than its viewport, or shows an icon that is not in the sprite.
func (p *Page) Fits(screen string) {
	p.t.Helper()
	var wide, missing []string
	err := json.Unmarshal(p.Eval(`(() => {
		const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
		return over > 0 ? [over + " pixels"] : [];
	})()`), &wide)
	if err == nil {
		err = json.Unmarshal(p.Eval(`(async () => {
			const missing = [], sprites = new Map();
			for (const use of document.querySelectorAll("use[href]")) {
				const [url, id] = use.getAttribute("href").split("#");
				if (!sprites.has(url)) sprites.set(url, await (await fetch(url)).text());
				if (!sprites.get(url).includes('id="' + id + '"')) missing.push(id);
			}
			return [...new Set(missing)];
		})()`), &missing)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	for _, w := range wide {
		p.t.Errorf("%s is too wide by %s", screen, w)
	}
	for _, m := range missing {
		p.t.Errorf("%s shows the icon %q, which is not in the sprite", screen, m)
	}
}
