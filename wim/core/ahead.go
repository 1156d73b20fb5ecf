package core

import "io"

// ReadAheader is what a part's reader may also be: it starts to read n bytes from off on and returns at once, so
// that the ReadAt that will soon ask for them finds them there.
type ReadAheader interface {
	ReadAhead(off, n int64)
}

func lookAhead(r io.ReaderAt, off, n int64) {
	if a, ok := r.(ReadAheader); ok && n > 0 {
		a.ReadAhead(off, n)
	}
}

// ReadAhead starts to read what RunShard will ask for first, for a shard that has to wait while another one runs.
func (s *Shard) ReadAhead(src Source) {
	if len(s.Spans) == 0 {
		return
	}
	sp := &s.Spans[0]
	if int(sp.Src) >= len(src) {
		return
	}
	n := min(windowSize, sp.End-sp.Off)
	if len(sp.Chunks) > 0 {
		n = min(max(n, sp.Chunks[0].Packed), 2*windowSize)
	}
	lookAhead(src[sp.Src], sp.Off, n)
}
