package codectest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// BenchmarkDecode measures the decoders on about 20 MB of the system's files, packed by wimlib-imagex with its defaults.
//
// js/wasm cannot run programs, so a native run must make the archives first: set WIMSCOPE_BENCH_DIR to the same folder for both.
func BenchmarkDecode(b *testing.B) {
	dir := ""
	parent := b // its temporary folder outlives that of each b.Run
	for _, v := range variants() {
		switch v.String() {
		case "XPRESS/4K", "XPRESS/32K", "LZX/32K", "LZX/2048K":
		default:
			continue
		}
		b.Run(v.String()+"/system", func(b *testing.B) {
			name := ""
			if keep := os.Getenv("WIMSCOPE_BENCH_DIR"); keep != "" {
				name = filepath.Join(keep, fmt.Sprintf("%s-%d.wim", v.codec, v.size))
			}
			wim, err := os.ReadFile(name)
			if err != nil {
				if runtime.GOOS == "js" {
					b.Skip("no archive; run natively first, with WIMSCOPE_BENCH_DIR set")
				}
				if dir == "" {
					dir = corpus(parent, 20<<20)
				}
				wim = capture(b, dir, v.codec, v.size)
				if name != "" {
					if err := os.WriteFile(name, wim, 0o600); err != nil {
						b.Fatal(err)
					}
				}
			}
			chunks := readChunks(b, wim, v)
			d := v.make()
			total := 0
			for _, c := range chunks {
				total += len(c.plain)
			}
			b.SetBytes(int64(total))
			b.ReportAllocs()
			for b.Loop() {
				for _, c := range chunks {
					if err := d.Decode(c.plain, c.packed); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
