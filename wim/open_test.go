package wim_test

import (
	"errors"
	"io"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

// TestSamples reads hand-made archives: valid ones that no tool writes, and those with one fault each.
func TestSamples(t *testing.T) {
	for _, s := range wimtest.Samples() {
		t.Run(s.Name, func(t *testing.T) {
			a, err := wim.Open(archivetest.SampleParts(s.Parts), &blobs.Options{References: archivetest.SampleParts(s.Refs)})
			switch s.Outcome {
			case wimtest.NotWIM:
				var want *blobs.NotWIMError
				if !errors.As(err, &want) || !errors.Is(err, format.ErrFormat) {
					t.Errorf("got %v, want a NotWIMError", err)
				}
				return
			case wimtest.OldVersion:
				var want *blobs.OldVersionError
				if !errors.As(err, &want) || !errors.Is(err, format.ErrUnsupported) {
					t.Errorf("got %v, want an OldVersionError", err)
				}
				return
			case wimtest.Encrypted:
				var want *blobs.EncryptedError
				if !errors.As(err, &want) {
					t.Errorf("got %v, want an EncryptedError", err)
				}
				return
			case wimtest.Truncated:
				var want *blobs.TruncatedError
				if !errors.As(err, &want) || want.Missing <= 0 {
					t.Errorf("got %v, want a TruncatedError with the missing bytes", err)
				}
				return
			case wimtest.Malformed:
				if !errors.Is(err, format.ErrFormat) && !errors.Is(err, format.ErrUnsupported) {
					t.Errorf("got %v, want ErrFormat or ErrUnsupported", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			archivetest.CheckTiles(t, a)
			switch s.Outcome {
			case wimtest.BadImage:
				if _, err := a.Image(1); !errors.Is(err, format.ErrFormat) && !errors.Is(err, format.ErrChecksum) {
					t.Errorf("image 1: got %v, want ErrFormat or ErrChecksum", err)
				}
				return
			case wimtest.Damaged:
				return // see TestVerifySamples
			}
			if len(a.Images()) == 0 {
				if len(s.Files) > 0 {
					t.Fatal("no images")
				}
				return
			}
			im, err := a.Image(1)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for n := wim.Node(1); int(n) < im.Len(); n++ {
				path := im.Path(n)
				if im.IsDir(n) {
					got[path+"/"] = ""
					continue
				}
				r, err := a.Store().OpenBlob(im.Hash(n))
				if errors.Is(err, blobs.ErrMissing) {
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", path, err)
					continue
				}
				b, err := io.ReadAll(r)
				if err != nil {
					t.Errorf("%s: %v", path, err)
				}
				got[path] = string(b)
			}
			for path, want := range s.Files {
				if b, ok := got[path]; !ok || b != want {
					t.Errorf("%s: got %.100q, want %.100q", path, b, want)
				}
			}
			if _, lost := im.Losses(); s.Outcome == wimtest.Warns && len(a.Info().Warnings)+len(im.Warnings())+lost == 0 {
				t.Error("no warning")
			}
		})
	}
}
