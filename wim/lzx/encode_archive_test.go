package lzx

import (
	"bytes"
	"encoding/binary"
	"flag"
	"math/bits"
	"os"
	"testing"
	"time"
)

var (
	archive      = flag.String("archive", "", "LZX archive, not solid, for TestAgainstArchive")
	archiveStep  = flag.Int("archive-step", 16, "take one chunk in so many")
	archiveLevel = flag.Int("archive-level", 2, "level to pack at")
)

// TestAgainstArchive repacks the chunks of an archive, checks that each decodes to the same bytes, and logs how the sizes
// compare with those in the archive, and the speed. It is for campaigns, and for comparing with other programs.
func TestAgainstArchive(t *testing.T) {
	if *archive == "" {
		t.Skip("no -archive given")
	}
	wim, err := os.ReadFile(*archive)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	chunkSize := int(le.Uint32(wim[0x14:]))
	size56 := func(b []byte) uint64 { return le.Uint64(b) & (1<<56 - 1) }
	d := newDecoder(t, chunkSize)
	e, err := NewEncoder(chunkSize, *archiveLevel)
	if err != nil {
		t.Fatal(err)
	}
	plain, again, packed := make([]byte, chunkSize), make([]byte, chunkSize), make([]byte, chunkSize)
	var theirs, ours, bytesIn, chunks, number int
	var took time.Duration
	var bySize [22][2]int // theirs and ours, by the logarithm of the chunk's size
	table := wim[le.Uint64(wim[0x38:]):][:size56(wim[0x30:])]
	for ; len(table) >= 50; table = table[50:] {
		flags, packedSize, off, size := table[7], size56(table), le.Uint64(table[8:]), int(le.Uint64(table[16:]))
		if flags&4 == 0 {
			continue
		}
		data := wim[off:][:packedSize]
		n := (size + chunkSize - 1) / chunkSize
		data, starts := data[4*(n-1):], data[:4*(n-1)]
		from := 0
		for i := range n {
			to := len(data)
			if i < n-1 {
				to = int(le.Uint32(starts[4*i:]))
			}
			src, dst := data[from:to], plain[:min(chunkSize, size-i*chunkSize)]
			from = to
			if number++; number%*archiveStep != 0 {
				continue
			}
			if len(src) == len(dst) {
				copy(dst, src)
			} else if err := d.Decode(dst, src); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			k := e.Encode(packed[:len(dst)-1], dst)
			took += time.Since(began)
			chunks++
			bytesIn += len(dst)
			theirs += len(src)
			size := k
			if k == 0 {
				size = len(dst)
			}
			ours += size
			class := &bySize[bits.Len(uint(len(dst)-1))]
			class[0] += len(src)
			class[1] += size
			if k == 0 {
				continue
			}
			if err := d.Decode(again[:len(dst)], packed[:k]); err != nil || !bytes.Equal(again[:len(dst)], dst) {
				t.Fatalf("chunk %d: decodes to other bytes, error %v", number, err)
			}
		}
	}
	for i, c := range bySize {
		if c[0] > 0 {
			t.Logf("chunks of up to %7d: archive has %8d, ours %8d, ratio %.4f", 1<<i, c[0], c[1], float64(c[1])/float64(c[0]))
		}
	}
	t.Logf("level %d, %d chunks, %d bytes: archive has %d, ours %d, ratio %.4f; %.2f MB/s", *archiveLevel, chunks, bytesIn, theirs, ours,
		float64(ours)/float64(theirs), float64(bytesIn)/1e6/took.Seconds())
}
