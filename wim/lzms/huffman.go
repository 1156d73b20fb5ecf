package lzms

import (
	"math"
	"math/bits"
	"unsafe"
)

const (
	rootBits  = 11  // largest number of bits that index a code's table
	smallFreq = 256 // symbols with this count or more are not grouped
	maxBig    = 16  // there are fewer of those: counts add up to less than 4000 (two intervals, and two for each symbol)
	maxGroups = smallFreq + maxBig
)

// huff is an adaptive Huffman code, with its decoding table.
type huff struct {
	// table is indexed by the next root bits: symbol<<4 | length of its code, or 0 if the code is longer. Then limit, index and
	// order give the symbol.
	table [1 << rootBits]uint16
	freq  [1024]uint16            // counts of symbols; older ones count less
	order [1024]uint16            // symbols by length of code, then by number
	limit [maxCodeBits + 1]uint32 // by length: the first code, as 15 bits, that is longer
	index [maxCodeBits + 1]uint32 // by length: index in order of its first symbol, less the code of that; wraps around

	left     int64 // symbols until it is rebuilt, less one; below 0 it is due
	interval int64
	n        int // symbols
	nbig     int // symbols in workspace.big, after build
	root     uint
}

// workspace is the working space of build.
type workspace struct {
	hist [2][smallFreq]uint16  // by small count: number of symbols; two, so that one update need not wait for the other
	next [512]uint32           // by count: symbols that still get codes of a length, number<<4 | length; big counts from smallFreq on
	leaf [maxGroups + 1]leaves // the rarest first; one more as a sentinel
	node [maxOffsets + 1]nodes // likewise
	big  [maxBig]struct{ freq, sym uint32 }
}

// leaves is a group of equally frequent symbols, left of which have no parent yet.
type leaves struct{ weight, count, left uint32 }

// nodes is a group of inner nodes of equal weight, made one after the other, left of which have no parent yet. Of the two children of
// each, inner are inner nodes.
type nodes struct{ weight, count, left, inner uint32 }

// reset makes a code of n equally likely symbols.
func (h *huff) reset(w *workspace, n int, interval int64, root uint) {
	h.n, h.interval, h.root = n, interval, root
	for i := range h.freq[:n] {
		h.freq[i] = 1
	}
	h.build(w)
}

// rebuild makes the code for the counts so far, and halves them.
func (h *huff) rebuild(w *workspace) {
	h.build(w)
	p := unsafe.Pointer(&h.freq)
	for i := 0; i < h.n; i += 4 { // four counts at a time; those past n do not matter, and there are 1024
		f := (*uint64)(unsafe.Add(p, i*2))
		*f = *f>>1&0x7FFF7FFF7FFF7FFF + 0x0001000100010001
	}
	for _, b := range w.big[:h.nbig] { // build has replaced these in freq
		h.freq[b.sym&1023] = uint16(b.freq>>1 + 1)
	}
}

