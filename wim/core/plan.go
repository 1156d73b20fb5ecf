package core

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"wimscope/wim/format"
)

// Plan is a job as a list of shards, which may be run in any order and by anybody. Their results are merged as they
// come. Shard may be called by several goroutines at any time, Merge by one at a time.
type Plan interface {
	NumShards() int
	Shard(i int) (*Shard, error)
	// Merge takes the result of shard i, and tells which stretches of the parts are settled by it.
	Merge(i int, r *ShardResult) ([]BlockMark, error)
	Bytes() int64 // unpacked bytes to go through
	Items() int   // pieces to go through
}

// BlockMark is a stretch of a part that was seen to be good or bad.
type BlockMark struct {
	Part int
	Off  int64
	Len  int64
	Bad  bool
}

const (
	// Shards hold about a thirty-second of the whole, within these bounds: enough of them that workers end together.
	minShardBytes = 1 << 20
	maxShardBytes = 32 << 20

	// maxShardPieces bounds the packed size of a shard.
	maxShardPieces = 8192

	// cutBytes is how long the pieces are in which a large content is extracted.
	cutBytes = 32 << 20

	// maxTail is how many bytes of a content another shard may leave to be hashed when results are merged.
	maxTail = 16 << 20

	// readGap is how many bytes between two resources are rather read than skipped.
	readGap = 128 << 10
)

// layout is which contents are in which shards. It holds few bytes for each: shards are made when asked for.
type layout struct {
	a       *Store
	op      Op
	order   []int32 // IDs of contents with resources of their own, by their place
	shards  []shardPlan
	bytes   int64
	items   int
	extract bool
	cut     int64                // how long the pieces are in which large contents are extracted; 0 means cutBytes
	metas   bool                 // IDs from metaID(0) on are metadata resources
	names   func(id int32) int64 // extraction: bytes that the entries of a content take
	refused []refusal
}

// refusal is a content that is not read, and the reason: a *TooLargeError if it needs more than ReadOptions.MaxMemory, a
// *FormatError if a chunk cannot be unpacked or too many contents share its bytes.
type refusal struct {
	id  int32
	err error
}

// reason returns the key of a Problem.
func (r refusal) reason() string {
	if errors.Is(r.err, format.ErrTooLarge) {
		return "too-large"
	}
	return "damaged"
}

// place returns the bytes of the part that cannot be read, as far as they are known.
func (r refusal) place() (off, n int64) {
	var fe *format.Error
	if errors.As(r.err, &fe) {
		return fe.Off, 0
	}
	return 0, 0
}

// shardPlan is what a shard is made from.
type shardPlan struct {
	first, last int   // plain: order[first:last]
	from, len   int64 // plain: the run of bytes of a single large content; len 0 for whole ones
	solid       []solidSpan
	src         int32 // integrity
	bytes       int64
}

// solidSpan is a stretch of chunks of one solid resource, with the pieces in it.
type solidSpan struct {
	run         int32
	first, last int // chunks [first, last)
	pieces      []solidPiece
}

// solidPiece is a run of bytes of a blob of a solid run.
type solidPiece struct {
	id        int32
	from, len int64
}

// unit gives the resource and hash of a content by its ID.
func (l *layout) unit(id int32) (res resource, hash format.Hash) {
	a := l.a
	if l.metas && id >= a.metaID(0) {
		m := &a.metas[id-a.metaID(0)]
		return m.resource, m.hash
	}
	rec := &a.blobs[id]
	return a.resourceOf(rec), rec.hash
}

// plan lays out contents: ids of those with resources of their own, and those of solid runs.
func (l *layout) plan(plain, solid []int32) error {
	a := l.a
	if l.cut == 0 {
		l.cut = cutBytes
	}
	total := int64(0)
	for _, id := range plain {
		res, _ := l.unit(id)
		total += res.size
	}
	for _, id := range solid {
		total += a.blobs[id].size
	}
	target := min(max(total/32, minShardBytes), maxShardBytes)
	if err := l.planPlain(plain, target); err != nil {
		return err
	}
	return l.planSolid(solid, target)
}

