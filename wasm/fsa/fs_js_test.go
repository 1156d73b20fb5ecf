package fsa

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hack-pad/hackpadfs"
	"github.com/hack-pad/hackpadfs/fstest"
)

// scratch returns an empty folder in the origin private file system.
func scratch(tb testing.TB) *FS {
	tb.Helper()
	origin, err := Origin()
	if err != nil {
		tb.Fatal(err)
	}
	name := fmt.Sprintf("test-%d-%d", time.Now().UnixNano(), scratchCount.Add(1))
	if err := origin.Mkdir(name, 0o777); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := origin.RemoveAll(name); err != nil {
			tb.Error(err)
		}
	})
	h, err := origin.dir(name)
	if err != nil {
		tb.Fatal(err)
	}
	return NewFS(h)
}

var scratchCount atomic.Int64

// TestHackpadFS runs the conformance tests of hackpadfs. A browser has no modes and cannot set times, so modes are not
// compared, apart from the folder bit, and the test that sets a time and reads it back is skipped by name.
func TestHackpadFS(t *testing.T) {
	options := fstest.FSOptions{
		Name:        "fsa",
		TestFS:      func(tb testing.TB) fstest.SetupFS { return scratch(tb) },
		Constraints: fstest.Constraints{FileModeMask: hackpadfs.ModeType &^ hackpadfs.ModeDir},
		ShouldSkip: func(f fstest.Facets) bool {
			return strings.HasSuffix(f.Name, "fs.Chtimes/change_access_and_modify_times")
		},
	}
	fstest.FS(t, options)
	fstest.File(t, options)
}
