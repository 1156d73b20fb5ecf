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
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
)

// gatherer puts contents together from the shards of a plan.
type gatherer struct {
	shard.Plan
	got map[format.Hash][]byte
}

func (g *gatherer) Merge(i int, r *shard.Result) ([]shard.BlockMark, error) {
	s, err := g.Shard(i)
	if err != nil {
		return nil, err
	}
	data := r.Data
	for _, sp := range s.Spans {
		for _, p := range sp.Pieces {
			g.got[p.Hash] = append(g.got[p.Hash], data[:p.Len]...)
			data = data[p.Len:]
		}
	}
	return g.Plan.Merge(i, r)
}

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
			hashes := []format.Hash{{}} // none is no content
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
			g := &gatherer{plan, map[format.Hash][]byte{}}
			if err := shard.Run(context.Background(), g, a.Store().Source(), 2, nil); err != nil {
				t.Fatal(err)
			}
			if len(g.got) != len(want) {
				t.Errorf("%d contents, want %d", len(g.got), len(want))
			}
			for h, b := range want {
				if !bytes.Equal(g.got[h], b) {
					t.Errorf("%v: %d bytes, want %d", h, len(g.got[h]), len(b))
				}
			}
			var missing *blobs.MissingError
			if _, err := extract.PlanContents(a, []format.Hash{{1}}); !errors.As(err, &missing) {
				t.Errorf("a content that is nowhere: %v", err)
			}
		})
	}
}
