package core

import (
	"slices"
	"testing"
)

// sameTables reads an archive's blob tables once more, every entry by addEntry, and wants the same of it.
func sameTables(t *testing.T, st *Store) {
	t.Helper()
	load := func(thorough bool) *Store {
		b := &Store{opts: st.opts, parts: st.parts, nParts: st.nParts, first: st.first, total: st.total}
		l := &loader{a: b, hi: b.nParts, metas: true, solidIDs: map[solidKey]int32{}, thorough: thorough}
		if err := l.load(); err != nil {
			t.Fatalf("thorough=%v: %v", thorough, err)
		}
		return b
	}
	quick, long := load(false), load(true)
	if !slices.Equal(quick.blobs, long.blobs) {
		t.Errorf("%d blobs, %d by the long way, or others", len(quick.blobs), len(long.blobs))
	}
	if !slices.Equal(quick.metas, long.metas) || !slices.Equal(quick.warnings, long.warnings) {
		t.Errorf("images %+v, by the long way %+v; warnings %q, %q", quick.metas, long.metas, quick.warnings, long.warnings)
	}
	for i := range quick.blobs {
		if id, ok := quick.blobID(quick.blobs[i].hash); !ok || int(id) != i {
			t.Fatalf("blob %d is found as %d, %v", i, id, ok)
		}
	}
}
