package protocol

// OpenRequest names the attached files: first the parts of the archive in any order, then References: whole or split
// archives in which blobs are looked up that this one lacks.
type OpenRequest struct {
	Parts      []string `json:"parts"`
	References []string `json:"references,omitempty"`
}

// SortReply reports which of the given files form archives. File numbers are 0-based, in the order of the request.
type SortReply struct {
	Archives []Dropped     `json:"archives"`
	Refused  []RefusedFile `json:"refused,omitempty"` // files that cannot be opened
}

// Dropped is an archive among the given files. If it is the only one, Images, Lacks and Needs are not set: there is
// nothing to choose.
type Dropped struct {
	Files  []int `json:"files"` // by part number
	Size   int64 `json:"size"`  // bytes, all parts
	Images int   `json:"images"`
	Lacks  int   `json:"lacks"`           // blobs that its images use and it does not hold
	Needs  []int `json:"needs,omitempty"` // archives of this reply that hold some of them
}

// RefusedFile is a file that is not an archive, or not a part of one that can be opened.
type RefusedFile struct {
	File  int   `json:"file"`
	Error Error `json:"error"`
}

// Archive describes an archive as a whole.
type Archive struct {
	Name        string    `json:"name"` // of the first part
	GUID        string    `json:"guid"` // 32 hex digits in file order
	Version     string    `json:"version"`
	Size        int64     `json:"size"`  // bytes, all parts
	Codec       string    `json:"codec"` // "none", "XPRESS", "LZX", "LZMS"
	ChunkSize   int64     `json:"chunkSize"`
	Solid       bool      `json:"solid"`
	SolidCodec  string    `json:"solidCodec,omitempty"`
	SolidChunk  int64     `json:"solidChunk,omitempty"`
	Pipable     bool      `json:"pipable"`
	Integrity   bool      `json:"integrity"` // every part has an integrity table
	BootIndex   int       `json:"bootIndex"` // 0: none
	Flags       []string  `json:"flags"`     // names of the header's flag bits
	Parts       []Part    `json:"parts"`
	Missing     []int     `json:"missing,omitempty"` // part numbers of the set that were not provided
	TotalParts  int       `json:"totalParts"`
	Blobs       int       `json:"blobs"`
	BlobBytes   int64     `json:"blobBytes"`   // unpacked
	PackedBytes int64     `json:"packedBytes"` // as stored
	Images      []Image   `json:"images"`
	Warnings    []string  `json:"warnings,omitempty"`
	Losses      int       `json:"losses,omitempty"` // losses found when opening; List reports those of trees
	Fields      []Field   `json:"fields"`           // part 1's header, field by field
	ReadOnly    bool      `json:"readOnly"`
	References  []string  `json:"references,omitempty"`
	Regions     []Region  `json:"regions"`          // part by part, in file order; adjacent regions of one kind are joined
	Elsewhere   Elsewhere `json:"elsewhere"`        // blobs that a delta archive lacks
	Sample      bool      `json:"sample,omitempty"` // set by the page, never by the engine
}

// Elsewhere counts the blobs that images use and no open part holds, which is what makes an archive a delta archive.
// Open does not load trees and so cannot count them; Lacks walks all trees.
type Elsewhere struct {
	Blobs int  `json:"blobs"`
	Known bool `json:"known"`
}

// Part is one file of the archive.
type Part struct {
	Name   string `json:"name"`
	Number int    `json:"number"` // from 1
	Size   int64  `json:"size"`
}

// Region is a range of bytes in one part. Kind: "header", "metadata", "data", "solid", "table", "xml", "integrity",
// "unused".
type Region struct {
	Part int    `json:"part"` // 0-based, into Archive.Parts
	Off  int64  `json:"off"`
	Len  int64  `json:"len"`
	Kind string `json:"kind"`
}

// Field is one field of an on-disk record, with its meaning.
type Field struct {
	Name    string `json:"name"`
	Off     int64  `json:"off"` // from the start of the record
	Size    int64  `json:"size"`
	Value   string `json:"value"`
	Meaning string `json:"meaning"`
}

