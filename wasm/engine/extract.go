package engine

import (
	"fmt"
	"strings"
	"unicode"

	"wimscope/wim"
	"wimscope/wim/extract"
	"wimscope/wim/find"
	"wimscope/wim/shard"
	"wimscope/worker/json"
	"wimscope/worker/protocol"
	"wimscope/worker/visible"
)

const (
	maxPlanProblems   = 200  // listed in a plan's reply
	maxReportProblems = 1000 // listed in the final report; its text lists all that were kept
)

// extraction is a job that extracts a selection.
type extraction struct {
	p        *extract.Plan
	form     extract.Form
	facts    extract.LostFacts // of the entries that are written
	image    int
	base     string // path in the image that the output's paths are relative to, without a trailing slash
	problems []protocol.Problem
	count    int // of problems, including those not kept
	lost     int // planned files that were not written
	copies   int // hard links that became copies
	timeless int // entries that were written without their times and attributes
	links    int // planned links that were not written
	dirs     int // planned folders that were not written
	bad      int // damaged contents, and links with damaged data
	bytes    int64
}

func (s *session) planExtract(w *Work, req protocol.PlanRequest) (*Job, protocol.PlanReply, error) {
	im, base, err := s.node(req.Image, req.Base)
	if err != nil {
		return nil, protocol.PlanReply{}, err
	}
	sel := extract.Selection{Image: im, Base: base}
	for _, n := range req.Nodes {
		if _, _, err := s.node(req.Image, n); err != nil {
			return nil, protocol.PlanReply{}, err
		}
		sel.Roots = append(sel.Roots, wim.Node(n))
	}
	for _, g := range req.Skip {
		if g = strings.TrimSpace(g); g != "" {
			sel.Skip = append(sel.Skip, find.NewPathGlob(g, true))
		}
	}
	o := &extract.Options{
		Stream: req.Stream, Streams: req.Streams, Recover: req.Recover, Platform: req.Platform,
		Rest: func(int64, int) error { return w.rest() },
	}
	extension := ""
	switch req.Format {
	case protocol.ZIP:
		o.Form, extension = extract.OutputZIP, ".zip"
	case protocol.TAR:
		o.Form, extension = extract.OutputTAR, ".tar"
	case protocol.Raw:
		o.Form = extract.OutputRaw
	case protocol.Folder:
		o.Form = extract.OutputFolder
	default:
		return nil, protocol.PlanReply{}, badRequest(fmt.Sprintf("cannot extract to format %q", req.Format))
	}
	x := &extraction{form: o.Form, image: req.Image}
	if o.Form != extract.OutputRaw {
		o.Written = x.facts.Count
	}
	p, err := extract.New(s.a, sel, o)
	if err != nil {
		return nil, protocol.PlanReply{}, err
	}
	rep := protocol.PlanReply{Bytes: p.Bytes(), Items: p.Items(), Files: p.Files, Dirs: p.Dirs, Links: p.Links, OutSize: p.OutSize}
	rep.Name = safeName(p.Name) + extension
	rep.Refused, rep.Refusals = p.Refused.Count, problems(p.Refused.List, maxPlanProblems)
	rep.SkippedN, rep.Skipped = p.Skipped.Count, problems(p.Skipped.List, maxPlanProblems)
	if req.Streams {
		x.facts.Streams = 0
	}
	x.p, x.count, x.bad = p, p.Refused.Count+p.Skipped.Count+p.Noted.Count, p.Damaged
	if base != 0 {
		x.base = im.Path(base)
	}
	x.problems = append(problems(p.Refused.List, maxReportProblems), problems(p.Skipped.List, maxReportProblems)...)
	x.problems = append(x.problems, problems(p.Noted.List, maxReportProblems)...)
	return &Job{Plan: p, Memory: s.chunkMemory() + extractMemory, Attach: x.attach, Merged: x.merged, Report: x.report}, rep, nil
}

// safeName replaces the characters of a file name that a target may reject.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`"*/:<>?\|`, r) {
			return '_'
		}
		return r
	}, name)
	name = strings.Trim(name, " .")
	if name == "" {
		return "files"
	}
	return name
}

func problems(list []extract.Problem, most int) []protocol.Problem {
	var out []protocol.Problem
	for _, p := range list[:min(len(list), most)] {
		out = append(out, protocol.Problem{Image: p.Image, Path: p.Path, Reason: p.Reason, Detail: p.Detail})
	}
	return out
}

