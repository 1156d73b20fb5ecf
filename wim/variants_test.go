package wim_test

import (
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// TestVariants reads archives by wimlib and 7-Zip: every codec at every chunk size, solid or not, split, pipable, delta, with an integrity
// table. It reads each blob, verifies the archive and extracts it.
func TestVariants(t *testing.T) {
	for i, v := range wimtest.Variants() {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			a := archivetest.OpenMade(t, v, archivetest.MakeVariant(t, v, uint64(i)))
			t.Run("open", func(t *testing.T) { openVariant(t, v, a) })
			t.Run("verify", func(t *testing.T) { verifyVariant(t, v, a) })
			t.Run("extract", func(t *testing.T) { extractVariant(t, a) })
		})
	}
}

func openVariant(t *testing.T, v wimtest.Variant, a *wim.Archive) {
	info := a.Info()
	if len(info.Warnings) > 0 {
		t.Errorf("warnings: %q", info.Warnings)
	}
	if len(info.Missing) > 0 {
		t.Errorf("missing parts: %d", info.Missing)
	}
	if len(a.Images()) != v.Images {
		t.Errorf("%d images, want %d", len(a.Images()), v.Images)
	}
	archivetest.ReadBlobs(t, a)
	archivetest.CheckTiles(t, a)
	for _, r := range a.Store().Regions() {
		// A replaced table leaves unused bytes, and wimlib aligns solid resources.
		if r.Kind == blobs.RegionUnused && r.Len >= 8 && v.Images == 1 {
			t.Errorf("unused: %+v", r)
		}
	}
	for n := range a.Images() {
		im, err := a.Image(n + 1)
		if err != nil {
			t.Fatal(err)
		}
		im.EachStream(0, wim.Node(im.Len()), func(n wim.Node, h format.Hash, kind format.StreamKind, name []byte) bool {
			if _, ok := a.Store().Blob(h); !ok {
				t.Errorf("%s: its content is missing", im.Path(n))
			}
			return true
		})
	}
}

func verifyVariant(t *testing.T, v wimtest.Variant, a *wim.Archive) {
	r := jobtest.Verify(t, a, 2)
	if !r.OK {
		t.Errorf("not good:\n%s", r.Text())
	}
	if len(r.RefCounts) > 0 && v.Name != "7-Zip" {
		t.Errorf("reference counts: %+v", r.RefCounts)
	}
	if r.Integrity[0].State == "none" && (strings.Contains(v.Name, "integrity") || strings.Contains(v.Name, "split") && !strings.Contains(v.Name, "pipable")) {
		t.Error("no integrity table")
	}
}

func extractVariant(t *testing.T, a *wim.Archive) {
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	want := jobtest.ImageTree(t, a, im)
	_, b, damaged := jobtest.Extract(t, a, im, nil)
	jobtest.DiffTrees(t, "ZIP", jobtest.ZipTree(t, b), want)
	p, b, _ := jobtest.Extract(t, a, im, &extract.Options{Form: extract.OutputTAR})
	jobtest.DiffTrees(t, "TAR", jobtest.TarTree(t, b), want)
	if len(damaged) > 0 || p.Skipped.Count > 0 {
		t.Errorf("damaged %v, skipped %v", damaged, p.Skipped)
	}
	if p.Files+p.Dirs+p.Links != im.Len()-1 {
		t.Errorf("%d files, %d folders, %d links of %d entries", p.Files, p.Dirs, p.Links, im.Len()-1)
	}
}
