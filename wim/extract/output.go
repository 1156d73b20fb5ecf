package extract

import (
	"errors"
	"fmt"
	"io"
)

// Output writes the decoded segments of an extraction in one form: NewZIP, NewTAR. Segments come
// in the order of their shards; crcs holds the CRC-32 of each piece. What was written of a content whose last piece says
// Drop is written over by what follows; should that be shorter, Finish calls the sink's Truncate, which is os.File's,
// and fails if it has none. Nothing of it is safe for concurrent use.
type Output interface {
	// Segment packs a segment and writes it.
	Segment(data []byte, s SegmentEntries, crcs []uint32) error
	// Packed writes a segment that PackSegment has packed. It does not keep b.
	Packed(b Packed, s SegmentEntries, crcs []uint32) error
	// Finish writes what stands at the end and gives the output's size in bytes.
	Finish() (int64, error)
}

// ErrSegment is the error for a segment whose bytes and entries do not fit each other, or that is out of order.
var ErrSegment = errors.New("segment and entries do not fit")

// stageSize is how many bytes are gathered before a sink is called: a call into the browser costs the same for one
// byte and for a million.
const stageSize = 1 << 20

// stage gathers consecutive small writes to a sink with positions. The first error stays.
type stage struct {
	sink io.WriterAt
	buf  []byte
	at   int64 // where buf[0] goes
	high int64 // end of what the sink was given
	err  error
}

func newStage(sink io.WriterAt) *stage {
	return &stage{sink: sink, buf: make([]byte, 0, stageSize)}
}

func (s *stage) writeAt(p []byte, off int64) {
	if s.err != nil || len(p) == 0 {
		return
	}
	large := len(p) >= stageSize/2 // goes to the sink as it is, behind what is gathered
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

// copy has the sink take a run of a packed segment, behind what is gathered.
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

// finish flushes an output of size bytes, and cuts off what was written beyond them and then taken back.
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

// cutSegment hands out a segment's pieces with the bytes that each is made of, checking that they fit.
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
