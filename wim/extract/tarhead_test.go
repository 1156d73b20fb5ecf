package extract

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"wimscope/wim/format"
)

// headCases are entries whose names, links, sizes and times are around every limit of a ustar header.
func headCases() (list []Entry) {
	names := []string{
		"a", "größe/ä.txt", "日本", strings.Repeat("d/", 60) + "f", strings.Repeat("n", 99), strings.Repeat("n", 100), strings.Repeat("n", 101),
		strings.Repeat("é", 50), strings.Repeat("é", 500), "a b\tc\n=d", "5 a=b", strings.Repeat("x", 985), strings.Repeat("x", 986), strings.Repeat("x", 9970), "\u202e\ufffd",
	}
	times := []format.Filetime{
		0, 1, 1<<63 - 1, 1<<64 - 1, format.FiletimeOf(time.Unix(0, 0)), format.FiletimeOf(time.Unix(0, 100)), format.FiletimeOf(time.Unix(-1, 0)), format.FiletimeOf(time.Unix(-1, 999999900)),
		format.FiletimeOf(time.Unix(-86400, 500)), format.FiletimeOf(time.Unix(1700000000, 123456700)), format.FiletimeOf(time.Unix(1700000000, 100000000)),
		format.FiletimeOf(time.Unix(1<<33-1, 0)), format.FiletimeOf(time.Unix(1<<33, 0)),
	}
	sizes := []int64{0, 1, 511, tarOctal11, tarOctal11 + 1, 1 << 50}
	for i, name := range names {
		for k, at := range times {
			list = append(list,
				Entry{Path: name, Size: sizes[(i+k)%len(sizes)], Modified: at, Mode: 0o4755},
				Entry{Path: name, Kind: EntryDir, Modified: at},
				Entry{Path: "l", Kind: EntrySymlink, Target: name, Modified: at},
				Entry{Path: name, Kind: EntryHardLink, Target: name, Size: 9, Modified: at, Attrs: 1})
		}
	}
	return list
}

// sameHead checks what archive/tar reads from an entry's header.
func sameHead(t *testing.T, e *Entry) {
	t.Helper()
	b, err := appendTARHead([]byte("before"), e)
	if err != nil {
		t.Fatal(err)
	}
	b = b[len("before"):]
	if n, err := tarHeadLen(e); err != nil || n != int64(len(b)) || n%tarBlock != 0 {
		t.Fatalf("%.40q: %d bytes, said to be %d (%v)", e.Path, len(b), n, err)
	}
	h, err := tar.NewReader(bytes.NewReader(b)).Next()
	if err != nil {
		t.Fatalf("%.40q at %v: %v", e.Path, e.Modified, err)
	}
	want := tar.Header{Name: e.Path, Linkname: e.Target, Typeflag: tar.TypeReg, Size: e.Size}
	switch e.Kind {
	case EntryDir:
		want.Typeflag, want.Name, want.Size = tar.TypeDir, e.Path+"/", 0
	case EntrySymlink:
		want.Typeflag, want.Size = tar.TypeSymlink, 0
	case EntryHardLink:
		want.Typeflag, want.Size = tar.TypeLink, 0
	}
	if h.Name != want.Name || h.Linkname != want.Linkname || h.Typeflag != want.Typeflag || h.Size != want.Size {
		t.Errorf("%.40q: got %.40q, %c to %.40q, %d bytes; want %.40q, %c to %.40q, %d bytes", e.Path,
			h.Name, h.Typeflag, h.Linkname, h.Size, want.Name, want.Typeflag, want.Linkname, want.Size)
	}
	if !h.ModTime.Equal(e.Modified.Time()) {
		t.Errorf("%.40q: %v became %v", e.Path, e.Modified.Time(), h.ModTime)
	}
	if want := int64(unixMode(e) & 0o7777); h.Mode != want {
		t.Errorf("%.40q: mode %o, want %o", e.Path, h.Mode, want)
	}
}

func TestTARHead(t *testing.T) {
	for _, e := range headCases() {
		sameHead(t, &e)
	}
	for n := range 1200 { // where the length of a record gains a digit
		sameHead(t, &Entry{Path: strings.Repeat("p", n+1), Kind: EntrySymlink, Target: strings.Repeat("t", 1200-n), Modified: format.Filetime(n)})
	}
	for _, e := range []Entry{{Path: "a\x00b"}, {Path: "a", Kind: EntrySymlink, Target: "b\x00"}} {
		if _, err := appendTARHead(nil, &e); err == nil {
			t.Errorf("%q to %q: a name with NUL was written", e.Path, e.Target)
		}
		if _, err := tarHeadLen(&e); err == nil {
			t.Errorf("%q to %q: a name with NUL was measured", e.Path, e.Target)
		}
	}
}

func FuzzTARHead(f *testing.F) {
	f.Add("größe", "t", int64(1<<40), uint64(1), uint8(0))
	f.Add("a\nb=c", strings.Repeat("x", 101), int64(0), uint64(1<<63), uint8(2))
	f.Fuzz(func(t *testing.T, name, target string, size int64, at uint64, kind uint8) {
		name = strings.Trim(strings.ToValidUTF8(name, "_"), "/")
		target = strings.ToValidUTF8(target, "_")
		if name == "" || target == "" || strings.ContainsRune(name+target, 0) || size < 0 {
			return
		}
		e := Entry{Path: name, Kind: EntryKind(kind % 4), Size: size, Modified: format.Filetime(at)}
		if e.Kind == EntrySymlink || e.Kind == EntryHardLink {
			e.Target = target
		}
		sameHead(t, &e)
	})
}

