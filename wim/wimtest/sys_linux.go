package wimtest

import (
	"bytes"
	"io/fs"
	"os"
	"sort"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	atFDCWD           = -100
	atSymlinkNofollow = 0x100
)

// setLinkTime sets the times of a symbolic link itself.
func setLinkTime(p string, t time.Time) error {
	ts := syscall.NsecToTimespec(t.UnixNano())
	two := [2]syscall.Timespec{ts, ts}
	b, err := syscall.BytePtrFromString(p)
	if err != nil {
		return err
	}
	cwd := atFDCWD
	_, _, errno := syscall.Syscall6(syscall.SYS_UTIMENSAT, uintptr(cwd), uintptr(unsafe.Pointer(b)),
		uintptr(unsafe.Pointer(&two[0])), atSymlinkNofollow, 0, 0)
	if errno != 0 {
		return &os.PathError{Op: "utimensat", Path: p, Err: errno}
	}
	return nil
}

// inode returns the identity of a file, its number of hard links, and its owner and group.
func inode(fi fs.FileInfo) (id [2]uint64, links uint64, uid, gid int) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return id, 1, 0, 0
	}
	return [2]uint64{uint64(st.Dev), st.Ino}, uint64(st.Nlink), int(st.Uid), int(st.Gid)
}

// xattrs returns the extended attributes of a file or folder as name=value, sorted.
func xattrs(p string) []string {
	names := make([]byte, 4096)
	n, err := syscall.Listxattr(p, names)
	if err != nil || n <= 0 {
		return nil
	}
	var out []string
	for name := range bytes.SplitSeq(bytes.TrimRight(names[:n], "\x00"), []byte{0}) {
		v := make([]byte, 65536)
		if vn, err := syscall.Getxattr(p, string(name), v); err == nil && !strings.HasPrefix(string(name), "security.") {
			out = append(out, string(name)+"="+string(v[:vn]))
		}
	}
	sort.Strings(out)
	return out
}
