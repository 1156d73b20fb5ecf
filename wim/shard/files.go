package shard

import "io"

// HoleFile is a file, or a ContentFile, that knows where its bytes are in holes: these are zeros that need not be read.
type HoleFile interface {
	// NextData gives where the first data at or behind off begin, and where they end. Both are the file's size if there
	// are none. An error means that this is not known.
	NextData(off int64) (from, to int64, err error)
}

// ContentFiles opens contents that are in no archive. It is called by several goroutines at a time.
type ContentFiles interface {
	// OpenContent opens a content by its number in the plan, see write.Plan.Content.
	OpenContent(id int32) (ContentFile, error)
}

// ContentFile is an open content. One goroutine reads it, as a rule from its start to its end.
type ContentFile interface {
	io.ReaderAt
	io.Closer    // an ErrChanged of it says that the file changed while it was read; its other errors do not matter
	Size() int64 // bytes
}
