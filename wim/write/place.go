package write

import (
	"fmt"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/pack"
	"wimscope/wim/shard"
)

// placer writes the results of shards to the output, and records where they are.
type placer struct {
	planner
	file *output
	open openContent // the content or solid resource that is being written in pieces
	redo []int32     // contents that did not shrink and are to be written uncompressed
}

// merge writes the result of a shard. items are those that the result covers, see outlines.match.
func (w *placer) merge(ol *outline, items []item, r *shard.Result) error {
	if ol.op == shard.OpPackSolid {
		return w.mergeSolid(ol, r)
	}
	b := batch{placer: w, data: r.Data}
	for k, it := range items {
		if err := b.item(ol, it, &r.Packed[k]); err != nil {
			return err
		}
	}
	return b.flush()
}

// item places an item whose bytes are the next of the result.
func (b *batch) item(ol *outline, it item, res *shard.PackedItem) (err error) {
	c := &b.inv.contents[it.content]
	switch {
	case ol.op == shard.OpCopy && ol.solid >= 0:
		if it.from == 0 {
			b.inv.solids[ol.solid].off = b.off()
		}
		b.at += res.Packed
		return nil
	case c.same == leftOut:
		return b.drop(res.Packed)
	case ol.op == shard.OpCopy:
		return b.copied(it, res)
	case it.n < c.size:
		return b.piece(it, res, ol.raw || b.o.Codec == format.None)
	}
	if !c.known {
		b.inv.setHash(it.content, res.Hash)
		if b.inv.unite(it.content); c.same != written {
			return b.drop(res.Packed)
		}
	}
	c.packed, c.stored = res.Packed, res.Stored
	if c.off, err = b.begin(it.content, res.Packed); err == nil {
		b.at += res.Packed
	}
	return err
}

// forget ends a content in pieces that is skipped. The bytes that were already written stay, unused.
func (w *placer) forget(id int32) error {
	open := w.open
	if open.id != id {
		return nil
	}
	w.open = openContent{id: -1}
	return w.file.out.fill(make([]byte, open.table), open.off)
}

// batch writes the bytes of a result in as few writes as possible.
type batch struct {
	*placer
	data     []byte
	from, at int64 // data[from:at] has a place but is not yet written
}

// off returns the offset of the next byte in the part.
func (b *batch) off() int64 { return b.file.out.off + b.at - b.from }

func (b *batch) flush() error {
	err := b.file.out.append(b.data[b.from:b.at])
	b.from = b.at
	return err
}

// drop skips n bytes of the result.
func (b *batch) drop(n int64) error {
	err := b.flush()
	b.at += n
	b.from = b.at
	return err
}

// begin returns the offset for a content's resource of at most n bytes, in the current part or the next one. In a pipable
// archive it writes the header of the resource.
func (b *batch) begin(id int32, n int64) (off int64, err error) {
	c := &b.inv.contents[id]
	if b.partSize > 0 && !c.meta && !b.file.fits(b.off(), n) {
		if err := b.flush(); err != nil {
			return 0, err
		}
		if err := b.file.nextPart(); err != nil {
			return 0, err
		}
	}
	b.file.used++
	c.part = uint16(b.file.part)
	if b.o.Pipable {
		if err := b.flush(); err != nil {
			return 0, err
		}
		return b.off() + format.PipableBlobHeaderSize, b.file.out.append(pipableHeader(c.size, c.hash, c.flags()))
	}
	return b.off(), nil
}

// copied places packed bytes of a copied resource.
func (b *batch) copied(it item, res *shard.PackedItem) (err error) {
	if it.from == 0 {
		c := &b.inv.contents[it.content]
		src, _ := b.inv.resource(c)
		c.packed, c.stored = packedFor(&src, &b.o), src.Form == blobs.FormStored
		if reframed(&src, &b.o) && c.packed != res.Packed {
			return fmt.Errorf("wim: %d bytes of blob %v, want %d: %w", res.Packed, c.hash, c.packed, shard.ErrShard)
		}
		if c.off, err = b.begin(it.content, c.packed); err != nil {
			return err
		}
	}
	b.at += res.Packed
	return nil
}

// piece places a run of a content's chunks, or of its bytes if they are stored uncompressed.
func (b *batch) piece(it item, res *shard.PackedItem, stored bool) (err error) {
	c := &b.inv.contents[it.content]
	o := &b.open
	entry := int64(format.ChunkEntrySize(uint64(c.size)))
	if it.from == 0 {
		*o = openContent{id: it.content}
		most := c.size
		if !stored {
			n := (c.size + b.o.ChunkSize - 1) / b.o.ChunkSize
			o.table = (n - 1) * entry
			most += o.table
			if b.o.Pipable {
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
		if !stored && !b.o.Pipable {
			if err := b.flush(); err != nil {
				return err
			}
			if err := b.file.out.reserve(o.table); err != nil {
				return err
			}
		}
	}
	if o.id != it.content {
		return shard.ErrShard
	}
	b.inv.setHash(it.content, res.Hash)
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
	table := pack.AppendChunkTable(make([]byte, 0, done.table), done.sizes, c.size)
	switch {
	case int64(len(table)) != done.table:
		return fmt.Errorf("wim: %d chunks of blob %v: %w", len(done.sizes), c.hash, shard.ErrShard)
	case b.o.Pipable:
		return b.file.out.append(table)
	case done.total == c.size:
		// No chunk shrank, so the bytes behind the table are the uncompressed content. The table is not needed.
		c.off, c.packed, c.stored = done.off+done.table, c.size, true
		clear(table)
	case c.packed >= c.size:
		b.file.out.back(done.off)
		c.part = 0
		b.redo = append(b.redo, it.content)
		return nil
	}
	return b.file.out.fill(table, done.off)
}

// mergeSolid writes a run of a solid resource's chunks.
func (w *placer) mergeSolid(ol *outline, r *shard.Result) error {
	s := &w.inv.solids[ol.solid]
	o := &w.open
	chunks := (s.size + w.o.SolidChunkSize - 1) / w.o.SolidChunkSize
	if ol.items[0].from == 0 && w.inv.contents[ol.items[0].content].off == 0 {
		*o = openContent{id: -1, off: w.file.out.off, table: format.SolidHeaderSize + 4*chunks}
		if err := w.file.out.reserve(o.table); err != nil {
			return err
		}
	}
	o.sizes = append(o.sizes, r.Chunks...)
	o.total += int64(len(r.Data))
	if err := w.file.out.append(r.Data); err != nil || int64(len(o.sizes)) < chunks {
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
	head := format.SolidHeader{Size: uint64(s.size), ChunkSize: uint32(w.o.SolidChunkSize), Codec: uint32(w.o.SolidCodec)}.Append(make([]byte, 0, o.table))
	for _, n := range o.sizes {
		head = le.AppendUint32(head, n)
	}
	o.sizes = nil
	return w.file.out.fill(head, o.off)
}
