package extract

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"sort"
	"testing"
	"time"

	"wimscope/wim/codec"
	"wimscope/wim/format"
	"wimscope/wim/wimtest/archivetest"
)

// sparse is a sink and a file of any size: zeros except where something was written.
type sparse struct {
	runs map[int64][]byte
	size int64
}

func (s *sparse) WriteAt(p []byte, off int64) (int, error) {
	if s.runs == nil {
		s.runs = map[int64][]byte{}
	}
	if !codec.AllZero(p) {
		for at := range s.runs { // a patch may lie within an earlier run
			if r := s.runs[at]; off >= at && off+int64(len(p)) <= at+int64(len(r)) {
				copy(r[off-at:], p)
				return len(p), nil
			}
		}
		s.runs[off] = bytes.Clone(p)
	}
	s.size = max(s.size, off+int64(len(p)))
	return len(p), nil
}

func (s *sparse) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	for at, r := range s.runs {
		if at < off+int64(len(p)) && off < at+int64(len(r)) {
			copy(p[max(0, at-off):], r[max(0, off-at):])
		}
	}
	if off+int64(len(p)) > s.size {
		return int(max(0, s.size-off)), io.EOF
	}
	return len(p), nil
}

var (
	when  = format.FiletimeOf(time.Date(2025, 9, 5, 12, 11, 8, 421937100, time.UTC))
	early = format.Filetime(1) // 1601: outside the range of 32-bit ZIP timestamps
)

// outputCase is a small output with every kind of entry, and the expected content of each path.
func outputCase() (segments []SegmentEntries, data [][]byte, want map[string]string) {
	r := rand.New(rand.NewPCG(7, 7))
	big := make([]byte, 3*stageSize+17)
	for i := range big {
		big[i] = byte(r.Uint32())
	}
	cut1, cut2 := stageSize+5, 2*stageSize+9
	segments = []SegmentEntries{
		{
			{Last: true, Entries: []Entry{{Path: "dir", Kind: EntryDir, Modified: when, Attrs: 0x10}, {Path: "dir/empty", Modified: early}}},
			{Len: 5, Last: true, Entries: []Entry{
				{Path: "dir/ä – 日本.txt", Size: 5, Modified: when, Created: when, Attrs: 1},
				{Path: "twin", Kind: EntryHardLink, Target: "dir/ä – 日本.txt", Size: 5, Modified: when},
			}},
			{Last: true, Entries: []Entry{{Path: "link", Kind: EntrySymlink, Target: "dir/empty", Modified: when}}},
			{Len: int64(cut1), Entries: []Entry{{Path: "big", Size: int64(len(big)), Mode: 0o755}, {Path: "dir/big", Size: int64(len(big))}}},
		},
		{{Off: int64(cut1), Len: int64(cut2 - cut1)}},
		{
			{Off: int64(cut2), Len: int64(len(big) - cut2), Last: true},
			{Len: 1, Last: true, Entries: []Entry{{Path: "z:stream", Size: 1, Modified: when}}},
		},
	}
	data = [][]byte{append([]byte("hello"), big[:cut1]...), big[cut1:cut2], append(bytes.Clone(big[cut2:]), 'z')}
	want = map[string]string{"dir/empty": "", "dir/ä – 日本.txt": "hello", "big": string(big), "dir/big": string(big), "z:stream": "z"}
	return segments, data, want
}

func sums(data []byte, s SegmentEntries) []uint32 {
	var crcs []uint32
	for _, p := range s {
		crcs = append(crcs, crc32.ChecksumIEEE(data[:p.Len]))
		data = data[p.Len:]
	}
	return crcs
}

func TestZIPHoldsWhatItIsGiven(t *testing.T) {
	segments, data, want := outputCase()
	var sink sparse
	w := NewZIP(&sink)
	var planned zipSize
	for i, s := range segments {
		if err := w.Segment(data[i], s, sums(data[i], s)); err != nil {
			t.Fatal(err)
		}
		for _, p := range s {
			for _, e := range p.Entries {
				planned.Add(&e)
			}
		}
	}
	size, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if size != sink.size || size != planned.Size() {
		t.Fatalf("sizes: said %d, wrote %d, planned %d", size, sink.size, planned.Size())
	}
	z, err := zip.NewReader(&sink, size)
	if err != nil {
		t.Fatal(err)
	}
	want["dir/"], want["link"], want["twin"] = "", "dir/empty", "hello"
	for _, f := range z.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(rc) // checks the CRC too
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		content, ok := want[f.Name]
		if !ok || string(got) != content {
			t.Errorf("%s: %d bytes, want %d (expected: %v)", f.Name, len(got), len(content), ok)
		}
		delete(want, f.Name)
		switch f.Name {
		case "big":
			if f.Mode().Perm() != 0o755 {
				t.Errorf("mode of big: %v", f.Mode())
			}
		case "link":
			if f.Mode()&os.ModeSymlink == 0 {
				t.Errorf("link is %v", f.Mode())
			}
		case "dir/ä – 日本.txt":
			if got := format.FiletimeOf(f.Modified); got != when {
				t.Errorf("time: %v, want %v", got, when)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not in the ZIP: %d paths", len(want))
	}
}

func TestTARHoldsWhatItIsGiven(t *testing.T) {
	segments, data, want := outputCase()
	var sink sparse
	w := NewTAR(&sink)
	var planned tarSize
	for i, s := range segments {
		if err := w.Segment(data[i], s, sums(data[i], s)); err != nil {
			t.Fatal(err)
		}
		for _, p := range s {
			for _, e := range p.Entries {
				planned.Add(&e)
			}
		}
	}
	size, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if size != planned.Size() || sink.size > size {
		t.Fatalf("sizes: said %d, wrote %d, planned %d", size, sink.size, planned.Size())
	}
	r := tar.NewReader(io.NewSectionReader(&sink, 0, size))
	var links []string
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			links = append(links, string(h.Typeflag)+" "+h.Name+" "+h.Linkname)
			continue
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if content, ok := want[h.Name]; !ok || string(got) != content {
			t.Errorf("%s: %d bytes, want %d (expected: %v)", h.Name, len(got), len(content), ok)
		}
		delete(want, h.Name)
		if h.Name == "z:stream" && format.FiletimeOf(h.ModTime) != when {
			t.Errorf("time: %v, want %v", format.FiletimeOf(h.ModTime), when)
		}
	}
	if len(want) > 0 {
		t.Errorf("not in the TAR: %d paths", len(want))
	}
	sort.Strings(links)
	if want := []string{"1 twin dir/ä – 日本.txt", "2 link dir/empty", "5 dir/ "}; !reflect.DeepEqual(links, want) {
		t.Errorf("links and folders: got %q, want %q", links, want)
	}
}

