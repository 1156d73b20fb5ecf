package write

import (
	"fmt"
	"slices"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// Contents that are copied in packed form are unpacked once, before anything is written, and compared with their SHA-1: otherwise
// damage would be copied unnoticed. This is a stage of its own. Any worker can run its shards. Damaged contents make writing
// fail, or are left out, see Skip.

// copyCheck holds the contents of an archive that are copied and have to be checked.
type copyCheck struct {
	shard.Layout
	ids    map[int32]int32 // from contents of the archive to contents of the plan
	halves shard.CutHalves
}

// planCheck plans the checks of copied contents.
func (p *Plan) planCheck() error {
	p.checks = make([]*copyCheck, len(p.archives))
	plain, solid := make([][]int32, len(p.archives)), make([][]int32, len(p.archives))
	add := func(id int32) {
		c := &p.contents[id]
		k := p.checks[c.a]
		if k == nil {
			k = &copyCheck{Layout: shard.Layout{Store: p.archives[c.a].Store(), Op: shard.OpVerify}, ids: map[int32]int32{}, halves: shard.CutHalves{}}
			p.checks[c.a] = k
		}
		k.ids[c.blob] = id
		if k.Store.Records[c.blob].Run >= 0 {
			solid[c.a] = append(solid[c.a], c.blob)
		} else {
			plain[c.a] = append(plain[c.a], c.blob)
		}
	}
	for i := range p.contents {
		if c := &p.contents[i]; c.same == written && c.a >= 0 && !c.meta && !c.stays && p.copied(c) {
			add(int32(i))
		}
	}
	for _, x := range p.solidCopies() {
		for _, id := range x.contents {
			add(id)
		}
	}
	for _, id := range p.moving() {
		add(id)
	}
	for a, k := range p.checks {
		if k == nil {
			continue
		}
		if err := k.LayOut(plain[a], solid[a]); err != nil {
			return err
		}
		if len(k.Unread) > 0 {
			p.add(packPlan{op: shard.PackCheck, solid: -1, archive: int32(a), check: refusedCheck})
		}
		for i := range k.Shards {
			p.add(packPlan{op: shard.PackCheck, solid: -1, archive: int32(a), check: i, bytes: k.Shards[i].Bytes})
		}
	}
	return nil
}

// refusedCheck is the number of the check that reports contents which are refused unread.
const refusedCheck = -1

// moving returns the contents that compacting moves.
func (p *Plan) moving() []int32 {
	var ids []int32
	solids := map[int32]bool{}
	for _, m := range p.moves[p.inPlace():] {
		if m.solid >= 0 {
			solids[m.solid] = true
		} else if !p.contents[m.content].meta { // metadata were checked when the tree was loaded
			ids = append(ids, m.content)
		}
	}
	for i := range p.contents {
		if c := &p.contents[i]; c.stays && c.same == written && c.solid >= 0 && solids[c.solid] {
			ids = append(ids, int32(i))
		}
	}
	return ids
}

// copies reports whether a content will be copied from an archive: it was neither skipped nor replaced by a file.
func (p *Plan) copies(archive, blob int32) bool {
	c := &p.contents[p.checks[archive].ids[blob]]
	return c.same == written && c.a == archive && c.blob == blob
}

// checkShard builds a shard of a check, without skipped contents.
func (p *Plan) checkShard(plan *packPlan) (*shard.PackShard, error) {
	k := p.checks[plan.archive]
	if plan.check == refusedCheck {
		for _, r := range k.Unread {
			if p.copies(plan.archive, r.Id) {
				return nil, &shard.ContentError{ID: k.ids[r.Id], Path: p.Name(k.ids[r.Id]), Err: r.Err}
			}
		}
		return &shard.PackShard{Op: shard.PackCheck}, nil
	}
	s, err := k.Shard(plan.check)
	if err != nil {
		return nil, err
	}
	for i := range s.Spans {
		sp := &s.Spans[i]
		sp.Src += p.bases[plan.archive]
		sp.Pieces = slices.DeleteFunc(sp.Pieces, func(x shard.Piece) bool { return !p.copies(plan.archive, x.ID) })
		for j := range sp.Pieces {
			sp.Pieces[j].ID = k.ids[sp.Pieces[j].ID]
		}
	}
	return &shard.PackShard{Op: shard.PackCheck, Bytes: s.Bytes, Memory: s.Memory, Read: s.Spans}, nil
}

// mergeCheck merges the result of a check shard. Damage within the shard already failed its run.
func (p *Plan) mergeCheck(plan *packPlan, r *shard.PackResult) error {
	k := p.checks[plan.archive]
	for i := range r.Cuts {
		c := &r.Cuts[i]
		if c.ID < 0 || int(c.ID) >= len(p.contents) {
			return fmt.Errorf("wim: a cut of content %d: %w", c.ID, shard.ErrShard)
		}
		if got, ok := k.halves.Join(c); ok && got != p.contents[c.ID].hash && !p.gone(c.ID) {
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
	if p.lost == 0 {
		return nil
	}
	return &RefusedError{Key: RefusedIncomplete, Text: p.losses[0].String() + "; rewriting the archive would drop the contents that only lost entries use"}
}
