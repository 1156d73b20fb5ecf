package shard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/internal/wire"
)

// Op is what a shard does.
type Op uint8

const (
	OpVerify    Op = 1 + iota // verify the hash of each piece
	OpExtract                 // verify, and return the bytes with their CRC-32
	OpSum                     // compute the SHA-256 of a range of a part
	OpHash                    // compute the SHA-1 of contents
	OpPack                    // make a resource of each content, or a run of chunks of a large one
	OpPackSolid               // make chunks of a solid resource from the concatenated pieces
	OpCopy                    // copy packed bytes
)

// String returns the operation as a short key.
func (op Op) String() string {
	switch op {
	case OpVerify:
		return "verify"
	case OpExtract:
		return "extract"
	case OpSum:
		return "sum"
	case OpHash:
		return "hash"
	case OpPack, OpPackSolid:
		return "pack"
	case OpCopy:
		return "copy"
	}
	return "unknown"
}

// packs reports whether shards with the operation have a Packing.
func (op Op) packs() bool { return op >= OpHash }

// Shard is a part of a job that any worker can do by itself, given the files. It reads the pieces of Spans and verifies them
// or returns them. With Pack it makes bytes for an archive of them, and of files. It holds about 1 to 64 MiB of unpacked
// bytes, more if a single blob or chunk is larger.
type Shard struct {
	Seq    int
	Op     Op
	Part   int   // the first part that it reads, index into Sources.Parts; shown on a map of the archive with Off and Len
	Off    int64 // in the part
	Len    int64
	Bytes  int64 // unpacked bytes of all pieces
	Memory int64 // about how many bytes a worker needs for it
	Spans  []Span
	Pack   *Packing // nil if the shard only reads
}

// Sources are the files that shards read.
type Sources struct {
	Parts blobs.Source // the parts of archives
	Files ContentFiles // the files to pack; may be nil if there are none
}

// Span is a range of one part with the pieces in it, in the order in which they are best read.
type Span struct {
	Src       int32 // index into Sources.Parts
	Codec     format.Codec
	Pipable   bool
	Off, End  int64 // all reads are within this range, except those of chunk tables
	ChunkSize int64
	Chunks    []Chunk // consecutive chunks of a solid resource; nil if pieces have resources of their own
	Pieces    []Piece
}

// Chunk is a chunk of a solid resource.
type Chunk struct {
	Off    int64 // in the part
	Packed int64 // packed size in bytes; 0 if its place is not known
	Size   int64 // unpacked size in bytes
}

// Piece is a blob, or a run of its bytes. The pieces of a blob are in order, in consecutive shards.
type Piece struct {
	ID     int32       // chosen by the plan
	Hash   format.Hash // of the whole blob
	Size   int64       // of the whole blob
	From   int64       // offset of the piece in the blob
	Len    int64
	Off    int64 // of the blob's resource in the part; if solid, of the piece in the span's unpacked chunks
	Packed int64 // packed size of the resource; 0 if solid
	Stored bool  // the resource is not compressed
}

// Whole reports whether the piece is all of its blob.
func (p *Piece) Whole() bool { return p.From == 0 && p.Len == p.Size }

// NumPieces returns the number of pieces that the shard processes.
func (s *Shard) NumPieces() int {
	if s.Pack != nil {
		return len(s.Pack.Pieces)
	}
	n := 0
	for i := range s.Spans {
		n += len(s.Spans[i].Pieces)
	}
	if s.Op == OpSum {
		n += len(s.Spans)
	}
	return n
}

// ErrShard reports a shard or result that is truncated, inconsistent or out of range.
var ErrShard = errors.New("truncated or invalid shard")

const (
	wireVersion = 2

	spanPipable = 1 << 0
	spanSolid   = 1 << 1

	pieceStored = 1 << 0
	pieceWhole  = 1 << 1

	// The minimum number of bytes of each in binary form.
	minSpan       = 8
	minChunk      = 3
	minShardPiece = 24
)

// AppendBinary appends the binary form to b, about 30 bytes per blob.
func (s *Shard) AppendBinary(b []byte) []byte {
	b = append(b, wireVersion, byte(s.Op))
	for _, v := range []int64{int64(s.Seq), int64(s.Part), s.Off, s.Len, s.Bytes, s.Memory, int64(len(s.Spans))} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	for i := range s.Spans {
		b = s.Spans[i].append(b)
	}
	if s.Op.packs() {
		b = s.Pack.append(b)
	}
	return b
}

