package write

import (
	"errors"
	"slices"
	"testing"

	"wimscope/wim/blobs"
	"wimscope/wim/pack"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest/jobtest"
)

// TestZeroSteps hashes a content with holes and then stores it in pieces. Pieces that were zeros are not hashed again, but
// data that has appeared in them since is noticed.
func TestZeroSteps(t *testing.T) {
	const size = 2*shard.StateStep + 5000
	f := &jobtest.HoleContent{Length: size, Data: [][2]int64{{shard.StateStep + 7, shard.StateStep + 8}}}
	r, err := pack.NewWorker(nil).Run(&shard.Shard{Op: shard.OpHash, Bytes: size, Pack: &shard.Packing{Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceFile, Size: size, Len: size}}}},
		shard.Sources{Files: f}, nil)
	if err != nil {
		t.Fatal(err)
	}
	it := r.Packed[0]
	if !slices.Equal(it.Zeros, []byte{1, 0, 1}) || len(it.States) != 2*shard.StateSize {
		t.Fatalf("zeros %v, %d bytes of states", it.Zeros, len(it.States))
	}
	inv := &inventory{contents: []content{{hash: it.Hash, known: true, a: -1, same: written, solid: -1, size: size,
		rare: &rareFields{states: it.States, zeros: it.Zeros}}}}
	step := func(k int64) shard.PackPiece {
		piece, err := (&outlines{request: &request{}, inv: inv}).piece(&outline{op: shard.OpPack}, item{0, k * shard.StateStep, min(shard.StateStep, size-k*shard.StateStep)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if piece.Zeros != (it.Zeros[k] == 1) {
			t.Errorf("step %d: zeros: %v", k, piece.Zeros)
		}
		return piece
	}
	store := func(piece shard.PackPiece) error {
		_, err := pack.NewWorker(nil).Run(&shard.Shard{Op: shard.OpPack, Pack: &shard.Packing{Pieces: []shard.PackPiece{piece}}}, shard.Sources{Files: f}, nil)
		return err
	}
	for k := range int64(3) {
		if err := store(step(k)); err != nil {
			t.Errorf("step %d: %v", k, err)
		}
	}
	changed := step(2)
	changed.Before = make([]byte, shard.StateSize) // hashing from here on would give another hash
	if err := store(changed); err != nil {
		t.Errorf("zeros were hashed again: %v", err)
	}
	for k := range int64(3) {
		f.Data = [][2]int64{{shard.StateStep + 7, shard.StateStep + 8}, {k*shard.StateStep + 4000, k*shard.StateStep + 4001}}
		slices.SortFunc(f.Data, func(a, b [2]int64) int { return int(a[0] - b[0]) })
		if err := store(step(k)); !errors.Is(err, blobs.ErrChanged) {
			t.Errorf("step %d has other bytes: %v", k, err)
		}
	}
}
