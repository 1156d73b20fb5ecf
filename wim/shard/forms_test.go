package shard_test

import (
	"bytes"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// TestBinaryForms checks that shards and results survive encoding and decoding.
func TestBinaryForms(t *testing.T) {
	s := &shard.Shard{Seq: 7, Op: shard.OpPack, Bytes: 100, Memory: 1 << 20,
		Spans: []shard.Span{{Src: 1, Codec: format.LZX, Off: 10, End: 90, ChunkSize: 32 << 10, Pieces: []shard.Piece{{ID: 4, Size: 70, Len: 70, Off: 10, Packed: 40}}}},
		Pack: &shard.Packing{Codec: format.LZX, ChunkSize: 32 << 10, Level: 2, Pipable: true, Pieces: []shard.PackPiece{
			{ID: 4, Source: shard.PieceUnpack, Known: true, Hash: format.Hash{1}, Size: 70, Len: 70},
			{ID: 5, Source: shard.PieceFile, Size: 100, From: 20, Len: 30, Lead: 20, Trail: 50, Before: make([]byte, 28), After: make([]byte, 28)},
			{ID: 6, Source: shard.PieceInline, Size: 3, Len: 3, Inline: []byte("abc")},
			{ID: 7, Source: shard.PieceZero, Size: 3, Len: 3},
		}}}
	b := s.AppendBinary(nil)
	again, err := shard.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.AppendBinary(nil), b) || !again.Pack.Pipable || again.Pack.Level != 2 {
		t.Errorf("shard: %+v, want %+v", again, s)
	}
	r := &shard.Result{Seq: 7, Bytes: 3, Items: 2, Packed: []shard.PackedItem{{ID: 4, Hash: format.Hash{9}, Packed: 3, Stored: true}, {ID: 5, Packed: 3, Chunks: []uint32{1, 2}, States: make([]byte, 56), Zeros: []byte{0, 1, 1}}}, Chunks: []uint32{7},
		Cuts: []shard.Cut{{Piece: 1, ID: 6, Hash: format.Hash{8}, Size: 9, Len: 2, State: []byte("state")}, {ID: 7, Size: 9, From: 2, Len: 7, Tail: []byte("tail")}}}
	rb := r.AppendBinary(nil)
	back, err := shard.ParseResult(rb)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back.AppendBinary(nil), rb) {
		t.Errorf("result: %+v, want %+v", back, r)
	}
	for n := range b {
		if _, err := shard.Parse(b[:n]); err == nil {
			t.Errorf("the first %d bytes of a shard are accepted", n)
		}
	}
	for n := range rb {
		if _, err := shard.ParseResult(rb[:n]); err == nil {
			t.Errorf("the first %d bytes of a result are accepted", n)
		}
	}
}
