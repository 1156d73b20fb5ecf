package wim

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
)

const tarBlock = 512

// tarWriter writes a TAR in pax form. A content that comes in pieces goes straight to each place where it belongs.
type tarWriter struct {
	out     *stage
	off     int64
	header  bytes.Buffer
	open    []int64 // where the bytes of the content that is coming in pieces go
	openLen int64
}

// NewTARWriter writes a TAR in pax form to sink, with times to 100 ns, modes, symbolic and hard links.
func NewTARWriter(sink io.WriterAt) OutputWriter {
	return &tarWriter{out: newStage(sink)}
}

// Segment implements OutputWriter.
func (t *tarWriter) Segment(data []byte, s SegmentEntries, crcs []uint32) error {
	if err := cutSegment(data, s, crcs, t.piece); err != nil {
		return err
	}
	return t.out.err
}

func (t *tarWriter) piece(p *EntryPiece, data []byte, _ uint32) error {
	if p.Off == 0 {
		if len(t.open) != 0 {
			return errSegment
		}
		return t.first(p, data)
	}
	if len(t.open) == 0 || p.Off+p.Len > t.openLen {
		return errSegment
	}
	for _, at := range t.open {
		t.out.writeAt(data, at+p.Off)
	}
	if p.Last {
		t.open = t.open[:0]
	}
	return nil
}

func (t *tarWriter) first(p *EntryPiece, data []byte) error {
	for i := range p.Entries {
		e := &p.Entries[i]
		size, body := int64(0), data
		if e.Kind == EntryFile {
			size = e.Size
		} else {
			body = nil
		}
		if int64(len(body)) > size || p.Last && int64(len(body)) != size {
			return fmt.Errorf("%q is %d bytes long, not %d: %w", e.Path, len(body), size, errSegment)
		}
		t.header.Reset()
		if err := writeTARHeader(&t.header, e); err != nil {
			return err
		}
		t.out.writeAt(t.header.Bytes(), t.off)
		t.off += int64(t.header.Len())
		t.out.writeAt(body, t.off)
		if !p.Last && e.Kind == EntryFile {
			t.open = append(t.open, t.off)
			t.openLen = size
		}
		t.off += size
		if pad := -size & (tarBlock - 1); pad > 0 {
			t.out.writeAt(zeros[:pad], t.off)
			t.off += pad
		}
	}
	return nil
}

var zeros [2 * tarBlock]byte

// Finish implements OutputWriter.
func (t *tarWriter) Finish() (int64, error) {
	if len(t.open) != 0 {
		return 0, errSegment
	}
	t.out.writeAt(zeros[:], t.off)
	t.out.flush()
	return t.off + int64(len(zeros)), t.out.err
}

// TARSize adds up how many bytes NewTARWriter will write.
type TARSize struct {
	body   int64
	header bytes.Buffer
}

// Add counts an entry.
func (s *TARSize) Add(e *Entry) {
	s.header.Reset()
	if writeTARHeader(&s.header, e) != nil {
		return // the plan leaves out what a TAR cannot hold
	}
	s.body += int64(s.header.Len())
	if e.Kind == EntryFile {
		s.body += (e.Size + tarBlock - 1) &^ (tarBlock - 1)
	}
}

// Size is the TAR's size in bytes.
func (s *TARSize) Size() int64 { return s.body + int64(len(zeros)) }

// writeTARHeader writes an entry's header, with the pax records that it needs before it.
func writeTARHeader(w io.Writer, e *Entry) error {
	h := tar.Header{
		Name:    e.Path,
		Mode:    int64(unixMode(e) & 0o7777),
		ModTime: e.Modified.Time(),
		Format:  tar.FormatPAX,
	}
	switch e.Kind {
	case EntryFile:
		h.Typeflag, h.Size = tar.TypeReg, e.Size
	case EntryDir:
		h.Typeflag, h.Name = tar.TypeDir, zipName(e)
	case EntrySymlink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.Target
	case EntryHardLink:
		h.Typeflag, h.Linkname = tar.TypeLink, e.Target
	}
	if err := tar.NewWriter(w).WriteHeader(&h); err != nil {
		return fmt.Errorf("wim: %q in a TAR: %w", e.Path, err)
	}
	return nil
}
