package shard

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
)

// Plan is a job as a list of shards, which may be run in any order and by anybody. Their results are merged as they
// come. Shard may be called by several goroutines at any time, Merge by one at a time.
type Plan interface {
	NumShards() int
	Shard(i int) (*Shard, error)
	// Merge takes the result of shard i, and tells which stretches of the parts are settled by it.
	Merge(i int, r *Result) ([]BlockMark, error)
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
	MinShardBytes = 1 << 20
	MaxShardBytes = 32 << 20

	// MaxShardPieces bounds the packed size of a shard.
	MaxShardPieces = 8192

	// cutBytes is how long the pieces are in which a large content is extracted.
	cutBytes = 32 << 20

	// maxTail is how many bytes of a content another shard may leave to be hashed when results are merged.
	maxTail = 16 << 20

	// readGap is how many bytes between two resources are rather read than skipped.
	readGap = 128 << 10
)

// Layout is which contents are in which shards. It holds few bytes for each: shards are made when asked for.
type Layout struct {
	Store   *blobs.Store
	Op      Op
	Order   []int32 // IDs of contents with resources of their own, by their place
	Shards  []Outline
	bytes   int64
	items   int
	Extract bool
	Cut     int64                // how long the pieces are in which large contents are extracted; 0 means cutBytes
	Metas   bool                 // IDs from MetaID(0) on are metadata resources
	Names   func(id int32) int64 // extraction: bytes that the entries of a content take
	Unread  []Refusal
}

// Refusal is a content that is not read, and the reason: a *TooLargeError if it needs more than blobs.Options.MaxMemory, a
// *FormatError if a chunk cannot be unpacked or too many contents share its bytes.
type Refusal struct {
	ID  int32
	Err error
}

// Reason returns the key of a Problem.
func (r Refusal) Reason() string {
	if errors.Is(r.Err, format.ErrTooLarge) {
		return "too-large"
	}
	return "damaged"
}

// Place returns the bytes of the part that cannot be read, as far as they are known.
func (r Refusal) Place() (off, n int64) {
	var fe *format.Error
	if errors.As(r.Err, &fe) {
		return fe.Off, 0
	}
	return 0, 0
}

// Outline is what a shard is made from.
type Outline struct {
	First, Last int   // plain: order[first:last]
	From, len   int64 // plain: the run of bytes of a single large content; len 0 for whole ones
	Solid       []SolidSpan
	Src         int32 // integrity
	Bytes       int64
}

// SolidSpan is a stretch of chunks of one solid resource, with the pieces in it.
type SolidSpan struct {
	run         int32
	First, Last int // chunks [first, last)
	Pieces      []SolidPiece
}

// SolidPiece is a run of bytes of a blob of a solid run.
type SolidPiece struct {
	ID        int32
	From, len int64
}

// NumShards implements Plan.
func (l *Layout) NumShards() int { return len(l.Shards) }

// Bytes implements Plan.
func (l *Layout) Bytes() int64 { return l.bytes }

// Items implements Plan.
func (l *Layout) Items() int { return l.items }

// Unit gives the resource and hash of a content by its ID.
func (l *Layout) Unit(id int32) (res blobs.Resource, hash format.Hash) {
	a := l.Store
	if l.Metas && id >= a.MetaID(0) {
		m := &a.Metas[id-a.MetaID(0)]
		return m.Resource, m.Hash
	}
	rec := &a.Records[id]
	return a.ResourceOf(rec), rec.Hash
}

// Divide divides blobs into shards: plain holds the IDs of those with resources of their own, solid those in solid runs.
func (l *Layout) Divide(plain, solid []int32) error {
	a := l.Store
	if l.Cut == 0 {
		l.Cut = cutBytes
	}
	total := int64(0)
	for _, id := range plain {
		res, _ := l.Unit(id)
		total += res.Size
	}
	for _, id := range solid {
		total += a.Records[id].Size
	}
	target := min(max(total/32, MinShardBytes), MaxShardBytes)
	if err := l.planPlain(plain, target); err != nil {
		return err
	}
	return l.planSolid(solid, target)
}

