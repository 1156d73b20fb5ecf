package core

import (
	"encoding/binary"
	"math/rand/v2"

	"wimscope/wim/format"
)

// blobIndex finds blobs by their hash: the numbers of blobs, open addressing, four bytes a slot. The hashes stay in
// the blobs. What stands in a file's hashes is up to who made it, so a slot is found by a function with a secret.
type blobIndex struct {
	secret [5]uint64
	slots  []uint32 // number of a blob + 1, 0 where there is none; a power of two, at most three quarters taken
	shift  uint     // 64 - log2(len(slots))
	taken  int
}

// slot is where the search for a hash begins. A sum of products with 64-bit factors of which the upper half counts
// is strongly universal for words of 32 bits (Dietzfelbinger 1996): who does not know the factors cannot make
// hashes that meet.
func (x *blobIndex) slot(h *format.Hash) uint32 {
	le := binary.LittleEndian
	k := &x.secret
	v := k[0]*uint64(le.Uint32(h[0:])) + k[1]*uint64(le.Uint32(h[4:])) + k[2]*uint64(le.Uint32(h[8:])) +
		k[3]*uint64(le.Uint32(h[12:])) + k[4]*uint64(le.Uint32(h[16:]))
	return uint32(v >> x.shift)
}

// sameHash compares without the call that == makes as WebAssembly.
func sameHash(a, b *format.Hash) bool {
	le := binary.LittleEndian
	return le.Uint64(a[0:]) == le.Uint64(b[0:]) && le.Uint64(a[8:]) == le.Uint64(b[8:]) && le.Uint32(a[16:]) == le.Uint32(b[16:])
}

// find gives the number of the blob with a hash, or the slot where that number may be put.
func (x *blobIndex) find(blobs []blobRec, h *format.Hash) (id int32, slot uint32, ok bool) {
	mask := uint32(len(x.slots) - 1)
	for i := x.slot(h); ; i = (i + 1) & mask {
		s := x.slots[i]
		if s == 0 {
			return 0, i, false
		}
		if sameHash(&blobs[s-1].hash, h) {
			return int32(s - 1), i, true
		}
	}
}

// put enters a blob's number at a slot that find gave. There must be room, by reserve.
func (x *blobIndex) put(slot uint32, id int32) {
	x.slots[slot] = uint32(id) + 1
	x.taken++
}

// reserve makes room for n more entries. hashOf gives the hash of a number that is in the index.
func (x *blobIndex) reserve(n int, hashOf func(id int32) *format.Hash) {
	if x.slots == nil {
		for i := range x.secret {
			x.secret[i] = rand.Uint64() | 1
		}
	}
	need := x.taken + n + 1
	size, bits := max(len(x.slots), 16), uint(0)
	for size/4*3 < need {
		size *= 2
	}
	if size == len(x.slots) {
		return
	}
	for 1<<bits < size {
		bits++
	}
	old := x.slots
	x.slots, x.shift = make([]uint32, size), 64-bits
	for _, s := range old {
		if s == 0 {
			continue
		}
		i := x.slot(hashOf(int32(s - 1)))
		for x.slots[i] != 0 {
			i = (i + 1) & uint32(size-1)
		}
		x.slots[i] = s
	}
}

// blobID finds a content's number in the parts, then in the references.
func (a *Store) blobID(h format.Hash) (int32, bool) {
	id, _, ok := a.index.find(a.blobs, &h)
	return id, ok
}
