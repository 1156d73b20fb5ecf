package pool

import (
	"context"
	"fmt"
	"sync"

	"wimscope/worker/protocol"
)

// Build is a worker, the lead, with what archives are put together from: other archives, folders, and drafts of images.
// If the worker dies all of it is gone; every call fails then. Its methods may be called from any goroutine and block
// until the worker has answered. Errors are *protocol.Error.
type Build struct {
	pool *Pool
	key  string // names its inputs to shard workers, with their count
	w    *worker

	mu       sync.Mutex
	archives []Files
	folders  []FolderInput
	lent     string // the key that shard workers have
}

// FolderInput is a folder that files are taken from: a FileSystemDirectoryHandle as the connection carries it; or, where
// there is none, Files with their paths from the folder on. A path that ends in a slash is a folder and has no File.
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

// NewBuild takes a worker for a build.
func (p *Pool) NewBuild() (*Build, error) {
	w, err := p.take("build")
	if err != nil {
		return nil, err
	}
	return &Build{pool: p, key: p.newKey(), w: w}, nil
}

// Close ends the worker. A job that is under way fails, and leaves nothing.
func (b *Build) Close() {
	b.w.end()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pool.forget(b.lent)
}

// Lost is closed when the worker is gone.
func (b *Build) Lost() <-chan struct{} { return b.w.lost }

// callCoordinator asks the lead; when ctx ends it is told to stop, and not waited for.
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

// AddArchive gives the build an archive, and gives the number that requests call it by.
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

// AddFolder gives the build a folder to take files from, and gives the number that requests call it by.
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

// Draft makes or changes a draft. OnProgress, which may be nil, is told how much was found.
func (b *Build) Draft(ctx context.Context, req protocol.DraftRequest, onProgress func(protocol.RunProgress)) (protocol.DraftReply, error) {
	return callCoordinator[protocol.DraftReply](ctx, b, protocol.Draft, req, nil, onProgress)
}

// Plan says what building an archive would do. Give the reply to a BuildSpec to do just that, or to DropPlan.
func (b *Build) Plan(ctx context.Context, req protocol.BuildRequest) (protocol.BuildReply, error) {
	return callCoordinator[protocol.BuildReply](ctx, b, protocol.Build, req, nil, nil)
}

// DropPlan gives up a plan that no job was made of.
func (b *Build) DropPlan(ctx context.Context, plan int) error {
	_, err := callCoordinator[struct{}](ctx, b, protocol.Drop, protocol.FinishRequest{Plan: plan}, nil, nil)
	return err
}

// inputs is what shard workers read from: archives, that which is changed first, and folders.
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

// BuildSpec describes the writing of an archive.
type BuildSpec struct {
	Request protocol.BuildRequest
	Plan    *protocol.BuildReply // the answer to Request, if it was asked already; nil: the job asks
	Out     OutTarget

	// Unreadable is told of a file that cannot be read, or is not any more what it was when it was looked at. If it says
	// true the archive is written without it, otherwise, and if it is nil, the job fails. It is called from goroutines of
	// the job.
	Unreadable func(*protocol.Error) bool

	OnFigures func(Figures) // as in JobSpec; Bytes and Items are those of the phase
}

// Start starts to write an archive. One is written at a time; drafts must not be changed meanwhile.
func (b *Build) Start(spec BuildSpec) *Job {
	js := JobSpec{OnFigures: spec.OnFigures}
	r := newRun(b.pool, b.inputs(spec.Request.Base), func(context.Context) (*worker, error) { return b.w, nil }, js)
	r.build = &spec
	j := &Job{spec: js, run: r}
	go r.main()
	return j
}

// write builds an archive. Whatever goes wrong, nothing half-written stays.
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
		// The lead has the drafts, which can be written again. If it does not take back what it wrote it is of no more use.
		if _, _, e := r.coordinator.call(ctx, protocol.OutAbort, nil, nil, nil, 0); e != nil {
			r.coordinator.end()
			return
		}
		_, _, _ = r.coordinator.call(ctx, protocol.Drop, protocol.FinishRequest{Plan: plan.Plan}, nil, nil, 0) // it is only memory
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
	// What is being completed is not taken back any more.
	return r.finishOutput(context.WithoutCancel(r.ctx), r.coordinator)
}

// enter begins a stage: shards and figures are those of it.
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

// skip has a content left out that p needs and that cannot be had, if whoever began the job says so. The shard is
// another one then.
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
