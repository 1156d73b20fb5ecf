package lzms

import "encoding/binary"

// output is where the packed chunk goes: units of the range coder from the front, and those of bits that are read backward from the
// end.
type output struct {
	dst    []byte
	front  int    // where the range coder's next unit goes
	back   int    // where the units from the end start
	low    uint64 // the range coder's lower end: 32 bits and a carry
	rng    uint64
	bits   uint64 // bits not yet written, the first of them highest, at the bottom
	nbits  uint
	failed bool // the two have met
}

func (o *output) reset(dst []byte) {
	dst = dst[:len(dst)&^1]
	*o = output{dst: dst, back: len(dst), rng: 0xFFFFFFFF}
}

// shift writes the range coder's upper 16 bits.
func (o *output) shift() {
	o.rng <<= 16
	if o.front+2 > o.back {
		o.failed = true
		o.front = 0 // what follows is not used
		if o.back < 2 {
			return
		}
	}
	if o.low>>32 != 0 { // the carry goes up through units that are all ones
		for i := o.front - 2; i >= 0; i -= 2 {
			u := binary.LittleEndian.Uint16(o.dst[i:]) + 1
			binary.LittleEndian.PutUint16(o.dst[i:], u)
			if u != 0 {
				break
			}
		}
	}
	binary.LittleEndian.PutUint16(o.dst[o.front:], uint16(o.low>>16))
	o.front += 2
	o.low = o.low & 0xFFFF << 16
}

// put writes n bits of v, at most 32, that are read backward. v has no others.
func (o *output) put(v uint64, n uint) {
	o.bits = o.bits<<n | v
	o.nbits += n
	for o.nbits >= 16 {
		o.nbits -= 16
		o.unit(uint16(o.bits >> o.nbits))
	}
}

func (o *output) unit(u uint16) {
	if o.back-2 < o.front {
		o.failed = true
		o.back = len(o.dst)
		if o.back-2 < o.front {
			return
		}
	}
	o.back -= 2
	binary.LittleEndian.PutUint16(o.dst[o.back:], u)
}

// leastPacked is how short a packed chunk gets: 7-Zip 26.02 refuses shorter ones.
const leastPacked = 8

// finish writes what is left and brings the two together. It gives the packed size, or 0 if dst was too small.
//
// A decoder that takes in the next unit before it needs it, as 7-Zip does, must find one of the range coder there too, and the coder's
// lower end to the last bit: it refuses a chunk where that is not what it has then.
func (o *output) finish() int {
	if o.rng <= 0xFFFF {
		o.shift()
	}
	o.shift()
	o.shift()
	if o.nbits > 0 {
		o.unit(uint16(o.bits << (16 - o.nbits)))
	}
	if o.failed {
		return 0
	}
	for o.front+len(o.dst)-o.back < leastPacked {
		if o.front == o.back {
			return 0
		}
		binary.LittleEndian.PutUint16(o.dst[o.front:], 0)
		o.front += 2
	}
	return o.front + copy(o.dst[o.front:], o.dst[o.back:])
}
