package shard_test

import (
	"errors"
	"reflect"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/internal/wire"
	"wimscope/wim/shard"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

// FuzzParseShard checks that accepted input is encoded to the same bytes, and runs against any file without harm.
func FuzzParseShard(f *testing.F) {
	var src blobs.Source
	for _, s := range wimtest.Samples() {
		if s.Outcome != wimtest.Opens || len(s.Parts) != 1 || len(s.Parts[0].Bytes) > 64<<10 {
			continue
		}
		a, err := wim.Open(archivetest.SampleParts(s.Parts), nil)
		if err != nil {
			f.Fatal(err)
		}
		if src == nil {
			src = a.Store().Source()
		}
		p, err := verify.New(a, nil)
		if err != nil {
			f.Fatal(err)
		}
		for i := range p.NumShards() {
			sh, err := p.Shard(i)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(sh.AppendBinary(nil))
			sh.Op = shard.OpExtract
			f.Add(sh.AppendBinary(nil))
		}
	}
	// Regression: offsets and lengths at their maximum were encoded differently.
	f.Add((&shard.Shard{Op: shard.OpVerify, Spans: []shard.Span{{Off: wire.MaxLength, End: wire.MaxLength, Pieces: []shard.Piece{{Size: wire.MaxLength, Len: wire.MaxLength, Off: wire.MaxLength, Packed: wire.MaxLength}, {Off: 0}}}}}).AppendBinary(nil))
	w := shard.NewWorker()
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := shard.Parse(b)
		if err != nil {
			return
		}
		again, err := shard.Parse(s.AppendBinary(nil))
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Fatalf("%x: %+v comes back as %+v (%v)", b, s, again, err)
		}
		total := int64(0)
		for i := range s.Spans {
			for j := range s.Spans[i].Pieces {
				total += min(s.Spans[i].Pieces[j].Len, 1<<40)
			}
			for _, c := range s.Spans[i].Chunks {
				total += min(c.Size, 1<<40)
			}
			total += min(s.Spans[i].ChunkSize, 1<<40)
		}
		if total > 8<<20 {
			return
		}
		stop := errors.New("enough")
		calls := 0
		r, err := w.Run(s, shard.Sources{Parts: src}, func(int64, int) error {
			if calls++; calls > 100 {
				return stop
			}
			return nil
		})
		if err == nil && s.Op == shard.OpExtract && int64(len(r.Data)) > total {
			t.Fatalf("%d bytes were extracted of %d", len(r.Data), total)
		}
	})
}

// FuzzParseShardResult checks that accepted input is encoded to the same bytes.
func FuzzParseShardResult(f *testing.F) {
	r := shard.Result{Seq: 1, Bytes: 2, Items: 3, Bad: []shard.BadPiece{{Piece: 1, ID: 2, Off: 3, Len: 4, Lost: 5, Error: "e"}},
		CRCs: []uint32{6}, Cuts: []shard.Cut{{Piece: 1, ID: 7, Hash: format.Hash{8}, Size: 9, From: 1, Len: 2, State: []byte("s"), Tail: []byte("t")}}, Sum: []byte("sum")}
	f.Add(r.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := shard.ParseResult(b)
		if err != nil {
			return
		}
		again, err := shard.ParseResult(r.AppendBinary(nil))
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%x: %+v comes back as %+v (%v)", b, r, again, err)
		}
	})
}
