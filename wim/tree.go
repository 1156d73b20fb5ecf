package wim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// An image's tree is an index over the bytes of its metadata resource: 16 bytes per node, no pointers. Nodes are numbered breadth
// first, so the children of a directory are contiguous and parents come before children. All other fields of an entry are read from the
// resource when they are needed.

const (
	MaxTreeDepth    = 16384      // wimlib's limit; a path of that many one-letter names is as long as NTFS allows
	MaxMetadata     = 1<<31 - 64 // bytes of a metadata resource
	maxTreeWarnings = 100
	maxTreeLosses   = 100
)

type treeNode struct {
	off    uint32 // of its dentry in the resource
	parent Node   // 0 for the root itself
	first  Node   // first child
	count  int32  // of children
}

type tree struct {
	meta        []byte // the metadata resource
	nodes       []treeNode
	descriptors [][]byte // security descriptors, nil for those whose bytes are missing
	named       []uint64 // one bit per node, maybe shorter than nodes: its children are stored in the order of Sorted
	warnings    []string // harmless faults
	unsaid      int      // number of warnings beyond the limit
	losses      []Loss   // the first maxTreeLosses
	lost        int      // number of all losses
}

func (l *treeLoader) warnf(format string, args ...any) {
	if len(l.warnings) == maxTreeWarnings {
		l.unsaid++
		return
	}
	l.warnings = append(l.warnings, fmt.Sprintf(format, args...))
}

// lose records a loss in the list of n, at off. It builds the path only if the loss is kept: a hostile tree may have many faults at
// the end of a long path.
func (l *treeLoader) lose(kind LossKind, n Node, off uint64, count int, format string, args ...any) {
	if l.lost++; len(l.losses) < maxTreeLosses {
		l.losses = append(l.losses, Loss{Kind: kind, Path: string(l.appendPath(nil, n, maxWarningNames)), Off: blobs.ClampSize(off), Count: count, Text: fmt.Sprintf(format, args...)})
	}
}

// loadTree builds the index over meta, which it keeps. nodes is the expected number of nodes, 0 if unknown.
func loadTree(meta []byte, nodes int64) (*tree, error) {
	l := treeLoader{tree: &tree{meta: meta}}
	if err := l.load(nodes); err != nil {
		return nil, err
	}
	return l.tree, nil
}

func (l *treeLoader) load(nodes int64) error {
	t := l.tree
	meta := t.meta
	if uint64(len(meta)) > MaxMetadata {
		return format.Errorf("metadata resource", "", 0, "over 2 GiB")
	}
	root, err := l.loadSecurity()
	if err != nil {
		return err
	}
	v, err := format.ViewDentry(meta, root)
	switch {
	case err != nil:
		return format.InPart("", 0, err)
	case v == nil:
		// An image into which nothing was captured has a terminator in place of its root.
		if behind := len(bytes.Trim(meta[min(root+8, uint64(len(meta))):], "\x00")); behind > 0 {
			t.losses = append(t.losses, Loss{Kind: LossRoot, Off: int64(root), Text: fmt.Sprintf("no root entry, but %d other bytes of entries; the image is read as empty", behind)})
			t.lost++
		} else {
			l.warnf("no root entry; the image is read as empty")
		}
		root = uint64(len(meta))
		t.meta = format.Dentry{Attributes: format.AttrDirectory, SecurityID: -1}.Append(meta[:len(meta):len(meta)])
		v, _ = format.ViewDentry(t.meta, root)
	case v.Attributes()&format.AttrDirectory == 0:
		return format.Errorf("root entry", "", int64(root), "not a directory")
	}
	l.seen = make([]uint64, len(t.meta)/512+1)
	l.mark(root, v.Size())
	guess := int64(len(meta)/160 + 2)
	if nodes > 0 {
		guess = min(nodes, int64(len(meta)/(format.DentryFixedSize+2))+2)
	}
	t.nodes = make([]treeNode, 1, guess)
	t.nodes[0] = treeNode{off: uint32(root)}
	l.checkEntry(0, v)
	if _, err := l.skipStreams(root+v.Size(), v.NumStreams()); err != nil {
		l.lose(LossStream, 0, root, 0, "%v; streams of the root are lost", err)
	}
	l.loadAll()
	l.leftOver(root)
	if cap(t.nodes) > len(t.nodes)+len(t.nodes)/4+64 {
		t.nodes = slices.Clone(t.nodes)
	}
	if t.unsaid > 0 {
		t.warnings = append(t.warnings, fmt.Sprintf("and %d more", t.unsaid))
	}
	return nil
}

