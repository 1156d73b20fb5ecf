//go:build !linux && !windows

package main

import (
	"errors"
	"math"
	"os"
	"time"

	"wimscope/wim/format"
)

// moment converts a time, clamped to the range of os.Chtimes.
func moment(t format.Filetime) time.Time {
	tm := t.Time()
	if tm.Year() < 1678 {
		return time.Unix(0, math.MinInt64)
	}
	if tm.Year() > 2261 {
		return time.Unix(0, math.MaxInt64)
	}
	return tm
}

// setFile sets owner, mode and times of an open file or folder.
func (m *meta) setFile(d *cachedDir, name string, f *os.File) error {
	if m.unix != nil {
		if err := m.soft(f.Chown(int(m.unix.UID), int(m.unix.GID))); err != nil {
			return err
		}
		if err := m.soft(f.Chmod(os.FileMode(m.unix.Mode & 0o777))); err != nil {
			return err
		}
	}
	return d.root.Chtimes(name, moment(m.acc), moment(m.mod))
}

// setSymlink sets the owner of a link. The standard library cannot set the times of a link here.
func (m *meta) setSymlink(d *cachedDir, name string) error {
	if m.unix != nil {
		return m.soft(d.root.Lchown(name, int(m.unix.UID), int(m.unix.GID)))
	}
	return nil
}

// linkBetween is not supported: os.Root.Link does it.
func linkBetween(_ *cachedDir, _ string, _ *cachedDir, _ string) error { return errors.ErrUnsupported }

func (m *meta) makeSpecial(*cachedDir, string) error {
	return errors.New("device nodes, pipes and sockets can be created on Linux only")
}

// keepsUnix reports that --unix-data is supported here, for owner and mode.
const keepsUnix = true
