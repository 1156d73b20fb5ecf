package wim_test

import (
	"io/fs"
	"testing"

	"github.com/hack-pad/hackpadfs"
	hackfstest "github.com/hack-pad/hackpadfs/fstest"
	"github.com/hack-pad/hackpadfs/mem"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

// TestHackpadFS runs the tests of hackpadfs on images. Each test fills a file system in memory, which is written as a hand-made archive
// and opened as an image. Tests that write skip themselves, because that is not implemented.
func TestHackpadFS(t *testing.T) {
	o := hackfstest.FSOptions{
		Name: "wim",
		Setup: hackfstest.TestSetupFunc(func(tb testing.TB) (hackfstest.SetupFS, func() hackpadfs.FS) {
			from, err := mem.NewFS()
			if err != nil {
				tb.Fatal(err)
			}
			return from, func() hackpadfs.FS {
				return archivetest.OpenHand(tb, handEntry(tb, from, ".", "")).FS()
			}
		}),
	}
	hackfstest.FS(t, o)
	hackfstest.File(t, o)
}

// handEntry returns an entry of a file system with everything below it.
func handEntry(tb testing.TB, from fs.FS, path, name string) *wimtest.HandEntry {
	tb.Helper()
	info, err := fs.Stat(from, path)
	if err != nil {
		tb.Fatal(err)
	}
	unix := format.UnixData{Mode: 0o100000 | uint32(info.Mode().Perm())}
	e := &wimtest.HandEntry{Name: name, Modified: uint64(format.FiletimeOf(info.ModTime())), Dir: info.IsDir()}
	if e.Dir {
		unix.Mode ^= 0o140000
		list, err := fs.ReadDir(from, path)
		if err != nil {
			tb.Fatal(err)
		}
		for _, d := range list {
			below := d.Name()
			if path != "." {
				below = path + "/" + below
			}
			e.Children = append(e.Children, handEntry(tb, from, below, d.Name()))
		}
	} else if e.Data, err = fs.ReadFile(from, path); err != nil {
		tb.Fatal(err)
	}
	e.Items = []wimtest.HandItem{{Tag: format.TagUnixData, Data: unix.Append(nil)}}
	return e
}
