package codec

import (
	"errors"
	"fmt"

	"wimscope/wim/format"
	"wimscope/wim/lzms"
	"wimscope/wim/lzx"
	"wimscope/wim/xpress"
)

// Decoders keeps one decoder for each codec and window size in use. It is not safe for concurrent use.
type Decoders struct {
	xpress *xpress.Decoder
	lzms   *lzms.Decoder
	lzx    [lzxWindows]*lzx.Decoder
}

// LZX windows are 2^15 to 2^21 bytes.
const (
	lzxFirst   = 15
	lzxWindows = 21 - lzxFirst + 1
)

// Decode unpacks a chunk into dst, which has its unpacked size. A chunk as long as dst is stored, not packed.
func (d *Decoders) Decode(codec format.Codec, chunkSize int64, dst, src []byte) error {
	if len(src) == len(dst) {
		copy(dst, src)
		return nil
	}
	switch codec {
	case format.XPRESS:
		if d.xpress == nil {
			d.xpress = xpress.NewDecoder()
		}
		return d.xpress.Decode(dst, src)
	case format.LZX:
		i := 0
		for i < lzxWindows-1 && chunkSize > 1<<(lzxFirst+i) {
			i++
		}
		if d.lzx[i] == nil {
			dec, err := lzx.NewDecoder(1 << (lzxFirst + i))
			if err != nil {
				return err
			}
			d.lzx[i] = dec
		}
		return d.lzx[i].Decode(dst, src)
	case format.LZMS:
		if d.lzms == nil {
			d.lzms = lzms.NewDecoder()
		}
		return d.lzms.Decode(dst, src)
	case format.None:
		return errors.New("a chunk of no codec is smaller than its bytes")
	}
	return fmt.Errorf("codec %d: %w", codec, format.ErrUnsupported)
}

// Check parses src and returns an error if it does not unpack to size bytes. It allocates no memory for them.
func (d *Decoders) Check(codec format.Codec, size int64, src []byte) error {
	if codec != format.LZMS {
		return nil // its chunks are small
	}
	if d.lzms == nil {
		d.lzms = lzms.NewDecoder()
	}
	return d.lzms.Check(int(size), src)
}

// StopError carries an error of pause out through a decoder, which may wrap it.
type StopError struct{ Err error }

func (e *StopError) Error() string { return e.Err.Error() }

// DecodeFunc is Decode for chunks that may take seconds. It calls pause now and then; an error from pause stops it and is
// returned as a *StopError.
func (d *Decoders) DecodeFunc(codec format.Codec, chunkSize int64, dst, src []byte, pause func() error) error {
	const long = 4 << 20
	if codec != format.LZMS || len(dst) < long || len(src) == len(dst) {
		return d.Decode(codec, chunkSize, dst, src)
	}
	if d.lzms == nil {
		d.lzms = lzms.NewDecoder()
	}
	return d.lzms.DecodeFunc(dst, src, func(int) error {
		if err := pause(); err != nil {
			return &StopError{err}
		}
		return nil
	})
}
