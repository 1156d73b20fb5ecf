package core

import (
	"wimscope/wim/internal/format"
	"wimscope/wim/ntname"
)

// StreamKind says what a stream of an entry is.
type StreamKind uint8

const (
	StreamData    StreamKind = iota // the unnamed data: a file's content
	StreamNamed                     // a named data stream
	StreamReparse                   // reparse data, without its 8-byte header
	StreamRaw                       // all of an EFS-encrypted file, as the system's backup gives it
)

// StreamInfo is one stream of an entry. Hash is zero for an empty stream.
type StreamInfo struct {
	Kind StreamKind
	Name string // escaped as file names are; "" unless Kind is StreamNamed
	Size int64  // bytes; 0 if no open part holds the content
	Hash Hash
}

// emptyHash is the SHA-1 of nothing. Writers should store zero in its place; some do not.
const emptyHash = "\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8\x07\x09"

// readHash reads a stored hash, giving zero for empty content either way.
func readHash(h *[20]byte) Hash {
	if string(h[:]) == emptyHash {
		return Hash{}
	}
	return *h
}

// streamIter walks the extra stream entries behind a dentry. What does not fit ends the walk: loading the tree
// has warned of it.
type streamIter struct {
	meta []byte
	off  uint64
	left int
	name []byte // UTF-16LE
	hash Hash
}

func (t *tree) extraStreams(n Node) streamIter {
	e := t.entry(n)
	return streamIter{meta: t.meta, off: uint64(t.nodes[n].off) + e.Size(), left: e.NumStreams()}
}

func (s *streamIter) next() bool {
	if s.left == 0 {
		return false
	}
	s.left--
	v, err := format.ViewStream(s.meta, s.off)
	if err != nil {
		s.left = 0
		return false
	}
	s.off += v.Size()
	s.name, s.hash = v.Name(), readHash(v.Hash())
	return true
}

// unnamedStreams sorts out an entry's unnamed streams. They stand in the order reparse data, data; the dentry's
// own hash comes before those of extra entries, and does not count if it is zero and there are such. An encrypted
// file has one, the raw one; a directory has no data (wimlib before 1.14.2 wrote an empty one).
func (t *tree) unnamedStreams(n Node) (data, reparse Hash) {
	e := t.entry(n)
	attrs := e.Attributes()
	var found [2]Hash
	count := 0
	main := readHash(e.Hash())
	if !main.IsZero() {
		found[0], count = main, 1
	}
	for s := t.extraStreams(n); count < 2 && s.next(); {
		if len(s.name) == 0 {
			found[count] = s.hash
			count++
		}
	}
	switch {
	case attrs&AttrEncrypted != 0 && attrs&AttrDirectory == 0:
		return found[0], Hash{}
	case attrs&AttrReparsePoint != 0:
		data, reparse = found[1], found[0]
	default:
		data = found[0]
	}
	if attrs&AttrDirectory != 0 {
		data = Hash{}
	}
	return data, reparse
}

// Hash names the content of n: its unnamed data, or all of it if it is encrypted. It is zero if that is empty and
// for directories.
func (im *Image) Hash(n Node) Hash {
	e := im.entry(n)
	if e.NumStreams() == 0 &&
		e.Attributes()&(AttrReparsePoint|AttrDirectory) == 0 {
		return readHash(e.Hash())
	}
	data, _ := im.unnamedStreams(n)
	return data
}

// Size is how many bytes n's content has, 0 if no open part holds it.
func (im *Image) Size(n Node) int64 {
	if e := im.fixed(n); e.streams() == 0 && e.attributes()&(AttrReparsePoint|AttrDirectory) == 0 {
		return im.blobSize(readHash((*[20]byte)(e.hash())))
	}
	return im.blobSize(im.Hash(n))
}

// TotalSize is the sum of the sizes of nodes.
func (im *Image) TotalSize(nodes []Node) int64 {
	sum := int64(0)
	for len(nodes) > 0 {
		n := min(pieceNodes, len(nodes))
		sum += im.someSize(nodes[:n])
		nodes = nodes[n:]
	}
	return sum
}

