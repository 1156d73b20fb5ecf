package codectest_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"testing"

	"wimscope/wim/lzx"
	"wimscope/wim/xpress"
)

var archives = flag.String("archives", "", "pattern of archives for TestArchives, XPRESS or LZX, not solid")

// chunk is one packed chunk and its output.
type chunk struct{ packed, plain []byte }

type decoder interface{ Decode(dst, src []byte) error }

// needTool skips the test if a program is missing, or fails it in CI.
func needTool(tb testing.TB, name string) {
	tb.Helper()
	if runtime.GOOS == "js" {
		tb.Skip("js cannot run programs; the native run has this test")
	}
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatalf("%s is not installed: %v", name, err)
		}
		tb.Skipf("%s is not installed", name)
	}
}

// corpus copies about limit bytes of the system's own files to a folder: programs, libraries, documents, and tiny files.
func corpus(tb testing.TB, limit int64) string {
	tb.Helper()
	dir := tb.TempDir()
	total, n := int64(0), 0
	for _, root := range []string{"/usr/bin", "/usr/share/doc", "/usr/lib", "/usr/include", "/etc"} {
		budget := limit / 5
		filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return nil
			}
			if budget <= 0 {
				return fs.SkipAll
			}
			info, err := e.Info()
			if err != nil || info.Size() > budget || info.Size() > 3<<20 {
				return nil
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return nil
			}
			budget -= info.Size()
			total += info.Size()
			n++
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d", n)), data, 0o600); err != nil {
				tb.Fatal(err)
			}
			return nil
		})
	}
	if total < limit/4 {
		tb.Skipf("only %d bytes of system files", total)
	}
	return dir
}

// capture captures a folder with wimlib-imagex and returns the archive.
func capture(tb testing.TB, dir, compress string, chunkSize int) []byte {
	tb.Helper()
	needTool(tb, "wimlib-imagex")
	out := filepath.Join(tb.TempDir(), "a.wim")
	cmd := exec.Command("wimlib-imagex", "capture", dir, out, "--no-acls", "--threads=2",
		"--compress="+compress, fmt.Sprintf("--chunk-size=%d", chunkSize))
	if msg, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%v: %v\n%s", cmd, err, msg)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// eachBlob calls f with the hash and the chunks of each packed blob of an archive. It is a minimal reader, so that the tests of the
// codecs do not depend on the real one. The plain bytes of the chunks are still zeros.
func eachBlob(tb testing.TB, wim []byte, f func(hash []byte, chunks []chunk)) {
	tb.Helper()
	le := binary.LittleEndian
	chunkSize := uint64(le.Uint32(wim[0x14:]))
	size56 := func(b []byte) uint64 { return le.Uint64(b) & (1<<56 - 1) }
	table := wim[le.Uint64(wim[0x38:]):][:size56(wim[0x30:])]
	for ; len(table) >= 50; table = table[50:] {
		flags, packedSize, off, size := table[7], size56(table), le.Uint64(table[8:]), le.Uint64(table[16:])
		if flags&4 == 0 {
			continue
		}
		data := wim[off:][:packedSize]
		n := (size + chunkSize - 1) / chunkSize
		data, starts := data[4*(n-1):], data[:4*(n-1)]
		chunks := make([]chunk, 0, n)
		from := uint64(0)
		for i := range n {
			to := uint64(len(data))
			if i < n-1 {
				to = uint64(le.Uint32(starts[4*i:]))
			}
			chunks = append(chunks, chunk{data[from:to], make([]byte, min(chunkSize, size-i*chunkSize))})
			from = to
		}
		f(table[30:50], chunks)
	}
}

type variant struct {
	codec string
	size  int
	make  func() decoder
	plain func(dst, src []byte) error
}

func (v variant) String() string { return fmt.Sprintf("%s/%dK", v.codec, v.size>>10) }

func variants() []variant {
	var vs []variant
	for size := 4096; size <= 65536; size *= 2 {
		vs = append(vs, variant{"XPRESS", size,
			func() decoder { return xpress.NewDecoder() },
			func(dst, src []byte) error { return xpress.DecodePlain(dst, src, nil) },
		})
	}
	for size := 32768; size <= 2<<20; size *= 2 {
		vs = append(vs, variant{"LZX", size,
			func() decoder {
				d, err := lzx.NewDecoder(size)
				if err != nil {
					panic(err)
				}
				return d
			},
			func(dst, src []byte) error { return lzx.DecodePlain(dst, src, size, nil) },
		})
	}
	return vs
}

// TestWimlibArchives: each blob of archives made by wimlib-imagex, with every chunk size of both codecs, decodes to its SHA-1 in
// the archive, with the fast and the plain decoder, and the bytes around each chunk do not change.
func TestWimlibArchives(t *testing.T) {
	needTool(t, "wimlib-imagex")
	limit := int64(6 << 20)
	if testing.Short() {
		limit = 2 << 20
	}
	dir := corpus(t, limit)
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			checkArchive(t, v, capture(t, dir, v.codec, v.size))
		})
	}
}

