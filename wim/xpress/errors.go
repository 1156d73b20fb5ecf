package xpress

import (
	"errors"
	"fmt"
)

// ErrCorrupt is wrapped by every error of this package.
var ErrCorrupt = errors.New("corrupt XPRESS data")

// CorruptError reports where a packed chunk is corrupt.
type CorruptError struct {
	Bit int64 // offset in the packed chunk of the bad token, in bits, as Token.Bit
	Out int   // bytes of output before it
	Err error // what is wrong
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("xpress: bit %d (byte %d of the output): %v", e.Bit, e.Out, e.Err)
}

// Unwrap returns ErrCorrupt and the cause.
func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }

// The causes. Package huffman adds those of a bad prefix code.
var (
	errChunkSize = errors.New("a chunk is 1 to 65536 bytes")
	errNoTable   = errors.New("shorter than its table of code lengths")
	errNoCode    = errors.New("the table has no symbol")
	errDistance  = errors.New("match begins before the chunk")
	errLength    = errors.New("match ends after the chunk")
)
