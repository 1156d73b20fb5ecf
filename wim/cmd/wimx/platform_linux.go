package main

import (
	"fmt"
	"math"
	"os"
	"syscall"
	"unsafe"

	"wimscope/wim/format"
)

// Calls that package os lacks: times beyond the range of time.UnixNano, and everything that must not follow a link. Names are
// single path elements in an open folder.

const atSymlinkNofollow = 0x100 // AT_SYMLINK_NOFOLLOW

// timespec converts a time for the kernel. File systems clamp times that they cannot store.
func timespec(t format.Filetime) syscall.Timespec {
	tm := t.Time()
	var ts syscall.Timespec
	narrow(&ts.Sec, tm.Unix())
	narrow(&ts.Nsec, int64(tm.Nanosecond()))
	return ts
}

// narrow stores a number in the kernel's type on this machine, clamped to its range.
func narrow[T int32 | int64](to *T, v int64) {
	if *to = T(v); int64(*to) != v {
		*to = math.MaxInt32
		if v < 0 {
			*to = math.MinInt32
		}
	}
}

// setTimes sets access and modification time of name in the folder dir, without following a link. With name nil it sets those
// of the descriptor's file.
func (m *meta) setTimes(fd int, name *byte, flags int) error {
	ts := [2]syscall.Timespec{timespec(m.acc), timespec(m.mod)}
	_, _, errno := syscall.Syscall6(syscall.SYS_UTIMENSAT, uintptr(fd), uintptr(unsafe.Pointer(name)),
		uintptr(unsafe.Pointer(&ts[0])), uintptr(flags), 0, 0)
	if errno != 0 {
		return fmt.Errorf("setting times: %w", errno)
	}
	return nil
}

// setFile sets owner, mode, extended attributes and times of an open file or folder.
func (m *meta) setFile(_ *cachedDir, _ string, f *os.File) error {
	fd := int(f.Fd())
	if m.unix != nil {
		if err := m.soft(os.NewSyscallError("fchown", syscall.Fchown(fd, int(m.unix.UID), int(m.unix.GID)))); err != nil {
			return err
		}
		if err := m.soft(os.NewSyscallError("fchmod", syscall.Fchmod(fd, m.unix.Mode&0o7777))); err != nil {
			return err
		}
	}
	for _, x := range m.xattrs {
		if err := m.soft(setXattr(fmt.Sprintf("/proc/self/fd/%d", fd), x)); err != nil {
			return err
		}
	}
	return m.setTimes(fd, nil, 0)
}

func setXattr(path string, x format.Xattr) error {
	if err := syscall.Setxattr(path, x.Name, x.Value, 0); err != nil {
		return fmt.Errorf("extended attribute %q: %w", x.Name, err)
	}
	return nil
}

// setSymlink sets owner and times of a link itself.
func (m *meta) setSymlink(d *cachedDir, name string) error {
	dir, err := d.handle()
	if err != nil {
		return err
	}
	if m.unix != nil {
		if err := m.soft(d.root.Lchown(name, int(m.unix.UID), int(m.unix.GID))); err != nil {
			return err
		}
	}
	p, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	return m.setTimes(int(dir.Fd()), p, atSymlinkNofollow)
}

// linkBetween creates a hard link in one folder to a file in another.
func linkBetween(from *cachedDir, name string, to *cachedDir, another string) error {
	a, err := from.handle()
	if err != nil {
		return err
	}
	b, err := to.handle()
	if err != nil {
		return err
	}
	p, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	q, err := syscall.BytePtrFromString(another)
	if err != nil {
		return err
	}
	_, _, errno := syscall.Syscall6(syscall.SYS_LINKAT, a.Fd(), uintptr(unsafe.Pointer(p)), b.Fd(), uintptr(unsafe.Pointer(q)), 0, 0)
	if errno != 0 {
		return &os.LinkError{Op: "link", Old: name, New: another, Err: errno}
	}
	return nil
}

// makeSpecial creates a device node, pipe or socket.
func (m *meta) makeSpecial(d *cachedDir, name string) error {
	dir, err := d.handle()
	if err != nil {
		return err
	}
	if err := syscall.Mknodat(int(dir.Fd()), name, m.unix.Mode, int(m.unix.Rdev)); err != nil {
		return os.NewSyscallError("mknod", err)
	}
	if err := m.soft(d.root.Lchown(name, int(m.unix.UID), int(m.unix.GID))); err != nil {
		return err
	}
	if err := m.soft(d.root.Chmod(name, os.FileMode(m.unix.Mode&0o777))); err != nil {
		return err
	}
	p, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	return m.setTimes(int(dir.Fd()), p, atSymlinkNofollow)
}

// keepsUnix reports that --unix-data is supported here.
const keepsUnix = true
