package pool

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wimscope/worker/protocol"
)

// programs returns how many workers were started with each program.
func (s *fakeStarter) programs() map[Program]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := make(map[Program]int)
	for _, w := range s.workers {
		n[w.program]++
	}
	return n
}

// TestReadingNeedsReader checks that neither the spare nor sessions nor their jobs load the program that builds.
func TestReadingNeedsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{t: t, shards: 8}
		st := e.starter()
		p := New(st, Options{Cores: 2})
		defer p.Close()
		if err := p.StartSpare(); err != nil {
			t.Fatal(err)
		}
		if err := p.WarmUp(File{Name: "sample.wim"}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Sort(t.Context(), []File{{Name: "a.wim"}}); !IsCode(err, protocol.CodeBadRequest) { // the fake's answer
			t.Fatal(err)
		}
		s, err := p.Open(t.Context(), Files{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Verify}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(t.Context(), s, protocol.PlanRequest{Op: protocol.Extract, Format: protocol.ZIP}, &OutTarget{Target: protocol.ToMemory}, nil); err != nil {
			t.Fatal(err)
		}
		if st.loaded[Builder] || st.programs()[Builder] > 0 {
			t.Errorf("loaded %v, started %v", st.loaded, st.programs())
		}
	})
}

// TestBuildingNeedsBuilder checks that a build takes no idle worker that only reads, and that its own workers can then
// read. The fake workers refuse what their program does not know.
func TestBuildingNeedsBuilder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeBuild(t, 8)
		st := &fakeStarter{handle: e.handle}
		p := New(st, Options{Cores: 2})
		defer p.Close()
		s, err := p.Open(t.Context(), Files{})
		if err != nil {
			t.Fatal(err)
		}
		sums := protocol.PlanRequest{Op: protocol.Sum}
		e.reading = true
		if _, err := p.Run(t.Context(), s, sums, nil, nil); err != nil {
			t.Fatal(err)
		}
		e.reading = false
		readers := st.programs()[Reader]
		b, err := p.NewBuild()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.AddFolder(t.Context(), FolderInput{Name: "in", Handle: "handle"}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Start(BuildSpec{Out: OutTarget{Target: protocol.ToMemory}}).Wait(); err != nil {
			t.Fatal(err)
		}
		if n := st.programs(); n[Builder] != 3 || n[Reader] > readers+1 { // one more is the spare
			t.Errorf("started %v, want a coordinator and two shard workers that build, and %d that read", n, readers)
		}
		time.Sleep(smallIdle + time.Second) // until none of the readers is idle
		b, err = p.NewBuild()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		e.mu.Lock()
		e.stage = 0
		e.mu.Unlock()
		if _, err := b.Start(BuildSpec{Out: OutTarget{Target: protocol.ToMemory}}).Wait(); err != nil {
			t.Fatal(err)
		}
		before := st.count()
		e.reading = true
		if _, err := p.Run(t.Context(), s, sums, nil, nil); err != nil || st.count() != before {
			t.Errorf("%v; %d workers were started for a reading job beside idle workers that build", err, st.count()-before)
		}
	})
}

// TestLoadBuilder checks that the pool answers while the program that builds is being loaded, and that loading can be
// tried again.
func TestLoadBuilder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeBuild(t, 1)
		arrived := make(chan error)
		st := &fakeStarter{handle: e.handle, load: func(p Program) error {
			if p == Builder {
				return <-arrived
			}
			return nil
		}}
		p := New(st, Options{})
		defer p.Close()
		for _, want := range []error{errors.New("offline"), nil} {
			got := make(chan error)
			go func() {
				_, err := p.NewBuild()
				got <- err
			}()
			synctest.Wait()
			if _, err := p.Open(t.Context(), Files{}); err != nil {
				t.Error(err)
			}
			arrived <- want
			if err := <-got; (err == nil) != (want == nil) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
	})
}
