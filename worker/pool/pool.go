package pool

import (
	"context"
	"fmt"
	"sync"
	"time"

	"wimscope/worker/protocol"
)

const (
	maxShardWorkers = 8
	defaultMemory   = 1 << 30          // bytes that the shard workers of a job may need together
	bigWorker       = 256 << 20        // bytes of linear memory above which an idle worker is ended early: the memory never shrinks
	bigIdle         = 10 * time.Second // how long such a worker stays idle
	smallIdle       = time.Minute      // how long any other worker stays idle
	spareDelay      = time.Second      // a new spare is started only after the worker that took its place has begun
	reopenLimit     = 10 * time.Second // a session whose worker dies sooner than this is not reopened
)

// Options configure a pool. The zero value suits a small machine.
type Options struct {
	Cores  int   // navigator.hardwareConcurrency; 0 counts as 2
	Memory int64 // bytes that the shard workers of a job may need together; 0: 1 GiB
}

// Pool owns all workers of a page. Its methods may be called from any goroutine.
type Pool struct {
	starter Starter
	o       Options

	mu       sync.Mutex
	spare    *worker   // runs Reader; started, never used
	warmUp   *warmUp   // running on the first spare
	idle     []*worker // have run shards or written an output
	busy     map[*worker]bool
	sessions map[*Session]bool
	gone     map[string]bool // keys of closed sessions
	count    int             // names and keys assigned so far
	closed   bool
}

// New returns a pool with no worker yet.
func New(s Starter, o Options) *Pool {
	if o.Cores <= 0 {
		o.Cores = 2
	}
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	return &Pool{starter: s, o: o, busy: make(map[*worker]bool), sessions: make(map[*Session]bool), gone: make(map[string]bool)}
}

