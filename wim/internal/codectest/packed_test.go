package codectest_test

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/xpress"
)

// packedArchive returns an archive of one folder whose files, named by number, have these contents. encode, the Encode of a codec,
// packs each chunk.
func packedArchive(codec uint32, chunkSize int, contents [][]byte, encode func(dst, src []byte) int) []byte {
	root := wimtest.Folder("")
	a := &wimtest.HandArchive{Flags: format.FlagCompression | codec, ChunkSize: uint32(chunkSize)}
	seen := map[[20]byte]bool{}
	dst := make([]byte, chunkSize)
	for i, b := range contents {
		hash := sha1.Sum(b)
		root.Children = append(root.Children, &wimtest.HandEntry{Name: fmt.Sprintf("%06d", i), Hash: hash})
		if seen[hash] {
			continue
		}
		seen[hash] = true
		var table, data []byte
		for off := 0; off < len(b); off += chunkSize {
			if off > 0 {
				table = binary.LittleEndian.AppendUint32(table, uint32(len(data)))
			}
			c := b[off:min(off+chunkSize, len(b))]
			if n := encode(dst[:len(c)-1], c); n > 0 {
				data = append(data, dst[:n]...)
			} else {
				data = append(data, c...)
			}
		}
		res := format.ResourceHeader{Off: uint64(format.HeaderSize + len(a.Unused)), Size: uint64(len(b)), PackedSize: uint64(len(table) + len(data)), Flags: format.ResCompressed}
		if len(table)+len(data) < len(b) {
			a.Unused = append(append(a.Unused, table...), data...)
		} else {
			res.Flags, res.PackedSize = 0, res.Size
			a.Unused = append(a.Unused, b...)
		}
		a.Extra = append(a.Extra, format.BlobEntry{Resource: res, Part: 1, RefCount: 1, Hash: hash}.Append(nil))
	}
	a.Metadata = []wimtest.HandMeta{{Data: wimtest.HandMetadata(root, nil), RefCount: 1}}
	return a.Bytes()
}

// manyContents returns about limit bytes of the system's files, and generated files of each kind, in sizes around the chunk size.
func manyContents(tb testing.TB, limit int64, chunkSize int) (contents [][]byte) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(corpus(tb, limit), "*"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		if len(b) > 0 {
			contents = append(contents, b)
		}
	}
	r := rand.New(rand.NewPCG(uint64(chunkSize), 9))
	for kind := wimtest.Text; kind <= wimtest.Mixed; kind++ {
		for _, n := range []int{1, 2, 300, 1000, chunkSize - 1, chunkSize, chunkSize + 1, 2*chunkSize + 300} {
			contents = append(contents, kind.Make(r, n))
		}
	}
	return contents
}

// wimlibReads checks an archive with wimlib-imagex, which decodes each blob and compares its SHA-1.
func wimlibReads(t *testing.T, archive []byte) {
	t.Helper()
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.wim"), archive, 0o600); err != nil {
		t.Fatal(err)
	}
	wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", "a.wim")
}

// TestWimlibReadsXpress: wimlib-imagex reads what our encoder packs, at each chunk size and level.
func TestWimlibReadsXpress(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	contents := manyContents(t, 2<<20, 32768)
	for size := 4096; size <= 65536; size *= 2 {
		for level := 1; level <= 3; level++ {
			t.Run(fmt.Sprintf("%dK/level %d", size>>10, level), func(t *testing.T) {
				packed := 0
				e := xpress.NewEncoder(size, level)
				wimlibReads(t, packedArchive(format.FlagXPRESS, size, contents, func(dst, src []byte) int {
					n := e.Encode(dst, src)
					if n > 0 {
						packed++
					}
					return n
				}))
				if packed < 50 {
					t.Errorf("only %d chunks were packed", packed)
				}
			})
		}
	}
}

// wimlib-imagex refuses an archive with damaged packed bytes, which the tests that use wimlibReads rely on.
func TestWimlibNoticesDamage(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	e := xpress.NewEncoder(32768, 2)
	text := wimtest.Text.Make(rand.New(rand.NewPCG(1, 9)), 20000)
	archive := packedArchive(format.FlagXPRESS, 32768, [][]byte{text}, e.Encode)
	archive[format.HeaderSize+3000] ^= 0x10
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.wim"), archive, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := wimtest.Run(dir, wimtest.Wimlib, "verify", "a.wim"); err == nil {
		t.Errorf("wimlib-imagex accepts a damaged archive: %s", out)
	}
}
