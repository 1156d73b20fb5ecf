package lzms

import (
	"errors"
	"fmt"
)

// ErrCorrupt is wrapped by every error of Decode and DecodePlain, except the errors of pause.
var ErrCorrupt = errors.New("corrupt LZMS data")

// CorruptError reports where a packed chunk is corrupt.
type CorruptError struct {
	Out int   // bytes of output before the bad item
	Bit int64 // bits read backward from the end of the chunk by then, at least
	Err error // what is wrong
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("lzms: byte %d of the output, bit %d from the end of the input: %v", e.Out, e.Bit, e.Err)
}

// Unwrap returns ErrCorrupt and the cause.
func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }

// The causes.
var (
	errChunkSize = errors.New("chunk size is not 1 byte to 1 GiB")
	errOdd       = errors.New("packed size is odd")
	errShort     = errors.New("packed size is less than 4 bytes")
	errCode      = errors.New("range coder starts outside its range")
	errOverlap   = errors.New("the two streams run into each other")
	errOffset    = errors.New("match begins before the chunk")
	errLength    = errors.New("match ends after the chunk")
)
