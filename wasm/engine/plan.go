package engine

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"wimscope/wim/shard"
	"wimscope/wim/verify"
	"wimscope/worker/json"
	"wimscope/worker/protocol"
	"wimscope/worker/visible"
)

const (
	maxPlans       = 8 // that a session can hold
	maxDamages     = 1000
	maxDamagePaths = 1000
	maxRanges      = 1000
	extractMemory  = 96 << 20 // bytes that extraction needs in addition: decoded, packed and in transit
)

// ShardMemory is the memory that a shard worker needs besides chunks and decoded data, bytes.
const ShardMemory = 24 << 20

// plan is a job divided into shards.
type plan interface {
	shard(w *Work, i int) (protocol.ShardReply, []any, error)
	merge(w *Work, req protocol.MergeRequest, attach []any) (protocol.MergeReply, error)
	report(w *Work) (protocol.Report, error)
}

// planner holds plans by number.
type planner struct {
	plans    map[int]plan
	lastPlan int
}

// room returns an error if there are maxPlans plans already.
func (s *planner) room() error {
	if len(s.plans) >= maxPlans {
		return badRequest("too many plans; drop some")
	}
	return nil
}

// add stores a plan and returns its number.
func (s *planner) add(p plan) int {
	if s.plans == nil {
		s.plans = make(map[int]plan)
	}
	s.lastPlan++
	s.plans[s.lastPlan] = p
	return s.lastPlan
}

// makePlan answers protocol.Plan.
func (s *session) makePlan(w *Work, req protocol.PlanRequest) (protocol.PlanReply, error) {
	if err := s.room(); err != nil {
		return protocol.PlanReply{}, err
	}
	var (
		p   plan
		rep protocol.PlanReply
		err error
	)
	switch req.Op {
	case protocol.Verify:
		p, rep, err = s.planVerify()
	case protocol.Sum:
		p, rep, err = s.planSum()
	case protocol.Names:
		p, rep, err = s.planNames(w, req)
	case protocol.Extract:
		p, rep, err = s.planExtract(w, req)
	default:
		err = badRequest(fmt.Sprintf("no operation %q", req.Op))
	}
	if err != nil {
		return protocol.PlanReply{}, err
	}
	rep.Plan = s.add(p)
	return rep, nil
}

func (s *planner) plan(n int) (plan, error) {
	p, ok := s.plans[n]
	if !ok {
		return nil, notFound(fmt.Sprintf("no plan %d", n))
	}
	return p, nil
}

// shard answers protocol.Shard.
func (s *planner) shard(w *Work, c *protocol.Call) (any, []any, error) {
	req, err := protocol.Decode[protocol.ShardRequest](c.Body)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.plan(req.Plan)
	if err != nil {
		return nil, nil, err
	}
	return wrap(p.shard(w, req.Index))
}

func wrap(rep protocol.ShardReply, attach []any, err error) (any, []any, error) {
	if err != nil {
		return nil, nil, err
	}
	return rep, attach, nil
}

// merge answers protocol.Merge.
func (s *planner) merge(w *Work, req protocol.MergeRequest, attach []any) (protocol.MergeReply, error) {
	p, err := s.plan(req.Plan)
	if err != nil {
		return protocol.MergeReply{}, err
	}
	return p.merge(w, req, attach)
}

// finish answers protocol.Finish.
func (s *planner) finish(w *Work, req protocol.FinishRequest) (protocol.Report, error) {
	p, err := s.plan(req.Plan)
	if err != nil {
		return protocol.Report{}, err
	}
	r, err := p.report(w)
	if err != nil {
		return protocol.Report{}, err
	}
	delete(s.plans, req.Plan)
	return r, nil
}

// planReply returns a reply with the fields that all plans with shards have. more is the memory in bytes that a job
// needs in addition to chunks and ShardMemory.
func (s *session) planReply(p shard.Plan, more int64) protocol.PlanReply {
	chunk := max(s.info.ChunkSize, s.info.SolidChunkSize)
	return protocol.PlanReply{
		Shards: p.NumShards(), Bytes: p.Bytes(), Items: p.Items(), MaxChunk: 2*chunk + ShardMemory + more,
	}
}

