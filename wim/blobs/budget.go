package blobs

import (
	"errors"
	"fmt"

	"wimscope/wim/format"
)

// A few bytes of a file may claim to stand for gigabytes, as may many records that share a few bytes. Some such claims are
// valid: a chunk of zeros is compressed to a few bytes. So these rules limit time and memory:
//
//   - leastPacked rejects sizes that no compressor can produce.
//   - judge parses a chunk with an unusual ratio before memory is allocated for it.
//   - A chunk that cannot be unpacked is remembered.
//   - If records share bytes, which no tool writes, the work for all of them is limited by the number of bytes.
//   - Tables and metadata may exceed the size of their file only by a fixed factor, far above that of any real archive.

const (
	// Valid metadata may unpack to hundreds of times their packed size. The factor is wimlib's.
	metadataTimes = 512

	// TableTimes limits the blob table, the XML document and the integrity table. A blob table is mostly hashes, which do not compress,
	// and no tool compresses it or the XML document.
	TableTimes = 16

	// leastBudget is the size that counts for smaller files.
	leastBudget = 128 << 10

	// FreeOverlap is how many unpacked bytes resources that share bytes may have beyond those of all others. Each such resource
	// costs PerOverlap more.
	FreeOverlap = 64 << 20
	PerOverlap  = 4 << 10

	// A chunk is parsed beforehand if it has more than firstLook bytes and more than lookTimes its packed size.
	firstLook = 1 << 20
	lookTimes = 256

	// judgedChunks is how many results are remembered.
	judgedChunks = 1 << 14
)

// budget returns the largest size that a table or metadata in a file of size bytes may have.
func budget(fileSize, times int64) int64 { return max(fileSize, leastBudget) * times }

// leastPacked returns the smallest size to which a codec can compress size bytes: fixed bytes, plus size>>shift for the longest possible
// matches. A stored chunk keeps its size.
func leastPacked(codec format.Codec) (fixed int64, shift uint) {
	switch codec {
	case format.XPRESS:
		return 256 + 2, 63 // the code lengths and one unit of bits; a match may be as long as a chunk
	case format.LZX:
		return 30, 11 // 244 bits for header and code lengths; a match has at most 257 bytes and at least two bits
	case format.LZMS:
		return 6, 63 // two units of the range coder and one of bits; a match may be as long as a chunk
	}
	return 0, 0
}

// leastChunk returns leastPacked for one chunk.
func leastChunk(codec format.Codec, size int64) int64 {
	fixed, shift := leastPacked(codec)
	return min(fixed+size>>shift, size)
}

var errTooSmall = errors.New("smaller than any compressor could make it")

// judgement identifies a chunk by everything that its unpacked bytes depend on.
type judgement struct {
	src    int32
	codec  format.Codec
	window int64 // chunk size of the resource
	Chunk
}

func (r *Resource) judgement(c Chunk) judgement { return judgement{r.Src, r.Codec, r.ChunkSize, c} }

// judge checks whether a chunk can be unpacked, before memory is allocated for it. It returns a *format.Error if it cannot, or the error
// of reading the part.
func (a *Store) judge(res *Resource, c Chunk) error {
	key := res.judgement(c)
	if err, known := a.judged.Get(key); known {
		return err
	}
	if c.Packed == c.Size || c.Packed == 0 {
		return nil // stored; or missing, which is reported elsewhere
	}
	if c.Packed < leastChunk(res.Codec, c.Size) {
		return a.chunkError(res, c, errTooSmall)
	}
	if res.Codec != format.LZMS || c.Size <= firstLook || c.Packed > c.Size/lookTimes {
		return nil
	}
	packed, err := a.Parts[res.Src].read("chunk", c.Off, c.Packed)
	if err != nil {
		return err
	}
	dec := a.borrow()
	err = dec.Check(res.Codec, c.Size, packed)
	a.giveBack(dec)
	if err != nil {
		return a.remember(res, c, err)
	}
	a.judged.Put(key, nil, 1)
	return nil
}

// remember records that a chunk cannot be unpacked and returns the error for it.
func (a *Store) remember(res *Resource, c Chunk, err error) error {
	err = a.chunkError(res, c, err)
	a.judged.Put(res.judgement(c), err, 1)
	return err
}

func (a *Store) chunkError(res *Resource, c Chunk, err error) error {
	return &format.Error{Record: fmt.Sprintf("chunk of the resource at 0x%x", res.Off), Part: a.Parts[res.Src].Name, Off: c.Off, Err: err}
}

// judgeSolid judges the chunks that hold bytes [off, off+n) of a solid run.
func (a *Store) judgeSolid(chunks []RunChunk, off, n int64) error {
	for i := max(ChunkAt(chunks, off), 0); i < len(chunks) && chunks[i].Start < off+n; i++ {
		c := &chunks[i]
		if err := a.judge(&a.Solids[c.Solid].Resource, c.Chunk); err != nil {
			return err
		}
	}
	return nil
}

// JudgeResource judges the chunks that hold bytes [off, off+n) of a resource. Only LZMS has chunks that are large enough to
// matter.
func (a *Store) JudgeResource(res *Resource, off, n int64) error {
	if res.Form == FormStored || res.Codec != format.LZMS || min(res.ChunkSize, res.Size) <= firstLook || n == 0 {
		return nil
	}
	for i, end := off/res.ChunkSize, (off+n-1)/res.ChunkSize+1; i < end; i += TableGroup {
		refs, err := a.ReadChunks(res, i, min(TableGroup, end-i))
		if err != nil {
			return err
		}
		for _, c := range refs {
			if err := a.judge(res, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// Overlaps limits the work for resources that share bytes. Left is the number of unpacked bytes that may still be read.
type Overlaps struct{ Left int64 }

// More reports whether one more resource of size unpacked bytes is within the limit, and counts it.
func (o *Overlaps) More(size int64) bool {
	o.Left -= size + PerOverlap
	return o.Left >= 0
}
