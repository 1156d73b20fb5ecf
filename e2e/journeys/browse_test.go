package journeys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/e2e/browser"
	"wimscope/wim/wimtest"
)

// open starts a browser and drops an archive on the page.
func open(t *testing.T, paths ...string) *browser.Page {
	t.Helper()
	p := browser.Open(t, dist, browser.Options{})
	p.Drop(paths...)
	p.Find("grid", "Contents of …")
	return p
}

// walk goes from the image's root down into folders.
func walk(p *browser.Page, folders ...string) {
	for _, name := range folders {
		p.DoubleClick("gridcell", name)
		p.Find("grid", "Contents of …/"+name)
	}
}

// TestBrowse opens an archive and browses it by mouse, by address and by the browser's own buttons.
func TestBrowse(t *testing.T) {
	tree := source(t)
	p := open(t, capture(t, tree, "install.wim", "--check"))
	p.Sees("install.wim")
	p.Sees("LZX")

	// Every entry of the root is listed.
	entries, err := os.ReadDir(tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !p.Has("gridcell", e.Name()) {
			t.Errorf("%s is not listed", e.Name())
		}
	}
	p.DoubleClick("gridcell", "Windows")
	p.Find("gridcell", "notepad.txt")
	p.DoubleClick("gridcell", "Deep")
	p.DoubleClick("gridcell", "er")
	p.Click("gridcell", "st.bin")
	p.Find("heading", "st.bin")
	p.Sees("200,000 bytes")
	p.Until("the address to say where this is", `decodeURIComponent(location.hash).includes("/Windows/Deep/er")`)

	// Back and forward in the browser.
	p.Eval(`void history.back()`)
	p.Find("gridcell", "er")
	p.Eval(`void history.forward()`)
	p.Find("gridcell", "st.bin")

	// The path bar goes up, and so does Alt+Up.
	p.Click("button", "Windows")
	p.Find("gridcell", "notepad.txt")
	p.Focus("grid", "Contents of …")
	p.Press("Alt+Up")
	p.Find("gridcell", "readme.txt")

	// The folder tree goes to any folder.
	p.Click("treeitem", "Windows")
	p.Find("gridcell", "settings.xml")

	// Sorting and filtering.
	first := func() string { return p.All("gridcell", "")[0].Name }
	p.Click("button", "Size")
	p.Click("button", "Size")
	p.Until("the largest file to be first", firstCell("Deep", "notepad.txt"))
	p.Click("button", "Name")
	p.Type("textbox", "Filter this folder by name", "note")
	p.Gone("gridcell", "settings.xml")
	if got := first(); got != "notepad.txt" {
		t.Errorf("the filter leaves %q first", got)
	}
	p.Type("textbox", "Filter this folder by name", "nothing has this name")
	p.Sees("No name here matches")
	p.Type("textbox", "Filter this folder by name", "")
	p.Find("gridcell", "settings.xml")

	// The other tabs.
	p.Click("link", "Images")
	p.Find("heading", "Test image…")
	p.Click("link", "Details")
	p.Find("heading", "XML document")
	p.Sees("<NAME>Test image</NAME>")
	p.Sees("MSWIM")
	p.Click("link", "Files")
	p.Find("gridcell", "settings.xml")
}

