package shard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"wimscope/wim/format"
	"wimscope/wim/internal/wire"
)

// Op is what a shard does.
type Op uint8

const (
	OpVerify    Op = 1 + iota // verify the hash of each piece
	OpExtract                 // verify, and return the bytes with their CRC-32
	OpIntegrity               // verify the hash of each block of an integrity table
	OpSum                     // compute the SHA-256 of a whole part
)

// Shard is a part of a job that any worker can do by itself, given the files. It holds about 1 to 32 MiB of unpacked bytes,
// more if a single blob or chunk is larger.
type Shard struct {
	Seq    int
	Op     Op
	Part   int   // the first part that it reads, index into blobs.Source; shown on a map of the archive with Off and Len
	Off    int64 // in the part
	Len    int64
	Bytes  int64 // unpacked bytes of all pieces
	Memory int64 // about how many bytes a worker needs for it
	Spans  []Span
}

// Span is a range of one part with the pieces in it, in the order in which they are best read.
type Span struct {
	Src       int32 // index into blobs.Source
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

// ErrShard reports a shard or result that is truncated, inconsistent or out of range.
var ErrShard = errors.New("truncated or invalid shard")

const (
	shardVersion = 1

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
	b = append(b, shardVersion, byte(s.Op))
	for _, v := range []int64{int64(s.Seq), int64(s.Part), s.Off, s.Len, s.Bytes, s.Memory, int64(len(s.Spans))} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	for i := range s.Spans {
		sp := &s.Spans[i]
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
	}
	return b
}

// Parse parses what AppendBinary appends. It allocates at most a few times the size of b. Whether the numbers are consistent
// is checked when the shard is run.
func Parse(b []byte) (*Shard, error) {
	c := wire.Cursor{B: b}
	if v := c.Byte(); v != shardVersion {
		return nil, fmt.Errorf("version %d: %w", v, ErrShard)
	}
	s := &Shard{Op: Op(c.Byte())}
	seq, part := c.Length(), c.Length()
	s.Off, s.Len, s.Bytes, s.Memory = c.Length(), c.Length(), c.Length(), c.Length()
	const most = 1 << 30
	if s.Op < OpVerify || s.Op > OpSum || seq > most || part > most {
		return nil, ErrShard
	}
	s.Seq, s.Part = int(seq), int(part)
	n := c.Count(minSpan)
	if n > 0 {
		s.Spans = make([]Span, 0, n)
	}
	for range n {
		var sp Span
		flags := c.Byte()
		sp.Pipable = flags&spanPipable != 0
		sp.Codec = format.Codec(c.Byte())
		src := c.Length()
		sp.Off = c.Length()
		sp.End = sp.Off + c.Length()
		sp.ChunkSize = c.Length()
		if src > most {
			return nil, ErrShard
		}
		sp.Src = int32(src)
		chunks := c.Count(minChunk)
		pieces := c.Count(1)
		if pieces > len(c.B)/minShardPiece || flags&spanSolid == 0 && chunks != 0 {
			return nil, ErrShard
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
				return nil, ErrShard
			}
			at = p.Off + p.Packed
			if sp.Chunks != nil {
				at += p.Len
			}
			sp.Pieces = append(sp.Pieces, p)
		}
		s.Spans = append(s.Spans, sp)
	}
	if c.Bad || len(c.B) != 0 {
		return nil, ErrShard
	}
	return s, nil
}

// Result is the result of a shard.
type Result struct {
	Seq   int
	Bytes int64 // unpacked bytes processed
	Items int   // pieces processed
	Bad   []BadPiece
	CRCs  []uint32 // OpExtract: of each piece's bytes
	Cuts  []Cut    // the pieces that are not whole blobs
	Sum   []byte   // OpSum
	Data  []byte   // OpExtract: the bytes of all pieces; not part of the binary form
}

// BadPiece is a piece that is damaged.
type BadPiece struct {
	Piece int32 // index in the shard, from 0 over all spans
	ID    int32
	Off   int64 // the damaged range of the part: a chunk, or the whole resource
	Len   int64
	Lost  int64  // bytes that could not be read; 0 if only the hash does not match
	Error string // in words
}

// Cut is a piece of a blob whose hash can be verified only when all its pieces have been processed.
type Cut struct {
	Piece int32 // index in the shard
	ID    int32
	Hash  format.Hash
	Size  int64
	From  int64
	Len   int64
	State []byte // OpVerify: SHA-1 state at the piece's end, if the shard holds the blob from its start
	Tail  []byte // OpVerify: otherwise the piece's bytes
}

const minBad, minCut = 6, 26

// AppendBinary appends the binary form, without Data, to b.
func (r *Result) AppendBinary(b []byte) []byte {
	b = append(b, shardVersion)
	for _, v := range []int64{int64(r.Seq), r.Bytes, int64(r.Items), int64(len(r.Bad)), int64(len(r.CRCs)), int64(len(r.Cuts))} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	for i := range r.Bad {
		p := &r.Bad[i]
		for _, v := range []int64{int64(p.Piece), int64(p.ID), p.Off, p.Len, p.Lost} {
			b = binary.AppendUvarint(b, uint64(v))
		}
		b = wire.AppendText(b, p.Error)
	}
	for _, c := range r.CRCs {
		b = binary.LittleEndian.AppendUint32(b, c)
	}
	return wire.AppendText(appendCuts(b, r.Cuts), string(r.Sum))
}

func appendCuts(b []byte, cuts []Cut) []byte {
	for i := range cuts {
		c := &cuts[i]
		b = append(b, c.Hash[:]...)
		for _, v := range []int64{int64(c.Piece), int64(c.ID), c.Size, c.From, c.Len} {
			b = binary.AppendUvarint(b, uint64(v))
		}
		b = wire.AppendBytes(b, c.State)
		b = wire.AppendBytes(b, c.Tail)
	}
	return b
}

// readCuts reads n cuts in the form that appendCuts appends.
func readCuts(c *wire.Cursor, n int) (list []Cut) {
	for range n {
		var x Cut
		copy(x.Hash[:], c.Take(uint64(len(x.Hash))))
		x.Piece, x.ID, x.Size, x.From, x.Len = c.Int32(), c.Int32(), c.Size(), c.Size(), c.Size()
		x.State, x.Tail = c.Some(), c.Some()
		list = append(list, x)
	}
	return list
}

// ParseResult parses what AppendBinary appends.
func ParseResult(b []byte) (*Result, error) {
	c := wire.Cursor{B: b}
	if v := c.Byte(); v != shardVersion {
		return nil, fmt.Errorf("result of version %d: %w", v, ErrShard)
	}
	seq, bytes, items := c.Size(), c.Size(), c.Size()
	const most = 1 << 30
	if seq > most || items > most {
		return nil, ErrShard
	}
	r := &Result{Seq: int(seq), Bytes: bytes, Items: int(items)}
	bad, crcs, cuts := c.Count(minBad), c.Count(4), c.Count(minCut)
	for range bad {
		p := BadPiece{Piece: c.Int32(), ID: c.Int32(), Off: c.Size(), Len: c.Size(), Lost: c.Size(), Error: c.Text()}
		r.Bad = append(r.Bad, p)
	}
	for range crcs {
		r.CRCs = append(r.CRCs, c.U32())
	}
	r.Cuts = readCuts(&c, cuts)
	r.Sum = c.Some()
	if c.Bad || len(c.B) != 0 {
		return nil, ErrShard
	}
	return r, nil
}
