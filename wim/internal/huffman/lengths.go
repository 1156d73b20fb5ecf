package huffman

// LengthBuilder chooses code lengths for encoders. It holds the working space for that, about 45 KiB, and is for one
// goroutine at a time. The zero value is ready.
type LengthBuilder struct {
	keys, spare [1024]uint64                     // of which MaxSyms are used; a power of two needs no bounds check
	weights     [1024]uint64                     // of leaves, then of inner nodes, then their parents and depths
	lists       [2][2 * MaxSyms]uint64           // weights of two levels' lists
	leaf        [MaxLen][2 * MaxSyms / 64]uint64 // by level and place in its list: whether that is a leaf
}

// symBits is the size of a symbol in a sorting key, below its count.
const symBits = 10

// Build fills lens with the lengths, at most maxLen (1 to MaxLen) each, of the code that takes the fewest bits for
// symbols that occur as often as freqs say; those that do not occur get 0. There are as many lens as freqs, at most
// MaxSyms, and at most 1<<maxLen that occur.
//
// The code is complete, as every decoder wants it, or empty if nothing occurs. A single symbol therefore gets a
// neighbour, symbol 0 or else 1, with the other code of one bit. Of symbols that occur equally often, an earlier one's
// code is at least as long as a later one's.
func (b *LengthBuilder) Build(lens []uint8, freqs []uint32, maxLen int) {
	if len(lens) != len(freqs) || len(lens) > MaxSyms || len(lens) < 2 || maxLen < 1 || maxLen > MaxLen {
		panic("huffman: LengthBuilder: wrong sizes") // the codec's own sizes are wrong, whatever the input
	}
	clear(lens)
	n := b.sort(freqs)
	switch {
	case n == 0:
		return
	case n == 1:
		sym := b.keys[0] & (1<<symBits - 1)
		lens[sym] = 1
		if sym == 0 {
			lens[1] = 1
		} else {
			lens[0] = 1
		}
		return
	case n > 1<<maxLen:
		panic("huffman: LengthBuilder: more symbols than codes")
	}
	var count [MaxLen + 1]int
	if !b.unlimited(&count, n, maxLen) {
		b.limited(&count, n, maxLen)
	}
	// The rarest come first and get the longest codes.
	i := 0
	for l := maxLen; l > 0; l-- {
		for end := i + count[l]; i < end; i++ {
			lens[b.keys[i&1023]&(1<<symBits-1)] = uint8(l)
		}
	}
}

// sort fills keys with the n symbols that occur, rarest first, equal ones in their own order.
func (b *LengthBuilder) sort(freqs []uint32) (n int) {
	var low, high [256]uint16 // how often each value of the counts' lower bytes occurs
	all := uint32(0)
	for sym, f := range freqs {
		if f == 0 {
			continue
		}
		b.keys[n&1023] = uint64(f)<<symBits | uint64(sym)
		n++
		low[uint8(f)]++
		high[uint8(f>>8)]++
		all |= f
	}
	b.pass(&low, n, symBits)
	if all>>8 != 0 {
		b.pass(&high, n, symBits+8)
	}
	// Counts of 65536 and more are those of large blocks only.
	for shift := uint(16); shift < 32 && all>>shift != 0; shift += 8 {
		clear(low[:])
		for _, k := range b.keys[:n] {
			low[uint8(k>>(symBits+shift))]++
		}
		b.pass(&low, n, symBits+shift)
	}
	return n
}

// pass sorts the first n keys by the byte at shift, keeping the order of equal ones; count says how often each value of
// the byte occurs.
func (b *LengthBuilder) pass(count *[256]uint16, n int, shift uint) {
	at := uint16(0)
	for i, c := range count {
		count[i] = at
		at += c
	}
	copy(b.spare[:n&1023], b.keys[:n&1023])
	for i := range n {
		k := b.spare[i&1023]
		d := uint8(k >> (shift & 63))
		b.keys[count[d]&1023] = k
		count[d]++
	}
}

