package blobs

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
	Opts     Options
	Parts    []OpenPart // of the archive, then of the references, in the order of Open
	NParts   int        // of the archive
	first    int        // part number 1
	Total    int        // parts in the set
	Missing  []int
	Records  []Record // of the parts, then of the references
	NBlobs   int      // of the parts
	Index    blobIndex
	Solids   []Solid
	Runs     []Run
	Metas    []Metadata // metadata resources, in the order of the images
	Warnings []string

	chunks *LRU[chunkKey, []byte]
	judged *LRU[judgement, error] // of chunks: nil if they can be unpacked

	Size     int64        // of all parts, references too
	Unpacked atomic.Int64 // bytes of chunks, by readers

	mu     sync.Mutex // guards idle and the runs' chunks
	idle   []*codec.Decoders
	placed int64 // chunks of runs
}

// FirstPart returns part number 1; of later parts opened without it, the one with the lowest number.
func (a *Store) FirstPart() *OpenPart { return &a.Parts[a.first] }

// OwnParts returns the parts of the archive, without those of the references.
func (a *Store) OwnParts() []OpenPart { return a.Parts[:a.NParts] }

// Own returns the blobs of the archive, without those of the references.
func (a *Store) Own() []Record { return a.Records[:a.NBlobs] }

// behind is how many bytes at the end of part i belong to nothing.
func (a *Store) behind(i int) int64 {
	p := &a.Parts[i]
	end := p.HeaderOff + format.HeaderSize
	for _, r := range []format.ResourceHeader{p.Header.BlobTable, p.Header.XML, p.Header.Integrity} {
		if e, ok := ResourceEnd(r); ok {
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

// ReadTables reads the blob tables and the integrity tables of the parts, then of the references. An integrity table that cannot be
// read is a warning.
func (a *Store) ReadTables() error {
	if err := a.readBlobTables(); err != nil {
		return err
	}
	for i := range a.Parts {
		p := &a.Parts[i]
		if err := a.readIntegrity(p); err != nil {
			var fe *format.Error
			if !errors.As(err, &fe) {
				return err
			}
			a.Warnings = append(a.Warnings, strings.TrimPrefix(err.Error(), "wim: "))
		}
		if i >= a.NParts {
			continue
		}
		if p.Trailing = a.behind(i); p.Trailing > 0 {
			a.Warnings = append(a.Warnings, fmt.Sprintf("%s: the last %d bytes, from 0x%x on, belong to nothing; writing that was interrupted leaves such", p.Name, p.Trailing, p.Size-p.Trailing))
		}
	}
	return nil
}

// readBlobTables reads the blob tables of the parts, then of the references; neighbours of one GUID are a set.
func (a *Store) readBlobTables() error {
	l := &loader{a: a, lo: 0, hi: a.NParts, metas: true, solidIDs: map[solidKey]int32{}}
	if err := l.load(); err != nil {
		return err
	}
	a.NBlobs = len(a.Records)
	for lo := a.NParts; lo < len(a.Parts); {
		hi := lo + 1
		for hi < len(a.Parts) && a.Parts[hi].Header.GUID == a.Parts[lo].Header.GUID {
			hi++
		}
		l := &loader{a: a, lo: lo, hi: hi, base: int32(len(a.Records)), solidIDs: map[solidKey]int32{}}
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
		return cmp.Compare(a.Parts[x].Header.PartNumber, a.Parts[y].Header.PartNumber)
	})
	return order
}

func MetadataOf(index int) string { return fmt.Sprintf("metadata resource of image %d", index) }

// ReadMetadata reads an image's metadata resource. check tells whether its SHA-1 is right; that may be computed beside
// what the caller does until then.
func (a *Store) ReadMetadata(index int) (b []byte, check func() error, err error) {
	m := &a.Metas[index-1]
	p := &a.Parts[m.Src]
	if m.Problem != "" {
		return nil, nil, format.Errorf(MetadataOf(index), p.Name, m.Off, "%s", m.Problem)
	}
	b, err = a.ReadAll(&m.Resource, MetadataOf(index), metadataTimes)
	if err != nil {
		return nil, nil, err
	}
	sum := a.Opts.sum(b)
	return b, func() error {
		if got := sum(); got != m.Hash {
			return &ChecksumError{What: MetadataOf(index), Part: p.Name, Off: m.Off, Want: m.Hash, Got: got}
		}
		return nil
	}, nil
}

// Source gives shards their bytes: parts, then references, in the order of Open.
type Source []io.ReaderAt

// Source is what shard.Do reads this archive's shards from.
func (a *Store) Source() Source {
	s := make(Source, len(a.Parts))
	for i := range a.Parts {
		s[i] = a.Parts[i].R
	}
	return s
}

// MetaID is the ID of metadata resource i in a verification.
func (a *Store) MetaID(i int) int32 { return int32(len(a.Records) + i) }

// MetaPlace identifies a metadata resource; two images may share one. Their blob table entries may have different hashes, of which
// one is wrong then.
type MetaPlace struct {
	src  int32
	off  int64
	hash format.Hash
}

func (m *Metadata) Place() MetaPlace { return MetaPlace{m.Src, m.Off, m.Hash} }

// ResourceOnly says that the archive holds contents for the images of others.
func (a *Store) ResourceOnly() bool {
	return len(a.Metas) == 0 && a.FirstPart().Header.Flags&format.FlagResourceOnly != 0
}
