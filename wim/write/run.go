package write

import (
	"context"
	"io"

	"wimscope/wim/codec"
	"wimscope/wim/pack"
	"wimscope/wim/shard"
)

// Run writes an archive to w: it runs the plan's shards on goroutines, see Plan.Start. o may be nil; its Workers pack at the
// same time, while another goroutine reads, hashes and writes. w should be empty, because bytes beyond the end of the archive
// remain. Run stops at the first error. A new file then stays, marked as unfinished; bytes appended to an archive in place are
// cut off again.
func Run(ctx context.Context, p *Plan, files shard.ContentFiles, w io.WriterAt, o *shard.Options) (*Report, error) {
	if err := p.Start(w); err != nil {
		return nil, err
	}
	return p.run(ctx, files, o)
}

// RunSplit is Run for a split set. open returns the file of a part, numbered from 1, when that part is begun. All files stay
// in use until RunSplit returns; the caller closes them.
func RunSplit(ctx context.Context, p *Plan, files shard.ContentFiles, open func(part int) (io.WriterAt, error), o *shard.Options) (*Report, error) {
	if err := p.StartParts(open); err != nil {
		return nil, err
	}
	return p.run(ctx, files, o)
}

func (p *Plan) run(ctx context.Context, files shard.ContentFiles, o *shard.Options) (*Report, error) {
	p.list.local = true
	err := shard.Run(ctx, p, shard.Sources{Parts: p.Parts(), Files: files}, p.packers(o))
	if err == nil {
		var r *Report
		if r, err = p.Finish(); err == nil {
			return r, nil
		}
	}
	// The first error is reported, not one of cleaning up.
	_ = p.Abort()
	return nil, err
}

// packers returns the options for workers that pack.
func (p *Plan) packers(o *shard.Options) *shard.Options {
	own := shard.Options{}
	if o != nil {
		own = *o
	}
	own.Workers = max(own.Workers, 1)
	turns := make(chan *codec.Encoders, own.Workers)
	for range own.Workers {
		turns <- &codec.Encoders{}
	}
	own.Runner = func() shard.Runner { return pack.NewWorker(turns) }
	if !p.o.Solid { // solid shards need much memory, and reading is fast compared to packing
		own.Workers++
	}
	return &own
}
