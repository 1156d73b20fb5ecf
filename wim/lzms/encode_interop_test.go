package lzms

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// packWIM packs the resources of an uncompressed archive made by wimlib-imagex, one by one or all blobs in one solid resource. It returns
// the archive and the number of chunks that shrank.
func packWIM(t *testing.T, e *Encoder, f []byte, chunkSize int, solid bool) (out []byte, packed int) {
	t.Helper()
	le := binary.LittleEndian
	field := func(at int) (size, off int) { // of a resource header
		return int(le.Uint64(f[at:]) & (1<<56 - 1)), int(le.Uint64(f[at+8:]))
	}
	resource := func(b []byte, at, size int, flags byte, plain uint64) {
		le.PutUint64(b, uint64(size))
		b[7] = flags
		le.PutUint64(b[8:], uint64(at))
		le.PutUint64(b[16:], plain)
	}
	// chunks packs bytes and returns the packed chunks and their sizes.
	chunks := func(src []byte) (all []byte, sizes []int) {
		for len(src) > 0 {
			c := src[:min(chunkSize, len(src))]
			src = src[len(c):]
			dst := make([]byte, len(c)-1)
			if n := e.Encode(dst, c); n != 0 {
				c = dst[:n]
				packed++
			}
			all, sizes = append(all, c...), append(sizes, len(c))
		}
		return all, sizes
	}
	out = append(out, f[:208]...)
	le.PutUint32(out[0x0C:], 0xE00)
	le.PutUint32(out[0x10:], le.Uint32(f[0x10:])|0x80002) // compressed, LZMS
	le.PutUint32(out[0x14:], uint32(chunkSize))
	tableSize, tableOff := field(0x30)
	var table, members, run []byte
	for in := f[tableOff : tableOff+tableSize]; len(in) > 0; in = in[50:] {
		entry := append([]byte(nil), in[:50]...)
		size, off := int(le.Uint64(in)&(1<<56-1)), int(le.Uint64(in[8:]))
		src, flags := f[off:off+size], in[7]
		if solid && flags&2 == 0 {
			resource(entry, len(run), size, 0x10, 0)
			run, members = append(run, src...), append(members, entry...)
			continue
		}
		all, sizes := chunks(src)
		at := len(out)
		sum := 0
		for _, n := range sizes[:max(len(sizes), 1)-1] {
			sum += n
			out = le.AppendUint32(out, uint32(sum))
		}
		out = append(out, all...)
		if len(out)-at >= size { // did not shrink
			out = append(out[:at], src...)
			resource(entry, at, size, flags, uint64(size))
		} else {
			resource(entry, at, len(out)-at, flags|4, uint64(size))
		}
		table = append(table, entry...)
	}
	if solid {
		all, sizes := chunks(run)
		at := len(out)
		out = le.AppendUint64(out, uint64(len(run)))
		out = le.AppendUint32(out, uint32(chunkSize))
		out = le.AppendUint32(out, 3)
		for _, n := range sizes {
			out = le.AppendUint32(out, uint32(n))
		}
		out = append(out, all...)
		entry := make([]byte, 50)
		resource(entry, at, len(out)-at, 0x10, 1<<32)
		le.PutUint16(entry[24:], 1)
		le.PutUint32(entry[26:], 1)
		table = append(append(table, entry...), members...)
	}
	resource(out[0x30:], len(out), len(table), 2, uint64(len(table)))
	out = append(out, table...)
	size, off := field(0x48)
	resource(out[0x48:], len(out), size, 2, uint64(size))
	out = append(out, f[off:off+size]...)
	clear(out[0x60:0x94]) // no boot image, no integrity table
	return out, packed
}

// TestEncodeInterop: wimlib-imagex and 7-Zip verify archives whose chunks our encoder packed.
func TestEncodeInterop(t *testing.T) {
	f, err := os.ReadFile(capture(t, sampleFiles(t), "--compress=none"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		chunk, level int
		solid        bool
	}{
		{1 << 15, 1, false}, {1 << 15, 3, false}, {1 << 17, 2, false}, {1 << 20, 2, false}, {1 << 16, 2, true},
		{64 << 20, 1, true}, {64 << 20, 2, true}, {64 << 20, 3, true},
	} {
		if testing.Short() && c.level == 3 {
			continue
		}
		t.Run(fmt.Sprintf("%dK/level%d/solid=%v", c.chunk>>10, c.level, c.solid), func(t *testing.T) {
			e := makeEncoder(t, min(c.chunk, 8<<20), c.level) // the whole sample is smaller
			wim, packed := packWIM(t, e, f, c.chunk, c.solid)
			name := filepath.Join(t.TempDir(), "x.wim")
			if err := os.WriteFile(name, wim, 0o644); err != nil {
				t.Fatal(err)
			}
			if text, err := exec.Command(wantTool(t, "wimlib-imagex"), "verify", name).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if text, err := exec.Command(wantTool(t, "7zz"), "t", name).CombinedOutput(); err != nil {
				t.Errorf("7zz: %v\n%s", err, text)
			}
			t.Logf("%d bytes from %d, %d chunks packed", len(wim), len(f), packed)
			if packed == 0 || len(wim) > len(f)/2 {
				t.Errorf("%d bytes from %d, %d chunks packed: too few to prove anything", len(wim), len(f), packed)
			}
		})
	}
}
