package lzms

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// packedChunk is one chunk of an archive; size is its unpacked size.
type packedChunk struct {
	data []byte
	size int
}

// packedRun holds the chunks of one resource and the blobs in it.
type packedRun struct {
	chunks []packedChunk
	blobs  []packedBlob
}

type packedBlob struct {
	off, size int64
	hash      [20]byte
}

// readWIM returns the LZMS resources of an archive made by wimlib-imagex. It trusts the file.
func readWIM(t testing.TB, name string) []packedRun {
	t.Helper()
	f, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	chunkSize := int64(le.Uint32(f[0x14:]))
	tableSize, tableOff := le.Uint64(f[0x30:])&(1<<56-1), le.Uint64(f[0x38:])
	table := f[tableOff : tableOff+tableSize]
	var runs []packedRun
	solid := -1
	for ; len(table) > 0; table = table[50:] {
		stored := int64(le.Uint64(table) & (1<<56 - 1))
		flags := table[7]
		off, size := int64(le.Uint64(table[8:])), int64(le.Uint64(table[16:]))
		hash := [20]byte(table[30:50])
		switch {
		case flags&0x10 != 0 && size == 1<<32: // a solid resource
			head := f[off : off+16]
			total, each := int64(le.Uint64(head)), int64(le.Uint32(head[8:]))
			if format := le.Uint32(head[12:]); format != 3 {
				t.Fatalf("%s: solid resource of format %d", name, format)
			}
			n := (total + each - 1) / each
			at := off + 16 + 4*n
			var r packedRun
			for i := range n {
				packed := int64(le.Uint32(f[off+16+4*i:]))
				r.chunks = append(r.chunks, packedChunk{f[at : at+packed], int(min(each, total-i*each))})
				at += packed
			}
			solid = len(runs)
			runs = append(runs, r)
		case flags&0x10 != 0:
			r := &runs[solid]
			r.blobs = append(r.blobs, packedBlob{off, stored, hash})
		case flags&4 == 0: // not compressed
		default:
			n := (size + chunkSize - 1) / chunkSize
			starts := []int64{0}
			width := int64(4)
			if size > math.MaxUint32 {
				width = 8
			}
			data := off + width*(n-1)
			for i := range n - 1 {
				starts = append(starts, int64(le.Uint32(f[off+width*i:])))
			}
			starts = append(starts, off+stored-data)
			r := packedRun{blobs: []packedBlob{{0, size, hash}}}
			for i := range n {
				r.chunks = append(r.chunks, packedChunk{f[data+starts[i] : data+starts[i+1]], int(min(chunkSize, size-i*chunkSize))})
			}
			runs = append(runs, r)
		}
	}
	return runs
}

