package pool

import (
	"context"
	"time"

	"wimscope/worker/protocol"
)

// OutTarget is where a job's output goes. Handle is the FileSystemFileHandle or FileSystemDirectoryHandle for
// ToHandle and ToFolder. The page must have requested write permission already, since no worker can.
type OutTarget struct {
	Target protocol.Target
	Name   string // of the file as the user sees it; "": the plan's name
	Handle any
}

// JobSpec describes a job.
type JobSpec struct {
	Request protocol.PlanRequest
	Plan    *protocol.PlanReply // the reply to Request, if there is one already; nil: the job asks for it
	Out     *OutTarget          // nil for Verify and Sum

	// OnFigures receives the job's figures, at most ten times a second and once more at the end. OnBlocks receives
	// the ranges of the parts that are done. Both are called from goroutines of the job, never two at a time.
	OnFigures func(Figures)
	OnBlocks  func([]protocol.BlockMark)
}

// Phase is what a job is doing.
type Phase string

const (
	Planning   Phase = "planning"
	Reading    Phase = "reading"    // waiting for the first bytes
	Decoding   Phase = "decoding"   // shards are running
	Hashing    Phase = "hashing"    // WIM output: blobs are compared to find duplicates
	Packing    Phase = "packing"    // WIM output: blobs are compressed and written
	Writing    Phase = "writing"    // all is decoded; the remaining output is being written
	Finalising Phase = "finalising" // the browser checks the output; the report is made
	Done       Phase = "done"
	Failed     Phase = "failed"
	Cancelled  Phase = "cancelled"
)

// Figures are a job's progress, as a list of jobs shows it.
type Figures struct {
	Phase    Phase
	Paused   bool
	Bytes    int64 // decoded or hashed
	OfBytes  int64
	Items    int // blobs or blocks
	OfItems  int
	Written  int64 // bytes of the output
	OfOut    int64
	Files    int           // files of the output
	Bad      int           // blobs or blocks that do not match their hash
	Refused  int           // names that the target rejected
	Rate     float64       // bytes per second over the last seconds, 0 while unknown
	Left     time.Duration // estimated time left, -1 while unknown
	Elapsed  time.Duration // without pauses
	Restarts int           // shards that ran again because their worker died
	Workers  int           // shard workers in use
}

// Result is the result of a finished job.
type Result struct {
	Plan   protocol.PlanReply
	Report protocol.Report
	Output protocol.OutReply
	File   any // ToOPFS and ToMemory: the File to offer as a download, in the connection's form
}

// Job is a running job. Its methods may be called from any goroutine; only Wait blocks.
type Job struct {
	spec JobSpec
	*run
}

// Start starts a job on an open archive.
func (p *Pool) Start(s *Session, spec JobSpec) *Job {
	j := &Job{spec: spec, run: newRun(p, s.inputs(), s.current, spec)}
	go j.run.main()
	return j
}

// Run starts a job and waits for it. When ctx ends, the job is cancelled and leaves no partial output.
func (p *Pool) Run(ctx context.Context, s *Session, req protocol.PlanRequest, out *OutTarget, onProgress func(Figures)) (Result, error) {
	j := p.Start(s, JobSpec{Request: req, Out: out, OnFigures: onProgress})
	stop := context.AfterFunc(ctx, j.Cancel)
	defer stop()
	return j.Wait()
}

// Cancel stops the job: each worker stops at its next checkpoint, or is terminated after two seconds. The output is
// removed.
func (j *Job) Cancel() { j.run.cancel() }

// Pause pauses each worker of the job at its next checkpoint.
func (j *Job) Pause() { j.run.setPaused(true) }

// Resume resumes a paused job.
func (j *Job) Resume() { j.run.setPaused(false) }

// Figures returns the job's current figures.
func (j *Job) Figures() Figures { return j.run.snapshot() }

// Done returns a channel that is closed when the job has finished, failed or been cancelled.
func (j *Job) Done() <-chan struct{} { return j.run.done }

// Wait waits until the job has ended. The error is a *protocol.Error. Result.Report is set if err is nil, and
// Result.Plan whenever there was a plan.
func (j *Job) Wait() (Result, error) {
	<-j.run.done
	return j.run.result, j.run.err
}
