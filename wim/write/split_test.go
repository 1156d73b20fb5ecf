package write

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// split runs the plan of a set, and returns its parts.
func split(t testing.TB, p *Plan, files map[string][]byte) [][]byte {
	t.Helper()
	parts, _ := splitReport(t, p, files)
	return parts
}

func splitReport(t testing.TB, p *Plan, files map[string][]byte) ([][]byte, *Report) {
	t.Helper()
	var parts []*archivetest.MemFile
	r, err := RunSplit(context.Background(), p, memContents{func() *Plan { return p }, files}, func(n int) (io.WriterAt, error) {
		if n != len(parts)+1 {
			t.Errorf("part %d is opened after %d others", n, len(parts))
		}
		parts = append(parts, &archivetest.MemFile{})
		return parts[n-1], nil
	}, &shard.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for i, p := range parts {
		list = append(list, p.B)
		if r.Parts[i] != int64(len(p.B)) {
			t.Errorf("part %d has %d bytes, reported %d", i+1, len(p.B), r.Parts[i])
		}
	}
	return list, r
}

func openSet(t testing.TB, parts [][]byte) *wim.Archive {
	t.Helper()
	var list []blobs.Part
	for i, b := range parts {
		list = append(list, blobs.Part{Name: fmt.Sprintf("a%d.swm", i+1), R: bytes.NewReader(b), Size: int64(len(b))})
	}
	slices.Reverse(list) // the order of parts does not matter
	a, err := wim.Open(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w := a.Info().Warnings; len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
	if r := jobtest.Verify(t, a, 2); !r.OK {
		t.Errorf("not found good:\n%s", r.Text())
	}
	return a
}

// TestSplit splits archives of every form, lets wimlib read and join the parts, and joins them.
func TestSplit(t *testing.T) {
	trees := plainTrees(70, 72)
	for _, c := range []struct {
		name string
		from Options
		o    *Options
		size int64
	}{
		{"none", Options{Integrity: true}, nil, 250_000},
		{"LZX", Options{Codec: format.LZX, Level: 1}, nil, 70_000},
		{"LZX to XPRESS", Options{Codec: format.LZX, Level: 1}, &Options{Codec: format.XPRESS, Level: 1, Integrity: true}, 100_000},
		{"solid LZMS", Options{Codec: format.LZMS, Level: 1, Solid: true, SolidChunkSize: 128 << 10, Integrity: true}, nil, 100_000},
		{"pipable", Options{Codec: format.XPRESS, Level: 1, Pipable: true}, nil, 80_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := archiveOf(t, &c.from, trees...)
			e := editing(t, src)
			e.Boot = 1
			p, err := e.PlanSplit(c.size, false, c.o)
			if err != nil {
				t.Fatal(err)
			}
			est, err := p.Estimate(context.Background(), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			parts := split(t, p, nil)
			if len(parts) < 2 {
				t.Fatalf("%d parts", len(parts))
			}
			sum := int64(0)
			for _, b := range parts {
				sum += int64(len(b))
			}
			if off := est.Size - sum; off > sum/3 || off < -sum/3 || c.o == nil && !c.from.Solid && (off > 5000 || off < -5000) {
				t.Errorf("estimate %+v, %d bytes were written", est, sum)
			}
			for i, b := range parts {
				if int64(len(b)) > c.size {
					t.Errorf("part %d has %d bytes, more than %d", i+1, len(b), c.size)
				}
			}
			a := openSet(t, parts)
			for k, tree := range trees {
				sameAsTree(t, a, k+1, tree)
			}
			all, err := Of(a)
			if err != nil {
				t.Fatal(err)
			}
			o := OptionsOf(a)
			joined, _ := write(t, all, &o, nil, 2)
			sameAsTree(t, jobtest.Sound(t, joined, o.Integrity), 2, trees[1])
			if w := a.Info(); w.Solid || w.BootIndex != 0 {
				t.Errorf("solid %v, boot index %d", w.Solid, w.BootIndex)
			}

			wimtest.Need(t, wimtest.Wimlib, wimtest.SevenZip)
			dir := t.TempDir()
			var names []string
			for i, b := range parts {
				name := fmt.Sprintf("a%d.swm", i+1)
				if i == 0 {
					name = "a.swm"
				}
				names = append(names, name)
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", "a.swm", "--ref=a*.swm")
			wimtest.MustRun(t, dir, wimtest.Wimlib, append([]string{"join", "joined.wim"}, names...)...)
			wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", "joined.wim")
			wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", "a.swm", "2", "out", "--ref=a*.swm")
			sameFiles(t, filepath.Join(dir, "out"), trees[1])
			theirs, err := os.ReadFile(filepath.Join(dir, "joined.wim"))
			if err != nil {
				t.Fatal(err)
			}
			sameAsTree(t, jobtest.Sound(t, theirs, c.from.Integrity && c.o == nil || c.o != nil && c.o.Integrity), 1, trees[0])
			if c.from.Solid || c.from.Pipable {
				return
			}
			wimtest.MustRun(t, dir, wimtest.SevenZip, "t", "-bd", "a.swm")
			// Join wimlib's parts as well.
			wimtest.MustRun(t, dir, wimtest.Wimlib, "split", "joined.wim", "b.swm", "0.1")
			theirNames, _ := filepath.Glob(filepath.Join(dir, "b*.swm"))
			var theirParts [][]byte
			for _, name := range theirNames {
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				theirParts = append(theirParts, b)
			}
			sameAsTree(t, openSet(t, theirParts), 2, trees[1])
		})
	}
}

// TestSplitOnePart checks that a set of one part is a complete archive.
func TestSplitOnePart(t *testing.T) {
	tree := plainTrees(71)[0]
	for _, pipable := range []bool{false, true} {
		e := editing(t, archiveOf(t, &Options{Codec: format.XPRESS, Level: 1, Pipable: pipable}, tree))
		e.Boot = 1
		p, err := e.PlanSplit(1<<30, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		parts := split(t, p, nil)
		a := jobtest.Sound(t, parts[0], false)
		sameAsTree(t, a, 1, tree)
		if i := a.Info(); len(parts) != 1 || i.BootIndex != 1 || i.RawFlags&format.FlagSpanned != 0 || i.TotalParts != 1 || i.Pipable != pipable {
			t.Errorf("%d parts, %+v", len(parts), i)
		}
		wimtest.Need(t, wimtest.Wimlib)
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.wim"), parts[0], 0o666); err != nil {
			t.Fatal(err)
		}
		wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", "a.wim")
	}
}

// TestSplitDraft checks that files can be written directly to a set, with any codec.
func TestSplitDraft(t *testing.T) {
	files := map[string][]byte{}
	trees := plainTrees(73)
	p, err := builderOf(t, files, trees...).PlanSplit(90_000, false, &Options{Codec: format.LZX, Level: 1, Integrity: true})
	if err != nil {
		t.Fatal(err)
	}
	sameAsTree(t, openSet(t, split(t, p, files)), 1, trees[0])
}

// TestSplitTooLarge checks that a content which does not fit into a part is reported before anything is written, unless force
// is set.
func TestSplitTooLarge(t *testing.T) {
	files := map[string][]byte{
		"/packable": bytes.Repeat([]byte("some text that repeats, "), 20_000),
		"/random":   wimtest.BigContent(200_000, func(int) bool { return false }),
		"/small":    []byte("small"),
	}
	stored, _ := write(t, fileBuilder(t, files), &Options{}, files, 1)
	lzx, _ := write(t, fileBuilder(t, files), &Options{Codec: format.LZX, Level: 1}, files, 1)
	opened := 0
	count := func(int) (io.WriterAt, error) { opened++; return &archivetest.MemFile{}, nil }
	var too *TooLargePartError
	// If it is copied, its size is known.
	if _, err := editing(t, lzx).planSplit(100_000, 150_000, nil); !errors.As(err, &too) || too.Need < 200_000 || too.Part != 150_000 {
		t.Errorf("copied: %v", err)
	}
	// If it is packed, its size is measured.
	p, err := editing(t, stored).planSplit(100_000, 150_000, &Options{Codec: format.LZX, Level: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := RunSplit(context.Background(), p, nil, count, nil); !errors.As(err, &too) || too.Need < 200_000 || opened > 0 {
		t.Errorf("packed: %v, %d parts were opened", err, opened)
	}
	// A content that is small enough once packed is accepted.
	if p, err = editing(t, stored).PlanSplit(210_000, false, &Options{Codec: format.LZX, Level: 1}); err != nil {
		t.Fatal(err)
	}
	parts := split(t, p, nil)
	for i, b := range parts {
		if len(b) > 210_000 {
			t.Errorf("part %d has %d bytes", i+1, len(b))
		}
	}
	sameAsFiles(t, openSet(t, parts), files)
	// Otherwise it gets a larger part, which is reported: copied, packed, and by force.
	for name, plan := range map[string]func() (*Plan, error){
		"copied": func() (*Plan, error) { return editing(t, lzx).PlanSplit(150_000, false, nil) },
		"packed": func() (*Plan, error) {
			return editing(t, stored).planSplit(150_000, 201_500, &Options{Codec: format.LZX, Level: 1})
		},
		"forced": func() (*Plan, error) { return editing(t, lzx).PlanSplit(150_000, true, nil) },
	} {
		p, err := plan()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if e, err := p.Estimate(context.Background(), nil, 0); err != nil || (e.Large == nil) != (name == "forced") {
			t.Errorf("%s: the estimate says %+v, %v", name, e, err)
		}
		parts, r := splitReport(t, p, nil)
		sameAsFiles(t, openSet(t, parts), files)
		if len(r.Large) != 1 || !strings.HasPrefix(r.Large[0].Name, "random") || r.Large[0].Bytes != 200_000 || r.Large[0].Size != int64(len(parts[r.Large[0].Part-1])) {
			t.Errorf("%s: the report says %+v", name, r.Large)
		}
		for i, b := range parts {
			if large := len(b) > 150_000; large != (r.Large[0].Part == i+1) {
				t.Errorf("%s: part %d has %d bytes", name, i+1, len(b))
			}
		}
	}
	// All metadata is in the first part, which may also exceed the size.
	if p, err = editing(t, lzx).PlanSplit(400, false, nil); err != nil {
		t.Fatal(err)
	}
	if parts, r := splitReport(t, p, nil); len(r.Large) == 0 || r.Large[0].Name != "metadata" || r.Large[0].Size != int64(len(parts[0])) {
		t.Errorf("metadata: the report says %+v", r.Large)
	}
	if p, err = fileBuilder(t, files).planSplit(400, 400, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := RunSplit(context.Background(), p, memContents{func() *Plan { return p }, files}, count, nil); !errors.Is(err, format.ErrRefused) || opened > 0 {
		t.Errorf("metadata: %v, %d parts were opened", err, opened)
	}
	if _, err := editing(t, lzx).PlanSplit(1<<20, false, &Options{Solid: true}); !errors.Is(err, format.ErrRefused) {
		t.Errorf("solid: %v", err)
	}
}
