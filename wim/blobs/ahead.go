package blobs

import "io"

// ReadAheader is what a part's reader may also be: it starts to read n bytes from off on and returns at once, so
// that the ReadAt that will soon ask for them finds them there.
type ReadAheader interface {
	ReadAhead(off, n int64)
}

func LookAhead(r io.ReaderAt, off, n int64) {
	if a, ok := r.(ReadAheader); ok && n > 0 {
		a.ReadAhead(off, n)
	}
}
