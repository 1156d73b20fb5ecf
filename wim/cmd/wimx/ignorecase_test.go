//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

// TestIgnoreCaseLikeWimlib compares both programs with many values of WIMLIB_IMAGEX_IGNORE_CASE.
func TestIgnoreCaseLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	tree, archive, changed := filepath.Join(dir, "tree"), filepath.Join(dir, "a.wim"), filepath.Join(dir, "changed.wim")
	if err := wimtest.Random(1, nil).Write(tree); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, "File"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", tree, archive, "--compress=none")
	for _, value := range []string{"0", "1", "no", "yes", "No", "YES", "true", "on", "2", "00", " 1", "", "ja"} {
		t.Setenv("WIMLIB_IMAGEX_IGNORE_CASE", value)
		for _, line := range []string{
			"dir @ 1 --path=/fiLe", "dir @ 1 --path=/File", "extract @ 1 /fiLe --to-stdout", "extract @ 1 /Fi* --to-stdout",
			"extract @ 1 /FI* --to-stdout --nullglob", "info @", "verify @", "update # 1 --command=delete_/fiLe",
		} {
			args := strings.Fields(strings.NewReplacer("@", archive, "#", changed).Replace(line))
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "delete_", "delete ")
			}
			copyFile(t, archive, changed)
			cmd := exec.Command(wimtest.Wimlib, args...)
			want, _ := cmd.Output()
			copyFile(t, archive, changed)
			got, errs, code := wimx(dir, args...)
			if wantCode := cmd.ProcessState.ExitCode(); code != wantCode {
				t.Errorf("%q, %s: status %d, want %d\n%s", value, line, code, wantCode, errs)
			}
			if line[0] != 'v' && line[0] != 'u' && got != string(want) { // those two show progress
				t.Errorf("%q, %s: %q, want %q", value, line, got, want)
			}
		}
	}
}
