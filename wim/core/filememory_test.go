package core

import (
	"fmt"
	"runtime"
	"testing"
	"testing/fstest"
	"unsafe"

	"wimscope/wim/format"
)

// TestBytesPerFile bounds the records of which there is one for each file that is captured: a million files are in
// memory at once.
func TestBytesPerFile(t *testing.T) {
	for _, r := range []struct {
		name       string
		size, most uintptr
	}{
		{"draftNode", unsafe.Sizeof(draftNode{}), 32},
		{"draftInode", unsafe.Sizeof(draftInode{}), 56},
		{"inodeStream", unsafe.Sizeof(inodeStream{}), 12},
		{"draftContent", unsafe.Sizeof(draftContent{}), 72},
		{"packContent", unsafe.Sizeof(packContent{}), 88},
	} {
		if r.size > r.most {
			t.Errorf("a %s has %d bytes, more than %d: put fields that few need into its rare ones", r.name, r.size, r.most)
		}
	}
}

// TestMemoryPerFile bounds what a plan keeps in memory for each small file when the contents are written, names and index
// included. wimlib takes about 750 bytes for each file in all.
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
	d, _, err := Scan(nil, tree, ".", nil)
	if err != nil {
		t.Fatal(err)
	}
	e := NewEdit()
	if _, err := e.AddDraft(d, &DraftInfo{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	p, err := e.PlanWrite(&WriteOptions{Codec: format.None})
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.contents {
		var h format.Hash
		le.PutUint32(h[:], uint32(i+1))
		p.setHash(int32(i), h)
		p.unite(int32(i))
	}
	got := (live() - before) / n
	t.Logf("%d bytes for each file", got)
	if got > most {
		t.Errorf("%d bytes for each file, more than %d", got, most)
	}
	runtime.KeepAlive(p)
	runtime.KeepAlive(tree)
}