// loadSecurity reads the security descriptors and returns the offset of the root entry: the stated length of the block, rounded up to
// 8. Like wimlib, it accepts a length that is greater than the descriptors need, and the descriptors as far as their bytes exist.
func (l *treeLoader) loadSecurity() (root uint64, err error) {
	t := l.tree
	s, err := format.ParseSecurityData(t.meta)
	if err != nil {
		if len(t.meta) < 8 || uint64(s.TotalLength) > uint64(len(t.meta)) {
			return 0, format.InPart("", 0, err)
		}
		t.losses = append(t.losses, Loss{Kind: LossSecurity, Text: fmt.Sprintf("%v; security descriptors are lost", err)})
		t.lost++
	}
	t.descriptors = s.Descriptors
	return max(8, s.RootOff()), nil
}

// treeLoader is a tree with the state that loading needs.
type treeLoader struct {
	*tree
	seen  []uint64 // one bit for each 8 bytes of the resource: part of an entry that is in the tree
	order []int32  // for sorting
	drop  []bool

	thorough bool // use listEntry for every entry; for a test
}

// unread is the count of children of an entry whose list was not read yet.
const unread = -1

// loadAll reads the lists of all folders in breadth-first order.
func (l *treeLoader) loadAll() {
	l.nodes[0].count = unread
	depth, levelEnd := 0, 1
	for n := Node(0); int(n) < len(l.nodes); n++ {
		if int(n) == levelEnd {
			depth++
			levelEnd = len(l.nodes)
		}
		if l.nodes[n].count == unread {
			l.nodes[n].count = 0
			l.loadFolder(n, depth)
		}
	}
}

func (l *treeLoader) loadFolder(n Node, depth int) {
	e := l.dentry(n)
	sub := e.SubdirOff()
	if sub == 0 {
		return
	}
	attrs := e.Attributes()
	if attrs&format.AttrDirectory == 0 || attrs&format.AttrReparsePoint != 0 && format.IsSurrogate(e.ReparseTag()) {
		if v, err := format.ViewDentry(l.meta, sub); err == nil && v != nil {
			l.lose(LossNotFolder, n, sub, 0, "entries below something that is not a folder left out")
		}
		return
	}
	if depth == MaxTreeDepth {
		l.lose(LossDepth, n, sub, 0, "folders deeper than %d left out", MaxTreeDepth)
		return
	}
	first := len(l.nodes)
	if !l.list(n, sub) {
		l.dropDuplicates(n, first)
	}
	l.nodes[n].first = Node(first)
	l.nodes[n].count = int32(len(l.nodes) - first)
}

// lister is the state of reading a folder's list of entries.
type lister struct {
	dir  Node
	off  uint64 // of the next entry
	last []byte // name of the previous one, nil if there is none

	// The names so far are strictly ascending by code units (exact), or ignoring case and then by code units (named). Either way no two
	// are equal.
	exact, named bool
}

// next compares a name with the previous one.
func (c *lister) next(name []byte) {
	if c.last != nil && (c.exact || c.named) {
		e, f := ntname.Compare(c.last, name)
		c.exact, c.named = c.exact && e < 0, c.named && (f < 0 || f == 0 && e < 0)
	}
	c.last = name
}

// list appends the entries of the list at off as children of n. It reports whether their order proves that no two have the same name:
// writers sort lists by code units or ignoring case.
func (l *treeLoader) list(n Node, off uint64) (ordered bool) {
	c := lister{dir: n, off: off, exact: true, named: true}
	for l.plainEntries(&c) || l.listEntry(&c) {
	}
	if c.named {
		for len(l.named) <= int(n)>>6 {
			l.named = append(l.named, 0)
		}
		l.named[n>>6] |= 1 << (n & 63)
	}
	return c.exact || c.named
}

// listEntry reads the next entry, whatever is wrong with it. It returns false at the end of the list.
func (l *treeLoader) listEntry(c *lister) bool {
	n, off := c.dir, c.off
	v, err := format.ViewDentry(l.meta, off)
	if v == nil && err == nil {
		return false
	}
	size := uint64(0)
	if err == nil {
		size = v.Size()
	} else if size = l.badEntry(off); size == 0 {
		kind := LossListCut
		if off >= uint64(len(l.meta)) && c.last == nil {
			kind = LossBeyond
		}
		l.lose(kind, n, off, 0, "%v; the rest of the list is lost", err)
		return false
	}
	if !l.mark(off, size) {
		l.lose(LossShared, n, off, 0, "entries at 0x%x are in the tree already; the rest of the list is left out", off)
		return false
	}
	if err != nil {
		l.lose(LossEntry, n, off, 1, "%v; entry left out", err)
		v = format.DentryView(l.meta[off:])
	} else if name := v.Name(); l.checkName(n, off, name) {
		c.next(name)
		node := treeNode{off: uint32(off), parent: n}
		if v.SubdirOff() != 0 {
			node.count = unread
		}
		l.nodes = append(l.nodes, node)
		l.checkEntry(Node(len(l.nodes)-1), v)
	}
	if c.off, err = l.skipStreams(off+size, v.NumStreams()); err != nil {
		l.lose(LossListCut, n, off, 0, "%v; the rest of the list is lost", err)
		return false
	}
	return true
}

