package extract_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/ntname"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/jobtest"
)

// deepArchive has deeply nested folders and many files in the lowest one: a third empty, a third with the same blob, a
// third with a blob each, and a link.
func deepArchive(t testing.TB, depth, files int) *wim.Archive {
	t.Helper()
	low := wimtest.Folder("low")
	for i := range files {
		text := [...]string{"", "same", fmt.Sprintf("content %d", i)}[i%3]
		low.Children = append(low.Children, wimtest.TextFile(fmt.Sprintf("file %05d", i), text))
	}
	low.Children = append(low.Children, &wimtest.HandEntry{Name: "link", Attrs: 0x400, Tag: wimtest.TagSymlink,
		Data: wimtest.SymlinkData(`\??\C:\top`, `C:\top`, false)})
	e := low
	for range depth {
		e = wimtest.Folder("d", e)
	}
	b := wimtest.One(wimtest.Folder("", e, wimtest.TextFile("top", "t"))).Bytes()
	a, err := wim.Open([]blobs.Part{{Name: "deep", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestDeepSizes checks that sizes are exact for paths that fit in no header and entries that need several shards.
func TestDeepSizes(t *testing.T) {
	a := deepArchive(t, 1200, 9000)
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	want := jobtest.ImageTree(t, a, im)
	p, b, _ := jobtest.Extract(t, a, im, nil) // compares the size
	jobtest.DiffTrees(t, "ZIP", jobtest.ZipTree(t, b), want)
	if p.Leads() < 2 || p.NumShards() < p.Leads()+2 {
		t.Errorf("%d shards, of which %d hold no bytes: entries were to be spread", p.NumShards(), p.Leads())
	}
	for i := range p.NumShards() {
		s, err := p.Entries(i)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(s.AppendBinary(nil)); n > 2*shard.MaxShardNames {
			t.Errorf("the entries of shard %d take %d bytes", i, n)
		}
	}
	_, b, _ = jobtest.Extract(t, a, im, &extract.Options{Form: extract.OutputTAR})
	jobtest.DiffTrees(t, "TAR", jobtest.TarTree(t, b), want)
}

// TestDeepPlan checks that planning the deepest possible tree takes little time and memory, and can be cancelled.
func TestDeepPlan(t *testing.T) {
	a := deepArchive(t, wim.MaxTreeDepth-10, 20000)
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []extract.Form{extract.OutputZIP, extract.OutputTAR, extract.OutputFolder} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		rests := 0
		p, err := extract.New(a, extract.Selection{Image: im}, &extract.Options{Form: form, Platform: ntname.PlatformLinux, Rest: func(_ int64, items int) error {
			rests++
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		t.Logf("%s: %v, %d bytes, %d rests", form, took, after.TotalAlloc-before.TotalAlloc, rests)
		if took > 5*time.Second {
			t.Errorf("%s: planning took %v", form, took)
		}
		if p.Dirs != wim.MaxTreeDepth-9 || p.Files+p.Skipped.Count != 20001 || p.Links != 1 {
			t.Errorf("%s: %d folders, %d files, %d links", form, p.Dirs, p.Files, p.Links)
		}
		stop := errors.New("enough")
		calls := 0
		_, err = extract.New(a, extract.Selection{Image: im}, &extract.Options{Form: form, Rest: func(_ int64, items int) error {
			if calls++; items >= 5*extract.RestEntries {
				return stop
			}
			return nil
		}})
		if !errors.Is(err, stop) || calls != 5 {
			t.Errorf("%s: given up after %d rests: %v", form, calls, err)
		}
	}
}

// TestManyNames checks that a blob with too many long names loses some of them, and that these are reported.
func TestManyNames(t *testing.T) {
	root := wimtest.Folder(strings.Repeat("d", 250))
	e := root
	for range 100 {
		sub := wimtest.Folder(strings.Repeat("e", 250))
		e.Children = append(e.Children, sub)
		e = sub
	}
	const count = 3000
	for i := range count {
		e.Children = append(e.Children, wimtest.TextFile(fmt.Sprintf("%s%05d", strings.Repeat("f", 200), i), "same"))
	}
	b := wimtest.One(wimtest.Folder("", root)).Bytes()
	a, err := wim.Open([]blobs.Part{{Name: "names", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	p, _, _ := jobtest.Extract(t, a, im, nil)
	if p.Files+p.Skipped.Count != count || p.Skipped.Count == 0 || p.Skipped.List[0].Reason != "too-large" {
		t.Errorf("%d files, %d left out", p.Files, p.Skipped.Count)
	}
	if n := len(p.Skipped.List); n == p.Skipped.Count || n*25000 > 2*extract.MaxProblemText {
		t.Errorf("%d of %d problems are kept", n, p.Skipped.Count)
	}
}

// TestPathsBounded checks that paths with millions of bytes are reported shortened to their ends, and that paths that no
// system supports are left out.
func TestPathsBounded(t *testing.T) {
	e := wimtest.Folder("below", wimtest.TextFile("file", "text"))
	for range 200 {
		e = wimtest.Folder(strings.Repeat("n", 32000), e)
	}
	b := wimtest.One(wimtest.Folder("", e, wimtest.TextFile("top", "t"))).Bytes()
	a, err := wim.Open([]blobs.Part{{Name: "long", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	last := wim.Node(im.Len() - 1)
	if p := im.Path(last); !strings.HasPrefix(p, "/\u2026/nnn") || !strings.HasSuffix(p, "nnn/below/file") || len(p) > 1<<20 {
		t.Errorf("a path of %d bytes: %.20s", len(p), p)
	}
	for _, form := range []extract.Form{extract.OutputZIP, extract.OutputTAR} {
		p, err := extract.New(a, extract.Selection{Image: im}, &extract.Options{Form: form})
		if err != nil {
			t.Fatal(err)
		}
		if p.Files != 1 || p.Dirs+p.Skipped.Count != 202 || p.Skipped.List[0].Reason != "name-long" {
			t.Errorf("%s: %d files, %d folders, %d left out", form, p.Files, p.Dirs, p.Skipped.Count)
		}
	}
	// Relative to the folder above it, the path is short.
	n := last
	for im.Name(n) != "below" {
		n--
	}
	p, err := extract.New(a, extract.Selection{Image: im, Roots: []wim.Node{n}, Base: im.Parent(n)}, nil)
	if err != nil || p.Files != 1 || p.Dirs != 1 || p.Skipped.Count != 0 || p.FirstEntry().Path != "below/file" {
		t.Errorf("%+v, %v", p, err)
	}
}
