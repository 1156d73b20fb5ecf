package wim

import (
	"sort"
	"strings"
	"sync"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/xmldoc"
)

// Node is the number of an entry in an image's tree. The root is 0, the children of a directory are contiguous, and every entry has a
// greater number than its parent.
type Node int32

// Image is one captured tree: an index over the bytes of its metadata resource. It does not change once loaded, and its methods may be
// called from several goroutines. A Node passed to them must be one of this image, from 0 to Len()-1.
type Image struct {
	*tree
	a     *Archive
	index int

	linkData linkData

	// Built when first needed.
	linksOnce sync.Once
	links     []linkName
	twinsOnce sync.Once
	twins     []Node
	orderMu   sync.Mutex
	order     map[Node][]Node // children by name, of large directories
}

// ParseImage builds the index of image index (from 1) over the bytes of its metadata resource, which it keeps. What can be tolerated
// becomes a warning or a loss; a resource without a readable root entry is a *format.Error. a may be nil; then no blob sizes are known.
func ParseImage(a *Archive, index int, metadata []byte) (*Image, error) {
	im := &Image{a: a, index: index}
	info := im.Info()
	entries := max(info.Dirs, 0) + max(info.Files, 0) // a hint only: both come from the XML document, and the sum may overflow
	var err error
	if im.tree, err = loadTree(metadata, entries+1); err != nil {
		return nil, err
	}
	for i := range im.losses {
		im.losses[i].Image = index
	}
	return im, nil
}

// memoryOf estimates how many bytes the image keeps alive.
func memoryOf(im *Image) int64 {
	const perNode = 16 + 4 // the node, and its place in the order of names
	return int64(cap(im.meta)) + int64(cap(im.nodes))*perNode + int64(cap(im.descriptors))*24
}

// Archive returns the archive that the image was loaded from, nil if it was parsed by itself.
func (im *Image) Archive() *Archive { return im.a }

// Index returns the image's number in the archive, from 1.
func (im *Image) Index() int { return im.index }

// Len returns the number of entries, including the root.
func (im *Image) Len() int { return len(im.nodes) }

// Warnings returns the faults of the metadata that lost nothing, at most about a hundred.
func (im *Image) Warnings() []string { return im.warnings }

// Losses returns what is missing from the tree, at most the first hundred losses; n is the number of all. An image with losses is
// incomplete: what can be reached is sound, but more was captured.
func (im *Image) Losses() (first []Loss, n int) { return im.losses, im.lost }

// Metadata returns the bytes of the metadata resource. They must not be changed.
func (im *Image) Metadata() []byte { return im.meta }

// Descriptors returns the security descriptors in stored order, nil for those whose bytes are missing.
func (im *Image) Descriptors() [][]byte { return im.descriptors }

// Info returns the description of the image in the XML document.
func (im *Image) Info() xmldoc.ImageInfo {
	if im.a != nil {
		if infos := im.a.Images(); im.index >= 1 && im.index <= len(infos) {
			return infos[im.index-1]
		}
	}
	return xmldoc.ImageInfo{}
}

// Name returns the escaped name of n, "" for the root; see ntname.Escape.
func (im *Image) Name(n Node) string {
	var room [64]byte
	return string(ntname.AppendEscaped(room[:0], im.StoredName(n)))
}

// StoredName returns the name of n as stored: UTF-16LE, empty for the root.
func (im *Image) StoredName(n Node) []byte {
	if n == 0 {
		return nil
	}
	return im.dentry(n).Name()
}

// Path returns the path of n, with escaped names separated by slashes: "/a/b", "/" for the root.
func (im *Image) Path(n Node) string {
	var room [256]byte
	return string(im.appendPath(room[:0], n, maxPathNames))
}

// Parent returns the directory that holds n. The root is its own parent.
func (im *Image) Parent(n Node) Node { return im.nodes[n].parent }

// Children returns the range of n's children: the nodes first to first+count-1.
func (im *Image) Children(n Node) (first Node, count int) {
	return im.nodes[n].first, int(im.nodes[n].count)
}

