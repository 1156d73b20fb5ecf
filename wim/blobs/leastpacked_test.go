package blobs

import (
	"testing"

	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

// TestLeastPacked checks that no encoder compresses the most compressible data to less than leastPacked.
func TestLeastPacked(t *testing.T) {
	for _, kind := range []format.Codec{format.XPRESS, format.LZX, format.LZMS} {
		for _, size := range []int{1 << 15, 1 << 16, 1 << 17, 1 << 20, 2 << 20} {
			if !format.ChunkSizeOK(kind, uint32(size)) {
				continue
			}
			for level := codec.LevelFast; level <= codec.LevelMaximum; level++ {
				if wimtest.Fewer() && level != codec.LevelMaximum && size > 1<<17 {
					continue
				}
				packed := 0
				var e codec.Encoders
				for _, n := range []int{20, 260, 600, 1100, 5000, size/2 + 1, size} {
					src, dst := make([]byte, n), make([]byte, n)
					for _, b := range []byte{0, 0xe8} {
						for i := range src {
							src[i] = b
						}
						k, err := e.Encode(kind, int64(size), level, dst[:n-1], src, func() error { return nil })
						if err != nil {
							t.Fatal(err)
						}
						if least := leastChunk(kind, int64(n)); k > 0 && int64(k) < least {
							t.Errorf("%v, level %d: %d bytes are compressed to %d, less than %d", kind, level, n, k, least)
						}
						if k > 0 {
							packed++
						}
					}
				}
				if packed < 8 {
					t.Errorf("%v, level %d, chunks of %d: only %d of 14 were compressed", kind, level, size, packed)
				}
			}
		}
	}
}
