package codec

import (
	"bytes"
	"fmt"

	"wimscope/wim/format"
	"wimscope/wim/lzms"
	"wimscope/wim/lzx"
	"wimscope/wim/xpress"
)

// The levels of all encoders. 0 in options means LevelNormal.
const (
	LevelFast    = 1
	LevelNormal  = 2
	LevelMaximum = 3
)

// Encoders holds the encoder of each codec that was used last: a job has one for what stands alone and one for what
// is solid. It is not safe for concurrent use.
type Encoders struct {
	kept [format.LZMS + 1]keptEncoder
}

// keptEncoder is an encoder with what it was made for.
type keptEncoder struct {
	chunkSize int64
	level     int
	encode    func(dst, src []byte, rest func() error) (int, error)
	zeros     int    // size of the last chunk that was all zeros,
	packed    []byte // and its packed form: sparse files have many such chunks
}

// AllZero reports whether b has only zeros.
func AllZero(b []byte) bool {
	return len(b) > 0 && b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}

// Encode packs src, of at most chunkSize bytes, to the front of dst. It gives 0 if that does not fit. rest is called now
// and then by what takes long; its error ends the work.
func (e *Encoders) Encode(codec format.Codec, chunkSize int64, level int, dst, src []byte, rest func() error) (int, error) {
	if codec > format.LZMS {
		return 0, fmt.Errorf("codec %d: %w", codec, format.ErrUnsupported)
	}
	k := &e.kept[codec]
	if k.encode == nil || k.chunkSize != chunkSize || k.level != level {
		*k = keptEncoder{} // the old one's memory is free before the new one takes its own
		encode, err := newEncoder(codec, int(chunkSize), level)
		if err != nil {
			return 0, err
		}
		*k = keptEncoder{chunkSize: chunkSize, level: level, encode: encode}
	}
	if !AllZero(src) {
		return k.encode(dst, src, rest)
	}
	if k.zeros != len(src) {
		n, err := k.encode(dst, src, rest)
		if err != nil || n <= 0 {
			return n, err
		}
		k.zeros, k.packed = len(src), bytes.Clone(dst[:n])
	}
	if len(k.packed) > len(dst) {
		return 0, nil
	}
	return copy(dst, k.packed), nil
}

// newEncoder makes an encoder for chunks of a size.
func newEncoder(codec format.Codec, chunkSize, level int) (func(dst, src []byte, rest func() error) (int, error), error) {
	switch codec {
	case format.None:
		return func(_, _ []byte, _ func() error) (int, error) { return 0, nil }, nil
	case format.XPRESS:
		e := xpress.NewEncoder(chunkSize, level)
		return func(dst, src []byte, _ func() error) (int, error) { return e.Encode(dst, src), nil }, nil
	case format.LZX:
		e, err := lzx.NewEncoder(chunkSize, level)
		if err != nil {
			return nil, err
		}
		return func(dst, src []byte, _ func() error) (int, error) { return e.Encode(dst, src), nil }, nil
	case format.LZMS:
		e, err := lzms.NewEncoder(chunkSize, level)
		if err != nil {
			return nil, err
		}
		return e.EncodeFunc, nil
	}
	return nil, fmt.Errorf("wim: packing with %v: %w", codec, format.ErrUnsupported)
}

// EncoderMemory is about how many bytes an encoder takes.
func EncoderMemory(codec format.Codec, chunkSize int64, level int) int64 {
	switch codec {
	case format.None:
		return 0
	case format.XPRESS:
		return xpress.Memory(int(chunkSize), level)
	case format.LZX:
		return lzx.Memory(int(chunkSize), level)
	case format.LZMS:
		return lzms.Memory(int(chunkSize), level)
	}
	return 0
}

// DefaultChunkSize is that of other tools, and the only one that Microsoft's read for XPRESS and LZX.
func DefaultChunkSize(codec format.Codec, solid bool) int64 {
	switch {
	case codec == format.None:
		return 0
	case codec == format.LZMS && solid:
		return 64 << 20
	case codec == format.LZMS:
		return 128 << 10
	}
	return 32 << 10
}
