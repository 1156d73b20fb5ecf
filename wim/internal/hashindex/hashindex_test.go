package hashindex

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// table is an Index with the records that it is for.
type table struct {
	Index
	hashes [][20]byte
}

func (t *table) find(h *[20]byte) (id int32, slot uint32, ok bool) {
	for i := t.Slot(h); ; i = (i + 1) & uint32(len(t.Slots)-1) {
		s := t.Slots[i]
		if s == 0 {
			return 0, i, false
		}
		if Same(&t.hashes[s-1], h) {
			return int32(s - 1), i, true
		}
	}
}

func (t *table) add(h [20]byte) {
	t.Reserve(1, func(id int32) *[20]byte { return &t.hashes[id] })
	if _, slot, ok := t.find(&h); !ok {
		t.hashes = append(t.hashes, h)
		t.Put(slot, int32(len(t.hashes)-1))
	}
}

// TestIndex compares an index with a map, for hashes that differ in one word only and for random ones.
func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var x table
	want := map[[20]byte]int32{}
	for i := range 20_000 {
		var h [20]byte
		if i%2 == 0 {
			binary.LittleEndian.PutUint32(h[i/2%5*4:], uint32(r.IntN(5000)))
		} else {
			for k := 0; k < 20; k += 4 {
				binary.LittleEndian.PutUint32(h[k:], r.Uint32())
			}
		}
		if _, ok := want[h]; !ok {
			want[h] = int32(len(want))
		}
		x.add(h)
	}
	if x.Taken != len(want) || x.Taken > len(x.Slots)/4*3 || len(x.Slots)&(len(x.Slots)-1) != 0 {
		t.Fatalf("%d of %d slots are taken by %d records", x.Taken, len(x.Slots), len(want))
	}
	for h, id := range want {
		if got, _, ok := x.find(&h); !ok || got != id {
			t.Fatalf("%x is found as %d, %v, want %d", h, got, ok, id)
		}
		h[r.IntN(20)] ^= 1 << r.IntN(8)
		_, there := want[h]
		if _, _, ok := x.find(&h); ok != there {
			t.Fatalf("%x is found: %v, want %v", h, ok, there)
		}
	}
}

// TestSecret sees that two indexes search in different places.
func TestSecret(t *testing.T) {
	var x, y table
	same := 0
	for i := range 1000 {
		var h [20]byte
		binary.LittleEndian.PutUint64(h[3:], uint64(i))
		x.add(h)
		y.add(h)
	}
	for i := range x.hashes {
		if x.Slot(&x.hashes[i]) == y.Slot(&x.hashes[i]) {
			same++
		}
	}
	if same > 100 {
		t.Errorf("%d of 1000 searches begin at the same slot", same)
	}
}
