//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"wimscope/wim/wimtest"
)

// fewFiles runs wimx in a process with at most n descriptors.
func fewFiles(t *testing.T, n int, args ...string) string {
	t.Helper()
	out, err := exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d && exec wimx "$@"`, n), "sh"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("wimx %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// deepTemp returns a folder in memory for trees of any depth, which os.RemoveAll cannot remove: it takes a descriptor per level.
func deepTemp(t *testing.T) string {
	t.Helper()
	dir := memoryDir(t)
	t.Cleanup(func() { // before memoryDir's
		if out, err := exec.Command("rm", "-rf", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

// down walks down a chain of nested folders and calls at in each, with its depth.
func down(t *testing.T, top string, levels int, at func(level int, r *os.Root) error) {
	t.Helper()
	r, err := os.OpenRoot(top)
	for level := 0; level < levels && err == nil; level++ {
		var next *os.Root
		if err = at(level, r); err == nil && level < levels-1 {
			next, err = r.OpenRoot("d")
		}
		r.Close()
		r = next
	}
	if err != nil {
		t.Fatal(err)
	}
}

// levelFacts describes the entries of a folder, without those below them.
func levelFacts(r *os.Root) (string, error) {
	dir, err := r.Open(".")
	if err != nil {
		return "", err
	}
	defer dir.Close()
	list, err := dir.ReadDir(-1)
	if err != nil {
		return "", err
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var lines []string
	for _, e := range append(list, nil) {
		name := "."
		if e != nil {
			name = e.Name()
		}
		fi, err := r.Lstat(name)
		if err != nil {
			return "", err
		}
		line := fmt.Sprint(name, fi.Mode(), fi.ModTime().UnixNano()/100) // an archive holds units of 100 ns
		switch st := fi.Sys().(*syscall.Stat_t); {
		case fi.Mode().IsRegular():
			b, err := r.ReadFile(name)
			if err != nil {
				return "", err
			}
			line += fmt.Sprintf(" %q, %d names", b, st.Nlink)
		case fi.Mode()&fs.ModeSymlink != 0:
			to, err := r.Readlink(name)
			if err != nil {
				return "", err
			}
			line += " to " + to
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"), nil
}

// TestDeepTree runs all verbs on a tree whose paths are longer than the kernel accepts, with 256 descriptors.
func TestDeepTree(t *testing.T) {
	const levels = 5000
	dir := deepTemp(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	when := time.Date(2020, 1, 2, 3, 4, 5, 600, time.UTC)
	if err := os.Mkdir(at("in"), 0o755); err != nil {
		t.Fatal(err)
	}
	down(t, at("in"), levels, func(level int, r *os.Root) error {
		if level < levels-1 {
			if err := r.Mkdir("d", 0o755); err != nil {
				return err
			}
		}
		if level%50 == 49 {
			if err := r.WriteFile("file", fmt.Appendf(nil, "content %d", level%4), 0o640); err != nil {
				return err
			}
			if err := r.Symlink("../d", "link"); err != nil {
				return err
			}
		}
		if level%1000 == 999 {
			if err := r.Link("file", "another name"); err != nil {
				return err
			}
			if err := r.Chmod(".", 0o711); err != nil {
				return err
			}
		}
		return nil
	})
	// Another name of a file, far away.
	if out, err := exec.Command("sh", "-c", `cd "$1" && ln -P "$2" far`, "sh", at("in"), strings.Repeat("d/", 999)+"file").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	down(t, at("in"), levels, func(_ int, r *os.Root) error { return r.Chtimes(".", when, when) })
	want := make([]string, levels)
	down(t, at("in"), levels, func(level int, r *os.Root) (err error) {
		want[level], err = levelFacts(r)
		return err
	})
	same := func(top string) {
		t.Helper()
		down(t, top, levels, func(level int, r *os.Root) error {
			got, err := levelFacts(r)
			if err == nil && got != want[level] {
				err = fmt.Errorf("level %d of %s:\n%s\nwant\n%s", level, top, got, want[level])
			}
			return err
		})
	}

	fewFiles(t, 256, "capture", at("in"), at("a.wim"), "--unix-data", "--compress=none")
	fewFiles(t, 256, "apply", at("a.wim"), "1", at("out"), "--unix-data")
	same(at("out"))
	fewFiles(t, 256, "apply", at("a.wim"), "1", at("out"), "--unix-data", "--recover-data") // onto what is there
	same(at("out"))
	fewFiles(t, 256, "verify", at("a.wim"))
	bottom := strings.Repeat("/d", levels-1)
	if list := fewFiles(t, 256, "dir", at("a.wim"), "1"); !strings.Contains(list, bottom+"/file\n") {
		t.Error("dir does not list the file at the bottom")
	}
	if err := os.WriteFile(at("new"), []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	fewFiles(t, 256, "append", at("in"), at("a.wim"), "again")
	fewFiles(t, 256, "update", at("a.wim"), "1", "--command=add "+at("new")+" "+bottom+"/added")
	fewFiles(t, 256, "update", at("a.wim"), "1", "--command=delete "+bottom+"/file")
	list := fewFiles(t, 256, "dir", at("a.wim"), "1")
	if !strings.Contains(list, bottom+"/added\n") || strings.Contains(list, bottom+"/file\n") {
		t.Error("update changed the wrong things at the bottom")
	}
	fewFiles(t, 256, "extract", at("a.wim"), "1", bottom+"/added", "--dest-dir="+at("one"), "--preserve-dir-structure")
	down(t, at("one"), levels, func(level int, r *os.Root) error {
		if level < levels-1 {
			return nil
		}
		_, err := r.Stat("added")
		return err
	})
	fewFiles(t, 256, "delete", at("a.wim"), "1")
	fewFiles(t, 256, "verify", at("a.wim"))
}

// TestManyFilesOfOneContent applies one content to many files that are not hard links, with few descriptors.
func TestManyFilesOfOneContent(t *testing.T) {
	const n = 3000
	dir := memoryDir(t)
	root := wimtest.Folder("")
	for i := range n {
		root.Children = append(root.Children, wimtest.TextFile(fmt.Sprint(i), "the same"))
	}
	name, out := filepath.Join(dir, "a.wim"), filepath.Join(dir, "out")
	if err := os.WriteFile(name, wimtest.One(root).Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, options := range [][]string{nil, {"--recover-data"}} {
		fewFiles(t, 32, append([]string{"apply", name, "1", out}, options...)...)
	}
	for i := range n {
		if b, err := os.ReadFile(filepath.Join(out, fmt.Sprint(i))); string(b) != "the same" {
			t.Fatalf("file %d: %q, %v", i, b, err)
		}
	}
}

// TestLongContentInManyFiles counts the open files while a content in several pieces is written.
func TestLongContentInManyFiles(t *testing.T) {
	const n = 3
	dir := memoryDir(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 70<<20/16)
	root := wimtest.Folder("")
	for i := range n {
		root.Children = append(root.Children, &wimtest.HandEntry{Name: fmt.Sprint(i), Data: data})
	}
	name, out := filepath.Join(dir, "a.wim"), filepath.Join(dir, "out")
	if err := os.WriteFile(name, wimtest.One(root).Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	most := 0
	w := planned(t, name, out)
	w.written = func() {
		open := 0
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Error(err)
		}
		for _, fd := range fds {
			if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, out+"/") {
				open++
			}
		}
		most = max(most, open)
	}
	folder, err := w.write()
	if err != nil {
		t.Fatal(err)
	}
	if most < 1 || most > 2 {
		t.Errorf("%d files are open at a time, want 1 or 2", most)
	}
	if folder.Bytes != int64(n*len(data)) || folder.Files != n {
		t.Errorf("%d files of %d bytes", folder.Files, folder.Bytes)
	}
	for i := range n {
		if b, err := os.ReadFile(filepath.Join(out, fmt.Sprint(i))); !bytes.Equal(b, data) {
			t.Errorf("file %d: %d bytes, %v", i, len(b), err)
		}
	}
}
