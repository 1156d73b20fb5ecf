package shard

import (
	"wimscope/wim/blobs"
	"wimscope/wim/format"
)

// SpanMaker collects the spans of a shard.
type SpanMaker struct {
	Spans []Span

	// The last span, if it belongs to a solid resource.
	a     *blobs.Store
	in    int32 // the solid resource
	next  int   // index of the chunk after its last one
	start int64 // offset in the run of its first chunk
	end   int64 // offset in the run of the end of its last piece
}

// Content adds the bytes [from, from+n) of a blob. base is the index of the archive's first part, blob the blob's ID in the
// archive, id the ID that its pieces get.
func (m *SpanMaker) Content(a *blobs.Store, base, blob, id int32, from, n int64) error {
	if blob >= a.MetaID(0) {
		r := &a.Metas[blob-a.MetaID(0)]
		if r.Problem != "" {
			return format.Errorf("metadata resource", a.Parts[r.Src].Name, r.Off, "%s", r.Problem)
		}
		m.plain(a, base, id, r.Resource, r.Hash, from, n)
		return nil
	}
	b := &a.Records[blob]
	if b.Fault != blobs.FaultNone {
		return format.Errorf("blob "+b.Hash.String(), a.Parts[b.Src].Name, b.Off, "%v", b.Fault)
	}
	if b.Run < 0 {
		res := a.ResourceOf(b)
		if err := a.JudgeResource(&res, from, n); err != nil {
			return err
		}
		m.plain(a, base, id, res, b.Hash, from, n)
		return nil
	}
	chunks, err := a.RunChunks(b.Run)
	if err != nil {
		return err
	}
	if err := a.CanUnpack(chunks, b); err != nil {
		return err
	}
	m.solid(a, base, id, b, chunks, from, n)
	return nil
}

// solid adds bytes of a blob in a solid run.
func (m *SpanMaker) solid(a *blobs.Store, base, id int32, b *blobs.Record, chunks []blobs.RunChunk, from, n int64) {
	for n > 0 {
		k := m.reach(a, base, chunks, blobs.ChunkAt(chunks, b.Off+from), b.Off+from)
		cur := &m.Spans[len(m.Spans)-1]
		c := &chunks[k]
		step := min(n, c.Start+c.Size-b.Off-from)
		m.end = b.Off + from + step
		if i := len(cur.Pieces); i > 0 && cur.Pieces[i-1].ID == id && cur.Pieces[i-1].From+cur.Pieces[i-1].Len == from {
			cur.Pieces[i-1].Len += step
		} else {
			cur.Pieces = append(cur.Pieces, Piece{ID: id, Hash: b.Hash, Size: b.Size, From: from, Len: step, Off: b.Off + from - m.start})
		}
		from += step
		n -= step
	}
}

// plain adds bytes of a resource that is not solid.
func (m *SpanMaker) plain(a *blobs.Store, base, id int32, res blobs.Resource, hash format.Hash, from, n int64) {
	p := &a.Parts[res.Src]
	src := base + res.Src
	whole := n == res.Size
	cur := (*Span)(nil)
	if i := len(m.Spans); i > 0 && m.a == nil && whole {
		if last := &m.Spans[i-1]; last.Src == src && res.Off >= last.Off && res.Off <= last.End+readGap {
			cur = last
		}
	}
	if cur == nil {
		m.Spans = append(m.Spans, Span{Src: src, Codec: p.Codec, Pipable: p.Header.Pipable(), Off: res.Off, End: res.Off, ChunkSize: int64(p.Header.ChunkSize)})
		cur = &m.Spans[len(m.Spans)-1]
		m.a = nil
	}
	cur.Pieces = append(cur.Pieces, Piece{ID: id, Hash: hash, Size: res.Size, From: from, Len: n, Off: res.Off, Packed: res.Packed, Stored: res.Form == blobs.FormStored})
	cur.End = max(cur.End, res.Off+res.Packed)
	if !whole && res.Form == blobs.FormStored {
		cur.Off, cur.End = res.Off+from, res.Off+from+n
	}
}

// reach extends the last span to chunk k, for bytes from offset at in the run on. It returns k.
func (m *SpanMaker) reach(a *blobs.Store, base int32, chunks []blobs.RunChunk, k int, at int64) int {
	c := &chunks[k]
	res := &a.Solids[c.Solid]
	add := m.a == a && m.in == c.Solid && at >= m.end && (k == m.next || k == m.next-1)
	if !add {
		m.Spans = append(m.Spans, Span{Src: base + res.Src, Codec: res.Codec, ChunkSize: res.ChunkSize, Off: c.Off, End: c.Off, Chunks: []Chunk{}})
		m.a, m.in, m.next, m.start, m.end = a, c.Solid, k, c.Start, c.Start
	}
	if k == m.next {
		cur := &m.Spans[len(m.Spans)-1]
		cur.Chunks = append(cur.Chunks, Chunk{c.Off, c.Packed, c.Size})
		cur.End = max(cur.End, c.Off+c.Packed)
		m.next++
	}
	return k
}

// Cut ends the last span: the next bytes get a span of their own.
func (m *SpanMaker) Cut() { m.a, m.next, m.in = nil, -1, -1 }

// memory returns about how many bytes unpacking the span needs.
func (sp *Span) memory() int64 {
	if sp.Chunks == nil {
		return 2 * sp.ChunkSize
	}
	most := int64(0)
	for _, c := range sp.Chunks {
		n := c.Size
		if c.Packed != c.Size {
			n += c.Packed
		}
		most = max(most, n)
	}
	return most
}
