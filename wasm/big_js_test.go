package main

import (
	"testing"
	"time"

	"wimscope/wasm/wasmtest"
	"wimscope/worker/protocol"
)

// TestLargeImage opens an image of 100,000 files, lists and searches it, and checks the memory of the page and its
// workers.
func TestLargeImage(t *testing.T) {
	b := manyFiles(100_000)
	p := wasmtest.NewPool(t)
	began := time.Now()
	s := open(t, p, b)
	t.Logf("start a worker and open: %v", time.Since(began))
	l, err := s.List(t.Context(), protocol.ListRequest{Image: 1, Count: 100})
	if err != nil || l.Total != 1000 {
		t.Fatalf("%+v, %v", l, err)
	}
	t.Logf("open and list: %v", time.Since(began))
	began = time.Now()
	if r, err := s.Search(t.Context(), protocol.SearchRequest{Query: "9", Count: 100}, nil); err != nil || r.Hits < 30_000 {
		t.Errorf("%d hits, %v", r.Hits, err)
	}
	t.Logf("search with many hits: %v", time.Since(began))
	began = time.Now()
	plan, err := s.Plan(t.Context(), protocol.PlanRequest{Op: protocol.Extract, Image: 1, Format: protocol.ZIP})
	if err != nil || plan.Files != 100_000 {
		t.Fatalf("%+v, %v", plan, err)
	}
	t.Logf("plan of a ZIP: %v", time.Since(began))
	if m := p.Memory(t.Context()); m > 200<<20 {
		t.Errorf("%d MiB of memory in all workers", m>>20)
	} else {
		t.Logf("memory of all workers: %d MiB", m>>20)
	}
}
