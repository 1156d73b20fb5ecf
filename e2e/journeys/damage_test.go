package journeys

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wimscope/e2e/browser"
	"wimscope/wim/wimtest"
)

// large makes a tree that takes a while: text that compresses well, so that little is read and much is unpacked.
func large(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "large")
	tree := wimtest.Random(8, &wimtest.TreeOptions{Plain: true, Entries: 300, Size: 1_500_000})
	if err := tree.Write(dir); err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("the quick brown fox jumps over the lazy dog; ", 20)
	for i := range 24 {
		var b strings.Builder
		for n := 0; b.Len() < 8<<20; n++ {
			b.WriteString(line[n%97:])
			b.WriteString(time.Duration(n * i * 7919).String())
		}
		if err := os.WriteFile(filepath.Join(dir, "big"+string(rune('a'+i))+".txt"), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// noise returns bytes that no codec makes smaller.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

// TestVerify finds an intact archive intact, and saves the report.
func TestVerify(t *testing.T) {
	wim := capture(t, source(t), "install.wim", "--check")
	p := open(t, wim)
	p.Click("link", "Verify")
	p.Click("button", "Verify everything")
	p.Find("heading", "OK: …")
	p.Sees("Integrity table matches")
	p.Find("image", "Map of the archive: …")

	p.Click("button", "Save as text")
	if text, err := os.ReadFile(p.Download()); err != nil || !strings.Contains(string(text), "install.wim") {
		t.Errorf("the report is %q, %v", text, err)
	}
	p.Click("button", "Save as JSON")
	var report struct{ OK bool }
	text, err := os.ReadFile(p.Download())
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	if err != nil || !report.OK {
		t.Errorf("the report is %q, %v", text, err)
	}

	// The checksum of the whole file, compared with a published one.
	p.Click("button", "Compute SHA-256")
	sum := sha256Of(t, wim)
	p.Sees(sum)
	p.Type("textbox", "Published SHA-256", strings.ToUpper(sum))
	p.Sees("Equal: install.wim is the published file.")
	p.Type("textbox", "Published SHA-256", strings.Repeat("0", 64))
	p.Sees("Different: this is not the published file.")
	p.Type("textbox", "Published SHA-256", "abc")
	p.Sees("Not a SHA-256")
}

// TestVerifyDamaged reports every path that uses a damaged blob, in both images, and still extracts the rest.
func TestVerifyDamaged(t *testing.T) {
	tree := source(t)
	wim := capture(t, tree, "install.wim", "--compress=none", "--check")
	appendImage(t, tree, wim, "Second image")
	content, err := os.ReadFile(wim)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(content), "All work and no play.")
	if at < 0 {
		t.Fatal("the text to damage is not in the archive")
	}
	damage(t, wim, int64(at)+5, 3)

	p := open(t, wim)
	p.Click("link", "Verify")
	p.Click("button", "Verify everything")
	p.Find("heading", "1 blob is damaged…")
	p.Sees("/Windows/notepad.txt")
	p.Sees("Integrity table does not match")

	p.Click("button", "Save as JSON")
	report, err := os.ReadFile(p.Download())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(report), "/Windows/notepad.txt"); n < 2 {
		t.Errorf("the report names the damaged file %d times, it is in two images", n)
	}

	// Without recovery the damaged file is skipped and reported; everything else is complete.
	p.Click("link", "Files")
	out := outFolder(t, p, "out")
	p.PickSave(out, "without.zip")
	extract(p, "Extract image", "ZIP file")
	if report := finished(t, p); !strings.Contains(report, "/Windows/notepad.txt") || !strings.Contains(report, "damaged") {
		t.Errorf("the report does not name the skipped file:\n%s", report)
	}
	want := snap(t, tree)
	delete(want, "Windows/notepad.txt")
	got := unzip(t, filepath.Join(out, "without.zip"))
	delete(got, "Windows/notepad.txt")
	same(t, "the rest", want, got, wimtest.Times)
}

// TestCancelVerify cancels and pauses a verification.
func TestCancelVerify(t *testing.T) {
	p := open(t, capture(t, large(t), "large.wim", "--compress=LZMS"))
	p.Click("link", "Verify")
	p.Click("button", "Verify everything")
	p.Click("button", "Pause")
	p.Sees("paused")
	p.Click("button", "Resume")
	cancel(p)
	// The archive is as open as before.
	p.Click("link", "Files")
	p.Find("gridcell", "biga.txt")
}

// TestSplit opens a set of parts with one missing, and accepts that part when it is dropped.
func TestSplit(t *testing.T) {
	tree := source(t)
	wim := capture(t, tree, "install.wim")
	dir := t.TempDir()
	wimtest.MustRun(t, dir, wimtest.Wimlib, "split", wim, filepath.Join(dir, "install.swm"), "0.05")
	parts, err := filepath.Glob(filepath.Join(dir, "*.swm"))
	if err != nil || len(parts) < 3 {
		t.Fatalf("%d parts: %v", len(parts), err)
	}
	missing := filepath.Join(dir, "install3.swm")
	var others []string
	for i := len(parts) - 1; i >= 0; i-- { // not in order
		if parts[i] != missing {
			others = append(others, parts[i])
		}
	}
	p := open(t, others...)
	p.Sees("Part 3 of")
	p.Sees("is missing: drop install3.swm")
	p.Drop(missing)
	p.Until("nothing to be missing", `!document.body.innerText.includes("is missing")`)
	out := outFolder(t, p, "out")
	p.PickSave(out, "")
	extract(p, "Extract image", "ZIP file")
	finished(t, p)
	same(t, "split", snap(t, tree), unzip(t, only(t, out, ".zip")), wimtest.Times)
}

