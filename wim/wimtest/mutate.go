package wimtest

import (
	"crypto/sha1"
	"encoding/binary"
	"math/rand/v2"

	"wimscope/wim/format"
)

// Mutate changes an archive in one to three places, mostly in counts and sizes: fields of the header and of blob table entries,
// headers and chunk tables of solid resources. After changing an unpacked metadata resource it updates the hash, so that the
// tree is parsed. The result may be valid by chance.
func Mutate(r *rand.Rand, archive []byte) []byte {
	m := mutator{r: r, b: append([]byte(nil), archive...)}
	if h, err := format.ParseHeader(m.b); err == nil && !h.BlobTable.IsZero() {
		m.h = h
	} else if n := len(m.b) - format.HeaderSize; n > 0 {
		if h, err := format.ParseHeader(m.b[n:]); err == nil { // the header at the end of a pipable archive
			m.h, m.header = h, n
		}
	}
	for i := uint64(0); i+format.BlobEntrySize <= m.h.BlobTable.PackedSize && m.h.BlobTable.Off+i+format.BlobEntrySize <= uint64(len(m.b)); i += format.BlobEntrySize {
		m.entries = append(m.entries, int(m.h.BlobTable.Off+i))
	}
	for range 1 + r.IntN(3) {
		m.change()
	}
	return m.b
}

type mutator struct {
	r       *rand.Rand
	b       []byte
	h       format.Header
	header  int   // its offset
	entries []int // offsets of the blob table entries
}

// number returns an interesting number: of any magnitude, the file's size, near a power of two, or 0.
func (m *mutator) number() uint64 {
	switch m.r.IntN(6) {
	case 0:
		return uint64(len(m.b))
	case 1:
		return 0
	case 2:
		return uint64(m.r.IntN(2000))
	case 3:
		return 1<<m.r.IntN(56) - 1
	}
	return 1 << m.r.IntN(44)
}

// put writes the low n bytes of a number.
func (m *mutator) put(at, n int, v uint64) {
	if at >= 0 && at+n <= len(m.b) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], v)
		copy(m.b[at:at+n], b[:])
	}
}

func (m *mutator) entry() (format.BlobEntry, int, bool) {
	if len(m.entries) == 0 {
		return format.BlobEntry{}, 0, false
	}
	at := m.entries[m.r.IntN(len(m.entries))]
	if at+format.BlobEntrySize > len(m.b) {
		return format.BlobEntry{}, 0, false
	}
	e, err := format.ParseBlobEntry(m.b[at:])
	return e, at, err == nil
}

func (m *mutator) change() {
	r := m.r
	e, at, ok := m.entry()
	switch k := r.IntN(16); {
	case k == 0 && r.IntN(4) == 0:
		m.b = m.b[:r.IntN(len(m.b)+1)]
	case k <= 1:
		if len(m.b) > 0 {
			m.b[r.IntN(len(m.b))] ^= 1 << r.IntN(8)
		}
	case k <= 3: // flags, chunk size, counts, and the three resources
		field := [][2]int{{0x10, 4}, {0x14, 4}, {0x2c, 4}, {0x30, 7}, {0x37, 1}, {0x38, 8}, {0x40, 8}, {0x48, 7}, {0x4f, 1}, {0x58, 8}, {0x7c, 7}, {0x83, 1}, {0x8c, 8}}[r.IntN(13)]
		m.put(m.header+field[0], field[1], m.number())
	case !ok:
	case k <= 8: // packed size, flags, offset, size, reference count
		field := [][2]int{{0, 7}, {7, 1}, {8, 8}, {16, 8}, {26, 4}}[r.IntN(5)]
		v := m.number()
		if field[0] == 7 {
			v = uint64(r.IntN(32))
		}
		m.put(at+field[0], field[1], v)
	case k <= 10: // two entries for the same resource, with one hash or two
		if _, other, ok := m.entry(); ok {
			copy(m.b[at:at+format.BlobEntrySize-20*r.IntN(2)], m.b[other:])
		}
	case k <= 13 && e.Resource.Flags&format.ResSolid != 0 && e.Resource.Size == format.SolidMagicSize && e.Resource.Off < uint64(len(m.b)):
		at := int(e.Resource.Off)
		switch r.IntN(5) {
		case 0:
			m.put(at, 8, m.number())
		case 1:
			m.put(at+8, 4, 1<<r.IntN(32))
		case 2:
			m.put(at+12, 4, uint64(r.IntN(5)))
		case 3: // all of it
			n := uint64(1) << r.IntN(31)
			m.put(at, 8, n)
			m.put(at+8, 4, n)
			m.put(at+12, 4, uint64(r.IntN(4)))
			m.put(at+16, 4, uint64(r.IntN(1000)))
		default:
			m.put(at+16+4*r.IntN(4), 4, m.number())
		}
	case e.Resource.Flags&(format.ResMetadata|format.ResCompressed) == format.ResMetadata && e.Resource.PackedSize > 8 &&
		e.Resource.Off < uint64(len(m.b)) && e.Resource.PackedSize <= uint64(len(m.b))-e.Resource.Off:
		data := m.b[e.Resource.Off:][:e.Resource.PackedSize]
		for range 1 + r.IntN(3) {
			if i := r.IntN(len(data)); r.IntN(2) == 0 {
				data[i] ^= 1 << r.IntN(8)
			} else if i = i &^ 7; i+8 <= len(data) {
				binary.LittleEndian.PutUint64(data[i:], m.number())
			}
		}
		sum := sha1.Sum(data)
		copy(m.b[at+format.BlobEntrySize-20:], sum[:])
	}
}
