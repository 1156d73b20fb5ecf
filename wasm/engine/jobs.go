package engine

import (
	"fmt"

	"wimscope/wim/shard"
	"wimscope/worker/protocol"
)

// maxJobs is the number of plans that a session or a build can hold.
const maxJobs = 8

// ShardMemory is the memory that a shard worker needs besides chunks and decoded data, bytes.
const ShardMemory = 24 << 20

// Job is a plan, with what the protocol adds to it. Attach and Merged may be nil.
type Job struct {
	shard.Plan
	Memory int64 // bytes that a shard worker needs besides ShardMemory, if the plan's stages do not say

	// Attach returns the attachments of a shard, whose binary form is packed, nil if there is nothing to run. Without it, the
	// binary form is the only one.
	Attach func(w *Work, s *shard.Shard, packed []byte, rep *protocol.ShardReply) ([]any, error)
	// Merged completes the reply to a merge.
	Merged func(req *protocol.MergeRequest, rep *protocol.MergeReply)
	// Report returns the final report.
	Report func(w *Work) (protocol.Report, error)
}

// Jobs holds jobs by the number of their plan.
type Jobs struct {
	list map[int]*Job
	last int
}

// Room returns an error if there are maxJobs jobs already.
func (l *Jobs) Room() error {
	if len(l.list) >= maxJobs {
		return badRequest("too many plans; drop some")
	}
	return nil
}

// Add stores a job and returns its number.
func (l *Jobs) Add(j *Job) int {
	if l.list == nil {
		l.list = make(map[int]*Job)
	}
	l.last++
	l.list[l.last] = j
	return l.last
}

// Clear drops all jobs.
func (l *Jobs) Clear() { clear(l.list) }

// Job returns the job with a number.
func (l *Jobs) Job(n int) (*Job, error) {
	j, ok := l.list[n]
	if !ok {
		return nil, notFound(fmt.Sprintf("no plan %d", n))
	}
	return j, nil
}

// Dispatch answers the requests about a plan: Stage, Shard, Merge, Finish and Drop. Other methods are not ok.
func (l *Jobs) Dispatch(w *Work, c *protocol.Call) (body any, attach []any, ok bool, err error) {
	switch c.Method {
	case protocol.Stage:
		body, attach, err = Answer(c, l.stage)
	case protocol.Shard:
		body, attach, err = l.shard(w, c)
	case protocol.Merge:
		body, attach, err = Answer(c, func(req protocol.MergeRequest) (protocol.MergeReply, error) { return l.merge(&req, c.Attach) })
	case protocol.Finish:
		body, attach, err = Answer(c, func(req protocol.FinishRequest) (protocol.Report, error) { return l.finish(w, req) })
	case protocol.Drop:
		body, attach, err = Nothing(c, func(req protocol.FinishRequest) error { delete(l.list, req.Plan); return nil })
	default:
		return nil, nil, false, nil
	}
	return body, attach, true, err
}

func (l *Jobs) stage(req protocol.FinishRequest) (protocol.StageReply, error) {
	j, err := l.Job(req.Plan)
	if err != nil {
		return protocol.StageReply{}, err
	}
	st, _, err := j.Next()
	return protocol.StageReply{Stage: st.Name, Shards: st.Shards, Bytes: st.Bytes, Items: st.Items, Memory: ShardMemory + max(st.Memory, j.Memory)}, err
}

func (l *Jobs) shard(w *Work, c *protocol.Call) (any, []any, error) {
	req, err := protocol.Decode[protocol.ShardRequest](c.Body)
	if err != nil {
		return nil, nil, err
	}
	j, err := l.Job(req.Plan)
	if err != nil {
		return nil, nil, err
	}
	s, err := j.Plan.Shard(req.Index)
	if err != nil {
		return nil, nil, err
	}
	rep := protocol.ShardReply{Bytes: s.Bytes, Items: s.NumPieces(), Part: s.Part, Off: s.Off, Len: s.Len, Memory: s.Memory}
	var packed []byte
	if rep.Items > 0 {
		rep.Op, packed = s.Op.String(), s.AppendBinary(nil)
	}
	attach := []any{packed}
	if j.Attach != nil {
		if attach, err = j.Attach(w, s, packed, &rep); err != nil {
			return nil, nil, err
		}
	}
	return rep, attach, nil
}

func (l *Jobs) merge(req *protocol.MergeRequest, attach []any) (protocol.MergeReply, error) {
	j, err := l.Job(req.Plan)
	if err != nil {
		return protocol.MergeReply{}, err
	}
	r, err := resultOf(req.Index, attach)
	if err != nil {
		return protocol.MergeReply{}, err
	}
	marks, err := j.Plan.Merge(req.Index, r)
	var rep protocol.MergeReply
	for _, m := range marks {
		rep.Blocks = append(rep.Blocks, protocol.BlockMark{Part: m.Part, Off: m.Off, Len: m.Len, Bad: m.Bad})
	}
	if err == nil && j.Merged != nil {
		j.Merged(req, &rep)
	}
	return rep, err
}

// resultOf returns the result of shard i from the attachments of a merge. It is empty if there was nothing to run.
func resultOf(i int, attach []any) (*shard.Result, error) {
	r := &shard.Result{Seq: i}
	for k, a := range attach[:min(len(attach), 2)] {
		b, ok := a.([]byte)
		switch {
		case a == nil:
		case !ok:
			return nil, badRequest("a result and its data must be buffers")
		case k == 0:
			var err error
			if r, err = shard.ParseResult(b); err != nil {
				return nil, err
			}
		default:
			r.Data = b
		}
	}
	return r, nil
}

func (l *Jobs) finish(w *Work, req protocol.FinishRequest) (protocol.Report, error) {
	j, err := l.Job(req.Plan)
	if err != nil {
		return protocol.Report{}, err
	}
	r, err := j.Report(w)
	if err == nil {
		delete(l.list, req.Plan)
	}
	return r, err
}
