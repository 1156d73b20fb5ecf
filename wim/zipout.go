package wim

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"time"
)

// ZIP records, as PKWARE's APPNOTE.TXT 6.3.10 gives them in 4.3 to 4.5.
const (
	zipLocalSize   = 30
	zipCentralSize = 46
	zipEndSize     = 22
	zip64EndSize   = 56
	zip64LocSize   = 20
	zipUTF8        = 1 << 11
	zipUnix        = 3 << 8 // "made by": external attributes hold a Unix mode
	zip32          = math.MaxUint32
)

// zipWriter writes a ZIP whose files are stored, so that its size and every offset are known before the first byte
// is: a content that comes in pieces goes straight to each place where it belongs, and its CRC is filled in last.
type zipWriter struct {
	out     *stage
	off     int64  // end of what has a place
	central []byte // the directory so far
	count   int
	open    []zipOpen // the entries of the content that is coming in pieces
	openLen int64
	crc     uint32
}

// zipOpen is an entry whose bytes are still coming.
type zipOpen struct {
	header  int64 // where its local header stands
	data    int64 // where its bytes go
	central int   // where its record begins in central
}

// NewZIPWriter writes a stored ZIP to sink: ZIP64 where needed, names in UTF-8, times as extended timestamps and in
// 100-ns units, Unix modes, symbolic links as Unix makes them. A hard link becomes a copy.
func NewZIPWriter(sink io.WriterAt) OutputWriter {
	return &zipWriter{out: newStage(sink)}
}

// Segment implements OutputWriter.
func (z *zipWriter) Segment(data []byte, s SegmentEntries, crcs []uint32) error {
	if err := cutSegment(data, s, crcs, z.piece); err != nil {
		return err
	}
	return z.out.err
}

func (z *zipWriter) piece(p *EntryPiece, data []byte, crc uint32) error {
	if p.Off == 0 {
		if len(z.open) != 0 {
			return errSegment
		}
		return z.first(p, data, crc)
	}
	if len(z.open) == 0 || p.Off+p.Len > z.openLen {
		return errSegment
	}
	z.crc = crc32.Update(z.crc, crc32.IEEETable, data)
	for _, o := range z.open {
		z.out.writeAt(data, o.data+p.Off)
	}
	if p.Last {
		z.patch()
	}
	return nil
}

// first writes the headers of a piece's entries, and as many of their bytes as it holds.
func (z *zipWriter) first(p *EntryPiece, data []byte, crc uint32) error {
	z.crc = crc
	for i := range p.Entries {
		e := &p.Entries[i]
		body := data
		size := e.Size
		switch e.Kind {
		case EntryDir:
			body, size = nil, 0
		case EntrySymlink:
			body = []byte(e.Target)
			size = int64(len(body))
		}
		if int64(len(body)) > size || p.Last && int64(len(body)) != size {
			return fmt.Errorf("%q is %d bytes long, not %d: %w", e.Path, len(body), size, errSegment)
		}
		sum := crc
		if e.Kind == EntryDir || e.Kind == EntrySymlink {
			sum = crc32.ChecksumIEEE(body)
		}
		if !p.Last {
			z.open = append(z.open, zipOpen{z.off, z.off + zipLocalLen(e, size), len(z.central)})
			z.openLen = size
		}
		var err error
		if z.central, err = appendZIPCentral(z.central, e, size, sum, z.off); err != nil {
			return err
		}
		z.count++
		z.out.writeAt(appendZIPLocal(nil, e, size, sum), z.off)
		z.out.writeAt(body, z.off+zipLocalLen(e, size))
		z.off += zipLocalLen(e, size) + size
	}
	return nil
}

// patch fills in the CRC of a content that came in pieces.
func (z *zipWriter) patch() {
	sum := binary.LittleEndian.AppendUint32(nil, z.crc)
	for _, o := range z.open {
		z.out.writeAt(sum, o.header+14)
		copy(z.central[o.central+16:], sum)
	}
	z.open = z.open[:0]
}

