//go:build !js

package apply_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wim"
	"wimscope/wim/apply"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
)

// plainTarget is a folder of the system, accessed through an os.Root, without links and times.
type plainTarget struct{ root *os.Root }

func (t plainTarget) Open(name string) (hackpadfs.File, error) { return t.root.Open(name) }

func (t plainTarget) OpenFile(name string, flag int, perm hackpadfs.FileMode) (hackpadfs.File, error) {
	return t.root.OpenFile(name, flag, perm)
}

func (t plainTarget) Stat(name string) (hackpadfs.FileInfo, error) { return t.root.Stat(name) }
func (t plainTarget) MkdirAll(name string, perm hackpadfs.FileMode) error {
	return t.root.MkdirAll(name, perm)
}
func (t plainTarget) Remove(name string) error    { return t.root.Remove(name) }
func (t plainTarget) RemoveAll(name string) error { return t.root.RemoveAll(name) }

// fullTarget has everything that a target can support.
type fullTarget struct{ plainTarget }

func (t fullTarget) Lstat(name string) (hackpadfs.FileInfo, error) { return t.root.Lstat(name) }

func (t fullTarget) Symlink(to, name string) error { return t.root.Symlink(to, name) }
func (t fullTarget) Link(to, name string) error    { return t.root.Link(to, name) }

func (t fullTarget) SetMeta(e *extract.Entry) error {
	if e.Kind == extract.EntrySymlink {
		return hackpadfs.ErrNotImplemented
	}
	return t.root.Chtimes(e.Path, e.Accessed.Time(), e.Modified.Time())
}

// fewLinks is a fullTarget that can link some files only.
type fewLinks struct{ fullTarget }

func (t fewLinks) Link(to, name string) error {
	if !strings.Contains(name, "large") {
		return errors.New("too many links")
	}
	return t.root.Link(to, name)
}

