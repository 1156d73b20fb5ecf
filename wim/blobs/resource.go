package blobs

import (
	"encoding/binary"
	"errors"
	"fmt"

	"wimscope/wim/format"
)

// Resource is a run of bytes in a part that stand for others: as they are, or in chunks. A solid resource is one too.
type Resource struct {
	Src       int32 // index into Source
	Form      resourceForm
	Codec     format.Codec
	Off       int64 // of its first byte in the part
	Packed    int64 // bytes in the part
	Size      int64 // bytes unpacked
	ChunkSize int64 // unpacked bytes per chunk; 0 if form is FormStored
}

// resourceForm is how a resource is laid out.
type resourceForm uint8

const (
	FormStored  resourceForm = iota // the bytes themselves
	FormChunked                     // a table of chunk offsets, then the chunks
	FormPipable                     // each chunk after its size, then the table
	FormSolid                       // a solid header, a table of chunk sizes, the chunks
)

// Chunks is how many chunks the resource has.
func (r *Resource) Chunks() int64 {
	if r.Form == FormStored {
		return 1
	}
	return (r.Size + r.ChunkSize - 1) / r.ChunkSize
}

// ChunkLen is how many unpacked bytes chunk i has; the last one has what is left.
func (r *Resource) ChunkLen(i int64) int64 { return min(r.ChunkSize, r.Size-i*r.ChunkSize) }

// TableSize is the size of the chunk table, 0 if there is none.
func (r *Resource) TableSize() int64 {
	switch r.Form {
	case FormChunked, FormPipable:
		// The first chunk's offset is 0 and left out.
		return (r.Chunks() - 1) * int64(format.ChunkEntrySize(uint64(r.Size)))
	case FormSolid:
		return r.Chunks() * 4
	}
	return 0
}

// TableOff is where the chunk table stands in the part.
func (r *Resource) TableOff() int64 {
	switch r.Form {
	case FormPipable:
		return r.Off + r.Packed - r.TableSize()
	case FormSolid:
		return r.Off + format.SolidHeaderSize
	}
	return r.Off
}

// PipablePrefix is the size of what stands before each chunk of a pipable resource: its size.
const PipablePrefix = 4

// Check judges the numbers by themselves and against the size of the part; they are all of at most 62 bits. What
// it lets pass can be reckoned with without overflow.
func (r *Resource) Check(partSize int64) error {
	if r.Off < 0 || r.Packed < 0 || r.Off > partSize || r.Packed > partSize-r.Off {
		return fmt.Errorf("resource ends at 0x%x, past the end of the part at 0x%x", uint64(r.Off)+uint64(r.Packed), partSize)
	}
	if r.Size < 0 {
		return fmt.Errorf("size %d is beyond all bounds", uint64(r.Size))
	}
	if r.Form == FormStored {
		if r.Packed != r.Size {
			return fmt.Errorf("uncompressed, but %d bytes are stored for %d", r.Packed, r.Size)
		}
		return nil
	}
	if r.Size == 0 {
		return nil
	}
	n := r.Chunks()
	if n > r.Packed { // each chunk has a byte at least; this also keeps TableSize small
		return fmt.Errorf("%d bytes cannot hold %d chunks", r.Packed, n)
	}
	least := r.TableSize() + (n-1)*leastChunk(r.Codec, r.ChunkSize) + leastChunk(r.Codec, r.ChunkLen(n-1))
	switch r.Form {
	case FormPipable:
		least += n * PipablePrefix
	case FormSolid:
		least += format.SolidHeaderSize
	}
	if least > r.Packed {
		return fmt.Errorf("%d bytes cannot hold %d chunks and their table", r.Packed, n)
	}
	return nil
}

// Chunk is where a packed chunk lies in the part.
type Chunk struct {
	Off    int64
	Packed int64 // bytes; equal to size if it is stored as it is
	Size   int64 // unpacked
}

var ErrChunkTable = errors.New("chunk table makes no sense")

// TableRange is which bytes of the part tell where chunks [first, first+count) lie; n may be 0. For a solid
// resource, whose table holds sizes, first must be 0.
func (r *Resource) TableRange(first, count int64) (off, n int64) {
	switch r.Form {
	case FormChunked, FormPipable:
		entry := int64(format.ChunkEntrySize(uint64(r.Size)))
		// Entry i-1 is where chunk i starts and chunk i-1 ends.
		from, to := max(first-1, 0), min(first+count, r.Chunks()-1)
		return r.TableOff() + from*entry, max(to-from, 0) * entry
	case FormSolid:
		return r.TableOff(), count * 4
	}
	return r.Off, 0
}

// AppendChunks appends to dst where chunks [first, first+count) lie. table holds the bytes of TableRange. A chunk
// that makes no sense has packed 0.
func (r *Resource) AppendChunks(dst []Chunk, table []byte, first, count int64) []Chunk {
	le := binary.LittleEndian
	switch r.Form {
	case FormStored:
		return append(dst, Chunk{r.Off, r.Packed, r.Size})
	case FormSolid:
		at := r.Off + format.SolidHeaderSize + r.TableSize()
		end := r.Off + r.Packed
		for i := range count {
			n := int64(le.Uint32(table[4*i:]))
			size := r.ChunkLen(i)
			c := Chunk{at, n, size}
			switch {
			case n > size || n > end-at:
				// Later chunks start where this one ends, so their places cannot be known either.
				c.Packed = 0
				at = end
			case n < leastChunk(r.Codec, size):
				c.Packed = 0
				at += n
			default:
				at += n
			}
			dst = append(dst, c)
		}
		return dst
	}
	n := r.Chunks()
	data := r.Packed - r.TableSize() // bytes of all chunks
	base := r.Off + r.TableSize()
	prefix := int64(0)
	if r.Form == FormPipable {
		base, prefix = r.Off, PipablePrefix
		data -= n * PipablePrefix
	}
	wide := format.ChunkEntrySize(uint64(r.Size)) == 8
	entry := func(i int64) int64 { // where chunk i starts, from the first one; prefixes do not count
		if i == 0 {
			return 0
		}
		if i == n {
			return data
		}
		k := i - max(first, 1)
		if wide {
			return int64(min(le.Uint64(table[8*k:]), 1<<62))
		}
		return int64(le.Uint32(table[4*k:]))
	}
	start := entry(first)
	for i := first; i < first+count; i++ {
		end := entry(i + 1)
		size := r.ChunkLen(i)
		c := Chunk{base + start + (i+1)*prefix, end - start, size}
		if start > data || end > data || end <= start || end-start > size || end-start < leastChunk(r.Codec, size) {
			c.Packed = 0
		}
		dst = append(dst, c)
		start = end
	}
	return dst
}
