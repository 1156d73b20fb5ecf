package draft

import (
	"fmt"
	"slices"
	"strings"

	"wimscope/wim/config"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// GraftOptions says how a tree goes into another. The zero value, and nil, are right for most.
type GraftOptions struct {
	Fold      bool            // what is there is found ignoring case
	NoReplace bool            // a file that is there is not replaced, but the graft refused
	When      format.Filetime // the times of folders that have to be made on the way, the root of a new draft among them
}

// Graft puts a tree, or a file, at a path of the draft: what a scan gave, as a rule. Folders that lead there are made. A
// folder's content goes into a folder that is there, which stays as it is itself; a file takes the place of one that is
// there. Where a folder meets a file all is refused. The root of a new draft becomes what is grafted at "/".
//
// other is used up by it: it is not to be changed any more. replaced are the paths of the files that gave way.
func (d *Draft) Graft(path string, other *Draft, o *GraftOptions) (replaced []string, err error) {
	if o == nil {
		o = &GraftOptions{}
	}
	path = config.CleanPath(path)
	if path == "/" {
		if !other.IsDir(0) {
			return nil, &Error{"graft", path, errFileAsRoot}
		}
		if isBare(d) {
			adoptContents(d, other)
			return nil, nil
		}
		return graftAt(d, 0, other, o)
	}
	dir, name := path[:strings.LastIndexByte(path, '/')], ntname.Stored(path[strings.LastIndexByte(path, '/')+1:])
	if err := ntname.Check(name); err != nil {
		return nil, &Error{"graft", path, err}
	}
	at, ok := d.Lookup(path, o.Fold)
	if ok {
		return graftAt(d, at, other, o)
	}
	bare := isBare(d)
	parent, err := d.MkdirAll(dir, o.Fold, o.When)
	if err != nil {
		return nil, err
	}
	if in := d.inode(0); bare {
		in.created, in.accessed, in.modified = o.When, o.When, o.When
	}
	g := newGrafter(d, other)
	g.put(parent, name, 0)
	g.end()
	return nil, nil
}

// adopt makes a bare draft what another is, without a copy of all that is in it. That is used up.
func adoptContents(d, other *Draft) {
	*d = *other
	for i := range d.inodes {
		if rare := d.inodes[i].rare; rare != nil {
			rare.link = 0
		}
	}
	if d.ids == nil {
		d.ids = map[[2]uint64]int32{}
	}
}

// bare says that the draft is as New made it, or as good as that.
func isBare(d *Draft) bool {
	in := d.inode(0)
	return d.live == 1 && in.created|in.accessed|in.modified == 0 && in.attributes == format.AttrDirectory &&
		in.security < 0 && in.getRare().items == "" && in.numStreams == 0
}

// graft merges a tree with what is at a node.
func graftAt(d *Draft, at Node, other *Draft, o *GraftOptions) ([]string, error) {
	g := newGrafter(d, other)
	if err := g.check(at, 0, o); err != nil {
		return nil, err
	}
	g.merge(at, 0, o)
	g.end()
	slices.Sort(g.replaced)
	return g.replaced, nil
}

type grafter struct {
	d, other *Draft
	inodes   []int32     // numbers in d of those of other, one more; 0: none yet
	contents []ContentID // the same
	replaced []string
}

type graftPair struct{ at, from Node }

func newGrafter(d, other *Draft) *grafter {
	g := &grafter{d: d, other: other, inodes: make([]int32, len(other.inodes)), contents: make([]ContentID, len(other.contents))}
	for id, from := range other.ids {
		if to, ok := d.ids[id]; ok {
			g.inodes[from] = to + 1
		}
	}
	d.nodes, d.inodes = slices.Grow(d.nodes, other.live), slices.Grow(d.inodes, min(other.live, len(other.inodes)))
	return g
}

// end notes what was put there.
func (g *grafter) end() {
	if g.d.ids == nil {
		g.d.ids = map[[2]uint64]int32{}
	}
	for id, from := range g.other.ids {
		if to := g.inodes[from]; to > 0 {
			g.d.ids[id] = to - 1
		}
	}
}

// check finds what is in the way, before anything is changed.
func (g *grafter) check(at, from Node, o *GraftOptions) error {
	for stack := []graftPair{{at, from}}; len(stack) > 0; {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		fail := func(err error) error { return &Error{"graft", g.d.Path(p.at), err} }
		switch here, there := g.d.IsDir(p.at), g.other.IsDir(p.from); {
		case here && !there:
			return fail(errFolderThere)
		case !here && there:
			return fail(errFileThere)
		case !here && o.NoReplace:
			return fail(ErrExists)
		}
		for _, k := range g.other.Children(p.from) {
			if child, ok := g.d.child(p.at, g.other.nodes[k].name, o.Fold); ok {
				stack = append(stack, graftPair{child, k})
			}
		}
	}
	return nil
}

// merge puts what is in, or is, from where at is.
func (g *grafter) merge(at, from Node, o *GraftOptions) {
	for stack := []graftPair{{at, from}}; len(stack) > 0; {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !g.d.IsDir(p.at) {
			// The name that is there stays, or the new one comes: wimlib takes the new one of a folder's entries.
			name := g.d.nodes[p.at].name
			if p.from != 0 {
				name = g.other.nodes[p.from].name
			}
			if g.d.Exists(p.at) { // and did not give way to a twin by case
				g.replaced = append(g.replaced, g.d.Path(p.at))
				if err := g.d.Remove(p.at); err != nil {
					panic(fmt.Sprintf("wim: the root is a file: %v", err))
				}
			}
			g.put(g.d.nodes[p.at].parent, name, p.from)
			continue
		}
		kids := g.other.Children(p.from)
		found := make([]Node, len(kids))
		for i, k := range kids { // before any is put there, which may be twins by case
			found[i] = -1
			if child, ok := g.d.child(p.at, g.other.nodes[k].name, o.Fold); ok {
				found[i] = child
			}
		}
		for i, k := range kids {
			if found[i] < 0 {
				g.put(p.at, g.other.nodes[k].name, k)
			} else {
				stack = append(stack, graftPair{found[i], k})
			}
		}
	}
}

// put copies from and all below it into a folder that has nothing of that name.
func (g *grafter) put(parent Node, name string, from Node) {
	for stack := []graftPair{{parent, from}}; len(stack) > 0; {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		node := &g.other.nodes[p.from]
		if p.from != from {
			name = node.name
		}
		if g.inodes[node.inode] == 0 {
			g.d.inodes = append(g.d.inodes, g.copyInode(p.from))
			g.inodes[node.inode] = int32(len(g.d.inodes))
		}
		n := g.d.newNode(p.at, name, g.other.texts[node.short], g.inodes[node.inode]-1)
		for _, k := range slices.Backward(g.other.Children(p.from)) { // contents keep their order
			stack = append(stack, graftPair{n, k})
		}
	}
}

// copyInode makes an inode of d of that of a node of other, without names yet.
func (g *grafter) copyInode(n Node) draftInode {
	in := *g.other.inode(n)
	in.names = 0
	rare := in.getRare()
	rare.link = 0
	in.setRare(rare)
	if in.security >= 0 {
		in.security = g.d.securityIndex(ntname.RawBytes(g.other.security[in.security]))
	}
	streams := slices.Clone(g.other.streamsOf(&in))
	for i := range streams {
		s := &streams[i]
		if s.name = g.d.addText(g.other.texts[s.name]); s.content >= 0 {
			s.content = g.content(s.content)
		}
	}
	g.d.setStreams(&in, streams)
	return in
}

func (g *grafter) content(id ContentID) ContentID {
	if g.contents[id] == 0 {
		g.contents[id] = g.d.AddContent(g.other.contents[id].get()) + 1
	}
	return g.contents[id] - 1
}
