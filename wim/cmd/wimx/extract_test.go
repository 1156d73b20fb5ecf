//go:build !js

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/wim/wimtest"
)

// TestExtractLikeWimlib extracts random selections of archives with both programs.
func TestExtractLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("tree ", seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			archive := filepath.Join(dir, "a.wim")
			if err := wimtest.Random(seed, nil).Write(filepath.Join(dir, "tree")); err != nil {
				t.Fatal(err)
			}
			wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", "tree", archive, "--compress=XPRESS")
			var paths []string
			for p := range strings.Lines(mustWimx(t, "dir", archive)) {
				p = strings.TrimSuffix(p, "\n")
				if p != "" && !strings.ContainsAny(p, `*?"\`) && strings.TrimSpace(p) == p && p[0] == '/' {
					paths = append(paths, p)
				}
			}
			r := rand.New(rand.NewPCG(seed, 1))
			pick := func() string { return paths[r.IntN(len(paths))] }
			for i, args := range [][]string{
				{pick()},
				{pick(), pick(), pick(), "--preserve-dir-structure"},
				{"/*", "--nullglob"},
				{"/*/*", "--nullglob"},
				{"@list"},
				{"@list", "/*l*", "--nullglob", "--preserve-dir-structure"},
				{pick(), "--no-globs"},
				{},
			} {
				list := strings.Join([]string{"; a list", pick(), "  " + pick() + "  ", "# " + pick(), strings.ReplaceAll(pick(), "/", `\`)}, "\n")
				if err := os.WriteFile(filepath.Join(dir, "list"), []byte(list), 0o644); err != nil {
					t.Fatal(err)
				}
				for k := range args {
					if args[k] == "@list" {
						args[k] = "@" + filepath.Join(dir, "list")
					}
				}
				ours, theirs := filepath.Join(dir, fmt.Sprint("ours", i)), filepath.Join(dir, fmt.Sprint("theirs", i))
				line := append([]string{"extract", archive, "1"}, args...)
				if _, errs, code := wimx(dir, append(line, "--dest-dir="+ours)...); code != 0 {
					t.Fatalf("%q: status %d\n%s", args, code, errs)
				}
				if _, err := wimtest.Run(dir, wimtest.Wimlib, append(line, "--dest-dir="+theirs)...); err != nil {
					t.Fatal(err)
				}
				want, err := wimtest.Snap(theirs)
				if err != nil {
					t.Fatal(err)
				}
				got, err := wimtest.Snap(ours)
				if err != nil {
					t.Fatal(err)
				}
				look := wimtest.Aspect(wimtest.Usual)
				if len(args) > 0 {
					look |= wimtest.NoRoot // a target that is not a folder of the image has the current time
				}
				if d := wimtest.Diff(want, got, look); d != nil {
					t.Errorf("%q, list %q:\n%s", args, list, strings.Join(d, "\n"))
				}
			}
		})
	}
}

// TestUnixDataLikeWimlib applies owners, modes, pipes and extended attributes with both programs.
func TestUnixDataLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib, "mkfifo", "setfattr")
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := wimtest.Random(4, nil).Write(tree); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{
		"mkfifo tree/pipe", "chmod 2751 tree", "mkdir tree/sticky", "chmod 1777 tree/sticky", "ln tree/pipe tree/pipe2",
	} {
		w := strings.Fields(c)
		wimtest.MustRun(t, dir, w[0], w[1:]...)
	}
	if err := os.WriteFile(filepath.Join(tree, "attributes"), []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	xattrs := true
	for _, name := range []string{"attributes", "sticky"} {
		cmd := exec.Command("setfattr", "-n", "user.test", "-v", "value of "+name, filepath.Join(tree, name))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Logf("this file system keeps no extended attributes: %s", out)
			xattrs = false
		}
	}
	if os.Getuid() == 0 {
		if err := os.Lchown(filepath.Join(tree, "attributes"), 12, 34); err != nil {
			t.Fatal(err)
		}
		wimtest.MustRun(t, dir, "mknod", "tree/null", "c", "1", "3")
	}
	archive := filepath.Join(dir, "u.wim")
	wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", tree, archive, "--unix-data", "--norpfix")
	mustWimx(t, "apply", archive, "1", filepath.Join(dir, "ours"), "--unix-data", "--strict-acls")
	wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", archive, "1", filepath.Join(dir, "theirs"), "--unix-data")
	snaps := map[string]wimtest.Snapshot{}
	for _, name := range []string{"tree", "ours", "theirs"} {
		s, err := wimtest.Snap(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		snaps[name] = s
	}
	if d := wimtest.Diff(snaps["theirs"], snaps["ours"], wimtest.Unix); d != nil {
		t.Errorf("unlike wimlib's:\n%s", strings.Join(d, "\n"))
	}
	if d := wimtest.Diff(snaps["tree"], snaps["ours"], wimtest.Unix); d != nil {
		t.Errorf("unlike what was captured:\n%s", strings.Join(d, "\n"))
	}
	if xattrs && len(snaps["ours"]["attributes"].Xattrs) != 1 {
		t.Error("the comparison saw no extended attribute")
	}
}
