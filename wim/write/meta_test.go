package write

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// TestLargeMetadata checks that metadata packed by several workers is one resource, the same for any number of workers,
// whether it shrinks or not.
func TestLargeMetadata(t *testing.T) {
	const n = 12_000
	for _, test := range []struct {
		name string
		o    Options
		text func(r *rand.Rand) string
	}{
		{"none", Options{}, nil},
		{"XPRESS", Options{Codec: format.XPRESS, Level: codec.LevelFast}, nil},
		{"LZX, pipable", Options{Codec: format.LZX, Level: codec.LevelFast, Pipable: true}, nil},
		{"LZMS, large chunks", Options{Codec: format.LZMS, ChunkSize: 2 << 20, Level: codec.LevelFast, Integrity: true}, nil},
		{"XPRESS, names of chance", Options{Codec: format.XPRESS, Level: codec.LevelFast}, func(r *rand.Rand) string {
			name := make([]rune, 100)
			for i := range name {
				name[i] = rune(0x3400 + r.IntN(0x6400))
			}
			return string(name)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			files := make(map[string][]byte, n)
			for i := range n {
				name := fmt.Sprintf("/%06d and a name that is as long as names are in real folders, which is not short, %d", i, i*i)
				if test.text != nil {
					name = "/" + test.text(random)
				}
				files[name] = []byte{byte(i), byte(i >> 10)}
			}
			one, r := write(t, fileBuilder(t, files), &test.o, files, 1)
			if m := archivetest.OpenWritten(t, one).Store().Metas[0]; m.Size <= 2*inlinePiece {
				t.Fatalf("metadata of %d bytes, as %+v: not large", m.Size, r)
			}
			sameAsFiles(t, jobtest.Sound(t, one, test.o.Integrity), files)
			if several, _ := write(t, fileBuilder(t, files), &test.o, files, 4); !bytes.Equal(one, several) {
				t.Error("four workers wrote something else than one")
			}
			wimtest.Need(t, wimtest.Wimlib)
			at := filepath.Join(t.TempDir(), "a.wim")
			if err := os.WriteFile(at, one, 0o666); err != nil {
				t.Fatal(err)
			}
			wimtest.MustRun(t, "", wimtest.Wimlib, "verify", at)
		})
	}
}
