package write

import (
	"slices"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

// TestKeepForLostEntries checks that deleting an image in place keeps its blobs while a remaining image is incomplete, since
// lost entries may use them.
func TestKeepForLostEntries(t *testing.T) {
	for _, whole := range []bool{true, false} {
		sub := wimtest.Folder("sub", &wimtest.HandEntry{Name: "lost"})
		if !whole {
			sub.Subdir = func(map[string]int) int64 { return 1 << 20 } // beyond the end of the metadata
		}
		a := wimtest.One(wimtest.Folder("", sub, wimtest.TextFile("a", "one")))
		other := wimtest.One(wimtest.Folder("", wimtest.TextFile("b", "two")))
		a.Metadata, a.Blobs = append(a.Metadata, other.Metadata...), append(a.Blobs, other.Blobs...)
		b := a.Bytes()
		e := editing(t, b)
		if err := e.Delete(2); err != nil {
			t.Fatal(err)
		}
		p, err := e.PlanAppend(&Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, n := p.Losses(); n > 0 {
			t.Errorf("%d losses of an image that stays", n)
		}
		m := archivetest.MemFile{B: slices.Clone(b)}
		run(t, p, nil, &m, nil)
		if has := openHas(t, m.B, format.Hash(sha1.Sum([]byte("two")))); has == whole {
			t.Errorf("the other image is whole: %v; the content is there: %v", whole, has)
		}
	}
}
