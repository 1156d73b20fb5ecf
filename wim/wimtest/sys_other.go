//go:build !linux

package wimtest

import (
	"io/fs"
	"time"
)

// setLinkTime does nothing where the standard library cannot set a link's own time; links are compared by target there.
func setLinkTime(string, time.Time) error { return nil }

// inode knows no hard links here.
func inode(fs.FileInfo) (id [2]uint64, links uint64, uid, gid int) { return id, 1, 0, 0 }

func xattrs(string) []string { return nil }
