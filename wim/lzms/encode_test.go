package lzms

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// script packs given items, good or bad: it finds no matches and checks none. It uses the codes and contexts of the plain decoder.
type script struct {
	low       uint64
	rng       uint32
	cache     uint16
	pending   int
	units     []uint16
	bits      []byte // 0 or 1, in the order of reading
	n         int    // bytes of output of the items
	mainBit   plainDecision
	matchBit  plainDecision
	lzBit     plainDecision
	deltaBit  plainDecision
	lzRecent  [2]plainDecision
	dltRecent [2]plainDecision

	literals, offsets, lengths, deltaOffsets, powers plainCode
	offsetSlots, lengthSlots                         []slot
}

func newScript(size int) *script {
	s := &script{rng: 0xFFFFFFFF, pending: 1,
		mainBit: newPlainDecision(mainStates), matchBit: newPlainDecision(matchStates),
		lzBit: newPlainDecision(repStates), deltaBit: newPlainDecision(repStates),
		offsetSlots: make([]slot, maxOffsets), lengthSlots: make([]slot, numLengths),
	}
	for i := range 2 {
		s.lzRecent[i], s.dltRecent[i] = newPlainDecision(repStates), newPlainDecision(repStates)
	}
	makeSlots(s.offsetSlots, offsetRuns[:])
	makeSlots(s.lengthSlots, lengthRuns[:])
	n := offsetSlots(s.offsetSlots, size)
	s.literals = newPlainCode(numLiterals, literalInterval)
	s.offsets = newPlainCode(n, offsetInterval)
	s.lengths = newPlainCode(numLengths, lengthInterval)
	s.deltaOffsets = newPlainCode(n, offsetInterval)
	s.powers = newPlainCode(numPowers, powerInterval)
	return s
}

func (s *script) shift() {
	if uint32(s.low) < 0xFFFF0000 || s.low>>32 != 0 {
		carry := uint16(s.low >> 32)
		for u := s.cache; s.pending > 0; s.pending-- {
			s.units = append(s.units, u+carry)
			u = 0xFFFF
		}
		s.cache = uint16(s.low >> 16)
	}
	s.pending++
	s.low = s.low & 0xFFFF << 16
}

func (s *script) decide(p *plainDecision, bit int) {
	if s.rng <= 0xFFFF {
		s.shift()
		s.rng <<= 16
	}
	h := &p.history[p.state]
	zeros := uint32(0)
	for i := range 64 {
		zeros += uint32(^*h >> i & 1)
	}
	bound := s.rng / 64 * min(max(zeros, 1), 63)
	if bit == 0 {
		s.rng = bound
	} else {
		s.low += uint64(bound)
		s.rng -= bound
	}
	*h = *h<<1 | uint64(bit)
	p.state = (p.state<<1 | bit) % len(p.history)
}

func (s *script) put(v uint64, n int) {
	for n--; n >= 0; n-- {
		s.bits = append(s.bits, byte(v>>n&1))
	}
}

func (s *script) symbol(c *plainCode, sym int) {
	for n := range c.ofLen {
		for i, x := range c.ofLen[n] {
			if x == sym {
				s.put(uint64(c.first[n])+uint64(i), n)
				c.count(sym)
				return
			}
		}
	}
	panic("no such symbol")
}

func (s *script) inSlot(c *plainCode, slots []slot, v int) {
	i := 0
	for i+1 < min(len(slots), len(c.freq)) && int(slots[i+1].base) <= v {
		i++
	}
	s.symbol(c, i)
	s.put(uint64(v)-uint64(slots[i].base), int(slots[i].extra))
}

func (s *script) literal(b byte) {
	s.decide(&s.mainBit, 0)
	s.symbol(&s.literals, int(b))
	s.n++
}

func (s *script) recent(p *[2]plainDecision, n int) {
	for i := range p {
		if n == i+1 {
			s.decide(&p[i], 0)
			return
		}
		s.decide(&p[i], 1)
	}
}

// lz writes an LZ match with an explicit offset if recent is 0, or else with a recent one, 1 to 3.
func (s *script) lz(offset, recent, length int) {
	s.decide(&s.mainBit, 1)
	s.decide(&s.matchBit, 0)
	if recent == 0 {
		s.decide(&s.lzBit, 0)
		s.inSlot(&s.offsets, s.offsetSlots, offset)
	} else {
		s.decide(&s.lzBit, 1)
		s.recent(&s.lzRecent, recent)
	}
	s.inSlot(&s.lengths, s.lengthSlots, length)
	s.n += length
}

func (s *script) delta(power, raw, recent, length int) {
	s.decide(&s.mainBit, 1)
	s.decide(&s.matchBit, 1)
	if recent == 0 {
		s.decide(&s.deltaBit, 0)
		s.symbol(&s.powers, power)
		s.inSlot(&s.deltaOffsets, s.offsetSlots, raw)
	} else {
		s.decide(&s.deltaBit, 1)
		s.recent(&s.dltRecent, recent)
	}
	s.inSlot(&s.lengths, s.lengthSlots, length)
	s.n += length
}

// packed returns the packed chunk.
func (s *script) packed() []byte {
	for range 3 {
		s.shift()
	}
	var b []byte
	for _, u := range s.units[1:] { // the first is only for a carry, which never comes
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	for len(s.bits)%16 != 0 {
		s.bits = append(s.bits, 0)
	}
	b = append(b, make([]byte, len(s.bits)/8)...)
	for i, bit := range s.bits {
		b[len(b)-1-i/8] |= bit << (7 - i%8)
	}
	return b
}

// line packs one line of a text vector:
//
//	lit BYTES          literals, in hex; "quoted text"; with *N after it, N times
//	lz OFFSET LENGTH   rep 1|2|3 LENGTH
//	delta POWER RAWOFFSET LENGTH   deltarep 1|2|3 LENGTH
func (s *script) line(text string) error {
	word, rest, _ := strings.Cut(text, " ")
	if word == "lit" {
		b, err := vectorBytes(rest)
		for _, c := range b {
			s.literal(c)
		}
		return err
	}
	var n []int
	for f := range strings.FieldsSeq(rest) {
		v, err := strconv.Atoi(f)
		if err != nil {
			return err
		}
		n = append(n, v)
	}
	switch {
	case word == "lz" && len(n) == 2:
		s.lz(n[0], 0, n[1])
	case word == "rep" && len(n) == 2:
		s.lz(0, n[0], n[1])
	case word == "delta" && len(n) == 3:
		s.delta(n[0], n[1], 0, n[2])
	case word == "deltarep" && len(n) == 2:
		s.delta(0, 0, n[0], n[1])
	default:
		return fmt.Errorf("unknown item %q", text)
	}
	return nil
}

// vectorBytes reads bytes in hex and quoted text, each of which may be repeated by *N.
func vectorBytes(text string) ([]byte, error) {
	var out []byte
	for f := range strings.FieldsSeq(text) {
		times := 1
		if a, b, ok := strings.Cut(f, "*"); ok {
			n, err := strconv.Atoi(b)
			if err != nil {
				return nil, err
			}
			f, times = a, n
		}
		var b []byte
		if strings.HasPrefix(f, `"`) {
			s, err := strconv.Unquote(f)
			if err != nil {
				return nil, err
			}
			b = []byte(s)
		} else {
			v, err := strconv.ParseUint(f, 16, 8)
			if err != nil {
				return nil, err
			}
			b = []byte{byte(v)}
		}
		for range times {
			out = append(out, b...)
		}
	}
	return out, nil
}
