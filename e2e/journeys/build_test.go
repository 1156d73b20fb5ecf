package journeys

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wimscope/e2e/browser"
	"wimscope/wim/wimtest"
)

// builder opens a page that writes archives through the engine's protocol, on the site itself: there are no screens
// for it yet.
func builder(t *testing.T) *browser.Page {
	t.Helper()
	site := t.TempDir()
	link := func(from string) {
		from, err := filepath.Abs(from)
		if err == nil {
			err = os.Symlink(from, filepath.Join(site, filepath.Base(from)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	built, err := os.ReadDir(dist)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range built {
		link(filepath.Join(dist, e.Name()))
	}
	for _, name := range []string{"../bench/web/engine.js", "../bench/web/build.js", "testdata/build.html", "testdata/build-page.js"} {
		link(name)
	}
	p := browser.Open(t, site, browser.Options{})
	p.Patience = 3 * time.Minute
	p.Go("/build.html")
	return p
}

// built is the page's report on an archive that it wrote.
type built struct {
	Draft struct{ Files, Dirs, SkippedN int }
	Plan  struct {
		Name string
		Size int64
	}
	Report struct {
		OK         bool
		WrittenLen int64
	}
	Written int64
	Stages  []string
}

func build(t *testing.T, p *browser.Page, request string) built {
	t.Helper()
	var b built
	if err := json.Unmarshal(p.Eval("window.build("+request+")"), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBuildArchive makes an archive of a dropped folder, saves it, and opens it again: the page and wimlib both
// extract every byte of it. Then another folder is appended to it in place.
func TestBuildArchive(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	tree := source(t)
	p := builder(t)
	in := filepath.Join(p.Dir, "in")
	if err := os.Rename(tree, in); err != nil {
		t.Fatal(err)
	}
	want := snap(t, in)
	out := outFolder(t, p, "out")

	p.PickFolder(in)
	p.PickSave(out, "")
	b := build(t, p, `{ options: { codec: "LZX", integrity: true }, image: "First" }`)
	if n := p.Requests("/builder.wasm"); n != 1 {
		t.Errorf("the program that builds was loaded %d times for three workers", n)
	}
	archive := filepath.Join(out, "built.wim")
	info, err := os.Stat(archive)
	if err != nil {
		t.Fatal(err)
	}
	if !b.Report.OK || b.Written != info.Size() || b.Report.WrittenLen != info.Size() || b.Draft.SkippedN > 0 || b.Plan.Name != "built.wim" || b.Plan.Size == 0 {
		t.Errorf("the page reported %+v for %d bytes", b, info.Size())
	}
	awaitFiles(t, out, 1)
	wimtest.MustRun(t, "", wimtest.Wimlib, "verify", archive)
	asSeen(t, "what wimlib takes out", want, applied(t, archive, "1"))

	second := filepath.Join(p.Dir, "second")
	if err := wimtest.Random(17, &wimtest.TreeOptions{Plain: true, Entries: 40, Size: 100_000}).Write(second); err != nil {
		t.Fatal(err)
	}
	for name, b := range wimtest.Windows10().Files() {
		name = filepath.Join(second, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.PickOpen(archive)
	p.PickFolder(second)
	build(t, p, `{ options: { integrity: true }, image: "Second", base: true }`)
	awaitFiles(t, out, 1)
	if info := wimtest.MustRun(t, "", wimtest.Wimlib, "info", archive, "2"); !bytes.Contains(info, []byte("Build:                  19045")) {
		t.Errorf("wimlib's info does not have the Windows build\n%s", info)
	}
	wimtest.MustRun(t, "", wimtest.Wimlib, "verify", archive)
	asSeen(t, "the first image", want, applied(t, archive, "1"))
	asSeen(t, "the second image", snap(t, second), applied(t, archive, "2"))

	p.Patience = 30 * time.Second
	p.Go("/")
	p.Drop(archive)
	p.Click("link", "Images")
	p.Click("button", "Read the registry Windows 10 Pro…")
	p.Sees("10.0.19045.3803")
	p.Sees("vb_release")
	p.Click("link", "Files")
	zips := outFolder(t, p, "zips")
	p.PickSave(zips, "")
	extract(p, "Extract image", "ZIP file")
	finished(t, p)
	asSeen(t, "what the page takes out", want, unzip(t, only(t, zips, ".zip")))
}

// asSeen compares the result with the source folder, as far as a page sees one: no links, no times of folders, and
// times of files in milliseconds.
func asSeen(t *testing.T, what string, want, got wimtest.Snapshot) {
	t.Helper()
	seen := wimtest.Snapshot{}
	for path, fact := range want {
		if fact.Type != "link" {
			plain := *fact
			plain.Links = ""
			seen[path] = &plain
		}
	}
	same(t, what, seen, got, 0)
	for path, fact := range got {
		if w := seen[path]; w != nil && fact.Type == "file" && fact.Time.UnixMilli() != w.Time.UnixMilli() {
			t.Errorf("%s: %s has the time %v, want %v", what, path, fact.Time, w.Time)
		}
	}
}

// applied extracts an image with wimlib.
func applied(t *testing.T, archive, image string) wimtest.Snapshot {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "applied")
	wimtest.MustRun(t, "", wimtest.Wimlib, "apply", archive, image, dir)
	return snap(t, dir)
}

// TestCancelBuild stops the writing of an archive halfway: no partial file remains.
func TestCancelBuild(t *testing.T) {
	tree := large(t)
	p := builder(t)
	in := filepath.Join(p.Dir, "in")
	if err := os.Rename(tree, in); err != nil {
		t.Fatal(err)
	}
	out := outFolder(t, p, "out")
	p.PickFolder(in)
	p.PickSave(out, "")
	p.Eval(`void (window.ended = "", build({ options: { codec: "LZMS" }, image: "Never" }).then(() => { ended = "whole"; }, (e) => { ended = e.message; }))`)
	p.Until("something to be packed", `window.building?.stage === "pack" && window.building.bytes > 0`)
	p.Eval(`cancelBuild()`)
	p.Until("the end", `ended !== ""`)
	if got := string(p.Eval(`ended`)); got != `"cancelled"` {
		t.Errorf("ended with: %s", got)
	}
	empty(t, out)
}