// wantTool returns the path of a program. If it is missing, the test is skipped, or fails in CI.
func wantTool(t testing.TB, name string) string {
	t.Helper()
	if runtime.GOOS == "js" {
		t.Skip("js cannot run programs")
	}
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

// capture captures a folder with wimlib-imagex and returns the name of the archive.
func capture(t testing.TB, dir string, args ...string) string {
	t.Helper()
	tool := wantTool(t, "wimlib-imagex")
	wim := filepath.Join(t.TempDir(), "x.wim")
	cmd := exec.Command(tool, append([]string{"capture", dir, wim, "--no-acls", "--threads=1"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return wim
}

// sampleFiles writes a few MB of files: programs, for the x86 filter; records and sound, for delta matches; text, noise and
// repetitions. It returns their folder.
func sampleFiles(t testing.TB) string {
	t.Helper()
	wantTool(t, "wimlib-imagex")
	dir := t.TempDir()
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	put("test.exe", b[:min(len(b), 2_000_003)])
	for _, name := range []string{"/bin/bash", "/bin/sh", "/usr/bin/git"} { // C code has other instructions than Go code
		if b, err := os.ReadFile(name); err == nil {
			put(filepath.Base(name), b[:min(len(b), 900_001)])
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var sound []byte
	for i := range 200_000 {
		v := 9000*math.Sin(float64(i)/31) + 4000*math.Sin(float64(i)/7.3) + rnd.Float64()*6
		sound = binary.LittleEndian.AppendUint16(sound, uint16(int16(v)))
		sound = binary.LittleEndian.AppendUint16(sound, uint16(int16(v/2)))
	}
	put("sound.raw", sound)
	var table []byte
	for i := range 20_000 {
		table = binary.LittleEndian.AppendUint32(table, uint32(i*24+rnd.IntN(3)))
		table = binary.LittleEndian.AppendUint32(table, uint32(1_000_000+i*7))
		table = binary.LittleEndian.AppendUint16(table, uint16(i*3))
		table = append(table, byte(i), byte(rnd.IntN(4)))
		table = binary.BigEndian.AppendUint32(table, uint32(i*i))
	}
	put("table.bin", table)
	var text []byte
	for i := range 9000 {
		text = fmt.Appendf(text, "%d: the quick brown fox jumps over %d lazy dogs, %x\n", i, rnd.IntN(50), rnd.Uint32())
	}
	put("text.txt", text)
	put("zeros", make([]byte, 700_000))
	noise := make([]byte, 50_000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	put("noise", noise)
	for n := range 20 { // tiny chunks: few offset slots
		put(fmt.Sprintf("tiny%d", n), append(make([]byte, n*3), "abcabcabcabc"[:n%12]...))
	}
	put("mixed", append(append(append([]byte{}, noise[:4000]...), table[:40_000]...), noise[:5000]...))
	return dir
}

// TestInterop decodes archives made by wimlib-imagex, with small and large chunks, solid and not.
func TestInterop(t *testing.T) {
	dir := sampleFiles(t)
	for _, args := range [][]string{
		{"--compress=LZMS", "--chunk-size=32768"},
		{"--compress=LZMS", "--chunk-size=131072"},
		{"--compress=LZMS:100", "--chunk-size=1048576"},
		{"--compress=LZMS:10", "--chunk-size=262144"},
		{"--solid", "--compress=LZMS", "--solid-chunk-size=65536"},
		{"--solid", "--compress=LZMS", "--solid-chunk-size=67108864"},
	} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			runs := readWIM(t, capture(t, dir, args...))
			d := NewDecoder()
			kinds := map[Kind]int{}
			blobs := 0
			for _, r := range runs {
				var all, plain []byte
				for i, c := range r.chunks {
					dst := make([]byte, c.size)
					if len(c.data) == c.size {
						copy(dst, c.data)
					} else if err := d.Decode(dst, c.data); err != nil {
						t.Fatalf("chunk %d: %v", i, err)
					}
					all = append(all, dst...)
					dst = make([]byte, c.size)
					if len(c.data) == c.size {
						copy(dst, c.data)
					} else if err := DecodePlain(dst, c.data, func(i Item) { kinds[i.Kind]++ }); err != nil {
						t.Fatalf("chunk %d, plain: %v", i, err)
					}
					plain = append(plain, dst...)
				}
				for _, b := range r.blobs {
					blobs++
					if got := sha1.Sum(plain[b.off : b.off+b.size]); got != b.hash {
						t.Errorf("blob of %d bytes at %d, plain: SHA-1 %x, want %x", b.size, b.off, got, b.hash)
					}
					if got := sha1.Sum(all[b.off : b.off+b.size]); got != b.hash {
						t.Errorf("blob of %d bytes at %d: SHA-1 %x, want %x", b.size, b.off, got, b.hash)
					}
				}
			}
			t.Logf("%d blobs, items %v", blobs, kinds)
			if blobs < 10 || kinds[Literal] == 0 || kinds[LZMatch] == 0 || kinds[DeltaMatch] == 0 && args[0] != "--compress=LZMS:10" {
				t.Errorf("%d blobs, items %v: too few to prove anything", blobs, kinds)
			}
		})
	}
}