// refuse records that a content is not read. It returns err if that is neither ErrFormat nor ErrTooLarge, but an error of reading.
func (l *Layout) refuse(id int32, err error) error {
	if !errors.Is(err, format.ErrFormat) && !errors.Is(err, format.ErrTooLarge) {
		return err
	}
	l.Unread = append(l.Unread, Refusal{id, err})
	return nil
}

// place returns where the resource of a content lies.
type place struct {
	src int32
	off int64
	id  int32
}

func (l *Layout) planPlain(ids []int32, target int64) error {
	places := make([]place, len(ids))
	for i, id := range ids {
		res, _ := l.Unit(id)
		places[i] = place{res.Src, res.Off, id}
	}
	slices.SortFunc(places, func(x, y place) int {
		return cmp.Or(cmp.Compare(x.src, y.src), cmp.Compare(x.off, y.off), cmp.Compare(x.id, y.id))
	})
	places, err := l.readable(places)
	if err != nil {
		return err
	}
	base := len(l.Order)
	for _, p := range places {
		l.Order = append(l.Order, p.id)
	}
	cur := Outline{First: base, Last: base}
	names := int64(0)
	flush := func() {
		names = 0
		if cur.Last > cur.First {
			l.Add(cur, cur.Last-cur.First)
		}
		cur = Outline{First: cur.Last, Last: cur.Last}
	}
	src := int32(-1)
	for i, p := range places {
		res, _ := l.Unit(p.id)
		if p.src != src {
			flush()
			src = p.src
		}
		if l.Names != nil {
			n := l.Names(p.id)
			if names += n; names > MaxShardNames {
				flush()
				names = n
			}
		}
		if l.Extract && res.Size > 2*l.Cut {
			flush()
			step := max(l.Cut, res.ChunkSize) // both are powers of two
			for from := int64(0); from < res.Size; from += step {
				n := min(step, res.Size-from)
				l.Add(Outline{First: base + i, Last: base + i + 1, From: from, len: n, Bytes: n}, 1)
			}
			cur.First, cur.Last = base+i+1, base+i+1
			continue
		}
		if cur.Bytes > 0 && (cur.Bytes+res.Size > 2*target || cur.Bytes >= target || cur.Last-cur.First >= MaxShardPieces) {
			flush()
		}
		cur.Last = base + i + 1
		cur.Bytes += res.Size
	}
	flush()
	return nil
}

