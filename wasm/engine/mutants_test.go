package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/worker/protocol"
)

// mutantMemory limits how much more memory the engine may take from the system for all work on archives of some tens of
// kilobytes, valid or hostile. In a browser that is linear memory, which never shrinks.
const mutantMemory = 160 << 20

// TestMemoryOfMutants opens, lists, searches, verifies and extracts mutated archives in one process, and checks the
// memory taken. With WIMSCOPE_CAMPAIGN set it uses many more of them.
func TestMemoryOfMutants(t *testing.T) {
	rounds := 15
	if os.Getenv("WIMSCOPE_CAMPAIGN") != "" {
		rounds = 1000
	}
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // as in a worker
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	requests, refused := 0, 0
	for i, base := range mutantBases(t) {
		for k := range rounds + 1 {
			b := base
			if k > 0 {
				b = wimtest.Mutate(rand.New(rand.NewPCG(uint64(i), uint64(k))), base)
			}
			m := &mutantUser{e: New(Options{OpenSink: func(protocol.Target, string, any) (Sink, error) { return nowhere{}, nil }}), b: b}
			m.useAll()
			requests += m.requests
			refused += m.refused
		}
	}
	runtime.ReadMemStats(&after)
	took := int64(after.Sys) - int64(before.Sys)
	t.Logf("%d requests, %d of them refused; memory grew from %d to %d MiB", requests, refused, before.Sys>>20, after.Sys>>20)
	if took > mutantMemory {
		t.Errorf("they took %d bytes of memory", took)
	}
	if requests < 100*rounds || refused == 0 {
		t.Errorf("only %d requests, %d refused", requests, refused)
	}
}

// mutantBases returns an ordinary archive, and hostile ones of a few kilobytes that claim to contain gigabytes.
func mutantBases(t *testing.T) [][]byte {
	usual, err := os.ReadFile("../../web/static/sample.wim")
	if err != nil {
		t.Fatal(err)
	}
	garbage := make([]byte, 1000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range garbage {
		garbage[i] = byte(r.Uint32())
	}
	text := wimtest.Text.Make(r, 1<<16)
	links := func(codec format.Codec, size, chunk int64, chunks ...[]byte) []byte {
		return wimtest.LinksInSolid(wimtest.PackedSolid(uint32(codec), size, chunk, chunks...), 50, 1<<10, size/2, nil)
	}
	return [][]byte{
		usual,
		links(format.None, 1<<31-1, 1<<31, garbage),
		links(format.LZMS, 1<<29, 1<<29, garbage),
		links(format.LZMS, 1<<28, 1<<26, garbage, garbage[:10], garbage[:100], garbage[:6]),
		wimtest.LargeClaim(garbage, 1<<30-1),
		wimtest.LinksInSolid(wimtest.SolidResource(text, 1<<15), 50, 64, 1<<15, func(off, size int64) []byte { return text[off : off+size] }),
	}
}

// mutantUser uses an archive in the ways that a user can.
type mutantUser struct {
	e                 *Engine
	b                 []byte
	requests, refused int
}

// do sends a request, decodes the reply into rep and returns the attachments. It returns false if the request was
// refused.
func (m *mutantUser) do(method protocol.Method, req, rep any, attach ...any) ([]any, bool) {
	m.requests++
	body, err := json.Marshal(req)
	if err != nil {
		panic(err)
	}
	got, att, err := m.e.Handle(context.Background(), protocol.NewCall(method, body, attach, nil))
	if err != nil {
		m.refused++
		return nil, false
	}
	if body, err = json.Marshal(got); err == nil && rep != nil {
		err = json.Unmarshal(body, rep)
	}
	if err != nil {
		panic(err)
	}
	return att, true
}

func (m *mutantUser) useAll() {
	var a protocol.Archive
	if _, ok := m.do(protocol.Open, protocol.OpenRequest{Parts: []string{"a.wim"}}, &a, bytes.NewReader(m.b)); !ok {
		return
	}
	m.do(protocol.XML, nil, nil)
	for i := range min(len(a.Images), 3) {
		var list protocol.ListReply
		m.do(protocol.List, protocol.ListRequest{Image: i + 1, Count: 1000}, &list)
		m.do(protocol.Tree, protocol.TreeRequest{Image: i + 1, Expanded: []int32{0}, Count: 1000}, nil)
		for _, r := range list.Rows[:min(len(list.Rows), 8)] {
			m.do(protocol.Stat, protocol.StatRequest{Image: i + 1, Node: r.Node}, nil)
			m.do(protocol.Read, protocol.ReadRequest{Image: i + 1, Node: r.Node, Len: 1 << 10}, nil)
		}
	}
	m.do(protocol.Search, protocol.SearchRequest{Query: "*", Count: 1000}, nil)
	m.job(protocol.PlanRequest{Op: protocol.Verify})
	m.job(protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.ZIP})
	m.job(protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.TAR, Recover: true})
}

// job runs a job if its output is small.
func (m *mutantUser) job(req protocol.PlanRequest) {
	var plan protocol.PlanReply
	if _, ok := m.do(protocol.Plan, req, &plan); !ok || plan.OutSize > 16<<20 {
		return
	}
	m.do(protocol.Parts, protocol.PartsRequest{Key: "k", Parts: []string{"a.wim"}}, nil, bytes.NewReader(m.b))
	out := req.Format != ""
	if out {
		if _, ok := m.do(protocol.OutOpen, protocol.OutOpenRequest{Target: protocol.ToMemory, Format: req.Format, Size: plan.OutSize, Recover: req.Recover}, nil); !ok {
			return
		}
	}
	var stage protocol.StageReply
	m.do(protocol.Stage, protocol.FinishRequest{Plan: plan.Plan}, &stage)
	for i := range stage.Shards {
		var sh protocol.ShardReply
		att, ok := m.do(protocol.Shard, protocol.ShardRequest{Plan: plan.Plan, Index: i}, &sh)
		if !ok {
			return
		}
		merge := protocol.MergeRequest{Plan: plan.Plan, Index: i}
		if sh.Op == "" {
			att = append([]any{nil}, att...)
		} else {
			run, ok := m.do(protocol.Run, protocol.RunRequest{Key: "k", Format: req.Format, Recover: req.Recover}, &merge.Result, att...)
			if !ok {
				return
			}
			att = run
		}
		if out {
			var p protocol.OutProgress
			if att, ok = m.do(protocol.OutSegment, protocol.OutSegmentRequest{Index: i, Result: merge.Result}, &p, att...); !ok {
				return
			}
			merge.Refused, merge.Damaged = p.Refused, p.Damaged
		}
		m.do(protocol.Merge, merge, nil, att...)
	}
	m.do(protocol.Finish, protocol.FinishRequest{Plan: plan.Plan}, nil)
	if out {
		m.do(protocol.OutFinish, nil, nil)
	}
}

// nowhere is an output that discards everything.
type nowhere struct{}

func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (nowhere) Truncate(int64) error                   { return nil }
func (nowhere) Finish() (any, error)                   { return nil, nil }
func (nowhere) Abort() error                           { return nil }
