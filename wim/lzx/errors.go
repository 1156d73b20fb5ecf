package lzx

import (
	"errors"
	"fmt"
)

// ErrCorrupt is wrapped by every *CorruptError.
var ErrCorrupt = errors.New("corrupt LZX data")

// ErrWindow is returned for a window that is not a power of two from 32 KiB to 2 MiB.
var ErrWindow = errors.New("lzx: window size must be a power of two, 32768 to 2097152")

// CorruptError reports where a packed chunk is corrupt.
type CorruptError struct {
	Bit int64 // offset in the packed chunk of the bad token, in bits, as Token.Bit
	Out int   // bytes of output before it
	Err error // what is wrong
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("lzx: bit %d (byte %d of the output): %v", e.Bit, e.Out, e.Err)
}

// Unwrap returns ErrCorrupt and the cause.
func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }

// The causes. Package huffman adds those of a bad prefix code.
var (
	errChunkSize = errors.New("chunk is empty or larger than the window")
	errBlockType = errors.New("block type is not 1, 2 or 3")
	errBlockSize = errors.New("block is empty or ends after the chunk")
	errNoCode    = errors.New("block's main code has no symbol")
	errRun       = errors.New("run of code lengths ends after the last of them")
	errRunDelta  = errors.New("run of code lengths repeats another run")
	errRecent    = errors.New("recent distance is zero")
	errDistance  = errors.New("match begins before the chunk")
	errLength    = errors.New("match ends after its block")
)