// folderArchive has a file of several pieces, a copy of it and links to it, links with all kinds of targets, and times.
func folderArchive(t *testing.T) *wim.Archive {
	t.Helper()
	large := bytes.Repeat([]byte("not quite zeros "), 20<<10)
	at := func(e *wimtest.HandEntry, n uint64) *wimtest.HandEntry {
		e.Modified, e.Accessed = n, n
		return e
	}
	file := func(name string, data []byte, link uint64) *wimtest.HandEntry {
		return at(&wimtest.HandEntry{Name: name, Data: data, Link: link}, 133594672891234567)
	}
	b := wimtest.One(wimtest.Folder("",
		at(wimtest.Folder("dir", at(wimtest.Folder("deep", file("large", large, 1), file("small 2", []byte("small"), 2)), 133000000001234567),
			file("large 2", large, 1), file("twin", large, 0)), 133100000001234567),
		file("small", []byte("small"), 2), file("empty", nil, 3), file("empty 2", nil, 3), file("other", []byte("small"), 0),
		wimtest.SymlinkEntry("link", `dir\deep`, true), wimtest.SymlinkEntry("out", `\outside`, true),
	)).Bytes()
	a, err := wim.Open([]blobs.Part{{Name: "a.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// toFolder extracts image 1 to a target.
func toFolder(a *wim.Archive, to hackpadfs.FS, o *apply.Options) (*apply.Folder, []extract.Problem, error) {
	im, err := a.Image(1)
	if err != nil {
		return nil, nil, err
	}
	p, err := extract.New(a, extract.Selection{Image: im}, &extract.Options{Form: extract.OutputFolder, PieceSize: 64 << 10})
	if err != nil {
		return nil, nil, err
	}
	f := apply.New(to, o)
	list, err := apply.Run(context.Background(), p, f, &shard.Options{Workers: 2, Progress: func(shard.Progress) {}})
	return f, list, err
}

func TestFolderTargets(t *testing.T) {
	a := folderArchive(t)
	for _, c := range []struct {
		name   string
		target func(*os.Root) hackpadfs.FS
		lost   apply.Lost
		bytes  int64    // of files that are no links
		links  []string // "name = file" for a hard link, "name > target" for a symbolic one
	}{
		{"full", func(r *os.Root) hackpadfs.FS { return fullTarget{plainTarget{r}} }, apply.Lost{Times: 2}, 2*320<<10 + 2*5,
			[]string{"dir/large 2 = dir/deep/large", "empty 2 = empty", "link > dir/deep", "out > outside", "small = dir/deep/small 2"}},
		{"few links", func(r *os.Root) hackpadfs.FS { return fewLinks{fullTarget{plainTarget{r}}} }, apply.Lost{Times: 2, HardLinks: 2}, 2*320<<10 + 3*5,
			[]string{"dir/large 2 = dir/deep/large", "link > dir/deep", "out > outside"}},
		{"plain", func(r *os.Root) hackpadfs.FS { return plainTarget{r} }, apply.Lost{Times: 10, HardLinks: 3, Symlinks: 2}, 3*320<<10 + 3*5, nil},
	} {
		for _, parallel := range []int{0, 8} {
			dir := t.TempDir()
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			f, problems, err := toFolder(a, c.target(root), &apply.Options{Parallel: parallel})
			root.Close()
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if f.Lost != c.lost || f.Files != 8 || f.Bytes != c.bytes || len(problems) != c.lost.Symlinks {
				t.Errorf("%s: %d files of %d bytes, lost %+v, want %d bytes, %+v; %v", c.name, f.Files, f.Bytes, f.Lost, c.bytes, c.lost, problems)
			}
			got, err := wimtest.Snap(dir)
			if err != nil {
				t.Fatal(err)
			}
			var links []string
			for p, x := range got {
				if x.Links != "" && x.Links != p {
					links = append(links, max(p, x.Links)+" = "+min(p, x.Links))
				}
				if x.Type == "link" {
					links = append(links, p+" > "+x.Target)
				}
			}
			slices.Sort(links)
			if !slices.Equal(links, c.links) {
				t.Errorf("%s: links %q, want %q", c.name, links, c.links)
			}
			for path, size := range map[string]int64{"dir/deep/large": 320 << 10, "dir/large 2": 320 << 10, "dir/twin": 320 << 10, "small": 5, "dir/deep/small 2": 5, "other": 5, "empty": 0, "empty 2": 0} {
				if x := got[path]; x == nil || x.Size != size || size > 5 && x.Sum != got["dir/twin"].Sum {
					t.Errorf("%s: %s is %+v", c.name, path, x)
				}
			}
			if c.links == nil {
				continue
			}
			for path, want := range map[string]format.Filetime{"dir": 133100000001234567, "dir/deep": 133000000001234567, "dir/deep/large": 133594672891234567, "small": 133594672891234567} {
				if x := got[path]; !x.Time.Equal(want.Time()) {
					t.Errorf("%s: time of %s is %v, want %v", c.name, path, x.Time, want.Time())
				}
			}
		}
	}
}

// TestFolderReplaces extracts twice to one folder: existing files are replaced, and a link in the path does not lead out of
// the folder.
func TestFolderReplaces(t *testing.T) {
	a := folderArchive(t)
	dir, elsewhere := t.TempDir(), t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for range 2 {
		if _, list, err := toFolder(a, fullTarget{plainTarget{root}}, nil); err != nil || len(list) > 0 {
			t.Fatal(list, err)
		}
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "dir")), os.Symlink(elsewhere, filepath.Join(dir, "dir")),
		os.WriteFile(filepath.Join(elsewhere, "kept"), []byte("kept"), 0o644),
		os.Remove(filepath.Join(dir, "other")), os.Symlink("empty", filepath.Join(dir, "other"))); err != nil {
		t.Fatal(err)
	}
	f, list, err := toFolder(a, fullTarget{plainTarget{root}}, nil)
	var got []string
	for _, p := range list {
		got = append(got, p.Path+" "+p.Reason)
	}
	want := []string{"/dir/ name-refused", "/dir/deep/ folder-refused", "/dir/deep/large folder-refused", "/dir/deep/small 2 folder-refused",
		"/dir/large 2 folder-refused", "/dir/twin folder-refused"}
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) || f.Lost.Names != len(want) {
		t.Errorf("with links in the way: %q, %v, %+v", got, err, f.Lost)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "other")); err != nil || string(b) != "small" {
		t.Errorf("other: %q, %v", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "empty")); err != nil || len(b) > 0 {
		t.Errorf("empty, to which other led: %q, %v", b, err)
	}
	if left, err := os.ReadDir(elsewhere); err != nil || len(left) != 1 {
		t.Errorf("%v was written outside, %v", left, err)
	}
}