// packShard returns a shard in the form in which it is sent, and the reply that describes it.
func packShard(p shard.Plan, i int) (protocol.ShardReply, []byte, error) {
	sh, err := p.Shard(i)
	if err != nil {
		return protocol.ShardReply{}, nil, err
	}
	items := 0
	for _, sp := range sh.Spans {
		items += len(sp.Pieces)
	}
	if sh.Op == shard.OpSum {
		items = 1
	}
	return protocol.ShardReply{
		Bytes: sh.Bytes, Items: items, Part: sh.Part, Off: sh.Off, Len: sh.Len, Memory: sh.Memory, Op: opName(sh.Op),
	}, sh.AppendBinary(nil), nil
}

func opName(op shard.Op) string {
	switch op {
	case shard.OpVerify:
		return "verify"
	case shard.OpExtract:
		return "extract"
	case shard.OpIntegrity:
		return "integrity"
	case shard.OpSum:
		return "sum"
	}
	return "unknown"
}

// mergeShard passes a worker's result to a plan and returns the ranges that it found good or bad.
func mergeShard(p shard.Plan, req protocol.MergeRequest) ([]protocol.BlockMark, error) {
	r, err := shard.ParseResult(req.Result.Sum)
	if err != nil {
		return nil, err
	}
	marks, err := p.Merge(req.Index, r)
	if err != nil {
		return nil, err
	}
	out := make([]protocol.BlockMark, len(marks))
	for i, m := range marks {
		out[i] = protocol.BlockMark{Part: m.Part, Off: m.Off, Len: m.Len, Bad: m.Bad}
	}
	return out, nil
}

// verifyPlan verifies the archive.
type verifyPlan struct {
	s     *session
	p     *verify.Plan
	trees int // images whose trees were loaded before the report
}

// maxTrees is the number of trees loaded before the report. More would evict each other from the cache.
const maxTrees = 4

func (s *session) planVerify() (plan, protocol.PlanReply, error) {
	p, err := verify.New(s.a, nil)
	if err != nil {
		return nil, protocol.PlanReply{}, err
	}
	rep := s.planReply(p, 0)
	rep.Name = baseName(s.info) + "-verify.txt"
	return &verifyPlan{s: s, p: p}, rep, nil
}

func (v *verifyPlan) shard(_ *Work, i int) (protocol.ShardReply, []any, error) {
	rep, b, err := packShard(v.p, i)
	return rep, []any{b}, err
}

func (v *verifyPlan) merge(_ *Work, req protocol.MergeRequest, _ []any) (protocol.MergeReply, error) {
	if v.trees < min(maxTrees, len(v.s.a.Images())) {
		// Load a tree that the report needs now, while the shard workers are busy and this one is idle. The report will
		// include any error.
		v.trees++
		_, _ = v.s.a.Image(v.trees)
	}
	marks, err := mergeShard(v.p, req)
	return protocol.MergeReply{Bad: v.p.BadItems(), Blocks: marks}, err
}

