package write

import (
	"fmt"

	"wimscope/wim/format"
)

// RefusedError says why an archive is not written.
type RefusedError struct {
	Name string // of the file; "" if it is none in particular
	Key  string // see the constants
	Text string // for people
}

// Why something is refused.
const (
	RefusedIncomplete      = "incomplete" // something of an image is lost, and would be for good
	RefusedImages          = "images"     // images are lost: the header counts more of them than there are
	RefusedNoFile          = "no-file"    // to be changed in place: the Edit was not made of an archive
	RefusedSplit           = "split"      // part of a set, which cannot be changed in place
	RefusedPipable         = "pipable"    // cannot be changed in place, or not as asked
	RefusedReadOnly        = "read-only"
	RefusedWriteInProgress = "write-in-progress"
	RefusedCodec           = "codec"      // an archive has one codec, and has another one already
	RefusedChunkSize       = "chunk-size" // likewise
	RefusedGroup           = "group"      // archives of a group that do not fit each other
	RefusedOverlap         = "overlap"    // to be compacted: resources share bytes
	RefusedSolid           = "solid"      // solid resources cannot be in a set that is written here
)

func (e *RefusedError) Error() string {
	if e.Name == "" {
		return "wim: " + e.Text
	}
	return fmt.Sprintf("wim: %s: %s", e.Name, e.Text)
}

// Is makes every RefusedError an ErrRefused.
func (e *RefusedError) Is(target error) bool { return target == format.ErrRefused }

// SinkError says that an archive could not be written on: the disk is full, say.
type SinkError struct {
	Off int64 // where in the file
	N   int   // bytes that were to be written; 0: the file was to be put on the disk or made shorter
	Err error
}

func (e *SinkError) Error() string {
	if e.N == 0 {
		return fmt.Sprintf("wim: finishing the file at 0x%x: %v", e.Off, e.Err)
	}
	return fmt.Sprintf("wim: writing %d bytes at 0x%x: %v", e.N, e.Off, e.Err)
}

func (e *SinkError) Unwrap() error { return e.Err }

// TooLargePartError reports a content that does not fit into a part of a split set. As an error, it does not even fit into a larger
// one, and nothing was written.
type TooLargePartError struct {
	Name string      // of the content; "metadata" for the images' metadata resources together, which the first part holds
	Hash format.Hash // zero for metadata
	Need int64       // bytes that a part with nothing else has
	Part int64       // bytes that parts may have
}

func (e *TooLargePartError) Error() string {
	return fmt.Sprintf("wim: %s: a part that holds it has %d bytes, and %d are the most that parts may have", e.Name, e.Need, e.Part)
}

// Is makes a TooLargePartError an ErrRefused.
func (e *TooLargePartError) Is(target error) bool { return target == format.ErrRefused }
