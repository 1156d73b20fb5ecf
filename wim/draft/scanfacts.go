package draft

import (
	"io/fs"

	"wimscope/wim/format"
)

// Facts are what io/fs does not tell of a file. All that is zero is not known or not there.
type Facts struct {
	Device, Inode               uint64 // what names of one file share
	Links                       uint64 // names that it has; 0: Device and Inode are not known
	Created, Accessed, Modified format.Filetime
	Attributes                  uint32 // FILE_ATTRIBUTE bits, where the system has them
	Sparse                      bool   // it has holes
	ShortName                   string
	Unix                        *format.UnixData
	Xattrs                      []format.Xattr
	Security                    []byte // self-relative security descriptor
	ObjectID                    []byte
	ReparseTag                  uint32 // of a reparse point, with AttrReparsePoint in Attributes
	ReparseData                 []byte // what follows the 8-byte header
	Streams                     []FileStream
}

// FileStream is a named stream of a file.
type FileStream struct {
	Name string // escaped
	Size int64
}

// FactsWanted says which facts are worth the trouble.
type FactsWanted struct {
	Follow   bool // of what the link leads to
	Unix     bool // Unix and Xattrs
	Security bool
	Info     fs.FileInfo // what the file system has told already; its Sys may save another look
}

// FactsFS is a file system that knows more of its files than io/fs asks for.
type FactsFS interface {
	fs.FS
	FileFacts(name string, want FactsWanted) (Facts, error)
}

// LinkFS is a file system that knows where the absolute targets of its links lie.
type LinkFS interface {
	fs.FS
	// LinkInside gives what is left of an absolute target behind the part that leads to the folder root, itself a path of
	// the file system: "" or a path that begins with a slash. ok is false if the target is not in the folder.
	LinkInside(root, target string) (rest string, ok bool)
}