// pieceNodes is how many entries one call of plainEntries reads: V8 switches to a function's optimised code between two calls of it.
const pieceNodes = 256

// plainEntries is the fast path of listEntry. It reads entries up to the first one that has extra streams, an invalid name, or anything
// else that needs a closer look, which listEntry reads. It reports whether it read any.
func (l *treeLoader) plainEntries(c *lister) bool {
	if l.thorough {
		return false
	}
	le := binary.LittleEndian
	meta, nodes, off := l.meta, l.nodes, c.off
	some := false
	for range pieceNodes {
		if off > uint64(len(meta)) || uint64(len(meta))-off < format.DentryFixedSize {
			break
		}
		rest := meta[off:]
		e := (*[format.DentryFixedSize]byte)(rest)
		// Of the last eight bytes of the fixed part: the number of streams, the bytes of the short name, of the name.
		length, tail := le.Uint64(e[0:]), le.Uint64(e[format.DentryFixedSize-8:])
		streams, short, long := tail>>16&0xffff, tail>>32&0xffff, tail>>48
		need := format.DentryFixedSize + long
		if short != 0 {
			need += 2 + short
		}
		if length < need || length > uint64(len(rest)) || streams != 0 || long == 0 || (long|short)&1 != 0 {
			break
		}
		if length-need > roomForEntry || le.Uint32(e[0x08:])&(format.AttrDirectory|format.AttrReparsePoint) == format.AttrDirectory && le.Uint64(e[0x40:])|le.Uint64(e[0x48:])|uint64(le.Uint32(e[0x50:])) != 0 {
			break // checkEntry reports it
		}
		name := rest[format.DentryFixedSize : format.DentryFixedSize+long]
		if name[0] == '.' || hasNUL(name) {
			break
		}
		size := format.Align8(length)
		from, to := off>>3, (off+size)>>3
		w, b := from>>6, from&63
		if to-from < 64-b {
			mask := (uint64(1)<<(to-from) - 1) << b
			if l.seen[w]&mask != 0 {
				break
			}
			l.seen[w] |= mask
		} else if !l.mark(off, size) {
			break
		}
		c.next(name)
		node := treeNode{off: uint32(off), parent: c.dir}
		if le.Uint64(e[0x10:]) != 0 {
			node.count = unread
		}
		nodes = append(nodes, node)
		off += size
		some = true
	}
	l.nodes, c.off = nodes, off
	return some
}

// hasNUL reports whether a name has a unit of zero.
func hasNUL(name []byte) bool {
	le := binary.LittleEndian
	// Subtracting 1 from each unit sets the top bit of a zero; a unit from 0x8000 on has it set before.
	const ones, tops = 0x0001_0001_0001_0001, 0x8000_8000_8000_8000
	i := 0
	for ; i+8 <= len(name); i += 8 {
		if x := le.Uint64(name[i:]); (x-ones)&^x&tops != 0 {
			return true
		}
	}
	for ; i+1 < len(name); i += 2 {
		if name[i]|name[i+1] == 0 {
			return true
		}
	}
	return false
}

// badEntry returns the size of an entry whose names are invalid but whose length is valid, otherwise 0.
func (l *treeLoader) badEntry(off uint64) uint64 {
	if off > uint64(len(l.meta)) || uint64(len(l.meta))-off < format.DentryFixedSize {
		return 0
	}
	length := format.DentryView(l.meta[off:]).Length()
	if length < format.DentryFixedSize || length > uint64(len(l.meta))-off {
		return 0
	}
	return format.Align8(length)
}

// skipStreams returns the offset after the count extra stream entries at off.
func (l *treeLoader) skipStreams(off uint64, count int) (next uint64, err error) {
	for range count {
		v, err := format.ViewStream(l.meta, off)
		if err != nil {
			return off, err
		}
		if !l.mark(off, v.Size()) {
			return off, fmt.Errorf("stream entry at 0x%x is in the tree already", off)
		}
		off += v.Size()
	}
	return off, nil
}

