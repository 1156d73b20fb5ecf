package shard

import (
	"encoding/binary"
	"fmt"

	"wimscope/wim/format"
	"wimscope/wim/internal/wire"
)

// PackOp is what a PackShard does.
type PackOp uint8

const (
	PackHash  PackOp = 1 + iota // compute the SHA-1 of contents, pack nothing
	PackAlone                   // make a resource of each content, or a run of chunks of a large one
	PackSolid                   // make chunks of a solid resource from the concatenated pieces
	PackCopy                    // copy packed bytes
	PackCheck                   // verify the SHA-1 of the blobs in Read, pack nothing
)

// PackShard is a part of the work of writing an archive that any worker can do by itself, given the files. It holds about 1
// to 64 MiB of unpacked bytes, more if a single chunk is larger.
type PackShard struct {
	Seq       int
	Op        PackOp
	Codec     format.Codec
	ChunkSize int64 // unpacked bytes; 0 with None
	Level     int
	Pipable   bool   // use the layout of pipable archives: each chunk after its size, the table last
	Bytes     int64  // unpacked bytes of all pieces
	Memory    int64  // about how many bytes a worker needs for it
	Read      []Span // the spans to unpack for PieceUnpack pieces, in the order of these; with PackCheck there are no pieces
	Pieces    []PackPiece
}

// PieceSource is where the bytes of a piece come from.
type PieceSource uint8

const (
	PieceFile   PieceSource = 1 + iota // a file, by PackPiece.ID
	PieceUnpack                        // archives, see PackShard.Read
	PieceInline                        // PackPiece.Inline
	PiecePacked                        // packed bytes of a part of an archive; with PackCopy
	PieceZero                          // zeros, for a content that was left out; with PackSolid
	PieceFrame                         // a resource of an archive, whose chunks are rearranged as PackShard.Pipable says; with PackCopy
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
	Src    int32  // PiecePacked, PieceFrame: index into PackSource.Parts
	Off    int64  // PiecePacked, PieceFrame: offset of the piece in the part
}

// whole reports whether the piece is all of its content.
func (p *PackPiece) whole() bool { return p.From == 0 && p.Len == p.Size }

// reads returns the range of the content that is read.
func (p *PackPiece) reads() (from, n int64) { return p.From - p.Lead, p.Lead + p.Len + p.Trail }

// EncoderSize returns the chunk size for which an encoder is allocated. It is smaller than ChunkSize if the shard has few
// bytes, since a large encoder takes much memory. It depends only on the shard, so that the output does too.
func (s *PackShard) EncoderSize() int64 {
	const step = 1 << 20
	if s.Codec == format.LZMS {
		return min(s.ChunkSize, (s.Bytes+step-1)/step*step)
	}
	return s.ChunkSize
}

// What returns what needs the memory, in words.
func (s *PackShard) What() string {
	if s.Codec == format.None {
		return fmt.Sprintf("reading %d bytes at a time", s.Bytes)
	}
	return fmt.Sprintf("packing with %v in chunks of %d bytes", s.Codec, s.ChunkSize)
}

const (
	packKnown   = 1 << 7 // flag in the first byte of a piece
	packZeros   = 1 << 6 // flag in the first byte of a piece
	packPipable = 1 << 7 // flag in the byte of the level

	minPackPiece = 11
	maxSHAState  = 91
)

// AppendBinary appends the binary form to b.
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

// ParsePackShard parses what AppendBinary appends. It allocates at most a few times the size of b, and the result refers to
// b. Whether the numbers are consistent is checked when the shard is run.
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

// PackResult is the result of a PackShard.
type PackResult struct {
	Seq    int
	Bytes  int64        // unpacked bytes processed
	Items  []PackedItem // one for each piece; none with PackSolid
	Chunks []uint32     // PackSolid: packed sizes of the chunks
	Cuts   []Cut        // PackCheck: the pieces that are not whole blobs
	Data   []byte       // bytes to write; not part of the binary form
}

// PackedItem is the result of a piece.
type PackedItem struct {
	ID     int32
	Hash   format.Hash // of the content, if all of it was read
	Packed int64       // bytes of Data; more than the piece's size only for a pipable content in pieces
	Stored bool        // they are the content's bytes, uncompressed
	Chunks []uint32    // content in pieces: packed sizes of the piece's chunks
	States []byte      // PackHash: the SHA-1 state after each StateStep bytes of a longer content, StateSize bytes each
	Zeros  []byte      // PackHash: one byte for each StateStep bytes of a longer content, the last of which may be shorter: 1 if they are all zeros, otherwise 0
}

// StateStep is the distance in bytes at which intermediate SHA-1 states of a content are kept. A piece that starts anywhere
// is verified from the last state before it. It is a multiple of 64, the SHA-1 block size, so that a state takes only
// StateSize bytes.
const (
	StateStep = 8 << 20
	StateSize = 28
)

const minPackedItem = 26

// AppendBinary appends the binary form, without Data, to b.
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

// ParsePackResult parses what AppendBinary appends.
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
