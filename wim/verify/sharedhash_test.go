package verify_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// TestSharedMetadataHash opens archives in which two images share a metadata resource and the blob table has a wrong hash for one of them.
// Only that image is damaged, whichever is loaded first.
func TestSharedMetadataHash(t *testing.T) {
	h := wimtest.One(wimtest.Folder("", wimtest.TextFile("f", "x")))
	h.Metadata = append(h.Metadata, wimtest.HandMeta{RefCount: 1, Shared: true, Data: h.Metadata[0].Data})
	good := h.Bytes()
	sum := sha1.Sum(h.Metadata[0].Data)
	first := bytes.Index(good, sum[:])
	second := first + 1 + bytes.Index(good[first+1:], sum[:])
	for bad, at := range map[int]int{1: first, 2: second} {
		b := bytes.Clone(good)
		b[at] ^= 1
		for _, order := range [][]int{{1, 2}, {2, 1}} {
			a := archivetest.MustOpen(t, b)
			for _, index := range order {
				if _, err := a.Image(index); errors.Is(err, format.ErrChecksum) != (index == bad) {
					t.Errorf("hash of image %d changed, image %d: %v", bad, index, err)
				}
			}
		}
		r := jobtest.Verify(t, archivetest.MustOpen(t, b), 1)
		if r.OK || len(r.Damaged) != 1 || len(r.Damaged[0].Uses) != 1 || r.Damaged[0].Uses[0].Image != bad {
			t.Errorf("hash of image %d changed: %+v", bad, r.Damaged)
		}
	}
}
