package blobs

import (
	"cmp"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// TestTiles compares appendTiles with a plain version that assigns each byte to the extent that starts first, of several to the first in
// the list.
func TestTiles(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for round := range 3000 {
		size := int64(1 + r.IntN(5000))
		var list []extent
		for range r.IntN(30) {
			off := r.Int64N(size)
			list = append(list, extent{off, min(size, off+1+r.Int64N(400)), extentKind(r.IntN(int(extUnused)))})
		}
		owner := make([]extentKind, size)
		for i := range owner {
			owner[i] = extUnused
			best := size
			for _, e := range list {
				if e.off <= int64(i) && int64(i) < e.end && e.off < best {
					best, owner[i] = e.off, e.kind
				}
			}
		}
		var want []Region
		for i, k := range owner {
			if n := len(want); n > 0 && want[n-1].Kind == k.region() {
				want[n-1].Len++
			} else {
				want = append(want, Region{3, int64(i), 1, k.region()})
			}
		}
		if got := appendTiles(nil, 3, list, size); !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d: %v\nof %v, want %v", round, got, list, want)
		}
	}
}

// TestByOffset compares byOffset with a stable sort: for offsets of one and of several digits, and for short lists.
func TestByOffset(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, n := range []int{0, 1, 2000} {
		for _, most := range []int64{1, 2, 1 << 11, 1 << 22, 1 << 45, 1 << 62} {
			list := make([]extent, n)
			want := make([]uint32, n)
			for i := range list {
				list[i].off = r.Int64N(most)
				want[i] = uint32(i)
			}
			slices.SortStableFunc(want, func(p, q uint32) int { return cmp.Compare(list[p].off, list[q].off) })
			if got := byOffset(list); !slices.Equal(got, want) {
				t.Fatalf("%d extents below %d: %v, want %v", n, most, got, want)
			}
		}
	}
}