// readable returns those of the resources, in order, that are not refused.
func (l *Layout) readable(places []place) ([]place, error) {
	share := blobs.Overlaps{Left: blobs.FreeOverlap}
	src, end := int32(-1), int64(0)
	apart := func(p place, res *blobs.Resource) bool {
		ok := p.src != src || p.off >= end
		if !ok {
			end = max(end, res.Off+res.Packed)
		} else {
			src, end = p.src, res.Off+res.Packed
		}
		return ok
	}
	for _, p := range places {
		if res, _ := l.Unit(p.id); apart(p, &res) {
			share.Left += res.Size
		}
	}
	src = -1
	kept := places[:0]
	for _, p := range places {
		res, _ := l.Unit(p.id)
		err := l.Store.JudgeResource(&res, 0, res.Size)
		if !apart(p, &res) && !share.More(res.Size) {
			err = &format.Error{Record: "resource", Part: l.Store.Parts[res.Src].Name, Off: res.Off, Err: blobs.ErrOverlap}
		}
		if err == nil {
			kept = append(kept, p)
		} else if err = l.refuse(p.id, err); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func (l *Layout) Add(s Outline, items int) {
	l.Shards = append(l.Shards, s)
	l.bytes += s.Bytes
	l.items += items
}

// planSolid lays out the blobs of solid runs so that each chunk is unpacked once. Where blobs overlap, which no tool
// writes, those that overlap another one have shards of their own.
func (l *Layout) planSolid(ids []int32, target int64) error {
	a := l.Store
	slices.SortFunc(ids, func(x, y int32) int {
		p, q := &a.Records[x], &a.Records[y]
		return cmp.Or(cmp.Compare(p.Run, q.Run), cmp.Compare(p.Off, q.Off), cmp.Compare(x, y))
	})
	var rest []int32
	share := blobs.Overlaps{Left: blobs.FreeOverlap}
	for len(ids) > 0 {
		run := a.Records[ids[0]].Run
		chunks, err := a.RunChunks(run)
		if err != nil {
			return err
		}
		p := solidPlanner{l: l, run: run, chunks: chunks, target: target}
		end, n := int64(0), 0
		for n < len(ids) && a.Records[ids[n]].Run == run {
			b := &a.Records[ids[n]]
			if b.Off < end {
				rest = append(rest, ids[n])
			} else if err := a.CanUnpack(chunks, b); err == nil {
				p.add(ids[n], b)
				end = b.Off + b.Size
				share.Left += b.Size
			} else if err := l.refuse(ids[n], err); err != nil {
				return err
			}
			n++
		}
		p.flush()
		ids = ids[n:]
	}
	for _, id := range rest {
		b := &a.Records[id]
		chunks, err := a.RunChunks(b.Run)
		if err != nil {
			return err
		}
		first, last := blobs.ChunkAt(chunks, b.Off), blobs.ChunkAt(chunks, b.Off+b.Size-1)
		if share.More(a.SolidChunkSize(b) + int64(last-first)*blobs.PerOverlap) {
			err = a.CanUnpack(chunks, b)
		} else {
			err = &format.Error{Record: "content in a solid resource", Part: a.Parts[b.Src].Name, Off: chunks[first].Off, Err: blobs.ErrOverlap}
		}
		if err != nil {
			if err := l.refuse(id, err); err != nil {
				return err
			}
			continue
		}
		p := solidPlanner{l: l, run: b.Run, chunks: chunks, target: target}
		p.add(id, b)
		p.flush()
	}
	return nil
}

// solidPlanner puts the blobs of one run, in order, into shards.
type solidPlanner struct {
	l      *Layout
	run    int32
	chunks []blobs.RunChunk
	target int64

	spans []SolidSpan // of the shard at hand
	bytes int64       // of its pieces
	data  int64       // of its chunks
	names int64       // of its entries
	count int
}

// add puts a blob's bytes chunk by chunk into the shard at hand, which ends between chunks when it has enough.
func (p *solidPlanner) add(id int32, b *blobs.Record) {
	if p.l.Names != nil {
		n := p.l.Names(id)
		if p.names+n > MaxShardNames {
			p.flush()
		}
		p.names += n
	}
	for at := b.Off; at < b.Off+b.Size; {
		ci := blobs.ChunkAt(p.chunks, at)
		c := &p.chunks[ci]
		if p.fullBefore(ci, b, at) {
			p.flush()
		}
		p.reach(ci)
		n := min(c.Start+c.Size, b.Off+b.Size) - at
		s := &p.spans[len(p.spans)-1]
		if k := len(s.Pieces); k > 0 && s.Pieces[k-1].ID == id {
			s.Pieces[k-1].len += n
		} else {
			s.Pieces = append(s.Pieces, SolidPiece{id, at - b.Off, n})
			p.count++
		}
		p.bytes += n
		at += n
	}
}

// fullBefore says that the shard at hand should end before chunk ci, which is needed next for place at of blob b.
func (p *solidPlanner) fullBefore(ci int, b *blobs.Record, at int64) bool {
	if len(p.spans) == 0 {
		return false
	}
	last := &p.spans[len(p.spans)-1]
	if ci < last.Last {
		return false
	}
	size := p.chunks[ci].Size
	if p.l.Extract {
		// All pieces of all chunks are in memory at once.
		return p.bytes+size > p.l.Cut
	}
	if p.data < p.target && p.data+size <= 2*p.target {
		return false
	}
	if at == b.Off {
		return true
	}
	// The blob is cut here. It must have begun in this shard, and not have too much left.
	first := p.spans[0].Pieces[0]
	began := first.From == 0 || &p.l.Store.Records[first.ID] != b
	return began && b.Off+b.Size-at <= maxTail
}

// reach makes the last span of the shard at hand hold chunk ci.
func (p *solidPlanner) reach(ci int) {
	if n := len(p.spans); n > 0 {
		s := &p.spans[n-1]
		if ci < s.Last {
			return
		}
		if ci == s.Last && p.chunks[ci].Solid == p.chunks[s.First].Solid {
			s.Last++
			p.data += p.chunks[ci].Size
			return
		}
	}
	p.spans = append(p.spans, SolidSpan{run: p.run, First: ci, Last: ci + 1})
	p.data += p.chunks[ci].Size
}

func (p *solidPlanner) flush() {
	if len(p.spans) > 0 {
		p.l.Add(Outline{Solid: p.spans, Bytes: p.bytes}, p.count)
	}
	p.spans, p.bytes, p.data, p.names, p.count = nil, 0, 0, 0, 0
}

// Shard makes shard i.
func (l *Layout) Shard(i int) (*Shard, error) {
	if i < 0 || i >= len(l.Shards) {
		return nil, fmt.Errorf("wim: shard %d of %d: %w", i, len(l.Shards), format.ErrNotFound)
	}
	sp := &l.Shards[i]
	s := &Shard{Seq: i, Op: l.Op, Bytes: sp.Bytes}
	if sp.Solid != nil {
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
	s.Memory += WindowSize
	if l.Extract {
		s.Memory += s.Bytes
	}
	return s, nil
}

func (l *Layout) fillPlain(s *Shard, sp *Outline) {
	var cur *Span
	for _, id := range l.Order[sp.First:sp.Last] {
		res, hash := l.Unit(id)
		p := &l.Store.Parts[res.Src]
		if cur == nil || cur.Src != res.Src || res.Off > cur.End+readGap {
			s.Spans = append(s.Spans, Span{Src: res.Src, Codec: p.Codec, Pipable: p.Header.Pipable(), Off: res.Off, End: res.Off, ChunkSize: int64(p.Header.ChunkSize)})
			cur = &s.Spans[len(s.Spans)-1]
			s.Memory = max(s.Memory, 2*cur.ChunkSize)
		}
		piece := Piece{ID: id, Hash: hash, Size: res.Size, Len: res.Size, Off: res.Off, Packed: res.Packed, Stored: res.Form == blobs.FormStored}
		if sp.len > 0 {
			piece.From, piece.Len = sp.From, sp.len
		}
		cur.Pieces = append(cur.Pieces, piece)
		cur.End = max(cur.End, res.Off+res.Packed)
		if sp.len > 0 && res.Form == blobs.FormStored {
			cur.Off, cur.End = res.Off+sp.From, res.Off+sp.From+sp.len
		}
	}
}

func (l *Layout) fillSolid(s *Shard, sp *Outline) {
	for _, in := range sp.Solid {
		chunks := l.Store.Runs[in.run].Chunks[in.First:in.Last]
		res := &l.Store.Solids[chunks[0].Solid]
		out := Span{Src: res.Src, Codec: res.Codec, ChunkSize: res.ChunkSize, Off: chunks[0].Off, End: chunks[0].Off, Chunks: make([]Chunk, len(chunks))}
		most := int64(0)
		for i, c := range chunks {
			out.Chunks[i] = Chunk{c.Off, c.Packed, c.Size}
			out.End = max(out.End, c.Off+c.Packed)
			if c.Packed != c.Size {
				most = max(most, c.Size+c.Packed)
			} else {
				most = max(most, c.Size)
			}
		}
		s.Memory = max(s.Memory, most)
		for _, p := range in.Pieces {
			b := &l.Store.Records[p.ID]
			out.Pieces = append(out.Pieces, Piece{ID: p.ID, Hash: b.Hash, Size: b.Size, From: p.From, Len: p.len, Off: b.Off + p.From - chunks[0].Start})
		}
		s.Spans = append(s.Spans, out)
	}
}

const (
	// MaxShardNames is how many bytes of paths the entries of a shard have, beyond those of a single content.
	MaxShardNames = 8 << 20
)
