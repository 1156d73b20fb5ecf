package write

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/shard"
)

// copied says that a content is copied as it is packed.
func (p *Plan) copied(c *packContent) bool {
	if c.solid >= 0 || c.stays {
		return true
	}
	if c.a < 0 || p.o.Recompress || p.o.Solid && !p.o.KeepAlone {
		return false
	}
	res, ok := p.resource(c)
	return ok && packedAs(p.archives[c.a].Store(), &res, &p.o)
}

// resource gives the resource in an archive that holds a content alone.
func (p *Plan) resource(c *packContent) (blobs.Resource, bool) {
	a := p.archives[c.a]
	if c.blob >= a.Store().MetaID(0) {
		return a.Store().Metas[c.blob-a.Store().MetaID(0)].Resource, true
	}
	b := &a.Store().Records[c.blob]
	if b.Run >= 0 || b.Fault != blobs.FaultNone {
		return blobs.Resource{}, false
	}
	return a.Store().ResourceOf(b), true
}

// copySize is how many bytes a content takes that is copied.
func (p *Plan) copySize(c *packContent) int64 {
	res, _ := p.resource(c)
	return packedFor(&res, &p.o)
}

// planPack plans the packing of contents.
func (p *Plan) planPack() {
	p.planSolidCopies()
	var copies, raw, rest []int32
	for i := range p.contents {
		c := &p.contents[i]
		switch {
		case c.same != written, c.solid >= 0, c.stays, c.meta:
		case p.copied(c):
			copies = append(copies, int32(i))
		case c.raw:
			raw = append(raw, int32(i))
		default:
			rest = append(rest, int32(i))
		}
	}
	p.planCopies(copies)
	p.planAlone(raw, true)
	p.order(rest)
	if p.o.Solid {
		p.planSolid(rest)
	} else {
		p.planAlone(rest, false)
	}
}

// order puts contents into the order in which they are packed: those of archives as they lie there, then those of drafts.
// In a solid resource what is not there from a solid one goes by its name's extension, then by its name, unless the order is
// to be kept.
func (p *Plan) order(ids []int32) {
	solidRun := func(c *packContent) bool { return c.a >= 0 && p.archives[c.a].Store().Records[c.blob].Run >= 0 }
	byName := p.o.Solid && !p.o.KeepOrder
	group := func(c *packContent) int {
		switch {
		case solidRun(c):
			return 0
		case c.a >= 0 && !byName:
			return 1
		}
		return 2
	}
	type key struct{ ext, name string }
	keys := map[int32]key{}
	if byName {
		for _, id := range ids {
			name := strings.ToLower(p.names[id])
			keys[id] = key{path.Ext(name), name}
		}
	}
	slices.SortStableFunc(ids, func(x, y int32) int {
		cx, cy := &p.contents[x], &p.contents[y]
		gx, gy := group(cx), group(cy)
		switch {
		case gx != gy:
			return cmp.Compare(gx, gy)
		case gx < 2 && cx.a != cy.a:
			return cmp.Compare(cx.a, cy.a)
		case gx < 2:
			return p.archives[cx.a].Store().BlobPlace(cx.blob, cy.blob)
		case byName:
			kx, ky := keys[x], keys[y]
			return cmp.Or(cmp.Compare(kx.ext, ky.ext), cmp.Compare(kx.name, ky.name), cmp.Compare(x, y))
		}
		return cmp.Compare(x, y)
	})
}

// planCopies plans the copying of packed resources.
func (p *Plan) planCopies(ids []int32) {
	slices.SortFunc(ids, func(x, y int32) int {
		cx, cy := &p.contents[x], &p.contents[y]
		if cx.a != cy.a {
			return cmp.Compare(cx.a, cy.a)
		}
		rx, _ := p.resource(cx)
		ry, _ := p.resource(cy)
		return cmp.Or(cmp.Compare(rx.Src, ry.Src), cmp.Compare(rx.Off, ry.Off), cmp.Compare(x, y))
	})
	m := p.makeShards(packPlan{op: shard.PackCopy, solid: -1}, nil)
	for _, id := range ids {
		res, _ := p.resource(&p.contents[id])
		for from, n := int64(0), int64(0); from < res.Packed; from += n {
			n = min(res.Packed-from, pieceBytes)
			if reframed(&res, &p.o) {
				n = res.Packed // its chunks are looked at together
			}
			m.addPacked(packItem{id, from, n})
		}
	}
	m.flush()
}

