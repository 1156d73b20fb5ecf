package blobs

import (
	"errors"
	"fmt"
	"io"

	"wimscope/wim/format"
)

// Part is one file of an archive: the only one, or one of a split set. R must allow concurrent calls of ReadAt.
type Part struct {
	Name string
	R    io.ReaderAt
	Size int64 // bytes
}

// OpenPart is a part whose header was read.
type OpenPart struct {
	Part
	Index     int // in Store.Parts
	Header    format.Header
	HeaderOff int64                  // offset of the header: 0, or near the end of a pipable archive
	Codec     format.Codec           // of compressed resources that are not solid
	Integrity *format.IntegrityTable // nil if there is none or it cannot be read
	Trailing  int64                  // bytes at the end that no structure refers to; 0 for references

	// A pipable archive has a copy of the XML document after the header at the front, for readers that cannot seek. frontXML is its
	// size in bytes, including the small header before it.
	frontXML int64
}

// cut returns how many bytes are missing up to the end of the last resource that the header names. The blob table and the XML document
// follow all data, so their ends show how much is missing.
func (p *OpenPart) cut() int64 {
	var end int64
	for _, r := range []format.ResourceHeader{p.Header.BlobTable, p.Header.XML, p.Header.BootMetadata, p.Header.Integrity} {
		if e, ok := ResourceEnd(r); ok {
			end = max(end, e)
		}
	}
	return max(end-p.Size, 0)
}

// ResourceEnd returns the offset of the end of a resource. ok is false if no file can be that long.
func ResourceEnd(r format.ResourceHeader) (int64, bool) {
	const most = 1 << 62
	if r.Off > most || r.PackedSize > most-r.Off {
		return 0, false
	}
	return int64(r.Off + r.PackedSize), true
}

// read returns n bytes of the part.
func (p *OpenPart) read(record string, off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > p.Size || n > p.Size-off {
		return nil, format.Errorf(record, p.Name, off, "%d bytes extend past the end of the file at 0x%x", n, p.Size)
	}
	b := make([]byte, n)
	if _, err := ReadFull(p.R, b, off); err != nil {
		return nil, fmt.Errorf("wim: %s: %s at 0x%x: %w", p.Name, record, off, err)
	}
	return b, nil
}

// ReadFull reads len(b) bytes. It returns io.ErrUnexpectedEOF if the file ends before that.
func ReadFull(r io.ReaderAt, b []byte, off int64) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
