package shard

import (
	"encoding/binary"
	"fmt"

	"wimscope/wim/format"
	"wimscope/wim/internal/wire"
)

// PackOp is what is to be done with a PackShard.
type PackOp uint8

const (
	PackHash  PackOp = 1 + iota // reckon the SHA-1 of contents and pack nothing
	PackAlone                   // make resources of contents, or runs of chunks of large ones
	PackSolid                   // make chunks of a solid resource of the pieces' bytes, one after another
	PackCopy                    // take packed bytes as they are
	PackCheck                   // see that the contents in Read have their SHA-1, and pack nothing
)

// PackShard is a part of the work of writing an archive that any worker can do by itself, with the files at hand. It
// holds about 1 to 64 MiB of unpacked bytes, more where a single chunk is larger.
type PackShard struct {
	Seq       int
	Op        PackOp
	Codec     format.Codec
	ChunkSize int64 // unpacked bytes; 0 with None
	Level     int
	Pipable   bool   // resources are laid out as in pipable archives: each chunk after its size, the table last
	Bytes     int64  // unpacked bytes of all pieces
	Memory    int64  // bytes that a worker needs for it, about
	Read      []Span // what gives the bytes of pieces from archives, in the order of those pieces; with PackCheck by itself
	Pieces    []PackPiece
}

// PieceSource is where the bytes of a piece come from.
type PieceSource uint8

const (
	PieceFile   PieceSource = 1 + iota // a file, by the content's number
	PieceUnpack                        // archives, by PackShard.Read
	PieceInline                        // the shard itself
	PiecePacked                        // a part of an archive, as they are; with PackCopy
	PieceZero                          // zeros stand for them; with PackSolid
	PieceFrame                         // a part of an archive, whose chunks are laid out for PackShard.Pipable; with PackCopy
)

// PackPiece is a content, or a run of its bytes. A content in pieces has them in order, in shards that follow each
// other. What is read of it may begin before and end after the piece, where the content's unfinished SHA-1 is known.
type PackPiece struct {
	ID     int32 // of the plan's choosing
	Source PieceSource
	Known  bool        // Hash is known
	Hash   format.Hash // of the whole content
	Size   int64
	From   int64  // where in the content the piece starts; with PiecePacked, in its resource, whose size Size is then
	Len    int64  // with PieceFrame, of the resource, which is all of it
	Lead   int64  // bytes before it that are read and hashed only
	Trail  int64  // and behind it
	Before []byte // the unfinished SHA-1 where reading begins; empty at the content's start, and where it is not known
	After  []byte // and where it ends; empty at the content's end, and where it is not known
	Zeros  bool   // only zeros were read when the content was hashed: if they still are zeros, they need not be hashed again
	Inline []byte // PieceInline: the bytes
	Src    int32  // PiecePacked, PieceFrame: index into PackSource.Parts
	Off    int64  // and where the piece starts in the part
}

// whole says that the piece is all of its content.
func (p *PackPiece) whole() bool { return p.From == 0 && p.Len == p.Size }

// reads is which bytes of the content are read.
func (p *PackPiece) reads() (from, n int64) { return p.From - p.Lead, p.Lead + p.Len + p.Trail }

// EncoderSize is how large the chunks are that an encoder must take: where there are few bytes not as large as they might
// be, since a large encoder takes much memory. It depends on the shard alone, so that what comes out does.
func (s *PackShard) EncoderSize() int64 {
	const step = 1 << 20
	if s.Codec == format.LZMS {
		return min(s.ChunkSize, (s.Bytes+step-1)/step*step)
	}
	return s.ChunkSize
}

// What tells what takes the memory.
func (s *PackShard) What() string {
	if s.Codec == format.None {
		return fmt.Sprintf("reading %d bytes at a time", s.Bytes)
	}
	return fmt.Sprintf("packing with %v in chunks of %d bytes", s.Codec, s.ChunkSize)
}

