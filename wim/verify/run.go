package verify

import (
	"context"

	"wimscope/wim"
	"wimscope/wim/shard"
)

// Run verifies an archive on goroutines and returns the report, which lists all damage. An error means that there is no report: reading a
// file failed, or ctx ended. o and progress may be nil; progress is called from one goroutine at a time.
func Run(ctx context.Context, a *wim.Archive, o *Options, workers int, progress func(shard.Progress)) (*Report, error) {
	p, err := New(a, o)
	if err != nil {
		return nil, err
	}
	if err := shard.Run(ctx, p, shard.Sources{Parts: a.Store().Source()}, &shard.Options{Workers: workers, Progress: progress}); err != nil {
		return nil, err
	}
	return p.Report(func(int64, int) error { return context.Cause(ctx) })
}
