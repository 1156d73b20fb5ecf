package core

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"io"
	"testing"

	"wimscope/wim/format"
)

// holeContent is a content that has data in some places, and must not be read in others.
type holeContent struct {
	size int64
	data [][2]int64 // from and to
	read int64
	err  error // of NextData
}

func (f *holeContent) Size() int64  { return f.size }
func (f *holeContent) Close() error { return nil }

func (f *holeContent) NextData(off int64) (from, to int64, err error) {
	for _, d := range f.data {
		if off < d[1] {
			return max(off, d[0]), d[1], f.err
		}
	}
	return f.size, f.size, f.err
}

// byteAt is never zero in data.
func (f *holeContent) byteAt(off int64) byte {
	for _, d := range f.data {
		if off >= d[0] && off < d[1] {
			return byte(off%251) + 1
		}
	}
	return 0
}

func (f *holeContent) ReadAt(b []byte, off int64) (int, error) {
	f.read += int64(len(b))
	for i := range b {
		if off+int64(i) >= f.size {
			return i, io.EOF
		}
		b[i] = f.byteAt(off + int64(i))
	}
	return len(b), nil
}

func (f *holeContent) OpenContent(int32) (ContentFile, error) { return f, nil }

// TestHoles packs and hashes contents with holes, which are not read.
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
			f := &holeContent{size: size, data: c.data, err: c.err}
			want := make([]byte, size)
			for i := range want {
				want[i] = f.byteAt(int64(i))
			}
			hash := format.Hash(sha1.Sum(want))
			s := &PackShard{Op: PackHash, Bytes: size, Pieces: []PackPiece{{ID: 1, Source: PieceFile, Size: size, Len: size}}}
			r, err := RunPack(s, PackSource{Files: f}, NewPackWorker(), nil)
			if err != nil || r.Items[0].Hash != hash || r.Bytes != size {
				t.Fatalf("hashing: %v, %+v, want %v", err, r.Items, hash)
			}
			if f.read != c.read {
				t.Errorf("hashing reads %d bytes, want %d", f.read, c.read)
			}
			f.read = 0
			s.Op = PackAlone
			if r, err = RunPack(s, PackSource{Files: f}, NewPackWorker(), nil); err != nil || r.Items[0].Hash != hash || !bytes.Equal(r.Data, want) {
				t.Fatalf("storing: %v, %d bytes", err, len(r.Data))
			}
			if f.read != c.read {
				t.Errorf("storing reads %d bytes, want %d", f.read, c.read)
			}
		})
	}
}
