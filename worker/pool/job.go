package pool

import (
	"context"
	"time"

	"wimscope/worker/protocol"
)

// OutTarget is where a job's output goes. Handle is the FileSystemFileHandle or FileSystemDirectoryHandle of
// ToHandle and ToFolder; the page has already asked for the permission to write, since no worker can.
type OutTarget struct {
	Target protocol.Target
	Name   string // of the file for the person; "" takes the plan's
	Handle any
}

// JobSpec describes a job.
type JobSpec struct {
	Request protocol.PlanRequest
	Plan    *protocol.PlanReply // the answer to Request, if the page has asked already; nil: the job asks
	Out     *OutTarget          // nil for Verify and Sum

	// OnFigures is told how far the job is, at most ten times a second, and once more at its end. OnBlocks is told
	// which ranges of the parts are settled. Both are called from goroutines of the job, never two at a time.
	OnFigures func(Figures)
	OnBlocks  func([]protocol.BlockMark)
}

// Phase is what a job is doing.
type Phase string

const (
	Planning   Phase = "planning"
	Reading    Phase = "reading"    // the first bytes
	Decoding   Phase = "decoding"   // shards are at work
	Hashing    Phase = "hashing"    // an archive is to be written: contents that may be the same are compared
	Packing    Phase = "packing"    // and is written
	Writing    Phase = "writing"    // all is decoded; the rest is being written
	Finalising Phase = "finalising" // the browser checks what was written; the report is made
	Done       Phase = "done"
	Failed     Phase = "failed"
	Cancelled  Phase = "cancelled"
)

// Figures are what a jobs tray shows.
type Figures struct {
	Phase    Phase
	Paused   bool
	Bytes    int64 // decoded or hashed
	OfBytes  int64
	Items    int // contents or blocks
	OfItems  int
	Written  int64 // bytes of the output
	OfOut    int64
	Files    int           // files of the output
	Bad      int           // contents or blocks that did not match
	Refused  int           // names that the target would not take
	Rate     float64       // bytes a second of late, 0 while unknown
	Left     time.Duration // about, -1 while unknown
	Elapsed  time.Duration // without pauses
	Restarts int           // shards that were run again because their worker died
	Workers  int           // shard workers in use
}

// Result is what a finished job leaves.
type Result struct {
	Plan   protocol.PlanReply
	Report protocol.Report
	Output protocol.OutReply
	File   any // ToOPFS and ToMemory: the File to hand to the person, as the connection carries it
}

// Job is one job under way. Its methods may be called from any goroutine and do not block, but for Wait.
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

// Run starts a job and waits for it. When ctx ends, the job is cancelled and leaves nothing half-written.
func (p *Pool) Run(ctx context.Context, s *Session, req protocol.PlanRequest, out *OutTarget, onProgress func(Figures)) (Result, error) {
	j := p.Start(s, JobSpec{Request: req, Out: out, OnFigures: onProgress})
	stop := context.AfterFunc(ctx, j.Cancel)
	defer stop()
	return j.Wait()
}

// Cancel stops the job: each worker at its next rest, or by force after two seconds. What was written is removed.
func (j *Job) Cancel() { j.run.cancel() }

// Pause holds the job at the next rest of each worker.
func (j *Job) Pause() { j.run.setPaused(true) }

// Resume goes on with a paused job.
func (j *Job) Resume() { j.run.setPaused(false) }

// Figures are the job's latest.
func (j *Job) Figures() Figures { return j.run.snapshot() }

// Done is closed when the job has ended, in whatever way.
func (j *Job) Done() <-chan struct{} { return j.run.done }

// Wait waits for the end. The error is a *protocol.Error; Result.Report is set if err is nil, and Result.Plan
// whenever there was a plan.
func (j *Job) Wait() (Result, error) {
	<-j.run.done
	return j.run.result, j.run.err
}
