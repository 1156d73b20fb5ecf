package pack_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/pack"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest/jobtest"
)

// TestHoles packs and hashes contents with holes, and checks that the holes are not read.
func TestHoles(t *testing.T) {
	const size = 3<<20 + 12345
	for _, c := range []struct {
		name string
		data [][2]int64
		err  error
		read int64
	}{
		{"all a hole", nil, nil, 0},
		{"hole in front", [][2]int64{{1 << 20, size}}, nil, size - 1<<20},
		{"hole at the end", [][2]int64{{0, 70000}}, nil, 70000},
		{"islands", [][2]int64{{4096, 8192}, {1 << 20, 1<<20 + 1}, {size - 1, size}}, nil, 4098},
		{"not known", [][2]int64{{4096, 8192}}, errors.ErrUnsupported, size},
		{"nonsense", [][2]int64{{size, size + 5}}, nil, size},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &jobtest.HoleContent{Length: size, Data: c.data, Err: c.err}
			want := make([]byte, size)
			for i := range want {
				want[i] = f.ByteAt(int64(i))
			}
			hash := format.Hash(sha1.Sum(want))
			s := &shard.Shard{Op: shard.OpHash, Bytes: size, Pack: &shard.Packing{Pieces: []shard.PackPiece{{ID: 1, Source: shard.PieceFile, Size: size, Len: size}}}}
			r, err := pack.NewWorker(nil).Run(s, shard.Sources{Files: f}, nil)
			if err != nil || r.Packed[0].Hash != hash || r.Bytes != size {
				t.Fatalf("hashing: %v, %+v, want %v", err, r.Packed, hash)
			}
			if f.Read != c.read {
				t.Errorf("hashing reads %d bytes, want %d", f.Read, c.read)
			}
			f.Read = 0
			s.Op = shard.OpPack
			if r, err = pack.NewWorker(nil).Run(s, shard.Sources{Files: f}, nil); err != nil || r.Packed[0].Hash != hash || !bytes.Equal(r.Data, want) {
				t.Fatalf("storing: %v, %d bytes", err, len(r.Data))
			}
			if f.Read != c.read {
				t.Errorf("storing reads %d bytes, want %d", f.Read, c.read)
			}
		})
	}
}
