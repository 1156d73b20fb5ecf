package write

import (
	"slices"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// planHash plans which contents are hashed before anything is packed: the first stage of writing. A content that is read
// once, hashed and packed at the same time, is the rule. Read before are those
//   - that may turn out to be the same as another one: whose size another one has, and which take longer to pack in vain
//     than to read twice;
//   - that are packed in pieces, by several workers, so that each piece can be checked;
//   - all, if they go into a solid resource, where everything has its place before the first byte is packed, and if
//     metadata is written before them.
func (p *Plan) planHash() {
	sizes := map[int64]int{}
	for i := range p.contents {
		sizes[p.contents[i].size]++
	}
	others := p.delta
	if p.base != nil {
		others = append(slices.Clone(others), p.base)
	}
	for _, a := range others {
		for i := range a.Store().Records {
			sizes[a.Store().Records[i].Size]++
		}
	}
	once := p.o.OnePass
	if p.o.Codec == format.None {
		once = largeContent // nothing is packed in vain
	}
	all := p.o.Solid || p.front || p.o.Only == OnlyMetadata
	var files []int32
	for i := range p.contents {
		c := &p.contents[i]
		if c.same != written || c.stays {
			continue
		}
		large := c.size > largeContent && c.inline() == nil && !p.copied(c)
		if large || !c.known && (all || c.size > once && sizes[c.size] > 1) {
			files = append(files, int32(i))
		}
	}
	m := p.makeShards(packPlan{op: shard.PackHash}, files)
	for _, i := range files {
		c := &p.contents[i]
		alone := c.a >= 0 || c.size > largeContent
		if alone || m.cur.bytes >= m.target() || m.full() {
			m.flush()
		}
		m.add(packItem{i, 0, c.size})
		if alone {
			m.flush()
		}
	}
	m.flush()
}

// mergeHash takes the hashes of contents.
func (p *Plan) mergeHash(r *shard.PackResult) {
	for i := range r.Items {
		it := &r.Items[i]
		if p.contents[it.ID].same == leftOut {
			continue
		}
		p.setHash(it.ID, it.Hash)
		if len(it.States) > 0 {
			rare := p.contents[it.ID].needRare()
			rare.states, rare.zeros = slices.Clone(it.States), slices.Clone(it.Zeros)
		}
	}
}

// setHash tells a content's hash, and the draft that it is of.
func (p *Plan) setHash(id int32, h format.Hash) {
	c := &p.contents[id]
	if c.known {
		return
	}
	p.told.Lock()
	defer p.told.Unlock()
	c.hash, c.known = h, true
	if c.image >= 0 {
		p.images[c.image].draft.SetHash(c.id, h)
	}
}

// single finds the contents that are the same as another one, once hashes are known.
func (p *Plan) single() error {
	for i := range p.contents {
		c := &p.contents[i]
		if !c.known || c.same != written || c.meta {
			continue
		}
		p.unite(int32(i))
		if p.o.Only == OnlyMetadata && c.same == written && !c.stays {
			return &shard.ContentError{ID: int32(i), Path: p.Name(int32(i)), Err: &blobs.MissingError{Hash: c.hash}}
		}
	}
	return nil
}

// unite decides whether a content whose hash is known is written itself.
func (p *Plan) unite(id int32) {
	c := &p.contents[id]
	if first, ok := p.withHash(&c.hash); ok && first != id {
		p.contents[first].refs += c.refs
		c.same = first
		return
	}
	p.indexHash(id)
	if p.left(c.hash) && !c.stays {
		c.same = leftOut
	}
}
