package main

import (
	"errors"
	"io"
	"os"
	"syscall"
)

const (
	seekData = 3 // SEEK_DATA
	seekHole = 4 // SEEK_HOLE

	// leastData is the minimum number of bytes to read at a time: with many small holes, reading zeros is faster than asking
	// for each hole.
	leastData = 1 << 20
)

// hostFile is an open file that can report its holes to the engine.
type hostFile struct{ *os.File }

// NextData implements shard.HoleFile.
func (f hostFile) NextData(off int64) (from, to int64, err error) {
	return nextData(f.File, off, leastData)
}

// nextData returns the first stretch of data at or after off. A stretch shorter than least bytes is extended to that, at most to
// the end of the file. It moves the file's offset.
func nextData(f *os.File, off, least int64) (from, to int64, err error) {
	fd := int(f.Fd())
	size, err := syscall.Seek(fd, 0, io.SeekEnd)
	if err != nil {
		return 0, 0, err
	}
	from, err = syscall.Seek(fd, off, seekData)
	if errors.Is(err, syscall.ENXIO) {
		return size, size, nil
	}
	if err == nil {
		to, err = syscall.Seek(fd, from, seekHole)
	}
	return from, max(to, min(from+least, size)), err
}
