//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner sets the owner and group of the file that f replaces, as far as the user may: root can set both, others only one
// of their own groups.
func keepOwner(f *os.File, old fs.FileInfo) {
	st, ok := old.Sys().(*syscall.Stat_t)
	if ok && f.Chown(int(st.Uid), int(st.Gid)) != nil {
		_ = f.Chown(-1, int(st.Gid))
	}
}
