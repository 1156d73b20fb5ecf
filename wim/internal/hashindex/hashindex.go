// Package hashindex finds records by a SHA-1 that is stored in them. It takes four bytes for each slot; a map takes six times the memory.
package hashindex

import (
	"encoding/binary"
	"math/rand/v2"
)

// Index is a hash table with open addressing. It holds the numbers of records, not their hashes: its owner compares these with Same.
// Whoever made a file chose the hashes in it, so Slot depends on a secret.
type Index struct {
	Slots []uint32 // number of a record + 1, 0 if free; the length is a power of two, at most three quarters are taken
	Taken int

	secret [5]uint64
	shift  uint // 64 - log2(len(Slots))
}

// Slot returns where the search for a hash begins; it goes on with the next slot, round the end, until a free one. The upper half of a sum of
// products with 64-bit factors is strongly universal for words of 32 bits (Dietzfelbinger 1996): without the
// factors nobody can make hashes that collide.
func (x *Index) Slot(h *[20]byte) uint32 {
	le := binary.LittleEndian
	k := &x.secret
	v := k[0]*uint64(le.Uint32(h[0:])) + k[1]*uint64(le.Uint32(h[4:])) + k[2]*uint64(le.Uint32(h[8:])) +
		k[3]*uint64(le.Uint32(h[12:])) + k[4]*uint64(le.Uint32(h[16:]))
	return uint32(v >> x.shift)
}

// Same compares two hashes without the call that == makes in WebAssembly.
func Same(a, b *[20]byte) bool {
	le := binary.LittleEndian
	return le.Uint64(a[0:]) == le.Uint64(b[0:]) && le.Uint64(a[8:]) == le.Uint64(b[8:]) && le.Uint32(a[16:]) == le.Uint32(b[16:])
}

// Put stores the number of a record in a free slot that a search ended at. Reserve must have made room.
func (x *Index) Put(slot uint32, id int32) {
	x.Slots[slot] = uint32(id) + 1
	x.Taken++
}

// Reserve makes room for n more records. hashOf returns the hash of a record that is in the index.
func (x *Index) Reserve(n int, hashOf func(id int32) *[20]byte) {
	if x.Slots == nil {
		for i := range x.secret {
			x.secret[i] = rand.Uint64() | 1
		}
	}
	need := x.Taken + n + 1
	size, bits := max(len(x.Slots), 16), uint(0)
	for size/4*3 < need {
		size *= 2
	}
	if size == len(x.Slots) {
		return
	}
	for 1<<bits < size {
		bits++
	}
	old := x.Slots
	x.Slots, x.shift = make([]uint32, size), 64-bits
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := x.Slot(hashOf(int32(s - 1)))
		for x.Slots[i] != 0 {
			i = (i + 1) & uint32(size-1)
		}
		x.Slots[i] = s
	}
}