// StartSpare starts the spare worker, so that the first archive does not wait for one.
func (p *Pool) StartSpare() error {
	if err := p.starter.Load(Reader); err != nil {
		return protocol.AsError(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.spare != nil && !p.spare.isLost() {
		return nil
	}
	w, err := p.startLocked(Reader, "spare")
	if err == nil {
		p.spare = w
	}
	return err
}

// Memory returns the linear memory of all workers in bytes. It asks each of them.
func (p *Pool) Memory(ctx context.Context) int64 {
	p.mu.Lock()
	all := make([]*worker, 0, len(p.idle)+len(p.busy)+1)
	all = append(all, p.idle...)
	if p.spare != nil {
		all = append(all, p.spare)
	}
	for w := range p.busy {
		all = append(all, w)
	}
	p.mu.Unlock()
	var mu sync.Mutex
	var sum int64
	var wg sync.WaitGroup
	for _, w := range all {
		wg.Go(func() {
			body, _, err := w.call(ctx, protocol.Status, nil, nil, nil, 0)
			if err != nil {
				return
			}
			if st, err := protocol.Decode[protocol.StatusReply](body); err == nil {
				mu.Lock()
				sum += st.Memory
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return sum
}

// Workers returns the number of live workers.
func (p *Pool) Workers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle) + len(p.busy)
	if p.spare != nil {
		n++
	}
	return n
}

// Close ends all workers. Sessions and jobs fail.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	sessions := p.sessions
	p.sessions = make(map[*Session]bool)
	all := p.idle
	if p.spare != nil {
		all = append(all, p.spare)
	}
	for w := range p.busy {
		all = append(all, w)
	}
	p.idle, p.spare = nil, nil
	p.mu.Unlock()
	for s := range sessions {
		s.Close()
	}
	for _, w := range all {
		w.end()
	}
}

func (p *Pool) startLocked(program Program, role string) (*worker, error) {
	if p.closed {
		return nil, &protocol.Error{Code: protocol.CodeCancelled, Message: "the pool is closed"}
	}
	p.count++
	return startWorker(p.starter, program, fmt.Sprintf("wimscope %s %d", role, p.count))
}

// take returns a fresh worker that runs program. For Reader that is the spare one, if there is one, and a new spare is
// scheduled. The caller ends the worker or gives it back.
func (p *Pool) take(program Program, role string) (*worker, error) {
	if err := p.starter.Load(program); err != nil { // not under the lock: it may take seconds
		return nil, protocol.AsError(err)
	}
	if program == Reader {
		p.endWarmUp()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var w *worker
	if program == Reader {
		w, p.spare = p.spare, nil
	}
	if w == nil || w.isLost() {
		var err error
		if w, err = p.startLocked(program, role); err != nil {
			return nil, err
		}
	}
	p.lendLocked(w)
	if program == Reader {
		// If this fails, the next caller starts a worker and gets the error.
		time.AfterFunc(spareDelay, func() { _ = p.StartSpare() })
	}
	return w, nil
}

// lendLocked counts w as busy until it is given back or lost.
func (p *Pool) lendLocked(w *worker) {
	p.busy[w] = true
	go func() {
		<-w.lost
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.busy, w)
		for i, x := range p.idle {
			if x == w {
				p.idle = append(p.idle[:i], p.idle[i+1:]...)
				break
			}
		}
	}()
}

// borrow returns an idle worker that can do the work of program, preferably one that has the files of key, or a new one
// named for its role.
func (p *Pool) borrow(program Program, role, key string) (*worker, error) {
	p.mu.Lock()
	at := -1
	for i, w := range p.idle {
		if !w.isLost() && w.program.can(program) && (at < 0 || w.keys[key]) {
			at = i
		}
	}
	if at >= 0 {
		w := p.idle[at]
		p.idle = append(p.idle[:at], p.idle[at+1:]...)
		p.busy[w] = true
		p.mu.Unlock()
		return w, nil
	}
	p.mu.Unlock()
	return p.take(program, role)
}

// giveBack keeps w idle for the next job, for a limited time.
func (p *Pool) giveBack(w *worker) {
	w.setPaused(false)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, w)
	if w.isLost() {
		return
	}
	if p.closed || p.doneWithLocked(w) {
		go w.end()
		return
	}
	w.since = time.Now()
	p.idle = append(p.idle, w)
	keep := smallIdle
	if w.memory.Load() > bigWorker {
		keep = bigIdle
	}
	given := w.since
	time.AfterFunc(keep, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, x := range p.idle {
			if x == w && w.since.Equal(given) {
				p.idle = append(p.idle[:i], p.idle[i+1:]...)
				go w.end()
				return
			}
		}
	})
}

func (p *Pool) newKey() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	return fmt.Sprintf("archive %d", p.count)
}

func (p *Pool) addSession(s *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions[s] = true
}

// dropSession ends the idle workers that have worked on the archive, or all idle workers if it was the last open archive: the memory
// of a worker never shrinks, so only ending the worker frees it. Busy workers are ended when they are returned.
func (p *Pool) dropSession(s *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, s)
	p.gone[s.key] = true
	kept := p.idle[:0]
	for _, w := range p.idle {
		if len(p.sessions) == 0 || p.doneWithLocked(w) {
			go w.end()
		} else {
			kept = append(kept, w)
		}
	}
	clear(p.idle[len(kept):])
	p.idle = kept
}

// doneWithLocked reports whether w has worked on an archive that has been closed.
func (p *Pool) doneWithLocked(w *worker) bool {
	for key := range w.keys {
		if p.gone[key] {
			return true
		}
	}
	return false
}

// forget makes the idle workers release the files under key.
func (p *Pool) forget(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.idle {
		if w.keys[key] {
			delete(w.keys, key)
			go func() {
				// Nobody waits for the reply; if the worker fails here, its next user finds out.
				_, _, _ = w.call(context.Background(), protocol.Forget, protocol.ForgetRequest{Key: key}, nil, nil, 0)
			}()
		}
	}
}

// workersFor limits the shard workers of a stage by cores, memory and the number of shards.
func (p *Pool) workersFor(st protocol.StageReply) int {
	n := min(p.o.Cores, maxShardWorkers, max(st.Shards, 1))
	if st.Memory > 0 {
		n = min(n, int(p.o.Memory/st.Memory))
	}
	return max(n, 1)
}
