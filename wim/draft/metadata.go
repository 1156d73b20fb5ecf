package draft

import (
	"fmt"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// Metadata returns the bytes of the metadata resource. The hash of every content in the tree must be known.
//
// The lists of the folders are in depth-first order, as in wimlib. Unused security descriptors are left out.
func (d *Draft) Metadata() ([]byte, error) {
	if d.inode(0).attributes&format.AttrDirectory == 0 {
		return nil, &Error{"write", "/", errFileAsRoot}
	}
	w := metadataWriter{Draft: d, sub: make([]uint64, len(d.dirs))}
	w.numberSecurity()
	w.numberLinks()
	if err := w.layOut(); err != nil {
		return nil, err
	}
	return w.write(), nil
}

type metadataWriter struct {
	*Draft
	descriptors [][]byte
	security    []int32  // written number of each of the draft's descriptors
	links       []uint64 // hard-link number, by inode
	sub         []uint64 // offset of a folder's list, by its index in dirs
	order       []Node   // folders in the order of their lists
	root        uint64   // offset of the root entry
	size        uint64
}

// numberSecurity numbers the descriptors that are in use, in the order of the draft.
func (w *metadataWriter) numberSecurity() {
	used := make([]bool, len(w.Draft.security))
	for i := range w.inodes {
		if in := &w.inodes[i]; in.names > 0 && in.security >= 0 {
			used[in.security] = true
		}
	}
	w.security = make([]int32, len(used))
	for i, sd := range w.Draft.security {
		if used[i] {
			w.security[i] = int32(len(w.descriptors))
			w.descriptors = append(w.descriptors, ntname.RawBytes(sd))
		}
	}
}

// numberLinks sets the hard-link numbers of files with several names; all others have none. The first file with a number from an archive
// keeps it; others with the same number get a new one, because some writers give one number to unrelated files.
func (w *metadataWriter) numberLinks() {
	w.links = make([]uint64, len(w.inodes))
	taken := map[uint64]bool{}
	last := uint64(0)
	for i := range w.inodes {
		in := &w.inodes[i]
		if in.names < 2 || in.rare == nil || in.rare.link == 0 || taken[in.rare.link] {
			continue
		}
		last = max(last, in.rare.link)
		taken[in.rare.link] = true
		w.links[i] = in.rare.link
	}
	for i := range w.inodes {
		if w.inodes[i].names < 2 || w.links[i] != 0 {
			continue
		}
		for last++; last == 0 || taken[last]; {
			last++
		}
		taken[last] = true
		w.links[i] = last
	}
}

// layOut computes the offset of each folder's list, and checks the limits of the format.
func (w *metadataWriter) layOut() error {
	sec := format.NewSecurityData(w.descriptors)
	w.root = max(8, sec.RootOff())
	size, err := w.entrySize(0)
	if err != nil {
		return err
	}
	w.size = w.root + size + 8
	if !w.IsDir(0) {
		return nil // an image whose root is a junction
	}
	type level struct {
		dir   Node
		depth int
	}
	for stack := []level{{}}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		kids := w.Children(at.dir)
		// A folder without children has an empty list, except in these cases.
		if len(kids) == 0 && (at.depth == wim.MaxTreeDepth || w.inode(at.dir).attributes&format.AttrReparsePoint != 0) {
			continue
		}
		w.order = append(w.order, at.dir)
		w.sub[w.nodes[at.dir].dir] = w.size
		if at.depth == wim.MaxTreeDepth {
			return &Error{"write", w.Path(at.dir), fmt.Errorf("%w: folders nested more than %d levels deep", ErrTree, wim.MaxTreeDepth)}
		}
		for i := range kids {
			size, err := w.entrySize(kids[i])
			if err != nil {
				return err
			}
			w.size += size
			// Push folders last to first, so that the first is popped next.
			if k := kids[len(kids)-1-i]; w.IsDir(k) {
				stack = append(stack, level{k, at.depth + 1})
			}
		}
		w.size += 8
		if w.size > wim.MaxMetadata {
			return &Error{"write", "/", fmt.Errorf("%w: the metadata is larger than 2 GiB", ErrTree)}
		}
	}
	return nil
}

func (w *metadataWriter) entrySize(n Node) (uint64, error) {
	node, in := &w.nodes[n], w.inode(n)
	size := format.Dentry{Name: ntname.RawBytes(node.name), ShortName: ntname.RawBytes(w.texts[node.short]), Items: ntname.RawBytes(in.getRare().items)}.MinLength()
	streams := w.streamsOf(in)
	extra := hasExtra(streams)
	for _, s := range streams {
		if s.content >= 0 && !w.contents[s.content].known {
			return 0, &Error{"write", w.Path(n), fmt.Errorf("%w: the hash of its content is unknown", ErrTree)}
		}
		if extra {
			size += streamSize(w.texts[s.name])
		}
	}
	return size, nil
}

func streamSize(name string) uint64 {
	n := uint64(format.StreamFixedSize + len(name))
	if name != "" {
		n += 2
	}
	return format.Align8(n)
}

// hasExtra reports whether an inode's streams are written as entries after the dentry: all of them, unless the only one is unnamed, so
// that its hash is in the dentry. As in DISM, a file that is a reparse point has two streams, of which the content may be empty, and a
// folder that is one has one; wimlib before 1.14.2 wrote two for the latter, which DISM and Windows Setup reject.
func hasExtra(streams []inodeStream) bool {
	return len(streams) > 1 || len(streams) == 1 && streams[0].kind == format.StreamNamed
}

func (w *metadataWriter) write() []byte {
	b := make([]byte, 0, w.size)
	b = format.NewSecurityData(w.descriptors).Append(b)
	for uint64(len(b)) < w.root {
		b = append(b, 0)
	}
	b = w.appendEntry(b, 0)
	b = format.AppendEndOfDirectory(b)
	for _, dir := range w.order {
		for _, n := range w.Children(dir) {
			b = w.appendEntry(b, n)
		}
		b = format.AppendEndOfDirectory(b)
	}
	return b
}

func (w *metadataWriter) hash(id ContentID) [20]byte {
	if id < 0 {
		return [20]byte{}
	}
	return w.contents[id].hash
}

func (w *metadataWriter) appendEntry(b []byte, n Node) []byte {
	node, in := &w.nodes[n], w.inode(n)
	rare, streams := in.getRare(), w.streamsOf(in)
	e := format.Dentry{
		Attributes: in.attributes, SecurityID: -1, Unused1: rare.unused[0], Unused2: rare.unused[1],
		Created: uint64(in.created), Accessed: uint64(in.accessed), Modified: uint64(in.modified),
		Unknown: rare.unknown, Link: w.links[node.inode],
		Name: ntname.RawBytes(node.name), ShortName: ntname.RawBytes(w.texts[node.short]), Items: ntname.RawBytes(rare.items),
	}
	if in.security >= 0 {
		e.SecurityID = w.security[in.security]
	}
	if node.dir >= 0 {
		e.SubdirOff = w.sub[node.dir]
	}
	if in.attributes&format.AttrReparsePoint != 0 {
		e.Link = uint64(rare.reparseTag) | uint64(rare.reparseMore)<<32
	}
	if !hasExtra(streams) {
		if len(streams) == 1 {
			e.Hash = w.hash(streams[0].content)
		}
		return e.Append(b)
	}
	e.NumStreams = uint16(len(streams))
	b = e.Append(b)
	for _, s := range streams {
		b = format.StreamEntry{Hash: w.hash(s.content), Name: ntname.RawBytes(w.texts[s.name])}.Append(b)
	}
	return b
}
