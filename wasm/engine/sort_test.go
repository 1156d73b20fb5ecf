//go:build !js

package engine

import (
	"bytes"
	"slices"
	"testing"

	"wimscope/wim/wimtest"
	"wimscope/worker/protocol"
)

// TestSort checks that files are grouped into archives by their headers, and that the trees show which archive has
// contents that another lacks.
func TestSort(t *testing.T) {
	sample := make(map[string]wimtest.Sample)
	for _, s := range wimtest.Samples() {
		sample[s.Name] = s
	}
	delta, pair, split := sample["delta"], sample["metadata-only"], sample["split-plain"]
	text := wimtest.SamplePart{Name: "letter.txt", Bytes: []byte("Dear reader,\n")}
	for _, test := range []struct {
		name    string
		files   []wimtest.SamplePart
		want    [][]int // files of each archive
		needs   [][]int
		images  []int
		refused []int
	}{
		{"parts in no order", []wimtest.SamplePart{split.Parts[1], split.Parts[0]}, [][]int{{1, 0}}, [][]int{nil}, []int{0}, nil},
		{"a base and its delta", []wimtest.SamplePart{delta.Refs[0], delta.Parts[0]}, [][]int{{0}, {1}}, [][]int{nil, {0}}, []int{1, 1}, nil},
		{"images and contents", []wimtest.SamplePart{pair.Parts[0], pair.Refs[0]}, [][]int{{0}, {1}}, [][]int{{1}, nil}, []int{1, 0}, nil},
		{"the same twice", []wimtest.SamplePart{delta.Refs[0], delta.Refs[0]}, [][]int{{0}, {1}}, [][]int{nil, nil}, []int{1, 1}, nil},
		{"a letter", []wimtest.SamplePart{text, delta.Refs[0]}, [][]int{{1}}, [][]int{nil}, []int{0}, []int{0}},
		{"a part without the first, and another archive", []wimtest.SamplePart{split.Parts[1], delta.Refs[0]}, [][]int{{1}}, [][]int{nil}, []int{1}, []int{0}},
		{"nothing", []wimtest.SamplePart{text, text}, nil, nil, nil, []int{0, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var req protocol.OpenRequest
			var files []any
			for _, p := range test.files {
				req.Parts = append(req.Parts, p.Name)
				files = append(files, bytes.NewReader(p.Bytes))
			}
			got := must[protocol.SortReply](t, New(Options{}), protocol.Sort, req, files...)
			if len(got.Archives) != len(test.want) || len(got.Refused) != len(test.refused) {
				t.Fatalf("%+v", got)
			}
			for i, a := range got.Archives {
				if !slices.Equal(a.Files, test.want[i]) || !slices.Equal(a.Needs, test.needs[i]) || a.Images != test.images[i] || a.Size == 0 {
					t.Errorf("archive %d: %+v", i, a)
				}
				if (len(a.Needs) > 0) != (a.Lacks > 0) {
					t.Errorf("archive %d lacks %d and needs %v", i, a.Lacks, a.Needs)
				}
			}
			for i, r := range got.Refused {
				if r.File != test.refused[i] || r.Error.Code == "" {
					t.Errorf("refused: %+v", r)
				}
			}
		})
	}
}
