package wim

import (
	"bytes"
	"cmp"
	"slices"
	"sort"

	"wimscope/wim/format"
)

// Hard links: entries with one group number are one file with several names, if they also have the same content. (In Windows 7's
// install.wim different files share a number; wimlib and DISM distinguish them in the same way.) Directories are never hard links, and
// reparse points have their tag in the field of the number.

// linkName is one name of a file that has several.
type linkName struct {
	group uint64
	hash  format.Hash
	node  Node
}

// compare returns 0 for names of one file.
func (a *linkName) compare(b *linkName) int {
	if c := cmp.Compare(a.group, b.group); c != 0 {
		return c
	}
	return bytes.Compare(a.hash[:], b.hash[:])
}

// HardLinkGroup returns the stored number that n shares with its other names, 0 if it can have none. Different files may have the same
// number; use HardLinks to find the names of one file.
func (im *Image) HardLinkGroup(n Node) uint64 {
	e := im.fixed(n)
	if e.attributes()&(format.AttrDirectory|format.AttrReparsePoint) != 0 {
		return 0
	}
	return e.linkGroup()
}

// HardLinks returns all names of the file n, including n, in ascending order.
func (im *Image) HardLinks(n Node) []Node {
	same := linkNames(im, n)
	if len(same) < 2 {
		return []Node{n}
	}
	list := make([]Node, len(same))
	for i := range same {
		list[i] = same[i].node
	}
	return list
}

// HardLinkCount returns the number of names of the file n.
func (im *Image) HardLinkCount(n Node) int { return max(1, len(linkNames(im, n))) }

// FirstHardLink returns the lowest-numbered name of the file n. It is the same for all its names, and n itself if it has no other.
func (im *Image) FirstHardLink(n Node) Node {
	if same := linkNames(im, n); len(same) > 0 {
		return same[0].node
	}
	return n
}

// linkNames returns the entries of the index for the file n, nil if it has one name.
func linkNames(im *Image, n Node) []linkName {
	group := im.HardLinkGroup(n)
	if group == 0 {
		return nil
	}
	im.linksOnce.Do(im.indexLinks)
	want := linkName{group: group, hash: im.Hash(n)}
	from := sort.Search(len(im.links), func(i int) bool { return im.links[i].compare(&want) >= 0 })
	same := im.links[from:]
	return same[:sort.Search(len(same), func(i int) bool { return same[i].compare(&want) > 0 })]
}

// indexLinks builds im.links: the names of files that have several, grouped by file. Most writers number every file, so the numbers are
// counted first.
func (im *Image) indexLinks() {
	size := 64
	for size < 2*len(im.nodes) {
		size *= 2
	}
	// One bit for "seen" and one for "seen again", by a hash of the number. A collision lets a single name through, which is removed
	// after sorting.
	once, twice := make([]uint64, size/64), make([]uint64, size/64)
	slot := func(group uint64) (word int, bit uint64) {
		h := group * 0x9e3779b97f4a7c15 >> 20 & uint64(size-1)
		return int(h >> 6), 1 << (h & 63)
	}
	for i := range im.nodes {
		if g := im.HardLinkGroup(Node(i)); g != 0 {
			w, b := slot(g)
			twice[w] |= once[w] & b
			once[w] |= b
		}
	}
	var list []linkName
	for i := range im.nodes {
		if g := im.HardLinkGroup(Node(i)); g != 0 {
			if w, b := slot(g); twice[w]&b != 0 {
				list = append(list, linkName{g, im.Hash(Node(i)), Node(i)})
			}
		}
	}
	// Sorting indexes shares compiled code with the layout of shards.
	order := make([]int32, len(list))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(list[a].compare(&list[b]), int(a-b)) })
	var kept []linkName
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && list[order[j]].compare(&list[order[i]]) == 0 {
			j++
		}
		for k := i; k < j && j-i > 1; k++ {
			kept = append(kept, list[order[k]])
		}
		i = j
	}
	im.links = slices.Clip(kept)
}