// Finish implements OutputWriter.
func (z *zipWriter) Finish() (int64, error) {
	if len(z.open) != 0 {
		return 0, errSegment
	}
	z.out.writeAt(z.central, z.off)
	end := appendZIPEnd(nil, z.count, int64(len(z.central)), z.off)
	z.out.writeAt(end, z.off+int64(len(z.central)))
	z.out.flush()
	return z.off + int64(len(z.central)) + int64(len(end)), z.out.err
}

// ZIPSize adds up how many bytes NewZIPWriter will write.
type ZIPSize struct {
	body, central int64
	count         int
}

// Add counts an entry.
func (s *ZIPSize) Add(e *Entry) {
	size := e.Size
	switch e.Kind {
	case EntryDir:
		size = 0
	case EntrySymlink:
		size = int64(len(e.Target))
	}
	s.central += zipCentralLen(e, size, s.body)
	s.body += zipLocalLen(e, size) + size
	s.count++
}

// Size is the ZIP's size in bytes.
func (s *ZIPSize) Size() int64 {
	return s.body + s.central + int64(len(appendZIPEnd(nil, s.count, s.central, s.body)))
}

func zipName(e *Entry) string {
	if e.Kind == EntryDir && !strings.HasSuffix(e.Path, "/") {
		return e.Path + "/"
	}
	return e.Path
}

func zipNameLen(e *Entry) int64 { return int64(len(zipName(e))) }

func zipLocalLen(e *Entry, size int64) int64 {
	n := zipLocalSize + zipNameLen(e)
	if size >= zip32 {
		n += 4 + 16
	}
	if _, ok := unixTime(e.Modified); ok {
		n += 4 + 5
	}
	return n
}

func zipCentralLen(e *Entry, size, off int64) int64 {
	n := zipCentralSize + zipNameLen(e) + 4 + 32
	if _, ok := unixTime(e.Modified); ok {
		n += 4 + 5
	}
	if k := len(zip64Sizes(size, off)); k > 0 {
		n += 4 + int64(k)
	}
	return n
}

// zip64Sizes is the body of a ZIP64 extra field in the central directory: just the values that do not fit 32 bits.
func zip64Sizes(size, off int64) []byte {
	var b []byte
	if size >= zip32 {
		b = binary.LittleEndian.AppendUint64(b, uint64(size))
		b = binary.LittleEndian.AppendUint64(b, uint64(size))
	}
	if off >= zip32 {
		b = binary.LittleEndian.AppendUint64(b, uint64(off))
	}
	return b
}

func appendZIPLocal(b []byte, e *Entry, size int64, crc uint32) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(b, 0x04034b50)
	b = appendZIPCommon(b, e, size, crc)
	name := zipName(e)
	extra := int(zipLocalLen(e, size)) - zipLocalSize - len(name)
	b = le.AppendUint16(b, uint16(len(name)))
	b = le.AppendUint16(b, uint16(extra))
	b = append(b, name...)
	if size >= zip32 {
		b = le.AppendUint16(b, 0x0001)
		b = le.AppendUint16(b, 16)
		b = le.AppendUint64(b, uint64(size))
		b = le.AppendUint64(b, uint64(size))
	}
	return appendZIPTime(b, e)
}

// appendZIPCommon writes what local and central headers share: version, flags, method, time, CRC and sizes.
func appendZIPCommon(b []byte, e *Entry, size int64, crc uint32) []byte {
	le := binary.LittleEndian
	version := uint16(20)
	if size >= zip32 {
		version = 45
	}
	b = le.AppendUint16(b, version)
	b = le.AppendUint16(b, zipUTF8)
	b = le.AppendUint16(b, 0) // stored
	clock, date := dosTime(e.Modified)
	b = le.AppendUint16(b, clock)
	b = le.AppendUint16(b, date)
	b = le.AppendUint32(b, crc)
	short := uint32(min(size, zip32))
	b = le.AppendUint32(b, short)
	return le.AppendUint32(b, short)
}

// appendZIPTime writes the extended timestamp ("UT"), if the time fits its 32 bits.
func appendZIPTime(b []byte, e *Entry) []byte {
	sec, ok := unixTime(e.Modified)
	if !ok {
		return b
	}
	le := binary.LittleEndian
	b = le.AppendUint16(b, 0x5455)
	b = le.AppendUint16(b, 5)
	b = append(b, 1) // the modification time follows
	return le.AppendUint32(b, uint32(sec))
}

