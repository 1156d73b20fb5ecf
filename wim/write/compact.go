package write

import (
	"cmp"
	"slices"

	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// move is a resource that compacting moves to the front of its file.
type move struct {
	off, packed int64
	content     int32 // a content that is stored in it
	solid       int32 // index into inventory.solids, -1 if it is not solid
}

// compaction is the stage that moves the resources which stay to the front of the file.
type compaction struct {
	*placer
	moves   []move
	aliases [][2]int32 // pairs of contents that share a resource: the first lies where the second does
}

func (mv *compaction) key() string { return "compact" }

// PlanCompact plans to change the archive in its file as PlanAppend does, but leaves no unused bytes: resources are moved to
// the front before new ones are added behind them. It needs no more disk space than the result, but it is not crash-safe:
// until it is done, the header marks the archive as unfinished, and an interruption loses contents. Blobs that no image uses
// are dropped, unless the archive is a resource-only one.
//
// Errors: those of PlanAppend; *RefusedError if resources overlap.
func (e *Builder) PlanCompact(o *Options) (*Plan, error) {
	opts, err := e.inPlace(o)
	if err != nil {
		return nil, err
	}
	p, err := e.planWrite(opts, e.base, true)
	if err != nil {
		return nil, err
	}
	p.setStages()
	if err := p.inv.makeMetadata(false); err != nil {
		return nil, err
	}
	return p, p.moves.find()
}

// find lists the resources that stay, by their place.
func (mv *compaction) find() error {
	a := mv.base
	list := make([]move, 0, len(mv.inv.contents))
	solid := map[int32]bool{}
	for i := range mv.inv.contents {
		c := &mv.inv.contents[i]
		switch {
		case !c.stays || c.same != written:
		case c.solid < 0:
			list = append(list, move{c.off, c.packed, int32(i), -1})
		case !solid[c.solid]:
			solid[c.solid] = true
			s := &mv.inv.solids[c.solid]
			list = append(list, move{s.off, s.packed, int32(i), c.solid})
		}
	}
	slices.SortFunc(list, func(x, y move) int {
		return cmp.Or(cmp.Compare(x.off, y.off), cmp.Compare(x.packed, y.packed), cmp.Compare(x.content, y.content))
	})
	end := int64(format.HeaderSize)
	for _, m := range list {
		if k := len(mv.moves) - 1; k >= 0 && m.off == mv.moves[k].off && m.packed == mv.moves[k].packed && m.solid < 0 && mv.moves[k].solid < 0 {
			mv.aliases = append(mv.aliases, [2]int32{m.content, mv.moves[k].content})
			continue
		}
		if m.off < end {
			return &RefusedError{Name: a.Store().FirstPart().Name, Key: RefusedOverlap, Text: "resources overlap, so they cannot be moved"}
		}
		end = m.off + m.packed
		mv.moves = append(mv.moves, m)
	}
	return nil
}

// start marks the archive as unfinished. Resources at the front that are in place already are not moved.
func (mv *compaction) start(f *output) error {
	k := mv.inPlace()
	end := int64(format.HeaderSize)
	for _, m := range mv.moves[:k] {
		end += m.packed
	}
	if f.out.sum != nil {
		if err := f.compareOld(end); err != nil {
			return err
		}
	}
	h := mv.base.Store().FirstPart().Header
	h.Flags |= format.FlagWriteInProgress
	if err := f.out.put(h.Append(nil), 0); err != nil {
		return err
	}
	f.out.off = end
	mv.moves = mv.moves[k:]
	f.out.prime = func(s *blockSums) error { return f.prime(s, end) }
	return f.out.sync()
}

// inPlace returns how many resources at the front need not be moved.
func (mv *compaction) inPlace() int {
	off := int64(format.HeaderSize)
	for i, m := range mv.moves {
		if m.off != off {
			return i
		}
		off += m.packed
	}
	return len(mv.moves)
}

// plan moves the resources in order of their place, so that none is overwritten before it was read.
func (mv *compaction) plan() error {
	s := mv.list.makeShards(outline{op: shard.OpCopy, solid: -1}, nil)
	for _, m := range mv.moves {
		if m.solid >= 0 {
			s.begin(outline{op: shard.OpCopy, solid: m.solid})
		}
		for from := int64(0); from < m.packed; from += pieceBytes {
			s.addPacked(item{m.content, from, min(m.packed-from, pieceBytes)})
		}
		if m.solid >= 0 {
			s.begin(outline{op: shard.OpCopy, solid: -1})
		}
	}
	s.flush()
	mv.moves = nil
	return nil
}

// moved updates the offsets of contents that share a resource with a moved one.
func (mv *compaction) moved() {
	for _, x := range mv.aliases {
		mv.inv.contents[x[0]].off = mv.inv.contents[x[1]].off
	}
	mv.aliases = nil
}
