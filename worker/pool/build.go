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
	js := JobSpec{OnFigures: spec.OnFigures}
	r := newRun(b.pool, b.inputs(spec.Request.Base), func(context.Context) (*worker, error) { return b.w, nil }, js)
	r.build = &spec
	j := &Job{spec: js, run: r}
	go r.main()
	return j
}

// write builds an archive. If it fails, no partial output remains.
func (r *run) write() (err error) {
	spec := r.build
	plan := spec.Plan
	if plan == nil {
		rep, err := request[protocol.BuildReply](r, r.coordinator, protocol.Build, spec.Request, nil, 0)
		if err != nil {
			return err
		}
		plan = &rep
	}
	name := spec.Out.Name
	if name == "" {
		name = plan.Name
	}
	r.result.Plan = protocol.PlanReply{Plan: plan.Plan, Name: name, OutSize: plan.Size}
	r.mu.Lock()
	r.fig.OfOut = plan.Size
	r.mu.Unlock()
	defer func() {
		if err == nil || r.coordinator.isLost() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), abortLimit)
		defer cancel()
		// The coordinator keeps the drafts, so the archive can be written again. If it cannot remove its output, it
		// is no longer usable.
		if _, _, e := r.coordinator.call(ctx, protocol.OutAbort, nil, nil, nil, 0); e != nil {
			r.coordinator.end()
			return
		}
		_, _, _ = r.coordinator.call(ctx, protocol.Drop, protocol.FinishRequest{Plan: plan.Plan}, nil, nil, 0) // on failure the plan only takes memory
	}()
	open := protocol.OutOpenRequest{Target: spec.Out.Target, Format: protocol.WIM, Name: name, Size: plan.Size, Plan: plan.Plan}
	var attach []any
	if spec.Out.Handle != nil {
		attach = []any{spec.Out.Handle}
	}
	if _, _, err := r.coordinator.call(r.ctx, protocol.OutOpen, open, attach, nil, 0); err != nil {
		return err
	}
	for {
		stage, err := request[protocol.StageReply](r, r.coordinator, protocol.Stage, protocol.FinishRequest{Plan: plan.Plan}, nil, 0)
		if err != nil {
			return err
		}
		if stage.Stage == "" {
			break
		}
		r.enter(stage)
		if err := r.pipeline(); err != nil {
			return err
		}
	}
	r.phase(Finalising)
	if r.result.Report, err = request[protocol.Report](r, r.coordinator, protocol.Finish, protocol.FinishRequest{Plan: plan.Plan}, nil, 0); err != nil {
		return err
	}
	// From here on the output is being completed; a cancel no longer removes it.
	return r.finishOutput(context.WithoutCancel(r.ctx), r.coordinator)
}

// enter begins a stage: the shards and figures are now those of the stage.
func (r *run) enter(stage protocol.StageReply) {
	r.result.Plan.Shards, r.result.Plan.MaxChunk = stage.Shards, stage.Memory
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fig.Phase = Packing
	if stage.Stage == "check" || stage.Stage == "hash" {
		r.fig.Phase = Hashing
	}
	r.fig.OfBytes, r.fig.OfItems = stage.Bytes, stage.Items
	r.settled = protocol.RunProgress{}
	r.meter.restart()
}

// skip leaves out the blob that t could not read, if the caller of the job agrees, and fetches the shard again: it is
// another one without the blob.
func (r *run) skip(ctx context.Context, t *task, err error) bool {
	if r.build == nil || r.build.Unreadable == nil || ctx.Err() != nil {
		return false
	}
	e := protocol.AsError(err)
	if e.Content == 0 || !r.build.Unreadable(e) {
		return false
	}
	_, _, err = r.coordinator.call(ctx, protocol.Skip, protocol.SkipRequest{Plan: r.result.Plan.Plan, Error: *e}, nil, nil, 0)
	return err == nil && r.fetch(ctx, t) == nil
}