// refuse records that a content is not read. It returns err if that is neither ErrFormat nor ErrTooLarge, but an error of reading.
func (l *layout) refuse(id int32, err error) error {
	if !errors.Is(err, format.ErrFormat) && !errors.Is(err, format.ErrTooLarge) {
		return err
	}
	l.refused = append(l.refused, refusal{id, err})
	return nil
}

// place returns where the resource of a content lies.
type place struct {
	src int32
	off int64
	id  int32
}

func (l *layout) planPlain(ids []int32, target int64) error {
	places := make([]place, len(ids))
	for i, id := range ids {
		res, _ := l.unit(id)
		places[i] = place{res.src, res.off, id}
	}
	slices.SortFunc(places, func(x, y place) int {
		return cmp.Or(cmp.Compare(x.src, y.src), cmp.Compare(x.off, y.off), cmp.Compare(x.id, y.id))
	})
	places, err := l.readable(places)
	if err != nil {
		return err
	}
	base := len(l.order)
	for _, p := range places {
		l.order = append(l.order, p.id)
	}
	cur := shardPlan{first: base, last: base}
	names := int64(0)
	flush := func() {
		names = 0
		if cur.last > cur.first {
			l.add(cur, cur.last-cur.first)
		}
		cur = shardPlan{first: cur.last, last: cur.last}
	}
	src := int32(-1)
	for i, p := range places {
		res, _ := l.unit(p.id)
		if p.src != src {
			flush()
			src = p.src
		}
		if l.names != nil {
			n := l.names(p.id)
			if names += n; names > maxShardNames {
				flush()
				names = n
			}
		}
		if l.extract && res.size > 2*l.cut {
			flush()
			step := max(l.cut, res.chunk) // both are powers of two
			for from := int64(0); from < res.size; from += step {
				n := min(step, res.size-from)
				l.add(shardPlan{first: base + i, last: base + i + 1, from: from, len: n, bytes: n}, 1)
			}
			cur.first, cur.last = base+i+1, base+i+1
			continue
		}
		if cur.bytes > 0 && (cur.bytes+res.size > 2*target || cur.bytes >= target || cur.last-cur.first >= maxShardPieces) {
			flush()
		}
		cur.last = base + i + 1
		cur.bytes += res.size
	}
	flush()
	return nil
}

