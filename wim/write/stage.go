package write

import (
	"errors"
	"fmt"

	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// stage is a step of writing, such as hashing or packing. plan adds its shards, merge takes their results in order.
type stage interface {
	key() string // the stage's name, see Plan
	plan() error // adds the shards of the stage to Plan.list
	merge(ol *outline, items []item, r *shard.Result) error
}

// setStages lists the stages in the order in which they run.
func (p *Plan) setStages() {
	by := p.placer.planner
	pack := []stage{&packing{p.placer, p.moves}, &repeating{p.placer, "pack"}}
	metadata := []stage{&addingMetadata{p.placer}, &repeating{p.placer, "metadata"}}
	p.stages = []stage{&checking{by, p.moves}, &hashing{by}, &measuring{by, p.file}, &starting{p}}
	if p.front {
		p.stages = append(append(p.stages, metadata...), pack...)
		return
	}
	p.stages = append(p.stages, p.moves)
	p.stages = append(append(p.stages, pack...), metadata...)
}

// Next implements shard.Plan. It skips stages without shards.
func (p *Plan) Next() (st shard.Stage, more bool, err error) {
	if p.merged != len(p.list.shards) {
		return st, false, errors.New("wim: the current stage is not finished")
	}
	for len(p.stages) > 0 {
		p.stage, p.stages = p.stages[0], p.stages[1:]
		p.list.shards, p.merged, p.list.bytes, p.list.items = nil, 0, 0, 0
		if err := p.stage.plan(); err != nil {
			return st, false, err
		}
		if n := len(p.list.shards); n > 0 {
			return shard.Stage{Name: p.stage.key(), Shards: n, Bytes: p.list.bytes, Items: p.list.items, Memory: p.list.memory()}, true, nil
		}
	}
	return st, false, nil
}

// Merge implements shard.Plan. The results must come in order.
func (p *Plan) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	if i != p.merged || r.Seq != i || i >= len(p.list.shards) {
		return nil, fmt.Errorf("wim: unexpected result of shard %d: %w", i, shard.ErrShard)
	}
	ol := &p.list.shards[i]
	items, err := p.list.match(ol, r)
	if err != nil {
		return nil, fmt.Errorf("wim: result of shard %d: %w", i, err)
	}
	p.merged++
	return nil, p.stage.merge(ol, items, r)
}

// starting is the stage that begins the output. It has no shards. It comes after the stages that may find a reason not to
// write anything.
type starting struct{ p *Plan }

func (s *starting) key() string { return "" }

func (s *starting) plan() error {
	p := s.p
	p.file.begun = true
	if p.file.sink == nil {
		return fmt.Errorf("wim: no output to write to: %w", format.ErrNotFound)
	}
	if err := p.file.judgeAll(); err != nil {
		return err
	}
	if p.base == nil {
		return p.file.startPart()
	}
	if err := p.asOpened(); err != nil {
		return err
	}
	if err := p.file.openPart(); err != nil {
		return err
	}
	if p.compact {
		return p.moves.start(p.file)
	}
	return p.file.startAppend()
}

func (s *starting) merge(*outline, []item, *shard.Result) error { return shard.ErrShard }