// Image is one image as the XML document describes it. Times are RFC 3339 in UTC, "" if absent.
type Image struct {
	Index              int      `json:"index"` // from 1
	Name               string   `json:"name"`
	Description        string   `json:"description,omitempty"`
	DisplayName        string   `json:"displayName,omitempty"`
	DisplayDescription string   `json:"displayDescription,omitempty"`
	Flags              string   `json:"flags,omitempty"`
	Edition            string   `json:"edition,omitempty"`
	InstallationType   string   `json:"installationType,omitempty"`
	ProductType        string   `json:"productType,omitempty"`
	Arch               string   `json:"arch,omitempty"` // "x86", "x64", "ARM64", …
	Languages          []string `json:"languages,omitempty"`
	DefaultLanguage    string   `json:"defaultLanguage,omitempty"`
	Version            string   `json:"version,omitempty"` // "10.0.19041.1", often wrong: see Version
	SystemRoot         string   `json:"systemRoot,omitempty"`
	Dirs               int64    `json:"dirs"`
	Files              int64    `json:"files"`
	Bytes              int64    `json:"bytes"`
	HardLinkBytes      int64    `json:"hardLinkBytes"`
	Created            string   `json:"created,omitempty"`
	Modified           string   `json:"modified,omitempty"`
	Boot               bool     `json:"boot,omitempty"`
	WIMBoot            bool     `json:"wimBoot,omitempty"`
	Problem            string   `json:"problem,omitempty"` // why its tree cannot be read, if known
}

// Row is one entry of a folder, as a list shows it.
type Row struct {
	Node     int32  `json:"node"`
	Name     string `json:"name"`
	Path     string `json:"path,omitempty"` // with a leading slash; only in rows from different folders
	Dir      bool   `json:"dir,omitempty"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"`          // 100-ns units since 1601, as stored, exact below 2^53
	Attrs    uint32 `json:"attrs"`             // FILE_ATTRIBUTE bits
	Link     string `json:"link,omitempty"`    // target of a symbolic link or junction
	BadLink  bool   `json:"badLink,omitempty"` // a link whose target is damaged or missing
	Reparse  uint32 `json:"reparse,omitempty"` // tag, 0 if none
	Links    int    `json:"links,omitempty"`   // names of this inode, if more than one
	Streams  int    `json:"streams,omitempty"` // named streams
	Missing  bool   `json:"missing,omitempty"` // its blob is in no open part
	Depth    int    `json:"depth,omitempty"`   // Tree: 1 for the root's folders
	Folders  bool   `json:"folders,omitempty"` // it contains folders
	Open     bool   `json:"open,omitempty"`    // Tree: expanded, its folders follow
}

// ListRequest asks for rows [Start, Start+Count) of folder Node, folders first, sorted and filtered.
// Sort: "name" (default; ignoring case), "size", "modified", "attrs", "type". Filter keeps names that contain it, or match it if it has * or ?.
type ListRequest struct {
	Image  int    `json:"image"`
	Node   int32  `json:"node"`
	Sort   string `json:"sort,omitempty"`
	Desc   bool   `json:"desc,omitempty"`
	Filter string `json:"filter,omitempty"`
	Start  int    `json:"start"`
	Count  int    `json:"count"`          // at most 1000
	Seek   string `json:"seek,omitempty"` // also return the index of the first row after Start whose name starts with this (type to select)
	Find   int32  `json:"find,omitempty"` // also return the index of this node's row
}

// ListReply is a window of a folder and the totals of the folder.
type ListReply struct {
	Rows  []Row   `json:"rows"`
	Start int     `json:"start"`
	Total int     `json:"total"` // rows after the filter
	All   int     `json:"all"`   // entries in the folder
	Dirs  int     `json:"dirs"`
	Bytes int64   `json:"bytes"`          // of the files after the filter
	Path  []Crumb `json:"path"`           // from the root to this folder
	Seek  int     `json:"seek"`           // -1: none
	Find  int     `json:"find"`           // -1: not in this list
	Lost  int     `json:"lost,omitempty"` // losses in the image's tree: entries, lists, blobs
}

// Crumb is one step of a path bar.
type Crumb struct {
	Node int32  `json:"node"`
	Name string `json:"name"` // "" for the root
}

// TreeRequest asks for a window of the folder tree with the folders in Expanded opened. The root is always open and
// has no row.
type TreeRequest struct {
	Image    int     `json:"image"`
	Expanded []int32 `json:"expanded"`
	Start    int     `json:"start"`
	Count    int     `json:"count"`
	Find     int32   `json:"find,omitempty"` // also return the index of this node's row
}

// TreeReply holds rows with Depth, Folders and Open set.
type TreeReply struct {
	Rows  []Row `json:"rows"`
	Start int   `json:"start"`
	Total int   `json:"total"`
	Find  int   `json:"find"`
}

