// Package firefox holds that the product works in Debian's Firefox ESR too, which has neither pickers nor handles.
package firefox

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/e2e/browser"
	"wimscope/server/site"
	"wimscope/wim/wimtest"
)

func TestSmoke(t *testing.T) {
	wimtest.Need(t, "firefox-esr", "node", wimtest.Wimlib)
	root := browser.Root()
	if _, err := os.Stat(filepath.Join(root, "e2e", "node_modules", "puppeteer-core")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("npm packages are missing: make tools")
	}
	build := exec.Command("go", "run", "./web/build", "-fast")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	server := httptest.NewServer(site.New(os.DirFS(filepath.Join(root, "dist"))))
	defer server.Close()

	dir := t.TempDir()
	tree, downloads := filepath.Join(dir, "tree"), filepath.Join(dir, "downloads")
	for _, d := range []string{filepath.Join(tree, "Windows"), downloads, filepath.Join(root, browser.Artifacts)} {
		if err := os.MkdirAll(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	content := strings.Repeat("What Firefox saves.\n", 20_000)
	if err := os.WriteFile(filepath.Join(tree, "Windows", "saved.log"), []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	wim := filepath.Join(dir, "install.wim")
	wimtest.MustRun(t, "", wimtest.Wimlib, "capture", tree, wim, "Test image", "--no-acls")

	cmd := exec.Command("node", "smoke.mjs", server.URL, wim, downloads, "Windows", "saved.log", filepath.Join(root, browser.Artifacts, "firefox.png"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, &stderr)
	}
	var said struct{ Errors, Violations []string }
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(said.Errors)+len(said.Violations) > 0 {
		t.Errorf("errors %q, violations of the policy %q", said.Errors, said.Violations)
	}
	got, err := os.ReadFile(filepath.Join(downloads, "saved.log"))
	if err != nil || string(got) != content {
		t.Errorf("saved %d bytes of %d, or others: %v", len(got), len(content), err)
	}
}
