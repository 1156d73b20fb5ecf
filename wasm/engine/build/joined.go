package build

import (
	"wimscope/wasm/engine"
	"wimscope/wim/blobs"
)

// joined is the attachment that contains ranges of files, one after another.
type joined struct {
	w      *engine.Work
	all    engine.Source
	ahead  blobs.ReadAheader // nil if all cannot read ahead
	to     int64             // end of the range read ahead so far
	broken bool              // one of the files has changed, so none can be read
}

// windowAhead is the number of bytes read ahead at a time.
const windowAhead = bytesAhead / 2

func newJoined(w *engine.Work, all engine.Source) *joined {
	j := &joined{w: w, all: all}
	j.ahead, _ = all.(blobs.ReadAheader)
	j.lookAhead(0)
	return j
}

// lookAhead starts reading ahead the bytes that follow offset at.
func (j *joined) lookAhead(at int64) {
	for ; j.ahead != nil && j.to < min(at+bytesAhead, j.all.Size()); j.to += windowAhead {
		j.ahead.ReadAhead(j.to, windowAhead)
	}
}

func (j *joined) readAt(b []byte, off int64) (n int, err error) {
	j.w.Aside(func() { n, err = j.all.ReadAt(b, off) })
	return n, err
}

// joinedFile is a content whose range is joined.
type joinedFile struct {
	c     *contents
	place *contentPlace
	apart *contentFile // the file itself, opened if joined cannot be read
}

// ReadAt implements io.ReaderAt. If the joined files cannot be read, one of them has changed. Opening this one shows
// whether it is the one.
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
