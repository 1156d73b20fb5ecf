package draft

import (
	"slices"
	"strings"

	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/ntname"
	"wimscope/wim/xmldoc"
)

// Node is an entry of a draft. The root is 0; a node's number stays valid while the draft lives, and is not given
// to another one when the node is removed.
type Node int32

// ContentID is an index into Draft.Contents. NoContent stands for no bytes, which have the hash of zeros.
type ContentID int32

// NoContent is the content of what is empty.
const NoContent ContentID = -1

// Content is the bytes of one or more streams of a draft, which may not have been read yet. One whose hash is known and
// that has a path is a file that is thought to be as an archive has it: it need not be read if the archive is there.
type Content struct {
	Hash    format.Hash
	Known   bool            // Hash is known
	Size    int64           // bytes; of what an archive holds 0 if no open part has it
	Source  int             // the file system that has it, by the number that ScanOptions gave; -1 if it is in an archive or in Bytes
	Path    string          // its path there
	Stream  string          // the named stream there, "" for the file's content
	Bytes   []byte          // the bytes themselves, of small ones such as reparse data; not to be changed
	ModTime format.Filetime // of the file when it was looked at, 0 if that is not known

	Unpacked bool // the configuration says that it is not to be packed
}

// Stream is a stream of an entry.
type Stream struct {
	Kind    format.StreamKind
	Name    string // escaped as file names are; "" unless Kind is StreamNamed
	Content ContentID
	Size    int64 // of the content; Add takes no notice of it
}

// Entry is what a draft keeps of a file or folder. Names are escaped, see ntname.Escape.
type Entry struct {
	Name                        string
	ShortName                   string // 8.3 name, "" if there is none
	Attributes                  uint32 // FILE_ATTRIBUTE bits; AttrDirectory makes a folder
	Created, Accessed, Modified format.Filetime
	Security                    []byte // self-relative security descriptor, nil if there is none
	ReparseTag                  uint32 // with AttrReparsePoint
	NotFixed                    bool   // a link's target stands as it was when it was captured
	Unknown                     uint32 // the dentry field of unknown meaning, kept
	Unix                        *format.UnixData
	ObjectID                    []byte // 16 to 64 bytes, nil if there is none
	Xattrs                      []format.Xattr
	Items                       []format.TaggedItem // others, kept
	Streams                     []Stream
}

// Draft is an image's tree that can be changed: that of an image, of a scanned folder, or one made entry by entry. It
// is not for several goroutines at a time.
type Draft struct {
	nodes    []draftNode
	inodes   []draftInode
	streams  []inodeStream // of inodes, those of one together
	dirs     []draftDir
	contents []draftContent
	texts    []string                  // short names and names of streams, UTF-16LE as stored; the first is ""
	byHash   map[format.Hash]ContentID // of contents whose hash was known when they were added
	security []string                  // descriptors, each once
	secIndex map[string]int32
	live     int                 // nodes that were not removed
	ids      map[[2]uint64]int32 // inodes of files by what the file system knows them by, for Graft; nil: none
}

// draftNode is a name of an inode.
type draftNode struct {
	name   string // UTF-16LE as stored
	short  int32  // index into texts
	parent Node
	inode  int32 // -1: removed
	dir    int32 // index into dirs, -1 if it can have no children
}

// draftDir is the list of a folder's children, in the order of names once sorted is set.
type draftDir struct {
	kids   []Node
	sorted bool
}

// draftInode is a file or folder, which several names may share.
//
// There is one for each of perhaps a million files, so what few have stands apart.
type draftInode struct {
	created, accessed, modified format.Filetime
	rare                        *inodeRare // nil: all of it is zero
	firstStream, numStreams     int32      // in Draft.streams
	attributes                  uint32
	security                    int32 // index, -1 for none
	names                       int32 // how many nodes have it
}