func (sp *Span) append(b []byte) []byte {
	flags := byte(0)
	if sp.Pipable {
		flags |= spanPipable
	}
	if sp.Chunks != nil {
		flags |= spanSolid
	}
	b = append(b, flags, byte(sp.Codec))
	for _, v := range []int64{int64(sp.Src), sp.Off, sp.End - sp.Off, sp.ChunkSize, int64(len(sp.Chunks)), int64(len(sp.Pieces))} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	at := sp.Off
	for _, c := range sp.Chunks {
		b = binary.AppendVarint(b, c.Off-at)
		b = binary.AppendUvarint(b, uint64(c.Packed))
		b = binary.AppendUvarint(b, uint64(c.Size))
		at = c.Off + c.Packed
	}
	at, id := sp.Off, int32(0)
	if sp.Chunks != nil {
		at = 0
	}
	for j := range sp.Pieces {
		p := &sp.Pieces[j]
		flags := byte(0)
		if p.Stored {
			flags |= pieceStored
		}
		if p.Whole() {
			flags |= pieceWhole
		}
		b = append(b, flags)
		b = binary.AppendVarint(b, int64(p.ID)-int64(id))
		b = append(b, p.Hash[:]...)
		b = binary.AppendUvarint(b, uint64(p.Size))
		if !p.Whole() {
			b = binary.AppendUvarint(b, uint64(p.From))
			b = binary.AppendUvarint(b, uint64(p.Len))
		}
		b = binary.AppendVarint(b, p.Off-at)
		b = binary.AppendUvarint(b, uint64(p.Packed))
		at, id = p.Off+p.Packed, p.ID
		if sp.Chunks != nil {
			at += p.Len
		}
	}
	return b
}

// maxNumber bounds the numbers of shards, parts and contents.
const maxNumber = 1 << 30

// Parse parses what AppendBinary appends. It allocates at most a few times the size of b, to which the result may refer.
// Whether the numbers are consistent is checked when the shard is run.
func Parse(b []byte) (*Shard, error) {
	c := wire.Cursor{B: b}
	if v := c.Byte(); v != wireVersion {
		return nil, fmt.Errorf("version %d: %w", v, ErrShard)
	}
	s := &Shard{Op: Op(c.Byte())}
	seq, part := c.Length(), c.Length()
	s.Off, s.Len, s.Bytes, s.Memory = c.Length(), c.Length(), c.Length(), c.Length()
	if s.Op < OpVerify || s.Op > OpCopy || seq > maxNumber || part > maxNumber {
		return nil, ErrShard
	}
	s.Seq, s.Part = int(seq), int(part)
	n := c.Count(minSpan)
	if n > 0 {
		s.Spans = make([]Span, 0, n)
	}
	for range n {
		sp, ok := readSpan(&c)
		if !ok {
			return nil, ErrShard
		}
		s.Spans = append(s.Spans, sp)
	}
	if s.Op.packs() {
		if s.Pack = readPacking(&c); s.Pack == nil {
			return nil, ErrShard
		}
	}
	if c.Bad || len(c.B) != 0 {
		return nil, ErrShard
	}
	return s, nil
}

// readSpan reads a span in the form that Span.append appends.
func readSpan(c *wire.Cursor) (sp Span, ok bool) {
	flags := c.Byte()
	sp.Pipable = flags&spanPipable != 0
	sp.Codec = format.Codec(c.Byte())
	src := c.Length()
	sp.Off = c.Length()
	sp.End = sp.Off + c.Length()
	sp.ChunkSize = c.Length()
	if src > maxNumber {
		return sp, false
	}
	sp.Src = int32(src)
	chunks := c.Count(minChunk)
	pieces := c.Count(1)
	if pieces > len(c.B)/minShardPiece || flags&spanSolid == 0 && chunks != 0 {
		return sp, false
	}
	if flags&spanSolid != 0 {
		sp.Chunks = make([]Chunk, 0, chunks)
	}
	at := sp.Off
	for range chunks {
		var ch Chunk
		ch.Off, ch.Packed, ch.Size = c.Delta(at), c.Length(), c.Length()
		at = ch.Off + ch.Packed
		sp.Chunks = append(sp.Chunks, ch)
	}
	if pieces > 0 {
		sp.Pieces = make([]Piece, 0, pieces)
	}
	at, id := sp.Off, int64(0)
	if sp.Chunks != nil {
		at = 0
	}
	for range pieces {
		var p Piece
		flags := c.Byte()
		p.Stored = flags&pieceStored != 0
		id = c.Delta(id)
		p.ID = int32(id)
		copy(p.Hash[:], c.Take(uint64(len(p.Hash))))
		p.Size = c.Length()
		p.Len = p.Size
		if flags&pieceWhole == 0 {
			p.From, p.Len = c.Length(), c.Length()
		}
		p.Off, p.Packed = c.Delta(at), c.Length()
		if id > math.MaxInt32 || p.From > p.Size || p.Len > p.Size-p.From {
			return sp, false
		}
		at = p.Off + p.Packed
		if sp.Chunks != nil {
			at += p.Len
		}
		sp.Pieces = append(sp.Pieces, p)
	}
	return sp, true
}
