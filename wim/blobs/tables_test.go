package blobs

import (
	"slices"
	"testing"
)

// SameTables reads an archive's blob tables again, every entry by addEntry, and compares the results.
func SameTables(t *testing.T, st *Store) {
	t.Helper()
	load := func(thorough bool) *Store {
		b := &Store{Opts: st.Opts, Parts: st.Parts, NParts: st.NParts, first: st.first, Total: st.Total}
		l := &loader{a: b, hi: b.NParts, metas: true, solidIDs: map[solidKey]int32{}, thorough: thorough}
		if err := l.load(); err != nil {
			t.Fatalf("thorough=%v: %v", thorough, err)
		}
		return b
	}
	quick, long := load(false), load(true)
	if !slices.Equal(quick.Records, long.Records) {
		t.Errorf("%d blobs, %d without the fast path, or different ones", len(quick.Records), len(long.Records))
	}
	if !slices.Equal(quick.Metas, long.Metas) || !slices.Equal(quick.Warnings, long.Warnings) {
		t.Errorf("images %+v, without the fast path %+v; warnings %q, %q", quick.Metas, long.Metas, quick.Warnings, long.Warnings)
	}
	for i := range quick.Records {
		if id, ok := quick.BlobID(quick.Records[i].Hash); !ok || int(id) != i {
			t.Fatalf("blob %d: found %d, %v", i, id, ok)
		}
	}
}
