package core

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"wimscope/wim/codec"
	"wimscope/wim/format"
)

// Store is the bytes of an archive: its parts and references, the blobs in them, and which resources these lie in. It
// knows neither images nor the XML document. Its methods may be called from several goroutines.
type Store struct {
	opts     ReadOptions
	parts    []part // of the archive, then of the references, in the order of Open
	nParts   int    // of the archive
	first    int    // part number 1
	total    int    // parts in the set
	missing  []int
	blobs    []blobRec // of the parts, then of the references
	nBlobs   int       // of the parts
	index    blobIndex
	solids   []solidResource
	runs     []solidRun
	metas    []metaRec // metadata resources, in the order of the images
	warnings []string

	chunks *lru[chunkKey, []byte]
	judged *lru[judgement, error] // of chunks: nil if they can be unpacked

	size     int64        // of all parts, references too
	unpacked atomic.Int64 // bytes of chunks, by readers

	mu     sync.Mutex // guards idle and the runs' chunks
	idle   []*codec.Decoders
	placed int64 // chunks of runs
}

// firstPart returns part number 1; of later parts opened without it, the one with the lowest number.
func (a *Store) firstPart() *part { return &a.parts[a.first] }

// ownParts returns the parts of the archive, without those of the references.
func (a *Store) ownParts() []part { return a.parts[:a.nParts] }

// own returns the blobs of the archive, without those of the references.
func (a *Store) own() []blobRec { return a.blobs[:a.nBlobs] }

// behind is how many bytes at the end of part i belong to nothing.
func (a *Store) behind(i int) int64 {
	p := &a.parts[i]
	end := p.hdrOff + format.HeaderSize
	for _, r := range []format.ResourceHeader{p.hdr.BlobTable, p.hdr.XML, p.hdr.Integrity} {
		if e, ok := resourceEnd(r); ok {
			end = max(end, e)
		}
	}
	if end >= p.Size { // so it is as a rule: contents stand before what describes them
		return 0
	}
	for _, e := range a.extents(i) {
		end = max(end, e.end)
	}
	return p.Size - end
}

// readTables reads the blob tables and the integrity tables of the parts, then of the references. An integrity table that cannot be
// read is a warning.
func (a *Store) readTables() error {
	if err := a.readBlobTables(); err != nil {
		return err
	}
	for i := range a.parts {
		p := &a.parts[i]
		if err := a.readIntegrity(p); err != nil {
			var fe *format.Error
			if !errors.As(err, &fe) {
				return err
			}
			a.warnings = append(a.warnings, strings.TrimPrefix(err.Error(), "wim: "))
		}
		if i >= a.nParts {
			continue
		}
		if p.trailing = a.behind(i); p.trailing > 0 {
			a.warnings = append(a.warnings, fmt.Sprintf("%s: the last %d bytes, from 0x%x on, belong to nothing; writing that was interrupted leaves such", p.Name, p.trailing, p.Size-p.trailing))
		}
	}
	return nil
}

// readBlobTables reads the blob tables of the parts, then of the references; neighbours of one GUID are a set.
func (a *Store) readBlobTables() error {
	l := &loader{a: a, lo: 0, hi: a.nParts, metas: true, solidIDs: map[solidKey]int32{}}
	if err := l.load(); err != nil {
		return err
	}
	a.nBlobs = len(a.blobs)
	for lo := a.nParts; lo < len(a.parts); {
		hi := lo + 1
		for hi < len(a.parts) && a.parts[hi].hdr.GUID == a.parts[lo].hdr.GUID {
			hi++
		}
		l := &loader{a: a, lo: lo, hi: hi, base: int32(len(a.blobs)), solidIDs: map[solidKey]int32{}}
		if err := l.load(); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}

// byNumber lists the parts [lo, hi) by their part numbers.
func (a *Store) byNumber(lo, hi int) []int {
	order := make([]int, 0, hi-lo)
	for i := lo; i < hi; i++ {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(x, y int) int {
		return cmp.Compare(a.parts[x].hdr.PartNumber, a.parts[y].hdr.PartNumber)
	})
	return order
}

func metadataOf(index int) string { return fmt.Sprintf("metadata resource of image %d", index) }

// metadata reads an image's metadata resource. check tells whether its SHA-1 is right; that may be computed beside
// what the caller does until then.
func (a *Store) metadata(index int) (b []byte, check func() error, err error) {
	m := &a.metas[index-1]
	p := &a.parts[m.src]
	if m.problem != "" {
		return nil, nil, format.Errorf(metadataOf(index), p.Name, m.off, "%s", m.problem)
	}
	b, err = a.readAll(&m.resource, metadataOf(index), metadataTimes)
	if err != nil {
		return nil, nil, err
	}
	sum := a.opts.sum(b)
	return b, func() error {
		if got := sum(); got != m.hash {
			return &ChecksumError{What: metadataOf(index), Part: p.Name, Off: m.off, Want: m.hash, Got: got}
		}
		return nil
	}, nil
}

// Source gives shards their bytes: parts, then references, in the order of Open.
type Source []io.ReaderAt

// Source is what RunShard reads this archive's shards from.
func (a *Store) Source() Source {
	s := make(Source, len(a.parts))
	for i := range a.parts {
		s[i] = a.parts[i].R
	}
	return s
}

// metaID is the ID of metadata resource i in a verification.
func (a *Store) metaID(i int) int32 { return int32(len(a.blobs) + i) }

// metaPlace identifies a metadata resource; two images may share one. Their blob table entries may have different hashes, of which
// one is wrong then.
type metaPlace struct {
	src  int32
	off  int64
	hash format.Hash
}

func (m *metaRec) place() metaPlace { return metaPlace{m.src, m.off, m.hash} }

// resourceOnly says that the archive holds contents for the images of others.
func (a *Store) resourceOnly() bool {
	return len(a.metas) == 0 && a.firstPart().hdr.Flags&format.FlagResourceOnly != 0
}
