package draft

import (
	"fmt"
	"io/fs"
	"path"
	"testing"
	"time"

	"wimscope/wim/config"
)

// bigFS is a tree of many files that has only names, sizes and times, like a folder in a browser.
type bigFS struct {
	folders map[string][]fs.DirEntry
}

type bigEntry struct {
	name string
	dir  bool
}

func (e *bigEntry) Name() string               { return e.name }
func (e *bigEntry) IsDir() bool                { return e.dir }
func (e *bigEntry) Type() fs.FileMode          { return e.Mode().Type() }
func (e *bigEntry) Info() (fs.FileInfo, error) { return e, nil }
func (e *bigEntry) Size() int64                { return int64(len(e.name)) }
func (e *bigEntry) ModTime() time.Time         { return time.Unix(1_600_000_000, 0) }
func (e *bigEntry) Sys() any                   { return nil }
func (e *bigEntry) Mode() fs.FileMode {
	if e.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

func (f *bigFS) Open(name string) (fs.File, error)          { return nil, fs.ErrPermission }
func (f *bigFS) ReadDir(name string) ([]fs.DirEntry, error) { return f.folders[name], nil }
func (f *bigFS) Stat(name string) (fs.FileInfo, error)      { return &bigEntry{name, true}, nil }

func newBigFS(folders, files int) *bigFS {
	f := &bigFS{map[string][]fs.DirEntry{}}
	add := func(at, name string, dir bool) string {
		f.folders[at] = append(f.folders[at], &bigEntry{name, dir})
		return path.Join(at, name)
	}
	for i := range folders {
		p := add(add(".", "a folder of some name", true), fmt.Sprintf("folder %04d", i), true)
		f.folders["."] = f.folders["."][:1] // it was there already
		for j := range files {
			add(p, fmt.Sprintf("a file of some name %06d.%d.txt", j, i), false)
		}
	}
	return f
}

// BenchmarkScan scans a hundred thousand files, 100 in a folder, none of which the default list excludes. Bytes are those of the metadata
// resource.
func BenchmarkScan(b *testing.B) {
	f := newBigFS(1000, 99)
	for b.Loop() {
		d, _, err := Scan(nil, f, ".", &ScanOptions{Config: config.DefaultCapture()})
		if err != nil || d.Len() != 100_002 {
			b.Fatal(err, d.Len())
		}
	}
}
