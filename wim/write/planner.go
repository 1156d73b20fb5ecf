package write

import (
	"cmp"
	"slices"

	"wimscope/wim/shard"
)

// planner adds shards to the outlines of a stage. Every stage embeds one.
type planner struct {
	*request
	inv  *inventory
	list *outlines
}

// planCopies plans to copy packed resources.
func (p *planner) planCopies(ids []int32) {
	slices.SortFunc(ids, func(x, y int32) int {
		cx, cy := &p.inv.contents[x], &p.inv.contents[y]
		if cx.a != cy.a {
			return cmp.Compare(cx.a, cy.a)
		}
		rx, _ := p.inv.resource(cx)
		ry, _ := p.inv.resource(cy)
		return cmp.Or(cmp.Compare(rx.Src, ry.Src), cmp.Compare(rx.Off, ry.Off), cmp.Compare(x, y))
	})
	m := p.list.makeShards(outline{op: shard.OpCopy, solid: -1}, nil)
	for _, id := range ids {
		res, _ := p.inv.resource(&p.inv.contents[id])
		for from, n := int64(0), int64(0); from < res.Packed; from += n {
			n = min(res.Packed-from, pieceBytes)
			if reframed(&res, &p.o) {
				n = res.Packed // its chunks are rearranged together
			}
			m.addPacked(item{id, from, n})
		}
	}
	m.flush()
}

// planSolid plans one solid resource with contents in the given order.
func (p *planner) planSolid(ids []int32) {
	total := int64(0)
	for _, id := range ids {
		total += p.inv.contents[id].size
	}
	if total == 0 {
		return
	}
	at := int32(len(p.inv.solids))
	p.inv.solids = append(p.inv.solids, outSolid{size: total, a: -1})
	step := max(p.o.SolidChunkSize, solidShardBytes)
	m := p.list.makeShards(outline{op: shard.OpPackSolid, solid: at}, nil)
	off := int64(0)
	for _, id := range ids {
		c := &p.inv.contents[id]
		c.solid, c.off, c.packed, c.part = at, off, c.size, 1
		for from := int64(0); from < c.size; {
			n := min(c.size-from, step-off%step)
			m.add(item{id, from, n})
			from += n
			if off += n; off%step == 0 {
				m.flush()
			}
		}
	}
	m.flush()
}

// planAlone plans a resource for each content, in the given order. If raw is set they are not packed.
func (p *planner) planAlone(ids []int32, raw bool) {
	m := p.list.makeShards(outline{op: shard.OpPack, solid: -1, raw: raw}, ids)
	last := int64(-1) // the source chunk in which the previous content begins
	for _, id := range ids {
		c := &p.inv.contents[id]
		if step := p.step(c); step > 0 {
			m.flush()
			for from := int64(0); from < c.size; from += step {
				m.add(item{id, from, min(c.size-from, step)})
				m.flush()
			}
			continue
		}
		// One worker packs all contents of a source's solid chunk, so that the chunk is unpacked once.
		chunk := p.inv.sourceChunk(c)
		have, enough := m.cur.bytes, m.target()
		together := chunk >= 0 && chunk == last && have+c.size <= 2*largeContent
		if (have >= enough || have > 0 && have+c.size > 2*enough) && !together || m.full() {
			m.flush()
		}
		last = chunk
		m.add(item{id, 0, c.size})
	}
	m.flush()
}
