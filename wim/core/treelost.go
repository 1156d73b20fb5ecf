package core

import (
	"encoding/binary"
	"slices"

	"wimscope/wim/internal/format"
)

// A tree can lose entries without any record of it being malformed: a length that takes in the next entry, a count of
// streams that does, a list that ends too soon, a folder whose list is not referred to. The bytes of the entries are
// still there then, and that is how it is found: where no entry should be, something is an entry in all respects.

// roomForEntry is how many bytes behind its names an entry must have for another one to be hidden in them.
const roomForEntry = format.DentryFixedSize + 2

// checkEntry looks for entries inside of entry n, and for contents that an entry of its kind cannot have.
func (l *treeLoader) checkEntry(n Node, v format.DentryView) {
	off := uint64(l.nodes[n].off)
	end := off + v.Size()
	hidden, first := 0, uint64(0)
	find := func(from, to uint64) {
		for at := align8(from); at < to; at += 8 {
			size := l.entryLike(at)
			if size == 0 {
				continue
			}
			if hidden++; hidden == 1 {
				first = at
			}
			at += size - 8
		}
	}
	find(end-uint64(len(v.Items())), end)

	// Contents beyond those that an entry can have: a folder has none, a file one, with reparse data one more.
	attrs := v.Attributes()
	room := 1
	switch folder := attrs&AttrDirectory != 0; {
	case attrs&AttrEncrypted != 0 && !folder:
	case attrs&AttrReparsePoint != 0 && !folder:
		room = 2
	case attrs&AttrReparsePoint == 0 && folder:
		room = 0
	}
	have := make([]Hash, 0, 2)
	lost := 0
	content := func(h Hash) {
		if slices.Contains(have, h) {
			return
		}
		switch {
		case h.IsZero():
		case len(have) < room:
			have = append(have, h)
		default:
			lost++
		}
	}
	content(readHash(v.Hash()))
	for s := l.extraStreams(n); s.left > 0; {
		from := s.off
		if !s.next() {
			break
		}
		find(from, s.off)
		if len(s.name) == 0 {
			content(s.hash)
		}
	}
	if hidden > 0 {
		l.lose(LossOrphans, n, first, hidden, "%d entries are hidden inside of this one, the first is %q at 0x%x", hidden, textOf(l.entryAt(uint32(first)).Name()), first)
	}
	if lost > 0 {
		l.lose(LossStream, n, off, lost, "%d contents that an entry of its kind cannot have left out", lost)
	}
}

// leftOver finds bytes of the resource, at least as many as an entry has, that are part of no entry of the tree and are
// not zero. Lists end with eight zeros, and there is nothing else between them.
func (l *treeLoader) leftOver(root uint64) {
	le := binary.LittleEndian
	units := uint64(len(l.meta)) / 8
	entries, first, bytes, firstByte := 0, uint64(0), uint64(0), uint64(0)
	span := func(from, to uint64) { // from is the first that is not zero
		if to-from < roomForEntry-8 { // its length may be zero
			return
		}
		if bytes += to - from; firstByte == 0 {
			firstByte = from
		}
		for at := from; at < to; at += 8 {
			if size := l.entryLike(at); size > 0 {
				if entries++; entries == 1 {
					first = at
				}
				at += size - 8
			}
		}
	}
	start, after := uint64(0), uint64(0) // of the span at hand, and the end of its last bytes that are not zero
	for i := root / 8; i < units; i++ {
		w := l.seen[i>>6]
		if w == ^uint64(0) && i&63 == 0 && after == 0 {
			i += 63
			continue
		}
		switch zero := le.Uint64(l.meta[i*8:]) == 0; {
		case w>>(i&63)&1 != 0:
			if after > 0 {
				span(start, after)
			}
			start, after = 0, 0
		case zero:
		default:
			if after == 0 {
				start = i * 8
			}
			after = i*8 + 8
		}
	}
	if after > 0 {
		span(start, after)
	}
	switch {
	case entries > 0:
		l.lose(LossOrphans, 0, first, entries, "%d entries belong to no folder, the first is %q at 0x%x", entries, textOf(l.entryAt(uint32(first)).Name()), first)
	case bytes > 0:
		l.lose(LossOrphans, 0, firstByte, 0, "%d bytes that are part of no entry, at 0x%x: there may have been entries", bytes, firstByte)
	}
}

// entryLike tells the size of what stands at off if it is an entry beyond reasonable doubt, else 0: its lengths fit each
// other, its attributes are such, and its name is one, with a NUL behind it.
func (l *treeLoader) entryLike(off uint64) uint64 {
	if off+roomForEntry > uint64(len(l.meta)) {
		return 0
	}
	const attributes = 0xfff7ff // those that there are, with some to spare
	e := format.DentryView(l.meta[off:])
	if a := e.Attributes(); a == 0 || a&^attributes != 0 || e.Length() > 1<<20 {
		return 0
	}
	v, err := format.ViewDentry(l.meta, off)
	if v == nil || err != nil || len(v.Name()) == 0 || hasNUL(v.Name()) {
		return 0
	}
	end := off + format.DentryFixedSize + uint64(len(v.Name()))
	if end+2 > uint64(len(l.meta)) || l.meta[end]|l.meta[end+1] != 0 {
		return 0
	}
	return v.Size()
}
