package extract

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest/archivetest"
)

// elsewhere is a packed segment that counts the calls of its methods.
type elsewhere struct {
	PackedBytes
	copies, asked int
}

func (e *elsewhere) CopyTo(sink io.WriterAt, from, n, off int64) error {
	e.copies++
	return e.PackedBytes.CopyTo(sink, from, n, off)
}

func (e *elsewhere) Bytes(from, n int64) ([]byte, error) {
	e.asked++
	return e.PackedBytes.Bytes(from, n)
}

// randomOutput returns data, results and entries by shard: blobs with no, one or many names, some of them split over shards
// and some damaged.
func randomOutput(r *rand.Rand) (data [][]byte, results []*shard.Result, entries []SegmentEntries) {
	name := 0
	entry := func(kind EntryKind, size int64) Entry {
		name++
		e := Entry{Path: fmt.Sprint(name, strings.Repeat("p", r.IntN(150))), Kind: kind, Modified: format.Filetime(r.Uint64())}
		switch kind {
		case EntryFile:
			e.Size = size
		case EntryHardLink:
			e.Size, e.Target = size, "t"
		case EntrySymlink:
			e.Target = "ziel"
		}
		return e
	}
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	uses := func(size int64) (list []Entry) {
		for range r.IntN(4) {
			list = append(list, entry(EntryFile, size), entry(EntryHardLink, size))
		}
		return append(list, entry(EntryFile, size))
	}
	var open []byte // of a blob that continues in the next shard
	from := 0
	for range 1 + r.IntN(6) {
		var d []byte
		var s SegmentEntries
		res := &shard.Result{}
		piece := func(p EntryPiece, b []byte) {
			s = append(s, p)
			d = append(d, b...)
			res.CRCs = append(res.CRCs, crc32.ChecksumIEEE(b))
		}
		cut := func(p EntryPiece, b []byte) {
			res.Cuts = append(res.Cuts, shard.Cut{Piece: int32(len(res.CRCs)), Hash: sha1.Sum(open), Size: int64(len(open)), From: p.Off, Len: p.Len})
			if r.IntN(8) == 0 {
				res.Bad = append(res.Bad, shard.BadPiece{Piece: int32(len(res.CRCs))})
			}
			piece(p, b)
		}
		if open != nil {
			to := min(len(open), from+1+r.IntN(len(open)))
			cut(EntryPiece{Off: int64(from), Len: int64(to - from), Last: to == len(open)}, open[from:to])
			if from = to; to == len(open) {
				open = nil
			}
		}
		for range r.IntN(8) {
			switch n := r.IntN(2000); {
			case open != nil:
			case n < 200:
				s = append(s, EntryPiece{Last: true, Entries: []Entry{entry(EntryDir, 0), entry(EntryFile, 0), entry(EntrySymlink, 0)}})
			default:
				if r.IntN(6) == 0 {
					res.Bad = append(res.Bad, shard.BadPiece{Piece: int32(len(res.CRCs))})
				}
				piece(EntryPiece{Len: int64(n), Last: true, Entries: uses(int64(n))}, random(n))
			}
		}
		if open == nil && r.IntN(2) == 0 {
			open = random(2 + r.IntN(3000))
			from = 1 + r.IntN(len(open)-1)
			cut(EntryPiece{Len: int64(from), Entries: uses(int64(len(open)))}, open[:from])
		}
		data, results, entries = append(data, d), append(results, res), append(entries, s)
	}
	if open != nil {
		res := &shard.Result{CRCs: []uint32{crc32.ChecksumIEEE(open[from:])}}
		res.Cuts = []shard.Cut{{Hash: sha1.Sum(open), Size: int64(len(open)), From: int64(from), Len: int64(len(open) - from)}}
		data, results = append(data, open[from:]), append(results, res)
		entries = append(entries, SegmentEntries{{Off: int64(from), Len: int64(len(open) - from), Last: true}})
	}
	return data, results, entries
}

