package draft

import (
	"fmt"
	"slices"
	"strings"

	"wimscope/wim/config"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// GraftOptions configures Graft. The zero value, and nil, is right for most callers.
type GraftOptions struct {
	Fold      bool            // compare names ignoring case
	NoReplace bool            // reject the graft if it would replace a file
	When      format.Filetime // times of the folders that have to be added, and of the root of a new draft
}

// Graft adds another tree or file, usually from a scan, at a path of the draft. It adds the folders above that path if they do not exist.
// Folders are merged: an existing folder keeps its fields. A file replaces an existing file. If a folder and a file have the same path, the
// graft is rejected and changes nothing. A tree grafted at "/" of a new draft becomes the whole draft.
//
// other must not be used afterwards. replaced lists the paths of the replaced files.
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

// adoptContents replaces a bare draft with another one, without copying the latter.
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

// isBare reports whether the draft is still as New returned it.
func isBare(d *Draft) bool {
	in := d.inode(0)
	return d.live == 1 && in.created|in.accessed|in.modified == 0 && in.attributes == format.AttrDirectory &&
		in.security < 0 && in.getRare().items == "" && in.numStreams == 0
}

// graftAt merges a tree with the entry at a node.
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
	inodes   []int32     // by inode of other: its number in d plus one, 0 if it has none yet
	contents []ContentID // the same for contents
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

// end records the file identities of the copied inodes for later grafts.
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

// check returns an error if the graft must be rejected, before anything is changed.
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

// merge merges the entry from of the other tree with the entry at.
func (g *grafter) merge(at, from Node, o *GraftOptions) {
	for stack := []graftPair{{at, from}}; len(stack) > 0; {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !g.d.IsDir(p.at) {
			// The grafted file itself gets the existing name, but entries of a grafted folder keep the new one, as in wimlib.
			name := g.d.nodes[p.at].name
			if p.from != 0 {
				name = g.other.nodes[p.from].name
			}
			if g.d.Exists(p.at) { // and was not replaced by another name that differs only in case
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
		for i, k := range kids { // before any is added: their names may differ only in case
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

// put copies from and everything below it into a folder that has no entry with that name.
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
		for _, k := range slices.Backward(g.other.Children(p.from)) { // so that contents keep their order
			stack = append(stack, graftPair{n, k})
		}
	}
}

// copyInode returns a copy of the inode of a node of other for d, without names.
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