// solidCopy is a solid resource of an archive that is copied as it is.
type solidCopy struct {
	a, solid int32
	contents []int32 // that are wanted of it
	bytes    int64   // of these, unpacked
}

// solidCopies finds the solid resources of archives that are copied as they are: those packed in the same way of which at
// least two thirds are wanted. Unpacking one for a few contents that are not wanted would take longer than it saves.
func (p *Plan) solidCopies() []*solidCopy {
	if !p.o.Solid || p.o.Recompress {
		return nil
	}
	type key struct{ a, solid int32 }
	index := map[key]*solidCopy{}
	var list []*solidCopy
	for i := range p.contents {
		c := &p.contents[i]
		if c.a < 0 || c.same != written || c.stays || c.meta {
			continue
		}
		a := p.archives[c.a]
		b := &a.Store().Records[c.blob]
		if b.Run < 0 || b.Fault != blobs.FaultNone {
			continue
		}
		run := &a.Store().Runs[b.Run]
		m := run.Member(b.Off)
		s := &a.Store().Solids[run.Members[m].Solid]
		if b.Off+b.Size > run.Members[m].Start+s.Size || s.Bad != "" || s.Codec != p.o.SolidCodec || s.ChunkSize != p.o.SolidChunkSize {
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
	list = slices.DeleteFunc(list, func(x *solidCopy) bool { return x.bytes < p.archives[x.a].Store().Solids[x.solid].Size/3*2 })
	slices.SortFunc(list, func(x, y *solidCopy) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.solid, y.solid)) })
	return list
}

// planSolidCopies plans the copying of solid resources.
func (p *Plan) planSolidCopies() {
	for _, x := range p.solidCopies() {
		a := p.archives[x.a]
		s := &a.Store().Solids[x.solid]
		at := int32(len(p.solids))
		p.solids = append(p.solids, outSolid{packed: s.Packed, size: s.Size, a: x.a, from: x.solid})
		for _, id := range x.contents {
			c := &p.contents[id]
			b := &a.Store().Records[c.blob]
			run := &a.Store().Runs[b.Run]
			c.solid, c.off, c.packed, c.part = at, b.Off-run.Members[run.Member(b.Off)].Start, c.size, 1
		}
		for from := int64(0); from < s.Packed; from += pieceBytes {
			n := min(s.Packed-from, pieceBytes)
			p.add(packPlan{op: shard.PackCopy, solid: at, items: []packItem{{x.contents[0], from, n}}, bytes: n})
		}
	}
}

// planSolid plans one solid resource of contents in this order.
func (p *Plan) planSolid(ids []int32) {
	total := int64(0)
	for _, id := range ids {
		total += p.contents[id].size
	}
	if total == 0 {
		return
	}
	at := int32(len(p.solids))
	p.solids = append(p.solids, outSolid{size: total, a: -1})
	step := max(p.o.SolidChunkSize, solidShardBytes)
	m := p.makeShards(packPlan{op: shard.PackSolid, solid: at}, nil)
	off := int64(0)
	for _, id := range ids {
		c := &p.contents[id]
		c.solid, c.off, c.packed, c.part = at, off, c.size, 1
		for from := int64(0); from < c.size; {
			n := min(c.size-from, step-off%step)
			m.add(packItem{id, from, n})
			from += n
			if off += n; off%step == 0 {
				m.flush()
			}
		}
	}
	m.flush()
}

