// Package protocol defines the messages between a page and the engine's workers.
//
// A worker takes one of these roles: a session worker keeps one archive open and answers questions about it, a shard
// worker decodes or packs the shards of a job, an output worker owns the file that a job writes, and the coordinator of a
// build composes an archive and writes it. Packing and coordinating need the program that builds; the rest works in
// either program. A message is a plain object that survives
// the structured clone:
//
//	{id: 7, kind: "request", method: "list", body: {…}, attach: [File, ArrayBuffer, …]}
//
// body holds only JSON values, named as in the structs of this package. What JSON cannot hold (files, handles,
// buffers) is in attach, in the order that the method's comment gives. The page and any other script use the same
// messages.
package protocol

// Kind is the kind of a message. Messages with the same ID belong to one request.
type Kind string

const (
	Request  Kind = "request"  // from the page: run Method
	Reply    Kind = "reply"    // from the worker: the result that ends a request
	Failure  Kind = "failure"  // from the worker: the error that ends a request; Body is an Error
	Progress Kind = "progress" // from the worker: zero or more before the final reply
	Cancel   Kind = "cancel"   // from the page: stop request ID
	Pause    Kind = "pause"    // from the page: hold request ID at its next checkpoint
	Resume   Kind = "resume"   // from the page: continue it
	Ready    Kind = "ready"    // from the worker, once, with ID 0: it accepts requests. Body is a Hello
	Exit     Kind = "exit"     // from the worker's loader, once, with ID 0: the program ended; Body is an Error
)

// Message is one message. Elements of Attach are what the connection carries besides JSON: a js.Value (File, handle,
// Uint8Array) between workers, a []byte or an io.ReaderAt in memory. Byte buffers are transferred, not copied.
type Message struct {
	ID     uint32
	Kind   Kind
	Method Method
	Body   []byte // JSON
	Attach []any
}

// Hello is what a worker reports about itself when it is ready.
type Hello struct {
	Life string `json:"life,omitempty"` // name of a Web Lock that it holds while it lives; "" if it holds none
}

// Method names what a request asks for.
type Method string

// A session worker answers these. The bodies of a request and of its reply are in parentheses.
const (
	Open    Method = "open"    // (OpenRequest, Archive) attach: the Files, parts first, then references
	Close   Method = "close"   // (nothing, nothing)
	List    Method = "list"    // (ListRequest, ListReply) a window of one folder
	Tree    Method = "tree"    // (TreeRequest, TreeReply) a window of the folder tree
	Find    Method = "find"    // (FindRequest, Row) the entry at a path
	Stat    Method = "stat"    // (StatRequest, Details)
	Read    Method = "read"    // (ReadRequest, ReadReply) attach of the reply: one buffer
	Search  Method = "search"  // (SearchRequest, SearchReply) progress bodies are SearchReply too, with the results so far
	Uses    Method = "uses"    // (UsesRequest, UsesReply)
	XML     Method = "xml"     // (nothing, XMLReply)
	Version Method = "version" // (VersionRequest, VersionReply) the build number in ntoskrnl.exe
	Windows Method = "windows" // (VersionRequest, WindowsReply) the facts from the image's registry
	Lacks   Method = "lacks"   // (nothing, Elsewhere) walks all trees; progress bodies are Elsewhere
	Plan    Method = "plan"    // (PlanRequest, PlanReply)
	Stage   Method = "stage"   // (FinishRequest, StageReply) begins the next stage of a plan
	Shard   Method = "shard"   // (ShardRequest, ShardReply) attach of the reply: the shard, and what goes with it
	Merge   Method = "merge"   // (MergeRequest, MergeReply) attach: the result, and the data if no output worker has it
	Finish  Method = "finish"  // (FinishRequest, Report) returns the final report and drops the plan
	Drop    Method = "drop"    // (FinishRequest, nothing) discards a plan
)

// The coordinator of a build answers these, and for its plans also Stage, Shard, Merge, Finish and Drop, and all
// methods of an output worker except OutSegment.
const (
	Input Method = "input" // (InputRequest, InputReply) attach: an archive's Files, as for Open; or a directory handle, or the folder's Files
	Draft Method = "draft" // (DraftRequest, DraftReply)
	Build Method = "build" // (BuildRequest, BuildReply)
	Skip  Method = "skip"  // (SkipRequest, nothing) leaves out a blob that cannot be read; a shard that was not merged must be fetched again
)

// A shard worker answers these.
const (
	Parts Method = "parts" // (PartsRequest, nothing) attach: the Files, as for Open, then the attachments of each folder's Input
	Run   Method = "run"   // (RunRequest, RunReply) attach: the attachments of Shard's reply; of the reply: the result, the data if there is any, and the entries again
)

