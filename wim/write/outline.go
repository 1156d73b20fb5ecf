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
	op    shard.Op
	raw   bool  // not packed, whatever the codec
	solid int32 // OpPackSolid, OpCopy: index into inventory.solids, -1 if none
	items []item
	bytes int64

	check *copyCheck // OpVerify: the check of an archive
	part  int        // OpVerify: shard of the check, or refusedPart
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

// memory returns about how many bytes a worker needs for the largest shard, 0 if the shards run in this process, where it is
// not needed.
func (l *outlines) memory() int64 {
	most := int64(0)
	for i := 0; i < len(l.shards) && !l.local; i++ {
		most = max(most, l.sketch(i).Memory)
	}
	return most
}

// sketch returns shard i without its pieces.
func (l *outlines) sketch(i int) *shard.Shard {
	ol := &l.shards[i]
	s := &shard.Shard{Seq: i, Op: ol.op}
	if ol.op == shard.OpVerify {
		if k, err := ol.check.Shard(ol.part); err == nil {
			s.Bytes, s.Memory = k.Bytes, k.Memory
		}
		return s
	}
	k := &shard.Packing{}
	s.Pack = k
	switch {
	case ol.op == shard.OpPackSolid:
		k.Codec, k.ChunkSize, k.Level = l.o.SolidCodec, l.o.SolidChunkSize, l.o.SolidLevel
	case ol.op == shard.OpCopy:
		k.ChunkSize, k.Pipable = l.o.ChunkSize, l.o.Pipable
	case ol.op == shard.OpPack && !ol.raw:
		k.Codec, k.ChunkSize, k.Level, k.Pipable = l.o.Codec, l.o.ChunkSize, l.o.Level, l.o.Pipable
	}
	longest, unpack := int64(0), int64(0)
	for _, it := range ol.items {
		if l.skips(ol, it) {
			continue
		}
		s.Bytes += it.n
		from, n := l.reads(ol, it)
		longest = max(longest, n)
		if c := &l.inv.contents[it.content]; c.a >= 0 && ol.op != shard.OpCopy && c.same != leftOut {
			unpack = max(unpack, l.archives[c.a].Store().UnpackMemory(c.blob, from, n))
		}
	}
	s.Memory = codec.EncoderMemory(k.Codec, s.EncoderSize(), k.Level) + unpack
	switch ol.op {
	case shard.OpHash:
		s.Memory += shard.WindowSize
	case shard.OpPackSolid:
		s.Memory += s.Bytes + longest + min(k.ChunkSize, s.Bytes)
	default:
		s.Memory += s.Bytes + longest
	}
	return s
}

// skips reports whether a shard leaves out an item because its content was skipped. In a solid resource the item keeps its
// place: zeros stand there, or the old bytes if the resource is copied.
func (l *outlines) skips(ol *outline, it item) bool {
	whole := ol.op == shard.OpPackSolid || ol.op == shard.OpCopy && ol.solid >= 0
	return l.inv.contents[it.content].same == leftOut && !whole
}

// reads returns the range of bytes that are read of a content for an item. It extends beyond the item on both sides, to
// offsets where an intermediate SHA-1 state is known.
func (l *outlines) reads(ol *outline, it item) (from, n int64) {
	c := &l.inv.contents[it.content]
	switch {
	case ol.op == shard.OpCopy, c.same == leftOut, c.inline() != nil:
		return it.from, it.n
	case len(c.states()) == 0:
		return 0, c.size
	}
	from = it.from / shard.StateStep * shard.StateStep
	return from, min((it.from+it.n+shard.StateStep-1)/shard.StateStep*shard.StateStep, c.size) - from
}

// makeShard implements Plan.Shard.
func (l *outlines) makeShard(i int) (*shard.Shard, error) {
	if i < 0 || i >= len(l.shards) {
		return nil, fmt.Errorf("wim: shard %d of %d: %w", i, len(l.shards), format.ErrNotFound)
	}
	ol := &l.shards[i]
	if ol.op == shard.OpVerify {
		s, err := l.checkShard(ol)
		if err == nil {
			s.Seq = i
		}
		return s, err
	}
	s := l.sketch(i)
	s.Pack.Pieces = make([]shard.PackPiece, 0, len(ol.items))
	var m shard.SpanMaker
	for _, it := range ol.items {
		if l.skips(ol, it) {
			continue
		}
		piece, err := l.piece(ol, it, &m)
		if err != nil {
			return nil, &shard.ContentError{ID: it.content, Path: l.inv.name(it.content), Err: err}
		}
		s.Pack.Pieces = append(s.Pack.Pieces, piece)
	}
	s.Spans = m.Spans
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
	if ol.op == shard.OpCopy {
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
	if ol.op != shard.OpHash {
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
func (l *outlines) match(ol *outline, r *shard.Result) ([]item, error) {
	if ol.op == shard.OpPackSolid {
		return nil, nil
	}
	items := make([]item, 0, len(ol.items))
	total := int64(0)
	for _, it := range ol.items {
		if k := len(items); k < len(r.Packed) && r.Packed[k].ID == it.content {
			most := it.n
			if ol.op == shard.OpCopy && ol.solid < 0 {
				most = max(most, l.inv.copySize(&l.inv.contents[it.content]))
			}
			if l.o.Pipable && l.o.Codec != format.None {
				most += int64(len(r.Packed[k].Chunks)) * blobs.PipablePrefix
			}
			if n := r.Packed[k].Packed; n < 0 || n > most {
				return nil, fmt.Errorf("%d bytes for %d: %w", n, it.n, shard.ErrShard)
			}
			total += r.Packed[k].Packed
			items = append(items, it)
		} else if l.inv.contents[it.content].same != leftOut {
			return nil, fmt.Errorf("content %d is missing: %w", it.content, shard.ErrShard)
		}
	}
	if len(items) != len(r.Packed) || total != int64(len(r.Data)) {
		return nil, fmt.Errorf("%d items of %d, %d bytes of %d: %w", len(r.Packed), len(items), len(r.Data), total, shard.ErrShard)
	}
	return items, nil
}
