package draft

import (
	"encoding/binary"
	"slices"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// Of returns a draft of an image. It preserves everything in the image, including fields of unknown meaning. Its nodes have the
// image's numbers. If the names of one file differ in their fields, those of the first count; if their streams differ, they become separate
// files. Contents are identified by their hashes.
func Of(im *wim.Image) (*Draft, error) {
	d := &Draft{byHash: map[format.Hash]ContentID{}, secIndex: map[string]int32{}, texts: []string{""}, live: im.Len()}
	securities := make([]int32, len(im.Descriptors()))
	for i, sd := range im.Descriptors() {
		securities[i] = d.securityIndex(sd)
	}
	d.nodes = make([]draftNode, im.Len())
	d.inodes = make([]draftInode, 0, im.Len())
	kids := make([]Node, im.Len())
	for i := range kids {
		kids[i] = Node(i)
	}
	shared := map[wim.Node][]int32{} // inodes of a group of hard links, by its first name
	for i := range d.nodes {
		n := wim.Node(i)
		e := im.Dentry(n)
		in := draftInode{
			created: format.Filetime(e.Created()), accessed: format.Filetime(e.Accessed()), modified: format.Filetime(e.Modified()),
			attributes: e.Attributes(), security: -1,
		}
		rare := inodeRare{
			unused: [2]uint64{binary.LittleEndian.Uint64(e[0x18:]), binary.LittleEndian.Uint64(e[0x20:])},
			items:  ntname.RawText(e.Items()), unknown: e.Unknown(),
		}
		if id := e.SecurityID(); id >= 0 && int(id) < len(securities) {
			in.security = securities[id]
		}
		if in.attributes&format.AttrReparsePoint != 0 {
			rare.reparseTag, rare.reparseMore = e.ReparseTag(), uint32(e.HardLink()>>32)
		} else {
			rare.link = e.HardLink()
		}
		in.setRare(rare)
		d.setStreams(&in, draftStreams(im, d, n))
		node := draftNode{parent: Node(im.Parent(n)), inode: -1, dir: -1}
		if n != 0 {
			node.name, node.short = ntname.RawText(e.Name()), d.addText(ntname.RawText(e.ShortName()))
		}
		if im.HardLinkCount(n) > 1 {
			first := im.FirstHardLink(n)
			for _, have := range shared[first] {
				if sameStreams(d, &d.inodes[have], &in) {
					node.inode = have
				}
			}
			if node.inode < 0 {
				shared[first] = append(shared[first], int32(len(d.inodes)))
			}
		}
		if node.inode < 0 {
			node.inode = int32(len(d.inodes))
			d.inodes = append(d.inodes, in)
		}
		d.inodes[node.inode].names++
		if d.inodes[node.inode].folder() {
			first, count := im.Children(n)
			node.dir = int32(len(d.dirs))
			d.dirs = append(d.dirs, draftDir{kids: kids[first : int(first)+count : int(first)+count], sorted: im.InOrder(n)})
		}
		d.nodes[i] = node
	}
	return d, nil
}

// sameStreams reports whether two inodes have the same streams in the same order.
func sameStreams(d *Draft, a, b *draftInode) bool {
	return slices.EqualFunc(d.streamsOf(a), d.streamsOf(b), func(x, y inodeStream) bool {
		return d.texts[x.name] == d.texts[y.name] && x.content == y.content && x.kind == y.kind
	})
}

// blobSize returns the size of a blob, 0 if no open part holds it.
func blobSize(im *wim.Image, h format.Hash) int64 {
	if im.Archive() == nil {
		return 0
	}
	b, _ := im.Archive().Store().Blob(h)
	return b.Size
}

// draftStreams returns the streams of an entry. It interprets unnamed streams like wim.Image.UnnamedStreams, in one pass.
func draftStreams(im *wim.Image, d *Draft, n wim.Node) []inodeStream {
	e := im.Dentry(n)
	content := func(h format.Hash) ContentID {
		return d.AddContent(Content{Hash: h, Known: true, Size: blobSize(im, h), Source: -1})
	}
	var unnamed [2]format.Hash
	count := 0
	if main := format.ReadHash(e.Hash()); !main.IsZero() {
		unnamed[0], count = main, 1
	}
	var named []inodeStream
	for s := im.ExtraStreams(n); s.Next(); {
		if len(s.Name) > 0 {
			named = append(named, inodeStream{name: d.addText(ntname.RawText(s.Name)), content: content(s.Hash), kind: format.StreamNamed})
		} else if count < len(unnamed) {
			unnamed[count] = s.Hash
			count++
		}
	}
	attrs := e.Attributes()
	dir := attrs&format.AttrDirectory != 0
	list := make([]inodeStream, 0, 2+len(named))
	if attrs&format.AttrEncrypted != 0 && !dir {
		// Other streams have no meaning; named ones are preserved.
		return append(append(list, inodeStream{content: content(unnamed[0]), kind: format.StreamRaw}), named...)
	}
	data := unnamed[0]
	if attrs&format.AttrReparsePoint != 0 {
		list = append(list, inodeStream{content: content(unnamed[0]), kind: format.StreamReparse})
		data = unnamed[1]
	}
	if !dir {
		list = append(list, inodeStream{content: content(data)})
	}
	return append(list, named...)
}
