package state

import (
	"context"

	"wimscope/worker/pool"
)

// FromPool returns an Engine that uses a pool.
func FromPool(p *pool.Pool) Engine { return poolEngine{p} }

type poolEngine struct{ *pool.Pool }

func (e poolEngine) Open(ctx context.Context, files pool.Files) (Session, error) {
	s, err := e.Pool.Open(ctx, files)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (e poolEngine) Start(s Session, spec pool.JobSpec) Job {
	return e.Pool.Start(s.(*pool.Session), spec)
}
