package lzms

import "encoding/binary"

// output writes the packed chunk: the units of the range coder from the front, the units that are read backward from the end.
type output struct {
	dst    []byte
	front  int    // offset of the range coder's next unit
	back   int    // offset of the last unit written from the end
	low    uint64 // lower end of the range: 32 bits and a carry
	rng    uint64
	bits   uint64 // the lowest nbits are not yet written, the first of them highest
	nbits  uint
	failed bool // the two streams have met: dst is too small
}

func (o *output) reset(dst []byte) {
	dst = dst[:len(dst)&^1]
	*o = output{dst: dst, back: len(dst), rng: 0xFFFFFFFF}
}

// shift writes the upper 16 bits of low.
func (o *output) shift() {
	o.rng <<= 16
	if o.front+2 > o.back {
		o.failed = true
		o.front = 0 // the output is not used any more
		if o.back < 2 {
			return
		}
	}
	if o.low>>32 != 0 { // the carry propagates through units of all ones
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

// put writes the lowest n bits of v, at most 32, to the backward stream. The other bits of v are 0.
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

// leastPacked is the smallest size of a packed chunk. 7-Zip 26.02 refuses smaller ones.
const leastPacked = 8

// finish writes the remaining bits and joins the two streams. It returns the packed size, or 0 if dst was too small.
//
// 7-Zip reads the range coder's next unit as soon as the range is small, even after the last item, and refuses a chunk unless its code is
// 0 then. So finish writes that unit too, and all bits of low.
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
