package wim

import (
	"fmt"
	"sort"
	"strings"
	"sync"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/xmldoc"
)

// Node is an entry of one image's tree. The root is 0; the children of a directory are contiguous, and every
// entry's number is greater than its parent's.
type Node int32

// Image is one captured tree: an index over the bytes of its metadata resource. It does not change once loaded,
// and its methods may be called from several goroutines. A Node must be one of this image's, from 0 to Len()-1.
type Image struct {
	*tree
	a     *Archive
	index int

	linkData linkData

	// Made when first asked for.
	linksOnce sync.Once
	links     []linkName
	twinsOnce sync.Once
	twins     []Node
	orderMu   sync.Mutex
	order     map[Node][]Node // children by name, of directories that are large
}

// ParseImage builds the index of image index (from 1) over the bytes of its metadata resource, which it keeps.
// What a tolerant reader can pass over becomes a warning; a resource without a root entry is a *FormatError.
// a may be nil, in which case no sizes are known.
func ParseImage(a *Archive, index int, metadata []byte) (*Image, error) {
	im := &Image{a: a, index: index}
	info := im.Info()
	entries := max(info.Dirs, 0) + max(info.Files, 0) // both may lie, and their sum may be anything
	var err error
	if im.tree, err = loadTree(metadata, entries+1); err != nil {
		return nil, err
	}
	for i := range im.losses {
		im.losses[i].Image = index
	}
	return im, nil
}

// memory is about how many bytes the image keeps alive.
func (im *Image) memory() int64 {
	const perNode = 16 + 4 // and the order of names
	return int64(cap(im.Meta)) + int64(cap(im.nodes))*perNode + int64(cap(im.Descriptors))*24
}

// Archive returns the archive that the image was loaded from, nil if it was parsed by itself.
func (im *Image) Archive() *Archive { return im.a }

// Index is the image's number in the archive, from 1.
func (im *Image) Index() int { return im.index }

// Len is how many entries the image has, the root included.
func (im *Image) Len() int { return len(im.nodes) }

// Warnings lists what was lost or skipped when the image was loaded, at most about two hundred entries.
func (im *Image) Warnings() []string {
	list := make([]string, 0, len(im.losses)+1+len(im.warnings))
	for i := range im.losses {
		l := im.losses[i]
		l.Image = 0
		list = append(list, l.String())
	}
	if n := im.lost - len(im.losses); n > 0 {
		list = append(list, fmt.Sprintf("and %d more", n))
	}
	return append(list, im.warnings...)
}

// Tolerated returns the faults of the metadata that were passed over and lost nothing.
func (im *Image) Tolerated() []string { return im.warnings }

// Losses returns what the tree should hold and does not, at most a hundred losses; n is the number of all. An image with losses
// is incomplete: what can be reached of it is sound, but something else was captured too.
func (im *Image) Losses() (first []Loss, n int) { return im.losses, im.lost }

// Info is what the XML document says of the image.
func (im *Image) Info() xmldoc.ImageInfo {
	if im.a != nil {
		if infos := im.a.Images(); im.index >= 1 && im.index <= len(infos) {
			return infos[im.index-1]
		}
	}
	return xmldoc.ImageInfo{}
}

// Name is the escaped name of n, "" for the root; see ntname.Escape.
func (im *Image) Name(n Node) string {
	var room [64]byte
	return string(ntname.AppendEscaped(room[:0], im.StoredName(n)))
}

// RawName is the name of n as stored.
func (im *Image) RawName(n Node) []uint16 { return ntname.Units(im.StoredName(n)) }

// Path is the path of n, its names escaped and separated by slashes: "/a/b", "/" for the root.
func (im *Image) Path(n Node) string {
	var room [256]byte
	return string(im.appendPath(room[:0], n))
}

// AppendPath appends Path(n) to b.
func (im *Image) AppendPath(b []byte, n Node) []byte { return im.appendPath(b, n) }

// Parent is the directory that holds n; the root is its own.
func (im *Image) Parent(n Node) Node { return im.nodes[n].parent }

// Children are the nodes first to first+count-1.
func (im *Image) Children(n Node) (first Node, count int) {
	return im.nodes[n].first, int(im.nodes[n].count)
}

// IsDir says that n is a directory, and not one that stands for another place as a junction does.
func (im *Image) IsDir(n Node) bool {
	e := im.fixed(n)
	a := e.attributes()
	return a&format.AttrDirectory != 0 && (a&format.AttrReparsePoint == 0 || !format.IsSurrogate(e.reparseTag()))
}

// Attributes are the FILE_ATTRIBUTE bits of n.
func (im *Image) Attributes(n Node) uint32 { return im.fixed(n).attributes() }

// Created is when n was made.
func (im *Image) Created(n Node) format.Filetime {
	return format.Filetime(im.Entry(n).Created())
}

// Accessed is when n was last read.
func (im *Image) Accessed(n Node) format.Filetime {
	return format.Filetime(im.Entry(n).Accessed())
}

// Modified is when n was last written.
func (im *Image) Modified(n Node) format.Filetime {
	return format.Filetime(im.Entry(n).Modified())
}

func (im *Image) isReparse(n Node) bool { return im.Attributes(n)&format.AttrReparsePoint != 0 }

// ReparseTag is the tag of a reparse point, 0 for all else.
func (im *Image) ReparseTag(n Node) uint32 {
	e := im.Entry(n)
	if e.Attributes()&format.AttrReparsePoint == 0 {
		return 0
	}
	return e.ReparseTag()
}

// ShortName is the escaped 8.3 name of n, "" if it has none.
func (im *Image) ShortName(n Node) string {
	return string(ntname.AppendEscaped(nil, im.Entry(n).ShortName()))
}

// Lookup finds an entry by its path. Steps are separated by slashes, or by backslashes if that finds nothing; a
// leading one, and empty steps, do not matter. Names may be escaped or not, and are compared exactly, then ignoring
// case.
func (im *Image) Lookup(path string) (Node, bool) {
	n, ok := im.lookup(path)
	if !ok && strings.Contains(path, `\`) {
		n, ok = im.lookup(strings.ReplaceAll(path, `\`, "/"))
	}
	return n, ok
}

func (im *Image) lookup(path string) (Node, bool) {
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

// manyNames is how many entries a directory has at least to be searched in the order of its names.
const manyNames = 32

// Child finds the child of n by its stored name. Ignoring case it finds the first of twins by code units.
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
