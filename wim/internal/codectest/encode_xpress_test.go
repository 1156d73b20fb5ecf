package codectest_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wimscope/wim/xpress"
)

var (
	sizesOf = flag.String("sizes", "", "pattern of XPRESS archives for TestXpressSizes, not solid")
	every   = flag.Int("every", 1, "TestXpressSizes takes one blob in so many")
)

// TestXpressSizes repacks the archives named by -sizes at each level, and logs the sizes compared with those in the archive, and
// the speed. A chunk that does not shrink counts with its plain size. All chunks must decode, and level 2 must not be larger.
func TestXpressSizes(t *testing.T) {
	if *sizesOf == "" {
		t.Skip("no -sizes given")
	}
	files, err := filepath.Glob(*sizesOf)
	if err != nil || len(files) == 0 {
		t.Fatalf("no archive matches %s: %v", *sizesOf, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			wim, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			size := int(binary.LittleEndian.Uint32(wim[0x14:]))
			var encoders [3]*xpress.Encoder
			for i := range encoders {
				encoders[i] = xpress.NewEncoder(size, i+1)
			}
			type sum struct {
				packed        int
				larger, worst int // blobs that are larger than in the archive, and the largest difference in bytes
				spent         time.Duration
			}
			var sums [3]sum
			d := xpress.NewDecoder()
			plain, theirs, blobs := 0, 0, 0
			dst, back := make([]byte, size), make([]byte, size)
			eachBlob(t, wim, func(hash []byte, chunks []chunk) {
				blobs++
				if blobs%*every != 0 {
					return
				}
				blob := 0
				for _, c := range chunks {
					blob += len(c.packed)
					plain += len(c.plain)
					if len(c.packed) == len(c.plain) {
						copy(c.plain, c.packed)
					} else if err := d.Decode(c.plain, c.packed); err != nil {
						t.Fatal(err)
					}
				}
				theirs += blob
				for i, e := range encoders {
					s := &sums[i]
					mine := 0
					for j, c := range chunks {
						start := time.Now()
						n := e.Encode(dst[:len(c.plain)-1], c.plain)
						s.spent += time.Since(start)
						if n == 0 {
							mine += len(c.plain)
							continue
						}
						mine += n
						if err := d.Decode(back[:len(c.plain)], dst[:n]); err != nil || !bytes.Equal(back[:len(c.plain)], c.plain) {
							t.Fatalf("level %d, blob %x, chunk %d: %v", i+1, hash, j, err)
						}
					}
					s.packed += mine
					if mine > blob {
						s.larger++
						s.worst = max(s.worst, mine-blob)
					}
				}
			})
			for i, s := range sums {
				t.Logf("level %d: %d bytes of %d, %.4f of the archive's %d; %d of %d blobs larger, by %d at most; %.1f MB/s",
					i+1, s.packed, plain, float64(s.packed)/float64(theirs), theirs, s.larger, blobs / *every, s.worst, float64(plain)/1e6/s.spent.Seconds())
			}
			if sums[1].packed > theirs {
				t.Errorf("level 2 takes %d bytes, more than the archive's %d", sums[1].packed, theirs)
			}
		})
	}
}
