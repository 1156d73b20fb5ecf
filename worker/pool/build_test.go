package pool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wimscope/worker/protocol"
)

// fakeBuild is a fakeEngine whose worker coordinates builds: two stages with the given number of shards each.
type fakeBuild struct {
	*fakeEngine
	mu      sync.Mutex
	stage   int
	reading bool     // answer as a session
	given   []string // inputs that shard workers received
	memory  int64
	skips   []int
	fail    map[protocol.Method]error
	lead    *fakeWorker
	begun   map[protocol.Method]int
}

func newFakeBuild(t *testing.T, shards int) *fakeBuild {
	return &fakeBuild{fakeEngine: &fakeEngine{t: t, shards: shards}, begun: make(map[protocol.Method]int)}
}

func (e *fakeBuild) handle(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error) {
	e.mu.Lock()
	e.begun[c.Method]++
	err := e.fail[c.Method]
	e.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	if e.reading {
		return e.fakeEngine.handle(ctx, w, c)
	}
	switch c.Method {
	case protocol.Input:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.lead = w
		return protocol.InputReply{Number: 1}, nil, nil
	case protocol.Draft:
		c.Progress(protocol.RunProgress{Items: 5})
		return protocol.DraftReply{Draft: 1, Files: 5}, nil, nil
	case protocol.Build:
		return protocol.BuildReply{Plan: 7, Name: "new.wim", Size: 1000}, nil, nil
	case protocol.Stage:
		e.mu.Lock()
		e.stage++
		n := e.stage
		e.mu.Unlock()
		if n <= 2 {
			e.fakeEngine.mu.Lock()
			e.merged = nil
			e.fakeEngine.mu.Unlock()
		}
		switch n {
		case 1:
			return protocol.StageReply{Stage: "hash", Shards: e.shards, Bytes: int64(e.shards) * 100, Items: e.shards, Memory: e.memory}, nil, nil
		case 2:
			return protocol.StageReply{Stage: "pack", Shards: e.shards, Bytes: int64(e.shards) * 100, Items: e.shards, Memory: e.memory}, nil, nil
		}
		return protocol.StageReply{}, nil, nil
	case protocol.Skip:
		req := decodeBody[protocol.SkipRequest](e.t, c.Body)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.skips = append(e.skips, req.Error.Content)
		return nil, nil, nil
	case protocol.Parts:
		e.mu.Lock()
		e.given = append(e.given, fmt.Sprint(string(c.Body), c.Attach))
		e.mu.Unlock()
	case protocol.Shard:
		rep, att, err := e.fakeEngine.handle(ctx, w, c)
		att[0] = append(att[0].([]byte), fakePack...)
		return rep, att, err
	case protocol.Run:
		rep, att, err := e.fakeEngine.handle(ctx, w, c)
		return rep, att[:min(len(att), 2)], err
	case protocol.Merge:
		if len(c.Attach) != 2 {
			e.t.Errorf("a result came with %d attachments", len(c.Attach))
		}
		rep, _, err := e.fakeEngine.handle(ctx, w, c)
		m := rep.(protocol.MergeReply)
		m.Written = int64(len(e.merged)) * 10
		return m, nil, err
	}
	return e.fakeEngine.handle(ctx, w, c)
}

func (e *fakeBuild) count(m protocol.Method) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.begun[m]
}

// TestBuildUnreadableMerge checks that damage which shows when a result is merged is handled like a file that cannot be
// read: all blobs of the shard are asked about, and the shard is not run again.
func TestBuildUnreadableMerge(t *testing.T) {
	for _, leave := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			e := newFakeBuild(t, 5)
			st := &fakeStarter{handle: func(ctx context.Context, w *fakeWorker, c *protocol.Call) (any, []any, error) {
				rep, att, err := e.handle(ctx, w, c)
				if c.Method == protocol.Merge && e.stage == 1 && len(e.merged) == 3 {
					return nil, nil, &protocol.Error{Code: protocol.CodeChecksum, Content: 7, Name: "seven", More: []protocol.Unread{{Content: 9, Name: "nine"}}}
				}
				return rep, att, err
			}}
			p := New(st, Options{Cores: 2})
			defer p.Close()
			b, err := p.NewBuild()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.AddFolder(t.Context(), FolderInput{Name: "in", Handle: "handle"}); err != nil {
				t.Fatal(err)
			}
			var reported []string
			_, err = b.Start(BuildSpec{Out: OutTarget{Target: protocol.ToMemory}, Unreadable: func(e *protocol.Error) bool {
				reported = append(reported, e.Name)
				return leave
			}}).Wait()
			if leave && (err != nil || !slices.Equal(reported, []string{"seven", "nine"}) || !slices.Equal(e.skips, []int{7, 9}) || !slices.Equal(e.merged, upTo(5))) {
				t.Errorf("%v, reported %q, skipped %v, merged %v", err, reported, e.skips, e.merged)
			}
			if !leave && (!IsCode(err, protocol.CodeChecksum) || len(e.skips) > 0 || e.aborted == 0) {
				t.Errorf("%v, skipped %v, aborted %d times", err, e.skips, e.aborted)
			}
		})
	}
}

