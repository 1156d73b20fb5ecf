package main

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"wimscope/wim/format"
)

// settable are the attributes that SetFileAttributes can set.
const settable = format.AttrReadOnly | format.AttrHidden | format.AttrSystem | format.AttrArchive | format.AttrNotContentIndexed | format.AttrTemporary | format.AttrOffline

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

func filetime(t format.Filetime) *syscall.Filetime {
	return &syscall.Filetime{LowDateTime: uint32(t), HighDateTime: uint32(t >> 32)}
}

// setFile sets the three times and the attributes of a file. Creation times of folders are not set.
func (m *meta) setFile(d *cachedDir, name string, f *os.File) error {
	if name != "." {
		if err := syscall.SetFileTime(syscall.Handle(f.Fd()), filetime(m.cre), filetime(m.acc), filetime(m.mod)); err != nil {
			return os.NewSyscallError("SetFileTime", err)
		}
	} else if err := d.root.Chtimes(name, moment(m.acc), moment(m.mod)); err != nil {
		return err
	}
	if m.attrs&settable == 0 {
		return nil
	}
	p, err := syscall.UTF16PtrFromString(filepath.Join(d.root.Name(), name))
	if err != nil {
		return err
	}
	return m.soft(os.NewSyscallError("SetFileAttributes", syscall.SetFileAttributes(p, m.attrs&settable)))
}

func (m *meta) setSymlink(*cachedDir, string) error { return nil }

// linkBetween is not supported: os.Root.Link does it.
func linkBetween(_ *cachedDir, _ string, _ *cachedDir, _ string) error { return errors.ErrUnsupported }

func (m *meta) makeSpecial(*cachedDir, string) error {
	return errors.New("device nodes, pipes and sockets can be created on Linux only")
}

// keepsUnix reports that --unix-data is not supported here.
const keepsUnix = false
