package wim

import (
	"cmp"
	"encoding/binary"
	"slices"

	"wimscope/wim/ntname"
)

// Order is an order of a folder's entries. Ties are broken by name.
type Order uint8

const (
	ByName     Order = iota // ignoring case, then by UTF-16 units
	BySize                  // of the content
	ByModified              // time
	ByAttrs                 // as a number
	ByType                  // extension, ignoring case
)

// List returns the children of dir, first folders and then all others, each sorted by order, descending if desc is set. Ties are in the
// ascending order of names. keep, if not nil, selects the children. The caller may change the slice.
func (im *Image) List(dir Node, order Order, desc bool, keep func(Node) bool) []Node {
	first, count := im.Children(dir)
	var names []Node // nil if they are stored in order
	if !im.InOrder(dir) {
		names = im.Sorted(dir)
	}
	list := make([]Node, 0, count) // all but the folders, until their number is known
	var dirs []Node
	for at := 0; at < count; at += pieceNodes {
		list, dirs = sift(im, list, dirs, names, first, at, min(at+pieceNodes, count), keep)
	}
	if len(dirs) > 0 {
		others := len(list)
		list = list[:others+len(dirs)]
		copy(list[len(dirs):], list[:others])
		copy(list, dirs)
	}
	sortKeyed(im, list[:len(dirs)], order, desc)
	sortKeyed(im, list[len(dirs):], order, desc)
	return list
}

// sift appends some of the children, [from, to) of names or of the nodes from first on, to dirs and others.
func sift(im *Image, others, dirs, names []Node, first Node, from, to int, keep func(Node) bool) (o, d []Node) {
	for i := from; i < to; i++ {
		n := first + Node(i)
		if names != nil {
			n = names[i]
		}
		if keep != nil && !keep(n) {
			continue
		}
		if im.IsDir(n) {
			dirs = append(dirs, n)
		} else {
			others = append(others, n)
		}
	}
	return others, dirs
}

// keyed is a node with what it is sorted by. Both sorts use it, so that the program holds one copy of the sort.
type keyed struct {
	key  uint64
	rank int32 // by name; equal keys keep that order
	n    Node
}

// sortKeyed sorts a list that is in the order of names.
func sortKeyed(im *Image, list []Node, order Order, desc bool) {
	if order == ByName {
		if desc {
			slices.Reverse(list)
		}
		return
	}
	keys := make([]keyed, len(list))
	for i, n := range list {
		k := keyed{rank: int32(i), n: n}
		switch order {
		case BySize:
			k.key = uint64(im.Size(n))
		case ByModified:
			k.key = uint64(im.Modified(n))
		case ByAttrs:
			k.key = uint64(im.Attributes(n))
		case ByType:
			k.key = foldKey(extension(im, n))
		}
		keys[i] = k
	}
	slices.SortFunc(keys, func(a, b keyed) int {
		c := cmp.Compare(a.key, b.key)
		if c == 0 && order == ByType {
			_, c = ntname.Compare(extension(im, a.n), extension(im, b.n))
		}
		if desc {
			c = -c
		}
		if c != 0 {
			return c
		}
		return int(a.rank - b.rank)
	})
	for i := range keys {
		list[i] = keys[i].n
	}
}

// extension returns the part of n's stored name after the last dot, nil for folders.
func extension(im *Image, n Node) []byte {
	if im.IsDir(n) {
		return nil
	}
	name := im.StoredName(n)
	for i := len(name) - 2; i > 0; i -= 2 {
		if name[i] == '.' && name[i+1] == 0 {
			return name[i+2:]
		}
	}
	return nil
}

// foldKey returns the first four units of a name in upper case, as a number. Names with different keys sort as their keys do.
func foldKey(name []byte) uint64 {
	var k uint64
	for i := 0; i < 8; i += 2 {
		k <<= 16
		if i+1 < len(name) {
			k |= uint64(ntname.Upper(binary.LittleEndian.Uint16(name[i:])))
		}
	}
	return k
}

// InOrder reports whether the children of n are stored in the order of Sorted, as most writers store them. It may return false for a
// sorted directory.
func (im *Image) InOrder(n Node) bool {
	w := int(n) >> 6
	return w < len(im.named) && im.named[w]>>(n&63)&1 != 0
}

// Sorted returns the children of dir sorted by name, ignoring case and then by UTF-16 units. Long lists that have to be sorted are
// cached. The slice must not be changed.
func (im *Image) Sorted(dir Node) []Node {
	first, count := im.Children(dir)
	kept := count >= manyNames && !im.InOrder(dir)
	if kept {
		im.orderMu.Lock()
		defer im.orderMu.Unlock()
		if list, ok := im.order[dir]; ok {
			return list
		}
	}
	list := make([]Node, count)
	for i := range list {
		list[i] = first + Node(i)
	}
	if im.InOrder(dir) {
		return list
	}
	sortNames(im, list)
	if kept {
		if im.order == nil {
			im.order = make(map[Node][]Node)
		}
		im.order[dir] = list
	}
	return list
}

// sortNames sorts nodes by name alone.
func sortNames(im *Image, list []Node) {
	keys := make([]keyed, len(list))
	for i, n := range list {
		keys[i] = keyed{key: foldKey(im.StoredName(n)), n: n}
	}
	slices.SortFunc(keys, func(a, b keyed) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		return compareNames(im, a.n, b.n)
	})
	for i := range keys {
		list[i] = keys[i].n
	}
}

func compareNames(im *Image, a, b Node) int {
	exact, fold := ntname.Compare(im.StoredName(a), im.StoredName(b))
	if fold != 0 {
		return fold
	}
	return exact
}

// CaseTwins returns, in ascending order, the entries whose name differs from that of a sibling only in case: a target that ignores case
// can hold only one of them. The slice must not be changed.
func (im *Image) CaseTwins() []Node {
	im.twinsOnce.Do(func() {
		for i := range im.nodes {
			_, count := im.Children(Node(i))
			if count < 2 {
				continue
			}
			list := im.Sorted(Node(i))
			for j := 1; j < len(list); j++ {
				a, b := list[j-1], list[j]
				if !ntname.EqualFold(im.StoredName(a), im.StoredName(b)) {
					continue
				}
				if k := len(im.twins); k == 0 || im.twins[k-1] != a {
					im.twins = append(im.twins, a)
				}
				im.twins = append(im.twins, b)
			}
		}
		slices.SortFunc(im.twins, cmp.Compare) // whose code the program has anyway, unlike slices.Sort's
	})
	return im.twins
}
