package lzms

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// filterPiece is how many bytes are gone over between calls of rest.
const filterPiece = 1 << 20

// filter makes relative addresses in x86 instructions absolute, so that uses of one address look alike: what unfilterPlain undoes. It goes over the
// bytes as that does, and as it takes the same places for code and knows the same addresses, it guesses alike. rest, unless it is nil, is called now
// and then, and its error ends the work.
func (u *unfilter) filter(data []byte, rest func() error) error {
	if len(data) < x86MinSize {
		return nil
	}
	gap := uint64(x86Window + 1)
	if uint64(u.base)+gap+uint64(len(data)) > 1<<32-1 {
		u.base = 0
		clear(u.lastUse[:])
	}
	u.base += uint32(gap)
	var err error
	end := int64(len(data) - x86Tail)
	for at, lastCode := int64(1), int64(-x86Reach-1); at < end && err == nil; {
		at, lastCode = u.toAbsolute(data, at, min(at+filterPiece, end), lastCode)
		if rest != nil && at < end {
			err = rest()
		}
	}
	u.base += uint32(len(data))
	return err
}

// toAbsolute is translate the other way, from i on up to about stop; see there for how it finds instructions. It gives where it stopped and
// the latest place that was taken for code, as it takes them.
func (u *unfilter) toAbsolute(data []byte, i, stop, lastCode int64) (int64, int64) {
	p := unsafe.Pointer(&data[0])
	end := int64(len(data) - x86Tail)
	base := u.base
	for i < stop {
		const ones, high = 0x0101010101010101, 0x8080808080808080
		w0 := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i))[:])
		w1 := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i+1))[:])
		w2 := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i+2))[:])
		mov := w0&(0xFB*ones) ^ 0x48*ones | w1&(0xF9*ones) ^ 0x89*ones | w2&(7*ones) ^ 5*ones
		near := w0&(0xFE*ones) ^ 0xE8*ones
		call := ^w0 | w1 ^ 0x15*ones
		lock := w0 ^ 0xF0*ones | w1 ^ 0x83*ones
		hit := ((mov-ones)&^mov | (near-ones)&^near | (call-ones)&^call | (lock-ones)&^lock) & high
		if hit == 0 {
			i += 8
			continue
		}
		i += int64(bits.TrailingZeros64(hit) >> 3)
		if i >= end {
			break
		}
		n, reach := int64(1), int64(x86Reach/2)
		b := *(*[4]byte)(unsafe.Add(p, i))
		if b[0] != 0xE8 {
			if b[0] == 0xE9 {
				i += 5
				continue
			}
			var size int
			size, _ = x86Opcode(b[:3])
			if size == 0 {
				i++
				continue
			}
			n, reach = int64(size), x86Reach
		}
		operand := (*[4]byte)(unsafe.Add(p, i+n))
		v := binary.LittleEndian.Uint32(operand[:])
		if i-lastCode <= reach {
			binary.LittleEndian.PutUint32(operand[:], v+uint32(i))
		}
		use := &u.lastUse[uint16(uint32(i)+v)]
		i += n + 3
		at := uint32(i) + base
		if at-*use <= x86Window {
			lastCode = i
		}
		*use = at
		i++
	}
	return i, lastCode
}
