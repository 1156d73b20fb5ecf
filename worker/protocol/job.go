package protocol

// How a job runs: the page asks the session for a plan (Plan) and then goes from stage to stage (Stage), usually a
// single one. It asks for the shards of a stage, one after another (Shard), and has any shard worker run each of them
// (Run). In the order of the shards, it passes the data to the output worker (OutSegment) and the result back to the
// session (Merge). Finish returns the report.

// Op is what a job does.
type Op string

const (
	Verify  Op = "verify"  // integrity tables and the SHA-1 of every blob
	Extract Op = "extract" // a selection to Format
	Sum     Op = "sum"     // the SHA-256 of each part
	Names   Op = "names"   // a file list as CSV
	Write   Op = "write"   // an archive; only in reports, see BuildRequest
)

// Format is the format of an output.
type Format string

const (
	ZIP    Format = "zip" // stored, ZIP64 where needed, UTF-8 names
	TAR    Format = "tar" // pax
	Raw    Format = "raw" // one file's bytes
	Folder Format = "folder"
	CSV    Format = "csv"
)

// PlanRequest describes a job. Nodes are the selected entries, folders with everything below them; an empty list
// selects the whole image. Base is the folder that paths in the output are relative to.
type PlanRequest struct {
	Op       Op       `json:"op"`
	Image    int      `json:"image,omitempty"` // Extract, Names; 0 with Names: all images
	Nodes    []int32  `json:"nodes,omitempty"`
	Base     int32    `json:"base,omitempty"`
	Stream   string   `json:"stream,omitempty"` // Raw: a named stream
	Format   Format   `json:"format,omitempty"`
	Platform string   `json:"platform,omitempty"` // Folder: the platform whose naming rules the browser enforces: "windows", "linux", "mac", "opfs"
	Streams  bool     `json:"streams,omitempty"`  // write named streams too, as name:stream (ZIP, TAR), or list them as skipped
	Recover  bool     `json:"recover,omitempty"`  // write what can be decoded of damaged files, marked as damaged
	Skip     []string `json:"skip,omitempty"`     // globs of paths to leave out, such as /Windows/WinSxS
}

// PlanReply reports what the job will do, before it starts.
type PlanReply struct {
	Plan     int       `json:"plan"`
	Bytes    int64     `json:"bytes"` // to decode or hash
	Items    int       `json:"items"` // blobs, or blocks
	Files    int       `json:"files"` // to write
	Dirs     int       `json:"dirs"`
	Links    int       `json:"links"`
	OutSize  int64     `json:"outSize"`            // exact size in bytes of a ZIP, TAR, raw or CSV output; of a folder, the sum of its files
	Name     string    `json:"name"`               // suggested for the output
	Refused  int       `json:"refused"`            // number of names that this browser cannot write
	Refusals []Problem `json:"refusals,omitempty"` // the first 200 of them
	Skipped  []Problem `json:"skipped,omitempty"`  // what cannot be written and why (missing blobs, reparse points, …), the first 200
	SkippedN int       `json:"skippedN"`
}

// StageReply is the next stage of a plan. Without shards, all stages are done.
type StageReply struct {
	Stage  string `json:"stage"` // "verify", "extract", "sum", "names"; of an archive that is written: "check" (blobs to copy are verified), "hash", "measure", "compact", "pack", "metadata"
	Shards int    `json:"shards"`
	Bytes  int64  `json:"bytes"` // unpacked
	Items  int    `json:"items"`
	Memory int64  `json:"memory"` // bytes that a worker needs for a shard, about
}

// Problem is a path and what is wrong with it. The path of a folder that a target rejected during writing ends in a
// slash.
type Problem struct {
	Image  int    `json:"image,omitempty"`
	Path   string `json:"path"`
	Reason string `json:"reason"` // a key of the message catalogue: "name-extension", "name-device", "missing", "damaged", "reparse", "case-twin", …
	Detail string `json:"detail,omitempty"`
}

// ShardRequest asks for one shard of a plan, by number from 0.
type ShardRequest struct {
	Plan  int `json:"plan"`
	Index int `json:"index"`
}

