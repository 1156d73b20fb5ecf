package wim

import (
	"bytes"
	"cmp"
	"slices"
	"sort"

	"wimscope/wim/format"
)

// Hard links: entries of one group number are one file with several names, if their content is the same too. (In
// Windows 7's install.wim one number serves unlike files; wimlib and DISM tell them apart so.) Directories are
// never linked, and reparse points keep their tag where the number would be.

// linkName is one name of a file that has several.
type linkName struct {
	group uint64
	hash  format.Hash
	node  Node
}

func compareLinks(a, b linkName) int {
	if c := cmp.Compare(a.group, b.group); c != 0 {
		return c
	}
	return bytes.Compare(a.hash[:], b.hash[:])
}

// LinkGroup is the number that n shares with its other names, 0 if it can have none. Files with different content
// may bear the same number: Links tells names of one file.
func (im *Image) LinkGroup(n Node) uint64 {
	e := im.fixed(n)
	if e.attributes()&(format.AttrDirectory|format.AttrReparsePoint) != 0 {
		return 0
	}
	return e.linkGroup()
}

// Links lists all names of the file n, itself included, in ascending order.
func (im *Image) Links(n Node) []Node {
	same := im.linkNames(n)
	if len(same) < 2 {
		return []Node{n}
	}
	list := make([]Node, len(same))
	for i := range same {
		list[i] = same[i].node
	}
	return list
}

// LinkCount is how many names the file n has.
func (im *Image) LinkCount(n Node) int { return max(1, len(im.linkNames(n))) }

// FirstLink is the lowest-numbered name of the file n: the same for all its names, n itself if it has no other.
func (im *Image) FirstLink(n Node) Node {
	if same := im.linkNames(n); len(same) > 0 {
		return same[0].node
	}
	return n
}

// linkNames gives the part of the index that is about the file n.
func (im *Image) linkNames(n Node) []linkName {
	group := im.LinkGroup(n)
	if group == 0 {
		return nil
	}
	im.linksOnce.Do(im.indexLinks)
	want := linkName{group: group, hash: im.Hash(n)}
	from, found := slices.BinarySearchFunc(im.links, want, compareLinks)
	if !found {
		return nil
	}
	same := im.links[from:]
	to := sort.Search(len(same), func(i int) bool { return compareLinks(same[i], want) > 0 })
	return same[:to]
}

// indexLinks lists the names of files that have several, by file. Most writers number every file, so the numbers
// are counted before anything is kept.
func (im *Image) indexLinks() {
	size := 64
	for size < 2*len(im.nodes) {
		size *= 2
	}
	// One bit for "met", one for "met again", by a hash of the number: a collision lets a lone name through,
	// which the sorting then finds to be alone.
	once, twice := make([]uint64, size/64), make([]uint64, size/64)
	slot := func(group uint64) (word int, bit uint64) {
		h := group * 0x9e3779b97f4a7c15 >> 20 & uint64(size-1)
		return int(h >> 6), 1 << (h & 63)
	}
	for i := range im.nodes {
		if g := im.LinkGroup(Node(i)); g != 0 {
			w, b := slot(g)
			twice[w] |= once[w] & b
			once[w] |= b
		}
	}
	var list []linkName
	for i := range im.nodes {
		if g := im.LinkGroup(Node(i)); g != 0 {
			if w, b := slot(g); twice[w]&b != 0 {
				list = append(list, linkName{g, im.Hash(Node(i)), Node(i)})
			}
		}
	}
	slices.SortFunc(list, func(a, b linkName) int {
		if c := compareLinks(a, b); c != 0 {
			return c
		}
		return int(a.node - b.node)
	})
	kept := list[:0]
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && compareLinks(list[j], list[i]) == 0 {
			j++
		}
		if j-i > 1 {
			kept = append(kept, list[i:j]...)
		}
		i = j
	}
	im.links = slices.Clip(slices.Clone(kept))
}
