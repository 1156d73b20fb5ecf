package archivetest

import (
	"testing"

	"wimscope/wim/codec"
	"wimscope/wim/format"
)

// PackChunk packs a chunk.
func PackChunk(t testing.TB, kind format.Codec, data []byte) []byte {
	t.Helper()
	size := int64(1 << 15)
	for size < int64(len(data)) {
		size *= 2
	}
	dst := make([]byte, len(data))
	var e codec.Encoders
	n, err := e.Encode(kind, size, codec.LevelFast, dst[:len(data)-1], data, func() error { return nil })
	if err != nil || n == 0 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	return dst[:n]
}