// FindRequest names an entry by its path in the image, separated by slashes. Names are compared exactly first, then
// ignoring case.
type FindRequest struct {
	Image int    `json:"image"`
	Path  string `json:"path"`
}

// StatRequest names an entry by its node.
type StatRequest struct {
	Image int   `json:"image"`
	Node  int32 `json:"node"`
}

// Details are all details of one entry.
type Details struct {
	Row
	FullPath    string   `json:"fullPath"`
	Kind        string   `json:"kind"`                  // "folder", "file", "link", "reparse"
	Type        string   `json:"type"`                  // by its first bytes or its name: "Windows executable, x64", "Text", …; may be ""
	FileVersion string   `json:"fileVersion,omitempty"` // of a PE file's version resource
	Strings     []Pair   `json:"strings,omitempty"`     // the version resource's strings
	ShortName   string   `json:"shortName,omitempty"`
	CreatedAt   string   `json:"createdAt"` // 2025-09-05 12:11:08.4219371 UTC
	AccessedAt  string   `json:"accessedAt"`
	ModifiedAt  string   `json:"modifiedAt"`
	AttrNames   []string `json:"attrNames"`
	Hash        string   `json:"hash,omitempty"`      // 40 hex digits of the unnamed stream, "" if empty
	LinkPaths   []string `json:"linkPaths,omitempty"` // the other names of this inode, at most 100
	AlsoIn      int      `json:"alsoIn"`              // entries that use the same blob, in images whose trees are loaded
	StreamList  []Stream `json:"streamList,omitempty"`
	ReparseName string   `json:"reparseName,omitempty"` // "symbolic link", "junction", "WOF", …
	LinkNode    int32    `json:"linkNode,omitempty"`    // the link's target in this image
	LinkFound   bool     `json:"linkFound,omitempty"`
	SDDL        string   `json:"sddl,omitempty"`
	Owner       string   `json:"owner,omitempty"` // a well-known name, or the SID
	Group       string   `json:"group,omitempty"`
	Access      []Access `json:"access,omitempty"`
	ObjectID    string   `json:"objectID,omitempty"`
	Unix        string   `json:"unix,omitempty"` // "0644 uid 0 gid 0"
	Xattrs      []Pair   `json:"xattrs,omitempty"`
	Items       []Pair   `json:"items,omitempty"` // unknown tagged items: tag, hex
	Stored      *Stored  `json:"stored,omitempty"`
}

// Pair is a name and a value.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Access is one entry of an access control list, in readable form.
type Access struct {
	Kind   string `json:"kind"` // "allow", "deny", "audit", …
	Who    string `json:"who"`
	Rights string `json:"rights"`
	Flags  string `json:"flags,omitempty"`
}

// Stream is one stream of an inode other than the unnamed one.
type Stream struct {
	Name string `json:"name"` // "" for the reparse data
	Size int64  `json:"size"`
	Hash string `json:"hash,omitempty"`
}

// Stored describes where a blob is stored.
type Stored struct {
	Part       int     `json:"part"` // 0-based
	PartName   string  `json:"partName"`
	Off        int64   `json:"off"`        // of the resource, in the part
	PackedSize int64   `json:"packedSize"` // of the resource; for a solid one, of the whole resource
	Size       int64   `json:"size"`
	Codec      string  `json:"codec"`
	Solid      bool    `json:"solid"`
	SolidOff   int64   `json:"solidOff,omitempty"` // in the solid resource's unpacked bytes
	ChunkSize  int64   `json:"chunkSize,omitempty"`
	FirstChunk int64   `json:"firstChunk,omitempty"`
	Chunks     int64   `json:"chunks"`
	Ratios     []uint8 `json:"ratios,omitempty"`    // packed size of its first chunks (at most 64), percent; base64 on the wire
	RefCount   int64   `json:"refCount"`            // from the blob table
	Reference  bool    `json:"reference,omitempty"` // it is in a referenced archive
}

// ReadRequest asks for bytes of a stream. Stream "" is the unnamed stream.
type ReadRequest struct {
	Image  int    `json:"image"`
	Node   int32  `json:"node"`
	Stream string `json:"stream,omitempty"`
	Off    int64  `json:"off"`
	Len    int    `json:"len"`            // at most 4 MiB
	Want   string `json:"want,omitempty"` // "": the bytes; "text": decoded text in Text, at most Len bytes of it
}

