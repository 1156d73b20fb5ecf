package engine

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"wimscope/wim/verify"
	"wimscope/worker/json"
	"wimscope/worker/protocol"
	"wimscope/worker/visible"
)

const (
	maxDamages     = 1000
	maxDamagePaths = 1000
	maxRanges      = 1000
	extractMemory  = 96 << 20 // bytes that extraction needs in addition: decoded, packed and in transit
)

// makePlan answers protocol.Plan.
func (s *session) makePlan(w *Work, req protocol.PlanRequest) (protocol.PlanReply, error) {
	if err := s.jobs.Room(); err != nil {
		return protocol.PlanReply{}, err
	}
	var (
		j   *Job
		rep protocol.PlanReply
		err error
	)
	switch req.Op {
	case protocol.Verify:
		j, rep, err = s.planVerify()
	case protocol.Sum:
		j, rep, err = s.planSum()
	case protocol.Names:
		j, rep, err = s.planNames(w, req)
	case protocol.Extract:
		j, rep, err = s.planExtract(w, req)
	default:
		err = badRequest(fmt.Sprintf("unknown operation %q", req.Op))
	}
	if err != nil {
		return protocol.PlanReply{}, err
	}
	rep.Plan = s.jobs.Add(j)
	return rep, nil
}

// chunkMemory returns the bytes that a shard worker needs for the chunks that it unpacks.
func (s *session) chunkMemory() int64 { return 2 * max(s.info.ChunkSize, s.info.SolidChunkSize) }

// verification is a job that verifies the archive.
type verification struct {
	s     *session
	p     *verify.Plan
	trees int // images whose trees were loaded before the report
}

// maxTrees is the number of trees loaded before the report. More would evict each other from the cache.
const maxTrees = 4

func (s *session) planVerify() (*Job, protocol.PlanReply, error) {
	p, err := verify.New(s.a, nil)
	if err != nil {
		return nil, protocol.PlanReply{}, err
	}
	v := &verification{s: s, p: p}
	rep := protocol.PlanReply{Bytes: p.Bytes(), Items: p.Items(), Name: baseName(s.info) + "-verify.txt"}
	return &Job{Plan: p, Memory: s.chunkMemory(), Merged: v.merged, Report: v.report}, rep, nil
}

// merged adds the number of faults. It also loads a tree that the report needs, while the shard workers are busy and this one
// is idle. The report will include any error.
func (v *verification) merged(_ *protocol.MergeRequest, rep *protocol.MergeReply) {
	if v.trees < min(maxTrees, len(v.s.a.Images())) {
		v.trees++
		_, _ = v.s.a.Image(v.trees)
	}
	rep.Bad = v.p.BadItems()
}

func (v *verification) report(w *Work) (protocol.Report, error) {
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
		if len(rep.WrongRefs) == maxRanges {
			break
		}
		rep.WrongRefs = append(rep.WrongRefs, protocol.Pair{Name: l.Hash.String(), Value: fmt.Sprintf("stored %d, used %d", l.Stored, l.Used)})
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

func (s *session) planSum() (*Job, protocol.PlanReply, error) {
	p := verify.NewSum(s.a)
	rep := protocol.PlanReply{Bytes: p.Bytes(), Items: p.Items(), Name: baseName(s.info) + ".sha256"}
	return &Job{Plan: p, Report: func(*Work) (protocol.Report, error) { return s.reportSums(p) }}, rep, nil
}

func (s *session) reportSums(p *verify.SumPlan) (protocol.Report, error) {
	rep := protocol.Report{Op: protocol.Sum, OK: true, Bytes: p.Bytes()}
	var text strings.Builder
	for i, sum := range p.Sums() {
		if sum == nil {
			return rep, errors.New("engine: a part has no SHA-256 yet")
		}
		line := protocol.Pair{Name: s.info.Parts[i].Name, Value: hex.EncodeToString(sum)}
		rep.Sums = append(rep.Sums, line)
		// The format of sha256sum.
		fmt.Fprintf(&text, "%s *%s\n", line.Value, line.Name)
	}
	rep.Text = text.String()
	return rep, nil
}