const (
	packKnown   = 1 << 7 // of a piece's first byte
	packZeros   = 1 << 6 // the same
	packPipable = 1 << 7 // of the level's

	minPackPiece = 11
	maxSHAState  = 91
)

// AppendBinary appends the packed form to b.
func (s *PackShard) AppendBinary(b []byte) []byte {
	level := byte(s.Level)
	if s.Pipable {
		level |= packPipable
	}
	b = append(b, shardVersion, byte(s.Op), byte(s.Codec), level)
	for _, v := range []int64{int64(s.Seq), s.ChunkSize, s.Bytes, s.Memory} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	var read []byte
	if len(s.Read) > 0 {
		read = (&Shard{Op: OpExtract, Spans: s.Read}).AppendBinary(nil)
	}
	b = wire.AppendText(b, string(read))
	b = binary.AppendUvarint(b, uint64(len(s.Pieces)))
	for i := range s.Pieces {
		p := &s.Pieces[i]
		flags := byte(p.Source)
		if p.Known {
			flags |= packKnown
		}
		if p.Zeros {
			flags |= packZeros
		}
		b = append(b, flags)
		for _, v := range []int64{int64(p.ID), p.Size, p.From, p.Len, p.Lead, p.Trail, int64(p.Src), p.Off} {
			b = binary.AppendUvarint(b, uint64(v))
		}
		if p.Known {
			b = append(b, p.Hash[:]...)
		}
		b = wire.AppendBytes(b, p.Before)
		b = wire.AppendBytes(b, p.After)
		if p.Source == PieceInline {
			b = wire.AppendBytes(b, p.Inline)
		}
	}
	return b
}

// ParsePackShard reads what AppendBinary made. It takes no more memory than a few times the bytes that are there, and
// points into them. Whether the numbers make sense together shows when the shard is run.
func ParsePackShard(b []byte) (*PackShard, error) {
	c := wire.Cursor{B: b}
	if v := c.Byte(); v != shardVersion {
		return nil, fmt.Errorf("pack shard of version %d: %w", v, ErrShard)
	}
	s := &PackShard{Op: PackOp(c.Byte()), Codec: format.Codec(c.Byte())}
	level := c.Byte()
	s.Level, s.Pipable = int(level&^packPipable), level&packPipable != 0
	seq := c.Length()
	s.ChunkSize, s.Bytes, s.Memory = c.Length(), c.Length(), c.Length()
	const most = 1 << 30
	if s.Op < PackHash || s.Op > PackCheck || s.Codec > format.LZMS || seq > most {
		return nil, ErrShard
	}
	s.Seq = int(seq)
	if read := c.Some(); read != nil {
		inner, err := Parse(read)
		if err != nil {
			return nil, err
		}
		s.Read = inner.Spans
	}
	n := c.Count(minPackPiece)
	if n > 0 {
		s.Pieces = make([]PackPiece, 0, min(n, len(b)/minPackPiece))
	}
	for range n {
		var p PackPiece
		flags := c.Byte()
		p.Known, p.Zeros, p.Source = flags&packKnown != 0, flags&packZeros != 0, PieceSource(flags&^(packKnown|packZeros))
		id := c.Length()
		p.Size, p.From, p.Len, p.Lead, p.Trail = c.Length(), c.Length(), c.Length(), c.Length(), c.Length()
		src := c.Length()
		p.Off = c.Length()
		if p.Known {
			copy(p.Hash[:], c.Take(uint64(len(p.Hash))))
		}
		p.Before, p.After = c.Some(), c.Some()
		if p.Source == PieceInline {
			p.Inline = c.Some()
		}
		if c.Bad || p.Source < PieceFile || p.Source > PieceFrame || id > most || src > most ||
			p.From > p.Size || p.Len > p.Size-p.From || p.Lead > p.From || p.Trail > p.Size-p.From-p.Len ||
			len(p.Before) > maxSHAState || len(p.After) > maxSHAState ||
			p.Source == PieceInline && int64(len(p.Inline)) != p.Len {
			return nil, ErrShard
		}
		p.ID, p.Src = int32(id), int32(src)
		s.Pieces = append(s.Pieces, p)
	}
	if c.Bad || len(c.B) != 0 {
		return nil, ErrShard
	}
	return s, nil
}

