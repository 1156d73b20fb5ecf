package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// newFile is a file that is written under a temporary name and renamed when it is complete.
type newFile struct {
	*os.File
	t    *tool
	name string
	kept bool
}

// tempMark is part of the names of files that are being written: NAME.wimx-XXXXXXXX.tmp.
const tempMark = ".wimx-"

// newFile creates a temporary file that will replace the file at that place, if there is one, with its mode and owner.
func (t *tool) newFile(at filePlace) (*newFile, error) {
	mode := fs.FileMode(0o666)
	if at.there != nil {
		mode = at.there.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	}
	t.reportLeftovers(at.name)
	for try := 1; ; try++ {
		var b [4]byte
		rand.Read(b[:])
		f, err := os.OpenFile(fmt.Sprintf("%s%s%x.tmp", at.name, tempMark, b), os.O_RDWR|os.O_CREATE|os.O_EXCL, mode.Perm())
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, coded(exitOpen, &fs.PathError{Op: "write", Path: at.name, Err: cause(err)})
		}
		n := &newFile{File: f, t: t, name: at.name}
		taken, err := lockFile(f.Fd()) // distinguishes it from a leftover
		if now, lerr := os.Lstat(f.Name()); err == nil && !stillThere(f, now, lerr) {
			taken, err = true, fmt.Errorf("%s was removed as soon as it was created: %w", f.Name(), fs.ErrNotExist)
		}
		if err == nil && at.there != nil {
			keepOwner(f, at.there) // before the mode: chown clears bits of it
			err = f.Chmod(mode)
		}
		if err != nil {
			n.drop()
			if taken && try < 10 {
				continue // another run is checking it for a leftover, or removed it as one
			}
			return nil, coded(exitOpen, err)
		}
		return n, nil
	}
}

// keep syncs the file and renames it.
func (n *newFile) keep() error {
	err := n.Sync()
	if !onWindows && err == nil { // before the lock is released: an unlocked file would look like a leftover
		err = os.Rename(n.File.Name(), n.name)
	}
	if cerr := closeLocked(n.File); err == nil {
		err = cerr
	}
	if onWindows && err == nil { // an open file cannot be renamed there
		err = os.Rename(n.File.Name(), n.name)
	}
	if err != nil {
		return coded(exitWrite, err)
	}
	n.kept = true
	syncFolder(filepath.Dir(n.name))
	return nil
}

// syncFolder syncs the names in a folder, where the system supports it.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// drop removes the file unless it was kept.
func (n *newFile) drop() {
	if !n.kept {
		closeLocked(n.File)
		os.Remove(n.File.Name())
	}
}

// sink is a file to which an archive is written.
type sink struct {
	*os.File
	t *tool
}

// WriteAt implements io.WriterAt.
func (s sink) WriteAt(b []byte, off int64) (int, error) {
	if s.t.written != nil {
		if err := s.t.written(off, len(b)); err != nil {
			return 0, err
		}
	}
	return s.File.WriteAt(b, off)
}

// pipe is standard output as a file that is written sequentially.
type pipe struct {
	w  io.Writer
	at int64
}

// WriteAt implements io.WriterAt.
func (p *pipe) WriteAt(b []byte, off int64) (int, error) {
	if off != p.at {
		return 0, fmt.Errorf("a pipe cannot be written at offset %d: it is at %d", off, p.at)
	}
	n, err := p.w.Write(b)
	p.at += int64(n)
	return n, err
}

// diskFull reports whether an error means that the disk is full.
func diskFull(err error) bool {
	const errorDiskFull = syscall.Errno(112) // of Windows
	return errors.Is(err, syscall.ENOSPC) || onWindows && errors.Is(err, errorDiskFull)
}
