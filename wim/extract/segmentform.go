package extract

import (
	"fmt"
	"io"
	"slices"

	"wimscope/wim/format"
	"wimscope/wim/internal/crc32"
	"wimscope/wim/shard"
)

// A segment of a ZIP or TAR is packed before it is written: laid out as in the output, with headers and file data in
// sequence. In a browser, the worker that decoded the segment packs it. The writer copies long runs to their offsets and
// does not look at the bytes, which need not be in its memory. The offsets of headers and data follow from the entries, by
// the rules in packPlace, which both sides use.

// Packed is a packed segment, wherever its bytes are stored.
type Packed interface {
	Len() int64
	// CopyTo writes n bytes, starting at from, to sink at off.
	CopyTo(sink io.WriterAt, from, n, off int64) error
	// Bytes returns n bytes, starting at from. The caller must not change them.
	Bytes(from, n int64) ([]byte, error)
}

// PackedBytes is a packed segment in memory.
type PackedBytes []byte

// Len implements Packed.
func (b PackedBytes) Len() int64 { return int64(len(b)) }

// CopyTo implements Packed.
func (b PackedBytes) CopyTo(sink io.WriterAt, from, n, off int64) error {
	p := b[from : from+n]
	wrote, err := sink.WriteAt(p, off)
	if err == nil && wrote < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

// Bytes implements Packed.
func (b PackedBytes) Bytes(from, n int64) ([]byte, error) { return b[from : from+n], nil }

// packForm is the layout of an entry in a ZIP or TAR: a header, the data if the entry has any, and padding.
type packForm interface {
	// appendHead appends the header and, if the format stores it as file data, a link's target. crc is the CRC of the blob,
	// or of its first piece.
	appendHead(b []byte, e *Entry, crc uint32) ([]byte, error)
	headLen(e *Entry) (int64, error)
	hasBody(e *Entry) bool
	padding(size int64) int64
}

// packFormOf returns nil for forms whose segments are not packed.
func packFormOf(form Form) packForm {
	switch form {
	case OutputZIP:
		return zipForm{}
	case OutputTAR:
		return tarForm{}
	}
	return nil
}

// maxRepeat bounds the bytes of data that a segment stores repeatedly, for blobs with several names, so that its runs are
// long. Beyond it, the last copy is written to each further place.
const maxRepeat = 4 << 20

// packPlace computes the offsets in a packed segment, entry by entry.
type packPlace struct {
	form     packForm
	at       int64 // end of the segment so far
	repeated int64
	body     int64 // offset of the data of the current piece; -1: not stored yet
}

// next allocates n bytes.
func (l *packPlace) next(n int64) (from int64) {
	from = l.at
	l.at += n
	return from
}

// content returns the offset of a piece's data for one more entry. fresh reports that the data must still be stored there.
func (l *packPlace) content(p *EntryPiece) (from int64, fresh bool) {
	if l.body >= 0 {
		if p.Len > maxRepeat-l.repeated {
			return l.body, false
		}
		l.repeated += p.Len
	}
	l.body = l.next(p.Len)
	return l.body, true
}

// tail returns the number of padding bytes after the data; the writer adds the padding of a blob in pieces.
func (l *packPlace) tail(p *EntryPiece) int64 {
	if !p.Last {
		return 0
	}
	return l.form.padding(p.Len)
}

// fitsPiece checks that an entry's size agrees with the piece.
func fitsPiece(p *EntryPiece, e *Entry) error {
	if p.Len > e.Size || p.Last && p.Len != e.Size {
		return fmt.Errorf("%q is %d bytes long, not %d: %w", e.Path, p.Len, e.Size, ErrSegment)
	}
	return nil
}

// PackSegment appends a shard's result to b, packed for an output in form; SegmentMaker.MakePacked takes the result. It
// changes the entries. For the forms that are not packed, OutputFolder and OutputRaw, it appends the plain bytes.
func PackSegment(b []byte, form Form, recover bool, r *shard.Result, entries SegmentEntries) ([]byte, error) {
	f := packFormOf(form)
	if f == nil {
		return append(b, r.Data...), nil
	}
	seg, _, err := (&SegmentMaker{Recover: recover}).sort(r, entries)
	if err != nil {
		return b, err
	}
	return appendPacked(b, f, r.Data, seg.Entries, seg.CRCs)
}

func appendPacked(b []byte, f packForm, data []byte, s SegmentEntries, crcs []uint32) ([]byte, error) {
	_, size, err := bodies(f, s)
	if err != nil {
		return b, err
	}
	if size > shard.MaxShardData {
		return b, &format.TooLargeError{What: "segment", Need: size, Limit: shard.MaxShardData}
	}
	b = slices.Grow(b, int(size))
	l := packPlace{form: f}
	err = cutSegment(data, s, crcs, func(p *EntryPiece, data []byte, crc uint32) (err error) {
		if p.Off > 0 {
			b = append(b, data...)
			return nil
		}
		l.body = -1
		for i := range p.Entries {
			e := &p.Entries[i]
			if b, err = f.appendHead(b, e, crc); err != nil {
				return err
			}
			if !f.hasBody(e) {
				continue
			}
			if err := fitsPiece(p, e); err != nil {
				return err
			}
			if _, fresh := l.content(p); fresh {
				b = append(b, data...)
			}
			b = append(b, zeros[:l.tail(p)]...)
		}
		return nil
	})
	return b, err
}

// bodies returns the offset of each piece's data in a packed segment, -1 for data that no entry has, and the segment's
// size. If f is nil, the data of all pieces is in sequence.
func bodies(f packForm, s SegmentEntries) ([]int64, int64, error) {
	l := packPlace{form: f}
	at := make([]int64, len(s))
	for i := range s {
		p := &s[i]
		if p.Len < 0 || p.Len > shard.MaxShardData {
			return nil, 0, ErrSegment
		}
		if p.Off > 0 || f == nil {
			at[i] = l.next(p.Len)
			continue
		}
		l.body = -1
		for j := range p.Entries {
			e := &p.Entries[j]
			n, err := f.headLen(e)
			if err != nil {
				return nil, 0, err
			}
			l.next(n)
			if f.hasBody(e) {
				l.content(p)
				l.next(l.tail(p))
			}
		}
		at[i] = l.body
	}
	return at, l.at, nil
}

// packWriter writes packed segments. A blob that comes in pieces is written directly to each of its places.
type packWriter struct {
	form packForm
	keep packKeeper
	out  *stage
	off  int64  // end of the output so far
	buf  []byte // for Segment

	open    []int64 // offsets in the output of the blob whose pieces are coming in
	openLen int64
	begin   int64  // offset of the first header of that blob
	crc     uint32 // of its pieces so far

	src Packed // the current segment
	run packRun
}

// packRun is a range of a packed segment that is written to the output as one.
type packRun struct{ from, n, off int64 }

// packKeeper is notified of what is written, for formats that have a directory at the end or headers to patch.
type packKeeper interface {
	entry(e *Entry, crc uint32, off int64, open bool) error // the header is at off; open: the blob comes in pieces, and crc is that of the first one
	end(crc uint32)                                         // the last piece of a blob was written
	drop()                                                  // the entries of the blob in pieces are removed
}

// Segment implements Output.
func (w *packWriter) Segment(data []byte, s SegmentEntries, crcs []uint32) (err error) {
	if w.buf, err = appendPacked(w.buf[:0], w.form, data, s, crcs); err != nil {
		return err
	}
	return w.Packed(PackedBytes(w.buf), s, crcs)
}

// Packed implements Output.
func (w *packWriter) Packed(b Packed, s SegmentEntries, crcs []uint32) error {
	if len(crcs) != len(s) {
		return ErrSegment
	}
	w.src, w.run = b, packRun{}
	defer func() { w.src = nil }()
	l := packPlace{form: w.form}
	for i := range s {
		p := &s[i]
		var err error
		if p.Off > 0 {
			err = w.more(&l, p, crcs[i])
		} else {
			err = w.first(&l, p, crcs[i])
		}
		if err != nil {
			return err
		}
	}
	w.flush()
	if l.at != b.Len() {
		return ErrSegment
	}
	return w.out.err
}

// put writes n bytes of the current segment to off. It joins adjacent ranges.
func (w *packWriter) put(from, n, off int64) error {
	if n == 0 {
		return nil
	}
	if n < 0 || from > w.src.Len()-n {
		return ErrSegment
	}
	if r := &w.run; r.from+r.n == from && r.off+r.n == off {
		r.n += n
		return nil
	}
	w.flush()
	w.run = packRun{from, n, off}
	return nil
}

func (w *packWriter) flush() {
	if w.run.n > 0 {
		w.out.copy(w.src, w.run)
	}
	w.run = packRun{}
}

// first writes the entries of a piece, and the piece's bytes.
func (w *packWriter) first(l *packPlace, p *EntryPiece, crc uint32) error {
	if len(w.open) != 0 || p.Len < 0 {
		return ErrSegment
	}
	w.begin, w.crc, l.body = w.off, crc, -1
	for i := range p.Entries {
		e := &p.Entries[i]
		head, err := w.form.headLen(e)
		if err != nil {
			return err
		}
		body := w.form.hasBody(e)
		if err := w.keep.entry(e, crc, w.off, body && !p.Last); err != nil {
			return err
		}
		if err := w.put(l.next(head), head, w.off); err != nil {
			return err
		}
		w.off += head
		if !body {
			continue
		}
		if err := fitsPiece(p, e); err != nil {
			return err
		}
		from, _ := l.content(p)
		if err := w.put(from, p.Len, w.off); err != nil {
			return err
		}
		if !p.Last {
			w.open = append(w.open, w.off)
			w.openLen = e.Size
		}
		w.off += e.Size
		tail := l.tail(p)
		if err := w.put(l.next(tail), tail, w.off); err != nil {
			return err
		}
		w.off += w.form.padding(e.Size)
	}
	return nil
}

// more writes another piece of a blob.
func (w *packWriter) more(l *packPlace, p *EntryPiece, crc uint32) error {
	if len(w.open) == 0 || p.Len < 0 || p.Off > w.openLen-p.Len {
		return ErrSegment
	}
	from := l.next(p.Len)
	if p.Drop { // what comes next overwrites it
		w.keep.drop()
		w.off, w.open = w.begin, w.open[:0]
		return nil
	}
	for _, at := range w.open {
		if err := w.put(from, p.Len, at+p.Off); err != nil {
			return err
		}
	}
	w.crc = crc32.Join(w.crc, crc, p.Len)
	if !p.Last {
		return nil
	}
	w.flush() // before it is patched
	for _, at := range w.open {
		w.out.writeAt(zeros[:w.form.padding(w.openLen)], at+w.openLen)
	}
	w.keep.end(w.crc)
	w.open = w.open[:0]
	return nil
}
