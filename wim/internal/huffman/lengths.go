package huffman

// LengthBuilder chooses code lengths for encoders. It takes about 45 KiB. It is not safe for concurrent use. The zero value is
// ready.
type LengthBuilder struct {
	keys, spare [1024]uint64                     // of which MaxSyms are used; a power of two needs no bounds check
	weights     [1024]uint64                     // weights of leaves, then of inner nodes, then their parents and depths
	lists       [2][2 * MaxSyms]uint64           // weights of the lists of two levels
	leaf        [MaxLen][2 * MaxSyms / 64]uint64 // by level and index in its list: whether that is a leaf
}

// symBits is the size of a symbol in a sorting key, below its count.
const symBits = 10

// Build sets lens to the code lengths, each at most maxLen (1 to MaxLen), that take the fewest bits for symbols with these
// frequencies. A symbol of frequency 0 gets length 0. lens and freqs have the same size, at most MaxSyms, and at most 1<<maxLen
// symbols occur.
//
// The code is complete, because every decoder demands that, or empty if no symbol occurs. If a single symbol occurs, symbol 0,
// or else 1, gets the other code of one bit. Of equally frequent symbols, an earlier one has a code at least as long as a later
// one.
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
	// Keys are sorted, the rarest first. Those get the longest codes.
	i := 0
	for l := maxLen; l > 0; l-- {
		for end := i + count[l]; i < end; i++ {
			lens[b.keys[i&1023]&(1<<symBits-1)] = uint8(l)
		}
	}
}

// sort sets keys to the n symbols that occur, the rarest first, equally frequent ones in their own order.
func (b *LengthBuilder) sort(freqs []uint32) (n int) {
	var low, high [256]uint16 // how often each value of the two lower bytes of the counts occurs
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
	// Counts of 65536 or more occur only in large blocks.
	for shift := uint(16); shift < 32 && all>>shift != 0; shift += 8 {
		clear(low[:])
		for _, k := range b.keys[:n] {
			low[uint8(k>>(symBits+shift))]++
		}
		b.pass(&low, n, symBits+shift)
	}
	return n
}

// pass sorts the first n keys by the byte at shift and keeps the order of equal ones. count holds how often each value of the
// byte occurs.
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

// unlimited sets count to the number of codes of each length in the best code for the n sorted keys, n >= 2, and reports whether
// no length exceeds maxLen. This is Huffman's algorithm in one array, after Moffat and Katajainen, "In-Place Calculation of
// Minimum-Redundancy Codes" (1995).
func (b *LengthBuilder) unlimited(count *[MaxLen + 1]int, n, maxLen int) bool {
	w := &b.weights
	for i := range n {
		w[i&1023] = b.keys[i&1023] >> symBits
	}
	// Inner nodes are made in the order of their weights, each from the two lightest of the leaves and inner nodes that
	// have no parent yet. Node next overwrites a leaf that already has a parent.
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
	// Depths from the root down. The nodes of a depth that are not inner nodes are leaves.
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

// limited does the same for codes of at most maxLen bits, by the package-merge algorithm: Larmore and Hirschberg, "A Fast
// Algorithm for Optimal Length-Limited Huffman Codes" (1990). Few codes need it.
//
// Each level has a list: the leaves, and the pairs of the list before, in the order of their weights. The first 2n-2 entries of
// the last list are chosen, and of each list before, both halves of each chosen pair. The length of a leaf's code is the number
// of lists in which it is chosen.
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
	// The leaves chosen from a list are its lightest ones, so their number is enough.
	for level := maxLen - 1; level >= 0; level-- {
		leaves := 0
		for i := range size {
			leaves += int(b.leaf[level][i/64] >> (i & 63) & 1)
		}
		// old-leaves leaves are chosen in each list after this one, but not in this one. That is the length of their codes.
		if level < maxLen-1 {
			count[maxLen-1-level] = old - leaves
		}
		old = leaves
		size = 2 * (size - leaves)
	}
	count[maxLen] = old
}

// Codes sets codes to the canonical codes for lens, each at most MaxLen, in the low bits of an entry. A code is written from its
// highest bit on. codes has at least the size of lens.
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
