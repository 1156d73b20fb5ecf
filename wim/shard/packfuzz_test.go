package shard

import (
	"bytes"
	"io/fs"
	"testing"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/wimtest/archivetest"
)

// fuzzFiles returns the same content for every ID.
type fuzzFiles []byte

func (f fuzzFiles) OpenContent(id int32) (ContentFile, error) {
	if id > 10 {
		return nil, fs.ErrNotExist
	}
	return archivetest.MemContent{Reader: bytes.NewReader(f)}, nil
}

// FuzzPackShard checks that accepted input is encoded to the same bytes, and that running it returns an error or a result
// that also survives encoding and has as many bytes as it claims.
func FuzzPackShard(f *testing.F) {
	data := bytes.Repeat([]byte("some bytes to pack. "), 500)
	for _, s := range []*PackShard{
		{Op: PackHash, Pieces: []PackPiece{{ID: 1, Source: PieceFile, Size: int64(len(data)), Len: int64(len(data))}}},
		{Op: PackAlone, Pieces: []PackPiece{{ID: 1, Source: PieceFile, Size: int64(len(data)), Len: int64(len(data))}}},
		{Op: PackAlone, Codec: format.XPRESS, ChunkSize: 4096, Level: 1, Bytes: int64(len(data)), Pieces: []PackPiece{{ID: 1, Source: PieceFile, Size: int64(len(data)), Len: int64(len(data))}}},
		{Op: PackSolid, Codec: format.LZMS, ChunkSize: 32768, Level: 1, Bytes: int64(len(data)), Pieces: []PackPiece{{ID: 1, Source: PieceFile, Size: int64(len(data)), From: 10, Len: 4096, Lead: 10, Trail: int64(len(data)) - 4106}, {ID: 2, Source: PieceInline, Size: 3, Len: 3, Inline: []byte("abc")}}},
		{Op: PackAlone, Codec: format.XPRESS, ChunkSize: 4096, Level: 1, Pipable: true, Bytes: int64(len(data)), Pieces: []PackPiece{{ID: 1, Source: PieceFile, Size: int64(len(data)), Len: int64(len(data))}}},
		{Op: PackAlone, Codec: format.XPRESS, ChunkSize: 4096, Level: 1, Pipable: true, Bytes: 4096, Pieces: []PackPiece{{ID: 1, Source: PieceInline, Size: 9000, From: 4096, Len: 3, Inline: []byte("abc")}}},
		{Op: PackSolid, Codec: format.LZX, ChunkSize: 32768, Level: 1, Bytes: 100, Pieces: []PackPiece{{ID: 1, Source: PieceZero, Size: 100, Len: 100}}},
		{Op: PackCopy, ChunkSize: 4096, Pipable: true, Pieces: []PackPiece{{ID: 1, Source: PieceFrame, Size: 5000, Len: 900, Off: 3}}},
		{Op: PackCopy, ChunkSize: 4096, Pieces: []PackPiece{{ID: 1, Source: PieceFrame, Size: 5000, Len: 900}}},
		{Op: PackCopy, Pieces: []PackPiece{{ID: 1, Source: PiecePacked, Size: 100, Len: 100, Off: 7}}},
		{Op: PackAlone, Codec: format.LZX, ChunkSize: 32768, Level: 1, Bytes: 100, Read: []Span{{Off: 5, End: 105, Pieces: []Piece{{ID: 1, Size: 100, Len: 100, Off: 5, Packed: 100, Stored: true}}}}, Pieces: []PackPiece{{ID: 1, Source: PieceUnpack, Size: 100, Len: 100}}},
	} {
		f.Add(s.AppendBinary(nil), data)
	}
	w := NewPackWorker()
	f.Fuzz(func(t *testing.T, packed, data []byte) {
		s, err := ParsePackShard(packed)
		if err != nil {
			return
		}
		again, err := ParsePackShard(s.AppendBinary(nil))
		if err != nil || !bytes.Equal(again.AppendBinary(nil), s.AppendBinary(nil)) {
			t.Fatalf("another shard comes back: %v", err)
		}
		need := s.ChunkSize
		for i := range s.Pieces {
			_, n := s.Pieces[i].reads()
			need += min(n, 1<<40)
		}
		for i := range s.Read {
			for _, p := range s.Read[i].Pieces {
				need += min(p.Len, 1<<40)
			}
			for _, c := range s.Read[i].Chunks {
				need += min(c.Size+c.Packed, 1<<40)
			}
			need += min(s.Read[i].ChunkSize, 1<<40)
		}
		if need > 1<<22 || len(s.Pieces) > 1000 {
			return // valid, but too large for a fuzzer
		}
		r, err := RunPack(s, PackSource{Parts: blobs.Source{bytes.NewReader(data)}, Files: fuzzFiles(data)}, w, nil)
		if err != nil {
			return
		}
		sum := int64(0)
		for _, it := range r.Items {
			sum += it.Packed
		}
		for _, n := range r.Chunks {
			sum += int64(n)
		}
		if sum != int64(len(r.Data)) {
			t.Fatalf("%d bytes, %d are told of", len(r.Data), sum)
		}
		back, err := ParsePackResult(r.AppendBinary(nil))
		if err != nil || !bytes.Equal(back.AppendBinary(nil), r.AppendBinary(nil)) {
			t.Fatalf("another result comes back: %v", err)
		}
		w.Reuse(r.Data)
	})
}
