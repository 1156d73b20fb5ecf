package journeys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/e2e/browser"
)

// look is a size and colour scheme of the page.
type look struct {
	name          string
	scheme        string
	width, height int64
}

var looks = []look{
	{"light", "light", 1360, 860},
	{"dark", "dark", 1360, 860},
	{"narrow", "light", 320, 720},
}

// TestScreens visits every screen, light, dark and narrow, keeps a screenshot, and checks it with axe-core.
func TestScreens(t *testing.T) {
	tree := source(t)
	wim := capture(t, tree, "install.wim", "--check")
	appendImage(t, tree, wim, "Second image")
	p := browser.Open(t, dist, browser.Options{})
	each := func(screen string) { t.Helper(); lookAt(p, screen) }
	each("start")

	p.Drop(wim)
	p.Find("gridcell", "readme.txt")
	p.Click("treeitem", "Windows")
	p.Click("gridcell", "notepad.txt")
	p.Find("heading", "Where it is stored")
	each("files")
	p.Click("button", "Preview")
	p.Find("region", "Preview of notepad.txt")
	p.Sees("All work and no play.")
	each("preview-text")
	p.Click("button", "Hex")
	p.Find("group", "Bytes of notepad.txt")
	each("preview-hex")
	p.Click("button", "Close preview")

	p.Type("combobox", "Search all images, or type > for commands", ">")
	p.Find("listbox", "Commands")
	each("commands")
	p.Type("combobox", "Search all images, or type > for commands", "*.txt")
	p.Press("Enter")
	p.Find("option", "readme.txt…")
	each("search")
	p.Click("button", "Back")

	p.Click("button", "Extract image")
	p.Find("dialog", "Extract …")
	p.Enabled("button", "Extract")
	each("extract")
	p.Click("button", "Cancel")

	p.Click("link", "Images")
	p.Find("heading", "2 images")
	each("images")
	p.Click("link", "Verify")
	each("verify-before")
	p.Click("button", "Verify everything")
	p.Find("heading", "OK: …")
	each("verify")
	p.Click("link", "Details")
	p.Find("heading", "XML document")
	each("details")
	p.Press("Escape")
	p.Click("button", "Keyboard shortcuts")
	p.Find("dialog", "Keyboard shortcuts")
	each("shortcuts")
}

// lookAt checks a screen in each look.
func lookAt(p *browser.Page, screen string) {
	for _, l := range looks {
		p.Media(l.scheme)
		p.Size(l.width, l.height)
		p.Axe(screen + ", " + l.name)
		p.Screenshot(screen + "-" + l.name)
		p.Fits(screen + ", " + l.name)
	}
	p.Media("light")
	p.Size(1360, 860)
}

// TestScreensOfTrouble does the same for the screens that report problems.
func TestScreensOfTrouble(t *testing.T) {
	tree := source(t)
	wim := capture(t, tree, "install.wim", "--compress=none", "--check")
	appendImage(t, tree, wim, "Second image")
	content, err := os.ReadFile(wim)
	if err != nil {
		t.Fatal(err)
	}
	damage(t, wim, int64(strings.Index(string(content), "All work and no play."))+5, 3)
	letter, stranger := filepath.Join(t.TempDir(), "letter.txt"), capture(t, filepath.Join(tree, "Windows"), "stranger.wim")
	if err := os.WriteFile(letter, []byte("Dear reader,\nthis is a letter.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := open(t, wim)
	p.Click("link", "Verify")
	p.Click("button", "Verify everything")
	p.Find("heading", "1 blob is damaged…")
	lookAt(p, "damaged")
	p.PickSave(outFolder(t, p, "out"), "")
	extract(p, "Extract image", "ZIP file")
	p.Find("dialog", "Extracting …")
	lookAt(p, "report")
	p.Click("button", "Done")
	p.Drop(letter)
	p.Sees("letter.txt is not a Windows image")
	lookAt(p, "problem")
	p.Drop(wim, stranger)
	p.Find("dialog", "2 archives: which one do you want to open?")
	lookAt(p, "choice")
}

// TestKeyboard opens, browses, previews and extracts without a mouse.
func TestKeyboard(t *testing.T) {
	p := open(t, capture(t, source(t), "install.wim"))
	p.Focus("grid", "Contents of …")
	p.Press("Home")
	p.Press("w") // typing moves to names with this beginning
	p.Press("i")
	p.Press("n")
	p.Until("the folder to be current", current("Windows"))
	p.Press("Enter")
	p.Find("gridcell", "notepad.txt")
	p.Press("End")
	p.Until("the last entry to be current", current("settings.xml"))
	p.Press("Enter")
	p.Find("region", "Preview of settings.xml")
	p.Press("Escape")
	p.Find("gridcell", "notepad.txt")
	p.Press("Alt+Up")
	p.Find("gridcell", "readme.txt")
	p.Press("Control+A")
	p.Press("Control+E")
	p.Find("dialog", "Extract …")
	p.Press("Escape")
	p.Gone("dialog", "Extract …")
	p.Press("Alt+3")
	p.Find("button", "Verify everything")
	p.Press("Alt+1")
	p.Find("gridcell", "readme.txt")
	p.Press("Control+K")
	p.Until("the search to have the keyboard", `document.activeElement.id === "search"`)
	p.Press("Escape")
	p.Press("F6")
	p.Until("a pane to have the keyboard", `document.activeElement !== document.body`)
}

// current returns a script that is true when the list's current row has this name.
func current(name string) string {
	return `(() => { const row = document.getElementById(document.querySelector('[role=grid]').getAttribute('aria-activedescendant'));
		return row !== null && row.querySelector('.name').textContent.trim() === "` + name + `"; })()`
}