// startBuild opens a build with an archive and a folder.
func startBuild(t *testing.T, e *fakeBuild) (*Pool, *Build) {
	t.Helper()
	p := New(&fakeStarter{handle: e.handle}, Options{Cores: 2})
	b, err := p.NewBuild()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.AddArchive(t.Context(), Files{Parts: []File{{Name: "old.wim", Value: "file"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.AddFolder(t.Context(), FolderInput{Name: "in", Handle: "handle"}); err != nil {
		t.Fatal(err)
	}
	return p, b
}

func TestBuildJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeBuild(t, 20)
		p, b := startBuild(t, e)
		defer p.Close()
		found := 0
		d, err := b.Draft(t.Context(), protocol.DraftRequest{}, func(at protocol.RunProgress) { found = at.Items })
		if err != nil || d.Files != 5 || found != 5 {
			t.Errorf("%+v, %v, %d found", d, err, found)
		}
		var figures []Figures
		r, err := b.Start(BuildSpec{
			Request: protocol.BuildRequest{Base: 1}, Out: OutTarget{Target: protocol.ToMemory},
			OnFigures: func(f Figures) { figures = append(figures, f) },
		}).Wait()
		if err != nil || !r.Report.OK || r.File != "the file" || r.Plan.Name != "new.wim" {
			t.Fatalf("%+v, %v", r, err)
		}
		if !slices.Equal(e.merged, upTo(20)) || e.most != 2 || e.aborted > 0 {
			t.Errorf("merged %v, %d at a time, aborted %d times", e.merged, e.most, e.aborted)
		}
		want := `{"key":"archive 2 1 1 1","parts":["old.wim"],"folders":[{"name":"in"}]}[file handle]`
		if len(e.given) != 2 || e.given[0] != want {
			t.Errorf("shard workers were given %q, want %q", e.given, want)
		}
		for _, phase := range []Phase{Hashing, Packing} {
			if !slices.ContainsFunc(figures, func(f Figures) bool {
				return f.Phase == phase && f.Bytes > 0 && f.Bytes <= f.OfBytes && f.OfBytes == 2000
			}) {
				t.Errorf("no figures of %s", phase)
			}
		}
		if last := figures[len(figures)-1]; last.Phase != Done || last.OfOut != 1000 {
			t.Errorf("last figures %+v", last)
		}
		b.Close()
		if _, err := b.Draft(t.Context(), protocol.DraftRequest{}, nil); err == nil {
			t.Error("a closed build replied")
		}
		synctest.Wait()
		if n := e.count(protocol.Forget); n != 2 {
			t.Errorf("%d workers forgot the files, want 2", n)
		}
	})
}

// Encoders that need much memory do not run side by side.
func TestBuildMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeBuild(t, 6)
		e.memory = 700 << 20
		p, b := startBuild(t, e)
		defer p.Close()
		if _, err := b.Start(BuildSpec{Out: OutTarget{Target: protocol.ToMemory}}).Wait(); err != nil || e.most != 1 {
			t.Errorf("%v, %d shards at a time", err, e.most)
		}
	})
}

