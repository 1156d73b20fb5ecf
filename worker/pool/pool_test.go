package pool

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wimscope/worker/protocol"
)

func TestSpareAndRetirement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 4}
		st := e.starter()
		p := New(st, Options{Cores: 2})
		defer p.Close()
		if err := p.StartSpare(); err != nil {
			t.Fatal(err)
		}
		s, err := p.Open(t.Context(), Files{})
		if err != nil || st.count() != 1 {
			t.Fatalf("%d workers started: %v", st.count(), err)
		}
		time.Sleep(2 * spareDelay)
		if st.count() != 2 {
			t.Errorf("%d workers, want the session's and a spare", st.count())
		}
		if _, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Verify}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got := p.Memory(t.Context()); got < 3000 {
			t.Errorf("memory %d of at least 3 workers", got)
		}
		time.Sleep(smallIdle + time.Second)
		if n := st.live(); n != 2 {
			t.Errorf("%d workers live after a quiet period, want the session's and a spare", n)
		}
	})
}

// TestCloseGivesMemoryBack checks that every worker that has worked on an archive ends with it, while workers of
// another archive stay.
func TestCloseGivesMemoryBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 8}
		st := e.starter()
		p := New(st, Options{Cores: 3})
		defer p.Close()
		verify := func(s *Session) *Job { return p.Start(s, JobSpec{Request: protocol.PlanRequest{Op: protocol.Verify}}) }
		a, err := p.Open(t.Context(), Files{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := p.Open(t.Context(), Files{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*Session{a, b} {
			if _, err := verify(s).Wait(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * spareDelay)
		before := p.Workers()
		a.Close()
		synctest.Wait()
		if n := p.Workers(); n >= before-1 {
			t.Errorf("%d workers of %d are left after the first archive was closed", n, before)
		}
		if _, err := verify(b).Wait(); err != nil {
			t.Error(err)
		}
		busy := verify(b)
		time.Sleep(5 * time.Millisecond)
		b.Close()
		if _, err := busy.Wait(); err == nil {
			t.Error("a job outlived its archive")
		}
		time.Sleep(3 * time.Second) // cancelGrace
		synctest.Wait()
		if n, live := p.Workers(), st.live(); n != 1 || live != 1 {
			t.Errorf("%d workers, %d live, with nothing open: want the spare one", n, live)
		}
	})
}

func TestBigWorkersGoEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 4}
		st := e.starter()
		base := st.handle
		st.handle = func(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error) {
			r, a, err := base(ctx, w, c)
			if run, ok := r.(protocol.RunReply); ok {
				run.Memory = bigWorker + 1
				r = run
			}
			return r, a, err
		}
		p, s := openFake(t, st, 1)
		defer p.Close()
		if _, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Verify}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if n := st.live(); n != 2 {
			t.Fatalf("%d workers live after the job, want the session's and the shards'", n)
		}
		time.Sleep(bigIdle + time.Second)
		if n := st.live(); n != 2 {
			t.Errorf("%d workers live, want the session's and a spare", n)
		}
		synctest.Wait()
		if !st.worker(2).over {
			t.Error("the large one is still there")
		}
	})
}

func TestWorkerNeverReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t}
		st := e.starter()
		st.mute = func(n int) bool { return true }
		p := New(st, Options{})
		defer p.Close()
		if _, err := p.Open(t.Context(), Files{}); !IsCode(err, protocol.CodeCrashed) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWorkerCannotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t}
		st := e.starter()
		st.fail = func(int) error { return errors.New("no workers here") }
		p := New(st, Options{})
		defer p.Close()
		if _, err := p.Open(t.Context(), Files{}); err == nil {
			t.Error("opened without a worker")
		}
	})
}

func TestExitMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t}
		st := e.starter()
		base := st.handle
		st.handle = func(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error) {
			if c.Method == protocol.List {
				w.out <- protocol.Message{Kind: protocol.Exit, Body: []byte(`{"code":"crashed","message":"fatal error: out of memory"}`)}
				<-w.ended
			}
			return base(ctx, w, c)
		}
		p, s := openFake(t, st, 1)
		defer p.Close()
		_, err := s.List(t.Context(), protocol.ListRequest{})
		if pe := protocol.AsError(err); pe.Code != protocol.CodeCrashed || pe.Message != "fatal error: out of memory" {
			t.Errorf("got %v", err)
		}
	})
}

// The spare worker runs the warm-up until it is needed, and holds nothing when it is handed over.
func TestWarmUp(t *testing.T) {
	for _, soon := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			e := &fakeEngine{t: t, shards: 3}
			e.run = func(ctx context.Context, _ *fakeWorker, c *protocol.Call, _ int) error {
				return work(ctx, c, 10*time.Millisecond)
			}
			st := e.starter()
			p := New(st, Options{Cores: 2})
			defer p.Close()
			if err := p.StartSpare(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- p.WarmUp(File{Name: "sample.wim", Value: "sample"}) }()
			if soon {
				time.Sleep(25 * time.Millisecond)
			} else {
				time.Sleep(time.Second)
			}
			s, err := p.Open(t.Context(), Files{Parts: []File{{Name: "a.wim", Value: "a"}}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			if want := warmUpRounds + 1; !soon && e.opened != want || soon && e.opened != 2 {
				t.Errorf("%d archives opened", e.opened)
			}
			w := st.workers[0]
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.keys) != 0 {
				t.Errorf("the worker still has the files of %v", w.keys)
			}
		})
	}
}
