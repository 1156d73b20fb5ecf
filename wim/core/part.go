package core

import (
	"errors"
	"fmt"
	"io"

	"wimscope/wim/format"
)

// Part is one file to read: of a split set, or an archive's only one. R must allow concurrent calls of ReadAt.
type Part struct {
	Name string
	R    io.ReaderAt
	Size int64 // bytes
}

// part is an open file with its header.
type part struct {
	Part
	hdr    format.Header
	hdrOff int64        // where the header stands: at the end of a pipable archive
	codec  format.Codec // of non-solid resources that are compressed

	// Pipable archives have a copy of the XML document after the header at the front, for readers that cannot seek:
	// its bytes with the small header before it.
	frontXML int64
}

// openPart reads and judges a file's header.
func openPart(p Part) (part, []string, error) {
	out := part{Part: p}
	first := make([]byte, min(max(p.Size, 0), format.HeaderSize))
	if _, err := readFull(p.R, first, 0); err != nil {
		return out, nil, fmt.Errorf("wim: %s: header: %w", p.Name, err)
	}
	size, version, pipable, ok := format.Probe(first)
	if !ok {
		return out, nil, notWIM(p, first)
	}
	if old := format.OldVersion(version); old != "" {
		return out, nil, &OldVersionError{Name: p.Name, Version: old}
	}
	if size == format.HeaderSize && p.Size < format.HeaderSize {
		return out, nil, &TruncatedError{Name: p.Name, Size: p.Size, Missing: format.HeaderSize - p.Size}
	}
	if pipable {
		// The header at the front knows nothing of what follows it; the full one is the last record of the file.
		out.hdrOff = p.Size - format.HeaderSize
		if out.hdrOff < format.HeaderSize {
			return out, nil, &TruncatedError{Name: p.Name, Size: p.Size}
		}
		if _, err := readFull(p.R, first, out.hdrOff); err != nil {
			return out, nil, fmt.Errorf("wim: %s: header: %w", p.Name, err)
		}
		if _, _, pipable, ok := format.Probe(first); !ok || !pipable {
			return out, nil, &TruncatedError{Name: p.Name, Size: p.Size}
		}
	}
	h, err := format.ParseHeader(first)
	if err != nil {
		return out, nil, format.InPart(p.Name, out.hdrOff, err)
	}
	out.hdr = h
	if h.Version != format.Version113 && h.Version != format.Version014 {
		return out, nil, worded{fmt.Sprintf("wim: %s: the format version 0x%08x is not known; 0x%08x (1.13) and 0x%08x (0.14) can be read", p.Name, h.Version, format.Version113, format.Version014), format.ErrUnsupported}
	}
	if h.Flags&format.FlagWriteInProgress != 0 && h.BlobTable.IsZero() && h.XML.IsZero() {
		return out, nil, &UnfinishedError{Name: p.Name, Size: p.Size}
	}
	if h.PartNumber < 1 || h.PartNumber > h.TotalParts {
		return out, nil, format.Errorf("header", p.Name, out.hdrOff+0x28, "part number is %d of %d", h.PartNumber, h.TotalParts)
	}
	if err := out.truncated(); err != nil {
		return out, nil, err
	}
	var warnings []string
	if h.Flags&format.FlagWriteInProgress != 0 {
		warnings = append(warnings, fmt.Sprintf("%s: the header says that writing was not finished", p.Name))
	}
	// XPRESS_2 is XPRESS with chunks of another size. More than one bit is set by no writer; LZX goes first.
	switch {
	case h.Flags&format.FlagCompression == 0:
		out.codec = format.None
	case h.Flags&format.FlagLZX != 0:
		out.codec = format.LZX
	case h.Flags&(format.FlagXPRESS|format.FlagXPRESS2) != 0:
		out.codec = format.XPRESS
	case h.Flags&format.FlagLZMS != 0:
		out.codec = format.LZMS
	default:
		return out, nil, fmt.Errorf("wim: %s: header flags 0x%x name no codec that is known: %w", p.Name, h.Flags, format.ErrUnsupported)
	}
	if pipable {
		if b, err := out.read("pipable blob header", format.HeaderSize, format.PipableBlobHeaderSize); err == nil {
			if x, err := format.ParsePipableBlobHeader(b); err == nil {
				out.frontXML = format.PipableBlobHeaderSize + min(clampInt64(x.Size), p.Size)
			}
		}
	}
	if out.codec != format.None && !format.ChunkSizeOK(out.codec, h.ChunkSize) {
		return out, nil, format.Errorf("header", p.Name, out.hdrOff+0x14, "chunk size %d is not valid for %v, which takes %s", h.ChunkSize, out.codec, format.ChunkSizes(out.codec))
	}
	return out, warnings, nil
}

// truncated compares the file's size with the end of the last resource that the header names. The blob table and
// the XML document follow all data, so they tell how much is missing.
func (p *part) truncated() error {
	var end int64
	for _, r := range []format.ResourceHeader{p.hdr.BlobTable, p.hdr.XML, p.hdr.BootMetadata, p.hdr.Integrity} {
		if e, ok := resourceEnd(r); ok {
			end = max(end, e)
		}
	}
	if end > p.Size {
		return &TruncatedError{Name: p.Name, Size: p.Size, Missing: end - p.Size}
	}
	return nil
}

// resourceEnd is where a resource ends. ok is false if that is beyond all files.
func resourceEnd(r format.ResourceHeader) (int64, bool) {
	const most = 1 << 62
	if r.Off > most || r.PackedSize > most-r.Off {
		return 0, false
	}
	return int64(r.Off + r.PackedSize), true
}

// read gives n bytes of the part.
func (p *part) read(record string, off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > p.Size || n > p.Size-off {
		return nil, format.Errorf(record, p.Name, off, "%d bytes pass the end of the file at 0x%x", n, p.Size)
	}
	b := make([]byte, n)
	if _, err := readFull(p.R, b, off); err != nil {
		return nil, fmt.Errorf("wim: %s: %s at 0x%x: %w", p.Name, record, off, err)
	}
	return b, nil
}

// readFull reads len(b) bytes. An end of file before that is io.ErrUnexpectedEOF.
func readFull(r io.ReaderAt, b []byte, off int64) (int, error) {
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