// build makes the same code as plainCode.build in a fraction of the time: of the tree it keeps only the number of leaves at each
// depth; equally frequent symbols, of which there are many, go into it together; and symbols are not sorted. It overwrites counts
// of smallFreq or more in freq; rebuild restores them.
func (h *huff) build(w *workspace) {
	h.left = h.interval - 1

	// Groups of equally frequent symbols, the rarest first.
	n := h.n
	padded := (n + 3) &^ 3
	for i := n; i < padded; i++ {
		h.freq[i&1023] = 0
	}
	clear(w.hist[0][:])
	clear(w.hist[1][:])
	p := unsafe.Pointer(&h.freq)
	many := uint64(0)
	for i := 0; i < padded; i += 4 {
		f := *(*uint64)(unsafe.Add(p, i*2))
		many |= f
		w.hist[0][f&0xFF]++
		w.hist[1][f>>16&0xFF]++
		w.hist[0][f>>32&0xFF]++
		w.hist[1][f>>48&0xFF]++
	}
	nbig := 0
	if many&0xFF00FF00FF00FF00 != 0 {
		nbig = h.findBig(w)
	}
	h.nbig = nbig
	w.hist[0][0], w.hist[1][0] = 0, 0 // entries past the last symbol
	groups := 0
	h0, h1 := unsafe.Pointer(&w.hist[0]), unsafe.Pointer(&w.hist[1])
	for f := 0; f < smallFreq; f += 4 {
		c := *(*uint64)(unsafe.Add(h0, f*2)) + *(*uint64)(unsafe.Add(h1, f*2))
		for c != 0 {
			i := bits.TrailingZeros64(c) >> 4
			count := uint32(c>>(i*16&63)) & 0xFFFF
			c &^= 0xFFFF << (i * 16 & 63)
			w.leaf[groups] = leaves{uint32(f + i), count, count}
			groups++
		}
	}
	small := groups
	for _, b := range w.big[:nbig] {
		w.leaf[groups] = leaves{b.freq, 1, 1}
		groups++
	}
	w.leaf[groups].weight = noWeight

	counts := w.depths()

	// The rarest symbols get the longest codes. Those of one group get one length, or two successive ones, the lower symbols the
	// longer. Only a tree that was too deep may be different: odd.
	length, have, odd := uint32(maxCodeBits), counts[maxCodeBits], false
	for i := range groups {
		g := &w.leaf[i]
		for have == 0 {
			length--
			have = counts[length&15]
		}
		first := min(g.count, have)
		at := g.weight
		if i >= small {
			at = uint32(smallFreq + i - small)
		}
		w.next[at&511] = first<<4 | length
		have -= first
		for rest := g.count - first; rest > 0; {
			was := length
			for have == 0 {
				length--
				have = counts[length&15]
			}
			t := min(rest, have)
			odd = odd || was-length != 1 || t < rest
			rest -= t
			have -= t
		}
	}

	w.next[0] = 0 // entries past the last symbol have length 0

	// Where the codes and symbols of each length start.
	var next [maxCodeBits + 1]uint32
	next[0] = uint32(n)
	code, at := uint32(0), uint32(0)
	for l := 1; l <= maxCodeBits; l++ {
		next[l] = at
		h.index[l] = at - code>>(maxCodeBits-l)
		code += counts[l] << (maxCodeBits - l)
		h.limit[l] = code
		at += counts[l]
	}

	// Symbols in the order of their codes.
	if odd {
		h.oddOrder(w, groups, small, &counts, &next)
	} else {
		for sym := 0; sym < padded; sym += 4 { // entries past the last symbol go past it in order too: next[0] is for them
			f := *(*uint64)(unsafe.Add(p, sym*2))
			at := f & 511
			g := w.next[at]
			left := g - 1<<4
			w.next[at] = left - (left>>4-1)>>31 // after the last symbol of the first length, the next length is one shorter
			to := next[g&15]
			next[g&15] = to + 1
			h.order[to&1023] = uint16(sym)

			at = f >> 16 & 511
			g = w.next[at]
			left = g - 1<<4
			w.next[at] = left - (left>>4-1)>>31
			to = next[g&15]
			next[g&15] = to + 1
			h.order[to&1023] = uint16(sym + 1)

			at = f >> 32 & 511
			g = w.next[at]
			left = g - 1<<4
			w.next[at] = left - (left>>4-1)>>31
			to = next[g&15]
			next[g&15] = to + 1
			h.order[to&1023] = uint16(sym + 2)

			at = f >> 48 & 511
			g = w.next[at]
			left = g - 1<<4
			w.next[at] = left - (left>>4-1)>>31
			to = next[g&15]
			next[g&15] = to + 1
			h.order[to&1023] = uint16(sym + 3)
		}
	}
	h.fill(&counts)
}

// oddOrder sorts symbols by their codes, whatever lengths the symbols of one group have.
func (h *huff) oddOrder(w *workspace, groups, small int, counts, next *[maxCodeBits + 1]uint32) {
	var lengths [1024]uint8
	length, have := maxCodeBits, counts[maxCodeBits]
	for i := range groups {
		f := uint16(w.leaf[i].weight)
		if i >= small {
			f = uint16(smallFreq + i - small)
		}
		for sym, g := range h.freq[:h.n] {
			if g != f {
				continue
			}
			for have == 0 {
				length--
				have = counts[length&15]
			}
			have--
			lengths[sym] = uint8(length)
		}
	}
	for sym := range h.n {
		l := lengths[sym&1023] & 15
		h.order[next[l]&1023] = uint16(sym)
		next[l]++
	}
}

// findBig removes the counts of smallFreq or more from hist, sorts them into big, and replaces each in freq by smallFreq plus its
// index there. It returns their number.
func (h *huff) findBig(w *workspace) (n int) {
	for sym, f := range h.freq[:h.n] {
		if f < smallFreq {
			continue
		}
		w.hist[sym&1][f&0xFF]--
		i := n
		n++
		for ; i > 0 && w.big[i-1].freq > uint32(f); i-- {
			w.big[i] = w.big[i-1]
		}
		w.big[i].freq, w.big[i].sym = uint32(f), uint32(sym)
	}
	for i, b := range w.big[:n] {
		h.freq[b.sym&1023] = uint16(smallFreq + i)
	}
	return n
}

