package core

import "wimscope/wim/format"

// Skip leaves out a content that could not be had, as the ContentError of a shard says. A file goes from its image with all
// its names, or loses a named stream; if another file has the same bytes, that one is read in its place. An image that is
// written as it is lacks the content. The shard has to be made anew, and others that were made before may be merged. No
// other method may run meanwhile.
//
// It is too late if the image's metadata was written: then the error comes back.
func (p *WritePlan) Skip(e *ContentError) error {
	if e.ID < 0 || int(e.ID) >= len(p.contents) || p.contents[e.ID].meta {
		return e
	}
	c := &p.contents[e.ID]
	if c.same != written {
		return nil // that was done
	}
	if p.front && p.begun {
		return e
	}
	e.Path = p.Name(e.ID)
	p.skipped = append(p.skipped, e)
	lost := *c
	if k := p.twin(e.ID); k >= 0 {
		twin := &p.contents[k]
		p.told.Lock()
		c.a, c.blob, c.image, c.id, c.size = twin.a, twin.blob, twin.image, twin.id, twin.size
		if c.rare != nil || twin.rare != nil {
			c.needRare().inline = twin.inline()
		}
		// What they stand for is known by its hash, and this one is not asked again.
		twin.image = -1
		p.told.Unlock()
		c.refs -= min(c.refs, p.remove(&lost, false))
		return nil
	}
	c.same, c.skipped = leftOut, true // another one may turn out to be the same
	p.remove(&lost, c.known)
	if open := p.open; open.id == e.ID {
		// What was written of it stays, unused.
		p.open = openContent{id: -1}
		return p.out.fill(make([]byte, open.table), open.off)
	}
	return nil
}

// gone says that a content is not written any more.
func (p *WritePlan) gone(id int32) bool {
	return id >= 0 && int(id) < len(p.contents) && p.contents[id].same != written
}

// twin finds a file with the same bytes as a content, -1 if there is none.
func (p *WritePlan) twin(id int32) int32 {
	for i := range p.contents {
		if c := &p.contents[i]; c.same == id && (c.image >= 0 || c.a >= 0) {
			return int32(i)
		}
	}
	return -1
}

// remove takes the files of a content out of its draft, and if it is known by its hash, out of all. It gives how many
// streams there were.
func (p *WritePlan) remove(c *packContent, all bool) (refs uint32) {
	for i := range p.images {
		d := p.images[i].draft
		if d == nil {
			continue
		}
		gone := func(id ContentID) bool {
			x := &d.contents[id]
			return int32(i) == c.image && id == c.id || all && x.known && x.hash == c.hash
		}
		type place struct {
			n    DraftNode
			kind format.StreamKind
		}
		var places []place
		d.EachStream(func(n DraftNode, kind format.StreamKind, id ContentID) bool {
			if gone(id) {
				places = append(places, place{n, kind})
			}
			return true
		})
		refs += uint32(len(places))
		for _, at := range places {
			if !d.Exists(at.n) {
				continue
			}
			if at.kind == format.StreamNamed {
				d.removeStreams(d.inode(at.n), func(s inodeStream) bool { return s.kind == format.StreamNamed && s.content >= 0 && gone(s.content) })
				continue
			}
			if at.n == d.Root() || d.Remove(at.n) != nil {
				d.removeStreams(d.inode(at.n), func(s inodeStream) bool { return s.content >= 0 && gone(s.content) })
			}
		}
	}
	return refs
}
