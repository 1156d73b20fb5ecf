package match

import (
	"math/bits"
	"unsafe"
)

// Packed is a match in one word: its distance, at least 1, in the upper 23 bits, and its length in the lower 9.
type Packed uint32

// LengthBits is the number of bits of a Packed that hold its length.
const LengthBits = 9

// MaxLength is the largest length that a Packed can hold.
const MaxLength = 1<<LengthBits - 1

// Length returns the number of equal bytes.
func (m Packed) Length() int { return int(m & MaxLength) }

// Distance returns how many bytes back the equal bytes are.
func (m Packed) Distance() int { return int(m >> LengthBits) }

const (
	hash2Order = 12
	hash3Order = 14

	// Matches of two and three bytes save bits only at distances up to these.
	far2 = 1 << 9
	far3 = 1 << 14
)

// BinTree finds matches of 2 bytes and more in data of at most the window size: for each length, the nearest one that it
// visits. It keeps the strings with the same hash of four bytes in a binary tree: newer ones are above older ones, smaller ones
// to the left of larger ones. A search for a string also inserts it. For matches of two and three bytes, it tries only the
// latest position with the same hash.
//
// A BinTree is not safe for concurrent use. It allocates only in NewBinTree.
type BinTree struct {
	hash2    []uint32
	hash3    []uint32
	hash4    []uint32
	child    []uint32 // by position: the left and the right child
	shift4   uint32
	window   uint32
	distance uint32 // largest distance to find

	// Positions are stored with base added, which grows with each Reset. Entries below base belong to old data, or are 0.
	base uint32
}

// Search limits a search.
type Search struct {
	Depth  int // largest number of nodes visited for a position, at least 1
	Nice   int // a match of this length ends the search, and no matches are returned for positions inside it
	MaxLen int // longest match returned, at most MaxLength and at least Nice
}

func orderOf(window int) int { return min(max(bits.Len(uint(window-1)), 14), 17) }

// BinTreeMemory returns the number of bytes that NewBinTree allocates.
func BinTreeMemory(window int) int64 {
	return 4 * (1<<hash2Order + 1<<hash3Order + 1<<orderOf(window) + 2*int64(window))
}

// NewBinTree returns a BinTree for data of at most window bytes, up to 2 MiB, and for distances of at most distance, which is
// less than window.
func NewBinTree(window, distance int) *BinTree {
	if window < 1 || window > 1<<21 || distance < 1 || distance >= window {
		panic("match: NewBinTree: window or distance out of range")
	}
	return &BinTree{
		hash2:    make([]uint32, 1<<hash2Order),
		hash3:    make([]uint32, 1<<hash3Order),
		hash4:    make([]uint32, 1<<orderOf(window)),
		child:    make([]uint32, 2*window),
		shift4:   uint32(32 - orderOf(window)),
		window:   uint32(window),
		distance: uint32(distance),
		base:     uint32(window),
	}
}

// Reset starts with new data.
func (t *BinTree) Reset() {
	if t.base > 1<<31 {
		clear(t.hash2)
		clear(t.hash3)
		clear(t.hash4)
		t.base = 0
	}
	t.base += t.window
}

