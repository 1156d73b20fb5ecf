package codec

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"wimscope/wim/format"
)

// TestZeroChunks checks that chunks of zeros, whose packed form is cached, are equal to chunks packed one by one.
func TestZeroChunks(t *testing.T) {
	for _, codec := range []format.Codec{format.XPRESS, format.LZX, format.LZMS} {
		t.Run(codec.String(), func(t *testing.T) {
			const chunk = 32 << 10
			one := func(e *Encoders, src []byte, room int) []byte {
				t.Helper()
				dst := make([]byte, room)
				n, err := e.Encode(codec, chunk, LevelNormal, dst, src, func() error { return nil })
				if err != nil {
					t.Fatal(err)
				}
				return dst[:n]
			}
			kept := &Encoders{}
			text := bytes.Repeat([]byte("some text, "), chunk/11)
			for i, src := range [][]byte{make([]byte, chunk), make([]byte, chunk), text, make([]byte, chunk), make([]byte, 5000), make([]byte, chunk), append(make([]byte, chunk-1), 1)} {
				want := one(&Encoders{}, src, len(src)-1)
				if got := one(kept, src, len(src)-1); !bytes.Equal(got, want) {
					t.Errorf("chunk %d: %s, want %s", i, fmt.Sprintf("%.40x", got), fmt.Sprintf("%.40x", want))
				}
				if got := one(kept, src, len(want)-1); len(got) != 0 {
					t.Errorf("chunk %d: %d bytes where there is room for %d", i, len(got), len(want)-1)
				}
				if kept.kept[codec].zeros > 0 && slices.Max(src) == 0 && kept.kept[codec].zeros != len(src) {
					t.Errorf("chunk %d was packed anew", i)
				}
			}
		})
	}
}
