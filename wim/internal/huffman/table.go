package huffman

import "unsafe"

// A table has a root of 1<<rootBits entries, indexed by the next rootBits bits, and then subtables for longer codes, each of
// 1<<(maxLen-rootBits) entries, indexed by the bits after those.
//
// The entry of a symbol is its template, which the codec sets, plus the length of its whole code in the low five bits. A root
// entry that leads to a subtable is Link plus the index of the subtable shifted left by LinkShift.
const (
	LenMask   = 31
	Link      = 1 << 31 // set in no template
	LinkShift = 5
	MaxSyms   = 656 // LZX's main code of a 2 MiB window

	// None is every root entry of an empty code: a link to index 0, where no subtable can be.
	None = Link
)

// TableSize returns the number of entries of a table that is large enough for any code of syms symbols of at most maxLen bits.
// Only complete codes have subtables, so each subtable holds at least two symbols.
func TableSize(syms int, rootBits, maxLen uint) int {
	if maxLen == rootBits {
		return 1 << rootBits
	}
	return 1<<rootBits + syms/2<<(maxLen-rootBits)
}

// Builder builds tables. It holds the working space for that. The zero value is ready.
type Builder struct {
	sorted [1024]uint16 // of which MaxSyms are used; a power of two needs no bounds check
}

// Build fills table for the code with these lengths, and returns the shape of the code. Each length is at most maxLen
// (3 <= rootBits <= maxLen <= MaxLen). len(lens) is a multiple of eight, padded with zeros, and at most MaxSyms. templates has at
// least as many entries, table at least TableSize(len(lens), rootBits, maxLen). An empty code fills the root with None. For an
// Incomplete or Overfull code, Build does not write table.
//
// Tables are built for each chunk or block, so this is nearly as hot as decoding. Loops are unrolled where that is cheap, because
// each turn of a loop is expensive in Go's WebAssembly.
func (b *Builder) Build(table []uint32, lens []uint8, templates []uint32, rootBits, maxLen uint) Shape {
	syms := len(lens)
	if syms > MaxSyms || syms%8 != 0 || len(templates) < syms || rootBits < 3 || maxLen < rootBits || maxLen > MaxLen ||
		len(table) < TableSize(syms, rootBits, maxLen) {
		panic("huffman: Build: wrong sizes") // the codec's own sizes are wrong, whatever the input
	}
	// Count the symbols of each length, then sort them by length. There are two sets of counters, so that a run of equal
	// lengths does not wait for one counter.
	var even, odd, next [32]uint16
	in := unsafe.Pointer(unsafe.SliceData(lens))
	for i := 0; i < syms; i += 8 {
		x := *(*uint64)(unsafe.Add(in, i))
		if x == 0 {
			continue
		}
		even[x&31]++
		odd[x>>8&31]++
		even[x>>16&31]++
		odd[x>>24&31]++
		even[x>>32&31]++
		odd[x>>40&31]++
		even[x>>48&31]++
		odd[x>>56&31]++
	}
	var sum uint64
	at := uint16(0)
	for l := uint(1); l <= MaxLen; l++ {
		n := even[l] + odd[l]
		even[l] = n
		next[l] = at
		at += n
		sum += uint64(n) << (MaxLen - l)
		if l > maxLen && n != 0 {
			return Overfull // not reached: the lengths of the codecs fit
		}
	}
	shape := shapeOfSum(sum)
	rootSize := 1 << rootBits
	if shape == Empty {
		for i := range table[:rootSize] {
			table[i] = None
		}
	}
	if shape != Complete {
		return shape
	}
	// next[0] puts unused symbols after the used ones, so that the sort needs no branch.
	next[0] = at
	sorted := &b.sorted
	for i := 0; i < syms; i += 8 {
		x := *(*uint64)(unsafe.Add(in, i))
		if x == 0 {
			continue
		}
		sym := uint16(i)
		l := x & 31
		k := next[l]
		next[l] = k + 1
		sorted[k&1023] = sym
		l = x >> 8 & 31
		k = next[l]
		next[l] = k + 1
		sorted[k&1023] = sym + 1
		l = x >> 16 & 31
		k = next[l]
		next[l] = k + 1
		sorted[k&1023] = sym + 2
		l = x >> 24 & 31
		k = next[l]
		next[l] = k + 1
		sorted[k&1023] = sym + 3
		l = x >> 32 & 31
		k = next[l]
		next[l] = k + 1
		sorted[k&1023] = sym + 4
		l = x >> 40 & 31
		k = next[l]
		next[l] = k + 1
		sorted[k&1023] = sym + 5
		l = x >> 48 & 31
		k = next[l]
		next[l] = k + 1
		sorted[k&1023] = sym + 6
		l = x >> 56 & 31
		k = next[l]
		next[l] = k + 1
		sorted[k&1023] = sym + 7
	}

	// Codes increase in this order, so each length fills the entries right after those of the length before. The code is
	// complete, so the root is never overfilled.
	base := unsafe.Pointer(unsafe.SliceData(table))
	from := unsafe.Pointer(unsafe.SliceData(templates))
	to := uintptr(0) // in bytes of table
	k := 0
	for l := uint(1); l <= rootBits; l++ {
		end := k + int(even[l])
		switch fill := uintptr(4) << (rootBits - l); fill {
		case 4:
			for ; k < end; k++ {
				*(*uint32)(unsafe.Add(base, to)) = *(*uint32)(unsafe.Add(from, uintptr(sorted[k&1023])<<2)) + uint32(l)
				to += 4
			}
		case 8:
			for ; k < end; k++ {
				e := uint64(*(*uint32)(unsafe.Add(from, uintptr(sorted[k&1023])<<2)) + uint32(l))
				*(*uint64)(unsafe.Add(base, to)) = e<<32 | e
				to += 8
			}
		case 16:
			for ; k < end; k++ {
				e := uint64(*(*uint32)(unsafe.Add(from, uintptr(sorted[k&1023])<<2)) + uint32(l))
				e |= e << 32
				*(*uint64)(unsafe.Add(base, to)) = e
				*(*uint64)(unsafe.Add(base, to+8)) = e
				to += 16
			}
		default:
			for ; k < end; k++ {
				e := uint64(*(*uint32)(unsafe.Add(from, uintptr(sorted[k&1023])<<2)) + uint32(l))
				e |= e << 32
				for stop := to + fill; to < stop; to += 32 {
					*(*uint64)(unsafe.Add(base, to)) = e
					*(*uint64)(unsafe.Add(base, to+8)) = e
					*(*uint64)(unsafe.Add(base, to+16)) = e
					*(*uint64)(unsafe.Add(base, to+24)) = e
				}
			}
		}
	}

	// The rest of the root are links. The subtables follow one after the other, and each is filled exactly.
	sub := 1 << (maxLen - rootBits)
	pos := rootSize
	for i := int(to >> 2); i < rootSize; i++ {
		table[i] = Link | uint32(pos)<<LinkShift
		pos += sub
	}
	pos = rootSize
	for l := rootBits + 1; l <= maxLen; l++ {
		fill := 1 << (maxLen - l)
		for end := k + int(even[l]); k < end; k++ {
			e := templates[sorted[k&1023]] + uint32(l)
			for stop := pos + fill; pos < stop; pos++ {
				table[pos] = e
			}
		}
	}
	return Complete
}
