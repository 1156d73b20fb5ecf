package blobs

import (
	"encoding/binary"
	"errors"
	"fmt"

	"wimscope/wim/format"
)

// Resource is a range of bytes of a part that stores data as they are or in compressed chunks. A solid resource is one too.
type Resource struct {
	Src       int32 // index of the part in Source
	Form      Form
	Codec     format.Codec
	Off       int64 // of its first byte in the part
	Packed    int64 // bytes in the part
	Size      int64 // bytes unpacked
	ChunkSize int64 // unpacked bytes per chunk; 0 if Form is FormStored
}

// Form is the layout of a resource.
type Form uint8

const (
	FormStored  Form = iota // the bytes themselves
	FormChunked             // a table of chunk offsets, then the chunks
	FormPipable             // each chunk after its size, then the table
	FormSolid               // a solid header, a table of chunk sizes, the chunks
)

// Chunks returns the number of chunks of the resource.
func (r *Resource) Chunks() int64 {
	if r.Form == FormStored {
		return 1
	}
	return (r.Size + r.ChunkSize - 1) / r.ChunkSize
}

// ChunkLen returns the unpacked size of chunk i in bytes. The last chunk may be shorter than the others.
func (r *Resource) ChunkLen(i int64) int64 { return min(r.ChunkSize, r.Size-i*r.ChunkSize) }

// TableSize returns the size of the chunk table in bytes, 0 if there is none.
func (r *Resource) TableSize() int64 {
	switch r.Form {
	case FormChunked, FormPipable:
		// The offset of the first chunk is 0 and not stored.
		return (r.Chunks() - 1) * int64(format.ChunkEntrySize(uint64(r.Size)))
	case FormSolid:
		return r.Chunks() * 4
	}
	return 0
}

// TableOff returns the offset of the chunk table in the part.
func (r *Resource) TableOff() int64 {
	switch r.Form {
	case FormPipable:
		return r.Off + r.Packed - r.TableSize()
	case FormSolid:
		return r.Off + format.SolidHeaderSize
	}
	return r.Off
}

// PipablePrefix is the size in bytes of the field before each chunk of a pipable resource, which holds the chunk's packed size.
const PipablePrefix = 4

// Check checks the fields against each other and against the size of the part. They must be less than 2^62. Arithmetic on the fields
// of a checked resource does not overflow.
func (r *Resource) Check(partSize int64) error {
	if r.Off < 0 || r.Packed < 0 || r.Off > partSize || r.Packed > partSize-r.Off {
		return fmt.Errorf("resource ends at 0x%x, past the end of the part at 0x%x", uint64(r.Off)+uint64(r.Packed), partSize)
	}
	if r.Size < 0 {
		return fmt.Errorf("size %d is too large", uint64(r.Size))
	}
	if r.Form == FormStored {
		if r.Packed != r.Size {
			return fmt.Errorf("stored size %d differs from size %d of an uncompressed resource", r.Packed, r.Size)
		}
		return nil
	}
	if r.Size == 0 {
		return nil
	}
	n := r.Chunks()
	if n > r.Packed { // each chunk has at least a byte; this also limits TableSize
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

// Chunk is the place of a packed chunk in the part.
type Chunk struct {
	Off    int64
	Packed int64 // bytes; equal to Size if the chunk is not compressed, 0 if its table entry is invalid
	Size   int64 // unpacked bytes
}

// ErrChunkTable reports a chunk whose entry in the chunk table is invalid.
var ErrChunkTable = errors.New("invalid chunk table")

// TableRange returns the range of bytes of the part from which AppendChunks computes the places of chunks [first, first+count); n may
// be 0. The table of a solid resource holds sizes, so first must be 0 there.
func (r *Resource) TableRange(first, count int64) (off, n int64) {
	switch r.Form {
	case FormChunked, FormPipable:
		entry := int64(format.ChunkEntrySize(uint64(r.Size)))
		// Entry i-1 is the offset at which chunk i starts and chunk i-1 ends.
		from, to := max(first-1, 0), min(first+count, r.Chunks()-1)
		return r.TableOff() + from*entry, max(to-from, 0) * entry
	case FormSolid:
		return r.TableOff(), count * 4
	}
	return r.Off, 0
}

// AppendChunks appends the places of chunks [first, first+count) to dst. table holds the bytes of TableRange. A chunk whose table entry
// is invalid has Packed 0.
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
				// Later chunks start where this one ends, so their places are unknown too.
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
	entry := func(i int64) int64 { // offset of chunk i from the first chunk, without the prefixes
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