func TestZIP64(t *testing.T) {
	const piece, pieces = 256 << 20, 20 // 5 GiB
	const whole = 0x193838c3            // CRC-32 of these zeros, from Python's zlib.crc32
	var sink sparse
	w := NewZIP(&sink)
	var planned zipSize
	large := Entry{Path: "large", Size: piece * pieces, Modified: when}
	after := Entry{Path: "after", Size: 3, Modified: when}
	planned.Add(&large)
	planned.Add(&after)
	data := make([]byte, piece)
	crc := crc32.ChecksumIEEE(data)
	for i := range pieces {
		p := EntryPiece{Off: int64(i) * piece, Len: piece, Last: i == pieces-1}
		if i == 0 {
			p.Entries = []Entry{large}
		}
		if err := w.Segment(data, SegmentEntries{p}, []uint32{crc}); err != nil {
			t.Fatal(err)
		}
	}
	s := SegmentEntries{{Len: 3, Last: true, Entries: []Entry{after}}}
	if err := w.Segment([]byte("end"), s, sums([]byte("end"), s)); err != nil {
		t.Fatal(err)
	}
	size, err := w.Finish()
	if err != nil || size != planned.Size() {
		t.Fatalf("size %d, planned %d, error %v", size, planned.Size(), err)
	}
	z, err := zip.NewReader(&sink, size)
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != 2 || z.File[0].UncompressedSize64 != piece*pieces || z.File[0].CRC32 != whole {
		t.Fatalf("got %d files, first %+v", len(z.File), z.File[0].FileHeader)
	}
	rc, err := z.File[1].Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(rc); err != nil || string(got) != "end" {
		t.Fatalf("after 5 GiB: %q, %v", got, err)
	}
}

func TestEntriesComeBackAsTheyWent(t *testing.T) {
	segments, _, _ := outputCase()
	for i, s := range segments {
		b := s.AppendBinary(nil)
		got, err := ParseEntries(b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, s) {
			t.Errorf("segment %d: got %+v, want %+v", i, got, s)
		}
		for cut := range b {
			if _, err := ParseEntries(b[:cut]); err == nil {
				t.Fatalf("segment %d cut at %d was taken", i, cut)
			}
		}
	}
}

func TestOutputRefusesWhatDoesNotFit(t *testing.T) {
	for name, s := range map[string]SegmentEntries{
		"piece longer than the bytes": {{Len: 9, Last: true}},
		"bytes left over":             {{Len: 1, Last: true}},
		"a later piece first":         {{Off: 1, Len: 2, Last: true}},
		"an entry of another size":    {{Len: 2, Last: true, Entries: []Entry{{Path: "a", Size: 3}}}},
	} {
		for form, w := range map[string]Output{"ZIP": NewZIP(&sparse{}), "TAR": NewTAR(&sparse{})} {
			if err := w.Segment([]byte("ab"), s, make([]uint32, len(s))); !errors.Is(err, ErrSegment) {
				t.Errorf("%s, %s: got %v, want ErrSegment", form, name, err)
			}
		}
	}
}

func FuzzParseEntries(f *testing.F) {
	segments, _, _ := outputCase()
	for _, s := range segments {
		f.Add(s.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseEntries(b)
		if err != nil {
			return
		}
		again, err := ParseEntries(s.AppendBinary(nil))
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Fatalf("packed and read again: %v, %v, %v", s, again, err)
		}
	})
}

// TestStageKeepsPlaces writes small and large blocks in any order, and checks that each byte goes to its offset.
func TestStageKeepsPlaces(t *testing.T) {
	sink := &archivetest.MemFile{}
	s := newStage(sink)
	var want []byte
	for i, n := range []int{10, stageSize / 2, 3, stageSize/2 - 1, stageSize / 2, 100, stageSize - 100, 1, 2 * stageSize, 5} {
		p := bytes.Repeat([]byte{byte(i + 1)}, n)
		s.writeAt(p, int64(len(want)))
		want = append(want, p...)
	}
	s.flush()
	if s.err != nil || !bytes.Equal(sink.B, want) {
		t.Errorf("%d bytes, want %d (%v)", len(sink.B), len(want), s.err)
	}
}
