package write

import (
	"fmt"
	"slices"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// copyCheck holds the contents of an archive that are copied and have to be checked.
type copyCheck struct {
	shard.Layout
	archive int32
	ids     map[int32]int32 // from blobs of the archive to contents of the plan
	halves  shard.CutHalves
}

// checking is the stage that unpacks what is copied in packed form and compares it with its SHA-1: otherwise damage would be copied
// unnoticed. Damaged contents make writing fail, or are left out, see Plan.Skip.
type checking struct {
	planner
	moves *compaction
}

func (s *checking) key() string { return "check" }

// plan plans the checks of copied contents.
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
			s.list.add(outline{op: shard.PackCheck, solid: -1, check: k, part: refusedPart})
		}
		for i := range k.Shards {
			s.list.add(outline{op: shard.PackCheck, solid: -1, check: k, part: i, bytes: k.Shards[i].Bytes})
		}
	}
	return nil
}

// refusedPart is the number of the shard that reports contents which are refused unread.
const refusedPart = -1

// contents returns the contents that compacting moves.
func (mv *compaction) contents() []int32 {
	var ids []int32
	solids := map[int32]bool{}
	for _, m := range mv.moves[mv.inPlace():] {
		if m.solid >= 0 {
			solids[m.solid] = true
		} else if !mv.inv.contents[m.content].meta { // metadata were checked when the tree was loaded
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

// copies reports whether the content with a blob of the checked archive is still copied: neither skipped nor replaced by a file.
func (inv *inventory) copies(k *copyCheck, blob int32) bool {
	c := &inv.contents[k.ids[blob]]
	return c.same == written && c.a == k.archive && c.blob == blob
}

// checkShard builds a shard of a check, without skipped contents.
func (l *outlines) checkShard(ol *outline) (*shard.PackShard, error) {
	k := ol.check
	if ol.part == refusedPart {
		for _, r := range k.Unread {
			if l.inv.copies(k, r.ID) {
				return nil, &shard.ContentError{ID: k.ids[r.ID], Path: l.inv.name(k.ids[r.ID]), Err: r.Err}
			}
		}
		return &shard.PackShard{Op: shard.PackCheck}, nil
	}
	s, err := k.Shard(ol.part)
	if err != nil {
		return nil, err
	}
	for i := range s.Spans {
		sp := &s.Spans[i]
		sp.Src += l.bases[k.archive]
		sp.Pieces = slices.DeleteFunc(sp.Pieces, func(x shard.Piece) bool { return !l.inv.copies(k, x.ID) })
		for j := range sp.Pieces {
			sp.Pieces[j].ID = k.ids[sp.Pieces[j].ID]
		}
	}
	return &shard.PackShard{Op: shard.PackCheck, Bytes: s.Bytes, Memory: s.Memory, Read: s.Spans}, nil
}

// merge merges the result of a check shard. Damage within the shard already failed its run.
func (s *checking) merge(ol *outline, _ []item, r *shard.PackResult) error {
	k := ol.check
	for i := range r.Cuts {
		c := &r.Cuts[i]
		if c.ID < 0 || int(c.ID) >= len(s.inv.contents) {
			return fmt.Errorf("wim: a cut of content %d: %w", c.ID, shard.ErrShard)
		}
		if got, ok := k.halves.Join(c); ok && got != s.inv.contents[c.ID].hash && !s.inv.gone(c.ID) {
			return &shard.ContentError{ID: c.ID, Err: format.Describe(fmt.Sprintf("the content is damaged: SHA-1 is %v", got), format.ErrChecksum)}
		}
	}
	return nil
}

// NeedWhole returns a *RefusedError if something of the image was lost. An image made from what is left would look whole, and
// what it lacks could not be recovered any more.
func NeedWhole(im *wim.Image) error {
	losses, n := im.Losses()
	if n == 0 {
		return nil
	}
	return &RefusedError{Key: RefusedIncomplete, Text: losses[0].String() + "; changing the image would make the loss permanent"}
}

// NeedWhole returns a *RefusedError if images that are copied have lost something. It is for a file that takes the place of
// the archive: contents that only lost entries use are not copied, and would be gone.
func (p *Plan) NeedWhole() error {
	if p.inv.lost == 0 {
		return nil
	}
	return &RefusedError{Key: RefusedIncomplete, Text: p.inv.losses[0].String() + "; rewriting the archive would drop the contents that only lost entries use"}
}