// ReadReply is a range of a stream. The bytes are attached, unless text was requested.
type ReadReply struct {
	Off      int64  `json:"off"`
	Len      int    `json:"len"`
	Size     int64  `json:"size"` // of the whole stream
	Text     string `json:"text,omitempty"`
	Encoding string `json:"encoding,omitempty"` // "UTF-8", "UTF-16LE", "UTF-16BE", "Windows-1252"; "" if it is not text
	Picture  string `json:"picture,omitempty"`  // MIME type if the first bytes are an image format that browsers show
	Markup   bool   `json:"markup,omitempty"`   // XML
	Check    Check  `json:"check,omitempty"`    // of the whole stream
}

// Check reports whether the stream was verified against its SHA-1.
type Check string

// The results of a check.
const (
	CheckGood Check = "good" // the SHA-1 matches
	CheckBad  Check = "bad"  // it does not
	CheckNone Check = ""     // not verified: only a part of a long stream was read
)

// SearchRequest searches for names (or paths, if the query contains a slash) in all images, or in the given ones. A
// query with * or ? must match the whole name; otherwise the name must contain it, ignoring case.
type SearchRequest struct {
	Query  string `json:"query"`
	Images []int  `json:"images,omitempty"`
	Start  int    `json:"start"`
	Count  int    `json:"count"` // groups
}

// SearchReply is a window of groups. The session keeps the result of the last query for further windows.
type SearchReply struct {
	Groups []Group `json:"groups"`
	Start  int     `json:"start"`
	Total  int     `json:"total"` // groups so far
	Hits   int     `json:"hits"`
	Done   int     `json:"done"` // images searched
	Of     int     `json:"of"`
	More   bool    `json:"more,omitempty"` // the search stopped at its limit of 100,000 hits
}

// Group is the hits that share one blob (for folders and empty files: one path).
type Group struct {
	Name  string `json:"name"` // of the first hit
	Hash  string `json:"hash,omitempty"`
	Size  int64  `json:"size"`
	Dir   bool   `json:"dir,omitempty"`
	Hits  []Hit  `json:"hits"` // at most 200
	Count int    `json:"count"`
}

// Hit is one entry somewhere in the archive.
type Hit struct {
	Image int    `json:"image"`
	Node  int32  `json:"node"` // -1 in reports: find it by its path
	Path  string `json:"path"`
}

// UsesRequest asks which entries use a blob, in every image.
type UsesRequest struct {
	Hash  string `json:"hash"`
	Start int    `json:"start"`
	Count int    `json:"count"`
}

// UsesReply is a window of the hits. PerImage has the number of hits for each image, in order.
type UsesReply struct {
	Hits     []Hit `json:"hits"`
	Start    int   `json:"start"`
	Total    int   `json:"total"`
	PerImage []int `json:"perImage"`
}

// XMLReply is the XML document as text: indented for reading, and as stored.
type XMLReply struct {
	Pretty string `json:"pretty"`
	Raw    string `json:"raw"`
}

// VersionRequest names an image.
type VersionRequest struct {
	Image int `json:"image"`
}

// VersionReply is the version of the image's kernel, "10.0.22621.2428", and the kernel's path.
type VersionReply struct {
	Version string `json:"version"`
	Path    string `json:"path"`
}

// StatusReply is a worker's memory use.
type StatusReply struct {
	Memory int64 `json:"memory"` // bytes of linear memory
	Heap   int64 `json:"heap"`   // bytes in use
}

// WindowsReply holds the facts from the Windows files in an image that its XML lacks. Getting them reads its registry
// hives, and in a solid archive much more.
type WindowsReply struct {
	Root        string       `json:"root"`                  // "/Windows"
	Build       string       `json:"build,omitempty"`       // from the registry: "10.0.22621.2428"
	Branch      string       `json:"branch,omitempty"`      // "ni_release"
	Lab         string       `json:"lab,omitempty"`         // lab and date of the build
	Differences []Difference `json:"differences,omitempty"` // what the XML lacks or has wrong
	Problems    []string     `json:"problems,omitempty"`    // what could not be read
}

// Difference is a property of an image that the XML lacks ("") or has wrong.
type Difference struct {
	Property string `json:"property"` // "WINDOWS/ARCH"
	XML      string `json:"xml,omitempty"`
	Image    string `json:"image"`
}
