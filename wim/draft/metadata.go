package draft

import (
	"fmt"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// Metadata gives the bytes of the metadata resource. Every content that is in the tree needs its hash by now.
//
// The list of each folder follows those of the folders before it, depth first; wimlib lays it out so. Security descriptors
// that no entry has are left out.
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
	security    []int32  // the draft's numbers to those that are written
	links       []uint64 // by inode
	sub         []uint64 // where the lists of folders start, by their index
	order       []Node
	root        uint64 // where the root entry starts
	size        uint64
}

// numberSecurity numbers the descriptors that are in use, in the order in which the draft has them.
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

// numberLinks gives files with several names numbers, as folders and reparse points have only one, and others none. One that
// was read is kept, by the first file that has it: writers are known that give one number to files that have nothing in common.
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

// layOut finds where each folder's list lies, and checks that all can be written.
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
		// As a rule a folder without children has a list all the same, one that is empty.
		if len(kids) == 0 && (at.depth == wim.MaxTreeDepth || w.inode(at.dir).attributes&format.AttrReparsePoint != 0) {
			continue
		}
		w.order = append(w.order, at.dir)
		w.sub[w.nodes[at.dir].dir] = w.size
		if at.depth == wim.MaxTreeDepth {
			return &Error{"write", w.Path(at.dir), fmt.Errorf("%w: folders are nested more than %d deep", ErrTree, wim.MaxTreeDepth)}
		}
		for i := range kids {
			size, err := w.entrySize(kids[i])
			if err != nil {
				return err
			}
			w.size += size
			// Folders go onto the stack last first, so that the first is next.
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
			return 0, &Error{"write", w.Path(n), fmt.Errorf("%w: its content was not read yet", ErrTree)}
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

// hasExtra says that an inode's streams are written as entries behind the dentry: all of them, unless the only one is
// unnamed and its hash finds room in the dentry. As DISM has it, a file that is a reparse point has two, of which its
// content may be empty, and a folder that is one has one; wimlib before 1.14.2 wrote two there as well, which DISM and the
// setup of Windows refuse.
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
