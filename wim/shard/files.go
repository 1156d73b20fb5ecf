package shard

import "io"

// HoleFile is a file, or a ContentFile, that knows its holes. Their bytes are zeros and need not be read.
type HoleFile interface {
	// NextData returns the start and end of the first data at or after off. Both are the file's size if there is none. An
	// error means that this is not known.
	NextData(off int64) (from, to int64, err error)
}

// ContentFiles opens contents that are files. It must be safe for concurrent use.
type ContentFiles interface {
	// OpenContent opens a content by its number in the plan, see write.Plan.Content.
	OpenContent(id int32) (ContentFile, error)
}

// ContentFile is an open content. One goroutine reads it, usually from start to end.
type ContentFile interface {
	io.ReaderAt
	io.Closer    // returns blobs.ErrChanged if the file changed while it was read; other errors are ignored
	Size() int64 // bytes
}
