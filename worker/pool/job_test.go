package pool

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"wimscope/worker/protocol"
)

func openFake(t *testing.T, s Starter, cores int) (*Pool, *Session) {
	t.Helper()
	p := New(s, Options{Cores: cores})
	session, err := p.Open(t.Context(), Files{Parts: []File{{Name: "a.wim", Value: "file a"}}})
	if err != nil {
		t.Fatal(err)
	}
	return p, session
}

func upTo(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func TestJobVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 20}
		p, s := openFake(t, e.starter(), 4)
		defer p.Close()
		var figures []Figures
		var blocks int
		j := p.Start(s, JobSpec{
			Request:   protocol.PlanRequest{Op: protocol.Verify},
			OnFigures: func(f Figures) { figures = append(figures, f) },
			OnBlocks:  func(b []protocol.BlockMark) { blocks += len(b) },
		})
		r, err := j.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if !r.Report.OK || r.Report.Blobs != 20 || r.Plan.Plan != 7 || !e.finished || e.dropped {
			t.Errorf("report %+v, finished %v, dropped %v", r.Report, e.finished, e.dropped)
		}
		if !slices.Equal(e.merged, upTo(20)) {
			t.Errorf("merged in the order %v", e.merged)
		}
		if e.most != 4 || blocks != 20 {
			t.Errorf("%d runs at a time, want 4; %d blocks, want 20", e.most, blocks)
		}
		last := figures[len(figures)-1]
		if last.Phase != Done || last.Bytes != 2000 || last.Items != 20 || last.OfBytes != 2000 {
			t.Errorf("last figures %+v", last)
		}
		if !slices.ContainsFunc(figures, func(f Figures) bool { return f.Phase == Decoding && f.Bytes > 0 && f.Bytes < 2000 }) {
			t.Error("no figures from the middle of the job")
		}
	})
}

// Shards finish out of order; the output receives them in order, and only a bounded number is in flight.
func TestJobOrderAndCredits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 40}
		e.run = func(ctx context.Context, _ *fakeWorker, c *protocol.Call, i int) error {
			if i == 0 {
				return work(ctx, c, 10*time.Second) // all others must wait for this one
			}
			return work(ctx, c, time.Duration(1+i*7%5)*10*time.Millisecond)
		}
		p, s := openFake(t, e.starter(), 3)
		defer p.Close()
		r, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Extract, Format: protocol.ZIP}, &OutTarget{Target: protocol.ToMemory}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range 40 {
			want = append(want, fmt.Sprintf("data %d+entries %d", i, i))
		}
		if !slices.Equal(e.segments, want) || !slices.Equal(e.merged, upTo(40)) {
			t.Errorf("segments %v, merged %v", e.segments, e.merged)
		}
		if e.ahead > 7 {
			t.Errorf("%d shards fetched ahead of the output; there are credits for 7", e.ahead)
		}
		if !e.outDone || e.aborted > 0 || r.File != "the file" || r.Output.Files != 40 {
			t.Errorf("output finished %v, aborted %d, result %+v", e.outDone, e.aborted, r)
		}
	})
}

func TestJobCancel(t *testing.T) {
	for _, test := range []struct {
		name  string
		deaf  bool // the worker ignores the cancel
		after time.Duration
	}{
		{"cooperative", false, 20 * time.Millisecond},
		{"by force", true, 2 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &fakeEngine{t: t, shards: 20}
				e.run = func(ctx context.Context, _ *fakeWorker, c *protocol.Call, i int) error {
					if test.deaf {
						ctx = context.Background()
					}
					return work(ctx, c, 20*time.Second)
				}
				st := e.starter()
				p, s := openFake(t, st, 2)
				defer func() {
					p.Close()
					time.Sleep(time.Minute) // the ignored computations end
				}()
				j := p.Start(s, JobSpec{Request: protocol.PlanRequest{Op: protocol.Extract}, Out: &OutTarget{Target: protocol.ToOPFS}})
				time.Sleep(time.Second)
				began := time.Now()
				j.Cancel()
				_, err := j.Wait()
				if !IsCode(err, protocol.CodeCancelled) || j.Figures().Phase != Cancelled {
					t.Errorf("error %v, phase %s", err, j.Figures().Phase)
				}
				if d := time.Since(began); d > test.after+200*time.Millisecond {
					t.Errorf("it took %v", d)
				}
				if e.aborted != 1 || e.outDone || !e.dropped {
					t.Errorf("output aborted %d times, finished %v, plan dropped %v", e.aborted, e.outDone, e.dropped)
				}
				if _, err := s.List(t.Context(), protocol.ListRequest{}); err != nil {
					t.Errorf("the session's worker is gone: %v", err)
				}
			})
		})
	}
}

