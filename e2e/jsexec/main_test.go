package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/e2e/browser"
)

// TestProbe runs a package in Chromium with go test, and checks go test's output.
func TestProbe(t *testing.T) {
	if _, err := browser.Find(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	program := filepath.Join(t.TempDir(), "jsexec")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, test := range []struct {
		name, exec string
		env        []string
		ok         bool
		want       string
	}{
		{"worker", program, nil, true, "FuzzCorpus/seed"},
		{"as linked", program + " -aslinked", nil, true, "FuzzCorpus/seed"},
		{"page", program + " -page", []string{"WIMSCOPE_PROBE_PAGE=1"}, true, "PASS"},
		{"failure", program, []string{"WIMSCOPE_PROBE_FAIL=1"}, false, "as was asked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command("go", "test", "-count=1", "-v", "-exec", test.exec, "./testdata/probe")
			cmd.Env = append(os.Environ(), append(test.env, "GOOS=js", "GOARCH=wasm", "WIMSCOPE_PROBE=seen")...)
			out, err := cmd.CombinedOutput()
			if (err == nil) != test.ok || !strings.Contains(string(out), test.want) {
				t.Errorf("go test: %v, want success %v and %q in\n%s", err, test.ok, test.want, out)
			}
		})
	}
}
