package codectest

// Writer lays out bits and bytes as the readers of XPRESS and LZX find them: bits from the top of 16-bit little-endian
// units, bytes behind the units fetched so far. It is the mirror of bitio.Reader. The zero value is ready.
type Writer struct {
	Buf   []byte
	units []int // where in Buf each unit lies
	bits  int   // bits written, in the units
}

// Fetch places units, as the reader fetches them, until at least min bits lie beyond those written.
func (w *Writer) Fetch(min int) {
	for 16*len(w.units)-w.bits < min {
		w.units = append(w.units, len(w.Buf))
		w.Buf = append(w.Buf, 0, 0)
	}
}

// Bits writes the low n bits of v, the highest first.
func (w *Writer) Bits(v uint32, n int) {
	w.Fetch(n)
	for n--; n >= 0; n-- {
		at := w.units[w.bits/16] + 1 - w.bits%16/8
		w.Buf[at] |= byte(v>>n&1) << (7 - w.bits%8)
		w.bits++
	}
}

// Bytes writes bytes behind the units placed so far.
func (w *Writer) Bytes(b ...byte) { w.Buf = append(w.Buf, b...) }

// Align leaves the unit in hand, or the next one if none is begun.
func (w *Writer) Align() {
	if w.bits%16 == 0 {
		w.Fetch(1)
	}
	w.bits = 16 * len(w.units)
}

// Codes gives the canonical code of each symbol, for code lengths of at most 16.
func Codes(lens []uint8) []uint32 {
	codes := make([]uint32, len(lens))
	next := uint32(0)
	for l := uint8(1); l <= 16; l++ {
		next <<= 1
		for sym, have := range lens {
			if have == l {
				codes[sym] = next
				next++
			}
		}
	}
	return codes
}
