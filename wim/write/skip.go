package write

import (
	"wimscope/wim/draft"
	"wimscope/wim/shard"
)

// Skip implements shard.Skipper. It leaves out a content that could not be read, as reported by a shard's ContentError. A file is removed from its image
// with all its names, or loses a named stream; if another file has the same bytes, that one is read instead. An image that is
// copied lacks the blob. The shard must be made again; shards made earlier can still be merged. No other method may run at
// the same time.
//
// If the image's metadata was already written, it is too late: Skip returns e.
func (p *Plan) Skip(e *shard.ContentError) error {
	if e.ID < 0 || int(e.ID) >= len(p.inv.contents) || p.inv.contents[e.ID].meta {
		return e
	}
	c := &p.inv.contents[e.ID]
	if c.same != written {
		return nil // skipped before
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
		// Both are known by this hash now, and the twin must not be found again.
		twin.image = -1
		p.inv.contentMu.Unlock()
		c.refs -= min(c.refs, p.inv.remove(&lost, false))
		return nil
	}
	c.same, c.skipped = leftOut, true // a content found later may have the same bytes
	p.inv.remove(&lost, c.known)
	return p.placer.forget(e.ID)
}

// Skipped implements shard.Skipper: it reports whether a content is not written, or no longer.
func (p *Plan) Skipped(id int32) bool { return p.inv.gone(id) }

// gone reports whether a content is no longer written.
func (inv *inventory) gone(id int32) bool {
	return id >= 0 && int(id) < len(inv.contents) && inv.contents[id].same != written
}

// twin returns another content with the same bytes as content id, to be read in its place, or -1.
func (inv *inventory) twin(id int32) int32 {
	for i := range inv.contents {
		if c := &inv.contents[i]; c.same == id && (c.image >= 0 || c.a >= 0) {
			return int32(i)
		}
	}
	return -1
}

// remove removes the files of a content from its draft and, if all is set, those with its hash from all drafts. It returns
// the number of streams removed.
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
