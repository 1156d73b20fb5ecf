package wim_test

import (
	"bytes"
	"errors"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/wimtest"
)

func TestIdentify(t *testing.T) {
	parts := 0
	for _, s := range wimtest.Samples() {
		if s.Name != "split-plain" && s.Name != "zip" {
			continue
		}
		for i, p := range s.Parts {
			parts++
			got, err := blobs.Identify(blobs.Part{Name: p.Name, R: bytes.NewReader(p.Bytes), Size: int64(len(p.Bytes))})
			if s.Name == "zip" {
				var not *blobs.NotWIMError
				if !errors.As(err, &not) {
					t.Errorf("%s: %+v, %v", p.Name, got, err)
				}
				continue
			}
			a, err2 := wim.Open([]blobs.Part{{Name: s.Parts[0].Name, R: bytes.NewReader(s.Parts[0].Bytes), Size: int64(len(s.Parts[0].Bytes))}}, nil)
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			if want := (blobs.Identity{GUID: a.Info().GUID, Number: i + 1, Total: 2}); got != want {
				t.Errorf("%s: %+v, want %+v", p.Name, got, want)
			}
		}
	}
	if parts != 3 {
		t.Errorf("%d files were identified, want two parts and a ZIP", parts)
	}
}
