package draft

import (
	"slices"
	"strings"

	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/ntname"
	"wimscope/wim/xmldoc"
)

// Node is the number of an entry of a draft. The root is 0. A number does not change, and is not reused when its entry is removed.
type Node int32

// ContentID is an index into Draft.Contents, or NoContent.
type ContentID int32

// NoContent is the content of empty streams, whose hash is zero.
const NoContent ContentID = -1

// Content is the bytes of one or more streams of a draft, which may not have been read yet. If the hash is known and there is a path, an
// archive probably holds the same bytes as the file, which is read only if the archive is not available.
type Content struct {
	Hash    format.Hash
	Known   bool            // Hash is known
	Size    int64           // bytes; 0 for a blob of an archive that no open part holds
	Source  int             // index of the file system that holds it, see ScanOptions.Source; -1 if it is in an archive or in Bytes
	Path    string          // path of the file
	Stream  string          // named stream of the file, "" for its content
	Bytes   []byte          // the bytes themselves, for small contents such as reparse data; must not be changed
	ModTime format.Filetime // modification time of the file when it was scanned, 0 if unknown

	Unpacked bool // the configuration excludes it from compression
}

// Stream is a stream of an entry.
type Stream struct {
	Kind    format.StreamKind
	Name    string // escaped like file names; "" unless Kind is StreamNamed
	Content ContentID
	Size    int64 // of the content; ignored by Add and Set
}

// Entry holds all fields of a file or folder. Names are escaped, see ntname.Escape.
type Entry struct {
	Name                        string
	ShortName                   string // 8.3 name, "" if there is none
	Attributes                  uint32 // FILE_ATTRIBUTE bits; AttrDirectory makes a folder
	Created, Accessed, Modified format.Filetime
	Security                    []byte // self-relative security descriptor, nil if there is none
	ReparseTag                  uint32 // with AttrReparsePoint
	NotFixed                    bool   // the target of a link was not rewritten at capture
	Unknown                     uint32 // the dentry field of unknown meaning, preserved
	Unix                        *format.UnixData
	ObjectID                    []byte // 16 to 64 bytes, nil if there is none
	Xattrs                      []format.Xattr
	Items                       []format.TaggedItem // all other tagged items, preserved
	Streams                     []Stream
}

// Draft is a tree that can be changed. It must not be used by several goroutines at a time.
type Draft struct {
	nodes    []draftNode
	inodes   []draftInode
	streams  []inodeStream // of all inodes, those of one are contiguous
	dirs     []draftDir
	contents []draftContent
	texts    []string                  // short names and stream names, UTF-16LE as stored; the first is ""
	byHash   map[format.Hash]ContentID // of contents whose hash was known when they were added
	security []string                  // security descriptors without duplicates
	secIndex map[string]int32
	live     int                 // nodes that were not removed
	ids      map[[2]uint64]int32 // inodes of files by device and inode number in the file system, for Graft; may be nil
}

// draftNode is a name of an inode.
type draftNode struct {
	name   string // UTF-16LE as stored
	short  int32  // index into texts
	parent Node
	inode  int32 // -1 if removed
	dir    int32 // index into dirs, -1 if it can have no children
}

// draftDir is the list of a folder's children, in the order of names if sorted is set.
type draftDir struct {
	kids   []Node
	sorted bool
}

// draftInode is a file or folder, which may have several names. A draft may hold a million of them, so fields that few have are in
// rare.
type draftInode struct {
	created, accessed, modified format.Filetime
	rare                        *inodeRare // nil if all of them are zero
	firstStream, numStreams     int32      // in Draft.streams
	attributes                  uint32
	security                    int32 // index into Draft.security, -1 for none
	names                       int32 // number of nodes with this inode
}

// inodeRare holds the fields that few inodes have.
type inodeRare struct {
	unused      [2]uint64 // unused dentry fields, preserved
	link        uint64    // hard-link number from the archive, 0 if it has none
	items       string    // tagged items as stored
	unknown     uint32
	reparseTag  uint32
	reparseMore uint32 // what follows the tag: 16 reserved bits, 16 flags
}

func (in *draftInode) getRare() inodeRare {
	if in.rare == nil {
		return inodeRare{}
	}
	return *in.rare
}