// inodeRare is what few inodes have.
type inodeRare struct {
	unused      [2]uint64 // dentry fields of no known use
	link        uint64    // number of its hard links as it was read, 0 if it has none yet
	items       string    // tagged items as stored
	unknown     uint32
	reparseTag  uint32
	reparseMore uint32 // what follows the tag: 16 bits reserved, 16 bits of flags
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

// draftContent is a Content as a draft keeps it. There is one for each of perhaps a million files.
type draftContent struct {
	hash            format.Hash
	source          int32
	size            int64
	path            string
	modTime         format.Filetime
	rare            *contentRare // nil: all of it is zero
	known, unpacked bool
}

// contentRare is what few contents have.
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

// reparseNotFixed is the flag of reparseMore that says that a link's target was left as it was.
const reparseNotFixed = 1 << 16

// New makes a draft of an empty root folder without times.
func New() *Draft {
	d := &Draft{byHash: map[format.Hash]ContentID{}, secIndex: map[string]int32{}, texts: []string{""}}
	d.nodes = []draftNode{{dir: 0}}
	d.dirs = []draftDir{{sorted: true}}
	d.inodes = []draftInode{{attributes: format.AttrDirectory, security: -1, names: 1}}
	d.live = 1
	return d
}

// Root is the node of the root folder.
func (d *Draft) Root() Node { return 0 }

// Len is how many entries the draft has, the root included.
func (d *Draft) Len() int { return d.live }

// Exists says that n is in the tree: it was made and not removed.
func (d *Draft) Exists(n Node) bool {
	return n >= 0 && int(n) < len(d.nodes) && d.nodes[n].inode >= 0
}

func (d *Draft) inode(n Node) *draftInode { return &d.inodes[d.nodes[n].inode] }

// streamsOf gives the streams of an inode. They may be changed, and hold until streams are added.
func (d *Draft) streamsOf(in *draftInode) []inodeStream {
	end := in.firstStream + in.numStreams
	return d.streams[in.firstStream:end:end]
}

// setStreams replaces the streams of an inode.
func (d *Draft) setStreams(in *draftInode, list []inodeStream) {
	in.firstStream, in.numStreams = int32(len(d.streams)), int32(len(list))
	d.streams = append(d.streams, list...)
}

// removeStreams removes those streams of an inode that gone names.
func (d *Draft) removeStreams(in *draftInode, gone func(inodeStream) bool) {
	in.numStreams = int32(len(slices.DeleteFunc(d.streamsOf(in), gone)))
}

// addText adds a stored text, and gives its index.
func (d *Draft) addText(s string) int32 {
	if s == "" {
		return 0
	}
	d.texts = append(d.texts, s)
	return int32(len(d.texts) - 1)
}

// Name is the escaped name of n, "" for the root.
func (d *Draft) Name(n Node) string { return ntname.Text(d.nodes[n].name) }

// Parent is the folder that holds n; the root is its own.
func (d *Draft) Parent(n Node) Node { return d.nodes[n].parent }

// Path is the path of n, its names escaped and separated by slashes: "/a/b", "/" for the root.
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

// IsDir says that n is a folder, and not one that stands for another place as a junction does.
func (d *Draft) IsDir(n Node) bool { return d.nodes[n].dir >= 0 }

// Children lists what is in the folder n by name, ignoring case and then by UTF-16 units. The slice is not to be
// changed, and holds until the draft is.
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

// Lookup finds an entry by its path. Steps are separated by slashes; a leading one, and empty steps, do not matter.
// Names may be escaped or not. With fold, a name that is not there is looked for ignoring case.
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

// search finds where in children that are in order a stored name is, or would be.
func (d *Draft) search(kids []Node, name string) (at int, found bool) {
	return slices.BinarySearchFunc(kids, name, func(c Node, name string) int { return ntname.CompareStored(d.nodes[c].name, name) })
}

// child finds the child of n by its stored name.
func (d *Draft) child(n Node, name string, fold bool) (Node, bool) {
	kids := d.Children(n)
	at, found := d.search(kids, name)
	if found {
		return kids[at], true
	}
	if !fold {
		return 0, false
	}
	// Twins by case stand together, the one that is looked for would be among them.
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

// Attributes are the FILE_ATTRIBUTE bits of n.
func (d *Draft) Attributes(n Node) uint32 { return d.inode(n).attributes }

// Links is how many names the file n has.
func (d *Draft) Links(n Node) int { return int(d.inode(n).names) }

// SameFile says that a and b are names of one file.
func (d *Draft) SameFile(a, b Node) bool { return d.nodes[a].inode == d.nodes[b].inode }

// Streams lists the streams of n: reparse data, content, then named ones. A file has content, if only an empty one; an
// encrypted one has nothing but its raw stream.
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

// EachStream calls yield for each stream that is not empty of each entry, a file's once for each of its names, until it
// says false.
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

// References counts for each content how many streams of the tree have it, a file's once for each of its names. Of those
// whose entries were removed it is 0.
func (d *Draft) References() []int32 {
	refs := make([]int32, len(d.contents))
	d.EachStream(func(_ Node, _ format.StreamKind, id ContentID) bool {
		refs[id]++
		return true
	})
	return refs
}

// Entry gives all that the draft keeps of n.
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

// parseXattrs reads an item of attributes, if all of it is such.
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

// Contents makes a copy of the table of contents.
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

// AddContent adds a content, for streams of entries that are added later, and gives its number: that of one with the same
// known hash, or NoContent if it has no bytes. The hash of Bytes is reckoned.
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
				have.set(&c) // now there is a file, should no archive have it
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

// SetHash tells the hash of a content that was read. No bytes have the hash of zeros.
func (d *Draft) SetHash(id ContentID, h format.Hash) {
	d.contents[id].hash, d.contents[id].known = format.ReadHash((*[20]byte)(&h)), true
}

// SetSize tells how many bytes of a content there turned out to be.
func (d *Draft) SetSize(id ContentID, size int64) { d.contents[id].size = size }

// Stats counts what is in the tree.
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
