package codectest

// Writer writes bits and bytes where the readers of XPRESS and LZX expect them: bits from the highest one of 16-bit little-endian
// units, bytes after the units fetched so far. It is the counterpart of bitio.Reader. The zero value is ready.
type Writer struct {
	Buf   []byte
	units []int // offset in Buf of each unit
	bits  int   // bits written to the units
}

// Fetch appends units, as the reader fetches them, until there is room for at least min bits.
func (w *Writer) Fetch(min int) {
	for 16*len(w.units)-w.bits < min {
		w.units = append(w.units, len(w.Buf))
		w.Buf = append(w.Buf, 0, 0)
	}
}

// Bits writes the lowest n bits of v, the highest of them first.
func (w *Writer) Bits(v uint32, n int) {
	w.Fetch(n)
	for n--; n >= 0; n-- {
		at := w.units[w.bits/16] + 1 - w.bits%16/8
		w.Buf[at] |= byte(v>>n&1) << (7 - w.bits%8)
		w.bits++
	}
}

// Bytes appends bytes after the units so far.
func (w *Writer) Bytes(b ...byte) { w.Buf = append(w.Buf, b...) }

// Align skips the rest of the current unit, or a whole one if no bit of it is written.
func (w *Writer) Align() {
	if w.bits%16 == 0 {
		w.Fetch(1)
	}
	w.bits = 16 * len(w.units)
}

// Codes returns the canonical code of each symbol, for code lengths of at most 16.
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
