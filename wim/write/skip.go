package write

import (
	"wimscope/wim/draft"
	"wimscope/wim/shard"
)

// Skip leaves out a content that could not be had, as the ContentError of a shard says. A file goes from its image with all
// its names, or loses a named stream; if another file has the same bytes, that one is read in its place. An image that is
// written as it is lacks the content. The shard has to be made anew, and others that were made before may be merged. No
// other method may run meanwhile.
//
// It is too late if the image's metadata was written: then the error comes back.
func (p *Plan) Skip(e *shard.ContentError) error {
	if e.ID < 0 || int(e.ID) >= len(p.inv.contents) || p.inv.contents[e.ID].meta {
		return e
	}
	c := &p.inv.contents[e.ID]
	if c.same != written {
		return nil // that was done
	}
	if p.front && p.file.begun {
		return e
	}
	e.Path = p.inv.name(e.ID)
	p.skipped = append(p.skipped, e)
	lost := *c
	if k := p.inv.twin(e.ID); k >= 0 {
		twin := &p.inv.contents[k]
		p.inv.contentMu.Lock()
		c.a, c.blob, c.image, c.id, c.size = twin.a, twin.blob, twin.image, twin.id, twin.size
		if c.rare != nil || twin.rare != nil {
			c.needRare().inline = twin.inline()
		}
		// What they stand for is known by its hash, and this one is not asked again.
		twin.image = -1
		p.inv.contentMu.Unlock()
		c.refs -= min(c.refs, p.inv.remove(&lost, false))
		return nil
	}
	c.same, c.skipped = leftOut, true // another one may turn out to be the same
	p.inv.remove(&lost, c.known)
	return p.placer.forget(e.ID)
}

// gone says that a content is not written any more.
func (inv *inventory) gone(id int32) bool {
	return id >= 0 && int(id) < len(inv.contents) && inv.contents[id].same != written
}

// twin finds a file with the same bytes as a content, -1 if there is none.
func (inv *inventory) twin(id int32) int32 {
	for i := range inv.contents {
		if c := &inv.contents[i]; c.same == id && (c.image >= 0 || c.a >= 0) {
			return int32(i)
		}
	}
	return -1
}

// remove takes the files of a content out of its draft, and if its hash is known, out of all drafts. It returns the number
// of streams removed.
func (inv *inventory) remove(c *content, all bool) (refs uint32) {
	for i := range inv.images {
		d := inv.images[i].draft
		if d == nil {
			continue
		}
		refs += uint32(d.DropContent(func(id draft.ContentID) bool {
			if int32(i) == c.image && id == c.id {
				return true
			}
			x := d.Content(id)
			return all && x.Known && x.Hash == c.hash
		}))
	}
	return refs
}
