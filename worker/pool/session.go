package pool

import (
	"context"
	"errors"
	"sync"
	"time"

	"wimscope/worker/protocol"
)

// File is a file and its name. Value is the connection's form of it: a js.Value of a File or a FileSystemFileHandle
// in a browser, an io.ReaderAt in a test.
type File struct {
	Name  string
	Value any
}

// Files are the files of an archive: its parts in any order, and archives in which blobs are looked up that it lacks.
type Files struct {
	Parts      []File
	References []File
}

func (f Files) values() []any {
	v := make([]any, 0, len(f.Parts)+len(f.References))
	for _, p := range f.Parts {
		v = append(v, p.Value)
	}
	for _, p := range f.References {
		v = append(v, p.Value)
	}
	return v
}

func names(files []File) []string {
	var n []string
	for _, f := range files {
		n = append(n, f.Name)
	}
	return n
}

// inputs is what shard workers read from.
type inputs struct {
	request protocol.PartsRequest
	values  []any
}

func (s *Session) inputs() inputs {
	return inputs{protocol.PartsRequest{Key: s.key, Parts: names(s.files.Parts), References: names(s.files.References)}, s.files.values()}
}

// SessionState is a session's state, as OnState reports it.
type SessionState uint8

const (
	SessionReady     SessionState = iota // open, or open again after SessionReopening
	SessionReopening                     // its worker died; calls wait until the archive is open again
	SessionFailed                        // reopening failed; every call fails
	SessionClosed
)

// Session is one open archive. Its methods may be called from any goroutine. Each blocks until the worker has
// replied, so in a browser it must not be called from a callback. Errors are *protocol.Error.
type Session struct {
	pool  *Pool
	files Files
	key   string // the key under which shard workers have the files

	mu       sync.Mutex
	w        *worker
	archive  protocol.Archive
	state    SessionState
	changed  chan struct{} // closed at each change of state
	failure  *protocol.Error
	opened   time.Time // by the current worker
	onState  func(SessionState, *protocol.Error)
	closeAll context.CancelFunc
	ctx      context.Context
}

// Open opens an archive in a worker of its own.
func (p *Pool) Open(ctx context.Context, files Files) (*Session, error) {
	s := &Session{pool: p, files: files, key: p.newKey(), changed: make(chan struct{})}
	s.ctx, s.closeAll = context.WithCancel(context.Background())
	w, a, err := s.start(ctx)
	if err != nil {
		s.closeAll()
		return nil, err
	}
	s.w, s.archive, s.opened = w, a, time.Now()
	p.addSession(s)
	go s.watch(w)
	return s, nil
}

// Sort reports which files belong together as archives, and which archives need others. It comes before Open.
func (p *Pool) Sort(ctx context.Context, files []File) (protocol.SortReply, error) {
	var rep protocol.SortReply
	w, err := p.borrow(Reader, "sort", "")
	if err != nil {
		return rep, err
	}
	body, _, err := w.call(ctx, protocol.Sort, protocol.OpenRequest{Parts: names(files)}, Files{Parts: files}.values(), nil, cancelGrace)
	p.giveBack(w)
	if err != nil {
		return rep, err
	}
	return protocol.Decode[protocol.SortReply](body)
}

// start takes a worker and opens the files in it.
func (s *Session) start(ctx context.Context) (*worker, protocol.Archive, error) {
	w, err := s.pool.take(Reader, "session")
	if err != nil {
		return nil, protocol.Archive{}, err
	}
	req := protocol.OpenRequest{Parts: names(s.files.Parts), References: names(s.files.References)}
	var a protocol.Archive
	body, _, err := w.call(ctx, protocol.Open, req, s.files.values(), nil, cancelGrace)
	if err == nil {
		a, err = protocol.Decode[protocol.Archive](body)
	}
	if err != nil {
		w.end()
		return nil, a, err
	}
	return w, a, nil
}

// watch opens the archive again whenever its worker dies. If a worker dies within reopenLimit, the session fails.
func (s *Session) watch(w *worker) {
	for {
		select {
		case <-w.lost:
		case <-s.ctx.Done():
			return
		}
		cause := w.lostError()
		s.mu.Lock()
		again := time.Since(s.opened) >= reopenLimit
		s.mu.Unlock()
		if !again {
			s.set(SessionFailed, nil, cause)
			return
		}
		s.set(SessionReopening, nil, cause)
		next, _, err := s.start(s.ctx)
		if s.ctx.Err() != nil {
			if err == nil {
				next.end()
			}
			return
		}
		if err != nil {
			s.set(SessionFailed, nil, protocol.AsError(err))
			return
		}
		s.set(SessionReady, next, nil)
		w = next
	}
}

func (s *Session) set(state SessionState, w *worker, failure *protocol.Error) {
	s.mu.Lock()
	if s.state == SessionClosed {
		s.mu.Unlock()
		if w != nil {
			w.end()
		}
		return
	}
	s.state, s.w, s.failure = state, w, failure
	if w != nil {
		s.opened = time.Now()
	}
	close(s.changed)
	s.changed = make(chan struct{})
	f := s.onState
	s.mu.Unlock()
	if f != nil {
		f(state, failure)
	}
}