func appendZIPCentral(b []byte, e *Entry, size int64, crc uint32, off int64) ([]byte, error) {
	le := binary.LittleEndian
	name := zipName(e)
	if len(name) > math.MaxUint16 {
		return b, fmt.Errorf("wim: %.40q… is too long a name for a ZIP: %d bytes", name, len(name))
	}
	b = le.AppendUint32(b, 0x02014b50)
	b = le.AppendUint16(b, zipUnix|45)
	b = appendZIPCommon(b, e, size, crc)
	extra := int(zipCentralLen(e, size, off)) - zipCentralSize - len(name)
	b = le.AppendUint16(b, uint16(len(name)))
	b = le.AppendUint16(b, uint16(extra))
	b = append(b, 0, 0, 0, 0, 0, 0) // no comment, disk 0, binary
	b = le.AppendUint32(b, unixMode(e)<<16|e.Attrs&0x3f)
	b = le.AppendUint32(b, uint32(min(off, zip32)))
	b = append(b, name...)
	if large := zip64Sizes(size, off); len(large) > 0 {
		b = le.AppendUint16(b, 0x0001)
		b = le.AppendUint16(b, uint16(len(large)))
		b = append(b, large...)
	}
	b = appendZIPTime(b, e)
	b = le.AppendUint16(b, 0x000a) // NTFS: attribute 1 holds three times
	b = le.AppendUint16(b, 32)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, 24)
	b = le.AppendUint64(b, uint64(e.Modified))
	b = le.AppendUint64(b, uint64(e.Accessed))
	return le.AppendUint64(b, uint64(e.Created)), nil
}

func appendZIPEnd(b []byte, count int, size, off int64) []byte {
	le := binary.LittleEndian
	if count >= math.MaxUint16 || size >= zip32 || off >= zip32 {
		b = le.AppendUint32(b, 0x06064b50)
		b = le.AppendUint64(b, zip64EndSize-12)
		b = le.AppendUint16(b, zipUnix|45)
		b = le.AppendUint16(b, 45)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, uint64(count))
		b = le.AppendUint64(b, uint64(count))
		b = le.AppendUint64(b, uint64(size))
		b = le.AppendUint64(b, uint64(off))
		b = le.AppendUint32(b, 0x07064b50)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, uint64(off+size))
		b = le.AppendUint32(b, 1)
	}
	b = le.AppendUint32(b, 0x06054b50)
	b = le.AppendUint32(b, 0)
	short := uint16(min(count, math.MaxUint16))
	b = le.AppendUint16(b, short)
	b = le.AppendUint16(b, short)
	b = le.AppendUint32(b, uint32(min(size, zip32)))
	b = le.AppendUint32(b, uint32(min(off, zip32)))
	return le.AppendUint16(b, 0)
}

// unixMode is the entry's Unix mode with its type: what the archive holds, or what the attributes suggest.
func unixMode(e *Entry) uint32 {
	perm := e.Mode & 0o7777
	switch e.Kind {
	case EntryDir:
		if perm == 0 {
			perm = 0o755
		}
		return 0o040000 | perm
	case EntrySymlink:
		return 0o120777
	}
	if perm == 0 {
		perm = 0o644
		if e.Attrs&1 != 0 { // read-only
			perm = 0o444
		}
	}
	return 0o100000 | perm
}

// unixTime gives whole seconds since 1970 if the time is known and fits 32 bits.
func unixTime(t Filetime) (int32, bool) {
	sec := t.Time().Unix()
	if t == 0 || sec != int64(int32(sec)) {
		return 0, false
	}
	return int32(sec), true
}

// dosTime gives MS-DOS's clock and date in UTC, held within its range, 1980 to 2107.
func dosTime(t Filetime) (clock, date uint16) {
	tm := t.Time()
	switch {
	case tm.Year() < 1980:
		tm = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	case tm.Year() > 2107:
		tm = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	}
	clock = uint16(tm.Hour()<<11 | tm.Minute()<<5 | tm.Second()/2)
	date = uint16((tm.Year()-1980)<<9 | int(tm.Month())<<5 | tm.Day())
	return clock, date
}
