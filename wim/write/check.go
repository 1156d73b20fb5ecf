package write

import (
	"fmt"
	"slices"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// copyCheck checks the contents that are copied from one archive.
type copyCheck struct {
	shard.Layout
	archive int32
	ids     map[int32]int32 // from blob IDs of the archive to contents of the plan
	halves  shard.CutHalves
}

// checking is the stage that unpacks contents which are copied packed, and verifies their SHA-1. Otherwise damage would be
// copied unnoticed. A damaged content makes writing fail, or is left out, see Plan.Skip.
type checking struct {
	planner
	moves *compaction
}

func (s *checking) key() string { return "check" }

func (s *checking) plan() error {
	checks := make([]*copyCheck, len(s.archives))
	plain, solid := make([][]int32, len(s.archives)), make([][]int32, len(s.archives))
	add := func(id int32) {
		c := &s.inv.contents[id]
		k := checks[c.a]
		if k == nil {
			k = &copyCheck{archive: c.a, Layout: shard.Layout{Store: s.archives[c.a].Store(), Op: shard.OpVerify}, ids: map[int32]int32{}, halves: shard.CutHalves{}}
			checks[c.a] = k
		}
		k.ids[c.blob] = id
		if k.Store.Records[c.blob].Run >= 0 {
			solid[c.a] = append(solid[c.a], c.blob)
		} else {
			plain[c.a] = append(plain[c.a], c.blob)
		}
	}
	for i := range s.inv.contents {
		if c := &s.inv.contents[i]; c.same == written && c.a >= 0 && !c.meta && !c.stays && s.inv.copied(c) {
			add(int32(i))
		}
	}
	for _, x := range s.inv.solidCopies() {
		for _, id := range x.contents {
			add(id)
		}
	}
	for _, id := range s.moves.contents() {
		add(id)
	}
	for a, k := range checks {
		if k == nil {
			continue
		}
		if err := k.Divide(plain[a], solid[a]); err != nil {
			return err
		}
		if len(k.Unread) > 0 {
			s.list.add(outline{op: shard.OpVerify, solid: -1, check: k, part: refusedPart})
		}
		s.list.items += k.Items()
		for i := range k.Shards {
			s.list.add(outline{op: shard.OpVerify, solid: -1, check: k, part: i, bytes: k.Shards[i].Bytes})
		}
	}
	return nil
}

// refusedPart is the number of the shard that reports contents which are refused without being read.
const refusedPart = -1

// contents returns the contents that compacting moves.
func (mv *compaction) contents() []int32 {
	var ids []int32
	solids := map[int32]bool{}
	for _, m := range mv.moves[mv.inPlace():] {
		if m.solid >= 0 {
			solids[m.solid] = true
		} else if !mv.inv.contents[m.content].meta { // metadata was checked when the tree was loaded
			ids = append(ids, m.content)
		}
	}
	for i := range mv.inv.contents {
		if c := &mv.inv.contents[i]; c.stays && c.same == written && c.solid >= 0 && solids[c.solid] {
			ids = append(ids, int32(i))
		}
	}
	return ids
}

// copies reports whether a blob of the checked archive is still copied. It is not if its content was skipped, or replaced by
// a file.
func (inv *inventory) copies(k *copyCheck, blob int32) bool {
	c := &inv.contents[k.ids[blob]]
	return c.same == written && c.a == k.archive && c.blob == blob
}

// checkShard makes a shard of a check, without skipped contents.
func (l *outlines) checkShard(ol *outline) (*shard.Shard, error) {
	k := ol.check
	if ol.part == refusedPart {
		for _, r := range k.Unread {
			if l.inv.copies(k, r.ID) {
				return nil, &shard.ContentError{ID: k.ids[r.ID], Path: l.inv.name(k.ids[r.ID]), Err: r.Err}
			}
		}
		return &shard.Shard{Op: shard.OpVerify}, nil
	}
	s, err := k.Shard(ol.part)
	if err != nil {
		return nil, err
	}
	s.Part += int(l.bases[k.archive])
	for i := range s.Spans {
		sp := &s.Spans[i]
		sp.Src += l.bases[k.archive]
		sp.Pieces = slices.DeleteFunc(sp.Pieces, func(x shard.Piece) bool { return !l.inv.copies(k, x.ID) })
		for j := range sp.Pieces {
			sp.Pieces[j].ID = k.ids[sp.Pieces[j].ID]
		}
	}
	return s, nil
}

// merge reports damaged contents. It joins those that two shards checked by halves.
func (s *checking) merge(ol *outline, _ []item, r *shard.Result) error {
	k := ol.check
	r.Bad = slices.DeleteFunc(r.Bad, func(b shard.BadPiece) bool { return s.inv.gone(b.ID) })
	if err := r.Damage(); err != nil {
		return err
	}
	for i := range r.Cuts {
		c := &r.Cuts[i]
		if c.ID < 0 || int(c.ID) >= len(s.inv.contents) {
			return fmt.Errorf("wim: a cut of content %d, which does not exist: %w", c.ID, shard.ErrShard)
		}
		if got, ok := k.halves.Join(c); ok && got != s.inv.contents[c.ID].hash && !s.inv.gone(c.ID) {
			return &shard.ContentError{ID: c.ID, Err: format.Describe(fmt.Sprintf("the blob is damaged: SHA-1 is %v", got), format.ErrChecksum)}
		}
	}
	return nil
}

// NeedWhole returns a *RefusedError if part of the image was lost. An image made from the remainder would look complete, and
// the lost part could not be recovered any more.
func NeedWhole(im *wim.Image) error {
	losses, n := im.Losses()
	if n == 0 {
		return nil
	}
	return &RefusedError{Key: RefusedIncomplete, Text: losses[0].String() + "; changing the image would make the loss permanent"}
}

// NeedWhole returns a *RefusedError if images that are copied have lost something. It is for callers that replace the archive
// with the output: blobs that only lost entries use are not copied, and would be gone.
func (p *Plan) NeedWhole() error {
	if p.inv.lost == 0 {
		return nil
	}
	return &RefusedError{Key: RefusedIncomplete, Text: p.inv.losses[0].String() + "; rewriting the archive would drop the blobs that only lost entries use"}
}
