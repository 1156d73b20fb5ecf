//go:build !linux && !windows

package main

import (
	"io/fs"
	"os"
	"syscall"

	"wimscope/wim/draft"
	"wimscope/wim/format"
)

// Open opens a file.
func (h hostFS) Open(name string) (fs.File, error) { return os.Open(h.path(name)) }

// FileFacts returns hard link information, and with want.Unix owner and mode.
func (h hostFS) FileFacts(name string, want draft.FactsWanted) (f draft.Facts, err error) {
	if st, ok := want.Info.Sys().(*syscall.Stat_t); ok {
		f.Device, f.Inode, f.Links = uint64(st.Dev), uint64(st.Ino), uint64(st.Nlink)
		if want.Unix {
			f.Unix = &format.UnixData{UID: uint32(st.Uid), GID: uint32(st.Gid), Mode: uint32(st.Mode), Rdev: uint32(st.Rdev)}
		}
	}
	return f, nil
}

// usableMemory returns 0: it is not known here.
func usableMemory() int64 { return 0 }

// freeSpace returns false: it is not known here.
func freeSpace(string) (n int64, ok bool) { return 0, false }
