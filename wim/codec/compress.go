package codec

import (
	"bytes"
	"fmt"

	"wimscope/wim/format"
	"wimscope/wim/lzms"
	"wimscope/wim/lzx"
	"wimscope/wim/xpress"
)

// The levels of all encoders. In options, 0 means LevelNormal.
const (
	LevelFast    = 1
	LevelNormal  = 2
	LevelMaximum = 3
)

// MaxLZMS is the largest chunk size, in bytes, that LZMS packs.
const MaxLZMS = lzms.MaxEncode

// Encoders keeps the last encoder of each codec: a job uses one codec for single resources and perhaps another for solid
// ones. It is not safe for concurrent use.
type Encoders struct {
	kept [format.LZMS + 1]keptEncoder
}

// keptEncoder is an encoder with its parameters.
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

// Encode packs src, at most chunkSize bytes, into dst and returns the packed size, or 0 if it does not fit. It calls rest
// now and then while it works; an error from rest stops it.
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

// newEncoder returns an encoder for chunks of at most chunkSize bytes.
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

// EncoderMemory estimates how many bytes an encoder allocates.
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

// DefaultChunkSize returns the chunk size that other tools use. For XPRESS and LZX, Microsoft's tools read no other.
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
