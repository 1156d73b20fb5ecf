package journeys

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"wimscope/e2e/browser"
	"wimscope/wim/wimtest"
)

// outFolder makes a folder that the page may write to.
func outFolder(t *testing.T, p *browser.Page, name string) string {
	t.Helper()
	dir := filepath.Join(p.Dir, name)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// extract completes the dialog for the selection, or for the whole image.
func extract(p *browser.Page, button, destination string) {
	p.Click("button", button)
	p.Find("dialog", "Extract …")
	p.Click("radio", destination+"…")
	p.Enabled("button", "Extract")
	p.Click("button", "Extract")
}

// finished waits for a job's end and reads its report, which opens by itself if something was skipped or marked.
func finished(t *testing.T, p *browser.Page) string {
	t.Helper()
	p.Until("the job to end", `document.querySelector("dialog#report") !== null ||
		[...document.querySelectorAll("button")].some((b) => b.textContent === "Show report")`)
	if !p.Has("dialog", "Extracting …") {
		p.Click("button", "Show report")
	}
	report := p.Text("dialog", "Extracting …")
	p.Click("button", "Done")
	return report
}

// TestExtractImage writes a whole image in every format and compares all of it with the source folder.
func TestExtractImage(t *testing.T) {
	tree := source(t)
	want := snap(t, tree)
	for _, form := range []struct {
		name    string
		options []string
	}{
		{"none", []string{"--compress=none"}},
		{"XPRESS", []string{"--compress=XPRESS"}},
		{"LZX", nil},
		{"solid LZMS", []string{"--solid"}},
	} {
		t.Run(form.name, func(t *testing.T) {
			p := open(t, capture(t, tree, "install.wim", form.options...))
			out := outFolder(t, p, "out")
			p.PickSave(out, "")

			extract(p, "Extract image", "ZIP file")
			finished(t, p)
			same(t, "ZIP", want, unzip(t, only(t, out, ".zip")), wimtest.Times)
			p.Click("button", "Dismiss")

			extract(p, "Extract image", "TAR file")
			finished(t, p)
			same(t, "TAR", want, untar(t, only(t, out, ".tar")), wimtest.Times|wimtest.Groups)
			p.Click("button", "Dismiss")

			folder := outFolder(t, p, "folder")
			p.PickFolder(folder)
			extract(p, "Extract image", "Folder")
			report := finished(t, p)
			got := snap(t, folder)
			if sub, err := os.ReadDir(folder); err == nil && len(sub) == 1 && want[sub[0].Name()] == nil {
				got = below(got, sub[0].Name()) // a folder of its own inside the chosen one
			}
			// A browser cannot make links: each one is reported as skipped.
			left := wimtest.Snapshot{}
			for path, fact := range want {
				if fact.Type == "link" {
					if !strings.Contains(report, path) {
						t.Errorf("the link %s was skipped and the report does not say so", path)
					}
					continue
				}
				left[path] = fact
			}
			same(t, "folder", left, got, 0)
		})
	}
}

// only returns the one file in a folder whose name ends in suffix.
func only(t *testing.T, dir, suffix string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d files %s in %s: %v", len(found), suffix, dir, err)
	}
	return found[0]
}

// TestExtractSelection extracts one folder and one file.
func TestExtractSelection(t *testing.T) {
	tree := source(t)
	p := open(t, capture(t, tree, "install.wim"))
	out := outFolder(t, p, "out")
	p.PickSave(out, "")
	p.Click("gridcell", "Windows")
	p.ClickWith("gridcell", "readme.txt", kb.ModifierCtrl)
	extract(p, "Extract", "ZIP file")
	finished(t, p)
	want := wimtest.Snapshot{}
	for path, fact := range snap(t, tree) {
		if path == "." || path == "readme.txt" || path == "Windows" || strings.HasPrefix(path, "Windows/") {
			want[path] = fact
		}
	}
	same(t, "selection", want, unzip(t, only(t, out, ".zip")), wimtest.Times)
}

// TestExtractDownload runs without a picker: the ZIP is assembled in the origin private file system and downloaded.
func TestExtractDownload(t *testing.T) {
	tree := source(t)
	wim := capture(t, tree, "install.wim")
	p := browser.Open(t, dist, browser.Options{})
	p.NoPickers()
	p.Go("/")
	p.Drop(wim)
	p.Find("gridcell", "readme.txt")
	extract(p, "Extract image", "ZIP file")
	same(t, "downloaded ZIP", snap(t, tree), unzip(t, p.Download()), wimtest.Times)
}

// cancel cancels the running job.
func cancel(p *browser.Page) {
	p.Find("progressbar", "…")
	p.Click("button", "Cancel")
	p.Gone("progressbar", "…")
	p.Sees("cancelled")
}

// TestCancelExtract cancels an extraction halfway: no partial output remains.
func TestCancelExtract(t *testing.T) {
	p := open(t, capture(t, large(t), "large.wim", "--compress=LZMS"))
	out := outFolder(t, p, "out")
	p.PickSave(out, "")
	extract(p, "Extract image", "ZIP file")
	cancel(p)
	empty(t, out)

	folder := outFolder(t, p, "folder")
	p.PickFolder(folder)
	extract(p, "Extract image", "Folder")
	cancel(p)
	empty(t, folder)
}

// TestSteady watches the buttons of a job that finds damage, in a wide window and in a narrow one: whatever appears
// beside them, they do not move.
func TestSteady(t *testing.T) {
	wim := capture(t, large(t), "large.wim", "--compress=LZMS")
	damage(t, wim, 1<<20, 64)
	p := open(t, wim)
	p.Click("link", "Verify")
	for _, width := range []int64{1360, 800, 320} {
		p.Size(width, 720)
		p.Eval(`void (() => {
			const seen = window.testPlaces = { Pause: new Set(), Cancel: new Set(), noted: 0 };
			const look = () => {
				const job = document.querySelector(".tray .job:last-child");
				if (job && job.querySelector(".meter")) {
					for (const b of job.querySelectorAll("button")) {
						const r = b.getBoundingClientRect();
						const place = [r.left, r.top, r.width, r.height].map(Math.round).join(" ");
						seen[b.innerText.trim() === "Cancel" ? "Cancel" : "Pause"].add(place);
					}
					if (/[1-9] problem/.test(job.innerText)) seen.noted++;
				}
				if (window.testPlaces === seen) requestAnimationFrame(look);
			};
			look();
		})()`)
		p.Click("button", "Verify …")
		p.Find("progressbar", "…")
		p.Click("button", "Pause")
		p.Click("button", "Resume")
		p.Gone("progressbar", "…")
		var seen struct {
			Pause, Cancel []string
			Noted         int
		}
		if err := json.Unmarshal(p.Eval(`({ Pause: [...testPlaces.Pause], Cancel: [...testPlaces.Cancel], Noted: testPlaces.noted })`), &seen); err != nil {
			t.Fatal(err)
		}
		if len(seen.Cancel) != 1 || len(seen.Pause) != 1 || seen.Noted == 0 {
			t.Errorf("%d wide: Cancel was at %q, Pause at %q, problems were shown %d times", width, seen.Cancel, seen.Pause, seen.Noted)
		}
		p.Click("button", "Dismiss")
	}
}
