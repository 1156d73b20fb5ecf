package wim

import (
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// StreamInfo is one stream of an entry. Hash is zero for an empty stream.
type StreamInfo struct {
	Kind format.StreamKind
	Name string // escaped as file names are; "" unless Kind is StreamNamed
	Size int64  // bytes; 0 if no open part holds the content
	Hash format.Hash
}

// streamIter walks the extra stream entries behind a dentry. What does not fit ends the walk: loading the tree
// has warned of it.
type streamIter struct {
	meta []byte
	Off  uint64
	left int
	Name []byte // UTF-16LE
	Hash format.Hash
}

func (t *tree) ExtraStreams(n Node) streamIter {
	e := t.Entry(n)
	return streamIter{meta: t.Meta, Off: uint64(t.nodes[n].off) + e.Size(), left: e.NumStreams()}
}

func (s *streamIter) Next() bool {
	if s.left == 0 {
		return false
	}
	s.left--
	v, err := format.ViewStream(s.meta, s.Off)
	if err != nil {
		s.left = 0
		return false
	}
	s.Off += v.Size()
	s.Name, s.Hash = v.Name(), format.ReadHash(v.Hash())
	return true
}

// UnnamedStreams sorts out an entry's unnamed streams. They stand in the order reparse data, data; the dentry's
// own hash comes before those of extra entries, and does not count if it is zero and there are such. An encrypted
// file has one, the raw one; a directory has no data (wimlib before 1.14.2 wrote an empty one).
func (t *tree) UnnamedStreams(n Node) (data, reparse format.Hash) {
	e := t.Entry(n)
	attrs := e.Attributes()
	var found [2]format.Hash
	count := 0
	main := format.ReadHash(e.Hash())
	if !main.IsZero() {
		found[0], count = main, 1
	}
	for s := t.ExtraStreams(n); count < 2 && s.Next(); {
		if len(s.Name) == 0 {
			found[count] = s.Hash
			count++
		}
	}
	switch {
	case attrs&format.AttrEncrypted != 0 && attrs&format.AttrDirectory == 0:
		return found[0], format.Hash{}
	case attrs&format.AttrReparsePoint != 0:
		data, reparse = found[1], found[0]
	default:
		data = found[0]
	}
	if attrs&format.AttrDirectory != 0 {
		data = format.Hash{}
	}
	return data, reparse
}

// Hash names the content of n: its unnamed data, or all of it if it is encrypted. It is zero if that is empty and
// for directories.
func (im *Image) Hash(n Node) format.Hash {
	e := im.Entry(n)
	if e.NumStreams() == 0 &&
		e.Attributes()&(format.AttrReparsePoint|format.AttrDirectory) == 0 {
		return format.ReadHash(e.Hash())
	}
	data, _ := im.UnnamedStreams(n)
	return data
}

// Size is how many bytes n's content has, 0 if no open part holds it.
func (im *Image) Size(n Node) int64 {
	if e := im.fixed(n); e.streams() == 0 && e.attributes()&(format.AttrReparsePoint|format.AttrDirectory) == 0 {
		return im.BlobSize(format.ReadHash((*[20]byte)(e.hash())))
	}
	return im.BlobSize(im.Hash(n))
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
	blobs := im.a.st.Records
	sum := int64(0)
	for _, n := range nodes {
		e := im.fixed(n)
		h := e.hash()
		if e.streams() != 0 || e.attributes()&(format.AttrReparsePoint|format.AttrDirectory) != 0 || h[0] == format.EmptyHash[0] {
			sum += im.Size(n)
			continue
		}
		if id, _, ok := im.a.st.Index.Find(blobs, h); ok {
			sum += blobs[id].Size
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
	_, ok := im.a.st.BlobID(h)
	return !ok
}

func (im *Image) BlobSize(h format.Hash) int64 {
	if h.IsZero() || im.a == nil {
		return 0
	}
	id, ok := im.a.st.BlobID(h)
	if !ok {
		return 0
	}
	return im.a.st.Records[id].Size
}

// Streams lists what n has beside its content: first its reparse data, then its named streams as they stand.
func (im *Image) Streams(n Node) []StreamInfo {
	var list []StreamInfo
	add := func(kind format.StreamKind, name string, h format.Hash) {
		list = append(list, StreamInfo{Kind: kind, Name: name, Size: im.BlobSize(h), Hash: h})
	}
	if im.isReparse(n) {
		_, reparse := im.UnnamedStreams(n)
		add(format.StreamReparse, "", reparse)
	}
	for s := im.ExtraStreams(n); s.Next(); {
		if len(s.Name) > 0 {
			add(format.StreamNamed, string(ntname.AppendEscaped(nil, s.Name)), s.Hash)
		}
	}
	return list
}

// NamedStreams counts the named streams of n.
func (im *Image) NamedStreams(n Node) int {
	count := 0
	for s := im.ExtraStreams(n); s.Next(); {
		if len(s.Name) > 0 {
			count++
		}
	}
	return count
}

// Stream finds a named stream of n by its escaped name, exactly or else ignoring case; "" is n's content.
func (im *Image) Stream(n Node, name string) (StreamInfo, bool) {
	if name == "" {
		kind := format.StreamData
		if a := im.Attributes(n); a&format.AttrEncrypted != 0 {
			kind = format.StreamRaw
		}
		return StreamInfo{Kind: kind, Size: im.Size(n), Hash: im.Hash(n)}, !im.IsDir(n)
	}
	units, _ := ntname.Unescape(name)
	want := ntname.Bytes(units)
	found := false
	var best StreamInfo
	for s := im.ExtraStreams(n); s.Next(); {
		if len(s.Name) == 0 {
			continue
		}
		exact := ntname.Equal(s.Name, want)
		if exact || !found && ntname.EqualFold(s.Name, want) {
			best = StreamInfo{Kind: format.StreamNamed, Name: string(ntname.AppendEscaped(nil, s.Name)), Size: im.BlobSize(s.Hash), Hash: s.Hash}
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
func (im *Image) EachContent(yield func(n Node, h format.Hash, kind format.StreamKind, name []byte) bool) {
	im.Contents(0, Node(im.Len()), yield)
}

// Contents is EachContent for the nodes from from to to-1.
func (im *Image) Contents(from, to Node, yield func(n Node, h format.Hash, kind format.StreamKind, name []byte) bool) {
	for n := from; n < to; n++ {
		e := im.Entry(n)
		attrs := e.Attributes()
		extra := e.NumStreams() != 0
		kind := format.StreamData
		if attrs&format.AttrEncrypted != 0 {
			kind = format.StreamRaw
		}
		if !extra && attrs&(format.AttrReparsePoint|format.AttrDirectory) == 0 {
			if h := format.ReadHash(e.Hash()); !h.IsZero() && !yield(n, h, kind, nil) {
				return
			}
			continue
		}
		data, reparse := im.UnnamedStreams(n)
		if !data.IsZero() && !yield(n, data, kind, nil) {
			return
		}
		if !reparse.IsZero() && !yield(n, reparse, format.StreamReparse, nil) {
			return
		}
		if !extra {
			continue
		}
		for s := im.ExtraStreams(n); s.Next(); {
			if len(s.Name) > 0 && !s.Hash.IsZero() && !yield(n, s.Hash, format.StreamNamed, s.Name) {
				return
			}
		}
	}
}
