package shard

import (
	"encoding/binary"
	"fmt"

	"wimscope/wim/format"
	"wimscope/wim/internal/wire"
)

// Result is the result of a shard.
type Result struct {
	Seq    int
	Bytes  int64 // unpacked bytes processed
	Items  int   // pieces processed
	Bad    []BadPiece
	CRCs   []uint32     // OpExtract: of each piece's bytes
	Cuts   []Cut        // the pieces that are not whole blobs
	Packed []PackedItem // OpHash, OpPack, OpCopy: one for each piece
	Chunks []uint32     // OpPackSolid: packed sizes of the chunks
	Sum    []byte       // OpSum
	Data   []byte       // OpExtract: the bytes of all pieces; with a Packing: bytes to write. Not part of the binary form
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

// PackedItem is the result of a piece that was packed, hashed or copied.
type PackedItem struct {
	ID     int32
	Hash   format.Hash // of the content, if all of it was read
	Packed int64       // bytes of Data; more than the piece's size only for a pipable content in pieces
	Stored bool        // they are the content's bytes, uncompressed
	Chunks []uint32    // content in pieces: packed sizes of the piece's chunks
	States []byte      // OpHash: the SHA-1 state after each StateStep bytes of a longer content, StateSize bytes each
	Zeros  []byte      // OpHash: one byte for each StateStep bytes of a longer content, the last of which may be shorter: 1 if they are all zeros, otherwise 0
}

// StateStep is the distance in bytes at which intermediate SHA-1 states of a content are kept. A piece that starts anywhere
// is verified from the last state before it. It is a multiple of 64, the SHA-1 block size, so that a state takes only
// StateSize bytes.
const (
	StateStep = 8 << 20
	StateSize = 28
)

// The minimum number of bytes of each in binary form.
const (
	minBad        = 6
	minCut        = 26
	minPackedItem = 26
)

// AppendBinary appends the binary form, without Data, to b.
func (r *Result) AppendBinary(b []byte) []byte {
	b = append(b, wireVersion)
	for _, v := range []int64{int64(r.Seq), r.Bytes, int64(r.Items), int64(len(r.Bad)), int64(len(r.CRCs)), int64(len(r.Cuts)), int64(len(r.Packed))} {
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
	for i := range r.Cuts {
		c := &r.Cuts[i]
		b = append(b, c.Hash[:]...)
		for _, v := range []int64{int64(c.Piece), int64(c.ID), c.Size, c.From, c.Len} {
			b = binary.AppendUvarint(b, uint64(v))
		}
		b = wire.AppendBytes(b, c.State)
		b = wire.AppendBytes(b, c.Tail)
	}
	for i := range r.Packed {
		it := &r.Packed[i]
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
	return wire.AppendBytes(wire.AppendSizes(b, r.Chunks), r.Sum)
}

// ParseResult parses what AppendBinary appends. The result may refer to b.
func ParseResult(b []byte) (*Result, error) {
	c := wire.Cursor{B: b}
	if v := c.Byte(); v != wireVersion {
		return nil, fmt.Errorf("result of version %d: %w", v, ErrShard)
	}
	seq, bytes, items := c.Size(), c.Size(), c.Size()
	if seq > maxNumber || items > maxNumber {
		return nil, ErrShard
	}
	r := &Result{Seq: int(seq), Bytes: bytes, Items: int(items)}
	bad, crcs, cuts, packed := c.Count(minBad), c.Count(4), c.Count(minCut), c.Count(minPackedItem)
	for range bad {
		p := BadPiece{Piece: c.Int32(), ID: c.Int32(), Off: c.Size(), Len: c.Size(), Lost: c.Size(), Error: c.Text()}
		r.Bad = append(r.Bad, p)
	}
	for range crcs {
		r.CRCs = append(r.CRCs, c.U32())
	}
	for range cuts {
		var x Cut
		copy(x.Hash[:], c.Take(uint64(len(x.Hash))))
		x.Piece, x.ID, x.Size, x.From, x.Len = c.Int32(), c.Int32(), c.Size(), c.Size(), c.Size()
		x.State, x.Tail = c.Some(), c.Some()
		r.Cuts = append(r.Cuts, x)
	}
	if packed > 0 {
		r.Packed = make([]PackedItem, 0, packed)
	}
	for range packed {
		it := PackedItem{Stored: c.Byte() != 0, ID: c.Int32()}
		copy(it.Hash[:], c.Take(uint64(len(it.Hash))))
		it.Packed = c.Length()
		it.Chunks = c.Sizes()
		it.States, it.Zeros = c.Some(), c.Some()
		if c.Bad || len(it.States)%StateSize != 0 || len(it.Zeros) > 0 && len(it.Zeros) != len(it.States)/StateSize+1 {
			return nil, ErrShard
		}
		r.Packed = append(r.Packed, it)
	}
	r.Chunks = c.Sizes()
	r.Sum = c.Some()
	if c.Bad || len(c.B) != 0 {
		return nil, ErrShard
	}
	return r, nil
}

// Damage returns a *ContentError for the damaged pieces, nil if there are none.
func (r *Result) Damage() error {
	if len(r.Bad) == 0 {
		return nil
	}
	e := &ContentError{ID: r.Bad[0].ID, Err: format.Describe("the blob is damaged: "+r.Bad[0].Error, format.ErrChecksum)}
	for i := range r.Bad {
		if id := r.Bad[i].ID; id != e.ID {
			e.More = append(e.More, id)
		}
	}
	return e
}
