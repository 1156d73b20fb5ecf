package blobs_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

func TestTablesOfSamples(t *testing.T) {
	for _, s := range wimtest.Samples() {
		t.Run(s.Name, func(t *testing.T) {
			a, err := wim.Open(archivetest.SampleParts(s.Parts), &blobs.Options{References: archivetest.SampleParts(s.Refs)})
			if err == nil {
				blobs.SameTables(t, a.Store())
			}
		})
	}
}

// TestTablesOfMixedEntries reads random tables that mix entries for the fast path with all others.
func TestTablesOfMixedEntries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, flags := range []uint32{0, format.FlagCompression | format.FlagXPRESS, format.FlagCompression | format.FlagLZX} {
		h := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "some text")))
		h.Flags, h.Unused = flags, make([]byte, 5000)
		if flags != 0 {
			h.ChunkSize = 32 << 10
		}
		for range 5000 {
			e := format.BlobEntry{Part: 1, RefCount: 1, Hash: wimtestHash(r.IntN(3000))}
			size := uint64(r.IntN(3) * r.IntN(200))
			e.Resource = format.ResourceHeader{Off: uint64(208 + r.IntN(5000)), PackedSize: size, Size: size}
			switch r.IntN(12) {
			case 0:
				e.Resource.Size += uint64(r.IntN(100_000))
			case 1, 2, 3:
				e.Resource.Flags = format.ResCompressed
				e.Resource.Size = uint64(r.IntN(100_000))
			case 4:
				e.Resource.Off = r.Uint64()
			case 5:
				e.Part = uint16(r.IntN(3))
			case 6:
				e.Hash = [20]byte{}
			case 7:
				e.Resource.PackedSize = r.Uint64() & format.MaxPackedSize
			case 8:
				e.Resource.Flags, e.RefCount = format.ResMetadata, uint32(r.IntN(2))
			case 9:
				e.Resource.Flags = uint8(r.Uint32())
			}
			h.Extra = append(h.Extra, e.Append(nil))
		}
		a := archivetest.MustOpen(t, h.Bytes())
		if a.Store().NBlobs < 1000 {
			t.Fatalf("only %d blobs of flags %x", a.Store().NBlobs, flags)
		}
		blobs.SameTables(t, a.Store())
		archivetest.CheckTiles(t, a)
	}
}

func wimtestHash(i int) (h [20]byte) {
	binary.LittleEndian.PutUint32(h[i%5*4:], uint32(i+1))
	return h
}

// TestSHA1Option checks that a hash from Options.SHA1 is used, and that a hash is computed if it fails or declines.
func TestSHA1Option(t *testing.T) {
	b := wimtest.One(wimtest.Folder("", wimtest.TextFile("a", "some text"))).Bytes()
	for _, test := range []struct {
		name  string
		sum   [20]byte
		err   error
		none  bool
		wrong bool
	}{
		{name: "wrong", wrong: true},
		{name: "fails", err: errors.New("not now")},
		{name: "declines", none: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			a, err := archivetest.OpenMem(b, &blobs.Options{SHA1: func([]byte) func() ([20]byte, error) {
				asked++
				if test.none {
					return nil
				}
				return func() ([20]byte, error) { return test.sum, test.err }
			}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = a.Image(1)
			var ce *blobs.ChecksumError
			if errors.As(err, &ce) != test.wrong || !test.wrong && err != nil || asked != 1 {
				t.Errorf("called %d times: %v", asked, err)
			}
			if _, err := a.Metadata(1); (err != nil) != test.wrong {
				t.Errorf("Metadata: %v", err)
			}
		})
	}
}
