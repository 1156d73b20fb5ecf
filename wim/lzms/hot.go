package lzms

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// exit is the reason why the hot loop returned. items does what is left to do.
type exit uint8

const (
	exitCheck   exit = iota // a code is due to be rebuilt, or a limit of the output or input is reached
	exitMatch               // a match that farMatch copies
	exitLiteral             // a literal, whose code is longer than the table
	exitOffset              // an LZ match, whose offset code is longer than the table
	exitLength              // an LZ match with its offset read, whose length code is longer than the table
	exitDelta               // a delta match, for deltaMatch
)

// Number of bits that index the table of each code. The hot loop uses them as constants.
const (
	literalRoot = 10
	offsetRoot  = 11
	lengthRoot  = 9
	deltaRoot   = 10
	powerRoot   = 7
)

// run is the hot loop. It returns unless all this holds before an item: slackBits of input are left, no code is due to be rebuilt, and
// out is at most stop. So within an item it checks only that a match lies within the chunk.
//
// A decision is a branch in the code, not a bit that is tested later: each arm then knows what it means for range, history and
// state. Input is loaded by position for each symbol or two, so there is no bit buffer to refill.
func (d *Decoder) run() exit {
	s := &d.s
	dst, back := s.dst, s.back
	out, stop := s.out, s.stop
	bitpos, read := s.bits, s.read
	rng, code := s.rng, s.code
	left := d.literals.left
	state := s.mainState
	why := exitCheck
	var k uint64 // 16 if the range coder needs its next unit, or 0: a branch would cost more than the few operations
loop:
	for {
		if left|(stop-out)|(bitpos-read) < 0 {
			break
		}
		if rng < 1<<16 {
			rng <<= 16
			code = code<<16 | uint64(binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(s.front, (read-s.slack)>>3))[:]))
			read += 16
		}
		for {
			c := &d.main[state%mainStates]
			bound := rng >> 6 * c.zero
			if code < bound { // a literal
				rng = bound
				h := c.history << 1
				c.history = h
				z := 64 - uint64(bits.OnesCount64(h))
				c.zero = z - z>>6
				state <<= 1

				w := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(back, bitpos>>3))[:]) << (^bitpos & 7)
				e := d.literals.table[w>>(64-literalRoot)]
				if e == 0 {
					why = exitLiteral
					break loop
				}
				bitpos -= int64(e & 15)
				d.literals.freq[e>>4&255]++
				*(*byte)(unsafe.Add(dst, out)) = byte(e >> 4)
				out++
				left--
			} else {
				rng -= bound
				code -= bound
				h := c.history<<1 | 1
				c.history = h
				z := 64 - uint64(bits.OnesCount64(h))
				c.zero = z + (z-1)>>63
				state = state<<1 | 1

				k = (rng - 1<<16) >> 63 << 4
				rng <<= k & 63
				code = code<<(k&63) | uint64(binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(s.front, (read-s.slack)>>3))[:]))&-(k>>4)
				read += int64(k)
				c = &d.match[s.matchState%matchStates]
				bound = rng >> 6 * c.zero
				if code >= bound { // a delta match
					rng -= bound
					code -= bound
					h := c.history<<1 | 1
					c.history = h
					z := 64 - uint64(bits.OnesCount64(h))
					c.zero = z + (z-1)>>63
					s.matchState = s.matchState<<1 | 1
					why = exitDelta
					break loop
				}
				rng = bound
				h = c.history << 1
				c.history = h
				z = 64 - uint64(bits.OnesCount64(h))
				c.zero = z - z>>6
				s.matchState <<= 1

				k = (rng - 1<<16) >> 63 << 4
				rng <<= k & 63
				code = code<<(k&63) | uint64(binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(s.front, (read-s.slack)>>3))[:]))&-(k>>4)
				read += int64(k)
				c = &d.lz[s.lzState%repStates]
				bound = rng >> 6 * c.zero
				var offset uint64
				if code < bound { // an explicit offset
					rng = bound
					h := c.history << 1
					c.history = h
					z := 64 - uint64(bits.OnesCount64(h))
					c.zero = z - z>>6
					s.lzState <<= 1

					w := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(back, bitpos>>3))[:]) << (^bitpos & 7)
					e := d.offsets.table[w>>(64-offsetRoot)]
					if e == 0 {
						why = exitOffset
						break loop
					}
					w <<= e & 15
					d.offsets.freq[e>>4&1023]++
					more := d.offsets.left - 1
					d.offsets.left = more
					stop |= more >> 63
					slot := d.offsetSlot[e>>4&1023]
					bitpos -= int64(e&15) + int64(slot&63)
					offset = slot>>8 + w>>1>>((63-slot)&63)
					s.recent23 = s.recent23<<32 | s.recent01>>32
					s.recent01 = s.recent01<<32 | offset
				} else { // a recent offset
					rng -= bound
					code -= bound
					h := c.history<<1 | 1
					c.history = h
					z := 64 - uint64(bits.OnesCount64(h))
					c.zero = z + (z-1)>>63
					s.lzState = s.lzState<<1 | 1

					k = (rng - 1<<16) >> 63 << 4
					rng <<= k & 63
					code = code<<(k&63) | uint64(binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(s.front, (read-s.slack)>>3))[:]))&-(k>>4)
					read += int64(k)
					at := uint64(0)
					if out == s.lzEnd {
						at = 1
					}
					c = &d.lzRep[0][s.lzRepState[0]%repStates]
					bound = rng >> 6 * c.zero
					if code < bound {
						rng = bound
						h := c.history << 1
						c.history = h
						z := 64 - uint64(bits.OnesCount64(h))
						c.zero = z - z>>6
						s.lzRepState[0] <<= 1
					} else {
						rng -= bound
						code -= bound
						h := c.history<<1 | 1
						c.history = h
						z := 64 - uint64(bits.OnesCount64(h))
						c.zero = z + (z-1)>>63
						s.lzRepState[0] = s.lzRepState[0]<<1 | 1
						at++

						k = (rng - 1<<16) >> 63 << 4
						rng <<= k & 63
						code = code<<(k&63) | uint64(binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(s.front, (read-s.slack)>>3))[:]))&-(k>>4)
						read += int64(k)
						c = &d.lzRep[1][s.lzRepState[1]%repStates]
						bound = rng >> 6 * c.zero
						if code < bound {
							rng = bound
							h := c.history << 1
							c.history = h
							z := 64 - uint64(bits.OnesCount64(h))
							c.zero = z - z>>6
							s.lzRepState[1] <<= 1
						} else {
							rng -= bound
							code -= bound
							h := c.history<<1 | 1
							c.history = h
							z := 64 - uint64(bits.OnesCount64(h))
							c.zero = z + (z-1)>>63
							s.lzRepState[1] = s.lzRepState[1]<<1 | 1
							at++
						}
					}
					r := s.recent01
					switch at {
					case 0:
						offset = r & 0xFFFFFFFF
					case 1:
						offset = r >> 32
						s.recent01 = r<<32 | offset
					case 2:
						offset = s.recent23 & 0xFFFFFFFF
						s.recent23 = s.recent23&^0xFFFFFFFF | r>>32
						s.recent01 = r<<32 | offset
					default:
						offset = s.recent23 >> 32
						s.recent23 = s.recent23<<32 | r>>32
						s.recent01 = r<<32 | offset
					}
				}

				w := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(back, bitpos>>3))[:]) << (^bitpos & 7)
				e := d.lengths.table[w>>(64-lengthRoot)]
				if e == 0 {
					s.offset = int64(offset)
					why = exitLength
					break loop
				}
				w <<= e & 15
				d.lengths.freq[e>>4&63]++
				more := d.lengths.left - 1
				d.lengths.left = more
				stop |= more >> 63
				slot := d.lengthSlot[e>>4&63]
				bitpos -= int64(e&15) + int64(slot&63)
				length := int64(slot>>8 + w>>1>>((63-slot)&63))

				from := out - int64(offset)
				if from|(s.room-out-length) < 0 {
					s.offset, s.length = int64(offset), length
					why = exitMatch
					break loop
				}
				p := unsafe.Add(dst, out)
				q := unsafe.Add(dst, from)
				out += length
				s.lzEnd = out
				if offset >= 8 {
					*(*uint64)(p) = *(*uint64)(q)
					*(*uint64)(unsafe.Add(p, 8)) = *(*uint64)(unsafe.Add(q, 8))
					for i := int64(16); i < length; i += 16 {
						*(*uint64)(unsafe.Add(p, i)) = *(*uint64)(unsafe.Add(q, i))
						*(*uint64)(unsafe.Add(p, i+8)) = *(*uint64)(unsafe.Add(q, i+8))
					}
				} else {
					// Repeat a pattern shorter than a word in a word, and store the word at steps of whole patterns.
					v := *(*uint64)(q) & (1<<(8*offset) - 1)
					v |= v << (8 * offset)
					v |= v << (16 * offset)
					v |= v << (32 * offset)
					step := int64(8 - 8%offset)
					for i := int64(0); i < length; i += step {
						*(*uint64)(unsafe.Add(p, i)) = v
					}
				}
			}
			if left|(stop-out)|(bitpos-read)|int64(rng-1<<16) < 0 {
				break
			}
		}
	}
	s.out = out
	s.bits, s.read = bitpos, read
	s.rng, s.code = rng, code
	s.mainState = state
	d.literals.left = left
	return why
}
