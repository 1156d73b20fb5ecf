package extract

import "io"

const tarBlock = 512

// zeros is used for the padding of a TAR, and for its end.
var zeros [2 * tarBlock]byte

// tarForm is the layout of a TAR in pax format.
type tarForm struct{}

func (tarForm) appendHead(b []byte, e *Entry, _ uint32) ([]byte, error) { return appendTARHead(b, e) }

func (tarForm) headLen(e *Entry) (int64, error) { return tarHeadLen(e) }

func (tarForm) hasBody(e *Entry) bool { return e.Kind == EntryFile }

func (tarForm) padding(size int64) int64 { return -size & (tarBlock - 1) }

// tarWriter writes a TAR.
type tarWriter struct{ packWriter }

// NewTAR returns an Output that writes a TAR in pax format to sink, with times to 100 ns, modes, symbolic and hard links.
func NewTAR(sink io.WriterAt) Output {
	t := &tarWriter{packWriter{form: tarForm{}, out: newStage(sink)}}
	t.keep = t
	return t
}

// entry, end and drop implement packKeeper: a TAR has no directory and no checksums of data.
func (t *tarWriter) entry(*Entry, uint32, int64, bool) error { return nil }
func (t *tarWriter) end(uint32)                              {}
func (t *tarWriter) drop()                                   {}

// Finish implements Output.
func (t *tarWriter) Finish() (int64, error) {
	if len(t.open) != 0 {
		return 0, ErrSegment
	}
	t.out.writeAt(zeros[:], t.off)
	size := t.off + int64(len(zeros))
	return size, t.out.finish(size)
}

// tarSize computes the size of what NewTAR writes.
type tarSize struct{ body int64 }

// Add counts an entry.
func (s *tarSize) Add(e *Entry) {
	n, err := tarHeadLen(e)
	if err != nil {
		return // the plan leaves out what a TAR cannot store
	}
	s.body += n
	if e.Kind == EntryFile {
		s.body += e.Size + -e.Size&(tarBlock-1)
	}
}

// Size returns the TAR's size in bytes.
func (s *tarSize) Size() int64 { return s.body + int64(len(zeros)) }
