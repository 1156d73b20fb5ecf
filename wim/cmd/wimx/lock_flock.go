//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the lock that programs which change archives take. taken says that another one has it.
func lockFile(fd uintptr) (taken bool, err error) {
	err = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB)
	for _, none := range []error{syscall.ENOTSUP, syscall.ENOSYS, syscall.EINVAL, syscall.ENOLCK} {
		if errors.Is(err, none) {
			return false, nil // a file system without locks
		}
	}
	return errors.Is(err, syscall.EWOULDBLOCK), err
}

// closeLocked closes a file that may have the lock, and gives the lock back first: where a program is just being started,
// that has the file open too for a moment, and would keep the lock so long.
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
