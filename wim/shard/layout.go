package shard

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"wimscope/wim/blobs"
	"wimscope/wim/format"
)

const (
	// A shard holds about 1/32 of the whole, within these bounds: small enough that workers finish at about the same time.
	MinShardBytes = 1 << 20
	MaxShardBytes = 32 << 20

	// MaxShardPieces bounds the size of a shard's binary form.
	MaxShardPieces = 8192

	// cutBytes is the size of the pieces in which a large blob is extracted.
	cutBytes = 32 << 20

	// maxTail is how many bytes of a blob a shard may leave to be hashed when results are merged.
	maxTail = 16 << 20

	// readGap is the largest gap between two resources that is read rather than skipped.
	readGap = 128 << 10
)

// Layout records which blobs are in which shards. It holds few bytes per shard: shards are made on demand.
type Layout struct {
	Store   *blobs.Store
	Op      Op
	Order   []int32 // IDs of blobs with resources of their own, sorted by place
	Shards  []Outline
	bytes   int64
	items   int
	begun   bool                 // Next was called
	Extract bool                 // the shards extract, so the size of each is limited
	Cut     int64                // size of the pieces in which large blobs are extracted; 0 means cutBytes
	Metas   bool                 // IDs from MetaID(0) on are metadata resources
	Names   func(id int32) int64 // extraction: bytes that the entries of a blob take
	Unread  []Refusal            // blobs that are in no shard
}

// Refusal is a blob that is not read, and the reason: a *format.TooLargeError if it needs more than blobs.Options.MaxMemory,
// a *format.Error if a chunk cannot be unpacked or too many blobs share its bytes.
type Refusal struct {
	ID  int32
	Err error
}

// Reason returns the reason as a short key: "too-large" or "damaged".
func (r Refusal) Reason() string {
	if errors.Is(r.Err, format.ErrTooLarge) {
		return "too-large"
	}
	return "damaged"
}

// Place returns the range of the part that cannot be read, as far as it is known.
func (r Refusal) Place() (off, n int64) {
	var fe *format.Error
	if errors.As(r.Err, &fe) {
		return fe.Off, 0
	}
	return 0, 0
}

// Outline is what a shard is made from.
type Outline struct {
	First, Last int          // plain: Layout.Order[First:Last]
	From, len   int64        // plain: the run of bytes of a single large blob; len is 0 for whole blobs
	Solid       []SolidPiece // in the order of their run
	Src         int32        // integrity: index of the part
	Bytes       int64        // unpacked
}

// SolidPiece is a run of bytes of a blob of a solid run.
type SolidPiece struct {
	ID        int32
	From, len int64
}

// Next implements Plan: a Layout has a single stage.
func (l *Layout) Next() (Stage, bool, error) {
	if l.begun || len(l.Shards) == 0 {
		return Stage{}, false, nil
	}
	l.begun = true
	return Stage{Name: l.Op.String(), Shards: len(l.Shards), Bytes: l.bytes, Items: l.items}, true, nil
}

// NumShards returns the number of shards.
func (l *Layout) NumShards() int { return len(l.Shards) }

// Bytes returns the unpacked size of all pieces.
func (l *Layout) Bytes() int64 { return l.bytes }

// Items returns the number of pieces.
func (l *Layout) Items() int { return l.items }

// Unit returns the resource and hash of a blob by its ID.
func (l *Layout) Unit(id int32) (res blobs.Resource, hash format.Hash) {
	a := l.Store
	if l.Metas && id >= a.MetaID(0) {
		m := &a.Metas[id-a.MetaID(0)]
		return m.Resource, m.Hash
	}
	rec := &a.Records[id]
	return a.ResourceOf(rec), rec.Hash
}

// Divide divides blobs into shards. plain holds the IDs of those with resources of their own, solid those in solid runs.
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

// refuse records that a blob is not read, and why. If err is neither ErrFormat nor ErrTooLarge, but an I/O error, refuse
// returns it.
func (l *Layout) refuse(id int32, err error) error {
	if !errors.Is(err, format.ErrFormat) && !errors.Is(err, format.ErrTooLarge) {
		return err
	}
	l.Unread = append(l.Unread, Refusal{id, err})
	return nil
}

// place returns where the resource of a blob lies.
func (l *Layout) place(id int32) (src int32, off int64) {
	if a := l.Store; l.Metas && id >= a.MetaID(0) {
		m := &a.Metas[id-a.MetaID(0)]
		return m.Src, m.Off
	}
	rec := &l.Store.Records[id]
	return rec.Src, rec.Off
}

