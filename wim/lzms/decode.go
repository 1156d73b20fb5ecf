package lzms

import (
	"math/bits"
	"unsafe"
)

const (
	pauseSize = 1 << 20 // bytes of output between calls of pause, about

	// The hot loop runs while the unread input is longer than what one item can take from both ends, and what is loaded at
	// once: at most 5 decisions of 2 bytes, 105 bits, and 8 bytes.
	slackBits = 8 * 32
	// It copies matches by words while that many bytes of output are left after them.
	copySlack = 32
	// Zero bytes between the two ends of the tail.
	tailPad = 64
)

// Decoder decodes LZMS chunks. It takes about 350 KB, all allocated in NewDecoder. It is not safe for concurrent use.
type Decoder struct {
	// The contexts of each decision.
	main   [mainStates]context
	match  [matchStates]context
	lz     [repStates]context
	lzRep  [2][repStates]context
	delta  [repStates]context
	dltRep [2][repStates]context

	s state

	literals, offsets, lengths, deltaOffsets, powers huff

	// Slots by symbol: lowest value<<8 | number of extra bits.
	offsetSlot [1024]uint64
	lengthSlot [64]uint64

	slots      [maxOffsets]slot
	deltaReady bool // deltaOffsets and powers were reset for this chunk
	work       workspace
	x86        x86Filter
	tail       [tailSize]byte
}

// context is one context of a decision.
type context struct {
	history uint64 // the last 64 outcomes, the latest lowest
	zero    uint64 // probability of a zero, in 64ths
}

// state is what the hot loop keeps in registers, and what it resumes from.
type state struct {
	dst  unsafe.Pointer // first byte of the output
	size int64          // of the chunk
	out  int64          // bytes written
	stop int64          // the hot loop returns when out is larger
	room int64          // largest end of a match that the hot loop may copy: it writes whole words past it

	front unsafe.Pointer // start of what the range coder reads: src, or tail
	back  unsafe.Pointer // start of what is read backward: the same
	read  int64          // bits of front that the range coder has read, plus slack
	slack int64
	bits  int64 // unread bits of back, less 57: the load that has the next 57 bits starts at byte bits>>3

	rng, code uint64

	mainState, matchState, lzState, deltaState uint64 // latest outcomes; only the lowest bits are used
	lzRepState, deltaRepState                  [2]uint64

	// The last four offsets of LZ matches, the latest first: 32 bits each, the lowest first. lzEnd is the end of the last match:
	// directly after a match its own offset, the first, is not among the three recent ones.
	recent01, recent23 uint64
	lzEnd              int64
	deltas             [4]uint64 // the same for delta matches: power<<32 | raw offset
	deltaEnd           int64

	offset, length int64 // of a match that the hot loop leaves to items

	srcBits  int64 // bits of input
	inTail   bool  // front and back point to tail
	tailBits int64 // bits of input in tail
	started  int64 // bits read backward before those
}

// NewDecoder returns a Decoder.
func NewDecoder() *Decoder {
	d := new(Decoder)
	makeSlots(d.slots[:], offsetRuns[:])
	for i, s := range d.slots {
		d.offsetSlot[i] = uint64(s.base)<<8 | uint64(s.extra)
	}
	var lengths [numLengths]slot
	makeSlots(lengths[:], lengthRuns[:])
	for i, s := range lengths {
		d.lengthSlot[i] = uint64(s.base)<<8 | uint64(s.extra)
	}
	return d
}

// Decode unpacks one chunk, src, into dst, which has its unpacked size, 1 byte to 1 GiB. It writes nothing outside dst and does not
// allocate unless src is corrupt. The error is then a [*CorruptError], which wraps [ErrCorrupt]; dst holds the output before the bad
// item, with addresses in x86 instructions still absolute.
func (d *Decoder) Decode(dst, src []byte) error { return d.DecodeFunc(dst, src, nil) }