// firstCell returns a script that is true when the first rows, folders before files, have these names.
func firstCell(names ...string) string {
	return `(() => { const cells = [...document.querySelectorAll('[role=gridcell].name')].map((c) => c.textContent.trim());
		return ` + strings.ReplaceAll(`["`+strings.Join(names, `","`)+`"]`, `\`, `\\`) + `.every((n, i) => cells[i] === n); })()`
}

// TestSearch finds names in all images; identical files are grouped.
func TestSearch(t *testing.T) {
	tree := source(t)
	wim := capture(t, tree, "install.wim")
	appendImage(t, tree, wim, "Second image")
	p := open(t, wim)
	p.Type("combobox", "Search all images, or type > for commands", "readme.txt")
	p.Press("Enter")
	p.Find("listbox", "Search results")
	p.Sees("2 hits")
	p.Find("option", "readme.txt…")
	p.Focus("listbox", "Search results")

	p.Type("combobox", "Search all images, or type > for commands", "*.xml")
	p.Sees("settings.xml")
	p.Gone("option", "readme.txt…")
	p.Click("option", "…settings.xml…")
	p.Find("heading", "settings.xml")

	p.Type("combobox", "Search all images, or type > for commands", "no such name")
	p.Sees("0 hits")
}

// TestPreview shows text in its encoding, XML, pictures and bytes.
func TestPreview(t *testing.T) {
	p := open(t, capture(t, source(t), "install.wim"))
	preview := func(name string) {
		t.Helper()
		p.Click("gridcell", name)
		p.Find("heading", name)
		p.Click("button", "Preview")
		p.Find("region", "Preview of "+name)
	}
	preview("readme.txt")
	p.Sees("Second line: äöü €.")
	p.Sees("UTF-8")
	p.Click("button", "Hex")
	p.Sees("52 65 61 64")
	p.Type("textbox", "Go to offset, decimal or hexadecimal with 0x", "0x10")
	p.Press("Enter")
	p.Sees("offset 0x00000010")
	p.Click("button", "Close preview")

	preview("utf16.txt")
	p.Sees("Wide")
	p.Sees("UTF-16LE")
	p.Press("Escape")
	p.Find("gridcell", "utf16.txt")

	walk(p, "Windows")
	preview("picture.png")
	p.Find("image", "Picture picture.png")
	p.Until("the picture to be drawn", `document.querySelector(".picture img").naturalWidth === 1`)
	p.Click("button", "Close preview")
	preview("settings.xml")
	p.Sees("<settings>")
	p.Click("button", "Close preview")
	p.Click("gridcell", "empty.log")
	p.Find("heading", "empty.log")
}

// TestSave saves one file to a picked location, and as a download if the browser has no picker.
func TestSave(t *testing.T) {
	tree := source(t)
	wim := capture(t, tree, "install.wim")
	p := open(t, wim)
	out := filepath.Join(p.Dir, "out")
	if err := os.Mkdir(out, 0o777); err != nil {
		t.Fatal(err)
	}
	p.PickSave(out, "")
	walk(p, "Windows", "Deep", "er")
	p.Click("gridcell", "st.bin")
	p.Find("heading", "st.bin")
	p.Click("button", "Save file")
	p.Sees("done")
	sameFile(t, filepath.Join(tree, "Windows", "Deep", "er", "st.bin"), filepath.Join(out, "st.bin"))

	// With the keyboard, and dismissed: nothing happens, and no error is shown.
	p.DismissPickers()
	p.Focus("grid", "Contents of …")
	p.Press("Control+S")
	if p.Has("alert", "") {
		t.Error("a dismissed picker was reported as an error")
	}

	q := browser.Open(t, dist, browser.Options{})
	q.NoPickers()
	q.Go("/")
	q.Drop(wim)
	q.Click("gridcell", "readme.txt")
	q.Find("heading", "readme.txt")
	q.Click("button", "Save file")
	sameFile(t, filepath.Join(tree, "readme.txt"), q.Download())
}

// TestEarlyDrop drops an archive before the program has loaded.
func TestEarlyDrop(t *testing.T) {
	gate := make(chan struct{})
	p := browser.Open(t, dist, browser.Options{Hold: map[string]<-chan struct{}{"/page.wasm": gate}})
	p.Drop(capture(t, source(t), "early.wim"))
	p.Sees("early.wim: opens as soon as Wimscope has loaded.")
	close(gate)
	p.Find("gridcell", "readme.txt")
}

// TestRecent opens an archive again, through the handle that the browser kept.
func TestRecent(t *testing.T) {
	p := browser.Open(t, dist, browser.Options{})
	wim := filepath.Join(p.Dir, "kept.wim")
	if err := os.Rename(capture(t, source(t), "kept.wim"), wim); err != nil {
		t.Fatal(err)
	}
	p.Drop(wim)
	p.Find("gridcell", "readme.txt")
	p.Go("/")
	p.Click("button", "kept.wim…")
	p.Find("gridcell", "readme.txt")

	// The address restores the place by itself, as long as the browser allows it.
	walk(p, "Windows")
	p.Click("gridcell", "notepad.txt")
	p.Until("the address to say where this is", `decodeURIComponent(location.hash).includes("/Windows")`)
	p.Eval(`void location.reload()`)
	p.Gone("gridcell", "notepad.txt")
	p.Find("gridcell", "notepad.txt")
}

// TestSample opens the page's own sample.
func TestSample(t *testing.T) {
	p := browser.Open(t, dist, browser.Options{})
	p.Click("button", "Try the sample")
	p.Find("grid", "Contents of …")
	if rows := p.All("gridcell", ""); len(rows) < 4 {
		t.Errorf("the sample lists %d cells", len(rows))
	}
}

// TestLong opens an archive longer than 4 GiB, whose blobs are all beyond that offset.
func TestLong(t *testing.T) {
	tree := source(t)
	long := filepath.Join(t.TempDir(), "long.wim")
	if err := wimtest.Stretch(long, capture(t, tree, "install.wim"), 5<<30); err != nil {
		t.Fatal(err)
	}
	p := open(t, long)
	p.Sees("5.37 GB")
	p.Click("gridcell", "readme.txt")
	p.Click("button", "Preview")
	p.Sees("Second line: äöü €.")
	p.Click("button", "Close preview")
	out := outFolder(t, p, "out")
	p.PickSave(out, "")
	extract(p, "Extract image", "ZIP file")
	finished(t, p)
	same(t, "ZIP", snap(t, tree), unzip(t, only(t, out, ".zip")), wimtest.Times)
}
