package apply

import (
	"io"

	"wimscope/wim/extract"
)

// Target is where a Folder creates entries. A folder is created before its entries. An error that is a *Problem, not
// wrapped, means that the target cannot hold the entry: it is reported, with its path, and left out. Any other error ends
// the extraction.
//
// A Folder also uses, if present, LinkTarget, SymlinkTarget, MetaTarget, and a method Abort() error that Folder.Abort calls.
type Target interface {
	// Make creates a folder, or finds it, or creates a special file, which only Rules ask for.
	Make(e *extract.Entry) error
	// Create creates the file of an entry. It replaces an existing file now or when the file is complete.
	Create(e *extract.Entry) (File, error)
}

// File is a file that is being written, from its beginning to its end. Close completes it, Abort removes it. The files of a
// blob in pieces are open together: each piece is written to all of them, in the order in which they were created, and they
// are closed in the opposite order.
type File interface {
	io.WriterAt
	Close() error
	Abort() error
}

// LinkTarget is a Target with hard links. Without it, or if Link returns hackpadfs.ErrNotImplemented, the other names of a
// file become copies.
type LinkTarget interface{ Link(e *extract.Entry) error }

// SymlinkTarget is a Target with symbolic links. Without it, they are left out.
type SymlinkTarget interface{ Symlink(e *extract.Entry) error }

// MetaTarget is a Target that stores an entry's times and attributes. SetMeta is called for files and symbolic links when
// they are complete, and for folders at the end, the deepest first: creating an entry changes the time of its folder. It
// may return hackpadfs.ErrNotImplemented.
type MetaTarget interface{ SetMeta(e *extract.Entry) error }
