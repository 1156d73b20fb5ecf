package engine

import (
	"wimscope/wim/blobs"
)

// joined is the files of a shard, one after another, as one.
type joined struct {
	w      *work
	all    Source
	ahead  blobs.ReadAheader // nil: it cannot
	to     int64             // what was read ahead
	broken bool              // one of the files has changed, and with it all are out of reach
}

// windowAhead is how much is read ahead at a time.
const windowAhead = bytesAhead / 2

func newJoined(w *work, all Source) *joined {
	j := &joined{w: w, all: all}
	j.ahead, _ = all.(blobs.ReadAheader)
	j.lookAhead(0)
	return j
}

// lookAhead begins to read what follows at.
func (j *joined) lookAhead(at int64) {
	for ; j.ahead != nil && j.to < min(at+bytesAhead, j.all.Size()); j.to += windowAhead {
		j.ahead.ReadAhead(j.to, windowAhead)
	}
}

// readAt reads without the turn, so that others go on meanwhile.
func (j *joined) readAt(b []byte, off int64) (int, error) {
	j.w.e.turn.Unlock()
	defer j.w.e.turn.Lock()
	return j.all.ReadAt(b, off)
}

// joinedFile is a content among joined ones.
type joinedFile struct {
	c     *contents
	place *contentPlace
	apart *contentFile // the file itself, since the joined ones cannot be read
}

// ReadAt implements io.ReaderAt. If the joined files cannot be read, one of them has changed: whether it is this one, the
// file itself tells.
func (f *joinedFile) ReadAt(b []byte, off int64) (int, error) {
	if j := f.c.joined; !j.broken {
		if n, _ := j.readAt(b, f.place.base+off-f.place.from); n == len(b) {
			return n, nil
		}
		j.broken = true
	}
	if f.apart == nil {
		apart, err := f.c.open(f.place)
		if err != nil {
			return 0, err
		}
		f.apart = apart
	}
	return f.apart.ReadAt(b, off)
}

// Close implements io.Closer.
func (f *joinedFile) Close() error {
	if f.apart == nil {
		return nil
	}
	return f.apart.Close()
}

// Size implements shard.ContentFile.
func (f *joinedFile) Size() int64 { return f.place.size }