// unlimited counts the code lengths that are best for the n sorted keys, n >= 2, and says whether all are at most
// maxLen. This is Huffman's algorithm in one array, after Moffat and Katajainen, "In-Place Calculation of
// Minimum-Redundancy Codes" (1995).
func (b *LengthBuilder) unlimited(count *[MaxLen + 1]int, n, maxLen int) bool {
	w := &b.weights
	for i := range n {
		w[i&1023] = b.keys[i&1023] >> symBits
	}
	// Inner nodes come about in the order of their weights, each from the two lightest of the leaves and inner nodes
	// that have no parent yet. Node next takes the place of a leaf that has one.
	leaf, inner := 0, 0
	for next := range n - 1 {
		var sum uint64
		for range 2 {
			if leaf >= n || inner < next && w[inner&1023] < w[leaf&1023] {
				sum += w[inner&1023]
				w[inner&1023] = uint64(next) // its parent
				inner++
			} else {
				sum += w[leaf&1023]
				leaf++
			}
		}
		w[next&1023] = sum
	}
	// Depths from the root down; the leaves of a depth are what its inner nodes leave over.
	w[(n-2)&1023] = 0
	for i := n - 3; i >= 0; i-- {
		w[i&1023] = w[w[i&1023]&1023] + 1
	}
	nodes, depth := 1, 0
	i := n - 2
	for nodes > 0 {
		had := 0
		for i >= 0 && w[i&1023] == uint64(depth) {
			had++
			i--
		}
		if leaves := nodes - had; leaves > 0 {
			if depth > maxLen {
				return false
			}
			count[depth] = leaves
		}
		nodes = 2 * had
		depth++
	}
	return true
}

// limited does the same where a length must not be more than maxLen, by the package-merge algorithm: Larmore and
// Hirschberg, "A Fast Algorithm for Optimal Length-Limited Huffman Codes" (1990). Few codes need it.
//
// Level after level, a list is made of the leaves and of the pairs of the list before, in the order of their weights. Of
// the last list the first 2n-2 are taken, and of each list before, both halves of each pair taken. A leaf's code is as
// long as the number of lists of which it is taken.
func (b *LengthBuilder) limited(count *[MaxLen + 1]int, n, maxLen int) {
	clear(count[:])
	old, size := 0, 0
	for level := range maxLen {
		prev, list := b.lists[level&1][:size], &b.lists[level&1^1]
		clear(b.leaf[level][:])
		pairs := size / 2
		leaf, pair := 0, 0
		for size = 0; (leaf < n || pair < pairs) && size < 2*n-2; size++ {
			weight := ^uint64(0)
			if leaf < n {
				weight = b.keys[leaf&1023] >> symBits
			}
			if pair < pairs {
				if sum := prev[2*pair] + prev[2*pair+1]; sum < weight {
					list[size] = sum
					pair++
					continue
				}
			}
			list[size] = weight
			leaf++
			b.leaf[level][size/64] |= 1 << (size & 63)
		}
	}
	// The leaves that are taken of a list are the lightest ones, so it is enough to know how many.
	for level := maxLen - 1; level >= 0; level-- {
		leaves := 0
		for i := range size {
			leaves += int(b.leaf[level][i/64] >> (i & 63) & 1)
		}
		// Leaves up to this one have one list more than those up to the one before.
		if level < maxLen-1 {
			count[maxLen-1-level] = old - leaves
		}
		old = leaves
		size = 2 * (size - leaves)
	}
	count[maxLen] = old
}

// Codes fills codes with the canonical codes of the lengths lens, each at most MaxLen, in the lowest bits of an entry;
// they are written from the highest bit on. There are as many codes as lens.
func Codes(codes []uint16, lens []uint8) {
	var next [MaxLen + 1]uint32
	for _, l := range lens {
		next[l]++
	}
	next[0] = 0
	code := uint32(0)
	for l := 1; l <= MaxLen; l++ {
		n := next[l]
		code <<= 1
		next[l] = code
		code += n
	}
	codes = codes[:len(lens)]
	for sym, l := range lens {
		codes[sym] = uint16(next[l])
		if l != 0 {
			next[l]++
		}
	}
}