func (l *Layout) planPlain(ids []int32, target int64) error {
	slices.SortFunc(ids, func(x, y int32) int {
		xsrc, xoff := l.place(x)
		ysrc, yoff := l.place(y)
		return cmp.Or(cmp.Compare(xsrc, ysrc), cmp.Compare(xoff, yoff), cmp.Compare(x, y))
	})
	ids, err := l.readable(ids)
	if err != nil {
		return err
	}
	base := len(l.Order)
	l.Order = append(l.Order, ids...)
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
	for i, id := range ids {
		res, _ := l.Unit(id)
		if res.Src != src {
			flush()
			src = res.Src
		}
		if l.Names != nil {
			n := l.Names(id)
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

// readable returns the blobs, which are sorted by place, without the refused ones, which it records.
func (l *Layout) readable(ids []int32) ([]int32, error) {
	share := blobs.Overlaps{Left: blobs.FreeOverlap}
	src, end := int32(-1), int64(0)
	apart := func(res *blobs.Resource) bool {
		ok := res.Src != src || res.Off >= end
		if !ok {
			end = max(end, res.Off+res.Packed)
		} else {
			src, end = res.Src, res.Off+res.Packed
		}
		return ok
	}
	for _, id := range ids {
		if res, _ := l.Unit(id); apart(&res) {
			share.Left += res.Size
		}
	}
	src = -1
	kept := ids[:0]
	for _, id := range ids {
		res, _ := l.Unit(id)
		err := l.Store.JudgeResource(&res, 0, res.Size)
		if !apart(&res) && !share.More(res.Size) {
			err = &format.Error{Record: "resource", Part: l.Store.Parts[res.Src].Name, Off: res.Off, Err: blobs.ErrOverlap}
		}
		if err == nil {
			kept = append(kept, id)
		} else if err = l.refuse(id, err); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// Add adds a shard with the given number of pieces.
func (l *Layout) Add(s Outline, items int) {
	l.Shards = append(l.Shards, s)
	l.bytes += s.Bytes
	l.items += items
}

// planSolid divides the blobs of solid runs into shards so that each chunk is unpacked once. Blobs that overlap another one,
// which no tool writes, get shards of their own.
func (l *Layout) planSolid(ids []int32, target int64) error {
	a := l.Store
	slices.SortFunc(ids, func(x, y int32) int {
		p, q := &a.Records[x], &a.Records[y]
		return cmp.Or(cmp.Compare(p.Run, q.Run), cmp.Compare(p.Off, q.Off), cmp.Compare(x, y))
	})
	var apart []int32
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
				apart = append(apart, ids[n])
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
	for _, id := range apart {
		b := &a.Records[id]
		chunks, err := a.RunChunks(b.Run)
		if err != nil {
			return err
		}
		first, last := blobs.ChunkAt(chunks, b.Off), blobs.ChunkAt(chunks, b.Off+b.Size-1)
		if share.More(a.SolidChunkSize(b) + int64(last-first)*blobs.PerOverlap) {
			err = a.CanUnpack(chunks, b)
		} else {
			err = &format.Error{Record: "blob in a solid resource", Part: a.Parts[b.Src].Name, Off: chunks[first].Off, Err: blobs.ErrOverlap}
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

// solidPlanner divides the blobs of one run, in order, into shards.
type solidPlanner struct {
	l      *Layout
	run    int32
	chunks []blobs.RunChunk
	target int64

	pieces []SolidPiece // of the current shard
	last   int          // index of its last chunk
	bytes  int64        // unpacked, of its pieces
	data   int64        // unpacked, of its chunks
	names  int64        // of its entries' paths
}

// add adds a blob chunk by chunk to the current shard, which ends between chunks when it is large enough.
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
		k := len(p.pieces)
		same := k > 0 && p.chunks[p.last].Solid == c.Solid
		if k == 0 || ci > p.last {
			p.last = ci
			p.data += c.Size
		}
		n := min(c.Start+c.Size, b.Off+b.Size) - at
		if same && p.pieces[k-1].ID == id {
			p.pieces[k-1].len += n
		} else {
			p.pieces = append(p.pieces, SolidPiece{id, at - b.Off, n})
		}
		p.bytes += n
		at += n
	}
}

// fullBefore reports whether the current shard should end before chunk ci, which holds byte at of the run, part of blob b.
func (p *solidPlanner) fullBefore(ci int, b *blobs.Record, at int64) bool {
	if len(p.pieces) == 0 || ci <= p.last {
		return false
	}
	size := p.chunks[ci].Size
	if p.l.Extract {
		// The pieces of all chunks are in memory at once.
		return p.bytes+size > p.l.Cut
	}
	if p.data < p.target && p.data+size <= 2*p.target {
		return false
	}
	if at == b.Off {
		return true
	}
	// The blob would be cut here. It must begin in this shard, and the remainder must be small enough.
	first := p.pieces[0]
	began := first.From == 0 || &p.l.Store.Records[first.ID] != b
	return began && b.Off+b.Size-at <= maxTail
}

// flush ends the current shard.
func (p *solidPlanner) flush() {
	if len(p.pieces) > 0 {
		p.l.Add(Outline{Solid: p.pieces, Bytes: p.bytes}, len(p.pieces))
	}
	p.pieces, p.bytes, p.data, p.names = nil, 0, 0, 0
}

// Shard implements Plan.
func (l *Layout) Shard(i int) (*Shard, error) {
	if i < 0 || i >= len(l.Shards) {
		return nil, fmt.Errorf("wim: shard %d of %d: %w", i, len(l.Shards), format.ErrNotFound)
	}
	ol := &l.Shards[i]
	var m SpanMaker
	for _, id := range l.Order[ol.First:ol.Last] {
		res, hash := l.Unit(id)
		from, n := ol.From, ol.len
		if n == 0 {
			n = res.Size
		}
		m.plain(l.Store, 0, id, res, hash, from, n)
	}
	for _, p := range ol.Solid {
		b := &l.Store.Records[p.ID]
		m.solid(l.Store, 0, p.ID, b, l.Store.Runs[b.Run].Chunks, p.From, p.len)
	}
	s := &Shard{Seq: i, Op: l.Op, Bytes: ol.Bytes, Spans: m.Spans}
	for k := range s.Spans {
		s.Memory = max(s.Memory, s.Spans[k].memory())
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

// MaxShardNames bounds the bytes of paths of a shard's entries, except that a single blob may have more.
const MaxShardNames = 8 << 20
