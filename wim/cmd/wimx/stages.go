package main

import (
	"sync"

	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/verify"
	"wimscope/wim/write"
)

// stageBar reports the stages of writing as one phase, as wimlib-imagex does: checking, hashing and moving precede packing
// and get a share of the total. Metadata is not counted.
type stageBar struct {
	mu    sync.Mutex // a part may start while workers report progress
	t     *tool
	w     *writing
	bar   *bar
	total int64 // about how many bytes of blobs are written
	parts int   // about how many parts a split set has; 0: not split
	part  int
	base  float64 // share of the finished stages
	stage shard.Stage
}

// Approximate shares of the stages before packing.
const (
	hashShare    = 0.2
	measureShare = 0.3
	compactShare = 0.9
)

func (w *writing) stages(t *tool) (*stageBar, error) {
	s := &stageBar{t: t, w: w}
	if t.quiet {
		return s, nil
	}
	e, err := w.plan.Estimate(t.ctx, nil, 0)
	if err != nil {
		return nil, w.writeError(t, err)
	}
	s.total = e.Copied + e.Pack
	if s.w.partSize > 0 {
		s.parts = int((e.Size + s.w.partSize - 1) / s.w.partSize)
	}
	return s, nil
}

// inPart reports that a part of a set is started.
func (s *stageBar) inPart(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setPart(n)
}

func (s *stageBar) setPart(n int) {
	s.part = n
	if s.bar != nil && s.parts > 0 {
		s.bar.inPart(n, s.parts)
	}
}

func (s *stageBar) step(p shard.Progress) {
	share := 0.0
	switch p.Stage.Name {
	case "check", "hash":
		share = hashShare
	case "measure":
		share = measureShare
	case "compact":
		share = compactShare
	case "pack":
		share = 1
	default:
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar == nil {
		s.begin(p.Stage.Bytes)
	}
	if s.stage != p.Stage {
		s.base, s.stage = s.reached(), p.Stage
	}
	if n := p.Stage.Bytes; n > 0 {
		s.bar.at(int64(float64(s.bar.total-1) * (s.base + (1-s.base)*share*float64(p.Bytes)/float64(n))))
	}
}

// reached returns the share of the whole that is done.
func (s *stageBar) reached() float64 {
	return float64(s.bar.done) / float64(max(s.bar.total, 1))
}

func (s *stageBar) begin(total int64) {
	if s.total > 0 {
		total = s.total
	}
	what := archiving
	if s.parts > 0 {
		what = splitting
	} else if c := packedWith(s.w.options); c != format.None { // also if everything is only copied
		threads := "threads"
		if s.w.threads == 1 {
			threads = "thread"
		}
		s.t.say("Using %v compression with %d %s\n", c, s.w.threads, threads)
	}
	s.bar = &bar{c: &s.t.console, phase: what, total: total, percent: -1}
	s.setPart(max(s.part, 1))
	s.bar.at(0)
}

// end ends the phase. r is nil if writing failed.
func (s *stageBar) end(r *write.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		if r != nil {
			if s.parts > 0 {
				s.parts = len(r.Parts)
				s.setPart(s.parts)
			}
			s.bar.at(s.bar.total)
		}
		s.bar.end()
	}
	if r == nil || !s.w.options.Integrity {
		return
	}
	for _, n := range r.Parts { // the table was made while writing
		b := s.t.progress(calculating, n)
		b.at(n)
		b.end()
	}
}

// verifyBar reports the blobs, then the integrity tables of the parts, in the order in which they are verified.
type verifyBar struct {
	t    *tool
	plan *verify.Plan
	list []verify.PlannedPart
	at   int
	base int64
	bar  *bar
}

func (v *verifyBar) step(p shard.Progress) {
	if v.list == nil {
		v.list = v.plan.Planned()
	}
	for v.at < len(v.list) {
		x := v.list[v.at]
		if v.bar == nil {
			what := verifying
			if x.Name != "" {
				what = checkingIntegrity(x.Name)
			}
			v.bar = v.t.progress(what, x.Bytes)
		}
		v.bar.at(p.Bytes - v.base)
		if p.Bytes-v.base < x.Bytes || v.at == len(v.list)-1 {
			return
		}
		v.bar.end()
		v.base, v.bar = v.base+x.Bytes, nil
		v.at++
	}
}

func (v *verifyBar) end() {
	if v.bar != nil {
		v.bar.end()
	}
}
