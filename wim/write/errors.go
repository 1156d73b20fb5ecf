package write

import (
	"fmt"

	"wimscope/wim/format"
)

// RefusedError reports why an archive is not written.
type RefusedError struct {
	Name string // of the file; "" if no particular one
	Key  string // see the constants
	Text string // for people
}

// Values of RefusedError.Key.
const (
	RefusedIncomplete      = "incomplete" // part of an image is lost, and would be lost for good
	RefusedImages          = "images"     // images are lost: the header counts more than there are
	RefusedNoFile          = "no-file"    // no file to change in place: the Builder was not made by Of
	RefusedSplit           = "split"      // a split set cannot be changed in place, or the part size or number of parts is not possible
	RefusedPipable         = "pipable"    // a pipable archive cannot be changed in place, made from another one in place, or solid
	RefusedReadOnly        = "read-only"
	RefusedWriteInProgress = "write-in-progress"
	RefusedCodec           = "codec"      // the archive has another codec, which cannot change in place
	RefusedChunkSize       = "chunk-size" // the same for the chunk size
	RefusedGroup           = "group"      // the archives of a group do not fit each other
	RefusedOverlap         = "overlap"    // compacting: resources overlap
	RefusedSolid           = "solid"      // a split set cannot be solid
)

func (e *RefusedError) Error() string {
	if e.Name == "" {
		return "wim: " + e.Text
	}
	return fmt.Sprintf("wim: %s: %s", e.Name, e.Text)
}

// Is reports that a RefusedError is an ErrRefused.
func (e *RefusedError) Is(target error) bool { return target == format.ErrRefused }

// SinkError reports that writing to the output failed, for example because the disk is full.
type SinkError struct {
	Off int64 // where in the file
	N   int   // bytes to write; 0: Sync or Truncate failed
	Err error
}

func (e *SinkError) Error() string {
	if e.N == 0 {
		return fmt.Sprintf("wim: finishing the file at 0x%x: %v", e.Off, e.Err)
	}
	return fmt.Sprintf("wim: writing %d bytes at 0x%x: %v", e.N, e.Off, e.Err)
}

func (e *SinkError) Unwrap() error { return e.Err }

// TooLargePartError reports a content that does not fit into a part of a split set. As an error, it means that the content
// does not even fit into a larger part, and that nothing was written.
type TooLargePartError struct {
	Name string      // of the content; "metadata" for the images' metadata resources together, which the first part holds
	Hash format.Hash // zero for metadata
	Need int64       // bytes of a part that holds nothing else
	Part int64       // most bytes that a part may have
}

func (e *TooLargePartError) Error() string {
	return fmt.Sprintf("wim: %s: a part that holds it would have %d bytes; the maximum is %d", e.Name, e.Need, e.Part)
}

// Is reports that a TooLargePartError is an ErrRefused.
func (e *TooLargePartError) Is(target error) bool { return target == format.ErrRefused }
