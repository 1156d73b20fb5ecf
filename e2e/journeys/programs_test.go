package journeys

import (
	"os"
	"path/filepath"
	"testing"

	"wimscope/e2e/browser"
	"wimscope/wim/wimtest"
)

// TestReadingLoadsReader checks that whoever opens, verifies and extracts an archive loads the workers' program that
// reads, once, and never the one that builds; and that the page loads that one once, however many ask for it.
func TestReadingLoadsReader(t *testing.T) {
	p := browser.Open(t, dist, browser.Options{})
	archive := filepath.Join(p.Dir, "some.wim")
	root := wimtest.Folder("", wimtest.TextFile("a.txt", "text"), wimtest.TextFile("b.txt", "more"))
	if err := os.WriteFile(archive, wimtest.One(root).Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	p.Drop(archive)
	p.Find("gridcell", "a.txt")
	p.Click("link", "Verify")
	p.Click("button", "Verify everything")
	p.Sees("OK: ")
	p.Click("link", "Files")
	zips := outFolder(t, p, "zips")
	p.PickSave(zips, "")
	extract(p, "Extract image", "ZIP file")
	finished(t, p)
	if got := unzip(t, only(t, zips, ".zip")); got["a.txt"] == nil || got["b.txt"] == nil {
		t.Errorf("extracted %v", got)
	}
	if reader, builder := p.Requests("/reader.wasm"), p.Requests("/builder.wasm"); reader != 1 || builder != 0 {
		t.Errorf("reader.wasm was loaded %d times, builder.wasm %d times", reader, builder)
	}

	p.Eval(`Promise.all([1, 2, 3].map(() => wimscope.program("builder")))`)
	p.Eval(`wimscope.program("builder")`)
	if n := p.Requests("/builder.wasm"); n != 1 {
		t.Errorf("builder.wasm was loaded %d times", n)
	}
	// What could not be loaded is tried again.
	p.Eval(`wimscope.program("missing").catch(() => {})`)
	p.Eval(`wimscope.program("missing").catch(() => {})`)
	if n := p.Requests("/missing.wasm"); n != 2 {
		t.Errorf("a missing program was requested %d times", n)
	}
	p.Forgive("404 (Not Found)")
}
