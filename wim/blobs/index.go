package blobs

import (
	"wimscope/wim/format"
	"wimscope/wim/internal/hashindex"
)

// blobIndex finds blobs by their hashes.
type blobIndex struct{ hashindex.Index }

// Find returns the number of the blob with a hash, or the free slot for it.
func (x *blobIndex) Find(blobs []Record, h *format.Hash) (id int32, slot uint32, ok bool) {
	mask := uint32(len(x.Slots) - 1)
	for i := x.Slot((*[20]byte)(h)); ; i = (i + 1) & mask {
		s := x.Slots[i]
		if s == 0 {
			return 0, i, false
		}
		if hashindex.Same((*[20]byte)(&blobs[s-1].Hash), (*[20]byte)(h)) {
			return int32(s - 1), i, true
		}
	}
}

// BlobID returns the index in Records of the blob with a hash. If both the parts and the references have it, it is that of the parts.
func (a *Store) BlobID(h format.Hash) (int32, bool) {
	id, _, ok := a.Index.Find(a.Records, &h)
	return id, ok
}
