package write

import (
	"fmt"
	"runtime"
	"testing"
	"testing/fstest"
	"unsafe"

	"wimscope/wim/draft"
	"wimscope/wim/format"
)

// TestBytesPerContent bounds the size of the record that a plan keeps for each content.
func TestBytesPerContent(t *testing.T) {
	if n := unsafe.Sizeof(content{}); n > 88 {
		t.Errorf("a content has %d bytes, more than 88: put fields that few need into rareFields", n)
	}
}

// TestMemoryPerFile bounds the memory of a plan per small file when the contents are written, including names and index.
// wimlib uses about 750 bytes per file in all.
func TestMemoryPerFile(t *testing.T) {
	const n, most = 20_000, 420
	tree := fstest.MapFS{}
	for i := range n {
		tree[fmt.Sprintf("folder-%03d/file-%06d.txt", i/100, i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "%d", i)}
	}
	live := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	d, _, err := draft.Scan(nil, tree, ".", nil)
	if err != nil {
		t.Fatal(err)
	}
	e := New()
	if _, err := e.AddDraft(d, &Image{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	p, err := e.PlanWrite(&Options{Codec: format.None})
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.inv.contents {
		var h format.Hash
		le.PutUint32(h[:], uint32(i+1))
		p.inv.setHash(int32(i), h)
		p.inv.unite(int32(i))
	}
	got := (live() - before) / n
	t.Logf("%d bytes for each file", got)
	if got > most {
		t.Errorf("%d bytes for each file, more than %d", got, most)
	}
	runtime.KeepAlive(p)
	runtime.KeepAlive(tree)
}
