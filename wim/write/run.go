package write

import (
	"context"
	"errors"
	"io"

	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// RunOptions controls how a plan is run on goroutines. The zero value, and nil, is right for most uses.
type RunOptions struct {
	Workers  int               // how many goroutines pack at a time; another one reads, hashes and writes. 0 means 1
	Memory   int64             // about how many bytes all workers together may use, by running fewer shards at a time; *format.TooLargeError if one shard needs more. 0: no bound
	Progress func(RunProgress) // may be nil; called from one goroutine at a time

	// Problem, if set, decides what to do about a content that cannot be read: true leaves it out, see Plan.Skip. It is
	// called from one goroutine at a time.
	Problem func(*shard.ContentError) bool
}

// RunProgress reports the progress of writing.
type RunProgress struct {
	Stage string // see Plan.Stage
	Bytes int64  // unpacked bytes of the stage that are done
	Total int64  // unpacked bytes of the stage
	Items int    // pieces of the stage that are done
}

// Run writes an archive to w: it runs the plan's shards on goroutines, see Plan.Start. w should be empty, because bytes
// beyond the end of the archive remain. Run stops at the first error. A new file then stays, marked as unfinished; bytes
// appended to an archive in place are cut off again.
func Run(ctx context.Context, p *Plan, files shard.ContentFiles, w io.WriterAt, o *RunOptions) (*Report, error) {
	if err := p.Start(w); err != nil {
		return nil, err
	}
	return p.run(ctx, files, o)
}

// RunSplit is Run for a split set. open returns the file of a part, numbered from 1, when that part is begun. All files stay
// in use until RunSplit returns; the caller closes them.
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
		// The first error is reported, not one of cleaning up.
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

// stageRun runs a stage.
type stageRun struct {
	shard.InOrder[*shard.PackResult]
	p      *Plan
	o      *RunOptions
	memory int64    // of the shards that are running
	spare  [][]byte // Data of results that were written, for reuse
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
	if !p.o.Solid { // solid shards need much memory, and reading is fast compared to packing
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

// pack runs a shard, and runs it again if one of its contents is skipped.
func (r *stageRun) pack(ctx context.Context, s *shard.PackShard, src shard.PackSource, w *shard.PackWorker) (*shard.PackResult, error) {
	var bytes int64
	var items int
	for {
		res, err := shard.RunPack(s, src, w, func(b int64, k int) error {
			r.report(max(b-bytes, 0), max(k-items, 0))
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

// skip asks what to do about a shard's error, and returns the shard without the content that caused it. The lock must be
// held; it may be released in between.
func (r *stageRun) skip(seq int, err error) (*shard.PackShard, error) {
	var ce *shard.ContentError
	if r.o.Problem == nil || !errors.As(err, &ce) {
		return nil, err
	}
	for r.Merging { // Merge must not run while the plan is changed
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

// leaveOut asks what to do about contents that cannot be read, and skips them. The lock must be held.
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

// take returns the next shard, or nil if there is none left. It waits while the other shards use too much memory.
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

// done returns a shard's memory to the budget.
func (r *stageRun) done(s *shard.PackShard) {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	r.memory -= s.Memory
	r.Change.Broadcast()
}

// buffer returns the Data of a result that was written, or nil.
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

// merge writes a result. It is also where damage shows in a content that two shards checked by halves.
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

func (r *stageRun) report(bytes int64, items int) {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	r.at.Bytes += bytes
	r.at.Items += items
	if r.o.Progress != nil {
		r.o.Progress(r.at)
	}
}