// IsDir reports whether n is a directory. A junction or directory symbolic link, which stands for another place, is none.
func (im *Image) IsDir(n Node) bool {
	e := im.fixed(n)
	a := e.attributes()
	return a&format.AttrDirectory != 0 && (a&format.AttrReparsePoint == 0 || !format.IsSurrogate(e.reparseTag()))
}

// Dentry returns the record of n, for fields that no other method returns.
func (im *Image) Dentry(n Node) format.DentryView { return im.dentry(n) }

// Attributes returns the FILE_ATTRIBUTE bits of n.
func (im *Image) Attributes(n Node) uint32 { return im.fixed(n).attributes() }

// Created returns the creation time of n.
func (im *Image) Created(n Node) format.Filetime {
	return format.Filetime(im.Dentry(n).Created())
}

// Accessed returns the time of the last access to n.
func (im *Image) Accessed(n Node) format.Filetime {
	return format.Filetime(im.Dentry(n).Accessed())
}

// Modified returns the time of the last write to n.
func (im *Image) Modified(n Node) format.Filetime {
	return format.Filetime(im.Dentry(n).Modified())
}

// ReparseTag returns the tag of a reparse point, 0 for any other entry.
func (im *Image) ReparseTag(n Node) uint32 {
	e := im.Dentry(n)
	if e.Attributes()&format.AttrReparsePoint == 0 {
		return 0
	}
	return e.ReparseTag()
}

// ShortName returns the escaped 8.3 name of n, "" if it has none.
func (im *Image) ShortName(n Node) string {
	return string(ntname.AppendEscaped(nil, im.Dentry(n).ShortName()))
}

// Security returns the security descriptor of n as stored, nil if it has none. security.Parse reads it.
func (im *Image) Security(n Node) []byte {
	id := im.Dentry(n).SecurityID()
	if id < 0 || int(id) >= len(im.descriptors) {
		return nil
	}
	return im.descriptors[id]
}

// Items returns the tagged items of n: object id, Unix data, extended attributes, and others of unknown meaning.
func (im *Image) Items(n Node) format.Items { return im.Dentry(n).Items() }

// Lookup returns the entry at a path, whose steps are separated by slashes, or by backslashes if that finds nothing. A leading
// separator and empty steps are ignored. Names may be escaped or not; an exact match is preferred to one that ignores case.
func (im *Image) Lookup(path string) (Node, bool) {
	n, ok := lookupPath(im, path)
	if !ok && strings.Contains(path, `\`) {
		n, ok = lookupPath(im, strings.ReplaceAll(path, `\`, "/"))
	}
	return n, ok
}

func lookupPath(im *Image, path string) (Node, bool) {
	n := Node(0)
	for step := range strings.SplitSeq(path, "/") {
		if step == "" {
			continue
		}
		units, _ := ntname.Unescape(step)
		name := ntname.Bytes(units)
		child, ok := im.Child(n, name, true)
		if !ok {
			child, ok = im.Child(n, name, false)
		}
		if !ok {
			return 0, false
		}
		n = child
	}
	return n, true
}

// manyNames is the number of entries from which on a directory is searched by binary search.
const manyNames = 32

// Child returns the child of n with a stored name. If exact is false case is ignored, and of names that differ only in case the first by
// code units is returned.
func (im *Image) Child(n Node, name []byte, exact bool) (Node, bool) {
	first, count := im.Children(n)
	if count < manyNames {
		for c := first; c < first+Node(count); c++ {
			if raw := im.StoredName(c); exact && ntname.Equal(raw, name) || !exact && ntname.EqualFold(raw, name) {
				return c, true
			}
		}
		return 0, false
	}
	compare := func(c Node) int {
		e, f := ntname.Compare(im.StoredName(c), name)
		if f != 0 || !exact {
			return f
		}
		return e
	}
	if im.InOrder(n) {
		at, found := sort.Find(count, func(i int) int { return -compare(first + Node(i)) })
		return first + Node(at), found
	}
	list := im.Sorted(n)
	at, found := sort.Find(count, func(i int) int { return -compare(list[i]) })
	if !found {
		return 0, false
	}
	return list[at], true
}
