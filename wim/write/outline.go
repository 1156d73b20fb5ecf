package write

import (
	"fmt"
	"slices"

	"wimscope/wim/blobs"
	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// outlines lists the shards of a stage. Shards are made from it on demand; it holds few bytes for each.
type outlines struct {
	*request
	inv    *inventory
	local  bool // the shards run in this process
	shards []outline
	bytes  int64
	items  int
}

// outline is what a shard is made from.
type outline struct {
	op    shard.PackOp
	raw   bool  // not packed, whatever the codec
	solid int32 // PackSolid, PackCopy: index into inventory.solids, -1 if none
	items []item
	bytes int64

	check *copyCheck // PackCheck: the check of an archive
	part  int        // PackCheck: shard of the check, or refusedPart
}

// item is a content or a run of its bytes.
type item struct {
	content int32
	from, n int64
}

func (l *outlines) add(s outline) {
	l.shards = append(l.shards, s)
	l.bytes += s.bytes
	l.items += len(s.items)
}

// sketch returns shard i without its pieces.
func (l *outlines) sketch(i int) *shard.PackShard {
	ol := &l.shards[i]
	s := &shard.PackShard{Seq: i, Op: ol.op}
	if ol.op == shard.PackCheck {
		if k, err := ol.check.Shard(ol.part); err == nil {
			s.Bytes, s.Memory = k.Bytes, k.Memory
		}
		return s
	}
	switch {
	case ol.op == shard.PackSolid:
		s.Codec, s.ChunkSize, s.Level = l.o.SolidCodec, l.o.SolidChunkSize, l.o.SolidLevel
	case ol.op == shard.PackCopy:
		s.ChunkSize, s.Pipable = l.o.ChunkSize, l.o.Pipable
	case ol.op == shard.PackAlone && !ol.raw:
		s.Codec, s.ChunkSize, s.Level, s.Pipable = l.o.Codec, l.o.ChunkSize, l.o.Level, l.o.Pipable
	}
	longest, unpack := int64(0), int64(0)
	for _, it := range ol.items {
		if l.skips(ol, it) {
			continue
		}
		s.Bytes += it.n
		from, n := l.reads(ol, it)
		longest = max(longest, n)
		if c := &l.inv.contents[it.content]; c.a >= 0 && ol.op != shard.PackCopy && c.same != leftOut {
			unpack = max(unpack, l.archives[c.a].Store().UnpackMemory(c.blob, from, n))
		}
	}
	s.Memory = codec.EncoderMemory(s.Codec, s.EncoderSize(), s.Level) + unpack
	switch ol.op {
	case shard.PackHash:
		s.Memory += shard.WindowSize
	case shard.PackSolid:
		s.Memory += s.Bytes + longest + min(s.ChunkSize, s.Bytes)
	default:
		s.Memory += s.Bytes + longest
	}
	return s
}

// skips reports whether a shard leaves out an item because its content was skipped. In a solid resource the item keeps its
// place: zeros stand there, or the old bytes if the resource is copied.
func (l *outlines) skips(ol *outline, it item) bool {
	whole := ol.op == shard.PackSolid || ol.op == shard.PackCopy && ol.solid >= 0
	return l.inv.contents[it.content].same == leftOut && !whole
}

// reads returns the range of bytes that are read of a content for an item. It extends beyond the item on both sides, to
// offsets where an intermediate SHA-1 state is known.
func (l *outlines) reads(ol *outline, it item) (from, n int64) {
	c := &l.inv.contents[it.content]
	switch {
	case ol.op == shard.PackCopy, c.same == leftOut, c.inline() != nil:
		return it.from, it.n
	case len(c.states()) == 0:
		return 0, c.size
	}
	from = it.from / shard.StateStep * shard.StateStep
	return from, min((it.from+it.n+shard.StateStep-1)/shard.StateStep*shard.StateStep, c.size) - from
}

// makeShard implements Plan.Shard.
func (l *outlines) makeShard(i int) (*shard.PackShard, error) {
	if i < 0 || i >= len(l.shards) {
		return nil, fmt.Errorf("wim: shard %d of %d: %w", i, len(l.shards), format.ErrNotFound)
	}
	ol := &l.shards[i]
	if ol.op == shard.PackCheck {
		s, err := l.checkShard(ol)
		if err == nil {
			s.Seq = i
		}
		return s, err
	}
	s := l.sketch(i)
	s.Pieces = make([]shard.PackPiece, 0, len(ol.items))
	var m shard.SpanMaker
	for _, it := range ol.items {
		if l.skips(ol, it) {
			continue
		}
		piece, err := l.piece(ol, it, &m)
		if err != nil {
			return nil, &shard.ContentError{ID: it.content, Path: l.inv.name(it.content), Err: err}
		}
		s.Pieces = append(s.Pieces, piece)
	}
	s.Read = m.Spans
	return s, nil
}

// onlyZeros reports whether the n bytes at from were zeros when the content was hashed. zeros is that of a shard.PackedItem.
func onlyZeros(zeros []byte, from, n int64) bool {
	first, last := from/shard.StateStep, (from+n-1)/shard.StateStep
	return n > 0 && last < int64(len(zeros)) && !slices.Contains(zeros[first:last+1], 0)
}

// piece returns a shard's piece for an item, and adds to m what the shard must unpack for it.
func (l *outlines) piece(ol *outline, it item, m *shard.SpanMaker) (shard.PackPiece, error) {
	c := &l.inv.contents[it.content]
	out := shard.PackPiece{ID: it.content, Known: c.known, Hash: c.hash, Size: c.size, From: it.from, Len: it.n}
	if ol.op == shard.PackCopy {
		a := l.archives[c.a]
		var res blobs.Resource
		if ol.solid >= 0 {
			res = a.Store().Solids[l.inv.solids[ol.solid].from].Resource
		} else {
			res, _ = l.inv.resource(c)
		}
		if res.Form != blobs.FormSolid && reframed(&res, &l.o) {
			out.Source = shard.PieceFrame
		} else {
			out.Source, out.Size = shard.PiecePacked, res.Packed
		}
		out.Src, out.Off = l.bases[c.a]+res.Src, res.Off+it.from
		return out, nil
	}
	if c.same == leftOut {
		out.Source, out.Known = shard.PieceZero, false
		return out, nil
	}
	if inline := c.inline(); inline != nil {
		out.Source, out.Inline = shard.PieceInline, inline[it.from:it.from+it.n]
		return out, nil
	}
	from, n := l.reads(ol, it)
	out.Lead, out.Trail = it.from-from, from+n-it.from-it.n
	if states := c.states(); len(states) > 0 {
		state := func(at int64) []byte {
			k := int(at/shard.StateStep) - 1
			if k < 0 || at == c.size || (k+1)*shard.StateSize > len(states) {
				return nil
			}
			return states[k*shard.StateSize : (k+1)*shard.StateSize]
		}
		out.Before, out.After = state(from), state(from+n)
		out.Zeros = onlyZeros(c.rare.zeros, from, n)
	}
	if c.a < 0 {
		out.Source = shard.PieceFile
		return out, nil
	}
	out.Source = shard.PieceUnpack
	a, base := l.archives[c.a], l.bases[c.a]
	if ol.op != shard.PackHash {
		return out, m.Content(a.Store(), base, c.blob, it.content, from, n)
	}
	for at := int64(0); at < n; at += pieceBytes {
		m.Cut()
		if err := m.Content(a.Store(), base, c.blob, it.content, at, min(pieceBytes, n-at)); err != nil {
			return out, err
		}
	}
	return out, nil
}

// match returns the items of an outline that a result covers. Items of skipped contents may be in it or not.
func (l *outlines) match(ol *outline, r *shard.PackResult) ([]item, error) {
	if ol.op == shard.PackSolid {
		return nil, nil
	}
	items := make([]item, 0, len(ol.items))
	total := int64(0)
	for _, it := range ol.items {
		if k := len(items); k < len(r.Items) && r.Items[k].ID == it.content {
			most := it.n
			if ol.op == shard.PackCopy && ol.solid < 0 {
				most = max(most, l.inv.copySize(&l.inv.contents[it.content]))
			}
			if l.o.Pipable && l.o.Codec != format.None {
				most += int64(len(r.Items[k].Chunks)) * blobs.PipablePrefix
			}
			if n := r.Items[k].Packed; n < 0 || n > most {
				return nil, fmt.Errorf("%d bytes for %d: %w", n, it.n, shard.ErrShard)
			}
			total += r.Items[k].Packed
			items = append(items, it)
		} else if l.inv.contents[it.content].same != leftOut {
			return nil, fmt.Errorf("content %d is missing: %w", it.content, shard.ErrShard)
		}
	}
	if len(items) != len(r.Items) || total != int64(len(r.Data)) {
		return nil, fmt.Errorf("%d items of %d, %d bytes of %d: %w", len(r.Items), len(items), len(r.Data), total, shard.ErrShard)
	}
	return items, nil
}
