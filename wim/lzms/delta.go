package lzms

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// deltaItem is a delta match of length bytes: each byte differs from the one span bytes before it as the two bytes offset bytes
// earlier differ from each other.
type deltaItem struct{ length, offset, span int64 }

// deltaMatch decodes a delta match, after the decision that the item is one.
func (d *Decoder) deltaMatch() error {
	m, err := d.readDelta()
	if err != nil {
		return err
	}
	s := &d.s
	dst := unsafe.Slice((*byte)(s.dst), s.out+m.length)
	copyDelta(dst, int(m.length), int(m.offset), int(m.span))
	s.out += m.length
	s.deltaEnd = s.out
	return nil
}

// readDelta reads a delta match and checks that it lies within the chunk.
func (d *Decoder) readDelta() (deltaItem, error) {
	if !d.deltaReady {
		d.startDelta()
	}
	s := &d.s
	late := 0 // 1 if the offset of the item before is not yet among the recent ones
	if s.out == s.deltaEnd {
		late = 1
	}
	var pair uint64
	var at int // index in the queue
	if s.decide(d.delta[:], &s.deltaState) == 0 {
		power := uint64(s.symbol(&d.powers))
		pair = power<<32 | s.value(d.offsetSlot[s.symbol(&d.deltaOffsets)&1023])
		at = 3
	} else {
		switch {
		case s.decide(d.dltRep[0][:], &s.deltaRepState[0]) == 0:
			at = late
		case s.decide(d.dltRep[1][:], &s.deltaRepState[1]) == 0:
			at = late + 1
		default:
			at = late + 2
		}
		pair = s.deltas[at]
	}
	copy(s.deltas[1:at+1], s.deltas[:at])
	s.deltas[0] = pair
	length := int64(s.value(d.lengthSlot[s.symbol(&d.lengths)&63]))

	power := pair >> 32
	m := deltaItem{length, int64(pair&0xFFFFFFFF) << power, 1 << power}
	switch {
	case m.offset+m.span > s.out:
		return m, errOffset
	case m.length > s.size-s.out:
		return m, errLength
	}
	if d.deltaOffsets.left < 0 {
		d.deltaOffsets.rebuild(&d.work)
	}
	if d.powers.left < 0 {
		d.powers.rebuild(&d.work)
	}
	return m, nil
}

// copyDelta writes the last length bytes of dst as a delta match.
func copyDelta(dst []byte, length, offset, span int) {
	i := len(dst) - length
	if span >= 8 && offset >= 8 {
		// Eight bytes at a time, without borrow or carry from one byte to the next.
		const high = 0x8080808080808080
		for ; i+8 <= len(dst); i += 8 {
			a := binary.LittleEndian.Uint64(dst[i-span:])
			b := binary.LittleEndian.Uint64(dst[i-offset:])
			c := binary.LittleEndian.Uint64(dst[i-offset-span:])
			diff := (b | high) - (c &^ high) ^ ((b ^ ^c) & high)
			sum := (a &^ high) + (diff &^ high) ^ ((a ^ diff) & high)
			binary.LittleEndian.PutUint64(dst[i:], sum)
		}
	}
	for ; i < len(dst); i++ {
		dst[i] = dst[i-span] + dst[i-offset] - dst[i-offset-span]
	}
}

// decide reads one decision.
func (s *state) decide(contexts []context, state *uint64) uint64 {
	s.normalize()
	c := &contexts[*state&uint64(len(contexts)-1)]
	bound := s.rng >> 6 * c.zero
	bit := uint64(0)
	if s.code < bound {
		s.rng = bound
	} else {
		s.rng -= bound
		s.code -= bound
		bit = 1
	}
	c.history = c.history<<1 | bit
	c.zero = uint64(min(max(64-bits.OnesCount64(c.history), 1), 63))
	*state = *state<<1 | bit
	return bit
}

// normalize reads the range coder's next unit if the range is small.
func (s *state) normalize() {
	if s.rng < 1<<16 {
		b := (*[2]byte)(unsafe.Add(s.front, (s.read-s.slack)>>3))
		s.rng <<= 16
		s.code = s.code<<16 | uint64(b[1])<<8 | uint64(b[0])
		s.read += 16
	}
}

// window returns the next bits, 57 or more, the first one on top.
func (s *state) window() uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(s.back, s.bits>>3))[:]) << (^s.bits & 7)
}

// symbol reads a symbol and counts it.
func (s *state) symbol(h *huff) uint16 {
	w := s.window()
	e := h.table[w>>(64-h.root)&(1<<rootBits-1)]
	if e == 0 {
		e = h.long(uint32(w >> 49))
	}
	s.bits -= int64(e & 15)
	h.freq[e>>4&1023]++
	h.left--
	return e >> 4
}

// value reads the extra bits of a slot and returns the value.
func (s *state) value(slot uint64) uint64 {
	extra := slot & 63
	v := s.window() >> 1 >> (63 - extra)
	s.bits -= int64(extra)
	return slot>>8 + v
}
