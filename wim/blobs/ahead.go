package blobs

import "io"

// ReadAheader is an optional interface of a part's reader. ReadAhead starts to read n bytes at off and returns at once, so that a
// ReadAt that soon follows finds them in memory.
type ReadAheader interface {
	ReadAhead(off, n int64)
}

// LookAhead calls ReadAhead if r is a ReadAheader.
func LookAhead(r io.ReaderAt, off, n int64) {
	if a, ok := r.(ReadAheader); ok && n > 0 {
		a.ReadAhead(off, n)
	}
}
