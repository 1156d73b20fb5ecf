//go:build !linux

package wimtest

import (
	"io/fs"
	"time"
)

// setLinkTime does nothing: the standard library cannot set the time of a link.
func setLinkTime(string, time.Time) error { return nil }

// inode does not detect hard links.
func inode(fs.FileInfo) (id [2]uint64, links uint64, uid, gid int) { return id, 1, 0, 0 }

func xattrs(string) []string { return nil }
