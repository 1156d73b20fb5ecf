package core

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
	"wimscope/wim/wimtest"
)

// openFiles opens the files of an archive for the time of a test.
func openFiles(t testing.TB, names ...string) []Part {
	t.Helper()
	var parts []Part
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, Part{Name: filepath.Base(name), R: f, Size: st.Size()})
	}
	return parts
}

// openMade opens what a variant wrote.
func openMade(t testing.TB, v wimtest.Variant, m *wimtest.Made) *Archive {
	t.Helper()
	names := []string{m.First}
	o := &ReadOptions{}
	if m.Ref != "" {
		others, err := filepath.Glob(m.Ref)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(m.First, ".swm") {
			// In any order: backwards.
			names = nil
			for i := range others {
				names = append(names, others[len(others)-1-i])
			}
		} else {
			o.References = openFiles(t, others...)
		}
	}
	a, err := Open(openFiles(t, names...), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// makeVariant writes a variant of the tree with this seed.
func makeVariant(t testing.TB, v wimtest.Variant, seed uint64) *wimtest.Made {
	t.Helper()
	wimtest.Need(t, v.Programs()...)
	dir := t.TempDir()
	o := &wimtest.TreeOptions{Chunk: min(max(v.Chunk, 1024), 2<<20), Plain: v.Plain}
	tree, base := filepath.Join(dir, "tree"), filepath.Join(dir, "base")
	for at, tr := range map[string]*wimtest.Tree{tree: wimtest.Random(seed, o), base: wimtest.Random(seed+1000, o)} {
		if err := os.Mkdir(at, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := tr.Write(at); err != nil {
			t.Fatal(err)
		}
	}
	m, err := v.Make(dir, tree, base)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// readBlobs reads every content and sees that it has its hash.
func readBlobs(t testing.TB, a *Archive) {
	t.Helper()
	for _, b := range a.Store().Blobs() {
		r, err := a.Store().OpenBlob(b.Hash)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Errorf("content %v: %v", b.Hash, err)
			continue
		}
		if got := format.Hash(sha1.Sum(data)); got != b.Hash || int64(len(data)) != b.Size {
			t.Errorf("content %v of %d bytes: got %v, %d bytes", b.Hash, b.Size, got, len(data))
		}
		if b.Size > 3 {
			// From the middle, across a chunk's border where there is one.
			at := b.Size / 3
			part := make([]byte, b.Size-at-1)
			if _, err := r.ReadAt(part, at); err != nil {
				t.Errorf("content %v at %d: %v", b.Hash, at, err)
			} else if !bytes.Equal(part, data[at:b.Size-1]) {
				t.Errorf("content %v at %d: other bytes than before", b.Hash, at)
			}
		}
	}
}

// checkTiles sees that regions cover each part exactly once.
func checkTiles(t testing.TB, a *Archive) {
	t.Helper()
	part, at := 0, int64(0)
	for _, r := range a.Store().Regions() {
		if r.Part != part {
			if r.Part != part+1 || at != a.Store().parts[part].Size {
				t.Fatalf("part %d ends at %d of %d", part, at, a.Store().parts[part].Size)
			}
			part, at = r.Part, 0
		}
		if r.Off != at || r.Len <= 0 {
			t.Fatalf("region %+v, should start at %d", r, at)
		}
		at += r.Len
	}
	if part != a.Store().nParts-1 || at != a.Store().parts[part].Size {
		t.Fatalf("the last region ends at %d of part %d", at, part)
	}
}

// TestVariants reads what wimlib and 7-Zip write: every codec at every chunk size, solid or not, split, pipable,
// delta, with an integrity table. Each is read content by content, verified and extracted.
func TestVariants(t *testing.T) {
	for i, v := range wimtest.Variants() {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			a := openMade(t, v, makeVariant(t, v, uint64(i)))
			t.Run("open", func(t *testing.T) { openVariant(t, v, a) })
			t.Run("verify", func(t *testing.T) { verifyVariant(t, v, a) })
			t.Run("extract", func(t *testing.T) { extractVariant(t, a) })
		})
	}
}

func openVariant(t *testing.T, v wimtest.Variant, a *Archive) {
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
	readBlobs(t, a)
	checkTiles(t, a)
	for _, r := range a.Store().Regions() {
		// A table that was replaced stays where it was; and wimlib aligns solid resources.
		if r.Kind == RegionUnused && r.Len >= 8 && v.Images == 1 {
			t.Errorf("unused: %+v", r)
		}
	}
	for n := range a.Images() {
		im, err := a.Image(n + 1)
		if err != nil {
			t.Fatal(err)
		}
		im.EachContent(func(n Node, h format.Hash, kind format.StreamKind, name []byte) bool {
			if _, ok := a.Store().Blob(h); !ok {
				t.Errorf("%s: its content is missing", im.Path(n))
			}
			return true
		})
	}
}

func sampleParts(list []wimtest.SamplePart) []Part {
	var parts []Part
	for _, p := range list {
		parts = append(parts, Part{Name: p.Name, R: bytes.NewReader(p.Bytes), Size: int64(len(p.Bytes))})
	}
	return parts
}

// TestSamples reads hand-made archives: what no tool writes, and what is wrong in one way each.
func TestSamples(t *testing.T) {
	for _, s := range wimtest.Samples() {
		t.Run(s.Name, func(t *testing.T) {
			a, err := Open(sampleParts(s.Parts), &ReadOptions{References: sampleParts(s.Refs)})
			switch s.Outcome {
			case wimtest.NotWIM:
				var want *NotWIMError
				if !errors.As(err, &want) || !errors.Is(err, format.ErrFormat) {
					t.Errorf("got %v, want a NotWIMError", err)
				}
				return
			case wimtest.OldVersion:
				var want *OldVersionError
				if !errors.As(err, &want) || !errors.Is(err, format.ErrUnsupported) {
					t.Errorf("got %v, want an OldVersionError", err)
				}
				return
			case wimtest.Encrypted:
				var want *EncryptedError
				if !errors.As(err, &want) {
					t.Errorf("got %v, want an EncryptedError", err)
				}
				return
			case wimtest.Truncated:
				var want *TruncatedError
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
			checkTiles(t, a)
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
					t.Fatal("there is no image")
				}
				return
			}
			im, err := a.Image(1)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for n := Node(1); int(n) < im.Len(); n++ {
				path := im.Path(n)
				if im.IsDir(n) {
					got[path+"/"] = ""
					continue
				}
				r, err := a.Store().OpenBlob(im.Hash(n))
				if errors.Is(err, ErrMissingBlob) {
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
			if s.Outcome == wimtest.Warns && len(a.Info().Warnings)+len(im.Warnings()) == 0 {
				t.Error("no warning")
			}
		})
	}
}