func TestBuildCancelAndFail(t *testing.T) {
	for _, test := range []struct {
		name   string
		fail   map[protocol.Method]error
		cancel time.Duration
		code   protocol.Code
		aborts int
	}{
		{"cancelled", nil, 300 * time.Millisecond, protocol.CodeCancelled, 1},
		{"not planned", map[protocol.Method]error{protocol.Build: &protocol.Error{Code: protocol.CodeRefused}}, 0, protocol.CodeRefused, 0},
		{"not opened", map[protocol.Method]error{protocol.OutOpen: &protocol.Error{Code: protocol.CodePermission}}, 0, protocol.CodePermission, 1},
		{"no shard", map[protocol.Method]error{protocol.Shard: &protocol.Error{Code: protocol.CodeFormat}}, 0, protocol.CodeFormat, 1},
		{"not written", map[protocol.Method]error{protocol.Merge: &protocol.Error{Code: protocol.CodeNoSpace}}, 0, protocol.CodeNoSpace, 1},
		{"not finished", map[protocol.Method]error{protocol.Finish: &protocol.Error{Code: protocol.CodeNoSpace}}, 0, protocol.CodeNoSpace, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newFakeBuild(t, 20)
				p, b := startBuild(t, e)
				defer p.Close()
				e.fail = test.fail
				j := b.Start(BuildSpec{Out: OutTarget{Target: protocol.ToMemory}})
				if test.cancel > 0 {
					time.Sleep(test.cancel)
					j.Cancel()
				}
				if _, err := j.Wait(); !IsCode(err, test.code) {
					t.Errorf("%v, want %s", err, test.code)
				}
				if e.aborted != test.aborts || e.outDone {
					t.Errorf("aborted %d times, want %d; finished %v", e.aborted, test.aborts, e.outDone)
				}
				e.mu.Lock()
				e.fail, e.stage = nil, 0
				e.mu.Unlock()
				if _, err := b.Start(BuildSpec{Out: OutTarget{Target: protocol.ToMemory}}).Wait(); err != nil {
					t.Errorf("writing the draft again: %v", err)
				}
			})
		})
	}
}

// A shard worker that dies is replaced; if the coordinator dies, the job fails and reports it.
func TestBuildWorkerDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeBuild(t, 20)
		died := false
		e.run = func(ctx context.Context, w *fakeWorker, c *protocol.Call, i int) error {
			if i == 5 && !died {
				died = true
				w.crash("out of memory")
			}
			return work(ctx, c, 50*time.Millisecond)
		}
		p, b := startBuild(t, e)
		defer p.Close()
		j := b.Start(BuildSpec{Out: OutTarget{Target: protocol.ToMemory}})
		if _, err := j.Wait(); err != nil || j.Figures().Restarts == 0 {
			t.Errorf("%v, %d restarts", err, j.Figures().Restarts)
		}
		e.stage = 0
		j = b.Start(BuildSpec{Out: OutTarget{Target: protocol.ToMemory}})
		time.Sleep(300 * time.Millisecond)
		e.lead.crash("out of memory")
		if _, err := j.Wait(); !IsCode(err, protocol.CodeCrashed) || j.Figures().Phase != Failed {
			t.Errorf("%v, %s", err, j.Figures().Phase)
		}
		select {
		case <-b.Lost():
		default:
			t.Error("Lost is not closed")
		}
		if _, err := b.Plan(t.Context(), protocol.BuildRequest{}); !IsCode(err, protocol.CodeCrashed) {
			t.Errorf("%v", err)
		}
	})
}

// A file that cannot be read is left out if the caller of the job agrees.
func TestBuildUnreadable(t *testing.T) {
	for _, leave := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			e := newFakeBuild(t, 10)
			failed := map[int]bool{}
			e.run = func(ctx context.Context, _ *fakeWorker, c *protocol.Call, i int) error {
				if i%4 == 2 && !failed[i] {
					failed[i] = true
					return &protocol.Error{Code: protocol.CodeChanged, Name: fmt.Sprint("file ", i), Content: i + 1}
				}
				return work(ctx, c, 10*time.Millisecond)
			}
			p, b := startBuild(t, e)
			defer p.Close()
			var mu sync.Mutex
			var reported []string
			_, err := b.Start(BuildSpec{Out: OutTarget{Target: protocol.ToMemory}, Unreadable: func(e *protocol.Error) bool {
				mu.Lock()
				defer mu.Unlock()
				reported = append(reported, e.Name)
				return leave
			}}).Wait()
			slices.Sort(reported)
			if leave && (err != nil || strings.Join(reported, ",") != "file 2,file 6" || len(e.skips) != 2) {
				t.Errorf("%v, reported %q, skipped %v", err, reported, e.skips)
			}
			if !leave && (!IsCode(err, protocol.CodeChanged) || len(e.skips) > 0) {
				t.Errorf("%v, skipped %v", err, e.skips)
			}
		})
	}
}
