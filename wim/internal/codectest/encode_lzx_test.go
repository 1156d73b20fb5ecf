package codectest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/lzx"
	"wimscope/wim/wimtest"
)

// TestWimlibReadsLZX: wimlib-imagex reads what our encoder packs, at each chunk size and level.
func TestWimlibReadsLZX(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	contents := manyContents(t, 2<<20, 32768)
	for size := 32768; size <= 2<<20; size *= 2 {
		for level := lzx.Fast; level <= lzx.Maximum; level++ {
			t.Run(fmt.Sprintf("%dK/level %d", size>>10, level), func(t *testing.T) {
				packed := 0
				e, err := lzx.NewEncoder(size, level)
				if err != nil {
					t.Fatal(err)
				}
				wimlibReads(t, packedArchive(format.FlagLZX, size, contents, func(dst, src []byte) int {
					n := e.Encode(dst, src)
					if n > 0 {
						packed++
					}
					return n
				}))
				if packed < 50 {
					t.Errorf("only %d chunks were packed", packed)
				}
			})
		}
	}
}

// BenchmarkEncodeLZX measures the encoder on about 20 MB of the system's files, or half of that at the highest level. It shares its
// archives with BenchmarkDecode, which also explains how to run it under js/wasm.
func BenchmarkEncodeLZX(b *testing.B) {
	dir := ""
	parent := b // its temporary folder outlives that of each b.Run
	for _, v := range variants() {
		if s := v.String(); s != "LZX/32K" && s != "LZX/2048K" {
			continue
		}
		var chunks []chunk
		for level := lzx.Fast; level <= lzx.Maximum; level++ {
			b.Run(fmt.Sprintf("%v/level%d/system", v, level), func(b *testing.B) {
				if chunks == nil {
					name := filepath.Join(os.Getenv("WIMSCOPE_BENCH_DIR"), fmt.Sprintf("%s-%d.wim", v.codec, v.size))
					wim, err := os.ReadFile(name)
					if err != nil {
						if runtime.GOOS == "js" {
							b.Skip("no archive; run BenchmarkDecode natively first, with WIMSCOPE_BENCH_DIR set")
						}
						if dir == "" {
							dir = corpus(parent, 20<<20)
						}
						wim = capture(b, dir, v.codec, v.size)
					}
					chunks = readChunks(b, wim, v)
				}
				e, err := lzx.NewEncoder(v.size, level)
				if err != nil {
					b.Fatal(err)
				}
				dst := make([]byte, v.size)
				plain, theirs, ours := 0, 0, 0
				for i, c := range chunks {
					if level < lzx.Maximum || i%2 == 0 {
						plain += len(c.plain)
						theirs += len(c.packed)
					}
				}
				b.SetBytes(int64(plain))
				b.ReportAllocs()
				for b.Loop() {
					ours = 0
					for i, c := range chunks {
						if level == lzx.Maximum && i%2 != 0 {
							continue
						}
						n := e.Encode(dst[:len(c.plain)-1], c.plain)
						if n == 0 {
							n = len(c.plain)
						}
						ours += n
					}
				}
				b.ReportMetric(float64(ours)/float64(theirs), "of-wimlib")
			})
		}
	}
}
