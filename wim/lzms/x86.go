package lzms

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// unfilter makes addresses in x86 instructions relative again, as unfilterPlain does.
type unfilter struct {
	// lastUse has, for the low 16 bits of each address, where it was last used, plus base, which grows from chunk to chunk by so much that
	// uses in earlier ones are out of reach: no need to clear it.
	lastUse [1 << 16]uint32
	base    uint32
}

// run does all of a chunk.
func (u *unfilter) run(data []byte) {
	if len(data) < x86MinSize {
		return
	}
	gap := uint64(x86Window + 1)
	if uint64(u.base)+gap+uint64(len(data)) > 1<<32-1 {
		u.base = 0
		clear(u.lastUse[:])
	}
	u.base += uint32(gap)
	u.translate(data)
	u.base += uint32(len(data))
}

func (u *unfilter) translate(data []byte) {
	p := unsafe.Pointer(&data[0])
	end := int64(len(data) - x86Tail)
	lastCode := int64(-x86Reach - 1)
	base := u.base
	for i := int64(1); i < end; {
		// Eight places at once. Each test makes a byte zero where it matches; a few bytes that nearly match may pass. Loads reach 10 bytes
		// on, of at least 17.
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
		if i >= end {
			break
		}
		n, reach := int64(1), int64(x86Reach/2)
		b := *(*[4]byte)(unsafe.Add(p, i))
		if b[0] != 0xE8 {
			if b[0] == 0xE9 { // a jump: left alone, but what follows is an address and no instruction
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
			v -= uint32(i)
			binary.LittleEndian.PutUint32(operand[:], v)
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
}
