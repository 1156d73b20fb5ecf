package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"wimscope/wim/blobs"
)

// hinted is an error with advice on what to do about it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// explain converts an error to a message: text says what is wrong, hint what to do about it, or "". A message of the system
// ("openat d: no such file or directory") becomes a sentence, wherever it is in the text.
func explain(err error) (text, hint string) {
	text = strings.ReplaceAll(strings.TrimPrefix(err.Error(), "wim: "), ": wim: ", ": ")
	var h hinted
	if errors.As(err, &h) {
		hint = h.hint
	} else {
		hint = archiveHint(err)
	}
	var (
		path  *fs.PathError
		link  *os.LinkError
		call  *os.SyscallError
		plain error
	)
	inner, said, now := error(nil), "", ""
	switch {
	case errors.As(err, &path):
		inner, said = path.Err, path.Error()
		now = fmt.Sprintf("cannot %s %q: ", doing(path.Op), path.Path)
	case errors.As(err, &link):
		inner, said = link.Err, link.Error()
		now = fmt.Sprintf("cannot %s %q as %q: ", doing(link.Op), link.Old, link.New)
	case errors.As(err, &call):
		inner, said = call.Err, call.Error()
		now = fmt.Sprintf("cannot %s: ", doing(call.Syscall))
	default:
		if plain = cause(err); plain != err || isSystem(plain) {
			inner, said = plain, plain.Error()
		}
	}
	if inner == nil {
		return text, hint
	}
	if inner = cause(inner); !strings.Contains(text, said) { // text was built from the inner error
		said, now = inner.Error(), ""
	}
	why, todo := systemWords(inner)
	if path != nil && path.Path == "" && errors.Is(inner, fs.ErrNotExist) {
		why = "the name is empty"
	}
	if why == "" {
		why = inner.Error()
	}
	if hint == "" {
		hint = todo
	}
	return strings.Replace(text, said, now+why, 1), hint
}

// archiveHint returns a hint for an archive that cannot be opened, or "".
func archiveHint(err error) string {
	var (
		cut  *blobs.TruncatedError
		left *blobs.UnfinishedError
		part *blobs.WrongPartError
	)
	switch {
	case errors.As(err, &cut):
		return "copy or download it again: the missing bytes cannot be restored"
	case errors.As(err, &left):
		return "wait if a program is still writing it, otherwise create it again"
	case errors.As(err, &part):
		return "name each part of one set once"
	}
	return ""
}

// words returns the text of explain.
func words(err error) string {
	text, _ := explain(err)
	return text
}

// cause returns the innermost error.
func cause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// isSystem reports whether an error is a bare one of the operating system, without a file name or an operation.
func isSystem(err error) bool {
	var no syscall.Errno
	return errors.As(err, &no)
}

// doing returns a verb for a system call.
func doing(call string) string {
	if !strings.HasSuffix(call, "stat") {
		call = strings.TrimSuffix(call, "at") // openat, fstatat
	}
	switch call {
	case "open", "CreateFile":
		return "open"
	case "rename", "MoveFileEx":
		return "rename"
	case "mkdir":
		return "create the folder"
	case "stat", "lstat", "fstat", "newfstat", "statx", "GetFileInformationByHandle", "GetFileAttributesEx":
		return "access"
	case "readdirent", "readdir", "getdents", "fdopendir":
		return "list"
	case "unlink", "remove", "rmdir":
		return "remove"
	case "chmod", "fchmod":
		return "set the mode of"
	case "chown", "lchown", "fchown":
		return "set the owner of"
	case "utimens", "utimes", "chtimes":
		return "set the times of"
	case "setxattr", "fsetxattr", "lsetxattr":
		return "set an extended attribute of"
	case "getxattr", "fgetxattr", "lgetxattr", "listxattr":
		return "read the extended attributes of"
	case "sync", "fsync":
		return "sync"
	case "truncate", "ftruncate":
		return "truncate"
	case "symlink":
		return "create a symbolic link"
	case "link":
		return "create a hard link"
	case "mknod":
		return "create the device node"
	case "flock", "fcntl":
		return "lock"
	case "pread", "read", "ReadFile":
		return "read"
	case "pwrite", "write", "WriteFile":
		return "write"
	case "evalsymlinks", "readlink":
		return "follow the link"
	}
	return call
}

// roomHint is the hint for a full disk.
const roomHint = "free some space there, or write to another disk"

// systemWords explains an error of the system, with a hint. Both are "" for an unknown error.
func systemWords(err error) (why, todo string) {
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted", ""
	case diskFull(err):
		return "the disk is full", roomHint
	case errors.Is(err, syscall.EDQUOT):
		return "the disk quota is exceeded", "free some space, or have the quota raised"
	case errors.Is(err, syscall.EFBIG):
		return "the file is larger than this file system or a limit allows", "FAT32 files have at most 4 GiB - 1: \"wimx split\" makes parts that fit; \"ulimit -f\" shows the limit"
	case errors.Is(err, syscall.EROFS):
		return "the file system is mounted read-only", "mount it for writing, or choose another destination"
	case errors.Is(err, syscall.EISDIR):
		return "it is a folder", "name a file"
	case errors.Is(err, syscall.ENOTDIR):
		return "part of the path is a file, not a folder", ""
	case errors.Is(err, syscall.ENAMETOOLONG):
		return "the name or the path is too long for this file system", ""
	case errors.Is(err, syscall.ELOOP):
		return "too many levels of symbolic links, or a loop", "\"readlink\" shows where a link leads"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "too many files are open at once", "raise the limit (\"ulimit -n\"), or close other programs"
	case errors.Is(err, syscall.EIO):
		return "the disk reports an error", "see the system log; copy the data from the disk while it can still be read"
	case errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENODEV):
		return "no such device, or it is a socket", ""
	case errors.Is(err, syscall.ENOTEMPTY):
		return "the folder is not empty", ""
	case errors.Is(err, syscall.EBUSY):
		return "it is in use by another program", "end that program and try again"
	case errors.Is(err, syscall.EXDEV):
		return "source and destination are on different file systems", ""
	case errors.Is(err, syscall.EPIPE):
		return "broken pipe: the reader has closed it", ""
	case errors.Is(err, syscall.ESPIPE):
		return "it can only be read or written sequentially", ""
	case errors.Is(err, syscall.ENOMEM):
		return "out of memory", "close other programs, or use fewer threads (--threads=1)"
	case errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.ENOSYS):
		return "the file system does not support this", ""
	case errors.Is(err, fs.ErrNotExist):
		return "no such file or folder", ""
	case errors.Is(err, fs.ErrExist):
		return "it already exists", ""
	case errors.Is(err, fs.ErrPermission):
		return "permission denied", "run wimx as a user who has the permission, or change the permissions"
	case errors.Is(err, fs.ErrClosed):
		return "it was closed too early, which is a bug in wimx", "please report it"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "unexpected end of file", ""
	case errors.Is(err, syscall.EINVAL):
		return "the operation is not valid for this file", ""
	}
	return "", ""
}
