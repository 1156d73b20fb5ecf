package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
)

// maxPath is the longest path in bytes that the kernel accepts: PATH_MAX without the NUL.
const maxPath = 4095

// farFolder reaches files with paths longer than maxPath through an open folder. It keeps the folder of the last such file
// open, since the next file is usually in or near it.
type farFolder struct {
	mu   sync.Mutex
	last *openFolder // nil: none
}

// openFolder is closed when it has no users. farFolder.mu guards all fields but fd.
type openFolder struct {
	path string
	fd   int
	uses int
}

func (c *farFolder) release(f *openFolder) {
	if f == nil {
		return
	}
	if f.uses--; f.uses == 0 {
		syscall.Close(f.fd)
	}
}

// reach returns a short path to the same file. It is valid until done is called.
func (c *farFolder) reach(path string) (short string, done func(), err error) {
	if len(path) <= maxPath {
		return path, func() {}, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	slash := strings.LastIndexByte(path, '/')
	dir, name := path[:max(slash, 0)], path[slash+1:]
	f := c.last
	if f == nil || f.path != dir {
		if f, err = c.walk(dir); err != nil {
			return "", nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		c.release(c.last)
		c.last = f
	}
	f.uses++
	done = func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.release(f)
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.fd, name), done, nil
}

// walk opens a folder in steps of at most maxPath bytes, starting at the last folder if the path lies below it.
func (c *farFolder) walk(dir string) (*openFolder, error) {
	from, rest := atFDCWD, dir
	if c.last != nil {
		if below, ok := strings.CutPrefix(dir, c.last.path+"/"); ok {
			from, rest = c.last.fd, below
		}
	}
	start := from
	for rest != "" {
		cut := len(rest)
		if cut > maxPath {
			cut = strings.LastIndexByte(rest[:maxPath], '/')
		}
		next, err := -1, error(syscall.ENAMETOOLONG) // a single name that is too long
		if cut > 0 {
			err = syscall.EINTR
		}
		for errors.Is(err, syscall.EINTR) {
			next, err = syscall.Openat(from, rest[:cut], syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
		}
		if from != start {
			syscall.Close(from)
		}
		if err != nil {
			return nil, err
		}
		from, rest = next, strings.TrimLeft(rest[cut:], "/")
	}
	return &openFolder{dir, from, 1}, nil
}

const atFDCWD = -0x64 // AT_FDCWD

// reached calls f with a short path to a file of any path length. An error names the full path.
func reached[T any](c *farFolder, path string, do func(short string) (T, error)) (T, error) {
	short, done, err := c.reach(path)
	if err != nil {
		var none T
		return none, err
	}
	defer done()
	v, err := do(short)
	var pe *fs.PathError
	if short != path && errors.As(err, &pe) {
		err = &fs.PathError{Op: pe.Op, Path: path, Err: pe.Err}
	}
	return v, err
}

func (c *farFolder) readDir(path string) ([]fs.DirEntry, error) {
	list, err := reached(c, path, os.ReadDir)
	if len(path) > maxPath-1-255 { // entries would stat a path that is too long or no longer valid
		for i, e := range list {
			list[i] = farEntry{e, c, path + "/" + e.Name()}
		}
	}
	return list, err
}

// farEntry is a directory entry whose path may be longer than maxPath.
type farEntry struct {
	fs.DirEntry
	far  *farFolder
	path string
}

// Info implements fs.DirEntry.
func (e farEntry) Info() (fs.FileInfo, error) { return e.far.lstat(e.path) }

func (c *farFolder) stat(path string) (fs.FileInfo, error)  { return reached(c, path, os.Stat) }
func (c *farFolder) lstat(path string) (fs.FileInfo, error) { return reached(c, path, os.Lstat) }
func (c *farFolder) readLink(path string) (string, error)   { return reached(c, path, os.Readlink) }