// An output worker answers these, in this order, for one output at a time.
const (
	OutOpen    Method = "out.open"    // (OutOpenRequest, nothing) attach: the handle, if the target has one
	OutSegment Method = "out.segment" // (OutSegmentRequest, OutProgress) attach: the result, the data, the entries; of the reply: the result
	OutFinish  Method = "out.finish"  // (nothing, OutReply) attach of the reply: a File, if the page must offer it as a download
	OutAbort   Method = "out.abort"   // (nothing, nothing) removes the partial output
)

// Every worker answers these. Sort groups files into archives before one of them is opened. Forget releases the files
// that Parts provided under a key.
const (
	Sort   Method = "sort"   // (OpenRequest without References, SortReply) attach: the Files
	Status Method = "status" // (nothing, StatusReply)
	Forget Method = "forget" // (ForgetRequest, nothing)
)

// Code identifies an error. The page has a title, a cause and a remedy for each.
type Code string

const (
	CodeNotWIM      Code = "not-a-wim"    // the first bytes are something else: Guess is what
	CodeOldVersion  Code = "old-version"  // a WIM version before 1.13
	CodeTruncated   Code = "truncated"    // the file is shorter than its tables require: Missing bytes
	CodeFormat      Code = "format"       // an invalid record: Record, Off
	CodeChecksum    Code = "checksum"     // data does not match its SHA-1
	CodeMissingPart Code = "missing-part" // Numbers are the missing parts
	CodeWrongPart   Code = "wrong-part"   // a part of another set, or a duplicate
	CodeMissingBlob Code = "missing-blob" // the blob is in another archive
	CodeEncrypted   Code = "encrypted"    // an encrypted ESD
	CodeUnsupported Code = "unsupported"  // a known variant that we cannot read
	CodeTooLarge    Code = "too-large"    // needs more memory than a worker has
	CodeNotFound    Code = "not-found"    // no such path, image or plan
	CodeChanged     Code = "changed"      // the file changed on disk, or is gone
	CodePermission  Code = "permission"   // the browser denied access to the file
	CodeNoSpace     Code = "no-space"     // the disk is full, or the browser's quota is exceeded
	CodeBlocked     Code = "blocked"      // the browser or a policy prevented saving the file
	CodeRefused     Code = "refused"      // the archive must not be changed, or not in this way
	CodeName        Code = "name"         // the browser does not allow this name in a folder
	CodeCancelled   Code = "cancelled"
	CodeCrashed     Code = "crashed" // the worker died; only the pool reports this
	CodeInternal    Code = "internal"
	CodeBadRequest  Code = "bad-request"
	CodeBrowser     Code = "browser" // the browser lacks a feature that this needs
)

// Error is the error of one request, with what a user needs to act on it.
type Error struct {
	Code    Code     `json:"code"`
	Message string   `json:"message"`           // the engine's message, for the copyable details
	Name    string   `json:"name,omitempty"`    // the file concerned
	Record  string   `json:"record,omitempty"`  // the on-disk record; refused: the reason, as a key; no-space: InStore, or ""; changed: what happened to the file, or ""
	Part    int      `json:"part,omitempty"`    // the part that Off is in, 0-based
	Off     int64    `json:"off,omitempty"`     // offset in the part, bytes
	Guess   FileKind `json:"guess,omitempty"`   // not-a-wim: what the file appears to be, or ""
	First   []byte   `json:"first,omitempty"`   // not-a-wim: up to 16 bytes, base64 on the wire
	Need    int64    `json:"need,omitempty"`    // no-space: bytes needed, if known
	Room    int64    `json:"room,omitempty"`    // no-space: free bytes, with Need
	Missing int64    `json:"missing,omitempty"` // truncated: missing bytes; 0 if unknown
	Numbers []int    `json:"numbers,omitempty"` // missing-part: part numbers from 1
	Total   int      `json:"total,omitempty"`   // missing-part: parts in the set
	Version string   `json:"version,omitempty"` // old-version: "1.12"
	Content int      `json:"content,omitempty"` // run, merge: number, from 1, of the blob that cannot be read, for Skip
	More    []Unread `json:"more,omitempty"`    // merge: other blobs of the shard with the same error
	Fatal   bool     `json:"fatal,omitempty"`   // the worker panicked and must be replaced
}

// Unread is another blob that cannot be read.
type Unread struct {
	Content int    `json:"content"` // as Error.Content
	Name    string `json:"name"`    // as Error.Name
}

// Values of Error.Record for a file that changed since it was opened.
const (
	FileGone     = "gone"     // removed, moved or renamed
	FileCut      = "cut"      // shorter
	FileReplaced = "replaced" // rewritten
)

// InStore is Error.Record if the browser's own storage is full, not the chosen disk.
const InStore = "store"

func (e *Error) Error() string { return e.Message }
