package protocol

// An archive is built like this. A worker of its own, the lead, is given what there is to build from (Input), makes
// drafts of it (Draft) and plans (Build). It writes the archive itself: OutOpen opens the output with the plan. Then it
// goes from stage to stage (Stage); the shards of each are fetched, run by any shard worker that was given the same
// inputs (Parts), and merged in order, as in other jobs. With a shard come, beside its bytes, the places of its files as
// bytes, and, as one Blob, what is to be read of those that the lead has at hand; the others are looked for in the folders.
// Finish and OutFinish end it, OutAbort and Drop give it up.

// WIM is the form of an output that is an archive.
const WIM Format = "wim"

// ToFile is the target of an archive that is changed in its file: a FileSystemFileHandle whose bytes stay.
const ToFile Target = "file"

// InputRequest gives the lead an archive, if it names parts, or a folder.
type InputRequest struct {
	Parts      []string    `json:"parts,omitempty"`
	References []string    `json:"references,omitempty"`
	Folder     FolderFiles `json:"folder"`
}

// FolderFiles is a folder that files are taken from. If there are no paths, what is attached is its directory handle.
// Otherwise one File for each path, which leads from the folder to it; a path that ends in a slash is a folder, for which
// nothing is attached.
type FolderFiles struct {
	Name  string   `json:"name"`
	Paths []string `json:"paths,omitempty"`
}

// InputReply numbers inputs, from 1: archives and folders each for themselves.
type InputReply struct {
	Number int `json:"number"`
}

// DraftRequest makes a draft or goes on with one: steps are done in order, until one fails. Those before it stay done.
type DraftRequest struct {
	Draft   int         `json:"draft,omitempty"`   // to go on with; 0: a new one
	Archive int         `json:"archive,omitempty"` // whose image a new one is of; 0: it is empty
	Image   int         `json:"image,omitempty"`
	Steps   []DraftStep `json:"steps,omitempty"`
}

// DraftStep is one change of a draft. Paths in drafts begin with a slash.
type DraftStep struct {
	Op     string `json:"op"`               // "add", "delete", "rename"
	Folder int    `json:"folder,omitempty"` // add: number of the input
	Path   string `json:"path,omitempty"`   // add: in the folder, "" for all of it; else: in the draft
	Target string `json:"target,omitempty"` // add, rename: place in the draft

	Config    string `json:"config,omitempty"`    // add: a capture configuration (WimScript.ini); "": the usual one
	All       bool   `json:"all,omitempty"`       // add: nothing is left out by configuration
	OfArchive int    `json:"ofArchive,omitempty"` // add: files that this image has with size and times are not read
	OfImage   int    `json:"ofImage,omitempty"`
	Keep      bool   `json:"keep,omitempty"`      // add: what is there is not replaced
	Force     bool   `json:"force,omitempty"`     // delete: it need not be there
	Recursive bool   `json:"recursive,omitempty"` // delete: folders with what is in them
}

// DraftReply tells what came of the steps, and what the draft holds now. Progress bodies are RunProgress: bytes and
// entries that were found.
type DraftReply struct {
	Draft     int       `json:"draft"`
	Dirs      int       `json:"dirs"` // of the draft, without its root
	Files     int       `json:"files"`
	Bytes     int64     `json:"bytes"`
	Excluded  int       `json:"excluded"`           // paths that the configuration left out
	Unchanged int       `json:"unchanged"`          // files that need not be read
	Replaced  int       `json:"replaced"`           // entries of the draft that gave way
	Skipped   []Problem `json:"skipped,omitempty"`  // what could not be taken, the first 200
	SkippedN  int       `json:"skippedN"`           // all of it
	Warnings  []string  `json:"warnings,omitempty"` // about the configuration
}

// BuildRequest describes an archive to be. The same request appends, updates, deletes, exports, optimises and joins:
// they differ in which images the archive is to have.
type BuildRequest struct {
	Base     int          `json:"base,omitempty"`    // number of the archive that it is a new state of; 0: none
	InPlace  bool         `json:"inPlace,omitempty"` // in its file
	Images   []BuildImage `json:"images"`            // in this order
	Boot     int          `json:"boot,omitempty"`    // index of the image to boot from, from 1
	Options  BuildOptions `json:"options"`
	LeaveOut []int        `json:"leaveOut,omitempty"` // archives whose contents are not written: a delta archive
	PartSize int64        `json:"partSize,omitempty"` // bytes: parts of at most that size
	Force    bool         `json:"force,omitempty"`    // parts are larger where a content is
	Name     string       `json:"name,omitempty"`     // suggested for the file
	Sample   int64        `json:"sample,omitempty"`   // bytes that are packed for a better estimate; 0: none
}

// BuildImage is an image of an archive to be: one of an archive as it is, a draft, or both: then the draft is the tree
// that the image gets.
type BuildImage struct {
	Archive    int    `json:"archive,omitempty"`
	Image      int    `json:"image,omitempty"`
	Draft      int    `json:"draft,omitempty"`
	Properties []Pair `json:"properties,omitempty"` // elements of its XML, such as NAME or WINDOWS/ARCH; "" takes one away
}

// BuildOptions is how an archive is packed. The zero value packs nothing. In place, and where Base is split, zeros are
// what the archive has.
type BuildOptions struct {
	Codec      string `json:"codec,omitempty"`     // as Archive.Codec
	ChunkSize  int64  `json:"chunkSize,omitempty"` // bytes; 0: the usual
	Level      int    `json:"level,omitempty"`     // 1 fast, 2 normal, 3 maximum; 0: normal
	Solid      bool   `json:"solid,omitempty"`
	SolidCodec string `json:"solidCodec,omitempty"`
	SolidChunk int64  `json:"solidChunk,omitempty"`
	SolidLevel int    `json:"solidLevel,omitempty"`
	Recompress bool   `json:"recompress,omitempty"` // what is packed that way already too
	Integrity  bool   `json:"integrity,omitempty"`
	Pipable    bool   `json:"pipable,omitempty"`
	AsBase     bool   `json:"asBase,omitempty"` // all of these are as Base has them, but Level and Recompress
}

// BuildReply says what building would do, before anything is written.
type BuildReply struct {
	Plan     int    `json:"plan"`
	Name     string `json:"name"`
	Size     int64  `json:"size"`  // bytes that the archive will have, about, all parts together
	Grows    int64  `json:"grows"` // bytes that the disk must have room for; in place, by which the file gets longer
	Exact    bool   `json:"exact,omitempty"`
	Copied   int64  `json:"copied"`             // packed bytes that are copied as they are
	Unpacked int64  `json:"unpacked"`           // bytes that are to be packed
	Memory   int64  `json:"memory"`             // bytes that a worker needs for a shard, about
	Warnings []Pair `json:"warnings,omitempty"` // where Microsoft's tools will not read the result, if a part may get too large, and if a copied image is incomplete: key, text
}

// StageReply is the next stage of writing. An empty name says that all are done.
type StageReply struct {
	Stage  string `json:"stage"` // "check" (copied contents are checked), "hash", "pack", "metadata"
	Shards int    `json:"shards"`
	Bytes  int64  `json:"bytes"` // unpacked
	Items  int    `json:"items"`
	Memory int64  `json:"memory"` // bytes that a worker needs for a shard, about
}

// SkipRequest names a content that could not be had.
type SkipRequest struct {
	Plan  int   `json:"plan"`
	Error Error `json:"error"` // of Run
}
