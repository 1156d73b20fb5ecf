package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"wimscope/wim/apply"
	"wimscope/wim/extract"
	"wimscope/wim/format"
)

// targetFile is a file that is being written. If its name is taken, it has a temporary name until it is complete.
type targetFile struct {
	w    *folderTarget
	e    *extract.Entry
	f    *os.File
	last string // its final name
	name string // its current name on disk

	sparse bool  // zeros become holes
	size   int64 // of a sparse file: bytes so far
	hole   bool  // of a sparse file: it ends in a hole so far
}

// Create implements apply.Target. Of the files of a blob in pieces, only the first one is open; it is copied to the others.
func (w *folderTarget) Create(e *extract.Entry) (apply.File, error) {
	if w.open != nil {
		return &targetCopy{w, e, w.open}, nil
	}
	u, err := w.create(e)
	w.open = u
	return u, err
}

func (w *folderTarget) create(e *extract.Entry) (*targetFile, error) {
	d, name, err := w.in(e.At, exitOpen)
	if err != nil {
		return nil, err
	}
	u := &targetFile{w: w, e: e, last: name, name: name, sparse: e.Attrs&format.AttrSparse != 0}
	u.f, err = d.root.OpenFile(u.name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	for errors.Is(err, fs.ErrExist) && w.temp < 1<<20 {
		w.temp++
		u.name = fmt.Sprintf(".wimx-%d-%d.tmp", os.Getpid(), w.temp)
		if u.f, err = d.root.OpenFile(u.name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644); err != nil {
			continue
		}
		// The lock distinguishes it from a leftover. Another run that removes leftovers may have removed it already.
		taken, lockErr := lockFile(u.f.Fd())
		now, lerr := d.root.Lstat(u.name)
		if taken || lockErr != nil || !stillThere(u.f, now, lerr) {
			closeLocked(u.f)
			err = fs.ErrExist
		}
	}
	if err != nil {
		return nil, coded(exitOpen, w.outError(e, err))
	}
	return u, nil
}

// Close sets the metadata of a complete file, and renames it to its final name.
func (u *targetFile) Close() error {
	w := u.w
	if w.open == u {
		w.open = nil
	}
	d, err := w.dir(u.e.At.Folder(w.im))
	if err == nil && u.hole {
		err = coded(exitWrite, u.f.Truncate(u.size))
	}
	if err == nil {
		err = w.meta(u.e).setFile(d, u.name, u.f)
	}
	named := u.name == u.last
	if err == nil && !named && !onWindows { // while it is locked, as newFile.keep does
		err, named = d.root.Rename(u.name, u.last), true
	}
	if cerr := u.f.Close(); err == nil && cerr != nil {
		err = coded(exitWrite, cerr)
	}
	if err == nil && !named {
		err = d.root.Rename(u.name, u.last)
	}
	if err != nil {
		u.Abort()
		return w.outError(u.e, err)
	}
	return nil
}

// Abort implements apply.File.
func (u *targetFile) Abort() error {
	if u.w.open == u {
		u.w.open = nil
	}
	u.f.Close()
	d, err := u.w.dir(u.e.At.Folder(u.w.im))
	if err == nil {
		err = d.root.Remove(u.name)
	}
	return err
}

// holeStep is the unit of holes in bytes, as on NTFS.
const holeStep = 64 << 10

// WriteAt writes to the end of a file. In a sparse file, aligned runs of zeros become holes.
func (u *targetFile) WriteAt(data []byte, off int64) (n int, err error) {
	if u.w.written != nil {
		defer u.w.written()
	}
	if !u.sparse {
		n, err = u.f.WriteAt(data, off)
		return n, coded(exitWrite, err)
	}
	for n < len(data) {
		at := off + int64(n)
		end := n + min(len(data)-n, int(holeStep-at%holeStep))
		u.hole = allZero(data[n:end])
		for end < len(data) { // join adjacent steps of the same kind
			more := min(len(data)-end, holeStep)
			if allZero(data[end:end+more]) != u.hole {
				break
			}
			end += more
		}
		if !u.hole {
			if _, err := u.f.WriteAt(data[n:end], at); err != nil {
				return n, coded(exitWrite, err)
			}
		}
		n, u.size = end, off+int64(end)
	}
	return n, nil
}

// allZero reports whether b is not empty and contains only zeros.
func allZero(b []byte) bool {
	return len(b) > 0 && b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}

// copyStep is how many bytes are copied between checks for an interrupt.
const copyStep = 64 << 20

// targetCopy is a file that becomes a copy of another one, which has all its bytes and is still open.
type targetCopy struct {
	w    *folderTarget
	e    *extract.Entry
	from *targetFile
}

// WriteAt does nothing: from gets the same bytes.
func (c *targetCopy) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }

// Abort implements apply.File.
func (c *targetCopy) Abort() error { return nil }

// Close copies the file, in the kernel if possible.
func (c *targetCopy) Close() error {
	w, from := c.w, c.from
	u, err := w.create(c.e)
	if err != nil {
		return err
	}
	size, err := from.f.Seek(0, io.SeekEnd)
	if from.hole {
		size, err = from.size, from.f.Truncate(from.size)
	}
	for off := int64(0); off < size && err == nil; {
		start, end := off, size
		if u.sparse {
			if a, b, err := nextData(from.f, off, holeStep); err == nil {
				start, end = a, b
			}
		}
		end = min(end, start+copyStep)
		off = end
		if err = w.t.ctx.Err(); err == nil {
			_, err = from.f.Seek(start, io.SeekStart)
		}
		if err == nil {
			_, err = u.f.Seek(start, io.SeekStart)
		}
		if err == nil {
			_, err = io.Copy(u.f, io.LimitReader(from.f, end-start))
		}
	}
	if err != nil {
		_ = u.Abort()
		return coded(exitWrite, interrupted(err))
	}
	u.size, u.hole = size, u.sparse
	return u.Close()
}
