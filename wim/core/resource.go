package core

import (
	"encoding/binary"
	"errors"
	"fmt"

	"wimscope/wim/format"
)

// resource is a run of bytes in a part that stand for others: as they are, or in chunks. A solid resource is one too.
type resource struct {
	src    int32 // index into Source
	form   resourceForm
	codec  format.Codec
	off    int64 // of its first byte in the part
	packed int64 // bytes in the part
	size   int64 // bytes unpacked
	chunk  int64 // unpacked bytes per chunk; 0 if form is formStored
}

// resourceForm is how a resource is laid out.
type resourceForm uint8

const (
	formStored  resourceForm = iota // the bytes themselves
	formChunked                     // a table of chunk offsets, then the chunks
	formPipable                     // each chunk after its size, then the table
	formSolid                       // a solid header, a table of chunk sizes, the chunks
)

// chunks is how many chunks the resource has.
func (r *resource) chunks() int64 {
	if r.form == formStored {
		return 1
	}
	return (r.size + r.chunk - 1) / r.chunk
}

// chunkLen is how many unpacked bytes chunk i has; the last one has what is left.
func (r *resource) chunkLen(i int64) int64 { return min(r.chunk, r.size-i*r.chunk) }

// tableSize is the size of the chunk table, 0 if there is none.
func (r *resource) tableSize() int64 {
	switch r.form {
	case formChunked, formPipable:
		// The first chunk's offset is 0 and left out.
		return (r.chunks() - 1) * int64(format.ChunkEntrySize(uint64(r.size)))
	case formSolid:
		return r.chunks() * 4
	}
	return 0
}

// tableOff is where the chunk table stands in the part.
func (r *resource) tableOff() int64 {
	switch r.form {
	case formPipable:
		return r.off + r.packed - r.tableSize()
	case formSolid:
		return r.off + format.SolidHeaderSize
	}
	return r.off
}

// pipablePrefix is the size of what stands before each chunk of a pipable resource: its size.
const pipablePrefix = 4

// check judges the numbers by themselves and against the size of the part; they are all of at most 62 bits. What
// it lets pass can be reckoned with without overflow.
func (r *resource) check(partSize int64) error {
	if r.off < 0 || r.packed < 0 || r.off > partSize || r.packed > partSize-r.off {
		return fmt.Errorf("resource ends at 0x%x, past the end of the part at 0x%x", uint64(r.off)+uint64(r.packed), partSize)
	}
	if r.size < 0 {
		return fmt.Errorf("size %d is beyond all bounds", uint64(r.size))
	}
	if r.form == formStored {
		if r.packed != r.size {
			return fmt.Errorf("uncompressed, but %d bytes are stored for %d", r.packed, r.size)
		}
		return nil
	}
	if r.size == 0 {
		return nil
	}
	n := r.chunks()
	if n > r.packed { // each chunk has a byte at least; this also keeps tableSize small
		return fmt.Errorf("%d bytes cannot hold %d chunks", r.packed, n)
	}
	least := r.tableSize() + (n-1)*leastChunk(r.codec, r.chunk) + leastChunk(r.codec, r.chunkLen(n-1))
	switch r.form {
	case formPipable:
		least += n * pipablePrefix
	case formSolid:
		least += format.SolidHeaderSize
	}
	if least > r.packed {
		return fmt.Errorf("%d bytes cannot hold %d chunks and their table", r.packed, n)
	}
	return nil
}

// chunkRef is where a packed chunk lies in the part.
type chunkRef struct {
	off    int64
	packed int64 // bytes; equal to size if it is stored as it is
	size   int64 // unpacked
}

var errChunkTable = errors.New("chunk table makes no sense")

// tableRange is which bytes of the part tell where chunks [first, first+count) lie; n may be 0. For a solid
// resource, whose table holds sizes, first must be 0.
func (r *resource) tableRange(first, count int64) (off, n int64) {
	switch r.form {
	case formChunked, formPipable:
		entry := int64(format.ChunkEntrySize(uint64(r.size)))
		// Entry i-1 is where chunk i starts and chunk i-1 ends.
		from, to := max(first-1, 0), min(first+count, r.chunks()-1)
		return r.tableOff() + from*entry, max(to-from, 0) * entry
	case formSolid:
		return r.tableOff(), count * 4
	}
	return r.off, 0
}

// appendChunks appends to dst where chunks [first, first+count) lie. table holds the bytes of tableRange. A chunk
// that makes no sense has packed 0.
func (r *resource) appendChunks(dst []chunkRef, table []byte, first, count int64) []chunkRef {
	le := binary.LittleEndian
	switch r.form {
	case formStored:
		return append(dst, chunkRef{r.off, r.packed, r.size})
	case formSolid:
		at := r.off + format.SolidHeaderSize + r.tableSize()
		end := r.off + r.packed
		for i := range count {
			n := int64(le.Uint32(table[4*i:]))
			size := r.chunkLen(i)
			c := chunkRef{at, n, size}
			switch {
			case n > size || n > end-at:
				// Later chunks start where this one ends, so their places cannot be known either.
				c.packed = 0
				at = end
			case n < leastChunk(r.codec, size):
				c.packed = 0
				at += n
			default:
				at += n
			}
			dst = append(dst, c)
		}
		return dst
	}
	n := r.chunks()
	data := r.packed - r.tableSize() // bytes of all chunks
	base := r.off + r.tableSize()
	prefix := int64(0)
	if r.form == formPipable {
		base, prefix = r.off, pipablePrefix
		data -= n * pipablePrefix
	}
	wide := format.ChunkEntrySize(uint64(r.size)) == 8
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
		size := r.chunkLen(i)
		c := chunkRef{base + start + (i+1)*prefix, end - start, size}
		if start > data || end > data || end <= start || end-start > size || end-start < leastChunk(r.codec, size) {
			c.packed = 0
		}
		dst = append(dst, c)
		start = end
	}
	return dst
}
