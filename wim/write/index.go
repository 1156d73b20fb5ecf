package write

import (
	"wimscope/wim/format"
	"wimscope/wim/internal/hashindex"
)

// contentIndex finds the contents of a plan by hash.
type contentIndex struct{ hashindex.Index }

// find returns the index of the content with a hash, or the slot where it may be entered.
func (x *contentIndex) find(contents []content, h *format.Hash) (id int32, slot uint32, ok bool) {
	mask := uint32(len(x.Slots) - 1)
	for i := x.Slot((*[20]byte)(h)); ; i = (i + 1) & mask {
		s := x.Slots[i]
		if s == 0 {
			return 0, i, false
		}
		if hashindex.Same((*[20]byte)(&contents[s-1].hash), (*[20]byte)(h)) {
			return int32(s - 1), i, true
		}
	}
}

// withHash returns the content with a hash that is written, or left out because another archive holds it. Skipped contents do
// not count.
func (inv *inventory) withHash(h *format.Hash) (int32, bool) {
	if inv.byHash.Taken == 0 {
		return 0, false
	}
	id, _, ok := inv.byHash.find(inv.contents, h)
	return id, ok && !inv.contents[id].skipped
}

// indexHash enters a content into the index. It replaces one with the same hash that was skipped.
func (inv *inventory) indexHash(id int32) {
	inv.byHash.Reserve(1, func(id int32) *[20]byte { return (*[20]byte)(&inv.contents[id].hash) })
	_, slot, ok := inv.byHash.find(inv.contents, &inv.contents[id].hash)
	if inv.byHash.Slots[slot] = uint32(id) + 1; !ok {
		inv.byHash.Taken++
	}
}
