package pool

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wimscope/worker/protocol"
)

func TestSessionReopens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t}
		st := e.starter()
		base := st.handle
		st.handle = func(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error) {
			switch c.Method {
			case protocol.List:
				return protocol.ListReply{Total: w.n}, nil, nil
			case protocol.Stat:
				panic("out of range")
			}
			return base(ctx, w, c)
		}
		p, s := openFake(t, st, 2)
		defer p.Close()
		if got := s.Archive().Parts[0].Name; got != "file a" {
			t.Errorf("opened with %q attached", got)
		}
		var states []SessionState
		s.OnState(func(state SessionState, err *protocol.Error) { states = append(states, state) })
		time.Sleep(time.Minute)
		first, err := s.List(t.Context(), protocol.ListRequest{})
		if err != nil {
			t.Fatal(err)
		}
		// The request that kills the worker fails; the next one is answered by another worker.
		if _, err := s.Stat(t.Context(), protocol.StatRequest{}); !IsCode(err, protocol.CodeInternal) {
			t.Errorf("a panic came as %v", err)
		}
		second, err := s.List(t.Context(), protocol.ListRequest{})
		if err != nil || second.Total == first.Total {
			t.Errorf("answered by worker %d, then %d: %v", first.Total, second.Total, err)
		}
		synctest.Wait()
		if len(states) != 2 || states[0] != SessionReopening || states[1] != SessionReady || e.opened != 2 {
			t.Errorf("states %v, opened %d times", states, e.opened)
		}
		// It dies again at once: the session fails.
		s.Stat(t.Context(), protocol.StatRequest{})
		synctest.Wait()
		if _, err := s.List(t.Context(), protocol.ListRequest{}); !IsCode(err, protocol.CodeInternal) {
			t.Errorf("after two deaths in a row: %v", err)
		}
		if states[len(states)-1] != SessionFailed {
			t.Errorf("states %v", states)
		}
	})
}

// A cancelled request of a session returns at once and leaves the worker alive.
func TestSessionCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t}
		st := e.starter()
		base := st.handle
		cancelled := false
		st.handle = func(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error) {
			if c.Method == protocol.Search {
				for i := range 1000 {
					time.Sleep(time.Second)
					c.Progress(protocol.SearchReply{Hits: i})
					if ctx.Err() != nil {
						cancelled = true
						return nil, nil, ctx.Err()
					}
				}
			}
			return base(ctx, w, c)
		}
		p, s := openFake(t, st, 2)
		defer p.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 5500*time.Millisecond)
		defer cancel()
		hits := -1
		began := time.Now()
		_, err := s.Search(ctx, protocol.SearchRequest{}, func(r protocol.SearchReply) { hits = r.Hits })
		if !IsCode(err, protocol.CodeCancelled) || time.Since(began) != 5500*time.Millisecond || hits != 4 {
			t.Errorf("%v after %v, progress %d", err, time.Since(began), hits)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !cancelled {
			t.Error("the worker did not receive the cancel")
		}
		if _, err := s.Plan(t.Context(), protocol.PlanRequest{}); err != nil {
			t.Error(err)
		}
	})
}

func TestSessionOpenFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t}
		st := e.starter()
		st.handle = func(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error) {
			return nil, nil, &protocol.Error{Code: protocol.CodeNotWIM, Guess: "zip", First: []byte("PK")}
		}
		p := New(st, Options{})
		defer p.Close()
		_, err := p.Open(t.Context(), Files{Parts: []File{{Name: "x"}}})
		var pe *protocol.Error
		if !errors.As(err, &pe) || pe.Guess != "zip" || string(pe.First) != "PK" {
			t.Errorf("got %#v", err)
		}
		time.Sleep(2 * time.Minute)
		if n := st.live(); n != 1 {
			t.Errorf("%d workers live, want the spare", n)
		}
	})
}

func TestSessionClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 4}
		st := e.starter()
		p, s := openFake(t, st, 2)
		defer p.Close()
		if _, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Verify}, nil, nil); err != nil {
			t.Fatal(err)
		}
		s.Close()
		synctest.Wait()
		if _, err := s.List(t.Context(), protocol.ListRequest{}); !IsCode(err, protocol.CodeCancelled) {
			t.Errorf("a closed session replied: %v", err)
		}
		for _, w := range st.workers {
			w.mu.Lock()
			if !w.over && len(w.keys) > 0 {
				t.Errorf("%s still has the files", w.name)
			}
			w.mu.Unlock()
		}
	})
}
