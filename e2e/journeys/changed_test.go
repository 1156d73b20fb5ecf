package journeys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wimscope/e2e/browser"
)

// random captures a file large.bin of that many megabytes of noise.
func random(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "large.bin"), noise(megabytes<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	return capture(t, dir, "install.wim", "--compress=XPRESS")
}

// TestChanged removes, truncates and replaces an archive while it is open: the page reports it, with the name of the
// archive, whatever it was doing.
func TestChanged(t *testing.T) {
	wim := random(t, 24)
	p := browser.Open(t, dist, browser.Options{})
	out := outFolder(t, p, "out")
	for _, x := range []struct {
		name, says string
		spoil      func(path string, content []byte) error
	}{
		{"removed", "install.wim is gone", func(path string, _ []byte) error { return os.Remove(path) }},
		{"cut", "install.wim was truncated", func(path string, content []byte) error { return os.Truncate(path, int64(len(content)/2)) }},
		{"replaced", "install.wim was replaced", func(path string, content []byte) error {
			if err := os.WriteFile(path+".new", append(content, 1), 0o644); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}},
		{"written to", "install.wim was replaced", func(path string, content []byte) error {
			time.Sleep(1100 * time.Millisecond) // browsers compare the time of the last change
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt(make([]byte, 1<<20), 1<<20)
				f.Close()
			}
			return err
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			p.For(t)
			content, err := os.ReadFile(wim)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(p.Dir, strings.ReplaceAll(x.name, " ", "-"))
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "install.wim")
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
			p.Drop(path)
			p.Find("gridcell", "large.bin")
			p.PickSave(out, x.name+".zip")
			if err := x.spoil(path, content); err != nil {
				t.Fatal(err)
			}
			p.Click("gridcell", "large.bin")
			p.Click("button", "Hex")
			p.Until("the preview", `document.querySelector("#goto, .preview [role=alert]") !== null`)
			if p.Has("textbox", "Go to offset…") { // what the worker has read before is shown; it has not read the middle of the file
				p.Type("textbox", "Go to offset…", "20000000")
				p.Press("Enter")
			}
			p.Until("what the preview says", `document.querySelector(".preview [role=alert]")?.innerText.includes(`+"`"+x.says+"`"+`)`)
			p.Press("Escape")
			extract(p, "Extract image", "ZIP file")
			p.Until("the job to fail", `new RegExp("`+x.name+`\\.zip\\s+`+x.says+`").test(document.querySelector(".tray")?.innerText)`)
			p.Click("button", "Dismiss")
			p.Click("link", "Verify")
			p.Click("button", "Verify everything")
			p.Find("heading", x.says)
			p.Screenshot("changed-" + x.name)
			p.Click("button", "Close this archive")
			p.Find("button", "Open a file")
		})
	}
	p.For(t)
	empty(t, out)
}

// TestMemory closes an archive after verifying it: only the spare worker remains, and the memory of the others is
// freed.
func TestMemory(t *testing.T) {
	wim := random(t, 64)
	p := browser.Open(t, dist, browser.Options{})
	p.Worker("wimscope")
	time.Sleep(3 * time.Second) // the warm-up runs
	memory := func() int64 {
		n, err := p.Memory()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	start := memory()
	p.Drop(wim)
	p.Click("link", "Verify")
	p.Click("button", "Verify everything")
	p.Find("heading", "OK: …")
	verified, workers := memory(), len(p.Workers())
	p.Click("button", "Close this archive")
	p.Find("button", "Open a file")
	var closed int64
	left := 0
	for range 40 { // the browser frees memory late
		time.Sleep(250 * time.Millisecond)
		closed, left = memory(), len(p.Workers())
		if left == 1 && closed-start < (verified-start)/4 {
			break
		}
	}
	t.Logf("%d MB at the start, %d when verified with %d workers, %d when closed", start>>20, verified>>20, workers, closed>>20)
	if workers < 2 || verified-start < 50<<20 {
		t.Errorf("verifying took %d bytes and %d workers: the difference is too small to measure", verified-start, workers)
	}
	if left != 1 || closed-start > (verified-start)/2 {
		t.Errorf("%d workers remain after the archive is closed, and %d bytes of %d", left, closed-start, verified-start)
	}
}
