package protocol

// A job goes like this. The page asks the session for a Plan, then for its shards one after another (Shard), has
// each run by any shard worker (Run), gives what is to be written to the output worker (OutSegment, in order of
// the shards) and what came of it back to the session (Merge). Finish closes the books.

// Op is what a job does.
type Op string

const (
	Verify  Op = "verify"  // integrity tables and the SHA-1 of every content
	Extract Op = "extract" // a selection to Format
	Sum     Op = "sum"     // the SHA-256 of each part
	Names   Op = "names"   // a file list as CSV
	Write   Op = "write"   // an archive: of reports only, see BuildRequest
)

// Format is the form of an output.
type Format string

const (
	ZIP    Format = "zip" // stored, ZIP64 where needed, UTF-8 names
	TAR    Format = "tar" // pax
	Raw    Format = "raw" // one file's bytes
	Folder Format = "folder"
	CSV    Format = "csv"
)

// PlanRequest describes a job. Nodes are the selected entries, folders with all that is below them; an empty list
// is the whole image. Base is the folder that paths in the output are relative to.
type PlanRequest struct {
	Op       Op       `json:"op"`
	Image    int      `json:"image,omitempty"` // Extract, Names; 0 with Names: all images
	Nodes    []int32  `json:"nodes,omitempty"`
	Base     int32    `json:"base,omitempty"`
	Stream   string   `json:"stream,omitempty"` // Raw: a named stream
	Format   Format   `json:"format,omitempty"`
	Platform string   `json:"platform,omitempty"` // Folder: whose naming rules the browser enforces: "windows", "linux", "mac", "opfs"
	Streams  bool     `json:"streams,omitempty"`  // write named streams too, as name:stream (ZIP, TAR) or listed as skipped
	Recover  bool     `json:"recover,omitempty"`  // write what can be had of damaged files, marked as such
	Skip     []string `json:"skip,omitempty"`     // globs over paths that are left out, such as /Windows/WinSxS
}

// PlanReply says what the job will do before it starts.
type PlanReply struct {
	Plan     int       `json:"plan"`
	Shards   int       `json:"shards"`
	Bytes    int64     `json:"bytes"` // to decode or hash
	Items    int       `json:"items"` // contents, or blocks
	Files    int       `json:"files"` // to write
	Dirs     int       `json:"dirs"`
	Links    int       `json:"links"`
	OutSize  int64     `json:"outSize"`            // exact bytes of a ZIP, TAR, raw or CSV output; of a folder, the sum of its files
	Name     string    `json:"name"`               // suggested for the output
	Refused  int       `json:"refused"`            // names that this browser cannot write, all
	Refusals []Problem `json:"refusals,omitempty"` // the first 200 of them
	Skipped  []Problem `json:"skipped,omitempty"`  // what cannot be written and why (missing contents, reparse points, …), first 200
	SkippedN int       `json:"skippedN"`
	MaxChunk int64     `json:"maxChunk"` // bytes of memory that one shard needs, about
}

// Problem is a path and what is wrong with it. What a target refused while it was written has a path that ends in a
// slash if it is a folder.
type Problem struct {
	Image  int    `json:"image,omitempty"`
	Path   string `json:"path"`
	Reason string `json:"reason"` // a key of the message catalogue: "name-extension", "name-device", "missing", "damaged", "reparse", "case-twin", …
	Detail string `json:"detail,omitempty"`
}

// ShardRequest asks for one piece of a plan, by number from 0.
type ShardRequest struct {
	Plan  int `json:"plan"`
	Index int `json:"index"`
}

// ShardReply: the shard is attached as bytes, and for what is written the entries as bytes.
type ShardReply struct {
	Bytes  int64  `json:"bytes"` // unpacked
	Items  int    `json:"items"`
	Part   int    `json:"part"` // where it lies: for the block map
	Off    int64  `json:"off"`
	Len    int64  `json:"len"`
	Memory int64  `json:"memory"` // bytes that a worker needs for it, about
	Op     string `json:"op"`     // for RunRequest; "": there is nothing to run, the attachments are what OutSegment takes
}

// PartsRequest gives a shard worker the files of an archive, by the same order as Open's. Key names the archive.
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

// RunRequest runs one shard against the files that Parts gave under Key.
type RunRequest struct {
	Key string `json:"key"`
	Op  string `json:"op"` // as ShardReply said

	Format  Format `json:"format,omitempty"`  // of the output, as in PlanRequest: what is decoded comes ready for it
	Recover bool   `json:"recover,omitempty"` // as in PlanRequest
}

// RunReply is what came of a shard. Its attachments are opaque: they go to OutSegment if there is an output, to Merge
// otherwise. Progress bodies are RunProgress.
type RunReply struct {
	Bytes int64  `json:"bytes"`
	Items int    `json:"items"`
	Bad   int    `json:"bad"` // contents or blocks that did not match
	Sum   []byte `json:"sum"` // opaque result for Merge, base64 on the wire

	Packed Format `json:"packed,omitempty"` // ZIP, TAR: the decoded bytes stand between their headers

	Memory int64 `json:"memory,omitempty"` // bytes of the worker's linear memory after it
}

// RunProgress is how far a shard is, at most every 100 ms.
type RunProgress struct {
	Bytes int64 `json:"bytes"`
	Items int   `json:"items"`
}