// DecodeFunc is Decode for chunks that may take seconds. It calls pause, if not nil, about every MiB of output, with the number of bytes
// decoded; an error from pause stops it and is returned. The bytes are not final then: addresses in x86 instructions change at the
// end.
func (d *Decoder) DecodeFunc(dst, src []byte, pause func(done int) error) error {
	if err := checkSizes(len(dst), src); err != nil {
		return err
	}
	if err := d.start(unsafe.Pointer(&dst[0]), len(dst), src); err != nil {
		return err
	}
	s := &d.s
	stopped, err := d.items(pause)
	*s = state{} // keep no reference to dst or src
	if stopped || err != nil {
		return err
	}
	_ = d.x86.run(dst, toRelative, nil) // without rest, it cannot fail
	return nil
}

// checkSizes refuses sizes that no chunk can have.
func checkSizes(size int, src []byte) error {
	switch {
	case size <= 0 || size > maxChunk:
		return &CorruptError{Err: errChunkSize}
	case len(src)%2 != 0:
		return &CorruptError{Err: errOdd}
	case len(src) < 4:
		return &CorruptError{Err: errShort}
	}
	return nil
}

// items decodes the items of a chunk. stopped reports that err comes from pause.
func (d *Decoder) items(pause func(done int) error) (stopped bool, err error) {
	s := &d.s
	for {
		switch d.run() {
		case exitLiteral:
			*(*byte)(unsafe.Add(s.dst, s.out)) = byte(s.symbol(&d.literals))
			s.out++
		case exitOffset:
			s.offset = int64(s.value(d.offsetSlot[s.symbol(&d.offsets)&1023]))
			s.recent23 = s.recent23<<32 | s.recent01>>32
			s.recent01 = s.recent01<<32 | uint64(s.offset)
			fallthrough
		case exitLength:
			s.length = int64(s.value(d.lengthSlot[s.symbol(&d.lengths)&63]))
			fallthrough
		case exitMatch:
			stopped, err = d.farMatch(pause)
			if stopped {
				return true, err
			}
		case exitDelta:
			err = d.deltaMatch()
		}
		if err == nil && s.bits < s.read {
			err = d.nextTail()
		}
		if err != nil {
			return false, d.corrupt(err)
		}
		if s.out == s.size {
			if d.overlap() {
				return false, d.corrupt(errOverlap)
			}
			return false, nil
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
		if s.out > s.stop {
			if pause != nil {
				if err := pause(int(s.out)); err != nil {
					return true, err
				}
			}
			s.nextStop()
		}
	}
}

// nextStop sets stop and room, the limits of the hot loop.
func (s *state) nextStop() {
	s.stop = min(s.out+pauseSize, s.size) - 1
	s.room = min(s.out+2*pauseSize, s.size-copySlack)
}

// start prepares for decoding a chunk of size bytes into dst.
func (d *Decoder) start(dst unsafe.Pointer, size int, src []byte) error {
	d.s = state{
		dst: dst, size: int64(size),
		front: unsafe.Pointer(&src[0]), back: unsafe.Pointer(&src[0]),
		read: 32 + slackBits, slack: slackBits,
		bits: int64(len(src))*8 - 57, srcBits: int64(len(src)) * 8,
		rng:      0xFFFFFFFF,
		code:     uint64(src[1])<<24 | uint64(src[0])<<16 | uint64(src[3])<<8 | uint64(src[2]),
		recent01: 2<<32 | 1, recent23: 4<<32 | 3, lzEnd: -1,
		deltas: [4]uint64{1, 2, 3, 4}, deltaEnd: -1,
	}
	d.s.nextStop()
	if d.s.code >= d.s.rng {
		return &CorruptError{Err: errCode}
	}
	for _, c := range [...][]context{d.main[:], d.match[:], d.lz[:], d.lzRep[0][:], d.lzRep[1][:], d.delta[:], d.dltRep[0][:], d.dltRep[1][:]} {
		for i := range c {
			c[i] = context{initialHistory, 64 - uint64(bits.OnesCount64(initialHistory))}
		}
	}
	n := offsetSlots(d.slots[:], size)
	d.literals.reset(&d.work, numLiterals, literalInterval, literalRoot)
	d.offsets.reset(&d.work, n, offsetInterval, offsetRoot)
	d.lengths.reset(&d.work, numLengths, lengthInterval, lengthRoot)
	d.deltaReady = false
	return nil
}

// readBits returns the number of bits read backward.
func (s *state) readBits() int64 {
	if s.inTail {
		return s.started + (tailSize*8 - 57 - s.bits)
	}
	return s.srcBits - 57 - s.bits
}

// overlap reports whether the two streams have run into each other.
func (d *Decoder) overlap() bool {
	s := &d.s
	front := s.read - s.slack
	if s.inTail {
		return front+(tailSize*8-57-s.bits+15)&^15 > s.tailBits
	}
	return front+(s.srcBits-57-s.bits+15)&^15 > s.srcBits
}

// corrupt returns err as a CorruptError at the current item.
func (d *Decoder) corrupt(err error) error {
	return &CorruptError{Out: int(d.s.out), Bit: d.s.readBits(), Err: err}
}

// nextTail moves the last bytes of the input to tail, where zeros follow in either direction. The hot loop can then read up to the last
// bit, and a little past it, without checks. If the input is in tail already, too much was read.
func (d *Decoder) nextTail() error {
	s := &d.s
	if s.inTail || d.overlap() {
		return errOverlap
	}
	from := (s.read - s.slack) / 8
	used := s.srcBits - 57 - s.bits // bits, from the end
	to := s.srcBits/8 - used/16*2
	n := to - from // bytes; the last two may be read in part
	clear(d.tail[:])
	if n > 0 {
		src := unsafe.Slice((*byte)(unsafe.Add(s.front, from)), n)
		copy(d.tail[:], src)
		copy(d.tail[tailSize-n:], src)
	}
	s.inTail = true
	s.tailBits = n * 8
	s.started = used &^ 15
	s.front, s.back = unsafe.Pointer(&d.tail), unsafe.Pointer(&d.tail)
	s.bits = tailSize*8 - 57 - used&15
	// The hot loop returns when both ends together have read more than there was, by more than a unit.
	s.slack = tailSize*8 - 57 - n*8 - 32
	s.read = s.slack
	return nil
}

// tailMax is the largest number of bytes left when the hot loop stops for lack of input. tailSize is the size of tail: those bytes and
// zeros, twice.
const (
	tailMax  = slackBits/8 + 16
	tailSize = 2 * (tailMax + tailPad)
)

// farMatch copies a match that the hot loop does not: a bad one, one near the end of the output, or a very long one.
func (d *Decoder) farMatch(pause func(done int) error) (stopped bool, err error) {
	s := &d.s
	if err := s.matchFits(); err != nil {
		return false, err
	}
	dst := unsafe.Slice((*byte)(s.dst), s.size)
	for end := s.out + s.length; ; {
		n := min(end-s.out, pauseSize)
		repeat(dst[s.out-s.offset:s.out+n], int(s.offset))
		s.out += n
		if s.out == end {
			break
		}
		if pause != nil {
			if err := pause(int(s.out)); err != nil {
				return true, err
			}
		}
	}
	s.lzEnd = s.out
	return false, nil
}

// matchFits returns an error if the match does not lie within the chunk.
func (s *state) matchFits() error {
	switch {
	case s.offset > s.out:
		return errOffset
	case s.length > s.size-s.out:
		return errLength
	}
	return nil
}

// repeat fills b by repeating its first period bytes.
func repeat(b []byte, period int) {
	for n := period; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

// startDelta resets the codes that only delta matches use. Many chunks have none.
func (d *Decoder) startDelta() {
	d.deltaOffsets.reset(&d.work, d.offsets.n, offsetInterval, deltaRoot)
	d.powers.reset(&d.work, numPowers, powerInterval, powerRoot)
	d.deltaReady = true
}