func (im *Image) someSize(nodes []Node) int64 {
	if im.a == nil {
		return 0
	}
	blobs := im.a.blobs
	sum := int64(0)
	for _, n := range nodes {
		e := im.fixed(n)
		h := e.hash()
		if e.streams() != 0 || e.attributes()&(AttrReparsePoint|AttrDirectory) != 0 || h[0] == emptyHash[0] {
			sum += im.Size(n)
			continue
		}
		if id, _, ok := im.a.index.find(blobs, h); ok {
			sum += blobs[id].size
		}
	}
	return sum
}

// Missing says that the content of n is not empty and in no open part.
func (im *Image) Missing(n Node) bool {
	h := im.Hash(n)
	if h.IsZero() || im.a == nil {
		return false
	}
	_, ok := im.a.blobID(h)
	return !ok
}

func (im *Image) blobSize(h Hash) int64 {
	if h.IsZero() || im.a == nil {
		return 0
	}
	id, ok := im.a.blobID(h)
	if !ok {
		return 0
	}
	return im.a.blobs[id].size
}

// Streams lists what n has beside its content: first its reparse data, then its named streams as they stand.
func (im *Image) Streams(n Node) []StreamInfo {
	var list []StreamInfo
	add := func(kind StreamKind, name string, h Hash) {
		list = append(list, StreamInfo{Kind: kind, Name: name, Size: im.blobSize(h), Hash: h})
	}
	if im.isReparse(n) {
		_, reparse := im.unnamedStreams(n)
		add(StreamReparse, "", reparse)
	}
	for s := im.extraStreams(n); s.next(); {
		if len(s.name) > 0 {
			add(StreamNamed, string(ntname.AppendEscaped(nil, s.name)), s.hash)
		}
	}
	return list
}

// NamedStreams counts the named streams of n.
func (im *Image) NamedStreams(n Node) int {
	count := 0
	for s := im.extraStreams(n); s.next(); {
		if len(s.name) > 0 {
			count++
		}
	}
	return count
}

// Stream finds a named stream of n by its escaped name, exactly or else ignoring case; "" is n's content.
func (im *Image) Stream(n Node, name string) (StreamInfo, bool) {
	if name == "" {
		kind := StreamData
		if a := im.Attributes(n); a&AttrEncrypted != 0 {
			kind = StreamRaw
		}
		return StreamInfo{Kind: kind, Size: im.Size(n), Hash: im.Hash(n)}, !im.IsDir(n)
	}
	units, _ := ntname.Unescape(name)
	want := ntname.Bytes(units)
	found := false
	var best StreamInfo
	for s := im.extraStreams(n); s.next(); {
		if len(s.name) == 0 {
			continue
		}
		exact := ntname.Equal(s.name, want)
		if exact || !found && ntname.EqualFold(s.name, want) {
			best = StreamInfo{Kind: StreamNamed, Name: string(ntname.AppendEscaped(nil, s.name)), Size: im.blobSize(s.hash), Hash: s.hash}
			found = true
		}
		if exact {
			break
		}
	}
	return best, found
}

// EachContent calls yield for each content that the image names: of every entry in the order of its nodes its
// content, its reparse data and its named streams, empty ones left out. name is a named stream's stored name,
// UTF-16LE, nil otherwise; it is only for the call. It ends when yield says false.
func (im *Image) EachContent(yield func(n Node, h Hash, kind StreamKind, name []byte) bool) {
	im.contents(0, Node(im.Len()), yield)
}

// contents is EachContent for the nodes from from to to-1.
func (im *Image) contents(from, to Node, yield func(n Node, h Hash, kind StreamKind, name []byte) bool) {
	for n := from; n < to; n++ {
		e := im.entry(n)
		attrs := e.Attributes()
		extra := e.NumStreams() != 0
		kind := StreamData
		if attrs&AttrEncrypted != 0 {
			kind = StreamRaw
		}
		if !extra && attrs&(AttrReparsePoint|AttrDirectory) == 0 {
			if h := readHash(e.Hash()); !h.IsZero() && !yield(n, h, kind, nil) {
				return
			}
			continue
		}
		data, reparse := im.unnamedStreams(n)
		if !data.IsZero() && !yield(n, data, kind, nil) {
			return
		}
		if !reparse.IsZero() && !yield(n, reparse, StreamReparse, nil) {
			return
		}
		if !extra {
			continue
		}
		for s := im.extraStreams(n); s.next(); {
			if len(s.name) > 0 && !s.hash.IsZero() && !yield(n, s.hash, StreamNamed, s.name) {
				return
			}
		}
	}
}
