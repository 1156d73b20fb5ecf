package core

import (
	"errors"
	"slices"
	"testing"
)

// TestZeroSteps hashes a content with holes and then stores it in pieces. Pieces that were zeros are not hashed again, but
// data that appear in them meanwhile are noticed.
func TestZeroSteps(t *testing.T) {
	const size = 2*stateStep + 5000
	f := &holeContent{size: size, data: [][2]int64{{stateStep + 7, stateStep + 8}}}
	r, err := RunPack(&PackShard{Op: PackHash, Bytes: size, Pieces: []PackPiece{{ID: 1, Source: PieceFile, Size: size, Len: size}}},
		PackSource{Files: f}, NewPackWorker(), nil)
	if err != nil {
		t.Fatal(err)
	}
	it := r.Items[0]
	if !slices.Equal(it.Zeros, []byte{1, 0, 1}) || len(it.States) != 2*stateSize {
		t.Fatalf("zeros %v, %d bytes of states", it.Zeros, len(it.States))
	}
	p := &WritePlan{contents: []packContent{{hash: it.Hash, known: true, a: -1, same: written, solid: -1, size: size,
		rare: &packRare{states: it.States, zeros: it.Zeros}}}}
	step := func(k int64) PackPiece {
		piece, err := p.piece(&packPlan{op: PackAlone}, packItem{0, k * stateStep, min(stateStep, size-k*stateStep)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if piece.Zeros != (it.Zeros[k] == 1) {
			t.Errorf("step %d: zeros: %v", k, piece.Zeros)
		}
		return piece
	}
	store := func(piece PackPiece) error {
		_, err := RunPack(&PackShard{Op: PackAlone, Pieces: []PackPiece{piece}}, PackSource{Files: f}, NewPackWorker(), nil)
		return err
	}
	for k := range int64(3) {
		if err := store(step(k)); err != nil {
			t.Errorf("step %d: %v", k, err)
		}
	}
	untold := step(2)
	untold.Before = make([]byte, stateSize) // hashing from here on would give another hash
	if err := store(untold); err != nil {
		t.Errorf("zeros were hashed again: %v", err)
	}
	for k := range int64(3) {
		f.data = [][2]int64{{stateStep + 7, stateStep + 8}, {k*stateStep + 4000, k*stateStep + 4001}}
		slices.SortFunc(f.data, func(a, b [2]int64) int { return int(a[0] - b[0]) })
		if err := store(step(k)); !errors.Is(err, ErrChanged) {
			t.Errorf("step %d has other bytes: %v", k, err)
		}
	}
}