func (v *verifyPlan) report(w *Work) (protocol.Report, error) {
	r, err := v.p.Report(func(int64, int) error { return w.rest() })
	if err != nil {
		return protocol.Report{}, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return protocol.Report{}, err
	}
	rep := protocol.Report{
		Op: protocol.Verify, OK: r.OK, Blobs: r.Blobs, Bytes: r.Bytes, Integrity: integrityState(r.Integrity),
		DamagedN: len(r.Damaged), MissingN: len(r.Missing), UnusedSize: r.UnusedBytes, RefCounts: len(r.RefCounts),
		Warnings: r.Warnings, Verdict: protocol.Verdict(r.Verdict), LossesN: r.LossesN, Text: visible.Lines(r.Text()), JSON: string(text),
	}
	for _, l := range r.Losses {
		rep.Losses = append(rep.Losses, protocol.Loss{Kind: protocol.LossKind(l.Kind), Image: l.Image, Path: l.Path, Part: l.Part, Off: l.Off, Text: l.Text})
	}
	for _, d := range r.Damaged {
		if len(rep.BadRanges) == maxDamages {
			break
		}
		rep.BadRanges = append(rep.BadRanges, protocol.Damage{
			Kind: d.Kind, Hash: d.Hash.String(), Part: d.Part, Off: d.Off, Len: d.Len, Error: d.Error,
			Paths: hits(d.Uses), Count: max(d.Count, len(d.Uses)),
		})
	}
	for _, t := range r.Integrity {
		rep.DamagedN += len(t.Bad)
		for _, b := range t.Bad {
			if len(rep.BadRanges) == maxDamages {
				break
			}
			rep.BadRanges = append(rep.BadRanges, protocol.Damage{Kind: "block", Part: t.Part, Off: b.Off, Len: b.Len, Error: fmt.Sprintf("block %d of the integrity table of %s", b.Block, t.Name)})
		}
	}
	for _, p := range r.Images {
		rep.DamagedN++
		rep.BadRanges = append(rep.BadRanges, protocol.Damage{
			Kind: "metadata", Error: p.Error, Count: 1, Paths: []protocol.Hit{{Image: p.Image, Node: -1, Path: "/"}},
		})
	}
	for _, m := range r.Missing {
		if len(rep.Missing) == maxDamages {
			break
		}
		rep.Missing = append(rep.Missing, protocol.Damage{Kind: "blob", Hash: m.Hash.String(), Paths: hits(m.Uses), Count: m.Count})
	}
	for _, u := range r.Unused {
		if len(rep.Unused) == maxRanges {
			break
		}
		rep.Unused = append(rep.Unused, protocol.Region{Part: u.Part, Off: u.Off, Len: u.Len, Kind: "unused"})
	}
	for _, l := range r.RefCounts {
		if len(rep.RefLies) == maxRanges {
			break
		}
		rep.RefLies = append(rep.RefLies, protocol.Pair{Name: l.Hash.String(), Value: fmt.Sprintf("stored %d, used %d", l.Stored, l.Used)})
	}
	return rep, nil
}

func hits(uses []verify.Use) []protocol.Hit {
	var list []protocol.Hit
	for _, u := range uses[:min(len(uses), maxDamagePaths)] {
		path := u.Path
		if u.Stream != "" {
			path += ":" + u.Stream
		}
		list = append(list, protocol.Hit{Image: u.Image, Node: -1, Path: path})
	}
	return list
}

func integrityState(tables []verify.IntegrityReport) string {
	state := "none"
	for _, t := range tables {
		switch t.State {
		case "bad", "unreadable":
			return "bad"
		case "ok":
			state = "ok"
		}
	}
	return state
}

// sumPlan computes the SHA-256 of each part.
type sumPlan struct {
	s *session
	p *verify.SumPlan
}

func (s *session) planSum() (plan, protocol.PlanReply, error) {
	p := verify.NewSum(s.a)
	rep := s.planReply(p, 0)
	rep.Name = baseName(s.info) + ".sha256"
	return &sumPlan{s, p}, rep, nil
}

func (v *sumPlan) shard(_ *Work, i int) (protocol.ShardReply, []any, error) {
	rep, b, err := packShard(v.p, i)
	return rep, []any{b}, err
}

func (v *sumPlan) merge(_ *Work, req protocol.MergeRequest, _ []any) (protocol.MergeReply, error) {
	marks, err := mergeShard(v.p, req)
	return protocol.MergeReply{Blocks: marks}, err
}

func (v *sumPlan) report(*Work) (protocol.Report, error) {
	rep := protocol.Report{Op: protocol.Sum, OK: true, Bytes: v.p.Bytes()}
	var text strings.Builder
	for i, sum := range v.p.Sums() {
		if sum == nil {
			return rep, errors.New("engine: a part's sum was asked for before it was reckoned")
		}
		p := protocol.Pair{Name: v.s.info.Parts[i].Name, Value: hex.EncodeToString(sum)}
		rep.Sums = append(rep.Sums, p)
		// The format of sha256sum.
		fmt.Fprintf(&text, "%s *%s\n", p.Value, p.Name)
	}
	rep.Text = text.String()
	return rep, nil
}