const noWeight = math.MaxUint32 // of the sentinels

// depths builds the Huffman tree of the groups of leaves and returns the number of codes of each length, by the same rules as
// plainCode.build and limitPlain.
func (w *workspace) depths() (counts [maxCodeBits + 1]uint32) {
	li, ni, made := 0, 0, 0
	w.node[0].weight = noWeight
	for {
		// The two lightest without a parent get one, and so do all further pairs of the same weight. Of equal weights, a leaf
		// comes before an inner node.
		leaf, inner := &w.leaf[li], &w.node[ni]
		var n nodes
		if leaf.weight <= inner.weight {
			if pairs := leaf.left / 2; pairs > 0 {
				n = nodes{2 * leaf.weight, pairs, pairs, 0}
				leaf.left &= 1
				li += int(leaf.left ^ 1)
				w.node[made] = n
				made++
				w.node[made].weight = noWeight
				continue
			}
			n.weight = leaf.weight
			li++
			leaf = &w.leaf[li]
		} else {
			if pairs := inner.left / 2; pairs > 0 {
				n = nodes{2 * inner.weight, pairs, pairs, 2}
				inner.left &= 1
				ni += int(inner.left ^ 1)
				w.node[made] = n
				made++
				w.node[made].weight = noWeight
				continue
			}
			n.weight = inner.weight
			n.inner = 1
			ni++
			inner = &w.node[ni]
		}
		if leaf.weight <= inner.weight {
			if leaf.weight == noWeight {
				break // the node before was the root
			}
			n.weight += leaf.weight
			leaf.left--
			li += int((leaf.left - 1) >> 31)
		} else {
			n.weight += inner.weight
			n.inner++
			inner.left--
			ni += int((inner.left - 1) >> 31)
		}
		n.count, n.left = 1, 1
		w.node[made] = n
		made++
		w.node[made].weight = noWeight
	}

	// Backward from the root, in the reverse order of making, inner nodes lie deeper and deeper.
	at, left := made-1, uint32(1)
	here := uint32(1) // inner nodes of one depth
	for depth := 1; ; depth++ {
		below := uint32(0) // inner nodes among their children, which lie at depth
		for n := here; n > 0; {
			t := min(n, left)
			below += t * w.node[at].inner
			n -= t
			left -= t
			if left == 0 && at > 0 {
				at--
				left = w.node[at].count
			}
		}
		if depth == maxCodeBits {
			counts[depth] = 2 * here
			for ; at > 0; at-- {
				left += w.node[at-1].count
			}
			for range left { // inner nodes that are too deep replace the deepest leaves whose children are not
				l := maxCodeBits - 1
				for counts[l&15] == 0 {
					l--
				}
				counts[l&15]--
				counts[(l+1)&15] += 2
			}
			return counts
		}
		counts[depth] = 2*here - below
		if below == 0 {
			return counts
		}
		here = below
	}
}

// fill writes table.
func (h *huff) fill(counts *[maxCodeBits + 1]uint32) {
	p := unsafe.Pointer(&h.table)
	size := uint(2) << h.root // of the table, in bytes
	at, n := uint(0), 0
	for l := uint(1); l <= h.root; l++ {
		syms := h.order[n : n+int(counts[l])]
		n += len(syms)
		switch width := uint(2) << (h.root - l); width { // bytes for each symbol
		case 2:
			for _, sym := range syms {
				*(*uint16)(unsafe.Add(p, at)) = sym<<4 | uint16(l)
				at += 2
			}
		case 4:
			for _, sym := range syms {
				*(*uint32)(unsafe.Add(p, at)) = uint32(sym<<4|uint16(l)) * 0x00010001
				at += 4
			}
		case 8:
			for _, sym := range syms {
				*(*uint64)(unsafe.Add(p, at)) = uint64(sym<<4|uint16(l)) * 0x0001000100010001
				at += 8
			}
		default:
			for _, sym := range syms {
				e := uint64(sym<<4|uint16(l)) * 0x0001000100010001
				for end := at + width; at < end; at += 8 {
					*(*uint64)(unsafe.Add(p, at)) = e
				}
			}
		}
	}
	for ; at < size; at += 2 {
		*(*uint16)(unsafe.Add(p, at)) = 0
	}
}

// long returns the entry that table would have for a code longer than root bits; bits are the next 15.
func (h *huff) long(bits uint32) uint16 {
	l := uint32(h.root) + 1
	for bits >= h.limit[l&15] && l < maxCodeBits {
		l++
	}
	return h.order[(h.index[l&15]+bits>>(maxCodeBits-l))&1023]<<4 | uint16(l)
}