// Fill finds the matches at the positions from start to end of the data buf[:size], and inserts these positions. Positions must
// be passed in order, each once. The matches of position start+i are written to matches[ends[i-1]:ends[i]], those of start to
// matches[:ends[0]], with increasing lengths. Positions inside a match of nice length have none. Fill returns the position at
// which it stopped: it stops early, but not inside a match of nice length, when matches may be too small for another position.
//
// buf has at least size+Slack bytes, matches at least Depth+2 entries, and ends at least end-start.
func (t *BinTree) Fill(buf []byte, size, start, end int, s *Search, matches []Packed, ends []uint32) (next int) {
	if size > len(buf)-Slack || size > int(t.window) || start < 0 || end < start || end > size ||
		s.Depth < 1 || s.Nice < 4 || s.MaxLen < s.Nice || s.MaxLen > MaxLength || len(ends) < end-start || len(matches) < s.Depth+2 {
		panic("match: Fill: argument out of range")
	}
	// All indexes below are positions before size, or hashes with as many bits as their tables.
	var (
		data     = unsafe.Pointer(unsafe.SliceData(buf))
		child    = unsafe.Pointer(unsafe.SliceData(t.child))
		hash4    = unsafe.Pointer(unsafe.SliceData(t.hash4))
		hash3    = unsafe.Pointer(unsafe.SliceData(t.hash3))
		hash2    = unsafe.Pointer(unsafe.SliceData(t.hash2))
		shift4   = t.shift4 & 31
		base     = t.base
		distance = t.distance
		full     = len(matches) - s.Depth - 2
		n        = 0
		skip     = uint32(start) // positions before it are inside a match of nice length
		first    = uint32(start)
	)
	for p := uint32(start); p < uint32(end); p++ {
		if p >= skip && n > full {
			return int(p)
		}
		left := uint32(size) - p
		if left < 4 {
			ends[p-first] = uint32(n)
			continue
		}
		maxLen := min(uint32(s.MaxLen), left)
		nice := min(uint32(s.Nice), maxLen)
		cutoff := base
		if p > distance {
			cutoff += p - distance
		}
		here := unsafe.Add(data, p)
		x := *(*uint32)(here)
		h2 := unsafe.Add(hash2, (x&0xFFFF*hashMul)>>(32-hash2Order)*4)
		h3 := unsafe.Add(hash3, (x<<8*hashMul)>>(32-hash3Order)*4)
		h4 := unsafe.Add(hash4, (x*hashMul)>>shift4*4)
		near2, near3, cur := *(*uint32)(h2), *(*uint32)(h3), *(*uint32)(h4)
		*(*uint32)(h2), *(*uint32)(h3), *(*uint32)(h4) = base+p, base+p, base+p
		wanted := p >= skip
		if wanted {
			if near2 >= cutoff {
				d := base + p - near2
				if diff := x ^ *(*uint32)(unsafe.Add(data, p-d)); diff&0xFFFF == 0 && diff&0xFFFFFF != 0 && d <= far2 {
					matches[n] = Packed(d<<LengthBits | 2)
					n++
				}
			}
			if near3 >= cutoff {
				d := base + p - near3
				if diff := x ^ *(*uint32)(unsafe.Add(data, p-d)); diff&0xFFFFFF == 0 && diff != 0 && d <= far3 {
					matches[n] = Packed(d<<LengthBits | 3)
					n++
				}
			}
		}

		// Walk down the tree. Strings smaller than the one at p go to its left side, larger ones to its right; putLeft and
		// putRight point to where the next such subtree is attached. All strings left on a side share with p at least as
		// many bytes as the last one attached there: sameLeft, sameRight.
		putLeft, putRight := unsafe.Add(child, 8*p), unsafe.Add(child, 8*p+4)
		var sameLeft, sameRight uint32
		best := uint32(3)
		for depth := s.Depth; ; depth-- {
			if cur < cutoff || depth == 0 {
				*(*uint32)(putLeft), *(*uint32)(putRight) = 0, 0
				break
			}
			m := cur - base
			there := unsafe.Add(data, m)
			l := min(sameLeft, sameRight)
			for {
				diff := *(*uint64)(unsafe.Add(here, l)) ^ *(*uint64)(unsafe.Add(there, l))
				if diff != 0 {
					l += uint32(bits.TrailingZeros64(diff)) >> 3
					break
				}
				l += 8
				if l >= nice {
					break
				}
			}
			children := unsafe.Add(child, 8*m)
			if l > best {
				if l >= nice {
					*(*uint32)(putLeft), *(*uint32)(putRight) = *(*uint32)(children), *(*uint32)(unsafe.Add(children, 4))
					if wanted {
						for l < maxLen {
							diff := *(*uint64)(unsafe.Add(here, l)) ^ *(*uint64)(unsafe.Add(there, l))
							if diff != 0 {
								l += uint32(bits.TrailingZeros64(diff)) >> 3
								break
							}
							l += 8
						}
						l = min(l, maxLen)
						matches[n] = Packed((p-m)<<LengthBits | l)
						n++
						skip = p + l
					}
					break
				}
				best = l
				if wanted {
					matches[n] = Packed((p-m)<<LengthBits | l)
					n++
				}
			}
			if *(*uint8)(unsafe.Add(there, l)) < *(*uint8)(unsafe.Add(here, l)) {
				*(*uint32)(putLeft) = cur
				putLeft = unsafe.Add(children, 4)
				cur = *(*uint32)(putLeft)
				sameLeft = l
			} else {
				*(*uint32)(putRight) = cur
				putRight = children
				cur = *(*uint32)(putRight)
				sameRight = l
			}
		}
		ends[p-first] = uint32(n)
	}
	return end
}
