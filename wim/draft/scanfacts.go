package draft

import (
	"io/fs"

	"wimscope/wim/format"
)

// Facts are the properties of a file that io/fs does not have. Zero means unknown or none.
type Facts struct {
	Device, Inode               uint64 // the same for all names of one file
	Links                       uint64 // number of names; 0 if Device and Inode are unknown
	Created, Accessed, Modified format.Filetime
	Attributes                  uint32 // FILE_ATTRIBUTE bits, if the system has them
	Sparse                      bool   // it has holes
	ShortName                   string
	Unix                        *format.UnixData
	Xattrs                      []format.Xattr
	Security                    []byte // self-relative security descriptor
	ObjectID                    []byte
	ReparseTag                  uint32 // of a reparse point, with AttrReparsePoint in Attributes
	ReparseData                 []byte // without the 8-byte header
	Streams                     []FileStream
}

// FileStream is a named stream of a file.
type FileStream struct {
	Name string // escaped
	Size int64
}

// FactsWanted selects the facts that a scan needs.
type FactsWanted struct {
	Follow   bool // those of the target of a link
	Unix     bool // Unix and Xattrs
	Security bool
	Info     fs.FileInfo // the known FileInfo; its Sys may save a system call
}

// FactsFS is a file system that knows more about its files than io/fs.
type FactsFS interface {
	fs.FS
	FileFacts(name string, want FactsWanted) (Facts, error)
}

// LinkFS is a file system that can resolve the absolute targets of its links.
type LinkFS interface {
	fs.FS
	// LinkInside returns an absolute target relative to the folder root, which is a path of the file system: "" or a path that begins
	// with a slash. ok is false if the target is not in the folder.
	LinkInside(root, target string) (rest string, ok bool)
}
