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

// Store holds the parts of an archive and of its references, the blobs in them, and the resources in which these lie. Its methods
// may be called from several goroutines.
type Store struct {
	Opts     Options
	Parts    []OpenPart // of the archive, then of the references, in the order in which they were given
	NParts   int        // number of parts of the archive
	first    int        // index of part number 1
	Total    int        // parts in the set
	Missing  []int      // numbers of the parts of the set that were not given
	Records  []Record   // blobs of the parts, then of the references
	NBlobs   int        // number of blobs of the parts
	Index    blobIndex
	Solids   []Solid
	Runs     []Run
	Metas    []Metadata // metadata resources, in the order of the images
	Warnings []string

	chunks *LRU[chunkKey, []byte]
	judged *LRU[judgement, error] // results of judge: nil for a chunk that can be unpacked

	Size     int64        // bytes of all parts, including those of the references
	Unpacked atomic.Int64 // bytes of the chunks that readers have unpacked

	mu     sync.Mutex // guards idle, placed and the chunks of the runs
	idle   []*codec.Decoders
	placed int64 // number of chunks in the tables of the runs
}

// FirstPart returns part number 1, or the part with the lowest number if only later parts are open.
func (a *Store) FirstPart() *OpenPart { return &a.Parts[a.first] }

// OwnParts returns the parts of the archive without those of the references.
func (a *Store) OwnParts() []OpenPart { return a.Parts[:a.NParts] }

// Own returns the blobs of the archive without those of the references.
func (a *Store) Own() []Record { return a.Records[:a.NBlobs] }

// behind returns how many bytes at the end of part i no structure refers to.
func (a *Store) behind(i int) int64 {
	p := &a.Parts[i]
	end := p.HeaderOff + format.HeaderSize
	for _, r := range []format.ResourceHeader{p.Header.BlobTable, p.Header.XML, p.Header.Integrity} {
		if e, ok := ResourceEnd(r); ok {
			end = max(end, e)
		}
	}
	if end >= p.Size { // the usual case: the tables are at the end
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
			a.Warnings = append(a.Warnings, fmt.Sprintf("%s: the last %d bytes, from 0x%x on, are unused, probably left by an interrupted write", p.Name, p.Trailing, p.Size-p.Trailing))
		}
	}
	return nil
}

// readBlobTables reads the blob tables of the parts, then of the references. Adjacent references with the same GUID are one set.
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

// byNumber returns the indexes of the parts [lo, hi), sorted by part number. They are int32 because programs have the
// code of that sort anyway.
func (a *Store) byNumber(lo, hi int) []int32 {
	order := make([]int32, 0, hi-lo)
	for i := lo; i < hi; i++ {
		order = append(order, int32(i))
	}
	slices.SortStableFunc(order, func(x, y int32) int {
		return cmp.Compare(a.Parts[x].Header.PartNumber, a.Parts[y].Header.PartNumber)
	})
	return order
}

// MetadataOf returns the name of an image's metadata resource for error messages.
func MetadataOf(index int) string { return fmt.Sprintf("metadata resource of image %d", index) }

// ReadMetadata reads an image's metadata resource, index from 1. check returns a *ChecksumError if its SHA-1 does not match; the hash
// may be computed in parallel until check is called.
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

// Source holds the readers of the parts, then of the references, in the order in which they were given. Shards refer to them by index.
type Source []io.ReaderAt

// Source returns the readers from which shard.Worker reads this archive's shards.
func (a *Store) Source() Source {
	s := make(Source, len(a.Parts))
	for i := range a.Parts {
		s[i] = a.Parts[i].R
	}
	return s
}

// MetaID returns the ID of metadata resource i in a verification: the IDs after those of the blobs.
func (a *Store) MetaID(i int) int32 { return int32(len(a.Records) + i) }

// MetaPlace identifies a metadata resource, which several images may share. Blob table entries for the same resource with different
// hashes are different places: one of the hashes is wrong.
type MetaPlace struct {
	src  int32
	off  int64
	hash format.Hash
}

// Place returns what identifies the metadata resource.
func (m *Metadata) Place() MetaPlace { return MetaPlace{m.Src, m.Off, m.Hash} }

// ResourceOnly reports whether the archive has no images and holds blobs for those of other archives.
func (a *Store) ResourceOnly() bool {
	return len(a.Metas) == 0 && a.FirstPart().Header.Flags&format.FlagResourceOnly != 0
}