// MergeRequest returns a shard's result to the session. Written tells it what the output worker reported.
type MergeRequest struct {
	Plan    int       `json:"plan"`
	Index   int       `json:"index"`
	Result  RunReply  `json:"result"`
	Refused []Problem `json:"refused,omitempty"` // names that the target refused after all
	Damaged []Problem `json:"damaged,omitempty"` // files whose content is not what it should be
}

// MergeReply is the state of the job so far.
type MergeReply struct {
	Bad    int         `json:"bad"`
	Blocks []BlockMark `json:"blocks,omitempty"` // what this shard settled, for the block map

	Written int64 `json:"written,omitempty"` // bytes of an archive that is being written
}

// BlockMark is a settled range of a part.
type BlockMark struct {
	Part int   `json:"part"`
	Off  int64 `json:"off"`
	Len  int64 `json:"len"`
	Bad  bool  `json:"bad,omitempty"`
}

// FinishRequest names the plan.
type FinishRequest struct {
	Plan int `json:"plan"`
}

// Report is the closing report of a job. Text and JSON are ready to be saved.
type Report struct {
	Op         Op        `json:"op"`
	OK         bool      `json:"ok"`
	Blobs      int       `json:"blobs"`
	Bytes      int64     `json:"bytes"`
	Integrity  string    `json:"integrity,omitempty"` // "ok", "bad", "none"
	BadRanges  []Damage  `json:"badRanges,omitempty"`
	DamagedN   int       `json:"damagedN"`
	Missing    []Damage  `json:"missing,omitempty"` // contents that are in no open part
	MissingN   int       `json:"missingN"`
	Unused     []Region  `json:"unused,omitempty"` // bytes that nothing refers to
	UnusedSize int64     `json:"unusedSize"`
	RefCounts  int       `json:"refCounts"` // contents whose stored count is not what the images use
	RefLies    []Pair    `json:"refLies,omitempty"`
	Sums       []Pair    `json:"sums,omitempty"` // part name, SHA-256
	Written    int       `json:"written"`
	Dirs       int       `json:"dirs"`
	Links      int       `json:"links"`
	WrittenLen int64     `json:"writtenLen"`
	Problems   []Problem `json:"problems,omitempty"` // skipped or marked, first 1000
	ProblemsN  int       `json:"problemsN"`
	Warnings   []string  `json:"warnings,omitempty"`
	Verdict    Verdict   `json:"verdict,omitempty"` // of a verification
	Losses     []Loss    `json:"losses,omitempty"`  // what is missing or cannot be reached, first 1000
	LossesN    int       `json:"lossesN,omitempty"`
	Text       string    `json:"text,omitempty"`
	JSON       string    `json:"json,omitempty"`
}

// Verdict is the result of a verification.
type Verdict string

const (
	Good       Verdict = "good"
	Incomplete Verdict = "incomplete" // what is there is sound, but something is missing
	Damaged    Verdict = "damaged"
)

// Loss is something that the archive should hold and that is missing or cannot be reached.
type Loss struct {
	Kind  LossKind `json:"kind"`
	Image int      `json:"image,omitempty"` // from 1; 0 if it is not a loss of an image's tree
	Path  string   `json:"path,omitempty"`
	Part  string   `json:"part,omitempty"` // name of the file
	Off   int64    `json:"off"`            // in the image's metadata, or in the part
	Text  string   `json:"text"`           // details
}

// LossKind is the kind of a loss.
type LossKind string

// LossKinds returns all kinds. The page has words for each.
func LossKinds() []LossKind {
	return []LossKind{
		"list-cut", "list-beyond", "list-shared", "entry", "name", "duplicate", "not-a-folder", "depth", "orphans", "root", "stream", "security",
		"blob-table", "images", "xml", "xml-images", "integrity",
	}
}

// Damage is one content (or block of an integrity table) that is not what it should be, with all that use it.
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
	ToHandle Target = "handle" // a FileSystemFileHandle that the person picked
	ToFolder Target = "folder" // a FileSystemDirectoryHandle
	ToOPFS   Target = "opfs"   // a file of the origin's own, handed over as a download when whole
	ToMemory Target = "memory" // a Blob, where there is nothing else
)

// OutOpenRequest opens an output. Size is PlanReply.OutSize.
type OutOpenRequest struct {
	Target Target `json:"target"`
	Format Format `json:"format"`
	Name   string `json:"name"`
	Size   int64  `json:"size"`

	Recover  bool   `json:"recover,omitempty"`  // as in PlanRequest
	Platform string `json:"platform,omitempty"` // as in PlanRequest
	Plan     int    `json:"plan,omitempty"`     // WIM: what is written
}

// OutSegmentRequest: segments come in the order of their shards. Attached: decoded bytes, entries.
type OutSegmentRequest struct {
	Index  int      `json:"index"`
	Result RunReply `json:"result"`
}

// OutProgress is what has been written so far.
type OutProgress struct {
	Bytes   int64     `json:"bytes"`
	Files   int       `json:"files"`
	Refused []Problem `json:"refused,omitempty"` // in this segment; paths are the output's, with a leading slash
	Damaged []Problem `json:"damaged,omitempty"` // in this segment; Detail is "written" of what was written all the same
}

// OutReply closes an output. The File is attached for ToOPFS and ToMemory.
type OutReply struct {
	Bytes int64 `json:"bytes"`
	Files int   `json:"files"`
}
