package lzms

import (
	"os"
	"testing"
)

// BenchmarkDecode decodes the chunks in testdata, and all of the archive named by WIMSCOPE_LZMS_WIM:
//
//	WIMSCOPE_LZMS_WIM=/tmp/x.wim go test -bench .
//	WIMSCOPE_LZMS_WIM=/tmp/x.wim GOOS=js GOARCH=wasm go test -exec "$(go env GOROOT)/lib/wasm/go_js_wasm_exec" -bench .
func BenchmarkDecode(b *testing.B) {
	for _, c := range chunks {
		b.Run(c.name, func(b *testing.B) {
			benchmark(b, []packedChunk{{readChunk(b, c.name), c.size}})
		})
	}
	if name := os.Getenv("WIMSCOPE_LZMS_WIM"); name != "" {
		b.Run("archive", func(b *testing.B) {
			var all []packedChunk
			for _, r := range readWIM(b, name) {
				for _, c := range r.chunks {
					if len(c.data) < c.size {
						all = append(all, c)
					}
				}
			}
			benchmark(b, all)
		})
	}
}

func benchmark(b *testing.B, chunks []packedChunk) {
	size, most := 0, 0
	for _, c := range chunks {
		size += c.size
		most = max(most, c.size)
	}
	dst := make([]byte, most)
	d := NewDecoder()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range chunks {
			if err := d.Decode(dst[:c.size], c.data); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkX86 filters a chunk of code and one without code.
func BenchmarkX86(b *testing.B) {
	for _, c := range chunks {
		b.Run(c.name, func(b *testing.B) {
			data := make([]byte, c.size)
			if err := NewDecoder().Decode(data, readChunk(b, c.name)); err != nil {
				b.Fatal(err)
			}
			var u x86Filter
			b.SetBytes(int64(c.size))
			for b.Loop() {
				if err := u.run(data, toRelative, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBuild builds the code of the offsets of a large chunk.
func BenchmarkBuild(b *testing.B) {
	var w workspace
	h := &huff{n: 700, root: offsetRoot}
	freq := h.freq
	for i := range freq[:h.n] {
		freq[i] = uint16(1 + (i*i%97)*(i%13)/64*(i%3))
	}
	for b.Loop() {
		h.freq = freq
		h.rebuild(&w)
	}
}
