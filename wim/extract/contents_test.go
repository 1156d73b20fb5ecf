package extract_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

func TestPlanContents(t *testing.T) {
	for _, name := range []string{"plain", "raw-chunks", "solid", "solid-two-resources", "split-solid-own-tables", "delta"} {
		t.Run(name, func(t *testing.T) {
			var s wimtest.Sample
			for _, x := range wimtest.Samples() {
				if x.Name == name {
					s = x
				}
			}
			parts := func(list []wimtest.SamplePart) (out []blobs.Part) {
				for _, p := range list {
					out = append(out, blobs.Part{Name: p.Name, R: bytes.NewReader(p.Bytes), Size: int64(len(p.Bytes))})
				}
				return out
			}
			a, err := wim.Open(parts(s.Parts), &blobs.Options{References: parts(s.Refs)})
			if err != nil {
				t.Fatal(err)
			}
			want := map[format.Hash][]byte{}
			hashes := []format.Hash{{}} // the zero hash is ignored
			for p, text := range s.Files {
				if !strings.HasSuffix(p, "/") {
					h := format.Hash(sha1.Sum([]byte(text)))
					want[h] = []byte(text)
					hashes = append(hashes, h, h)
				}
			}
			plan, err := extract.PlanContents(a, hashes)
			if err != nil {
				t.Fatal(err)
			}
			got := map[format.Hash][]byte{}
			err = extract.RunContents(context.Background(), plan, a.Store().Source(), 2, extract.Contents{
				Piece: func(h format.Hash, off int64, data []byte, last bool) error {
					if off != int64(len(got[h])) || last != (len(got[h])+len(data) == len(want[h])) {
						t.Errorf("%v: a piece of %d bytes at %d, last %v", h, len(data), off, last)
					}
					got[h] = append(got[h], data...)
					return nil
				},
				Damaged: func(h format.Hash, why string) error { return errors.New(why) },
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Errorf("%d contents, want %d", len(got), len(want))
			}
			for h, b := range want {
				if !bytes.Equal(got[h], b) {
					t.Errorf("%v: %d bytes, want %d", h, len(got[h]), len(b))
				}
			}
			var missing *blobs.MissingError
			if _, err := extract.PlanContents(a, []format.Hash{{1}}); !errors.As(err, &missing) {
				t.Errorf("a content that is nowhere: %v", err)
			}
		})
	}
}
