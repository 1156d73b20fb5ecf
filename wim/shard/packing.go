package shard

import (
	"encoding/binary"
	"fmt"

	"wimscope/wim/format"
	"wimscope/wim/internal/wire"
)

// Packing is what a shard makes of the bytes that it reads.
type Packing struct {
	Codec     format.Codec
	ChunkSize int64 // unpacked bytes; 0 with None
	Level     int
	Pipable   bool // use the layout of pipable archives: each chunk after its size, the table last
	Pieces    []PackPiece
}

// PieceSource is where the bytes of a piece come from.
type PieceSource uint8

const (
	PieceFile   PieceSource = 1 + iota // a file, by PackPiece.ID
	PieceUnpack                        // archives: the pieces of Shard.Spans, in the same order
	PieceInline                        // PackPiece.Inline
	PiecePacked                        // packed bytes of a part of an archive; with OpCopy
	PieceZero                          // zeros, for a content that was left out; with OpPackSolid
	PieceFrame                         // a resource of an archive, whose chunks are rearranged as Packing.Pipable says; with OpCopy
)

// PackPiece is a content, or a run of its bytes. The pieces of a content are in order, in consecutive shards. More bytes than
// the piece may be read on both sides, up to offsets where an intermediate SHA-1 state is known.
type PackPiece struct {
	ID     int32 // chosen by the plan
	Source PieceSource
	Known  bool        // Hash is known
	Hash   format.Hash // of the whole content
	Size   int64
	From   int64  // offset of the piece in the content; with PiecePacked in the packed resource, whose size is Size
	Len    int64  // with PieceFrame the packed size of the whole resource
	Lead   int64  // bytes before the piece that are only hashed
	Trail  int64  // bytes behind the piece that are only hashed
	Before []byte // SHA-1 state where reading begins; empty at the content's start, and if not known
	After  []byte // SHA-1 state where reading ends; empty at the content's end, and if not known
	Zeros  bool   // the bytes were all zeros when the content was hashed; if they still are, they need not be hashed again
	Inline []byte // PieceInline: the bytes
	Src    int32  // PiecePacked, PieceFrame: index into Sources.Parts
	Off    int64  // PiecePacked, PieceFrame: offset of the piece in the part
}

// Whole reports whether the piece is all of its content.
func (p *PackPiece) Whole() bool { return p.From == 0 && p.Len == p.Size }

// Reads returns the range of the content that is read.
func (p *PackPiece) Reads() (from, n int64) { return p.From - p.Lead, p.Lead + p.Len + p.Trail }

// EncoderSize returns the chunk size for which an encoder is allocated. It is smaller than ChunkSize if the shard has few
// bytes, since a large encoder takes much memory. It depends only on the shard, so that the output does too.
func (s *Shard) EncoderSize() int64 {
	const step = 1 << 20
	if s.Pack.Codec == format.LZMS {
		return min(s.Pack.ChunkSize, (s.Bytes+step-1)/step*step)
	}
	return s.Pack.ChunkSize
}

// what returns what needs the memory, in words.
func (s *Shard) what() string {
	if s.Pack == nil || s.Pack.Codec == format.None {
		return fmt.Sprintf("reading %d bytes at a time", s.Bytes)
	}
	return fmt.Sprintf("packing with %v in chunks of %d bytes", s.Pack.Codec, s.Pack.ChunkSize)
}

const (
	packKnown   = 1 << 7 // flag in the first byte of a piece
	packZeros   = 1 << 6 // flag in the first byte of a piece
	packPipable = 1 << 7 // flag in the byte of the level

	minPackPiece = 11
	maxSHAState  = 91
)

func (k *Packing) append(b []byte) []byte {
	level := byte(k.Level)
	if k.Pipable {
		level |= packPipable
	}
	b = append(b, byte(k.Codec), level)
	b = binary.AppendUvarint(b, uint64(k.ChunkSize))
	b = binary.AppendUvarint(b, uint64(len(k.Pieces)))
	for i := range k.Pieces {
		p := &k.Pieces[i]
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

// readPacking reads a packing in the form that Packing.append appends. It returns nil if a value is out of range.
func readPacking(c *wire.Cursor) *Packing {
	k := &Packing{Codec: format.Codec(c.Byte())}
	level := c.Byte()
	k.Level, k.Pipable = int(level&^packPipable), level&packPipable != 0
	k.ChunkSize = c.Length()
	n := c.Count(minPackPiece)
	if k.Codec > format.LZMS {
		return nil
	}
	if n > 0 {
		k.Pieces = make([]PackPiece, 0, n)
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
		if c.Bad || p.Source < PieceFile || p.Source > PieceFrame || id > maxNumber || src > maxNumber ||
			p.From > p.Size || p.Len > p.Size-p.From || p.Lead > p.From || p.Trail > p.Size-p.From-p.Len ||
			len(p.Before) > maxSHAState || len(p.After) > maxSHAState ||
			p.Source == PieceInline && int64(len(p.Inline)) != p.Len {
			return nil
		}
		p.ID, p.Src = int32(id), int32(src)
		k.Pieces = append(k.Pieces, p)
	}
	return k
}
