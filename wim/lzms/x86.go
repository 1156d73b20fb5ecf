package lzms

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// x86Filter makes addresses in x86 instructions relative again, as unfilterPlain does, or, before packing, absolute, so that all uses
// of one address look alike.
type x86Filter struct {
	// lastUse holds the last use of each address, by its low 16 bits: a position plus base. base grows so much with each chunk that
	// uses in earlier ones are out of reach, so the table need not be cleared.
	lastUse [1 << 16]uint32
	base    uint32
}

// filterPiece is the number of bytes between calls of rest.
const filterPiece = 1 << 20

// run filters a chunk. In both directions it takes the same positions for code and knows the same absolute addresses, so it guesses
// alike. It calls rest, if not nil, now and then; an error from rest stops it.
func (u *x86Filter) run(data []byte, to uint32, rest func() error) error {
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
		at, lastCode = u.translate(data, at, min(at+filterPiece, end), lastCode, to)
		if rest != nil && at < end {
			err = rest()
		}
	}
	u.base += uint32(len(data))
	return err
}

// The directions of translate, which are masks.
const (
	toAbsolute = uint32(0)
	toRelative = ^toAbsolute
)

// translate translates the addresses from i to about stop. lastCode is the last position taken for code. It returns where it stopped
// and the new lastCode.
func (u *x86Filter) translate(data []byte, i, stop, lastCode int64, to uint32) (int64, int64) {
	p := unsafe.Pointer(&data[0])
	base := u.base
	for i < stop {
		// Test eight positions at once. Each test makes a byte zero where it matches; a few bytes that nearly match may pass. Loads
		// reach 10 bytes ahead; at least 17 are left.
		const ones, high = 0x0101010101010101, 0x8080808080808080
		w0 := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i))[:])
		w1 := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i+1))[:])
		w2 := binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i+2))[:])
		mov := w0&(0xFB*ones) ^ 0x48*ones | w1&(0xF9*ones) ^ 0x89*ones | w2&(7*ones) ^ 5*ones // 48 or 4C, 89 8B 8D or 8F, any with 5
		near := w0&(0xFE*ones) ^ 0xE8*ones                                                    // E8 or E9
		call := ^w0 | w1 ^ 0x15*ones                                                          // FF 15
		lock := w0 ^ 0xF0*ones | w1 ^ 0x83*ones                                               // F0 83
		hit := ((mov-ones)&^mov | (near-ones)&^near | (call-ones)&^call | (lock-ones)&^lock) & high
		if hit == 0 {
			i += 8
			continue
		}
		i += int64(bits.TrailingZeros64(hit) >> 3)
		if i >= stop {
			break
		}
		n, reach := int64(1), int64(x86Reach/2)
		b := *(*[4]byte)(unsafe.Add(p, i))
		if b[0] != 0xE8 {
			if b[0] == 0xE9 { // a jump: left alone, but its operand is not searched for instructions
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
			add := uint32(i) ^ to - to // i, or -i
			binary.LittleEndian.PutUint32(operand[:], v+add)
			v += add & to // the absolute address is computed from the relative one
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
