package lzms

// Check returns the error that [Decoder.Decode] would return for src and an output of size bytes. It parses the items and writes
// nothing. A few packed bytes may stand for a gigabyte, so a caller can check them before it allocates that much. The time is
// proportional to the number of items, each of which takes at least a bit of input.
func (d *Decoder) Check(size int, src []byte) error {
	if err := checkSizes(size, src); err != nil {
		return err
	}
	if err := d.start(nil, size, src); err != nil {
		return err
	}
	s := &d.s
	defer func() { *s = state{} }() // keep no reference to src
	for s.out < s.size {
		if s.bits < s.read {
			if err := d.nextTail(); err != nil {
				return d.corrupt(err)
			}
		}
		if err := d.skip(); err != nil {
			return d.corrupt(err)
		}
		if d.literals.left < 0 {
			d.literals.rebuild(&d.work)
		}
		if d.offsets.left < 0 {
			d.offsets.rebuild(&d.work)
		}
		if d.lengths.left < 0 {
			d.lengths.rebuild(&d.work)
		}
	}
	if d.overlap() {
		return d.corrupt(errOverlap)
	}
	return nil
}

// skip reads one item, as the hot loop does.
func (d *Decoder) skip() error {
	s := &d.s
	if s.decide(d.main[:], &s.mainState) == 0 {
		s.symbol(&d.literals)
		s.out++
		return nil
	}
	if s.decide(d.match[:], &s.matchState) == 1 {
		m, err := d.readDelta()
		if err == nil {
			s.out += m.length
			s.deltaEnd = s.out
		}
		return err
	}
	if s.decide(d.lz[:], &s.lzState) == 0 {
		s.offset = int64(s.value(d.offsetSlot[s.symbol(&d.offsets)&1023]))
		s.recent23 = s.recent23<<32 | s.recent01>>32
		s.recent01 = s.recent01<<32 | uint64(s.offset)
	} else {
		s.takeRecent(d)
	}
	s.length = int64(s.value(d.lengthSlot[s.symbol(&d.lengths)&63]))
	if err := s.matchFits(); err != nil {
		return err
	}
	s.out += s.length
	s.lzEnd = s.out
	return nil
}

// takeRecent reads which recent offset a match uses, and moves that offset to the front.
func (s *state) takeRecent(d *Decoder) {
	at := 0
	if s.out == s.lzEnd {
		at = 1
	}
	for i := range d.lzRep {
		if s.decide(d.lzRep[i][:], &s.lzRepState[i]) == 0 {
			break
		}
		at++
	}
	queue := [4]uint64{s.recent01 & 0xFFFFFFFF, s.recent01 >> 32, s.recent23 & 0xFFFFFFFF, s.recent23 >> 32}
	offset := queue[at]
	copy(queue[1:at+1], queue[:at])
	queue[0] = offset
	s.recent01, s.recent23 = queue[1]<<32|queue[0], queue[3]<<32|queue[2]
	s.offset = int64(offset)
}