// TestDelta opens an archive without the one that it is based on, and then with it.
func TestDelta(t *testing.T) {
	tree := source(t)
	base := capture(t, tree, "base.wim")
	changed := filepath.Join(t.TempDir(), "changed")
	wimtest.MustRun(t, "", "cp", "-a", tree, changed)
	if err := os.WriteFile(filepath.Join(changed, "new.txt"), []byte("only in the delta\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	delta := capture(t, changed, "delta.wim", "--delta-from="+base)

	p := open(t, delta)
	p.Click("gridcell", "new.txt")
	p.Find("heading", "new.txt")
	p.Click("button", "Preview")
	p.Sees("only in the delta")
	p.Click("button", "Close preview")
	p.Click("gridcell", "readme.txt…")
	p.Click("button", "Preview")
	p.Sees("The data of readme.txt is in another archive")
	p.Press("Escape")

	p.Drop(base)
	p.Gone("gridcell", "readme.txtmissing")
	out := outFolder(t, p, "out")
	p.PickSave(out, "")
	extract(p, "Extract image", "ZIP file")
	finished(t, p)
	same(t, "delta", snap(t, changed), unzip(t, only(t, out, ".zip")), wimtest.Times)
}

// TestTogether drops archives that need each other, and some that do not, at the same time.
func TestTogether(t *testing.T) {
	tree := source(t)
	base := capture(t, tree, "base.wim")
	changed := filepath.Join(t.TempDir(), "changed")
	wimtest.MustRun(t, "", "cp", "-a", tree, changed)
	if err := os.WriteFile(filepath.Join(changed, "new.txt"), []byte("only in the delta\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	delta := capture(t, changed, "delta.wim", "--delta-from="+base)

	p := browser.Open(t, dist, browser.Options{})
	for _, files := range [][]string{{base, delta}, {delta, base}} {
		p.Drop(files...)
		p.Find("heading", "delta.wim")
		p.Find("gridcell", "new.txt")
		out := outFolder(t, p, "out-"+filepath.Base(files[0]))
		p.PickSave(out, "")
		extract(p, "Extract image", "ZIP file")
		finished(t, p)
		same(t, "delta", snap(t, changed), unzip(t, only(t, out, ".zip")), wimtest.Times)
		p.Click("button", "Dismiss")
		p.Click("button", "Close this archive")
		p.Find("heading", "Wimscope")
	}

	// Images in one archive, their blobs in another.
	parts, refs := sample(t, "metadata-only")
	p.Drop(refs[0], parts[0])
	p.Find("heading", "image.wim")
	p.Click("gridcell", "hello.txt")
	p.Click("button", "Preview")
	p.Sees("hello, world")
	p.Click("button", "Close this archive")

	// Unrelated archives: the user chooses one.
	other := capture(t, filepath.Join(tree, "Windows"), "other.wim")
	p.Drop(other, base)
	p.Find("dialog", "2 archives: which one do you want to open?")
	p.Axe("the choice of an archive")
	p.Click("button", "base.wim…")
	p.Find("heading", "base.wim")
	p.Find("gridcell", "readme.txt")
	p.Click("button", "Close this archive")

	// A file that is not an archive is ignored and reported.
	letter := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(letter, []byte("Dear reader,\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Drop(letter, other)
	p.Find("heading", "other.wim")
	p.Sees("1 file was ignored: letter.txt")
}

// TestRefused opens files that are not archives or cannot be read, and checks the messages.
func TestRefused(t *testing.T) {
	wim := capture(t, source(t), "cut.wim")
	info, err := os.Stat(wim)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(wim, info.Size()*2/3); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(text, []byte("Dear reader,\nthis is a letter.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	encrypted, _ := sample(t, "encrypted-marker")
	zip, _ := sample(t, "zip")
	iso, _ := sample(t, "iso")
	nothing, _ := sample(t, "empty")
	p := browser.Open(t, dist, browser.Options{})
	for _, test := range []struct {
		name string
		path string
		want []string
	}{
		{"text", text, []string{"letter.txt is not a Windows image", "It looks like text."}},
		{"zip", zip[0], []string{"is not a Windows image", "It looks like a ZIP file."}},
		{"iso", iso[0], []string{"is not a Windows image", "sources/install.wim"}},
		{"empty", nothing[0], []string{"is not a Windows image", "It is empty."}},
		{"truncated", wim, []string{"cut.wim is incomplete", "missing. The download"}},
		{"encrypted", encrypted[0], []string{"is encrypted", "Windows Update"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.Drop(test.path)
			for _, want := range test.want {
				p.Sees(want)
			}
			p.Axe("the message for " + test.name)
			p.Click("button", "Dismiss")
		})
	}
}

// TestNames saves the list of all files as CSV.
func TestNames(t *testing.T) {
	tree := source(t)
	p := open(t, capture(t, tree, "install.wim"))
	out := outFolder(t, p, "out")
	p.PickSave(out, "")
	p.Click("link", "Images")
	p.Click("button", "Save list of all files")
	awaitFiles(t, out, 1)
	list, err := os.ReadFile(only(t, out, ".csv"))
	if err != nil {
		t.Fatal(err)
	}
	for path, fact := range snap(t, tree) {
		if fact.Type == "file" && !strings.Contains(string(list), path) && !strings.Contains(path, `"`) {
			t.Errorf("%s is not in the list", path)
		}
	}
}
