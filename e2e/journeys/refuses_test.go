package journeys

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"wimscope/e2e/browser"
)

// TestSiteDataBlocked runs in a browser whose storage throws: the page starts, reports what it cannot do, and saves
// with a download that is assembled in memory.
func TestSiteDataBlocked(t *testing.T) {
	tree := source(t)
	p := browser.Open(t, dist, browser.Options{Blocked: true})
	var stores map[string]string
	if err := json.Unmarshal(p.Eval(`(async () => {
		const tried = {};
		const thrown = async (name, f) => { try { await f(); tried[name] = "works"; } catch (e) { tried[name] = e.name; } };
		await thrown("localStorage", () => localStorage.length);
		await thrown("OPFS", () => navigator.storage.getDirectory());
		await thrown("locks", () => navigator.locks.request("x", () => {}));
		return tried;
	})()`), &stores); err != nil {
		t.Fatal(err)
	}
	for name, how := range stores {
		if how == "works" {
			t.Errorf("%s works: storage is not blocked in this browser", name)
		}
	}
	t.Log(stores)
	p.NoPickers()
	p.Go("/")
	p.Click("button", "Keyboard shortcuts")
	p.Sees("The browser stores nothing for this page: the theme and the widths of panes are reset each time.")
	p.Sees("results are assembled in memory")
	p.Screenshot("site-data-blocked")
	p.Axe("what a browser without site data can do")
	p.Press("Escape")
	p.Click("button", "Light or dark")

	p.Drop(capture(t, tree, "install.wim"))
	p.Find("grid", "Contents of …")
	walk(p, "Windows")
	p.Click("gridcell", "notepad.txt")
	p.Find("heading", "notepad.txt")
	p.Click("button", "Save file")
	sameFile(t, filepath.Join(tree, "Windows", "notepad.txt"), p.Download())
	extract(p, "Extract image", "ZIP file")
	finished(t, p)
	same(t, "ZIP", snap(t, tree), unzip(t, p.Download()), 0)
	p.Click("link", "Verify")
	p.Click("button", "Verify everything")
	p.Find("heading", "OK: …")
	if entries, err := os.ReadDir(p.Saved); err != nil || len(entries) != 0 {
		t.Errorf("more was downloaded: %v, %v", entries, err)
	}
}
