package write

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// Bounds of the memory allocated in total by opening an archive, listing it, reading its links and contents, verifying it,
// and planning and running two extractions. The fixed part is a window of 4 MiB and decoders for each of the three jobs,
// buffers, and output stages.
const (
	memoryAnyway = 40 << 20
	memoryTimes  = 600 // per byte of the archive
)

// TestMemoryOfMutants bounds the memory used for valid, damaged and hostile archives by their size. WIMSCOPE_CAMPAIGN makes
// it use many more of them; WIMSCOPE_MUTANTS names a folder to write them to, for use with another program.
func TestMemoryOfMutants(t *testing.T) {
	rounds := 8
	if wimtest.Fewer() {
		rounds = 2
	}
	if os.Getenv("WIMSCOPE_CAMPAIGN") != "" {
		rounds = 200
	}
	dir := os.Getenv("WIMSCOPE_MUTANTS")
	var perByte, beyond []float64
	var slowest time.Duration
	most := int64(0)
	for i, base := range memoryBases(t) {
		sound := int64(0) // allocated for the undamaged archive
		for k := range rounds + 1 {
			b := base
			if k > 0 {
				b = wimtest.Mutate(rand.New(rand.NewPCG(uint64(i), uint64(k))), base)
			}
			name := fmt.Sprintf("%03d-%04d.wim", i, k)
			if dir != "" {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			start := time.Now()
			took := wimtest.Allocated(func() {
				if a, err := archivetest.OpenMem(b, nil); err == nil {
					jobtest.UseAll(t, a)
				}
			})
			slowest = max(slowest, time.Since(start))
			if limit := memoryAnyway + memoryTimes*int64(len(b)); took > limit {
				t.Errorf("%s: %d bytes took %d of memory, more than %d", name, len(b), took, limit)
			}
			if k == 0 {
				sound = took
				continue
			}
			most = max(most, took)
			perByte = append(perByte, float64(took)/float64(max(len(b), 1)))
			beyond = append(beyond, float64(max(took-sound, 0))/float64(max(len(b), 1)))
		}
	}
	slices.Sort(perByte)
	slices.Sort(beyond)
	t.Logf("%d mutants: at most %d bytes allocated; for each byte of input median %.0f, most %.0f; beyond what the sound archive takes median %.0f, most %.0f; slowest %v",
		len(perByte), most, perByte[len(perByte)/2], perByte[len(perByte)-1], beyond[len(beyond)/2], beyond[len(beyond)-1], slowest)
}

// memoryBases returns small archives of every form: handmade ones, which are not packed, and packed ones.
func memoryBases(t *testing.T) [][]byte {
	list := rewriteSeeds(t)
	files := map[string][]byte{"/a": bytes.Repeat([]byte("some text, "), 9000), "/b": wimtest.BigContent(30_000, func(c int) bool { return c == 1 }), "/c": []byte("c")}
	for _, o := range []Options{
		{Codec: format.LZMS, ChunkSize: 2 << 20, Level: 1}, {Codec: format.LZMS, Level: 1, Solid: true, SolidCodec: format.LZMS, SolidLevel: 1, SolidChunkSize: 1 << 20},
		{Codec: format.LZX, ChunkSize: 2 << 20, Level: 1}, {Codec: format.XPRESS, Level: 1, Solid: true, SolidCodec: format.XPRESS, SolidLevel: 1},
	} {
		b, _ := write(t, fileBuilder(t, files), &o, files, 1)
		list = append(list, b)
	}
	for _, s := range wimtest.Samples() {
		if len(s.Parts) == 1 && len(s.Refs) == 0 && len(s.Parts[0].Bytes) < 64<<10 {
			list = append(list, s.Parts[0].Bytes)
		}
	}
	// Links in a packed chunk of a solid resource, and in one that is not packed.
	text := wimtest.Text.Make(rand.New(rand.NewPCG(9, 9)), 1<<16)
	right := func(off, size int64) []byte { return text[off : off+size] }
	list = append(list, wimtest.LinksInSolid(wimtest.PackedSolid(uint32(format.LZMS), 1<<16, 1<<16, archivetest.PackChunk(t, format.LZMS, text)), 50, 64, 0, right), wimtest.LinksInSolid(wimtest.SolidResource(text, 1<<15), 50, 64, 1<<15, right))
	return list
}