// TestTARByGNU unpacks a TAR with GNU tar: long names, names that are not ASCII, links, and times to fractions of a second.
func TestTARByGNU(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("programs cannot be run here")
	}
	gnu, err := exec.LookPath("tar")
	if err == nil {
		var out []byte
		if out, err = exec.Command(gnu, "--version").Output(); err == nil && !bytes.Contains(out, []byte("GNU tar")) {
			err = errors.New("it is another tar")
		}
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("GNU tar: %v", err)
		}
		t.Skipf("GNU tar: %v", err)
	}
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "o.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := rand.New(rand.NewPCG(5, 5))
	w := NewTAR(file)
	var segment SegmentEntries
	var data []byte
	type wanted struct {
		body, link string
		at         time.Time
	}
	want := map[string]wanted{}
	long := strings.Repeat("ordner mit langem namen/", 8)
	for i, name := range []string{"plain", "größe 日本.txt", long + "f", strings.Repeat("n", 200), "tab\tline\n=x", "früher"} {
		at := time.Unix(1700000000+int64(i), int64(i)*1111100).UTC()
		if name == "früher" {
			at = time.Unix(-12345, 999999900).UTC()
		}
		body := make([]byte, r.IntN(2000))
		for k := range body {
			body[k] = byte(r.Uint32())
		}
		e := []Entry{{Path: name, Size: int64(len(body)), Modified: format.FiletimeOf(at)},
			{Path: fmt.Sprintf("hard %d", i), Kind: EntryHardLink, Target: name, Size: int64(len(body)), Modified: format.FiletimeOf(at)}}
		segment = append(segment, EntryPiece{Len: int64(len(body)), Last: true, Entries: e})
		data = append(data, body...)
		want[name], want[e[1].Path] = wanted{body: string(body), at: at}, wanted{body: string(body), at: at}
	}
	segment = append(segment, EntryPiece{Last: true, Entries: []Entry{{Path: "link", Kind: EntrySymlink, Target: "../" + long, Modified: when}}})
	want["link"] = wanted{link: "../" + long}
	if err := w.Segment(data, segment, make([]uint32, len(segment))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "out")
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gnu, "--warning=no-timestamp", "-xf", file.Name(), "-C", to).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	for name, x := range want {
		p := filepath.Join(to, name)
		if x.link != "" {
			if got, err := os.Readlink(p); err != nil || got != x.link {
				t.Errorf("%.40q leads to %q (%v)", name, got, err)
			}
			continue
		}
		got, err := os.ReadFile(p)
		if err != nil || string(got) != x.body {
			t.Errorf("%.40q: %d bytes, want %d (%v)", name, len(got), len(x.body), err)
			continue
		}
		if info, err := os.Stat(p); err != nil || !info.ModTime().Equal(x.at) {
			t.Errorf("%.40q: time %v, want %v (%v)", name, info.ModTime(), x.at, err)
		}
	}
}

// TestTARLarge writes a file whose size has more than eleven octal digits, and a file after it.
func TestTARLarge(t *testing.T) {
	const piece, pieces = 1 << 30, 9
	var sink sparse
	w := NewTAR(&sink)
	large := Entry{Path: "large", Size: piece*pieces + 3, Modified: when}
	after := Entry{Path: "after", Size: 3, Modified: when}
	var planned tarSize
	planned.Add(&large)
	planned.Add(&after)
	zeros := hole(piece)
	for i := range pieces {
		p := EntryPiece{Off: int64(i) * piece, Len: piece}
		b := Packed(zeros)
		if i == 0 {
			p.Entries = []Entry{large}
			head, err := appendTARHead(nil, &large)
			if err != nil {
				t.Fatal(err)
			}
			b = joined{PackedBytes(head), zeros}
		}
		if err := w.Packed(b, SegmentEntries{p}, []uint32{0}); err != nil {
			t.Fatal(err)
		}
	}
	s := SegmentEntries{{Off: pieces * piece, Len: 3, Last: true}, {Len: 3, Last: true, Entries: []Entry{after}}}
	if err := w.Segment([]byte("...end"), s, []uint32{0, 0}); err != nil {
		t.Fatal(err)
	}
	size, err := w.Finish()
	if err != nil || size != planned.Size() {
		t.Fatalf("%d bytes, planned %d (%v)", size, planned.Size(), err)
	}
	r := tar.NewReader(io.NewSectionReader(&sink, 0, size))
	h, err := r.Next()
	if err != nil || h.Size != large.Size {
		t.Fatalf("%+v, %v", h, err)
	}
	// archive/tar skips by reading, which takes long for 9 GiB. So the entry after it is found by its offset: four blocks
	// before the two at the end.
	at := size - 6*tarBlock
	if h, err = tar.NewReader(io.NewSectionReader(&sink, at, size-at)).Next(); err != nil || h.Name != "after" {
		t.Fatalf("after 9 GiB: %+v, %v", h, err)
	}
}

// hole is a packed segment of that many zeros.
type hole int64

func (h hole) Len() int64                                        { return int64(h) }
func (h hole) CopyTo(sink io.WriterAt, from, n, off int64) error { return nil }
func (h hole) Bytes(from, n int64) ([]byte, error)               { return make([]byte, n), nil }

// joined concatenates two packed segments.
type joined struct{ a, b Packed }

func (j joined) Len() int64 { return j.a.Len() + j.b.Len() }

func (j joined) CopyTo(sink io.WriterAt, from, n, off int64) error {
	if k := min(n, j.a.Len()-from); k > 0 {
		if err := j.a.CopyTo(sink, from, k, off); err != nil {
			return err
		}
		from, n, off = from+k, n-k, off+k
	}
	return j.b.CopyTo(sink, from-j.a.Len(), n, off)
}

func (j joined) Bytes(from, n int64) ([]byte, error) { return nil, io.ErrUnexpectedEOF }