// When a worker dies, its shard is run again on another one, at most twice.
func TestJobCrash(t *testing.T) {
	for _, test := range []struct {
		name    string
		crashes int
		ok      bool
	}{{"once", 1, true}, {"twice", 2, true}, {"always", 3, false}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &fakeEngine{t: t, shards: 10}
				crashes := 0
				e.run = func(ctx context.Context, w *fakeWorker, c *protocol.Call, i int) error {
					if i == 4 && crashes < test.crashes {
						crashes++
						w.crash("out of memory")
						return nil
					}
					return work(ctx, c, 30*time.Millisecond)
				}
				p, s := openFake(t, e.starter(), 2)
				defer p.Close()
				j := p.Start(s, JobSpec{Request: protocol.PlanRequest{Op: protocol.Extract}, Out: &OutTarget{Target: protocol.ToOPFS}})
				_, err := j.Wait()
				if test.ok && (err != nil || !slices.Equal(e.merged, upTo(10)) || len(e.segments) != 10) {
					t.Errorf("error %v, merged %v", err, e.merged)
				}
				if e, _ := err.(*protocol.Error); !test.ok && (e == nil || e.Off != 400) {
					t.Errorf("%v does not name the failing shard", err)
				}
				if !test.ok && (!IsCode(err, protocol.CodeCrashed) || e.aborted != 1 || !e.dropped) {
					t.Errorf("error %v, aborted %d, dropped %v", err, e.aborted, e.dropped)
				}
				// The shard that waited behind the failing one is also run again, the first time.
				if got := j.Figures().Restarts; got < test.crashes || got > test.crashes+1 {
					t.Errorf("%d restarts reported, want %d or one more", got, test.crashes)
				}
			})
		})
	}
}

// A panic is reported as a failure, and the worker is replaced.
func TestJobPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 6}
		panics := 0
		e.run = func(ctx context.Context, w *fakeWorker, c *protocol.Call, i int) error {
			if i == 3 && panics == 0 {
				panics++
				panic("index out of range")
			}
			return work(ctx, c, 30*time.Millisecond)
		}
		st := e.starter()
		p, s := openFake(t, st, 1)
		defer p.Close()
		if _, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Verify}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(e.merged, upTo(6)) {
			t.Errorf("merged %v", e.merged)
		}
		st.mu.Lock()
		defer st.mu.Unlock()
		ended := 0
		for _, w := range st.workers {
			if w.over {
				ended++
			}
		}
		if ended != 1 {
			t.Errorf("%d workers ended, want the one that panicked", ended)
		}
	})
}

// A worker that does not respond for a minute is replaced; one that is busy and replies to pings is not.
func TestJobHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 3}
		hung := false
		e.run = func(ctx context.Context, w *fakeWorker, c *protocol.Call, i int) error {
			switch {
			case i == 1 && !hung:
				hung = true
				w.deaf.Store(true)
				<-w.ended
				return nil
			case i == 2:
				time.Sleep(10 * time.Minute) // one long step, while the worker itself replies
			}
			return nil
		}
		st := e.starter()
		p, s := openFake(t, st, 2)
		defer p.Close()
		j := p.Start(s, JobSpec{Request: protocol.PlanRequest{Op: protocol.Verify}})
		if _, err := j.Wait(); err != nil {
			t.Fatal(err)
		}
		// A shard may have waited behind the one that hung.
		if got := j.Figures().Restarts; got < 1 || got > 2 {
			t.Errorf("%d restarts, want 1 or 2", got)
		}
	})
}

func TestJobPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 8}
		e.run = func(ctx context.Context, w *fakeWorker, c *protocol.Call, i int) error {
			return work(ctx, c, time.Second)
		}
		p, s := openFake(t, e.starter(), 2)
		defer p.Close()
		j := p.Start(s, JobSpec{Request: protocol.PlanRequest{Op: protocol.Verify}})
		time.Sleep(1500 * time.Millisecond)
		j.Pause()
		time.Sleep(100 * time.Millisecond)
		before := j.Figures()
		time.Sleep(time.Hour)
		after := j.Figures()
		if !after.Paused || after.Bytes != before.Bytes || after.Elapsed > 2*time.Second {
			t.Errorf("before %+v, an hour of pause later %+v", before, after)
		}
		j.Resume()
		if _, err := j.Wait(); err != nil {
			t.Fatal(err)
		}
		if d := j.Figures().Elapsed; d > 5*time.Second {
			t.Errorf("took %v without the pause, of 4 s of work", d)
		}
	})
}

func TestJobPausedCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 8}
		p, s := openFake(t, e.starter(), 2)
		defer p.Close()
		j := p.Start(s, JobSpec{Request: protocol.PlanRequest{Op: protocol.Verify}})
		j.Pause()
		time.Sleep(time.Second)
		j.Cancel()
		if _, err := j.Wait(); !IsCode(err, protocol.CodeCancelled) {
			t.Error(err)
		}
	})
}

func TestJobTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 20}
		e.run = func(ctx context.Context, w *fakeWorker, c *protocol.Call, i int) error {
			return work(ctx, c, time.Second)
		}
		p, s := openFake(t, e.starter(), 1)
		defer p.Close()
		var figures []Figures
		j := p.Start(s, JobSpec{Request: protocol.PlanRequest{Op: protocol.Verify}, OnFigures: func(f Figures) { figures = append(figures, f) }})
		if _, err := j.Wait(); err != nil {
			t.Fatal(err)
		}
		for _, f := range figures {
			if f.Elapsed < etaAfter && f.Left >= 0 {
				t.Errorf("time left %v after only %v", f.Left, f.Elapsed)
			}
			if f.Elapsed > 5*time.Second && f.Elapsed < 18*time.Second {
				want := 20*time.Second - f.Elapsed
				if d := (f.Left - want).Abs(); d > 2*time.Second {
					t.Errorf("after %v: %v left, want about %v at %f bytes a second", f.Elapsed, f.Left, want, f.Rate)
				}
			}
		}
		if n := len(figures); n > 210 {
			t.Errorf("%d figures in 20 s", n)
		}
	})
}

// If the session fails, the job fails and its output is removed.
func TestJobSessionLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 8}
		st := e.starter()
		p, s := openFake(t, st, 2)
		defer p.Close()
		time.Sleep(time.Minute)
		j := p.Start(s, JobSpec{Request: protocol.PlanRequest{Op: protocol.Extract}, Out: &OutTarget{Target: protocol.ToOPFS}})
		time.Sleep(70 * time.Millisecond)
		st.worker(1).crash("gone")
		if _, err := j.Wait(); !IsCode(err, protocol.CodeCrashed) {
			t.Error(err)
		}
		if e.aborted != 1 {
			t.Errorf("output aborted %d times", e.aborted)
		}
	})
}

// A shard with nothing to run goes straight to the output.
func TestJobReadyShards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 3, ready: true}
		st := e.starter()
		base := st.handle
		st.handle = func(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error) {
			if c.Method == protocol.Shard {
				return protocol.ShardReply{Bytes: 5, Items: 1}, []any{[]byte("text"), []byte("entries")}, nil
			}
			return base(ctx, w, c)
		}
		p, s := openFake(t, st, 2)
		defer p.Close()
		if _, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Names}, &OutTarget{Target: protocol.ToMemory}, nil); err != nil {
			t.Fatal(err)
		}
		if want := []string{"text+entries", "text+entries", "text+entries"}; !slices.Equal(e.segments, want) {
			t.Errorf("segments %v", e.segments)
		}
	})
}

func TestJobMemoryBound(t *testing.T) {
	p := New(nil, Options{Cores: 16, Memory: 300})
	for _, test := range []struct {
		stage protocol.StageReply
		want  int
	}{
		{protocol.StageReply{Shards: 100}, 8},
		{protocol.StageReply{Shards: 100, Memory: 100}, 3},
		{protocol.StageReply{Shards: 100, Memory: 1000}, 1},
		{protocol.StageReply{Shards: 2, Memory: 1}, 2},
		{protocol.StageReply{}, 1},
	} {
		if got := p.workersFor(test.stage); got != test.want {
			t.Errorf("%+v: %d workers, want %d", test.stage, got, test.want)
		}
	}
}
