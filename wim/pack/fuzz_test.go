package pack_test

import (
	"bytes"
	"io/fs"
	"testing"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/pack"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest/archivetest"
)

// fuzzFiles returns the same content for every ID.
type fuzzFiles []byte

func (f fuzzFiles) OpenContent(id int32) (shard.ContentFile, error) {
	if id > 10 {
		return nil, fs.ErrNotExist
	}
	return archivetest.MemContent{Reader: bytes.NewReader(f)}, nil
}

// FuzzPack checks that accepted input is encoded to the same bytes, and that running it returns an error or a result
// that also survives encoding and has as many bytes as it claims.
func FuzzPack(f *testing.F) {
	data := bytes.Repeat([]byte("some bytes to pack. "), 500)
	for _, s := range []*shard.Shard{
		{Op: shard.OpHash, Pack: &shard.Packing{Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceFile, Size: int64(len(data)), Len: int64(len(data))}}}},
		{Op: shard.OpPack, Pack: &shard.Packing{Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceFile, Size: int64(len(data)), Len: int64(len(data))}}}},
		{Op: shard.OpPack, Bytes: int64(len(data)), Pack: &shard.Packing{Codec: format.XPRESS, ChunkSize: 4096, Level: 1, Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceFile, Size: int64(len(data)), Len: int64(len(data))}}}},
		{Op: shard.OpPackSolid, Bytes: int64(len(data)), Pack: &shard.Packing{Codec: format.LZMS, ChunkSize: 32768, Level: 1, Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceFile, Size: int64(len(data)), From: 10, Len: 4096, Lead: 10, Trail: int64(len(data)) - 4106}, {ID: 2, Source: shard.PieceInline, Size: 3, Len: 3, Inline: []byte("abc")}}}},
		{Op: shard.OpPack, Bytes: int64(len(data)), Pack: &shard.Packing{Codec: format.XPRESS, ChunkSize: 4096, Level: 1, Pipable: true, Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceFile, Size: int64(len(data)), Len: int64(len(data))}}}},
		{Op: shard.OpPack, Bytes: 4096, Pack: &shard.Packing{Codec: format.XPRESS, ChunkSize: 4096, Level: 1, Pipable: true, Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceInline, Size: 9000, From: 4096, Len: 3, Inline: []byte("abc")}}}},
		{Op: shard.OpPackSolid, Bytes: 100, Pack: &shard.Packing{Codec: format.LZX, ChunkSize: 32768, Level: 1, Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceZero, Size: 100, Len: 100}}}},
		{Op: shard.OpCopy, Pack: &shard.Packing{ChunkSize: 4096, Pipable: true, Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceFrame, Size: 5000, Len: 900, Off: 3}}}},
		{Op: shard.OpCopy, Pack: &shard.Packing{ChunkSize: 4096, Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceFrame, Size: 5000, Len: 900}}}},
		{Op: shard.OpCopy, Pack: &shard.Packing{Pieces: []shard.PackPiece{{ID: 1, Source: shard.PiecePacked, Size: 100, Len: 100, Off: 7}}}},
		{Op: shard.OpPack, Bytes: 100, Spans: []shard.Span{{Off: 5, End: 105, Pieces: []shard.Piece{{ID: 1, Size: 100, Len: 100, Off: 5, Packed: 100, Stored: true}}}}, Pack: &shard.Packing{Codec: format.LZX, ChunkSize: 32768, Level: 1, Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceUnpack, Size: 100, Len: 100}}}},
	} {
		f.Add(s.AppendBinary(nil), data)
	}
	w := pack.NewWorker(nil)
	f.Fuzz(func(t *testing.T, packed, data []byte) {
		s, err := shard.Parse(packed)
		if err != nil || s.Pack == nil {
			return
		}
		again, err := shard.Parse(s.AppendBinary(nil))
		if err != nil || !bytes.Equal(again.AppendBinary(nil), s.AppendBinary(nil)) {
			t.Fatalf("another shard comes back: %v", err)
		}
		need := s.Pack.ChunkSize
		for i := range s.Pack.Pieces {
			_, n := s.Pack.Pieces[i].Reads()
			need += min(n, 1<<40)
		}
		for i := range s.Spans {
			for _, p := range s.Spans[i].Pieces {
				need += min(p.Len, 1<<40)
			}
			for _, c := range s.Spans[i].Chunks {
				need += min(c.Size+c.Packed, 1<<40)
			}
			need += min(s.Spans[i].ChunkSize, 1<<40)
		}
		if need > 1<<22 || len(s.Pack.Pieces) > 1000 {
			return // valid, but too large for a fuzzer
		}
		r, err := w.Run(s, shard.Sources{Parts: blobs.Source{bytes.NewReader(data)}, Files: fuzzFiles(data)}, nil)
		if err != nil {
			return
		}
		sum := int64(0)
		for _, it := range r.Packed {
			sum += it.Packed
		}
		for _, n := range r.Chunks {
			sum += int64(n)
		}
		if sum != int64(len(r.Data)) {
			t.Fatalf("%d bytes, %d are told of", len(r.Data), sum)
		}
		back, err := shard.ParseResult(r.AppendBinary(nil))
		if err != nil || !bytes.Equal(back.AppendBinary(nil), r.AppendBinary(nil)) {
			t.Fatalf("another result comes back: %v", err)
		}
		w.Reuse(r.Data)
	})
}