// OnState makes the session call f at each change of state, from a goroutine of its own. The error is why the worker
// died.
func (s *Session) OnState(f func(SessionState, *protocol.Error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onState = f
}

// Archive returns the reply to Open.
func (s *Session) Archive() protocol.Archive { return s.archive }

// Files returns the files with which the session was opened.
func (s *Session) Files() Files { return s.files }

// Close ends the session's worker. Pending calls fail.
func (s *Session) Close() {
	s.mu.Lock()
	w := s.w
	if s.state == SessionClosed {
		s.mu.Unlock()
		return
	}
	s.state, s.w = SessionClosed, nil
	s.failure = &protocol.Error{Code: protocol.CodeCancelled, Message: "the archive was closed"}
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	s.closeAll()
	if w != nil {
		w.end()
	}
	s.pool.dropSession(s)
}

// current returns the session's worker. It waits while the archive is being reopened.
func (s *Session) current(ctx context.Context) (*worker, error) {
	for {
		s.mu.Lock()
		w, state, changed, failure := s.w, s.state, s.changed, s.failure
		s.mu.Unlock()
		switch {
		case state == SessionReady && !w.isLost():
			return w, nil
		case state == SessionFailed, state == SessionClosed:
			return nil, failure
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, protocol.AsError(ctx.Err())
		case <-time.After(time.Second): // just lost, and watch has not noticed yet
		}
	}
}

// call sends a request to the session's worker. When ctx ends, it cancels the request and returns without waiting: a
// session's worker is never terminated to cancel a request.
func (s *Session) call(ctx context.Context, m protocol.Method, req any, attach []any, onProgress func([]byte)) ([]byte, []any, *worker, error) {
	w, err := s.current(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	body, att, err := w.call(ctx, m, req, attach, onProgress, 0)
	return body, att, w, err
}

// Call sends any request to a session. Attachments of the reply are in the connection's form.
func Call[Rep any](ctx context.Context, s *Session, m protocol.Method, req any, attach ...any) (Rep, []any, error) {
	var rep Rep
	body, att, _, err := s.call(ctx, m, req, attach, nil)
	if err == nil {
		rep, err = protocol.Decode[Rep](body)
	}
	return rep, att, err
}

func ask[Rep any](ctx context.Context, s *Session, m protocol.Method, req any) (Rep, error) {
	rep, _, err := Call[Rep](ctx, s, m, req)
	return rep, err
}

// List returns a window of one folder.
func (s *Session) List(ctx context.Context, req protocol.ListRequest) (protocol.ListReply, error) {
	return ask[protocol.ListReply](ctx, s, protocol.List, req)
}

// Tree returns a window of the folder tree.
func (s *Session) Tree(ctx context.Context, req protocol.TreeRequest) (protocol.TreeReply, error) {
	return ask[protocol.TreeReply](ctx, s, protocol.Tree, req)
}

// Find returns the entry at a path.
func (s *Session) Find(ctx context.Context, req protocol.FindRequest) (protocol.Row, error) {
	return ask[protocol.Row](ctx, s, protocol.Find, req)
}

// Stat returns all details of one entry.
func (s *Session) Stat(ctx context.Context, req protocol.StatRequest) (protocol.Details, error) {
	return ask[protocol.Details](ctx, s, protocol.Stat, req)
}

// Read returns bytes of a stream. They are nil if text was requested.
func (s *Session) Read(ctx context.Context, req protocol.ReadRequest) (protocol.ReadReply, []byte, error) {
	var rep protocol.ReadReply
	body, att, w, err := s.call(ctx, protocol.Read, req, nil, nil)
	if err == nil {
		rep, err = protocol.Decode[protocol.ReadReply](body)
	}
	if err != nil || len(att) == 0 {
		return rep, nil, err
	}
	data, err := w.conn.Bytes(att[0])
	return rep, data, err
}

// Search finds entries by name. onProgress, which may be nil, receives the results found so far.
func (s *Session) Search(ctx context.Context, req protocol.SearchRequest, onProgress func(protocol.SearchReply)) (protocol.SearchReply, error) {
	body, _, _, err := s.call(ctx, protocol.Search, req, nil, func(b []byte) {
		if onProgress == nil {
			return
		}
		if rep, err := protocol.Decode[protocol.SearchReply](b); err == nil {
			onProgress(rep)
		}
	})
	if err != nil {
		return protocol.SearchReply{}, err
	}
	return protocol.Decode[protocol.SearchReply](body)
}

// Uses returns the entries that use a blob.
func (s *Session) Uses(ctx context.Context, req protocol.UsesRequest) (protocol.UsesReply, error) {
	return ask[protocol.UsesReply](ctx, s, protocol.Uses, req)
}

// Lacks counts the blobs that are in no open part or reference. It walks all trees.
func (s *Session) Lacks(ctx context.Context) (protocol.Elsewhere, error) {
	return ask[protocol.Elsewhere](ctx, s, protocol.Lacks, nil)
}

// XML returns the archive's XML document.
func (s *Session) XML(ctx context.Context) (protocol.XMLReply, error) {
	return ask[protocol.XMLReply](ctx, s, protocol.XML, nil)
}

// Version returns the build number from the image's kernel.
func (s *Session) Version(ctx context.Context, req protocol.VersionRequest) (protocol.VersionReply, error) {
	return ask[protocol.VersionReply](ctx, s, protocol.Version, req)
}

// Windows returns the facts from the registry in an image.
func (s *Session) Windows(ctx context.Context, req protocol.VersionRequest) (protocol.WindowsReply, error) {
	return ask[protocol.WindowsReply](ctx, s, protocol.Windows, req)
}

// Plan returns what a job would do. Pass the reply to a JobSpec to run it, or to DropPlan.
func (s *Session) Plan(ctx context.Context, req protocol.PlanRequest) (protocol.PlanReply, error) {
	return ask[protocol.PlanReply](ctx, s, protocol.Plan, req)
}

// DropPlan discards a plan for which no job was started.
func (s *Session) DropPlan(ctx context.Context, plan int) error {
	_, err := ask[struct{}](ctx, s, protocol.Drop, protocol.FinishRequest{Plan: plan})
	return err
}

// IsCode reports whether err is a protocol error with this code.
func IsCode(err error, code protocol.Code) bool {
	var e *protocol.Error
	return errors.As(err, &e) && e.Code == code
}
