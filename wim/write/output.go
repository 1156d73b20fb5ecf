package write

import (
	"fmt"
	"io"

	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
)

// output is the file that an archive is written to, or the files of a split set one after another.
type output struct {
	*request
	inv *inventory

	sink     func(part int) (io.WriterAt, error)
	begun    bool
	out      writeOut
	part     int         // number of the current part, from 1
	used     int         // about how many entries its blob table has
	ended    []endedPart // parts that are complete except for their headers
	xmlBound int64       // size limit of the XML document, 0 until it is computed
}

// pipableHeader returns the header that precedes each resource of a pipable archive.
func pipableHeader(size int64, hash format.Hash, flags uint8) []byte {
	return format.PipableBlobHeader{Magic: format.PipableMagic, Size: uint64(size), Hash: hash, Flags: uint32(flags)}.Append(nil)
}

// piped writes a table or XML document. In a pipable archive it has a resource header.
func (f *output) piped(b []byte) (off int64, err error) {
	if f.o.Pipable {
		if err := f.out.append(pipableHeader(int64(len(b)), sha1.Sum(b), format.ResMetadata)); err != nil {
			return 0, err
		}
	}
	off = f.out.off
	return off, f.out.append(b)
}

// need returns the size of a part that holds the given number of resources, n bytes in all.
func (f *output) need(n int64, resources int) int64 {
	off := format.HeaderSize + n + int64(resources)*format.PipableBlobHeaderSize*f.pipable()
	off += f.pipable() * (format.PipableBlobHeaderSize + f.mostXML())
	return off + f.tail(off, resources)
}

// tail returns how many bytes follow the given number of resources in a part, if they end at off.
func (f *output) tail(off int64, resources int) int64 {
	n := int64(resources)*format.BlobEntrySize + f.pipable()*(2*format.PipableBlobHeaderSize+format.HeaderSize)
	if f.o.Integrity {
		n += 12 + (off+n-format.HeaderSize+integrityBlock-1)/integrityBlock*20
	}
	return n + f.mostXML()
}

// mostXML returns an upper bound for the size of a part's XML document. Leaving out files does not make a draft's elements
// longer.
func (f *output) mostXML() int64 {
	if f.xmlBound == 0 {
		f.xmlBound = int64(len(f.xml(1 << 62)))
	}
	return f.xmlBound
}

// fits reports whether a resource of n bytes fits into the current part at off.
func (f *output) fits(off, n int64) bool {
	if f.used == 0 {
		return true // an empty part: it fits into no other either
	}
	off += n + f.pipable()*format.PipableBlobHeaderSize
	return off+f.tail(off, f.used+1) <= f.partSize
}

// openPart opens the file of the current part.
func (f *output) openPart() error {
	w, err := f.sink(f.part)
	if err != nil {
		return err
	}
	f.out = writeOut{w: w, off: format.HeaderSize}
	if f.o.Integrity {
		f.out.sum = newBlockSums()
	}
	return nil
}

// startPart begins a new file: with a header that marks it as unfinished or, for a pipable archive, with the header and the
// XML document.
func (f *output) startPart() error {
	if err := f.openPart(); err != nil {
		return err
	}
	f.used = 0
	h := f.header()
	if !f.o.Pipable {
		h.Flags |= format.FlagWriteInProgress
		h.ImageCount, h.BootIndex = 0, 0
		return f.out.put(h.Append(nil), 0)
	}
	if err := f.out.put(h.Append(nil), 0); err != nil {
		return err
	}
	_, err := f.piped(f.xml(-1))
	return err
}

// nextPart ends the current part and begins the next.
func (f *output) nextPart() error {
	if err := f.endPart(); err != nil {
		return err
	}
	if f.part == maxParts {
		return &RefusedError{Key: RefusedSplit, Text: fmt.Sprintf("a set has at most %d parts", maxParts)}
	}
	f.part++
	return f.startPart()
}
