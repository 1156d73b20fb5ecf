package wim

import (
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// StreamInfo is one stream of an entry. Hash is zero for an empty stream.
type StreamInfo struct {
	Kind format.StreamKind
	Name string // escaped like file names; "" unless Kind is StreamNamed
	Size int64  // bytes; 0 if no open part holds the blob
	Hash format.Hash
}

// ExtraStreams returns an iterator over the stream entries after the dentry of n. Loading the tree has reported malformed ones.
func (im *Image) ExtraStreams(n Node) format.StreamIter {
	return format.Streams(im.meta, uint64(im.nodes[n].off), im.dentry(n))
}

// UnnamedStreams returns the hashes of an entry's unnamed streams. They are stored in the order reparse data, data. The dentry's own hash
// comes before those of extra entries, and is ignored if it is zero and there are such. An encrypted file has one, the raw stream; a
// directory has no data (wimlib before 1.14.2 wrote an empty one).
func (im *Image) UnnamedStreams(n Node) (data, reparse format.Hash) {
	e := im.dentry(n)
	attrs := e.Attributes()
	var found [2]format.Hash
	count := 0
	main := format.ReadHash(e.Hash())
	if !main.IsZero() {
		found[0], count = main, 1
	}
	for s := im.ExtraStreams(n); count < 2 && s.Next(); {
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

// Hash returns the SHA-1 of the content of n: its unnamed data stream, or its raw stream if it is encrypted. It is zero if the content is
// empty, and for directories.
func (im *Image) Hash(n Node) format.Hash {
	e := im.Dentry(n)
	if e.NumStreams() == 0 &&
		e.Attributes()&(format.AttrReparsePoint|format.AttrDirectory) == 0 {
		return format.ReadHash(e.Hash())
	}
	data, _ := im.UnnamedStreams(n)
	return data
}

// Size returns the size of n's content in bytes, 0 if no open part holds it.
func (im *Image) Size(n Node) int64 {
	if e := im.fixed(n); e.streams() == 0 && e.attributes()&(format.AttrReparsePoint|format.AttrDirectory) == 0 {
		return blobSize(im, format.ReadHash((*[20]byte)(e.hash())))
	}
	return blobSize(im, im.Hash(n))
}

// TotalSize returns the sum of the sizes of nodes.
func (im *Image) TotalSize(nodes []Node) int64 {
	sum := int64(0)
	for len(nodes) > 0 {
		n := min(pieceNodes, len(nodes))
		sum += sizeOfSome(im, nodes[:n])
		nodes = nodes[n:]
	}
	return sum
}

func sizeOfSome(im *Image, nodes []Node) int64 {
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

// Missing reports whether the content of n is not empty and no open part holds it.
func (im *Image) Missing(n Node) bool {
	h := im.Hash(n)
	if h.IsZero() || im.a == nil {
		return false
	}
	_, ok := im.a.st.BlobID(h)
	return !ok
}

// blobSize returns the size of a blob in bytes, 0 if no open part holds it.
func blobSize(im *Image, h format.Hash) int64 {
	if h.IsZero() || im.a == nil {
		return 0
	}
	id, ok := im.a.st.BlobID(h)
	if !ok {
		return 0
	}
	return im.a.st.Records[id].Size
}

// Streams returns the streams of n other than its content: first its reparse data, then its named streams in stored order.
func (im *Image) Streams(n Node) []StreamInfo {
	var list []StreamInfo
	add := func(kind format.StreamKind, name string, h format.Hash) {
		list = append(list, StreamInfo{Kind: kind, Name: name, Size: blobSize(im, h), Hash: h})
	}
	if im.Attributes(n)&format.AttrReparsePoint != 0 {
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

// NamedStreams returns the number of named streams of n.
func (im *Image) NamedStreams(n Node) int {
	count := 0
	for s := im.ExtraStreams(n); s.Next(); {
		if len(s.Name) > 0 {
			count++
		}
	}
	return count
}

// Stream returns the stream of n with an escaped name, compared exactly or else ignoring case. "" is n's content.
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
			best = StreamInfo{Kind: format.StreamNamed, Name: string(ntname.AppendEscaped(nil, s.Name)), Size: blobSize(im, s.Hash), Hash: s.Hash}
			found = true
		}
		if exact {
			break
		}
	}
	return best, found
}

// EachStream calls yield for each stream of the nodes [from, to) that is not empty: for every entry in the order of nodes its content, its
// reparse data and its named streams. name is the stored name of a named stream, UTF-16LE, nil otherwise; it is valid only during the
// call. EachStream stops when yield returns false.
func (im *Image) EachStream(from, to Node, yield func(n Node, h format.Hash, kind format.StreamKind, name []byte) bool) {
	for n := from; n < to; n++ {
		e := im.Dentry(n)
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
