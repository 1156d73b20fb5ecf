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

	// leastData is how long data are at least that are read at a time: with many small holes, to read zeros is faster
	// than to ask for each.
	leastData = 1 << 20
)

// hostFile is an open file whose holes the engine need not read.
type hostFile struct{ *os.File }

// NextData implements core.HoleFile.
func (f hostFile) NextData(off int64) (from, to int64, err error) {
	return nextData(f.File, off, leastData)
}

// nextData gives where the first data of a file at or behind off begin, and where they end, least bytes behind that if
// they end before, and at the file's end at the latest. It moves the file's offset.
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
