package pool

import (
	"context"
	"fmt"
	"sync"

	"wimscope/worker/protocol"
)

// Build is a worker, the coordinator, and what it builds archives from: other archives, folders and drafts of images.
// All of it is lost if the worker dies; then every call fails. Its methods may be called from any goroutine and block
// until the worker has replied. Errors are *protocol.Error.
type Build struct {
	pool *Pool
	key  string // the key of its inputs begins with it: the number of inputs follows
	w    *worker

	mu       sync.Mutex
	archives []Files
	folders  []FolderInput
	lent     string // the key under which shard workers have the inputs
}

// FolderInput is a folder that files are taken from: either a FileSystemDirectoryHandle in the connection's form, or,
// without a handle, Files and their paths relative to the folder. A path that ends in a slash is a folder and has no
// File.
type FolderInput struct {
	Name   string
	Handle any
	Paths  []string
	Files  []any
}

func (f FolderInput) request() (protocol.FolderFiles, []any) {
	if f.Handle != nil {
		return protocol.FolderFiles{Name: f.Name}, []any{f.Handle}
	}
	return protocol.FolderFiles{Name: f.Name, Paths: f.Paths}, f.Files
}

// NewBuild starts a build in a worker of its own. The first one loads the program that builds.
func (p *Pool) NewBuild() (*Build, error) {
	w, err := p.take(Builder, "build")
	if err != nil {
		return nil, err
	}
	return &Build{pool: p, key: p.newKey(), w: w}, nil
}

// Close ends the worker. A running job fails and leaves no output.
func (b *Build) Close() {
	b.w.end()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pool.forget(b.lent)
}

// Lost returns a channel that is closed when the worker dies or is ended.
func (b *Build) Lost() <-chan struct{} { return b.w.lost }

// callCoordinator sends a request to the coordinator. When ctx ends, it cancels the request and returns without
// waiting.
func callCoordinator[Rep any](ctx context.Context, b *Build, m protocol.Method, req any, attach []any, onProgress func(protocol.RunProgress)) (Rep, error) {
	var rep Rep
	body, _, err := b.w.call(ctx, m, req, attach, func(body []byte) {
		if at, err := protocol.Decode[protocol.RunProgress](body); err == nil && onProgress != nil {
			onProgress(at)
		}
	}, 0)
	if err != nil {
		return rep, err
	}
	return protocol.Decode[Rep](body)
}

// AddArchive adds an archive to the inputs and returns the number by which requests name it.
func (b *Build) AddArchive(ctx context.Context, files Files) (int, error) {
	req := protocol.InputRequest{Parts: names(files.Parts), References: names(files.References)}
	rep, err := callCoordinator[protocol.InputReply](ctx, b, protocol.Input, req, files.values(), nil)
	if err == nil {
		b.mu.Lock()
		b.archives = append(b.archives, files)
		b.mu.Unlock()
	}
	return rep.Number, err
}

// AddFolder adds a folder to the inputs and returns the number by which requests name it.
func (b *Build) AddFolder(ctx context.Context, f FolderInput) (int, error) {
	folder, values := f.request()
	rep, err := callCoordinator[protocol.InputReply](ctx, b, protocol.Input, protocol.InputRequest{Folder: folder}, values, nil)
	if err == nil {
		b.mu.Lock()
		b.folders = append(b.folders, f)
		b.mu.Unlock()
	}
	return rep.Number, err
}

// Draft makes or changes a draft. onProgress, which may be nil, receives what has been found so far.
func (b *Build) Draft(ctx context.Context, req protocol.DraftRequest, onProgress func(protocol.RunProgress)) (protocol.DraftReply, error) {
	return callCoordinator[protocol.DraftReply](ctx, b, protocol.Draft, req, nil, onProgress)
}

// Plan returns what building an archive would do. Pass the reply to a BuildSpec to build it, or to DropPlan.
func (b *Build) Plan(ctx context.Context, req protocol.BuildRequest) (protocol.BuildReply, error) {
	return callCoordinator[protocol.BuildReply](ctx, b, protocol.Build, req, nil, nil)
}

// DropPlan discards a plan for which no job was started.
func (b *Build) DropPlan(ctx context.Context, plan int) error {
	_, err := callCoordinator[struct{}](ctx, b, protocol.Drop, protocol.FinishRequest{Plan: plan}, nil, nil)
	return err
}

// inputs returns what shard workers read from: the archives, base first, and the folders.
func (b *Build) inputs(base int) inputs {
	b.mu.Lock()
	defer b.mu.Unlock()
	in := inputs{request: protocol.PartsRequest{Key: fmt.Sprintf("%s %d %d %d", b.key, len(b.archives), len(b.folders), base)}}
	add := func(f Files) {
		in.request.Parts = append(append(in.request.Parts, names(f.Parts)...), names(f.References)...)
		in.values = append(in.values, f.values()...)
	}
	if base > 0 && base <= len(b.archives) {
		add(b.archives[base-1])
	}
	for i, f := range b.archives {
		if i != base-1 {
			add(f)
		}
	}
	for _, f := range b.folders {
		folder, values := f.request()
		in.request.Folders = append(in.request.Folders, folder)
		in.values = append(in.values, values...)
	}
	if key := in.request.Key; key != b.lent {
		b.pool.forget(b.lent)
		b.lent = key
	}
	return in
}

// BuildSpec describes an archive to write.
type BuildSpec struct {
	Request protocol.BuildRequest
	Plan    *protocol.BuildReply // the reply to Request, if there is one already; nil: the job asks for it
	Out     OutTarget

	// Unreadable is called with the error of a file that cannot be read or has changed since it was scanned. If it
	// returns true, the archive is written without the file; if it returns false or is nil, the job fails. It is
	// called from goroutines of the job.
	Unreadable func(*protocol.Error) bool

	OnFigures func(Figures) // as in JobSpec; Bytes and Items count within the phase
}

// Start starts a job that writes an archive. Only one may run at a time, and drafts must not change meanwhile.
func (b *Build) Start(spec BuildSpec) *Job {
	js := JobSpec{Request: protocol.PlanRequest{Op: protocol.Write, Format: protocol.WIM}, Out: &spec.Out, OnFigures: spec.OnFigures}
	if spec.Plan != nil {
		plan := writePlan(*spec.Plan)
		js.Plan = &plan
	}
	r := newRun(b.pool, b.inputs(spec.Request.Base), func(context.Context) (*worker, error) { return b.w, nil }, js)
	r.build, r.unreadable = &spec.Request, spec.Unreadable
	j := &Job{spec: js, run: r}
	go r.main()
	return j
}

// writePlan returns the plan of an archive to write in the form that all jobs use.
func writePlan(p protocol.BuildReply) protocol.PlanReply {
	return protocol.PlanReply{Plan: p.Plan, Name: p.Name, OutSize: p.Size}
}
