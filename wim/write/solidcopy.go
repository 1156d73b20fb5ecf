package write

import (
	"cmp"
	"slices"

	"wimscope/wim/blobs"
	"wimscope/wim/shard"
)

// solidCopy is a solid resource of an archive that is copied whole.
type solidCopy struct {
	a, solid int32
	contents []int32 // contents of it that are needed
	bytes    int64   // unpacked bytes of these contents
}

// solidCopies returns the solid resources of archives that are copied whole: those packed the same way of which at least two
// thirds are needed. Repacking one to drop a few contents that are not needed would take more time than the space is worth.
func (inv *inventory) solidCopies() []*solidCopy {
	if !inv.o.Solid || inv.o.Recompress {
		return nil
	}
	type key struct{ a, solid int32 }
	index := map[key]*solidCopy{}
	var list []*solidCopy
	for i := range inv.contents {
		c := &inv.contents[i]
		if c.a < 0 || c.same != written || c.stays || c.meta {
			continue
		}
		a := inv.archives[c.a]
		b := &a.Store().Records[c.blob]
		if b.Run < 0 || b.Fault != blobs.FaultNone {
			continue
		}
		run := &a.Store().Runs[b.Run]
		m := run.Member(b.Off)
		s := &a.Store().Solids[run.Members[m].Solid]
		if b.Off+b.Size > run.Members[m].Start+s.Size || s.Bad != "" || s.Codec != inv.o.SolidCodec || s.ChunkSize != inv.o.SolidChunkSize {
			continue
		}
		k := key{c.a, run.Members[m].Solid}
		x := index[k]
		if x == nil {
			x = &solidCopy{a: k.a, solid: k.solid}
			index[k] = x
			list = append(list, x)
		}
		x.contents = append(x.contents, int32(i))
		x.bytes += b.Size
	}
	list = slices.DeleteFunc(list, func(x *solidCopy) bool { return x.bytes < inv.archives[x.a].Store().Solids[x.solid].Size/3*2 })
	slices.SortFunc(list, func(x, y *solidCopy) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.solid, y.solid)) })
	return list
}

// planSolidCopies plans to copy solid resources.
func (p *planner) planSolidCopies() {
	for _, x := range p.inv.solidCopies() {
		a := p.archives[x.a]
		s := &a.Store().Solids[x.solid]
		at := int32(len(p.inv.solids))
		p.inv.solids = append(p.inv.solids, outSolid{packed: s.Packed, size: s.Size, a: x.a, from: x.solid})
		for _, id := range x.contents {
			c := &p.inv.contents[id]
			b := &a.Store().Records[c.blob]
			run := &a.Store().Runs[b.Run]
			c.solid, c.off, c.packed, c.part = at, b.Off-run.Members[run.Member(b.Off)].Start, c.size, 1
		}
		for from := int64(0); from < s.Packed; from += pieceBytes {
			n := min(s.Packed-from, pieceBytes)
			p.list.add(outline{op: shard.OpCopy, solid: at, items: []item{{x.contents[0], from, n}}, bytes: n})
		}
	}
}
