// Package protocol is the language between a page and the engine's workers.
//
// Every worker runs the same program and takes any role: a session worker keeps one archive open and answers
// questions about it, a shard worker decodes the pieces of a job, an output worker owns the file that a job
// writes. A message is a plain object that survives the structured clone:
//
//	{id: 7, kind: "request", method: "list", body: {…}, attach: [File, ArrayBuffer, …]}
//
// body holds only JSON values, named as in the structs of this package. What JSON cannot hold (files, handles,
// buffers) stands in attach, in the order that the method's comment says. The same messages serve the page and
// any other script.
package protocol

// Kind says what a message is to the conversation that its ID names.
type Kind string

const (
	Request  Kind = "request"  // from the page: do Method
	Reply    Kind = "reply"    // from the worker: the last word of a request, with its result
	Failure  Kind = "failure"  // from the worker: the last word of a request, Body is an Error
	Progress Kind = "progress" // from the worker: zero or more before the last word
	Cancel   Kind = "cancel"   // from the page: stop the request ID
	Pause    Kind = "pause"    // from the page: hold the request ID at its next resting point
	Resume   Kind = "resume"   // from the page: go on with it
	Ready    Kind = "ready"    // from the worker, once, with ID 0: it can take requests. The body is a Hello
	Exit     Kind = "exit"     // from the worker's loader, once, with ID 0: the program ended; Body is an Error
)

// Message is one envelope. Attach elements are whatever the connection carries besides JSON: a js.Value (File,
// handle, Uint8Array) between workers, a []byte or an io.ReaderAt in memory. Byte buffers are moved, not copied.
type Message struct {
	ID     uint32
	Kind   Kind
	Method Method
	Body   []byte // JSON
	Attach []any
}

// Hello is what a worker says of itself when it is ready.
type Hello struct {
	Life string `json:"life,omitempty"` // the name of a Web Lock that it holds as long as it lives; "" if it holds none
}

// Method names what a request asks for.
type Method string

// A session worker answers these. The bodies of a request and of its reply follow in parentheses.
const (
	Open    Method = "open"    // (OpenRequest, Archive) attach: the Files, parts first, then references
	Close   Method = "close"   // (nothing, nothing)
	List    Method = "list"    // (ListRequest, ListReply) a window of one folder
	Tree    Method = "tree"    // (TreeRequest, TreeReply) a window of the folder tree
	Find    Method = "find"    // (FindRequest, Row) path to entry
	Stat    Method = "stat"    // (StatRequest, Details)
	Read    Method = "read"    // (ReadRequest, ReadReply) attach of the reply: one buffer
	Search  Method = "search"  // (SearchRequest, SearchReply) progress bodies are SearchReply too, with what is found so far
	Uses    Method = "uses"    // (UsesRequest, UsesReply)
	XML     Method = "xml"     // (nothing, XMLReply)
	Version Method = "version" // (VersionRequest, VersionReply) the build that ntoskrnl.exe itself names
	Windows Method = "windows" // (VersionRequest, WindowsReply) the facts from the image's registry
	Lacks   Method = "lacks"   // (nothing, Elsewhere) goes through all trees, with Elsewhere as progress bodies
	Plan    Method = "plan"    // (PlanRequest, PlanReply)
	Shard   Method = "shard"   // (ShardRequest, ShardReply) attach of the reply: shard, and entries when something is written
	Merge   Method = "merge"   // (MergeRequest, MergeReply) attach: what Run's reply attached
	Finish  Method = "finish"  // (FinishRequest, Report) the closing report; the plan is dropped
	Drop    Method = "drop"    // (FinishRequest, nothing) a plan that was given up
)

// The lead of a build answers these, and Shard, Merge, Finish and Drop for its plans, and what an output worker answers
// but OutSegment.
const (
	Input Method = "input" // (InputRequest, InputReply) attach: an archive's Files, as for Open; or a directory handle, or the folder's Files
	Draft Method = "draft" // (DraftRequest, DraftReply)
	Build Method = "build" // (BuildRequest, BuildReply)
	Stage Method = "stage" // (FinishRequest, StageReply)
	Skip  Method = "skip"  // (SkipRequest, nothing) a content that cannot be had is left out; its shard is to be fetched again
)

// A shard worker answers these.
const (
	Parts Method = "parts" // (PartsRequest, nothing) attach: the Files, as for Open, then what each folder's Input had
	Run   Method = "run"   // (RunRequest, RunReply) attach: the shard, and its entries when something is written; of the reply: the decoded bytes, and the entries again
)

