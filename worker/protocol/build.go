package protocol

// How an archive is built: a worker of its own, the coordinator, receives the inputs (Input), makes drafts from them
// (Draft) and a plan (Build). It writes the archive itself: OutOpen opens the output for the plan. Then it goes from
// stage to stage (Stage). The shards of a stage are fetched, run by any shard worker that has the same inputs
// (Parts), and merged in order, as in other jobs. A shard comes with two more attachments beside its bytes: the
// encoded places of its files, and one Blob with the data of those files that the coordinator holds as Files; the
// other files are opened in the folders. Finish and OutFinish end the build; OutAbort and Drop discard it.

// WIM is the format of an output that is an archive.
const WIM Format = "wim"

// ToFile is the target of an archive that is changed in place: a FileSystemFileHandle whose bytes are kept.
const ToFile Target = "file"

// InputRequest gives the coordinator an archive, if it names parts, or a folder.
type InputRequest struct {
	Parts      []string    `json:"parts,omitempty"`
	References []string    `json:"references,omitempty"`
	Folder     FolderFiles `json:"folder"`
}

// FolderFiles is a folder that files are taken from. Without paths, its directory handle is attached. Otherwise one
// File is attached for each path, which is relative to the folder; a path that ends in a slash is a folder and has no
// attachment.
type FolderFiles struct {
	Name  string   `json:"name"`
	Paths []string `json:"paths,omitempty"`
}

// InputReply numbers the inputs from 1, archives and folders separately.
type InputReply struct {
	Number int `json:"number"`
}

// DraftRequest makes or changes a draft. Its steps run in order until one fails; the steps before that one remain in
// effect.
type DraftRequest struct {
	Draft   int         `json:"draft,omitempty"`   // the draft to change; 0: a new one
	Archive int         `json:"archive,omitempty"` // the archive whose image a new draft starts from; 0: it starts empty
	Image   int         `json:"image,omitempty"`
	Steps   []DraftStep `json:"steps,omitempty"`
}

// DraftStep is one change to a draft. Paths in drafts begin with a slash.
type DraftStep struct {
	Op     string `json:"op"`               // "add", "delete", "rename"
	Folder int    `json:"folder,omitempty"` // add: number of the input
	Path   string `json:"path,omitempty"`   // add: path in the folder, "" for all of it; otherwise: path in the draft
	Target string `json:"target,omitempty"` // add, rename: path in the draft

	Config    string `json:"config,omitempty"`    // add: a capture configuration (WimScript.ini); "": the default
	All       bool   `json:"all,omitempty"`       // add: the configuration excludes nothing
	OfArchive int    `json:"ofArchive,omitempty"` // add: files whose size and times match this image are not read
	OfImage   int    `json:"ofImage,omitempty"`
	Keep      bool   `json:"keep,omitempty"`      // add: existing entries are not replaced
	Force     bool   `json:"force,omitempty"`     // delete: a missing path is not an error
	Recursive bool   `json:"recursive,omitempty"` // delete: delete folders with their contents
}

// DraftReply holds the results of the steps and the totals of the draft. Progress bodies are RunProgress: bytes and
// entries found so far.
type DraftReply struct {
	Draft     int       `json:"draft"`
	Dirs      int       `json:"dirs"` // of the draft, without its root
	Files     int       `json:"files"`
	Bytes     int64     `json:"bytes"`
	Excluded  int       `json:"excluded"`           // paths that the configuration excluded
	Unchanged int       `json:"unchanged"`          // files that need not be read
	Replaced  int       `json:"replaced"`           // entries of the draft that were replaced
	Skipped   []Problem `json:"skipped,omitempty"`  // files that could not be added, the first 200
	SkippedN  int       `json:"skippedN"`           // number of all of them
	Warnings  []string  `json:"warnings,omitempty"` // about the configuration
}

// BuildRequest describes an archive to build. The same request appends, updates, deletes, exports, optimises and
// joins: the operations differ only in the images of the new archive.
type BuildRequest struct {
	Base     int          `json:"base,omitempty"`    // number of the archive that this one replaces or extends; 0: none
	InPlace  bool         `json:"inPlace,omitempty"` // change the file of Base
	Images   []BuildImage `json:"images"`            // in this order
	Boot     int          `json:"boot,omitempty"`    // index of the image to boot from, from 1
	Options  BuildOptions `json:"options"`
	LeaveOut []int        `json:"leaveOut,omitempty"` // archives whose blobs are not written: the result is a delta archive
	PartSize int64        `json:"partSize,omitempty"` // largest size of a part, bytes; 0: no split
	Force    bool         `json:"force,omitempty"`    // a part with a larger blob may exceed PartSize
	Name     string       `json:"name,omitempty"`     // suggested file name
	Sample   int64        `json:"sample,omitempty"`   // bytes to compress for a better estimate; 0: none
}

// BuildImage is an image of an archive to build: an image of an archive, a draft, or both; then the draft is the
// image's new tree.
type BuildImage struct {
	Archive    int    `json:"archive,omitempty"`
	Image      int    `json:"image,omitempty"`
	Draft      int    `json:"draft,omitempty"`
	Properties []Pair `json:"properties,omitempty"` // elements of its XML, such as NAME or WINDOWS/ARCH; "" removes an element
}

// BuildOptions is how an archive is compressed. The zero value compresses nothing. In place, and if Base is split,
// zero values keep the archive's own settings.
type BuildOptions struct {
	Codec      string `json:"codec,omitempty"`     // as Archive.Codec
	ChunkSize  int64  `json:"chunkSize,omitempty"` // bytes; 0: the default
	Level      int    `json:"level,omitempty"`     // 1 fast, 2 normal, 3 maximum; 0: normal
	Solid      bool   `json:"solid,omitempty"`
	SolidCodec string `json:"solidCodec,omitempty"`
	SolidChunk int64  `json:"solidChunk,omitempty"`
	SolidLevel int    `json:"solidLevel,omitempty"`
	Recompress bool   `json:"recompress,omitempty"` // compress blobs again that already have this compression
	Integrity  bool   `json:"integrity,omitempty"`
	Pipable    bool   `json:"pipable,omitempty"`
	AsBase     bool   `json:"asBase,omitempty"` // take all of these from Base, except Level and Recompress
}

// BuildReply reports what a build would do, before anything is written.
type BuildReply struct {
	Plan     int    `json:"plan"`
	Name     string `json:"name"`
	Size     int64  `json:"size"`  // estimated size of the archive in bytes, all parts together
	Grows    int64  `json:"grows"` // bytes of disk space needed; in place: growth of the file
	Exact    bool   `json:"exact,omitempty"`
	Copied   int64  `json:"copied"`             // packed bytes that are copied as they are
	Unpacked int64  `json:"unpacked"`           // unpacked bytes to compress
	Memory   int64  `json:"memory"`             // bytes that a worker needs for a shard, about
	Warnings []Pair `json:"warnings,omitempty"` // key and text: Microsoft's tools will not read the result, a part may get too large, or a copied image is incomplete
}

// SkipRequest names a blob that cannot be read.
type SkipRequest struct {
	Plan  int   `json:"plan"`
	Error Error `json:"error"` // from Run or Merge
}