// readable returns those of the resources, in order, that are not refused.
func (l *layout) readable(places []place) ([]place, error) {
	share := overlaps{left: freeOverlap}
	src, end := int32(-1), int64(0)
	apart := func(p place, res *resource) bool {
		ok := p.src != src || p.off >= end
		if !ok {
			end = max(end, res.off+res.packed)
		} else {
			src, end = p.src, res.off+res.packed
		}
		return ok
	}
	for _, p := range places {
		if res, _ := l.unit(p.id); apart(p, &res) {
			share.left += res.size
		}
	}
	src = -1
	kept := places[:0]
	for _, p := range places {
		res, _ := l.unit(p.id)
		err := l.a.judgeResource(&res, 0, res.size)
		if !apart(p, &res) && !share.more(res.size) {
			err = &format.Error{Record: "resource", Part: l.a.parts[res.src].Name, Off: res.off, Err: errOverlap}
		}
		if err == nil {
			kept = append(kept, p)
		} else if err = l.refuse(p.id, err); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func (l *layout) add(s shardPlan, items int) {
	l.shards = append(l.shards, s)
	l.bytes += s.bytes
	l.items += items
}

// planSolid lays out the blobs of solid runs so that each chunk is unpacked once. Where blobs overlap, which no tool
// writes, those that overlap another one have shards of their own.
func (l *layout) planSolid(ids []int32, target int64) error {
	a := l.a
	slices.SortFunc(ids, func(x, y int32) int {
		p, q := &a.blobs[x], &a.blobs[y]
		return cmp.Or(cmp.Compare(p.run, q.run), cmp.Compare(p.off, q.off), cmp.Compare(x, y))
	})
	var rest []int32
	share := overlaps{left: freeOverlap}
	for len(ids) > 0 {
		run := a.blobs[ids[0]].run
		chunks, err := a.runChunks(run)
		if err != nil {
			return err
		}
		p := solidPlanner{l: l, run: run, chunks: chunks, target: target}
		end, n := int64(0), 0
		for n < len(ids) && a.blobs[ids[n]].run == run {
			b := &a.blobs[ids[n]]
			if b.off < end {
				rest = append(rest, ids[n])
			} else if err := a.canUnpack(chunks, b); err == nil {
				p.add(ids[n], b)
				end = b.off + b.size
				share.left += b.size
			} else if err := l.refuse(ids[n], err); err != nil {
				return err
			}
			n++
		}
		p.flush()
		ids = ids[n:]
	}
	for _, id := range rest {
		b := &a.blobs[id]
		chunks, err := a.runChunks(b.run)
		if err != nil {
			return err
		}
		first, last := chunkAt(chunks, b.off), chunkAt(chunks, b.off+b.size-1)
		if share.more(a.solidChunkSize(b) + int64(last-first)*perOverlap) {
			err = a.canUnpack(chunks, b)
		} else {
			err = &format.Error{Record: "content in a solid resource", Part: a.parts[b.src].Name, Off: chunks[first].off, Err: errOverlap}
		}
		if err != nil {
			if err := l.refuse(id, err); err != nil {
				return err
			}
			continue
		}
		p := solidPlanner{l: l, run: b.run, chunks: chunks, target: target}
		p.add(id, b)
		p.flush()
	}
	return nil
}

// solidPlanner puts the blobs of one run, in order, into shards.
type solidPlanner struct {
	l      *layout
	run    int32
	chunks []solidChunk
	target int64

	spans []solidSpan // of the shard at hand
	bytes int64       // of its pieces
	data  int64       // of its chunks
	names int64       // of its entries
	count int
}

// add puts a blob's bytes chunk by chunk into the shard at hand, which ends between chunks when it has enough.
func (p *solidPlanner) add(id int32, b *blobRec) {
	if p.l.names != nil {
		n := p.l.names(id)
		if p.names+n > maxShardNames {
			p.flush()
		}
		p.names += n
	}
	for at := b.off; at < b.off+b.size; {
		ci := chunkAt(p.chunks, at)
		c := &p.chunks[ci]
		if p.fullBefore(ci, b, at) {
			p.flush()
		}
		p.reach(ci)
		n := min(c.start+c.size, b.off+b.size) - at
		s := &p.spans[len(p.spans)-1]
		if k := len(s.pieces); k > 0 && s.pieces[k-1].id == id {
			s.pieces[k-1].len += n
		} else {
			s.pieces = append(s.pieces, solidPiece{id, at - b.off, n})
			p.count++
		}
		p.bytes += n
		at += n
	}
}

// fullBefore says that the shard at hand should end before chunk ci, which is needed next for place at of blob b.
func (p *solidPlanner) fullBefore(ci int, b *blobRec, at int64) bool {
	if len(p.spans) == 0 {
		return false
	}
	last := &p.spans[len(p.spans)-1]
	if ci < last.last {
		return false
	}
	size := p.chunks[ci].size
	if p.l.extract {
		// All pieces of all chunks are in memory at once.
		return p.bytes+size > p.l.cut
	}
	if p.data < p.target && p.data+size <= 2*p.target {
		return false
	}
	if at == b.off {
		return true
	}
	// The blob is cut here. It must have begun in this shard, and not have too much left.
	first := p.spans[0].pieces[0]
	began := first.from == 0 || &p.l.a.blobs[first.id] != b
	return began && b.off+b.size-at <= maxTail
}

// reach makes the last span of the shard at hand hold chunk ci.
func (p *solidPlanner) reach(ci int) {
	if n := len(p.spans); n > 0 {
		s := &p.spans[n-1]
		if ci < s.last {
			return
		}
		if ci == s.last && p.chunks[ci].solid == p.chunks[s.first].solid {
			s.last++
			p.data += p.chunks[ci].size
			return
		}
	}
	p.spans = append(p.spans, solidSpan{run: p.run, first: ci, last: ci + 1})
	p.data += p.chunks[ci].size
}

func (p *solidPlanner) flush() {
	if len(p.spans) > 0 {
		p.l.add(shardPlan{solid: p.spans, bytes: p.bytes}, p.count)
	}
	p.spans, p.bytes, p.data, p.names, p.count = nil, 0, 0, 0, 0
}

// shard makes shard i.
func (l *layout) shard(i int) (*Shard, error) {
	if i < 0 || i >= len(l.shards) {
		return nil, fmt.Errorf("wim: shard %d of %d: %w", i, len(l.shards), format.ErrNotFound)
	}
	sp := &l.shards[i]
	s := &Shard{Seq: i, Op: l.op, Bytes: sp.bytes}
	if sp.solid != nil {
		l.fillSolid(s, sp)
	} else {
		l.fillPlain(s, sp)
	}
	if len(s.Spans) > 0 {
		f := &s.Spans[0]
		s.Part, s.Off = int(f.Src), f.Off
		for i := range s.Spans {
			if x := &s.Spans[i]; x.Src == f.Src && x.End > s.Off+s.Len {
				s.Len = x.End - s.Off
			}
		}
	}
	s.Memory += windowSize
	if l.extract {
		s.Memory += s.Bytes
	}
	return s, nil
}

func (l *layout) fillPlain(s *Shard, sp *shardPlan) {
	var cur *Span
	for _, id := range l.order[sp.first:sp.last] {
		res, hash := l.unit(id)
		p := &l.a.parts[res.src]
		if cur == nil || cur.Src != res.src || res.off > cur.End+readGap {
			s.Spans = append(s.Spans, Span{Src: res.src, Codec: p.codec, Pipable: p.hdr.Pipable(), Off: res.off, End: res.off, ChunkSize: int64(p.hdr.ChunkSize)})
			cur = &s.Spans[len(s.Spans)-1]
			s.Memory = max(s.Memory, 2*cur.ChunkSize)
		}
		piece := Piece{ID: id, Hash: hash, Size: res.size, Len: res.size, Off: res.off, Packed: res.packed, Stored: res.form == formStored}
		if sp.len > 0 {
			piece.From, piece.Len = sp.from, sp.len
		}
		cur.Pieces = append(cur.Pieces, piece)
		cur.End = max(cur.End, res.off+res.packed)
		if sp.len > 0 && res.form == formStored {
			cur.Off, cur.End = res.off+sp.from, res.off+sp.from+sp.len
		}
	}
}

func (l *layout) fillSolid(s *Shard, sp *shardPlan) {
	for _, in := range sp.solid {
		chunks := l.a.runs[in.run].chunks[in.first:in.last]
		res := &l.a.solids[chunks[0].solid]
		out := Span{Src: res.src, Codec: res.codec, ChunkSize: res.chunk, Off: chunks[0].off, End: chunks[0].off, Chunks: make([]Chunk, len(chunks))}
		most := int64(0)
		for i, c := range chunks {
			out.Chunks[i] = Chunk{c.off, c.packed, c.size}
			out.End = max(out.End, c.off+c.packed)
			if c.packed != c.size {
				most = max(most, c.size+c.packed)
			} else {
				most = max(most, c.size)
			}
		}
		s.Memory = max(s.Memory, most)
		for _, p := range in.pieces {
			b := &l.a.blobs[p.id]
			out.Pieces = append(out.Pieces, Piece{ID: p.id, Hash: b.hash, Size: b.size, From: p.from, Len: p.len, Off: b.off + p.from - chunks[0].start})
		}
		s.Spans = append(s.Spans, out)
	}
}

const (
	// maxShardNames is how many bytes of paths the entries of a shard have, beyond those of a single content.
	maxShardNames = 8 << 20
)
