package blobs_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// TestMutations changes real archives at random offsets, headers and tables more often than the rest. Nothing may panic or run forever,
// and what can be read without error must have its hash or be reported as damaged. WIMSCOPE_MUTATIONS sets the number of changes for
// each archive.
func TestMutations(t *testing.T) {
	rounds := 60
	if n, err := strconv.Atoi(os.Getenv("WIMSCOPE_MUTATIONS")); err == nil {
		rounds = n
	}
	for i, name := range []string{"XPRESS, pipable", "LZX 32K", "LZX 32K solid", "LZMS 128K", "LZMS solid, integrity table", "none", "none, solid"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := archivetest.MakeVariant(t, archivetest.Variant(t, name), 5)
			good, err := os.ReadFile(m.First)
			if err != nil {
				t.Fatal(err)
			}
			a := archivetest.MustOpen(t, good)
			var aim []blobs.Region // what is worth hitting
			for _, r := range a.Store().Regions() {
				if r.Kind != blobs.RegionData && r.Kind != blobs.RegionSolid {
					aim = append(aim, r)
				}
			}
			r := rand.New(rand.NewPCG(uint64(i), 0x6d7574))
			for range rounds {
				b := bytes.Clone(good)
				for range 1 + r.IntN(4) {
					at := r.IntN(len(b))
					if r.IntN(4) > 0 {
						g := aim[r.IntN(len(aim))]
						at = int(g.Off + r.Int64N(g.Len))
					}
					switch r.IntN(3) {
					case 0:
						b[at] ^= 1 << r.IntN(8)
					case 1:
						b[at] = byte(r.Uint32())
					default:
						copy(b[at:], bytes.Repeat([]byte{0xff}, 1+r.IntN(8)))
					}
				}
				if r.IntN(8) == 0 {
					b = b[:r.IntN(len(b))]
				}
				mutated(t, b)
			}
		})
	}
}

func mutated(t *testing.T, b []byte) {
	a, err := archivetest.OpenMem(b, &blobs.Options{MaxMemory: 64 << 20})
	if err != nil {
		return
	}
	archivetest.CheckTiles(t, a)
	blobs.SameTables(t, a.Store())
	bad := map[format.Hash]bool{}
	for _, x := range a.Store().Blobs() {
		a.Store().Stored(x)
		r, err := a.Store().OpenBlob(x.Hash)
		if err == nil && x.Size < 64<<20 {
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil {
			bad[x.Hash] = true
		}
	}
	p, err := verify.New(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Bytes() > 256<<20 {
		return // sizes that lie take long, and end all the same
	}
	if err := shard.Run(context.Background(), jobtest.Packed(p, t), shard.Sources{Parts: a.Store().Source()}, nil); err != nil {
		t.Fatal(err)
	}
	rep, err := p.Report(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range rep.Damaged {
		delete(bad, d.Hash)
	}
	for h := range bad {
		t.Errorf("%v cannot be read, but verification does not report it", h)
	}
	rep.Text()
	for i := range a.Images() {
		im, err := a.Image(i + 1)
		if err != nil {
			continue
		}
		x, err := extract.New(a, extract.Selection{Image: im}, &extract.Options{Recover: true})
		if err != nil {
			t.Fatal(err)
		}
		if x.OutSize < 256<<20 {
			out := extract.NewZIP(&archivetest.MemFile{})
			if _, err := extract.Run(context.Background(), x, out, nil); err != nil {
				t.Fatal(err)
			}
			if n, err := out.Finish(); err != nil || n != x.OutSize {
				t.Fatalf("%d bytes of output, %d planned: %v", n, x.OutSize, err)
			}
		}
	}
}
