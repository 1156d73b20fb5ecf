package journeys

import (
	"encoding/json"
	"testing"

	"wimscope/e2e/browser"
	"wimscope/wim/wimtest"
)

// TestTouch browses, selects several entries and extracts them by touch, on a small screen.
func TestTouch(t *testing.T) {
	tree := source(t)
	p := browser.Open(t, dist, browser.Options{})
	p.Phone(390, 844)
	p.Go("/")
	p.Drop(capture(t, tree, "install.wim"))
	p.Find("gridcell", "readme.txt")

	// A tap on a folder opens it, a tap on a file shows it; neither starts a selection.
	p.Tap("gridcell", "Windows")
	p.Find("gridcell", "notepad.txt")
	p.Tap("gridcell", "notepad.txt")
	p.Find("heading", "notepad.txt")
	p.Tap("button", "Back to the files")

	// A long press starts a selection; then a tap is enough, on the row or on its box.
	p.Hold("gridcell", "notepad.txt")
	p.Sees("1 selected")
	p.Tap("gridcell", "copy.txt")
	p.Sees("2 selected")
	p.Tap("checkbox", "Select settings.xml")
	p.Sees("3 selected")
	p.Tap("checkbox", "Select notepad.txt")
	p.Sees("2 selected")
	p.Axe("selecting with a finger")
	p.Screenshot("touch")
	p.Fits("selecting with a finger")

	out := outFolder(t, p, "out")
	p.PickSave(out, "")
	p.Tap("button", "Extract")
	p.Find("dialog", "Extract …")
	p.Enabled("button", "Extract")
	p.Screenshot("touch-extract")
	p.Tap("button", "Extract")
	finished(t, p)
	all := snap(t, tree)
	want := wimtest.Snapshot{".": all["Windows"], "copy.txt": all["Windows/copy.txt"], "settings.xml": all["Windows/settings.xml"]}
	same(t, "what was picked", want, unzip(t, only(t, out, ".zip")), wimtest.Times)

	p.Tap("checkbox", "Select all")
	p.Find("checkbox", "Select Deep")
	p.Tap("checkbox", "Select all")
	p.Gone("button", "6 selected…")

	// Every touch target is 44 pixels in size, or is in a row that is.
	var small []string
	if err := json.Unmarshal(p.Eval(`[...document.querySelectorAll("button, select, input, summary, [role=row], [role=treeitem], nav a")].filter((e) => {
		const r = e.getBoundingClientRect();
		return e.checkVisibility() && r.width > 0 && r.right > 0 && r.left < innerWidth && (r.height < 43.5 || r.width < 43.5 && e.tagName !== "A");
	}).map((e) => e.tagName + " " + (e.ariaLabel || e.innerText).trim() + " " + Math.round(e.getBoundingClientRect().width) + "x" + Math.round(e.getBoundingClientRect().height))`), &small); err != nil {
		t.Fatal(err)
	}
	for _, s := range small {
		t.Errorf("too small for touch: %s", s)
	}

	// On a screen with a mouse, too, a long press selects.
	q := open(t, capture(t, tree, "other.wim"))
	q.Touchscreen()
	if q.Has("checkbox", "Select readme.txt") {
		t.Error("boxes are shown although there is a mouse")
	}
	q.Hold("gridcell", "readme.txt")
	q.Tap("gridcell", "utf16.txt")
	q.Sees("2 selected")
	q.Click("gridcell", "readme.txt")
	q.Gone("checkbox", "Select readme.txt")
}