// setRare replaces the rare fields. It never writes to the old ones, which a copy of the inode may share.
func (in *draftInode) setRare(r inodeRare) {
	if in.rare = nil; r != (inodeRare{}) {
		in.rare = &r
	}
}

type inodeStream struct {
	name    int32 // index into texts
	content ContentID
	kind    format.StreamKind
}

// draftContent is the compact form of a Content. A draft may hold a million of them.
type draftContent struct {
	hash            format.Hash
	source          int32
	size            int64
	path            string
	modTime         format.Filetime
	rare            *contentRare // nil if all of it is zero
	known, unpacked bool
}

// contentRare holds the fields that few contents have.
type contentRare struct {
	stream string
	bytes  []byte
}

func (c *draftContent) set(x *Content) {
	*c = draftContent{
		hash: x.Hash, known: x.Known, size: x.Size, source: int32(x.Source), path: x.Path, modTime: x.ModTime, unpacked: x.Unpacked,
	}
	if x.Stream != "" || len(x.Bytes) > 0 {
		c.rare = &contentRare{x.Stream, x.Bytes}
	}
}

func (c *draftContent) get() Content {
	x := Content{
		Hash: c.hash, Known: c.known, Size: c.size, Source: int(c.source), Path: c.path, ModTime: c.modTime, Unpacked: c.unpacked,
	}
	if c.rare != nil {
		x.Stream, x.Bytes = c.rare.stream, c.rare.bytes
	}
	return x
}

// reparseNotFixed is the flag of reparseMore for a link whose target was not rewritten.
const reparseNotFixed = 1 << 16

// New returns a draft that holds only an empty root folder without times.
func New() *Draft {
	d := &Draft{byHash: map[format.Hash]ContentID{}, secIndex: map[string]int32{}, texts: []string{""}}
	d.nodes = []draftNode{{dir: 0}}
	d.dirs = []draftDir{{sorted: true}}
	d.inodes = []draftInode{{attributes: format.AttrDirectory, security: -1, names: 1}}
	d.live = 1
	return d
}

// Root returns the node of the root folder.
func (d *Draft) Root() Node { return 0 }

// Len returns the number of entries, including the root.
func (d *Draft) Len() int { return d.live }

// Exists reports whether n is in the tree.
func (d *Draft) Exists(n Node) bool {
	return n >= 0 && int(n) < len(d.nodes) && d.nodes[n].inode >= 0
}

func (d *Draft) inode(n Node) *draftInode { return &d.inodes[d.nodes[n].inode] }

// streamsOf returns the streams of an inode. The slice may be changed, and is valid until streams are added.
func (d *Draft) streamsOf(in *draftInode) []inodeStream {
	end := in.firstStream + in.numStreams
	return d.streams[in.firstStream:end:end]
}

// setStreams replaces the streams of an inode.
func (d *Draft) setStreams(in *draftInode, list []inodeStream) {
	in.firstStream, in.numStreams = int32(len(d.streams)), int32(len(list))
	d.streams = append(d.streams, list...)
}

// removeStreams removes the streams of an inode for which gone returns true.
func (d *Draft) removeStreams(in *draftInode, gone func(inodeStream) bool) {
	in.numStreams = int32(len(slices.DeleteFunc(d.streamsOf(in), gone)))
}

// addText adds a stored text and returns its index.
func (d *Draft) addText(s string) int32 {
	if s == "" {
		return 0
	}
	d.texts = append(d.texts, s)
	return int32(len(d.texts) - 1)
}

// Name returns the escaped name of n, "" for the root.
func (d *Draft) Name(n Node) string { return ntname.Text(d.nodes[n].name) }

// Parent returns the folder that holds n. The root is its own parent.
func (d *Draft) Parent(n Node) Node { return d.nodes[n].parent }

// Path returns the path of n, with escaped names separated by slashes: "/a/b", "/" for the root.
func (d *Draft) Path(n Node) string {
	if n == 0 {
		return "/"
	}
	var steps []string
	for ; n != 0; n = d.nodes[n].parent {
		steps = append(steps, d.Name(n), "/")
	}
	slices.Reverse(steps)
	return strings.Join(steps, "")
}

// IsDir reports whether n is a folder. A junction, which stands for another place, is none.
func (d *Draft) IsDir(n Node) bool { return d.nodes[n].dir >= 0 }