// An output worker answers these, in this order, for one output at a time.
const (
	OutOpen    Method = "out.open"    // (OutOpenRequest, nothing) attach: the handle, where the target has one
	OutSegment Method = "out.segment" // (OutSegmentRequest, OutProgress) attach: decoded bytes, entries
	OutFinish  Method = "out.finish"  // (nothing, OutReply) attach of the reply: a File, where the page must hand it to the person
	OutAbort   Method = "out.abort"   // (nothing, nothing) nothing half-written stays behind
)

// Every worker answers these. Sort looks at files that came together before one of them is opened. Forget gives back the files that Parts gave under a key.
const (
	Sort   Method = "sort"   // (OpenRequest without References, SortReply) attach: the Files
	Status Method = "status" // (nothing, StatusReply)
	Forget Method = "forget" // (ForgetRequest, nothing)
)

// Code is the machine's name for an error; the page has a title, a cause and a remedy for each.
type Code string

const (
	CodeNotWIM      Code = "not-a-wim"    // the first bytes are something else: Guess says what
	CodeOldVersion  Code = "old-version"  // a WIM from before 1.13
	CodeTruncated   Code = "truncated"    // Missing bytes are not there
	CodeFormat      Code = "format"       // a record that makes no sense: Record, Off
	CodeChecksum    Code = "checksum"     // bytes that do not match their SHA-1
	CodeMissingPart Code = "missing-part" // Numbers of the parts that are not there
	CodeWrongPart   Code = "wrong-part"   // a part of another set, or twice the same
	CodeMissingBlob Code = "missing-blob" // content that lies in another archive
	CodeEncrypted   Code = "encrypted"    // an encrypted ESD
	CodeUnsupported Code = "unsupported"  // a form that is known and not read
	CodeTooLarge    Code = "too-large"    // would not fit the memory that a worker has
	CodeNotFound    Code = "not-found"    // no such path, image or plan
	CodeChanged     Code = "changed"      // the file changed on disk, or went away
	CodePermission  Code = "permission"   // the browser no longer lets us read or write it
	CodeNoSpace     Code = "no-space"     // disk full, or over the browser's quota
	CodeBlocked     Code = "blocked"      // the browser or a policy refused to keep the file
	CodeRefused     Code = "refused"      // an archive that must not be changed, or not so
	CodeName        Code = "name"         // the browser does not allow this name in a folder
	CodeCancelled   Code = "cancelled"
	CodeCrashed     Code = "crashed" // the worker died; the pool says this, no worker does
	CodeInternal    Code = "internal"
	CodeBadRequest  Code = "bad-request"
	CodeBrowser     Code = "browser" // the browser lacks what this needs
)

// Error is what went wrong in one request, with all that a person needs to act on it.
type Error struct {
	Code    Code     `json:"code"`
	Message string   `json:"message"`           // the engine's sentence, for the copyable details
	Name    string   `json:"name,omitempty"`    // the file that it is about
	Record  string   `json:"record,omitempty"`  // the on-disk record; refused: why, as a key; no-space: InStore, or ""; changed: what became of the file, or ""
	Part    int      `json:"part,omitempty"`    // the part that Off stands in, 0-based
	Off     int64    `json:"off,omitempty"`     // where it stands in the part, bytes
	Guess   FileKind `json:"guess,omitempty"`   // not-a-wim: what it seems to be, or ""
	First   []byte   `json:"first,omitempty"`   // not-a-wim: up to 16 bytes, base64 on the wire
	Need    int64    `json:"need,omitempty"`    // no-space: bytes needed, if known
	Room    int64    `json:"room,omitempty"`    // no-space: free bytes, with Need
	Missing int64    `json:"missing,omitempty"` // truncated: missing bytes; 0 if unknown
	Numbers []int    `json:"numbers,omitempty"` // missing-part: part numbers from 1
	Total   int      `json:"total,omitempty"`   // missing-part: parts in the set
	Version string   `json:"version,omitempty"` // old-version: "1.12"
	Content int      `json:"content,omitempty"` // run: number, from 1, of the content that cannot be read, for Skip
	Fatal   bool     `json:"fatal,omitempty"`   // the worker panicked and must be replaced
}

// Error.Record of a file that changed since it was opened.
const (
	FileGone     = "gone"     // removed, moved or renamed
	FileCut      = "cut"      // shorter
	FileReplaced = "replaced" // rewritten
)

// InStore is Error.Record if the browser's own store is full, not the chosen disk.
const InStore = "store"

func (e *Error) Error() string { return e.Message }