// planAlone plans resources of contents in this order, as they are if raw.
func (p *Plan) planAlone(ids []int32, raw bool) {
	m := p.makeShards(packPlan{op: shard.PackAlone, solid: -1, raw: raw}, ids)
	last := int64(-1) // the source's chunk that the content before begins in
	for _, id := range ids {
		c := &p.contents[id]
		if step := p.step(c); step > 0 {
			m.flush()
			for from := int64(0); from < c.size; from += step {
				m.add(packItem{id, from, min(c.size-from, step)})
				m.flush()
			}
			continue
		}
		// Contents of one chunk of a solid resource are packed by one worker, which unpacks it.
		chunk := p.sourceChunk(c)
		have, enough := m.cur.bytes, m.target()
		together := chunk >= 0 && chunk == last && have+c.size <= 2*largeContent
		if (have >= enough || have > 0 && have+c.size > 2*enough) && !together || m.full() {
			m.flush()
		}
		last = chunk
		m.add(packItem{id, 0, c.size})
	}
	m.flush()
}

// step is how long the pieces are that a content is packed in, 0 if it is packed whole.
func (p *Plan) step(c *packContent) int64 {
	switch {
	case c.size > largeContent:
		return max(pieceBytes, p.o.ChunkSize)
	case c.inline() != nil && c.size > 2*inlinePiece:
		return max(inlinePiece, p.o.ChunkSize)
	}
	return 0
}

// sourceChunk numbers the chunk of a solid resource that a content begins in, -1 if it is in none.
func (p *Plan) sourceChunk(c *packContent) int64 {
	if c.a < 0 {
		return -1
	}
	a := p.archives[c.a]
	if c.blob >= a.Store().MetaID(0) || a.Store().Records[c.blob].Run < 0 {
		return -1
	}
	b := &a.Store().Records[c.blob]
	chunks, err := a.Store().RunChunks(b.Run)
	if err != nil || len(chunks) == 0 {
		return -1
	}
	return int64(b.Run)<<32 | int64(blobs.ChunkAt(chunks, b.Off))
}

// makeMetadata makes contents of the images' metadata resources, those of drafts only if all hashes are known.
func (p *Plan) makeMetadata(drafts bool) error {
	for k, i := range p.shown {
		im := &p.images[i]
		if p.metas[k] >= 0 || im.draft != nil && !drafts {
			continue
		}
		c := packContent{known: true, meta: true, a: -1, image: -1, same: written, solid: -1, refs: 1}
		if im.draft != nil {
			b, err := im.draft.Metadata()
			if err != nil {
				return fmt.Errorf("wim: image %d: %w", k+1, err)
			}
			c.needRare().inline, c.size, c.hash = b, int64(len(b)), sha1.Sum(b)
		} else {
			m := &im.a.Store().Metas[im.index-1]
			if m.Problem != "" {
				return format.Errorf(blobs.MetadataOf(im.index), im.a.Store().Parts[m.Src].Name, m.Off, "%s", m.Problem)
			}
			c.a = int32(slices.Index(p.archives, im.a))
			c.blob, c.size, c.hash = im.a.Store().MetaID(im.index-1), m.Size, m.Hash
			if im.a == p.base {
				c.stays, c.off, c.packed, c.stored, c.part = true, m.Off, m.Packed, m.Form == blobs.FormStored, 1
			}
		}
		p.metas[k] = int32(len(p.contents))
		p.contents = append(p.contents, c)
	}
	return nil
}

// planMetadata plans the images' metadata resources.
func (p *Plan) planMetadata() error {
	if err := p.makeMetadata(true); err != nil {
		return err
	}
	var ids, copies []int32
	for _, id := range p.metas {
		switch c := &p.contents[id]; {
		case c.stays:
		case p.metaCopied(c):
			copies = append(copies, id)
		default:
			ids = append(ids, id)
		}
	}
	p.planCopies(copies)
	p.planAlone(ids, false)
	return nil
}

// metaCopied says that a metadata resource is copied as it is packed, in a solid archive too.
func (p *Plan) metaCopied(c *packContent) bool {
	if c.a < 0 || p.o.Recompress {
		return false
	}
	res, _ := p.resource(c)
	return packedAs(p.archives[c.a].Store(), &res, &p.o)
}
