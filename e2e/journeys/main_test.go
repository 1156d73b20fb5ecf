// Package journeys runs users' journeys in a real Chromium: each one drops real files, finds controls by role and
// name, and compares every byte of the output with the input.
package journeys

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"wimscope/e2e/browser"
)

// dist is the built site, shared by all journeys.
var dist = filepath.Join(browser.Root(), "dist")

func TestMain(m *testing.M) {
	flag.Parse()
	build := exec.Command("go", "run", "./web/build", "-fast", "-out", dist)
	build.Dir = browser.Root()
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
