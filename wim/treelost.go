package wim

import (
	"encoding/binary"
	"slices"

	"wimscope/wim/format"
	"wimscope/wim/ntname"
)

// A tree can lose entries although no record is malformed: a length or a stream count covers the next entry, a list ends too
// early, or no folder refers to a list. The bytes of the lost entries still exist. So this code looks for bytes outside the tree that are
// valid entries.

// roomForEntry is how many bytes after its names an entry must have for another entry to be hidden there.
const roomForEntry = format.DentryFixedSize + 2

// checkEntry looks for entries hidden inside entry n, and for streams that an entry of its kind cannot have.
func (l *treeLoader) checkEntry(n Node, v format.DentryView) {
	off := uint64(l.nodes[n].off)
	end := off + v.Size()
	hidden, first, firstName := 0, uint64(0), []byte(nil)
	find := func(from, to uint64) {
		for at := format.Align8(from); at < to; at += 8 {
			size, name := l.entryLike(at)
			if size == 0 {
				continue
			}
			if hidden++; hidden == 1 {
				first, firstName = at, name
			}
			at += size - 8
		}
	}
	find(end-uint64(len(v.Items())), end)

	// The number of unnamed streams that the entry may have: none in a folder, one in a file, and one more for reparse data.
	attrs := v.Attributes()
	room := 1
	switch folder := attrs&format.AttrDirectory != 0; {
	case attrs&format.AttrEncrypted != 0 && !folder:
	case attrs&format.AttrReparsePoint != 0 && !folder:
		room = 2
	case attrs&format.AttrReparsePoint == 0 && folder:
		room = 0
	}
	have := make([]format.Hash, 0, 2)
	lost := 0
	content := func(h format.Hash) {
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
	content(format.ReadHash(v.Hash()))
	for s := format.Streams(l.meta, off, v); ; {
		from := s.Off
		if !s.Next() {
			break
		}
		find(from, s.Off)
		if len(s.Name) == 0 {
			content(s.Hash)
		}
	}
	if hidden > 0 {
		l.lose(LossOrphans, n, first, hidden, "entries hidden inside this one: %d, the first is %q at 0x%x", hidden, ntname.TextToNUL(firstName), first)
	}
	if lost > 0 {
		l.lose(LossStream, n, off, lost, "streams left out because an entry of this kind cannot have them: %d", lost)
	}
}

// leftOver looks for ranges of nonzero bytes in the resource, at least as long as an entry, that belong to no entry of the tree. Lists end
// with eight zero bytes; nothing else lies between them.
func (l *treeLoader) leftOver(root uint64) {
	le := binary.LittleEndian
	units := uint64(len(l.meta)) / 8
	entries, first, firstName, bytes, firstByte := 0, uint64(0), []byte(nil), uint64(0), uint64(0)
	span := func(from, to uint64) { // from is the first nonzero byte
		if to-from < roomForEntry-8 { // its length may be zero
			return
		}
		if bytes += to - from; firstByte == 0 {
			firstByte = from
		}
		if before := from - 8; before >= root && l.seen[before>>9]>>(before>>3&63)&1 == 0 {
			if size, _ := l.entryLike(before); size > 0 {
				from = before // the length of the first entry is zero
			}
		}
		for at := from; at < to; at += 8 {
			size, name := l.entryLike(at)
			if size > 0 {
				if entries++; entries == 1 {
					first, firstName = at, name
				}
				at += size - 8
			}
		}
	}
	start, after := uint64(0), uint64(0) // start of the current span, and end of its last nonzero bytes
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
		l.lose(LossOrphans, 0, first, entries, "entries that belong to no folder: %d, the first is %q at 0x%x", entries, ntname.TextToNUL(firstName), first)
	case bytes > 0:
		// Not a loss: the bytes are unused but no entry.
		l.warnf("%d unused bytes at 0x%x", bytes, firstByte)
	}
}

// entryLike returns the size and the name of the entry at off. The size is 0 if there is none: its lengths must be consistent, its
// attributes known, and its name terminated by a NUL. Its length may be 0, which marks the end of a list and hides this entry and all
// that follow.
func (l *treeLoader) entryLike(off uint64) (size uint64, name []byte) {
	le := binary.LittleEndian
	if off+roomForEntry > uint64(len(l.meta)) {
		return 0, nil
	}
	const attributes = 0xfff7ff // known ones, and a few more
	b := l.meta[off:]
	short, long := uint64(le.Uint16(b[0x62:])), uint64(le.Uint16(b[0x64:]))
	need := format.DentryFixedSize + long + 2
	if short > 0 {
		need += short + 2
	}
	length := le.Uint64(b)
	if length <= 8 {
		length = need
	}
	a := le.Uint32(b[0x08:])
	if a == 0 || a&^attributes != 0 || long == 0 || (long|short)&1 != 0 || length < need || length > min(1<<20, uint64(len(b))) {
		return 0, nil
	}
	name = b[format.DentryFixedSize : format.DentryFixedSize+long]
	if hasNUL(name) || le.Uint16(b[format.DentryFixedSize+long:]) != 0 {
		return 0, nil
	}
	return format.Align8(length), name
}