// TestPackedElsewhere checks that packing in one place and writing in another gives the same bytes as doing both in one,
// and that the writer reads only split blobs.
func TestPackedElsewhere(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 200 {
		data, results, entries := randomOutput(r)
		for _, keep := range []bool{false, true} {
			for form, open := range map[Form]func(io.WriterAt) Output{OutputZIP: NewZIP, OutputTAR: NewTAR} {
				here, there := &archivetest.MemFile{}, &archivetest.MemFile{}
				one, two := open(here), open(there)
				m1, m2 := SegmentMaker{Recover: keep}, SegmentMaker{Recover: keep}
				var buf []byte
				for i := range data {
					parse := func() SegmentEntries {
						s, err := ParseEntries(entries[i].AppendBinary(nil))
						if err != nil {
							t.Fatal(err)
						}
						return s
					}
					s1, err := m1.Make(data[i], results[i], parse())
					if err != nil {
						t.Fatal(err)
					}
					if err := one.Segment(s1.Data, s1.Entries, s1.CRCs); err != nil {
						t.Fatal(err)
					}
					full := *results[i]
					full.Data = data[i]
					if buf, err = PackSegment(buf[:0], form, keep, &full, parse()); err != nil {
						t.Fatal(err)
					}
					away := &elsewhere{PackedBytes: buf}
					s2, err := m2.MakePacked(form, away, results[i], parse())
					if err != nil {
						t.Fatal(err)
					}
					if err := two.Packed(away, s2.Entries, s2.CRCs); err != nil {
						t.Fatal(err)
					}
					if len(s1.Damaged) != len(s2.Damaged) || s1.Taken != s2.Taken {
						t.Fatalf("%d damaged and %d taken back, want %d and %d", len(s2.Damaged), s2.Taken, len(s1.Damaged), s1.Taken)
					}
					if away.asked > len(results[i].Cuts) {
						t.Errorf("bytes were asked for %d times, for %d cut contents", away.asked, len(results[i].Cuts))
					}
				}
				n1, err := one.Finish()
				if err != nil {
					t.Fatal(err)
				}
				n2, err := two.Finish()
				if err != nil || n1 != n2 || !bytes.Equal(here.B, there.B) {
					t.Fatalf("%s: %d bytes, want %d, or others (%v)", form, n2, n1, err)
				}
			}
		}
	}
}

// TestPackedRuns checks that a segment without split blobs is written in one piece, and that for a blob with too many names
// to repeat, one copy is written to each further place.
func TestPackedRuns(t *testing.T) {
	small := SegmentEntries{{Last: true, Entries: []Entry{{Path: "d", Kind: EntryDir}}}}
	var data []byte
	for i := range 100 {
		n := int64(i * 10)
		small = append(small, EntryPiece{Len: n, Last: true, Entries: []Entry{{Path: "a", Size: n}, {Path: "b", Size: n}}})
		data = append(data, make([]byte, n)...)
	}
	many := SegmentEntries{{Len: maxRepeat, Last: true, Entries: slices.Repeat([]Entry{{Path: "m", Size: maxRepeat}}, 5)}}
	for _, c := range []struct {
		name   string
		s      SegmentEntries
		data   []byte
		most   int // bytes of the packed segment
		copies int
	}{
		{"small", small, data, 2*len(data) + 1e5, 1},
		{"many names", many, make([]byte, maxRepeat), 2*maxRepeat + 1e4, 6}, // up to the third header, then data and headers in turn
	} {
		t.Run(c.name, func(t *testing.T) {
			var sink archivetest.MemFile
			w := NewZIP(&sink)
			b, err := appendPacked(nil, zipForm{}, c.data, c.s, make([]uint32, len(c.s)))
			if err != nil {
				t.Fatal(err)
			}
			if len(b) > c.most {
				t.Errorf("%d bytes packed, want at most %d", len(b), c.most)
			}
			e := &elsewhere{PackedBytes: b}
			if err := w.Packed(e, c.s, make([]uint32, len(c.s))); err != nil {
				t.Fatal(err)
			}
			if e.copies != c.copies || e.asked != 0 {
				t.Errorf("copied %d times, looked at %d times; want %d and 0", e.copies, e.asked, c.copies)
			}
			var size zipSize
			for i := range c.s {
				for j := range c.s[i].Entries {
					size.Add(&c.s[i].Entries[j])
				}
			}
			if n, err := w.Finish(); err != nil || n != size.Size() {
				t.Errorf("%d bytes, want %d (%v)", n, size.Size(), err)
			}
		})
	}
}

// TestPackedRefuses checks that the writer verifies that a packed segment matches its entries.
func TestPackedRefuses(t *testing.T) {
	s := SegmentEntries{{Len: 4, Last: true, Entries: []Entry{{Path: "a", Size: 4}}}}
	for form, open := range map[Form]func(io.WriterAt) Output{OutputZIP: NewZIP, OutputTAR: NewTAR} {
		good, err := appendPacked(nil, packFormOf(form), []byte("abcd"), s, []uint32{1})
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string][]byte{"short": good[:len(good)-1], "long": append(slices.Clone(good), 0), "none": nil} {
			if err := open(&archivetest.MemFile{}).Packed(PackedBytes(b), s, []uint32{1}); !errors.Is(err, ErrSegment) {
				t.Errorf("%s, %s: %v", form, name, err)
			}
		}
		for name, s := range map[string]SegmentEntries{
			"huge":     {{Len: 1 << 62, Last: true, Entries: []Entry{{Path: "a", Size: 1 << 62}}}, {Len: 1 << 62, Last: true, Entries: []Entry{{Path: "a", Size: 1 << 62}}}},
			"from far": {{Off: 1 << 62, Len: 1 << 62, Last: true}},
		} {
			if _, err := appendPacked(nil, packFormOf(form), nil, s, make([]uint32, len(s))); !errors.Is(err, ErrSegment) {
				t.Errorf("%s, %s packed: %v", form, name, err)
			}
			if err := open(&archivetest.MemFile{}).Packed(PackedBytes("ab"), s, make([]uint32, len(s))); !errors.Is(err, ErrSegment) {
				t.Errorf("%s, %s written: %v", form, name, err)
			}
		}
	}
}
