package write

import (
	"fmt"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/shard"
)

// Merge takes the result of shard i, which must be the next one.
func (p *Plan) Merge(i int, r *shard.PackResult) error {
	if i != p.merged || r.Seq != i || i >= len(p.shards) {
		return fmt.Errorf("wim: result of shard %d is not wanted: %w", i, shard.ErrShard)
	}
	plan := &p.shards[i]
	items, err := p.match(plan, r)
	if err != nil {
		return fmt.Errorf("wim: result of shard %d: %w", i, err)
	}
	p.merged++
	switch {
	case plan.op == shard.PackCheck:
		return p.mergeCheck(plan, r)
	case plan.op == shard.PackHash:
		p.mergeHash(r)
		return nil
	case plan.op == shard.PackSolid:
		return p.mergeSolid(plan, r)
	case p.stage == stageMeasure:
		p.mergeMeasure(items, r)
		return nil
	}
	b := batch{p: p, data: r.Data}
	for k, it := range items {
		c := &p.contents[it.content]
		switch res := &r.Items[k]; {
		case plan.op == shard.PackCopy && plan.solid >= 0:
			if it.from == 0 {
				p.solids[plan.solid].off = b.off()
			}
			b.at += res.Packed
		case c.same == leftOut:
			err = b.drop(res.Packed)
		case plan.op == shard.PackCopy:
			err = b.copied(it, res)
		case it.n < c.size:
			err = b.piece(it, res, plan.raw || p.o.Codec == format.None)
		default:
			if !c.known {
				p.setHash(it.content, res.Hash)
				if p.unite(it.content); c.same != written {
					err = b.drop(res.Packed)
					break
				}
			}
			c.packed, c.stored = res.Packed, res.Stored
			if c.off, err = b.begin(it.content, res.Packed); err == nil {
				b.at += res.Packed
			}
		}
		if err != nil {
			return err
		}
	}
	return b.flush()
}

// match finds the items of a plan that a result has. Those of contents that were skipped may be in it or not.
func (p *Plan) match(plan *packPlan, r *shard.PackResult) ([]packItem, error) {
	if plan.op == shard.PackSolid {
		return nil, nil
	}
	items := make([]packItem, 0, len(plan.items))
	total := int64(0)
	for _, it := range plan.items {
		if k := len(items); k < len(r.Items) && r.Items[k].ID == it.content {
			most := it.n
			if plan.op == shard.PackCopy && plan.solid < 0 {
				most = max(most, p.copySize(&p.contents[it.content]))
			}
			if p.o.Pipable && p.o.Codec != format.None {
				most += int64(len(r.Items[k].Chunks)) * blobs.PipablePrefix
			}
			if n := r.Items[k].Packed; n < 0 || n > most {
				return nil, fmt.Errorf("%d bytes for %d: %w", n, it.n, shard.ErrShard)
			}
			total += r.Items[k].Packed
			items = append(items, it)
		} else if p.contents[it.content].same != leftOut {
			return nil, fmt.Errorf("content %d is missing: %w", it.content, shard.ErrShard)
		}
	}
	if len(items) != len(r.Items) || total != int64(len(r.Data)) {
		return nil, fmt.Errorf("%d items of %d, %d bytes of %d: %w", len(r.Items), len(items), len(r.Data), total, shard.ErrShard)
	}
	return items, nil
}

// batch writes the bytes of a result, as many at a time as can be.
type batch struct {
	p        *Plan
	data     []byte
	from, at int64 // data[from:at] has a place and is not written yet
}

// off is where the next byte goes.
func (b *batch) off() int64 { return b.p.out.off + b.at - b.from }

func (b *batch) flush() error {
	err := b.p.out.append(b.data[b.from:b.at])
	b.from = b.at
	return err
}

// drop passes over n bytes.
func (b *batch) drop(n int64) error {
	err := b.flush()
	b.at += n
	b.from = b.at
	return err
}

// begin finds a place for the resource of a content, of at most n bytes, in the part at hand or the next one, and writes
// what stands before it.
func (b *batch) begin(id int32, n int64) (off int64, err error) {
	p := b.p
	c := &p.contents[id]
	if p.partSize > 0 && !c.meta && !p.fits(b.off(), n) {
		if err := b.flush(); err != nil {
			return 0, err
		}
		if err := p.nextPart(); err != nil {
			return 0, err
		}
	}
	p.used++
	c.part = uint16(p.part)
	if p.o.Pipable {
		if err := b.flush(); err != nil {
			return 0, err
		}
		return b.off() + format.PipableBlobHeaderSize, p.out.append(pipableHeader(c.size, c.hash, c.flags()))
	}
	return b.off(), nil
}

// pipableHeader is what stands before each resource of a pipable archive.
func pipableHeader(size int64, hash format.Hash, flags uint8) []byte {
	return format.PipableBlobHeader{Magic: format.PipableMagic, Size: uint64(size), Hash: hash, Flags: uint32(flags)}.Append(nil)
}