// PackResult is what came of a PackShard.
type PackResult struct {
	Seq    int
	Bytes  int64        // unpacked bytes gone through
	Items  []PackedItem // of each piece; none of PackSolid
	Chunks []uint32     // PackSolid: packed sizes of the chunks
	Cuts   []Cut        // PackCheck: the pieces that are not whole contents
	Data   []byte       // what is to be written; goes beside the packed form
}

// PackedItem is what came of a piece.
type PackedItem struct {
	ID     int32
	Hash   format.Hash // of the content, if all of it was read
	Packed int64       // bytes of Data; more than the piece has only of a pipable content in pieces
	Stored bool        // they are the content's bytes as they are
	Chunks []uint32    // of a content in pieces: packed sizes of the piece's chunks
	States []byte      // PackHash: the unfinished SHA-1 after each StateStep bytes of a longer content, 28 bytes each
	Zeros  []byte      // PackHash: 1 for each StateStep bytes of a longer content that are only zeros, 0 for others; the last ones may be fewer
}

// StateStep is after how many bytes of a content the unfinished SHA-1 is kept: what is cut anywhere is checked from the
// place before the cut on. It is a multiple of 64, so that a state is 28 bytes.
const (
	StateStep = 8 << 20
	StateSize = 28
)

const minPackedItem = 26

// AppendBinary appends the packed form, without Data, to b.
func (r *PackResult) AppendBinary(b []byte) []byte {
	b = append(b, shardVersion)
	for _, v := range []int64{int64(r.Seq), r.Bytes, int64(len(r.Items))} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	for i := range r.Items {
		it := &r.Items[i]
		stored := byte(0)
		if it.Stored {
			stored = 1
		}
		b = append(b, stored)
		b = binary.AppendUvarint(b, uint64(it.ID))
		b = append(b, it.Hash[:]...)
		b = binary.AppendUvarint(b, uint64(it.Packed))
		b = wire.AppendSizes(b, it.Chunks)
		b = wire.AppendBytes(b, it.States)
		b = wire.AppendBytes(b, it.Zeros)
	}
	b = wire.AppendSizes(b, r.Chunks)
	return appendCuts(binary.AppendUvarint(b, uint64(len(r.Cuts))), r.Cuts)
}

// ParsePackResult reads what AppendBinary made.
func ParsePackResult(b []byte) (*PackResult, error) {
	c := wire.Cursor{B: b}
	if v := c.Byte(); v != shardVersion {
		return nil, fmt.Errorf("pack result of version %d: %w", v, ErrShard)
	}
	seq := c.Length()
	r := &PackResult{Bytes: c.Length()}
	n := c.Count(minPackedItem)
	if n > 0 {
		r.Items = make([]PackedItem, 0, n)
	}
	for range n {
		var it PackedItem
		it.Stored = c.Byte() != 0
		id := c.Length()
		copy(it.Hash[:], c.Take(uint64(len(it.Hash))))
		it.Packed = c.Length()
		it.Chunks = c.Sizes()
		it.States, it.Zeros = c.Some(), c.Some()
		if c.Bad || id > 1<<30 || len(it.States)%StateSize != 0 || len(it.Zeros) > 0 && len(it.Zeros) != len(it.States)/StateSize+1 {
			return nil, ErrShard
		}
		it.ID = int32(id)
		r.Items = append(r.Items, it)
	}
	r.Chunks = c.Sizes()
	r.Cuts = readCuts(&c, c.Count(minCut))
	if c.Bad || len(c.B) != 0 || seq > 1<<30 {
		return nil, ErrShard
	}
	r.Seq = int(seq)
	return r, nil
}