// ShardReply describes a shard. Attached are the shard's bytes and what goes with them: the entries if something is
// extracted; the places and bytes of files to pack.
type ShardReply struct {
	Bytes  int64  `json:"bytes"` // unpacked
	Items  int    `json:"items"`
	Part   int    `json:"part"` // where its data lies, for the block map
	Off    int64  `json:"off"`
	Len    int64  `json:"len"`
	Memory int64  `json:"memory"` // bytes that a worker needs for it, about
	Op     string `json:"op"`     // "": there is nothing to run, the attachments are the data and the entries for OutSegment
}

// PartsRequest gives a shard worker the files of an archive, in the same order as Open. Key names the archive.
type PartsRequest struct {
	Key        string   `json:"key"`
	Parts      []string `json:"parts"`
	References []string `json:"references,omitempty"`

	Folders []FolderFiles `json:"folders,omitempty"` // that files are taken from
}

// ForgetRequest names an archive whose files a shard worker no longer needs.
type ForgetRequest struct {
	Key string `json:"key"`
}

// RunRequest runs one shard on the files that Parts provided under Key.
type RunRequest struct {
	Key string `json:"key"`

	Format  Format `json:"format,omitempty"`  // of the output, as in PlanRequest: the decoded data is laid out for it
	Recover bool   `json:"recover,omitempty"` // as in PlanRequest
}

// RunReply is what the page needs to know of the result of a shard. The result itself, the data and the entries are
// attached. They are opaque: they go to OutSegment if there is an output worker, otherwise to Merge. Progress bodies
// are RunProgress.
type RunReply struct {
	Bytes int64 `json:"bytes"`
	Items int   `json:"items"`
	Bad   int   `json:"bad"` // blobs or blocks that do not match their hash

	Packed Format `json:"packed,omitempty"` // ZIP, TAR: the decoded bytes already stand between their headers

	Memory int64 `json:"memory,omitempty"` // the worker's linear memory afterwards, bytes
}

// RunProgress is the progress of a shard, sent at most every 100 ms.
type RunProgress struct {
	Bytes int64 `json:"bytes"`
	Items int   `json:"items"`
}

// MergeRequest returns a shard's result to the session, with what the output worker reported. The result is attached,
// and the data if there is no output worker.
type MergeRequest struct {
	Plan    int       `json:"plan"`
	Index   int       `json:"index"`
	Result  RunReply  `json:"result"`
	Refused []Problem `json:"refused,omitempty"` // names that the target rejected during writing
	Damaged []Problem `json:"damaged,omitempty"` // files whose data does not match its hash

	Copies   int `json:"copies,omitempty"`   // as in OutProgress
	Timeless int `json:"timeless,omitempty"` // as in OutProgress
}

// MergeReply is the state of the job so far.
type MergeReply struct {
	Bad    int         `json:"bad"`
	Blocks []BlockMark `json:"blocks,omitempty"` // ranges that this shard completed, for the block map

	Written int64 `json:"written,omitempty"` // bytes of the archive written so far
}

// BlockMark is a range of a part that is done.
type BlockMark struct {
	Part int   `json:"part"`
	Off  int64 `json:"off"`
	Len  int64 `json:"len"`
	Bad  bool  `json:"bad,omitempty"`
}

// FinishRequest names a plan.
type FinishRequest struct {
	Plan int `json:"plan"`
}

// Report is the final report of a job. Text and JSON are ready to be saved.
type Report struct {
	Op         Op        `json:"op"`
	OK         bool      `json:"ok"`
	Blobs      int       `json:"blobs"`
	Bytes      int64     `json:"bytes"`
	Integrity  string    `json:"integrity,omitempty"` // "ok", "bad", "none"
	BadRanges  []Damage  `json:"badRanges,omitempty"`
	DamagedN   int       `json:"damagedN"`
	Missing    []Damage  `json:"missing,omitempty"` // blobs that are in no open part
	MissingN   int       `json:"missingN"`
	Unused     []Region  `json:"unused,omitempty"` // bytes that nothing refers to
	UnusedSize int64     `json:"unusedSize"`
	RefCounts  int       `json:"refCounts"`           // blobs whose stored reference count differs from the images' use
	WrongRefs  []Pair    `json:"wrongRefs,omitempty"` // the first 1000 of them: hash and counts
	Sums       []Pair    `json:"sums,omitempty"`      // part name, SHA-256
	Written    int       `json:"written"`
	Dirs       int       `json:"dirs"`
	Links      int       `json:"links"`
	WrittenLen int64     `json:"writtenLen"`
	Problems   []Problem `json:"problems,omitempty"` // skipped or marked, the first 1000
	ProblemsN  int       `json:"problemsN"`
	Warnings   []string  `json:"warnings,omitempty"`
	Verdict    Verdict   `json:"verdict,omitempty"` // of a verification
	Losses     []Loss    `json:"losses,omitempty"`  // what is missing or unreachable, the first 1000
	LossesN    int       `json:"lossesN,omitempty"`
	Text       string    `json:"text,omitempty"`
	JSON       string    `json:"json,omitempty"`
}