// TestArchives does the same with the archives named by -archives, for campaigns with larger ones.
func TestArchives(t *testing.T) {
	if *archives == "" {
		t.Skip("no -archives given")
	}
	files, err := filepath.Glob(*archives)
	if err != nil || len(files) == 0 {
		t.Fatalf("no archive matches %s: %v", *archives, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			wim, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			flags, size := binary.LittleEndian.Uint32(wim[0x10:]), binary.LittleEndian.Uint32(wim[0x14:])
			codec := ""
			switch {
			case flags&0x40000 != 0:
				codec = "LZX"
			case flags&0x20000 != 0:
				codec = "XPRESS"
			}
			for _, v := range variants() {
				if v.codec == codec && v.size == int(size) {
					checkArchive(t, v, wim)
					return
				}
			}
			t.Fatalf("flags %#x, chunk size %d: neither XPRESS nor LZX", flags, size)
		})
	}
}

// checkArchive decodes each blob of an archive and compares its SHA-1.
func checkArchive(t *testing.T, v variant, wim []byte) {
	t.Helper()
	type blob struct {
		hash   []byte
		chunks []chunk
	}
	var blobs []blob
	packed := 0
	eachBlob(t, wim, func(hash []byte, chunks []chunk) {
		blobs = append(blobs, blob{hash, chunks})
		for _, c := range chunks {
			if len(c.packed) < len(c.plain) {
				packed++
			}
		}
	})
	if len(blobs) < 10 || packed < 10 {
		t.Fatalf("got %d blobs with %d packed chunks, want more", len(blobs), packed)
	}

	// The fast decoder. It never allocates, but the plain decoder does, so allocations would show that it refused a chunk.
	d := v.make()
	guards := bytes.Repeat([]byte{0xA5}, 32)
	buf := make([]byte, 32+v.size+32)
	sum := make([]byte, 0, sha1.Size)
	h := sha1.New()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, b := range blobs {
		h.Reset()
		for i, c := range b.chunks {
			if len(c.packed) == len(c.plain) {
				h.Write(c.packed)
				continue
			}
			dst := buf[32 : 32+len(c.plain) : 32+len(c.plain)]
			copy(buf, guards)
			copy(buf[32+len(dst):], guards)
			if err := d.Decode(dst, c.packed); err != nil {
				t.Fatalf("blob %x chunk %d: %v", b.hash, i, err)
			}
			if !bytes.Equal(buf[:32], guards) || !bytes.Equal(buf[32+len(dst):][:32], guards) {
				t.Fatalf("blob %x chunk %d: wrote outside dst", b.hash, i)
			}
			h.Write(dst)
		}
		if got := h.Sum(sum); !bytes.Equal(got, b.hash) {
			t.Fatalf("blob of %d chunks: got SHA-1 %x, want %x", len(b.chunks), got, b.hash)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > 20 {
		t.Errorf("%d allocations while decoding: did the fast decoder refuse a chunk?", n)
	}

	for _, b := range blobs {
		h.Reset()
		for i, c := range b.chunks {
			if len(c.packed) == len(c.plain) {
				h.Write(c.packed)
				continue
			}
			if err := v.plain(c.plain, c.packed); err != nil {
				t.Fatalf("blob %x chunk %d: plain: %v", b.hash, i, err)
			}
			h.Write(c.plain)
		}
		if got := h.Sum(sum); !bytes.Equal(got, b.hash) {
			t.Fatalf("blob of %d chunks: plain: got SHA-1 %x, want %x", len(b.chunks), got, b.hash)
		}
	}
}

// readChunks returns the packed chunks of an archive, decoded, the largest first.
func readChunks(tb testing.TB, wim []byte, v variant) []chunk {
	tb.Helper()
	var all []chunk
	d := v.make()
	eachBlob(tb, wim, func(hash []byte, chunks []chunk) {
		for _, c := range chunks {
			if len(c.packed) == len(c.plain) {
				continue
			}
			if err := d.Decode(c.plain, c.packed); err != nil {
				tb.Fatal(err)
			}
			all = append(all, c)
		}
	})
	sort.SliceStable(all, func(i, j int) bool { return len(all[i].plain) > len(all[j].plain) })
	return all
}
