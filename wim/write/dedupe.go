package write

import (
	"slices"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// hashing is the stage that hashes contents before anything is packed. Most contents are read once, and hashed and packed at
// the same time. Hashed before are
//   - contents that may be the same as another one, because it has the same size, if packing them in vain takes longer than
//     reading them twice;
//   - contents packed in pieces by several workers, so that each piece can be checked;
//   - all contents, if they go into a solid resource, where the place of everything is fixed before the first byte is packed, or if
//     metadata is written first.
type hashing struct{ planner }

func (s *hashing) key() string { return "hash" }

func (s *hashing) plan() error {
	sizes := map[int64]int{}
	for i := range s.inv.contents {
		sizes[s.inv.contents[i].size]++
	}
	others := s.delta
	if s.base != nil {
		others = append(slices.Clone(others), s.base)
	}
	for _, a := range others {
		for i := range a.Store().Records {
			sizes[a.Store().Records[i].Size]++
		}
	}
	once := s.o.OnePass
	if s.o.Codec == format.None {
		once = largeContent // nothing is packed in vain
	}
	all := s.o.Solid || s.front || s.o.Only == OnlyMetadata
	var files []int32
	for i := range s.inv.contents {
		c := &s.inv.contents[i]
		if c.same != written || c.stays {
			continue
		}
		large := c.size > largeContent && c.inline() == nil && !s.inv.copied(c)
		if large || !c.known && (all || c.size > once && sizes[c.size] > 1) {
			files = append(files, int32(i))
		}
	}
	m := s.list.makeShards(outline{op: shard.OpHash}, files)
	for _, i := range files {
		c := &s.inv.contents[i]
		alone := c.a >= 0 || c.size > largeContent
		if alone || m.cur.bytes >= m.target() || m.full() {
			m.flush()
		}
		m.add(item{i, 0, c.size})
		if alone {
			m.flush()
		}
	}
	m.flush()
	return nil
}

// merge records the hashes of contents.
func (s *hashing) merge(_ *outline, _ []item, r *shard.Result) error {
	for i := range r.Packed {
		it := &r.Packed[i]
		if s.inv.contents[it.ID].same == leftOut {
			continue
		}
		s.inv.setHash(it.ID, it.Hash)
		if len(it.States) > 0 {
			rare := s.inv.contents[it.ID].needRare()
			rare.states, rare.zeros = slices.Clone(it.States), slices.Clone(it.Zeros)
		}
	}
	return nil
}

// setHash records the hash of a content, also in its draft.
func (inv *inventory) setHash(id int32, h format.Hash) {
	c := &inv.contents[id]
	if c.known {
		return
	}
	inv.contentMu.Lock()
	defer inv.contentMu.Unlock()
	c.hash, c.known = h, true
	if c.image >= 0 {
		inv.images[c.image].draft.SetHash(c.id, h)
	}
}

// single finds duplicates among the contents, once their hashes are known.
func (inv *inventory) single() error {
	for i := range inv.contents {
		c := &inv.contents[i]
		if !c.known || c.same != written || c.meta {
			continue
		}
		inv.unite(int32(i))
		if inv.o.Only == OnlyMetadata && c.same == written && !c.stays {
			return &shard.ContentError{ID: int32(i), Path: inv.name(int32(i)), Err: &blobs.MissingError{Hash: c.hash}}
		}
	}
	return nil
}

// unite looks for another content with the same hash, which is then written in place of this one. Without one, this content
// is written, unless the archive leaves it out.
func (inv *inventory) unite(id int32) {
	c := &inv.contents[id]
	if first, ok := inv.withHash(&c.hash); ok && first != id {
		inv.contents[first].refs += c.refs
		c.same = first
		return
	}
	inv.indexHash(id)
	if inv.left(c.hash) && !c.stays {
		c.same = leftOut
	}
}
