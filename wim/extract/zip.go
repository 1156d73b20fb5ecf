package extract

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"

	"wimscope/wim/format"
)

// ZIP records, PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
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

// zipForm is the layout of a ZIP whose files are stored uncompressed, so that its size and all offsets are known in
// advance.
type zipForm struct{}

func (zipForm) appendHead(b []byte, e *Entry, crc uint32) ([]byte, error) {
	size, crc := zipContent(e, crc)
	b = appendZIPLocal(b, e, size, crc)
	if e.Kind == EntrySymlink {
		b = append(b, e.Target...)
	}
	return b, zipNameFits(e)
}

func (zipForm) headLen(e *Entry) (int64, error) {
	size, _ := zipContent(e, 0)
	n := zipLocalLen(e, size)
	if e.Kind == EntrySymlink {
		n += size
	}
	return n, zipNameFits(e)
}

func (zipForm) hasBody(e *Entry) bool { return e.Kind == EntryFile || e.Kind == EntryHardLink }

func (zipForm) padding(int64) int64 { return 0 }

// zipContent returns size and CRC of an entry's data; crc is the CRC of its blob.
func zipContent(e *Entry, crc uint32) (int64, uint32) {
	switch e.Kind {
	case EntryDir:
		return 0, 0
	case EntrySymlink:
		return int64(len(e.Target)), crc32.ChecksumIEEE([]byte(e.Target))
	}
	return e.Size, crc
}

func zipNameFits(e *Entry) error {
	if n := zipNameLen(e); n > math.MaxUint16 {
		return fmt.Errorf("wim: %.40q… is too long a name for a ZIP: %d bytes", e.Path, n)
	}
	return nil
}

// zipWriter writes a ZIP. It patches the CRC of a blob that comes in pieces at the end.
type zipWriter struct {
	packWriter
	central []byte // the central directory so far
	count   int
	open    []zipOpen // the entries of the blob whose pieces are coming in
}

// zipOpen is an entry whose data is incomplete.
type zipOpen struct {
	header  int64 // offset of its local header
	central int   // offset of its record in zipWriter.central
}

// NewZIP returns an Output that writes a ZIP to sink: files stored uncompressed, ZIP64 where needed, names in UTF-8, times
// as extended timestamps and in 100-ns units, Unix modes, symbolic links as on Unix. A hard link becomes a copy.
func NewZIP(sink io.WriterAt) Output {
	z := &zipWriter{packWriter: packWriter{form: zipForm{}, out: newStage(sink)}}
	z.keep = z
	return z
}

// entry implements packKeeper.
func (z *zipWriter) entry(e *Entry, crc uint32, off int64, open bool) error {
	if open {
		z.open = append(z.open, zipOpen{off, len(z.central)})
	}
	size, crc := zipContent(e, crc)
	z.central = appendZIPCentral(z.central, e, size, crc, off)
	z.count++
	return nil
}

// end patches the CRC of a blob that came in pieces.
func (z *zipWriter) end(crc uint32) {
	sum := binary.LittleEndian.AppendUint32(nil, crc)
	for _, o := range z.open {
		z.out.writeAt(sum, o.header+14)
		copy(z.central[o.central+16:], sum)
	}
	z.open = z.open[:0]
}

// drop implements packKeeper.
func (z *zipWriter) drop() {
	z.central = z.central[:z.open[0].central]
	z.count -= len(z.open)
	z.open = z.open[:0]
}

// Finish implements Output.
func (z *zipWriter) Finish() (int64, error) {
	if len(z.open) != 0 {
		return 0, ErrSegment
	}
	z.out.writeAt(z.central, z.off)
	end := appendZIPEnd(nil, z.count, int64(len(z.central)), z.off)
	z.out.writeAt(end, z.off+int64(len(z.central)))
	size := z.off + int64(len(z.central)) + int64(len(end))
	return size, z.out.finish(size)
}

// zipSize computes the size of what NewZIP writes.
type zipSize struct {
	body, central int64
	count         int
}

// Add counts an entry.
func (s *zipSize) Add(e *Entry) {
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

// Size returns the ZIP's size in bytes.
func (s *zipSize) Size() int64 {
	return s.body + s.central + int64(len(appendZIPEnd(nil, s.count, s.central, s.body)))
}

func zipName(e *Entry) string {
	if e.Kind == EntryDir && !strings.HasSuffix(e.Path, "/") {
		return e.Path + "/"
	}
	return e.Path
}

// zipNameLen returns the length of zipName without building it: paths may be long.
func zipNameLen(e *Entry) int64 {
	n := int64(len(e.Path))
	if e.Kind == EntryDir && !strings.HasSuffix(e.Path, "/") {
		n++
	}
	return n
}

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

// zip64Sizes returns the body of a ZIP64 extra field in the central directory: only the values that do not fit in 32 bits.
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

// appendZIPCommon appends what local and central headers share: version, flags, method, time, CRC and sizes.
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

// appendZIPTime appends the extended timestamp ("UT"), if the time fits in 32 bits.
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

func appendZIPCentral(b []byte, e *Entry, size int64, crc uint32, off int64) []byte {
	le := binary.LittleEndian
	name := zipName(e)
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
	return le.AppendUint64(b, uint64(e.Created))
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

// unixMode returns the entry's Unix mode with its type: the permissions in the archive, or ones derived from the
// attributes.
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

// unixTime returns whole seconds since 1970 if the time is known and fits in 32 bits.
func unixTime(t format.Filetime) (int32, bool) {
	sec := int64(uint64(t)/format.FiletimePerSecond) - format.FiletimeUnixSeconds
	if t == 0 || sec != int64(int32(sec)) {
		return 0, false
	}
	return int32(sec), true
}

// dosTime returns the clock and date of MS-DOS in UTC, clamped to its range, 1980 to 2107. It does not use package time,
// which would take as long as everything else in the two headers of an entry.
func dosTime(t format.Filetime) (clock, date uint16) {
	const first, after, day = 315532800, 4354819200, 24 * 3600 // 1980-01-01 and 2108-01-01 in seconds since 1970
	sec := int64(uint64(t)/format.FiletimePerSecond) - format.FiletimeUnixSeconds
	sec = min(max(sec, first), after-2)
	of := sec % day
	clock = uint16(of/3600<<11 | of%3600/60<<5 | of%60/2)
	// Years that begin in March put the leap day last. Days are counted from 1600-03-01, the start of a 400-year cycle.
	d := sec/day + 135080
	year := (d - d/1460 + d/36524 - d/146096) / 365
	d -= 365*year + year/4 - year/100 + year/400
	month := (5*d + 2) / 153 // from March; 153 days are five months
	d -= (153*month + 2) / 5
	if month += 3; month > 12 {
		month -= 12
		year++
	}
	return clock, uint16((1600+year-1980)<<9 | month<<5 | (d + 1))
}
