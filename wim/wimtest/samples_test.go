//go:build !js

package wimtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSamplesAgreeWithWimlib: wimlib reads the samples as described, so that they do not depend only on our own parsers.
func TestSamplesAgreeWithWimlib(t *testing.T) {
	Need(t, Wimlib)
	// Samples that wimlib 1.13 does not read as a tolerant reader should.
	differs := map[string]string{
		"split-solid-whole-tables": "it reads all solid resources from one file",
		"split-solid-own-tables":   "the same",
		"sha1-of-empty":            "it takes the hash for that of a missing blob",
		"very-deep":                "it refuses trees deeper than 16384",
		"cycle":                    "it refuses cycles",
		"cycle-to-root":            "the same",
		"list-far-away":            "it refuses lists outside the metadata",
		"list-negative":            "the same",
		"entry-too-long":           "it refuses entries that pass the end",
		"name-overflow":            "the same",
		"short-name-overflow":      "the same",
		"odd-name-length":          "it refuses odd lengths",
		"stream-overflow":          "it refuses streams that pass the end",
		"security-overflow":        "it refuses the whole image",
		"split-wrong-set":          "it accepts any archive as a reference",
		"images-lie":               "it refuses the archive",
		"encrypted-marker":         "it opens it and fails later",
	}
	for _, s := range Samples() {
		if why, ok := differs[s.Name]; ok {
			t.Logf("%s is not compared: %s", s.Name, why)
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			dir := t.TempDir()
			for _, p := range append(s.Parts, s.Refs...) {
				if err := os.WriteFile(filepath.Join(dir, p.Name), p.Bytes, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			args := []string{"verify", s.Parts[0].Name}
			for _, p := range append(s.Parts[1:], s.Refs...) {
				args = append(args, "--ref="+p.Name)
			}
			_, err := Run(dir, Wimlib, args...)
			good := s.Outcome == Opens || s.Outcome == Warns || s.Outcome == NeedsOthers && len(s.Refs) > 0
			if good != (err == nil) {
				t.Fatalf("outcome %q, but wimlib: %v", s.Outcome, err)
			}
			if !good || s.Files == nil || len(s.Files) == 0 {
				return
			}
			args[0] = "apply"
			args = append(args[:2], append([]string{"1", "out"}, args[2:]...)...)
			MustRun(t, dir, Wimlib, args...)
			for p, want := range s.Files {
				if strings.HasSuffix(p, "/") {
					if fi, err := os.Stat(dir + "/out" + p); err != nil || !fi.IsDir() {
						t.Errorf("%s is not a folder", p)
					}
					continue
				}
				got, err := os.ReadFile(dir + "/out" + p)
				if err != nil || string(got) != want {
					t.Errorf("%s: %d bytes, %v; want %d", p, len(got), err, len(want))
				}
			}
		})
	}
}
