//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the lock that programs hold while they change an archive. taken means that another program holds it.
func lockFile(fd uintptr) (taken bool, err error) {
	err = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB)
	for _, none := range []error{syscall.ENOTSUP, syscall.ENOSYS, syscall.EINVAL, syscall.ENOLCK} {
		if errors.Is(err, none) {
			return false, nil // a file system without locks
		}
	}
	return errors.Is(err, syscall.EWOULDBLOCK), err
}

// closeLocked closes a file that may be locked, and releases the lock first: a program that is just being started briefly has
// the file open too, and would keep the lock for that time.
func closeLocked(f *os.File) error {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	return f.Close()
}

// lockHeld reports whether lockFile locked a file; file systems without locks let it pass without one.
func lockHeld(fd uintptr) bool { return syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) == nil }

// ownFile reports whether a file belongs to the current user and has no other hard links.
func ownFile(fi os.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid() && st.Nlink == 1
}
