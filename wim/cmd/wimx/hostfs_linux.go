package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
	"unsafe"

	"wimscope/wim/draft"
	"wimscope/wim/format"
)

// Open opens a file. os.Open would also register it with the poller, which takes longer than reading a small file.
func (h hostFS) Open(name string) (fs.File, error) {
	return reached(h.far, h.path(name), func(p string) (fs.File, error) {
		for {
			fd, err := syscall.Open(p, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_LARGEFILE, 0)
			switch err {
			case nil:
				return hostFile{os.NewFile(uintptr(fd), p)}, nil
			case syscall.EINTR: // FUSE file systems may return it
			default:
				return nil, &fs.PathError{Op: "open", Path: p, Err: err}
			}
		}
	})
}

// FileFacts returns what the kernel reported and io/fs does not provide, and reads extended attributes: those of a link's
// target if want.Follow is set, otherwise its own.
func (h hostFS) FileFacts(name string, want draft.FactsWanted) (f draft.Facts, err error) {
	st, ok := want.Info.Sys().(*syscall.Stat_t)
	if !ok {
		return f, &fs.PathError{Op: "stat", Path: h.path(name), Err: fs.ErrInvalid}
	}
	moment := func(t syscall.Timespec) format.Filetime { return format.FiletimeOf(time.Unix(t.Unix())) }
	f = draft.Facts{
		Device: uint64(st.Dev), Inode: uint64(st.Ino), Links: uint64(st.Nlink), Accessed: moment(st.Atim), Modified: moment(st.Mtim),
		Sparse: int64(st.Blocks) < (st.Size+511)/512,
	}
	if !want.Unix {
		return f, nil
	}
	f.Unix = &format.UnixData{UID: st.Uid, GID: st.Gid, Mode: st.Mode, Rdev: uint32(st.Rdev)}
	f.Xattrs, err = reached(h.far, h.path(name), func(p string) ([]format.Xattr, error) { return fileXattrs(p, want.Follow) })
	return f, err
}

// fileXattrs reads the extended attributes of a file, or of a link itself. A file system without them has none.
func fileXattrs(path string, follow bool) ([]format.Xattr, error) {
	list, get := uintptr(syscall.SYS_LLISTXATTR), uintptr(syscall.SYS_LGETXATTR)
	if follow {
		list, get = syscall.SYS_LISTXATTR, syscall.SYS_GETXATTR
	}
	p, err := syscall.BytePtrFromString(path)
	if err != nil {
		return nil, err
	}
	fail := func(err error) ([]format.Xattr, error) {
		return nil, &fs.PathError{Op: "extended attributes of", Path: path, Err: err}
	}
	names, err := growing(func(b []byte) (uintptr, syscall.Errno) {
		n, _, errno := syscall.Syscall(list, uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		return n, errno
	})
	if errors.Is(err, syscall.ENOTSUP) || len(names) == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return fail(err)
	}
	var out []format.Xattr
	for name := range bytes.SplitSeq(bytes.TrimSuffix(names, []byte{0}), []byte{0}) {
		n, err := syscall.BytePtrFromString(string(name))
		if err != nil {
			return fail(err)
		}
		value, err := growing(func(b []byte) (uintptr, syscall.Errno) {
			k, _, errno := syscall.Syscall6(get, uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0)
			return k, errno
		})
		switch {
		case errors.Is(err, syscall.ENODATA): // removed in the meantime
		case err != nil:
			return fail(err)
		default:
			out = append(out, format.Xattr{Name: string(name), Value: value})
		}
	}
	return out, nil
}

// growing calls read with larger and larger buffers until the result fits. The kernel's limit for both uses is 64 KiB.
func growing(read func(b []byte) (uintptr, syscall.Errno)) ([]byte, error) {
	for size := 256; ; size *= 4 {
		b := make([]byte, size)
		n, errno := read(b)
		switch {
		case errno == 0:
			return b[:n], nil
		case errno != syscall.ERANGE || size > 1<<20:
			return nil, errno
		}
	}
}

// usableMemory returns how many bytes of memory one program may reasonably use, 0 if not known.
func usableMemory() int64 {
	var si syscall.Sysinfo_t
	if syscall.Sysinfo(&si) != nil {
		return 0
	}
	return int64(si.Totalram) * int64(si.Unit) / 4 * 3
}

// freeSpace returns how many bytes the user may still write to the folder. ok is false if that is not known.
func freeSpace(dir string) (n int64, ok bool) {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}
