package core

import "wimscope/wim/format"

// spanMaker collects what a shard unpacks of archives.
type spanMaker struct {
	spans []Span

	// The last span, if it is of a solid resource.
	a     *Store
	solid int32
	next  int   // the chunk after its last one
	start int64 // in the run, of its first chunk
	end   int64 // in the run, of its last piece
}

// content adds the bytes [from, from+n) of a content. base is the number of the archive's first part, id the content's
// in the archive and as the number that pieces have.
func (m *spanMaker) content(a *Store, base, blob, id int32, from, n int64) error {
	if blob >= a.metaID(0) {
		r := &a.metas[blob-a.metaID(0)]
		if r.problem != "" {
			return format.Errorf("metadata resource", a.parts[r.src].Name, r.off, "%s", r.problem)
		}
		m.plain(a, base, id, r.resource, r.hash, from, n)
		return nil
	}
	b := &a.blobs[blob]
	if b.bad != faultNone {
		return format.Errorf("content "+b.hash.String(), a.parts[b.src].Name, b.off, "%v", b.bad)
	}
	if b.run < 0 {
		res := a.resourceOf(b)
		if err := a.judgeResource(&res, from, n); err != nil {
			return err
		}
		m.plain(a, base, id, res, b.hash, from, n)
		return nil
	}
	chunks, err := a.runChunks(b.run)
	if err != nil {
		return err
	}
	if err := a.canUnpack(chunks, b); err != nil {
		return err
	}
	for n > 0 {
		k := m.reach(a, base, chunks, chunkAt(chunks, b.off+from), b.off+from)
		cur := &m.spans[len(m.spans)-1]
		c := &chunks[k]
		step := min(n, c.start+c.size-b.off-from)
		m.end = b.off + from + step
		if i := len(cur.Pieces); i > 0 && cur.Pieces[i-1].ID == id && cur.Pieces[i-1].From+cur.Pieces[i-1].Len == from {
			cur.Pieces[i-1].Len += step
		} else {
			cur.Pieces = append(cur.Pieces, Piece{ID: id, Hash: b.hash, Size: b.size, From: from, Len: step, Off: b.off + from - m.start})
		}
		from += step
		n -= step
	}
	return nil
}

// plain adds bytes of a resource.
func (m *spanMaker) plain(a *Store, base, id int32, res resource, hash format.Hash, from, n int64) {
	p := &a.parts[res.src]
	src := base + res.src
	whole := n == res.size
	cur := (*Span)(nil)
	if i := len(m.spans); i > 0 && m.a == nil && whole {
		if last := &m.spans[i-1]; last.Src == src && res.off >= last.Off && res.off <= last.End+readGap {
			cur = last
		}
	}
	if cur == nil {
		m.spans = append(m.spans, Span{Src: src, Codec: p.codec, Pipable: p.hdr.Pipable(), Off: res.off, End: res.off, ChunkSize: int64(p.hdr.ChunkSize)})
		cur = &m.spans[len(m.spans)-1]
		m.a = nil
	}
	cur.Pieces = append(cur.Pieces, Piece{ID: id, Hash: hash, Size: res.size, From: from, Len: n, Off: res.off, Packed: res.packed, Stored: res.form == formStored})
	cur.End = max(cur.End, res.off+res.packed)
	if !whole && res.form == formStored {
		cur.Off, cur.End = res.off+from, res.off+from+n
	}
}

// reach makes the last span hold chunk k, for bytes from at in the run on, and gives k.
func (m *spanMaker) reach(a *Store, base int32, chunks []solidChunk, k int, at int64) int {
	c := &chunks[k]
	res := &a.solids[c.solid]
	add := m.a == a && m.solid == c.solid && at >= m.end && (k == m.next || k == m.next-1)
	if !add {
		m.spans = append(m.spans, Span{Src: base + res.src, Codec: res.codec, ChunkSize: res.chunk, Off: c.off, End: c.off, Chunks: []Chunk{}})
		m.a, m.solid, m.next, m.start, m.end = a, c.solid, k, c.start, c.start
	}
	if k == m.next {
		cur := &m.spans[len(m.spans)-1]
		cur.Chunks = append(cur.Chunks, Chunk{c.off, c.packed, c.size})
		cur.End = max(cur.End, c.off+c.packed)
		m.next++
	}
	return k
}

// cut ends the last span.
func (m *spanMaker) cut() { m.a, m.next, m.solid = nil, -1, -1 }