// attach adds the entries of a shard.
func (x *extraction) attach(_ *Work, s *shard.Shard, packed []byte, _ *protocol.ShardReply) ([]any, error) {
	entries, err := x.p.Entries(s.Seq)
	return []any{packed, entries.AppendBinary(nil)}, err
}

// merged counts what the output worker reports.
func (x *extraction) merged(req *protocol.MergeRequest, rep *protocol.MergeReply) {
	for _, p := range req.Refused {
		switch {
		case p.Reason == "reparse":
			x.links++
		case strings.HasSuffix(p.Path, "/"):
			x.dirs++
		default:
			x.lost++
		}
		x.add(p)
	}
	for _, p := range req.Damaged {
		if p.Detail != "written" {
			x.lost++
		}
		x.add(p)
	}
	x.copies += req.Copies
	x.timeless += req.Timeless
	x.bytes += req.Result.Bytes
	x.bad += req.Result.Bad
	rep.Bad = x.bad
}

// add records a problem that occurred while writing. p.Path is a path in the output.
func (x *extraction) add(p protocol.Problem) {
	x.count++
	if len(x.problems) < 4*maxReportProblems {
		p.Image, p.Path = x.image, x.base+p.Path
		x.problems = append(x.problems, p)
	}
}

// notKept lists facts of written entries that the output does not hold, with the number of entries.
func (x *extraction) notKept() []protocol.Pair {
	l := x.facts.Packed(x.form)
	if x.form == extract.OutputFolder { // counted as timeless
		l.ReadOnly, l.Hidden, l.System = 0, 0, 0
	}
	var list []protocol.Pair
	for _, f := range []struct {
		n    int
		what string
	}{
		{x.timeless, "times and attributes"}, {x.copies, "hard links (written as copies)"}, {l.Streams, "named streams"}, {l.Security, "security descriptors"},
		{l.ReadOnly, "read-only attributes"}, {l.Hidden, "hidden attributes"}, {l.System, "system attributes"}, {l.ShortNames, "short names"},
		{l.ObjectIDs, "object IDs"}, {l.Unix, "Unix owners and devices"}, {l.Xattrs, "extended attributes"},
	} {
		if f.n > 0 {
			list = append(list, protocol.Pair{Name: f.what, Value: fmt.Sprint(f.n)})
		}
	}
	return list
}

func (x *extraction) report(*Work) (protocol.Report, error) {
	rep := protocol.Report{
		Op: protocol.Extract, OK: x.count == 0, Blobs: x.p.Items(), Bytes: x.bytes, WrittenLen: x.p.OutSize,
		Written: x.p.Files - x.lost, Dirs: x.p.Dirs - x.dirs, Links: x.p.Links - x.links,
		Problems: x.problems[:min(len(x.problems), maxReportProblems)], ProblemsN: x.count, DamagedN: x.bad,
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Extracted %s: %d files, %d folders, %d links; %d bytes unpacked.\n", x.p.Name, rep.Written, rep.Dirs, rep.Links, rep.Bytes)
	if x.count == 0 {
		text.WriteString("Everything was written.\n")
	} else {
		fmt.Fprintf(&text, "%d entries were not written, or not as they should be:\n", x.count)
	}
	for _, p := range x.problems {
		fmt.Fprintf(&text, "%s\t%s", visible.Text(p.Path), p.Reason)
		if p.Detail != "" {
			fmt.Fprintf(&text, "\t%s", visible.Text(p.Detail))
		}
		text.WriteByte('\n')
	}
	if more := x.count - len(x.problems); more > 0 {
		fmt.Fprintf(&text, "and %d more\n", more)
	}
	notKept := x.notKept()
	for _, f := range notKept {
		fmt.Fprintf(&text, "Not kept: %s of %s entries\n", f.Name, f.Value)
	}
	rep.Text = text.String()
	out, err := json.Marshal(struct {
		Name     string             `json:"name"`
		Files    int                `json:"files"`
		Folders  int                `json:"folders"`
		Links    int                `json:"links"`
		Bytes    int64              `json:"bytes"`
		Count    int                `json:"problemCount"`
		Problems []protocol.Problem `json:"problems"`
		NotKept  []protocol.Pair    `json:"notKept"`
	}{x.p.Name, rep.Written, rep.Dirs, rep.Links, rep.Bytes, x.count, x.problems, notKept})
	rep.JSON = string(out)
	return rep, err
}