// Children returns the entries of the folder n sorted by name, ignoring case and then by UTF-16 units. The slice must not be changed,
// and is valid until the draft is changed.
func (d *Draft) Children(n Node) []Node {
	at := d.nodes[n].dir
	if at < 0 {
		return nil
	}
	d.sort(&d.dirs[at])
	return d.dirs[at].kids
}

func (d *Draft) sort(dir *draftDir) {
	if dir.sorted {
		return
	}
	dir.sorted = true
	slices.SortStableFunc(dir.kids, func(a, b Node) int { return ntname.CompareStored(d.nodes[a].name, d.nodes[b].name) })
}

// Lookup returns the entry at a path, whose steps are separated by slashes. A leading slash and empty steps are ignored. Names may be
// escaped or not. If fold is set, a name without an exact match is compared ignoring case.
func (d *Draft) Lookup(path string, fold bool) (Node, bool) {
	n := Node(0)
	for step := range strings.SplitSeq(path, "/") {
		if step == "" {
			continue
		}
		child, ok := d.child(n, ntname.Stored(step), fold)
		if !ok {
			return 0, false
		}
		n = child
	}
	return n, true
}

// search returns the position of a stored name in sorted children, or the position at which it would be inserted.
func (d *Draft) search(kids []Node, name string) (at int, found bool) {
	return slices.BinarySearchFunc(kids, name, func(c Node, name string) int { return ntname.CompareStored(d.nodes[c].name, name) })
}

// child returns the child of n with a stored name.
func (d *Draft) child(n Node, name string, fold bool) (Node, bool) {
	kids := d.Children(n)
	at, found := d.search(kids, name)
	if found {
		return kids[at], true
	}
	if !fold {
		return 0, false
	}
	// Names that differ only in case are adjacent, and name would be inserted next to them.
	for _, at := range [...]int{at, at - 1} {
		if at >= 0 && at < len(kids) && ntname.EqualFold(ntname.RawBytes(d.nodes[kids[at]].name), ntname.RawBytes(name)) {
			for at > 0 && ntname.EqualFold(ntname.RawBytes(d.nodes[kids[at-1]].name), ntname.RawBytes(name)) {
				at--
			}
			return kids[at], true
		}
	}
	return 0, false
}

// Attributes returns the FILE_ATTRIBUTE bits of n.
func (d *Draft) Attributes(n Node) uint32 { return d.inode(n).attributes }

// Links returns the number of names of the file n.
func (d *Draft) Links(n Node) int { return int(d.inode(n).names) }

// SameFile reports whether a and b are names of one file.
func (d *Draft) SameFile(a, b Node) bool { return d.nodes[a].inode == d.nodes[b].inode }

// Streams returns the streams of n: reparse data, content, then named streams. Every file has a content, which may be empty; an encrypted
// file has its raw stream in place of both.
func (d *Draft) Streams(n Node) []Stream {
	streams := d.streamsOf(d.inode(n))
	list := make([]Stream, len(streams))
	for i, s := range streams {
		list[i] = Stream{Kind: s.kind, Name: ntname.Text(d.texts[s.name]), Content: s.content, Size: d.size(s.content)}
	}
	return list
}

func (d *Draft) size(id ContentID) int64 {
	if id < 0 {
		return 0
	}
	return d.contents[id].size
}

// EachStream calls yield for each stream that is not empty of each entry until yield returns false. It reports those of a file with
// several names once for each name.
func (d *Draft) EachStream(yield func(n Node, kind format.StreamKind, id ContentID) bool) {
	for i := range d.nodes {
		if d.nodes[i].inode < 0 {
			continue
		}
		for _, s := range d.streamsOf(d.inode(Node(i))) {
			if s.content >= 0 && !yield(Node(i), s.kind, s.content) {
				return
			}
		}
	}
}

// References returns for each content the number of streams of the tree that have it, counted once for each name of a file. It is 0 for
// contents of removed entries.
func (d *Draft) References() []int32 {
	refs := make([]int32, len(d.contents))
	d.EachStream(func(_ Node, _ format.StreamKind, id ContentID) bool {
		refs[id]++
		return true
	})
	return refs
}

