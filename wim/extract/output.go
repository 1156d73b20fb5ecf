package extract

import (
	"errors"
	"fmt"
	"io"
)

// Output writes the segments of an extraction as one file: NewZIP, NewTAR. Segments come in the order of their shards; crcs
// holds the CRC-32 of each piece. If the last piece of a blob has Drop set, the output overwrites what it wrote of that
// blob. If what follows is shorter, Finish calls the sink's Truncate method, which os.File has, and fails if there is none.
// An Output is not safe for concurrent use.
type Output interface {
	// Segment lays out a segment and writes it.
	Segment(data []byte, s SegmentEntries, crcs []uint32) error
	// Packed writes a segment that PackSegment laid out. It does not keep b.
	Packed(b Packed, s SegmentEntries, crcs []uint32) error
	// Finish writes the end of the output and returns its size in bytes.
	Finish() (int64, error)
}

// ErrSegment reports a segment whose bytes and entries do not match, or that is out of order.
var ErrSegment = errors.New("segment and entries do not match")

// stageSize is the size of the buffer in front of a sink: a call into the browser costs the same for one byte as for a
// million.
const stageSize = 1 << 20

// stage buffers consecutive small writes to a sink. It keeps the first error.
type stage struct {
	sink io.WriterAt
	buf  []byte
	at   int64 // offset of buf[0] in the output
	high int64 // end of what was written to the sink
	err  error
}

func newStage(sink io.WriterAt) *stage {
	return &stage{sink: sink, buf: make([]byte, 0, stageSize)}
}

func (s *stage) writeAt(p []byte, off int64) {
	if s.err != nil || len(p) == 0 {
		return
	}
	large := len(p) >= stageSize/2 // goes to the sink directly, after the buffer
	if off != s.at+int64(len(s.buf)) || len(s.buf)+len(p) > cap(s.buf) || large {
		s.flush()
		s.at = off
	}
	if s.err != nil {
		return
	}
	if large {
		s.put(p, off)
		s.at = off + int64(len(p))
		return
	}
	s.buf = append(s.buf, p...)
}

func (s *stage) flush() {
	if s.err == nil && len(s.buf) > 0 {
		s.put(s.buf, s.at)
	}
	s.at += int64(len(s.buf))
	s.buf = s.buf[:0]
}

func (s *stage) put(p []byte, off int64) {
	n, err := s.sink.WriteAt(p, off)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		s.err = fmt.Errorf("wim: output at 0x%x: %w", off, err)
	}
	s.high = max(s.high, off+int64(n))
}

// copy writes a run of a packed segment to the sink, after the buffer.
func (s *stage) copy(b Packed, r packRun) {
	s.flush()
	if s.err != nil {
		return
	}
	if err := b.CopyTo(s.sink, r.from, r.n, r.off); err != nil {
		s.err = fmt.Errorf("wim: output at 0x%x: %w", r.off, err)
	}
	s.high = max(s.high, r.off+r.n)
}

// finish flushes an output of size bytes, and truncates the sink if dropped blobs were written beyond that.
func (s *stage) finish(size int64) error {
	s.flush()
	if s.err != nil || s.high <= size {
		return s.err
	}
	t, ok := s.sink.(interface{ Truncate(size int64) error })
	if !ok {
		return fmt.Errorf("wim: output of %d bytes, of which %d cannot be cut off: %w", s.high, s.high-size, errors.ErrUnsupported)
	}
	if err := t.Truncate(size); err != nil {
		return fmt.Errorf("wim: output cut to %d bytes: %w", size, err)
	}
	return nil
}

// cutSegment calls each for every piece of a segment with its bytes, and checks that they match.
func cutSegment(data []byte, s SegmentEntries, crcs []uint32, each func(p *EntryPiece, data []byte, crc uint32) error) error {
	if len(crcs) != len(s) {
		return ErrSegment
	}
	for i := range s {
		p := &s[i]
		if p.Len < 0 || p.Len > int64(len(data)) {
			return ErrSegment
		}
		if err := each(p, data[:p.Len], crcs[i]); err != nil {
			return err
		}
		data = data[p.Len:]
	}
	if len(data) != 0 {
		return ErrSegment
	}
	return nil
}
