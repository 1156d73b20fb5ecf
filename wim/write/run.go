package write

import (
	"context"
	"errors"
	"io"

	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// RunOptions is how a plan is run on goroutines. The zero value, and nil, is right for most.
type RunOptions struct {
	Workers  int               // how many goroutines pack at a time; another one reads, hashes and writes meanwhile. 0 means 1
	Memory   int64             // bytes that all workers together may take, about: fewer run at a time then; *TooLargeError if it is too little for one. 0: no bound
	Progress func(RunProgress) // may be nil; called from one goroutine at a time

	// Problem, if there is one, is asked what to do about a content that could not be had: true leaves it out, see
	// Plan.Skip. It is called from one goroutine at a time.
	Problem func(*shard.ContentError) bool
}

// RunProgress is how far writing is.
type RunProgress struct {
	Stage string // see Plan.Stage
	Bytes int64  // unpacked bytes of the stage that were gone through
	Total int64  // of these
	Items int
}

// Run writes an archive: it runs the plan's shards on goroutines and writes what comes of them to w, see
// Plan.Start. What a new file held before, beyond its end, stays: there should be nothing. The first error ends the
// work, and leaves a new file that says that writing was not finished; what was added to an archive in place is cut off
// again.
func Run(ctx context.Context, p *Plan, files shard.ContentFiles, w io.WriterAt, o *RunOptions) (*Report, error) {
	if err := p.Start(w); err != nil {
		return nil, err
	}
	return p.run(ctx, files, o)
}

// RunSplit is Run for a split set: open gives each part's file, numbers from 1, when it is begun. All stay in use until
// the end; who gives them closes them.
func RunSplit(ctx context.Context, p *Plan, files shard.ContentFiles, open func(part int) (io.WriterAt, error), o *RunOptions) (*Report, error) {
	if err := p.StartParts(open); err != nil {
		return nil, err
	}
	return p.run(ctx, files, o)
}

func (p *Plan) run(ctx context.Context, files shard.ContentFiles, o *RunOptions) (*Report, error) {
	if o == nil {
		o = &RunOptions{}
	}
	p.list.local = true
	r, err := p.runStages(ctx, shard.PackSource{Parts: p.Parts(), Files: files}, o)
	if err != nil {
		// What is wrong counts, and not that nothing can be done about it.
		_ = p.Abort()
		return nil, err
	}
	return r, nil
}

func (p *Plan) runStages(ctx context.Context, src shard.PackSource, o *RunOptions) (*Report, error) {
	for {
		more, err := p.Next()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if err := runStage(ctx, p, src, o); err != nil {
			var ce *shard.ContentError
			if errors.As(err, &ce) && ce.Path == "" {
				ce.Path = p.inv.name(ce.ID)
			}
			return nil, err
		}
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return p.Finish()
}

// stageRun is a stage being run.
type stageRun struct {
	shard.InOrder[*shard.PackResult]
	p      *Plan
	o      *RunOptions
	memory int64    // of shards being run
	spare  [][]byte // Data of results that were written
	at     RunProgress
}

func runStage(ctx context.Context, p *Plan, src shard.PackSource, o *RunOptions) error {
	r := &stageRun{p: p, o: o, at: RunProgress{Stage: p.Stage(), Total: p.Bytes()}}
	r.InOrder = shard.InOrder[*shard.PackResult]{N: p.NumShards(), Merge: r.merge}
	workers := max(o.Workers, 1)
	turns := make(chan *codec.Encoders, workers)
	for range workers {
		turns <- &codec.Encoders{}
	}
	if !p.o.Solid { // there reading takes no time to speak of beside packing, and a shard much memory
		workers++
	}
	return r.Run(ctx, workers, func(ctx context.Context) {
		w := shard.NewPackWorker()
		w.Turns = turns
		for {
			s := r.take(ctx)
			if s == nil {
				return
			}
			w.Reuse(r.buffer())
			res, err := r.pack(ctx, s, src, w)
			if err != nil {
				r.Cancel(err)
				return
			}
			r.done(s)
			r.Give(ctx, res.Seq, res)
		}
	})
}

// pack runs a shard, again if a content of it is skipped.
func (r *stageRun) pack(ctx context.Context, s *shard.PackShard, src shard.PackSource, w *shard.PackWorker) (*shard.PackResult, error) {
	var bytes int64
	var items int
	for {
		res, err := shard.RunPack(s, src, w, func(b int64, k int) error {
			r.tell(max(b-bytes, 0), max(k-items, 0))
			bytes, items = max(b, bytes), max(k, items)
			return context.Cause(ctx)
		})
		if err == nil {
			return &res, nil
		}
		r.Mu.Lock()
		s, err = r.skip(s.Seq, err)
		r.Mu.Unlock()
		if err != nil {
			return nil, err
		}
	}
}

// skip asks what to do about a shard's error, and gives the shard without the content that was the cause. The lock is held,
// but others may have it meanwhile.
func (r *stageRun) skip(seq int, err error) (*shard.PackShard, error) {
	var ce *shard.ContentError
	if r.o.Problem == nil || !errors.As(err, &ce) {
		return nil, err
	}
	for r.Merging { // nothing changes the plan meanwhile
		r.Change.Wait()
	}
	for {
		if err := r.leaveOut(ce); err != nil {
			return nil, err
		}
		s, err := r.p.Shard(seq)
		if err == nil || !errors.As(err, &ce) {
			return s, err
		}
	}
}

// leaveOut asks what to do about contents that cannot be read, and leaves them out. The lock must be held.
func (r *stageRun) leaveOut(ce *shard.ContentError) error {
	for _, id := range append([]int32{ce.ID}, ce.More...) {
		if r.p.inv.gone(id) {
			continue
		}
		one := &shard.ContentError{ID: id, Path: r.p.inv.name(id), Err: ce.Err}
		if !r.o.Problem(one) {
			return one
		}
		if err := r.p.Skip(one); err != nil {
			return err
		}
	}
	return nil
}

// take gives the next shard, nil if there is no more to do. It waits also while others take the memory.
func (r *stageRun) take(ctx context.Context) *shard.PackShard {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	for r.More(ctx) {
		s, err := r.p.Shard(r.Next)
		if err != nil {
			if _, err = r.skip(r.Next, err); err == nil {
				continue
			}
			r.Cancel(err)
			return nil
		}
		if r.o.Memory > 0 && s.Memory > r.o.Memory {
			r.Cancel(&format.TooLargeError{What: s.What(), Need: s.Memory, Limit: r.o.Memory})
			return nil
		}
		if r.memory > 0 && r.o.Memory > 0 && r.memory+s.Memory > r.o.Memory {
			r.Change.Wait()
			continue
		}
		r.memory += s.Memory
		r.Next++
		return s
	}
	return nil
}

// done gives a shard's memory back.
func (r *stageRun) done(s *shard.PackShard) {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	r.memory -= s.Memory
	r.Change.Broadcast()
}

// buffer gives the Data of a result that was written, if there is one.
func (r *stageRun) buffer() []byte {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	n := len(r.spare)
	if n == 0 {
		return nil
	}
	b := r.spare[n-1]
	r.spare = r.spare[:n-1]
	return b
}

// merge writes a result. It also finds damage in a content that two shards checked by halves.
func (r *stageRun) merge(i int, res *shard.PackResult) error {
	err := r.p.Merge(i, res)
	r.Mu.Lock()
	defer r.Mu.Unlock()
	var ce *shard.ContentError
	if r.o.Problem != nil && errors.As(err, &ce) {
		err = r.leaveOut(ce)
	}
	if err != nil {
		return err
	}
	if cap(res.Data) > 0 && len(r.spare) < r.Ahead {
		r.spare = append(r.spare, res.Data[:0])
	}
	return nil
}

func (r *stageRun) tell(bytes int64, items int) {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	r.at.Bytes += bytes
	r.at.Items += items
	if r.o.Progress != nil {
		r.o.Progress(r.at)
	}
}
