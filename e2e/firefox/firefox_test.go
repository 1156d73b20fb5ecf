// Package firefox checks that the product works in Debian's Firefox ESR, which has neither pickers nor handles.
package firefox

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"wimscope/e2e/browser"
	"wimscope/server/site"
	"wimscope/wim/wimtest"
)

var build = sync.OnceValues(func() ([]byte, error) {
	cmd := exec.Command("go", "run", "./web/build", "-fast")
	cmd.Dir = browser.Root()
	return cmd.CombinedOutput()
})

// serve builds the page once, serves it and returns its address. Without Firefox or its driver the test is skipped.
func serve(t *testing.T) string {
	t.Helper()
	wimtest.Need(t, "firefox-esr", "node", wimtest.Wimlib)
	root := browser.Root()
	if _, err := os.Stat(filepath.Join(root, "e2e", "node_modules", "puppeteer-core")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("npm packages are missing: run make tools")
	}
	if out, err := build(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if err := os.MkdirAll(filepath.Join(root, browser.Artifacts), 0o777); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(site.New(os.DirFS(filepath.Join(root, "dist"))))
	t.Cleanup(server.Close)
	return server.URL
}

func picture(name string) string {
	return filepath.Join(browser.Root(), browser.Artifacts, name+".png")
}

// result is what a script reports about the page.
type result struct {
	Errors, Violations []string
	Caps, Text         string
	Messages           map[string]string
	Memory             map[string]int64
}

// drive runs a script, and fails the test if the page misbehaved.
func drive(t *testing.T, script string, args ...string) result {
	t.Helper()
	cmd := exec.Command("node", append([]string{script}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, &stderr)
	}
	var s result
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(s.Errors)+len(s.Violations) > 0 {
		t.Errorf("errors %q, policy violations %q", s.Errors, s.Violations)
	}
	return s
}

// archive captures a file Windows/saved.log and returns the archive and the file's content.
func archive(t *testing.T) (wim, content string) {
	t.Helper()
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := os.MkdirAll(filepath.Join(tree, "Windows"), 0o777); err != nil {
		t.Fatal(err)
	}
	content = strings.Repeat("What Firefox saves.\n", 20_000)
	if err := os.WriteFile(filepath.Join(tree, "Windows", "saved.log"), []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	wim = filepath.Join(dir, "install.wim")
	wimtest.MustRun(t, "", wimtest.Wimlib, "capture", tree, wim, "Test image", "--no-acls")
	return wim, content
}

// TestSmoke opens, browses and saves in a plain Firefox, with all site data blocked, and in a private window. In the
// last two the page reports what it cannot do and assembles results in memory.
func TestSmoke(t *testing.T) {
	url := serve(t)
	const memory, disk = "results are assembled in memory", "Results are assembled on disk, where the browser has"
	const forgets, remembers = "the theme and the widths of panes are reset each time", "The theme and the widths of panes are remembered."
	for _, x := range []struct {
		name, prefs string
		says        []string
	}{
		{"plain", `{}`, []string{disk, remembers}},
		{"blocked", `{"network.cookie.cookieBehavior": 2}`, []string{memory, forgets}},
		{"private", `{"browser.privatebrowsing.autostart": true}`, []string{memory, remembers}},
	} {
		t.Run(x.name, func(t *testing.T) {
			wim, content := archive(t)
			downloads := t.TempDir()
			s := drive(t, "smoke.mjs", url, wim, downloads, "Windows", "saved.log", picture("firefox-"+x.name), x.prefs)
			for _, want := range x.says {
				if !strings.Contains(s.Caps, want) {
					t.Errorf("the page lacks %q:\n%s", want, s.Caps)
				}
			}
			got, err := os.ReadFile(filepath.Join(downloads, "saved.log"))
			if err != nil || string(got) != content {
				t.Errorf("saved %d bytes, want %d, or they differ: %v", len(got), len(content), err)
			}
		})
	}
}

// TestWithoutWebAssembly disables WebAssembly: the page reports that, not that the browser is too old.
func TestWithoutWebAssembly(t *testing.T) {
	s := drive(t, "off.mjs", serve(t), t.TempDir(), picture("firefox-without-wasm"))
	if !strings.Contains(s.Text, "WebAssembly is switched off in this browser") || !strings.Contains(s.Text, "javascript.options.wasm") || strings.Contains(s.Text, "This browser is too old") {
		t.Errorf("the page shows\n%s", s.Text)
	}
}

// large captures a file Windows/large.bin that keeps workers busy, and returns the archive.
func large(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	folder := filepath.Join(dir, "tree", "Windows")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	content := make([]byte, megabytes<<20)
	rand.NewChaCha8([32]byte{}).Read(content)
	if err := os.WriteFile(filepath.Join(folder, "large.bin"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	wim := filepath.Join(dir, "install.wim")
	wimtest.MustRun(t, "", wimtest.Wimlib, "capture", filepath.Dir(folder), wim, "Test image", "--no-acls", "--compress=XPRESS")
	return wim
}

// TestChanged removes, truncates and replaces an archive while it is open: the page reports it, with the name of the
// archive.
func TestChanged(t *testing.T) {
	s := drive(t, "changed.mjs", serve(t), large(t, 24), "Windows", "large.bin", t.TempDir(), picture("firefox-changed"))
	for trial, want := range map[string]string{
		"removed": "install.wim is gone", "cut": "install.wim was truncated", "replaced": "install.wim was truncated",
	} {
		for _, where := range []string{", verify", ", preview"} {
			if got := s.Messages[trial+where]; !strings.HasPrefix(got, want) {
				t.Errorf("%s%s: the page shows %q, want %q", trial, where, got, want)
			}
		}
	}
}

// TestMemory closes an archive after verifying it: only the spare worker remains, and the memory of the others is
// freed.
func TestMemory(t *testing.T) {
	m := drive(t, "memory.mjs", serve(t), large(t, 64), t.TempDir(), picture("firefox-memory")).Memory
	grown, left := m["verified"]-m["start"], m["closed"]-m["start"]
	t.Logf("%d MB at the start, %d when verified with %d workers, %d when closed", m["start"]>>20, m["verified"]>>20, m["verifiedWorkers"], m["closed"]>>20)
	if m["verifiedWorkers"] < 2 || grown < 50<<20 {
		t.Errorf("verifying took %d bytes and %d workers: the difference is too small to measure", grown, m["verifiedWorkers"])
	}
	if m["closedWorkers"] != 1 || left > grown/2 {
		t.Errorf("%d workers remain after the archive is closed, and %d bytes of %d", m["closedWorkers"], left, grown)
	}
}