// Entry returns all fields of n.
func (d *Draft) Entry(n Node) Entry {
	in := d.inode(n)
	rare := in.getRare()
	e := Entry{
		Name: d.Name(n), ShortName: ntname.Text(d.texts[d.nodes[n].short]), Attributes: in.attributes,
		Created: in.created, Accessed: in.accessed, Modified: in.modified,
		ReparseTag: rare.reparseTag, NotFixed: rare.reparseMore&reparseNotFixed != 0, Unknown: rare.unknown, Streams: d.Streams(n),
	}
	if in.security >= 0 {
		e.Security = []byte(d.security[in.security])
	}
	for rest := []byte(rare.items); ; {
		item, next, ok := format.NextItem(rest)
		if !ok {
			return e
		}
		rest = next
		switch item.Tag {
		case format.TagObjectID:
			if e.ObjectID == nil {
				e.ObjectID = item.Data
				continue
			}
		case format.TagUnixData:
			if u, err := format.ParseUnixData(item.Data); err == nil && e.Unix == nil && len(item.Data) == format.UnixDataSize {
				e.Unix = &u
				continue
			}
		case format.TagXattrs:
			if list, ok := parseXattrs(item.Data); ok && e.Xattrs == nil {
				e.Xattrs = list
				continue
			}
		}
		e.Items = append(e.Items, item)
	}
}

// parseXattrs parses a tagged item of extended attributes. ok is false if any byte of it is malformed.
func parseXattrs(rest []byte) (list []format.Xattr, ok bool) {
	for len(rest) > 0 {
		x, next, ok := format.NextXattr(rest)
		if !ok {
			return nil, false
		}
		list = append(list, x)
		rest = next
	}
	return list, true
}

// Contents returns a copy of the list of contents.
func (d *Draft) Contents() []Content {
	list := make([]Content, len(d.contents))
	for i := range d.contents {
		list[i] = d.contents[i].get()
	}
	return list
}

// NumContents returns the number of contents.
func (d *Draft) NumContents() int { return len(d.contents) }

// Content returns content number id, which must not be NoContent.
func (d *Draft) Content(id ContentID) Content { return d.contents[id].get() }

// AddContent adds a content for streams of entries that are added later, and returns its number: that of an earlier one with the same known
// hash, or NoContent if it has no bytes. If Bytes is set it computes their hash.
func (d *Draft) AddContent(c Content) ContentID {
	if len(c.Bytes) > 0 {
		c.Size, c.Hash, c.Known, c.Source = int64(len(c.Bytes)), sha1.Sum(c.Bytes), true, -1
	}
	if c.Known {
		c.Hash = format.ReadHash((*[20]byte)(&c.Hash))
		if c.Hash.IsZero() {
			return NoContent
		}
		if id, ok := d.byHash[c.Hash]; ok {
			if have := &d.contents[id]; have.source < 0 && have.rare == nil && c.Source >= 0 {
				have.set(&c) // a file to read if no archive holds the blob
			}
			return id
		}
	} else if c.Size == 0 {
		return NoContent
	}
	id := ContentID(len(d.contents))
	d.contents = append(d.contents, draftContent{})
	d.contents[id].set(&c)
	if c.Known {
		d.byHash[c.Hash] = id
	}
	return id
}

// SetHash sets the hash of a content that was read. The hash of an empty content is zero.
func (d *Draft) SetHash(id ContentID, h format.Hash) {
	d.contents[id].hash, d.contents[id].known = format.ReadHash((*[20]byte)(&h)), true
}

// SetSize sets the size of a content that turned out to differ, in bytes.
func (d *Draft) SetSize(id ContentID, size int64) { d.contents[id].size = size }

// Stats returns the counts and sizes of the tree for the XML document.
func (d *Draft) Stats() xmldoc.Stats {
	var s xmldoc.Stats
	for i := range d.nodes {
		if d.nodes[i].inode < 0 {
			continue
		}
		if in := d.inode(Node(i)); in.attributes&(format.AttrDirectory|format.AttrReparsePoint) == format.AttrDirectory {
			s.Dirs++
		} else {
			s.Files++
		}
	}
	for i := range d.inodes {
		in := &d.inodes[i]
		for _, st := range d.streamsOf(in) {
			s.TotalBytes += d.size(st.content) * int64(in.names)
			s.HardLinkBytes += d.size(st.content) * int64(max(in.names-1, 0))
		}
	}
	return s
}