// mark marks the bytes of an entry as seen. It returns false if any of them were marked before: an entry belongs to one list. The size of
// an entry is a multiple of 8, so those of a list that starts at an unaligned offset are marked at offsets rounded down.
func (l *treeLoader) mark(off, size uint64) bool {
	from, to := off>>3, (off+size)>>3
	for i := from; i < to; {
		w, b := i>>6, i&63
		n := min(to-i, 64-b)
		mask := (^uint64(0) >> (64 - n)) << b
		if l.seen[w]&mask != 0 {
			return false
		}
		l.seen[w] |= mask
		i += n
	}
	return true
}

// checkName reports whether an entry may have this name, and records a loss if not.
func (l *treeLoader) checkName(n Node, off uint64, name []byte) bool {
	if len(name) == 0 {
		l.lose(LossName, n, off, 1, "entry at 0x%x without a name left out", off)
		return false
	}
	if name[0] == '.' && name[1] == 0 && (len(name) == 2 || len(name) == 4 && name[2] == '.' && name[3] == 0) {
		l.lose(LossName, n, off, 1, "entry named %q left out", ntname.TextToNUL(name))
		return false
	}
	if hasNUL(name) {
		l.lose(LossName, n, off, 1, "entry with a NUL in its name left out: %q", ntname.TextToNUL(name))
		return false
	}
	return true
}

// dropDuplicates removes all but the first of the children of n, from node first on, that share a name.
func (l *treeLoader) dropDuplicates(n Node, first int) {
	kids := l.nodes[first:]
	l.order = l.order[:0]
	for i := range kids {
		l.order = append(l.order, int32(i))
	}
	slices.SortFunc(l.order, func(a, b int32) int {
		if c, _ := ntname.Compare(l.entryAt(kids[a].off).Name(), l.entryAt(kids[b].off).Name()); c != 0 {
			return c
		}
		return int(a - b)
	})
	dropped := false
	for i := 1; i < len(l.order); i++ {
		a, b := l.order[i-1], l.order[i]
		name := l.entryAt(kids[b].off).Name()
		if !ntname.Equal(l.entryAt(kids[a].off).Name(), name) {
			continue
		}
		if !dropped {
			dropped = true
			l.drop = append(l.drop[:0], make([]bool, len(kids))...)
		}
		l.drop[b] = true
		l.lose(LossDuplicate, n, uint64(kids[b].off), 1, "a second entry named %q left out", ntname.TextToNUL(name))
	}
	if !dropped {
		return
	}
	kept := kids[:0]
	for i, k := range kids {
		if !l.drop[i] {
			kept = append(kept, k)
		}
	}
	l.nodes = l.nodes[:first+len(kept)]
}

func (t *tree) dentry(n Node) format.DentryView { return t.entryAt(t.nodes[n].off) }

// entryAt returns the dentry at off, which must have been checked.
func (t *tree) entryAt(off uint32) format.DentryView {
	b := format.DentryView(t.meta[off:])
	return b[:min(b.Size(), uint64(len(b)))]
}

// fixedPart is the part of a dentry before its names. Reading fields from it avoids the checks of DentryView.
type fixedPart [format.DentryFixedSize]byte

func (t *tree) fixed(n Node) *fixedPart { return (*fixedPart)(t.meta[t.nodes[n].off:]) }

func (e *fixedPart) attributes() uint32 { return binary.LittleEndian.Uint32(e[0x08:]) }
func (e *fixedPart) hash() *format.Hash { return (*format.Hash)(e[0x40:]) }
func (e *fixedPart) reparseTag() uint32 { return binary.LittleEndian.Uint32(e[0x58:]) } // of a reparse point
func (e *fixedPart) linkGroup() uint64  { return binary.LittleEndian.Uint64(e[0x58:]) } // of any other entry
func (e *fixedPart) streams() uint16    { return binary.LittleEndian.Uint16(e[0x60:]) } // number of extra streams

// name returns the stored name of a node other than the root.
func (t *tree) name(n Node) []byte { return t.dentry(n).Name() }

// maxPathNames limits the names in a path, in bytes: ten times what Windows allows. In a longer path, which only a hostile tree has and
// which could be gigabytes long, an ellipsis replaces the first folders.
const maxPathNames = 1 << 20

// maxWarningNames is the limit for a path in a warning. There may be many warnings.
const maxWarningNames = 4 << 10

// appendPath appends the path of n with at most left bytes of names.
func (t *tree) appendPath(b []byte, n Node, left int) []byte {
	if n == 0 {
		return append(b, '/')
	}
	var steps []Node
	var room [32]Node
	steps = room[:0]
	for ; n != 0; n = t.nodes[n].parent {
		if left -= len(t.name(n)) + 2; left < 0 {
			b = append(b, "/\u2026"...)
			break
		}
		steps = append(steps, n)
	}
	for _, s := range slices.Backward(steps) {
		b = ntname.AppendEscaped(append(b, '/'), t.name(s))
	}
	return b
}
