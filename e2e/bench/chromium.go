package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/chromedp/chromedp"

	"wimscope/e2e/browser"
)

// bench is the state that all rows share.
type bench struct {
	settings
	url string
}

// inPage returns a contender that evaluates an expression of bench.js in a fresh browser, so that no side inherits
// the other's memory, caches or compiled code.
func (b *bench) inPage(name, path, expression string) contender {
	return contender{name, func(ctx context.Context) (sample, error) {
		if _, err := os.Stat(path); err != nil {
			return sample{}, err // which a browser treats as an empty file
		}
		tab, cancel, err := browser.Launch(ctx, browser.Options{Flags: []chromedp.ExecAllocatorOption{
			chromedp.Flag("js-flags", "--max-old-space-size=4096"),
		}})
		if err != nil {
			return sample{}, err
		}
		defer cancel()
		if err := chromedp.Do(tab,
			chromedp.Navigate(b.url),
			chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{path}),
		); err != nil {
			return sample{}, err
		}
		settle := fmt.Sprintf("window.bench.settle(%v)", !strings.Contains(expression, "peer"))
		if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](settle, chromedp.EvalAwaitPromise)); err != nil {
			return sample{}, err
		}
		return chromedp.Run(tab, chromedp.Evaluate[sample]("window.bench."+expression, chromedp.EvalAwaitPromise))
	}}
}

func (b *bench) all(ctx context.Context) ([]Row, error) {
	var rows []Row
	add := func(work, archive string, ours, peers []contender) error {
		if !strings.Contains(work+" "+archive, b.only) {
			return nil
		}
		more, err := compare(ctx, b.runs, work, archive, ours, peers)
		rows = append(rows, more...)
		return err
	}
	for _, name := range []string{"xpress", "lzx32k", "lzx2m", "lzms128k", "solid"} {
		path := b.archive(name)
		if err := add("verify in Chromium", name, []contender{
			b.inPage("1 worker", path, "verify(1)"),
			b.inPage("2 workers", path, "verify(2)"),
		}, []contender{
			b.inPage("7z-wasm t, in its memory", path, "peerTest(true)"),
			b.inPage("7z-wasm t, from the File", path, "peerTest(false)"),
		}); err != nil {
			return rows, err
		}
	}
	path := b.archive("lzx32k")
	if err := add("extract all in Chromium", "lzx32k",
		[]contender{
			b.inPage("2 workers, to a ZIP for download", path, "zip(2)"),
			b.inPage("2 workers, to a ZIP through a writable stream", path, "zipStream(2)"),
		},
		[]contender{b.inPage("7z-wasm x, into its memory", path, "peerExtract()")}); err != nil {
		return rows, err
	}
	many := b.archive("many")
	if err := add("list in Chromium", "100,000 entries, 1 GB",
		[]contender{b.inPage("open, find, list", many, fmt.Sprintf("list(%q)", "/many"))},
		[]contender{b.inPage("7z-wasm l, in its memory", many, "peerList()")}); err != nil {
		return rows, err
	}
	if err := b.captureInChromium(ctx, add); err != nil {
		return rows, err
	}
	if err := b.pageRows(ctx, func(r Row) { rows = append(rows, r) }); err != nil {
		return rows, err
	}
	return rows, b.native(ctx, add)
}