// Verdict is the result of a verification.
type Verdict string

const (
	Good       Verdict = "good"
	Incomplete Verdict = "incomplete" // all data present is intact, but some is missing
	Damaged    Verdict = "damaged"
)

// Loss is something that the archive should hold but that is missing or unreachable.
type Loss struct {
	Kind  LossKind `json:"kind"`
	Image int      `json:"image,omitempty"` // from 1; 0 if the loss is not in an image's tree
	Path  string   `json:"path,omitempty"`
	Part  string   `json:"part,omitempty"` // name of the file
	Off   int64    `json:"off"`            // in the image's metadata, or in the part
	Text  string   `json:"text"`           // details
}

// LossKind is the kind of a loss.
type LossKind string

// LossKinds returns all kinds. The page has a text for each.
func LossKinds() []LossKind {
	return []LossKind{
		"list-cut", "list-beyond", "list-shared", "entry", "name", "duplicate", "not-a-folder", "depth", "orphans", "root", "stream", "security",
		"blob-table", "images", "xml", "xml-images", "integrity",
	}
}

// Damage is a blob, metadata resource or block of an integrity table that does not match its hash, with all paths
// that use it.
type Damage struct {
	Kind  string `json:"kind"` // "blob", "block", "metadata"
	Hash  string `json:"hash,omitempty"`
	Part  int    `json:"part"`
	Off   int64  `json:"off"`
	Len   int64  `json:"len"`
	Error string `json:"error,omitempty"`
	Paths []Hit  `json:"paths,omitempty"` // every path in every image, at most 1000 here; the saved report has all
	Count int    `json:"count"`
}

// Target is where an output goes.
type Target string

const (
	ToHandle Target = "handle" // a FileSystemFileHandle that the user picked
	ToFolder Target = "folder" // a FileSystemDirectoryHandle
	ToOPFS   Target = "opfs"   // a file in the origin private file system, offered as a download when complete
	ToMemory Target = "memory" // a Blob, if nothing else is available
)

// OutOpenRequest opens an output. Size is PlanReply.OutSize.
type OutOpenRequest struct {
	Target Target `json:"target"`
	Format Format `json:"format"`
	Name   string `json:"name"`
	Size   int64  `json:"size"`

	Recover  bool   `json:"recover,omitempty"`  // as in PlanRequest
	Platform string `json:"platform,omitempty"` // as in PlanRequest
	Plan     int    `json:"plan,omitempty"`     // WIM: the plan to write
}

// OutSegmentRequest passes one shard's data to the output, in the order of the shards. Attached: the result, the data,
// the entries. The reply brings the result back, for Merge.
type OutSegmentRequest struct {
	Index  int      `json:"index"`
	Result RunReply `json:"result"`
}

// OutProgress is what this segment added to the output.
type OutProgress struct {
	Bytes   int64     `json:"bytes"`
	Files   int       `json:"files"`
	Refused []Problem `json:"refused,omitempty"` // in this segment; paths are the output's, with a leading slash
	Damaged []Problem `json:"damaged,omitempty"` // in this segment; Detail is "written" if the file was written anyway

	Copies   int `json:"copies,omitempty"`   // hard links that became copies
	Timeless int `json:"timeless,omitempty"` // entries written without their times and attributes
}

// OutReply reports a finished output. The File is attached for ToOPFS and ToMemory.
type OutReply struct {
	Bytes int64 `json:"bytes"`
	Files int   `json:"files"`
}
