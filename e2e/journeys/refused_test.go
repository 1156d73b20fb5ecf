package journeys

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wimscope/e2e/browser"
)

// asWindows rejects the names in folders that Chromium on Windows rejects: those with an extension that it considers
// dangerous. It also rejects one that is in none of our lists, as a newer browser may.
const asWindows = `
	const refused = /\.(ocx|cfg|dll|drv|ini|manifest|mof|sys|future)$/i;
	for (const method of ["getFileHandle", "getDirectoryHandle"]) {
		const plain = FileSystemDirectoryHandle.prototype[method];
		FileSystemDirectoryHandle.prototype[method] = function (name, ...rest) {
			if (refused.test(name)) return Promise.reject(new TypeError("Failed to execute '" + method + "' on 'FileSystemDirectoryHandle': Name is not allowed."));
			return plain.call(this, name, ...rest);
		};
	}`

// TestRefusedNames extracts to a folder what a browser on Windows does not let a page write there: the page warns
// before, reports every skipped name afterwards, and everything else is complete. A ZIP has everything.
func TestRefusedNames(t *testing.T) {
	tree := source(t)
	refused := []string{
		"Windows/System32/ntdll.dll", "Windows/System32/NULL.SYS", "Windows/win.ini", "Windows/Web/desktop.ini",
		"Windows/Start.lnk", // which Chromium rejects everywhere
		"Windows/x.manifest/inside.txt",
	}
	unforeseen := "Windows/odd.future"
	written := []string{"Windows/System32/notepad.exe", "Windows/setup.cmd", "Windows/x~31bf3856ad364e35~amd64~~10.0.cat", "Windows/twin.txt"}
	for i, name := range append(append(append([]string{}, refused...), unforeseen), written...) {
		path := filepath.Join(tree, filepath.FromSlash(name))
		content := strings.Repeat(name, 100*i)
		if strings.HasSuffix(name, "ntdll.dll") || strings.HasSuffix(name, "twin.txt") {
			content = "one content under two names, of which one is refused"
		}
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	wim := capture(t, tree, "install.wim")

	p := browser.Open(t, dist, browser.Options{})
	p.OnWindows()
	p.InWorkers(asWindows)
	p.Go("/")
	p.Drop(wim)
	p.Find("grid", "Contents of …")
	folder := outFolder(t, p, "folder")
	p.PickFolder(folder)
	p.Click("button", "Extract image")
	p.Find("dialog", "Extract …")
	p.Click("radio", "Folder…")
	p.Sees("This browser cannot write")
	p.Sees("A ZIP file keeps them all.")
	p.Click("button", "Show the names")
	list := p.Text("dialog", "Extract …")
	for _, name := range refused {
		if !strings.Contains(list, "/"+name) {
			t.Errorf("%s is not in the list of names that cannot be written:\n%s", name, list)
		}
	}
	for _, name := range append([]string{unforeseen}, written...) {
		if strings.Contains(list, "/"+name) {
			t.Errorf("%s is listed as refused:\n%s", name, list)
		}
	}
	p.Axe("the list of names that cannot be written")
	p.Enabled("button", "Extract")
	p.Click("button", "Extract")
	report := finished(t, p)

	want := snap(t, tree)
	notAllowed := regexp.MustCompile(`(?i)\.(ocx|cfg|dll|drv|ini|manifest|mof|sys|future|lnk)(/|$)`)
	n := 0
	for path, fact := range want {
		listed := strings.Contains(report+"\n", "/"+path+"\n")
		switch left := notAllowed.MatchString(path) || fact.Type == "link"; {
		case left && !listed && fact.Type != "dir":
			t.Errorf("%s was skipped and the report does not say so:\n%s", path, report)
		case !left && listed:
			t.Errorf("the report names %s, which was written", path)
		case left:
			delete(want, path)
			n++
		}
	}
	if n <= len(refused) {
		t.Errorf("only %d names were refused", n)
	}
	got := snap(t, folder)
	if sub, err := os.ReadDir(folder); err == nil && len(sub) == 1 {
		got = below(got, sub[0].Name())
	}
	same(t, "folder", want, got, 0)

	// The alternative that the dialog offers keeps all of them.
	p.Click("button", "Dismiss")
	out := outFolder(t, p, "out")
	p.PickSave(out, "")
	extract(p, "Extract image", "ZIP file")
	finished(t, p)
	same(t, "ZIP", snap(t, tree), unzip(t, only(t, out, ".zip")), 0)
}