// piped writes what describes a pipable archive, with its header.
func (p *Plan) piped(b []byte) (off int64, err error) {
	if p.o.Pipable {
		if err := p.out.append(pipableHeader(int64(len(b)), sha1.Sum(b), format.ResMetadata)); err != nil {
			return 0, err
		}
	}
	off = p.out.off
	return off, p.out.append(b)
}

// copied takes packed bytes.
func (b *batch) copied(it packItem, res *shard.PackedItem) (err error) {
	if it.from == 0 {
		p := b.p
		c := &p.contents[it.content]
		src, _ := p.resource(c)
		c.packed, c.stored = packedFor(&src, &p.o), src.Form == blobs.FormStored
		if reframed(&src, &p.o) && c.packed != res.Packed {
			return fmt.Errorf("wim: %d bytes of content %v, not %d: %w", res.Packed, c.hash, c.packed, shard.ErrShard)
		}
		if c.off, err = b.begin(it.content, c.packed); err != nil {
			return err
		}
	}
	b.at += res.Packed
	return nil
}

// piece takes a run of a content's chunks, or of its bytes if they are stored as they are.
func (b *batch) piece(it packItem, res *shard.PackedItem, stored bool) (err error) {
	p := b.p
	c := &p.contents[it.content]
	o := &p.open
	entry := int64(format.ChunkEntrySize(uint64(c.size)))
	if it.from == 0 {
		*o = openContent{id: it.content}
		most := c.size
		if !stored {
			n := (c.size + p.o.ChunkSize - 1) / p.o.ChunkSize
			o.table = (n - 1) * entry
			most += o.table
			if p.o.Pipable {
				most += n * blobs.PipablePrefix
			}
			if c.most() > 0 {
				most = min(most, c.most())
			}
		}
		c.stored = stored
		if o.off, err = b.begin(it.content, most); err != nil {
			return err
		}
		if !stored && !p.o.Pipable {
			if err := b.flush(); err != nil {
				return err
			}
			if err := p.out.reserve(o.table); err != nil {
				return err
			}
		}
	}
	if o.id != it.content {
		return shard.ErrShard
	}
	p.setHash(it.content, res.Hash)
	o.sizes = append(o.sizes, res.Chunks...)
	o.total += res.Packed
	b.at += res.Packed
	if it.from+it.n < c.size {
		return nil
	}
	if err := b.flush(); err != nil {
		return err
	}
	c.off, c.packed = o.off, o.table+o.total
	done := *o
	*o = openContent{id: -1}
	if stored {
		return nil
	}
	table := shard.AppendChunkTable(make([]byte, 0, done.table), done.sizes, c.size)
	switch {
	case int64(len(table)) != done.table:
		return fmt.Errorf("wim: %d chunks of content %v: %w", len(done.sizes), c.hash, shard.ErrShard)
	case p.o.Pipable:
		return p.out.append(table)
	case done.total == c.size:
		// No chunk shrank, so the bytes stand as they are behind the table, which nobody needs.
		c.off, c.packed, c.stored = done.off+done.table, c.size, true
		clear(table)
	case c.packed >= c.size:
		p.out.back(done.off)
		c.part = 0
		p.redo = append(p.redo, it.content)
		return nil
	}
	return p.out.fill(table, done.off)
}

// mergeSolid takes a run of a solid resource's chunks.
func (p *Plan) mergeSolid(plan *packPlan, r *shard.PackResult) error {
	s := &p.solids[plan.solid]
	o := &p.open
	chunks := (s.size + p.o.SolidChunkSize - 1) / p.o.SolidChunkSize
	if plan.items[0].from == 0 && p.contents[plan.items[0].content].off == 0 {
		*o = openContent{id: -1, off: p.out.off, table: format.SolidHeaderSize + 4*chunks}
		if err := p.out.reserve(o.table); err != nil {
			return err
		}
	}
	o.sizes = append(o.sizes, r.Chunks...)
	o.total += int64(len(r.Data))
	if err := p.out.append(r.Data); err != nil || int64(len(o.sizes)) < chunks {
		return err
	}
	sum := int64(0)
	for _, n := range o.sizes {
		sum += int64(n)
	}
	if int64(len(o.sizes)) != chunks || sum != o.total {
		return fmt.Errorf("wim: %d chunks of a solid resource: %w", len(o.sizes), shard.ErrShard)
	}
	s.off, s.packed = o.off, o.table+o.total
	head := format.SolidHeader{Size: uint64(s.size), ChunkSize: uint32(p.o.SolidChunkSize), Codec: uint32(p.o.SolidCodec)}.Append(make([]byte, 0, o.table))
	for _, n := range o.sizes {
		head = le.AppendUint32(head, n)
	}
	o.sizes = nil
	return p.out.fill(head, o.off)
}
