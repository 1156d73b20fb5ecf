package draft_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wimscope/wim/config"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
	"wimscope/wim/write"
	"wimscope/wim/xmldoc"
)

// captureFile captures a folder to a file as an image with that name. If append is set it changes the file in place.
func captureFile(t *testing.T, folder, file string, o *write.Options, append bool) {
	t.Helper()
	captureScan(t, folder, file, &draft.ScanOptions{UnixData: true, NoRPFix: true}, o, append)
}

func captureScan(t *testing.T, folder, file string, scan *draft.ScanOptions, o *write.Options, append bool) {
	t.Helper()
	fsys := draft.NewNativeFS(folder)
	d, _, err := draft.Scan(nil, fsys, ".", scan)
	if err != nil {
		t.Fatal(err)
	}
	e, plan := write.New(), (*write.Builder).PlanWrite
	flags := os.O_RDWR | os.O_CREATE | os.O_TRUNC
	if append {
		if e, err = write.Of(archivetest.OpenFile(t, file).Archive()); err != nil {
			t.Fatal(err)
		}
		plan, flags = (*write.Builder).PlanAppend, os.O_RDWR
	}
	if _, err := e.AddDraft(d, &write.Image{Name: fmt.Sprint("image ", e.Len()+1), Created: 133_000_000_000_000_000}); err != nil {
		t.Fatal(err)
	}
	p, err := plan(e, o)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, flags, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := write.Run(context.Background(), p, p.FilesOf(fsys), f, &shard.Options{Workers: 2, Memory: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != r.Size {
		t.Errorf("%d bytes, reported %d: %v", info.Size(), r.Size, err)
	}
}

// TestCaptureAndAppend captures and appends random folders to one archive, alternately by wimlib and by us, and checks that wimlib extracts
// all of them unchanged.
func TestCaptureAndAppend(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	for i, c := range []struct {
		name   string
		o      write.Options
		wimlib []string // of its append
	}{
		{"none", write.Options{Integrity: true}, []string{"--check"}},
		{"XPRESS", write.Options{Codec: format.XPRESS, Integrity: true}, []string{"--check"}},
		{"LZX", write.Options{Codec: format.LZX, Level: 1}, nil},
		{"LZMS", write.Options{Codec: format.LZMS, Level: 1, Integrity: true}, []string{"--check"}},
		{"solid LZX", write.Options{Codec: format.LZX, Level: 1, Solid: true, SolidCodec: format.LZX, Integrity: true}, []string{"--check"}},
		{"solid LZMS", write.Options{Codec: format.LZX, Level: 1, Solid: true}, []string{"--solid"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "a.wim")
			var folders []string
			for k := range 4 {
				folder := filepath.Join(dir, fmt.Sprint("in", k))
				if err := os.Mkdir(folder, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := wimtest.Random(uint64(10*i+k), nil).Write(folder); err != nil {
					t.Fatal(err)
				}
				folders = append(folders, folder)
			}
			captureFile(t, folders[0], file, &c.o, false)
			wimtest.MustRun(t, dir, wimtest.Wimlib, append([]string{"append", folders[1], file, "--unix-data", "--norpfix", "--no-acls"}, c.wimlib...)...)
			captureFile(t, folders[2], file, &c.o, true)
			wimtest.MustRun(t, dir, wimtest.Wimlib, append([]string{"append", folders[3], file, "--unix-data", "--norpfix", "--no-acls"}, c.wimlib...)...)
			captureFile(t, folders[0], file, &c.o, true) // nothing in it is new
			wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", file)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			jobtest.Sound(t, b, c.o.Integrity)
			for k, folder := range append(folders, folders[0]) {
				out := filepath.Join(dir, fmt.Sprint("out", k))
				wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", file, fmt.Sprint(k+1), out, "--unix-data")
				want, err := wimtest.Snap(folder)
				if err != nil {
					t.Fatal(err)
				}
				got, err := wimtest.Snap(out)
				if err != nil {
					t.Fatal(err)
				}
				if diff := wimtest.Diff(want, got, wimtest.Unix); len(diff) > 0 {
					t.Errorf("image %d: %d differences, the first: %s", k+1, len(diff), diff[0])
				}
			}
		})
	}
}

// details returns what wimlib reports about an image, without the places of its contents. Links are renumbered in the order in which they
// appear. The access times of links are removed, since each access changes them.
func details(t *testing.T, dir, file string, index int) []string {
	t.Helper()
	out := string(wimtest.MustRun(t, dir, wimtest.Wimlib, "dir", file, strconv.Itoa(index), "--detailed"))
	groups := map[string]string{"0x0000000000000000": "0"}
	var list []string
	for entry := range strings.SplitSeq(out, "----------------------------------------------------------------------------\n") {
		var lines []string
		link := strings.Contains(entry, "FILE_ATTRIBUTE_REPARSE_POINT")
		for line := range strings.SplitSeq(entry, "\n") {
			key, value, _ := strings.Cut(line, " = ")
			switch strings.TrimSpace(key) {
			case "Offset in WIM":
				continue
			case "Last Access Time":
				if link {
					continue
				}
			case "Link Group ID":
				if groups[value] == "" {
					groups[value] = strconv.Itoa(len(groups))
				}
				line = "Link Group ID " + groups[value]
			}
			lines = append(lines, line)
		}
		list = append(list, strings.Join(lines, "\n"))
	}
	return list
}

// told returns the elements of the XML document for an image, without its times.
func told(t *testing.T, dir, file string, index int) []string {
	t.Helper()
	out := wimtest.MustRun(t, dir, wimtest.Wimlib, "info", file, "--xml")
	doc, err := xmldoc.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	images := 0
	for _, n := range doc.Root().Children {
		if n.Name != "IMAGE" {
			continue
		}
		if images++; images != index {
			continue
		}
		for _, k := range n.Children {
			if k.Name != "CREATIONTIME" && k.Name != "LASTMODIFICATIONTIME" {
				list = append(list, fmt.Sprintf("%s=%q", k.Name, n.Content(k.Name)))
			}
		}
	}
	slices.Sort(list)
	return list
}

// TestCaptureLikeWimlib captures and appends random folders, and one with what those lack, by wimlib and by us. wimlib must report the same
// for both archives: all details of every entry, and the XML document.
func TestCaptureLikeWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			folder := filepath.Join(dir, fmt.Sprint("in", seed))
			scan, options := &draft.ScanOptions{Config: config.DefaultCapture(), UnixData: seed%2 == 0, NoRPFix: seed%3 == 0}, []string{"--compress=none"}
			if scan.UnixData {
				options = append(options, "--unix-data")
			}
			if scan.NoRPFix {
				options = append(options, "--norpfix")
			} else {
				options = append(options, "--rpfix")
			}
			if err := wimtest.Random(seed, nil).Write(folder); err != nil {
				t.Fatal(err)
			}
			if seed == 8 {
				draft.ScanFolder(t, folder)
				if err := os.Remove(filepath.Join(folder, "odd link again")); err != nil { // see TestScanAgainstWimlib
					t.Fatal(err)
				}
			}
			draft.Steady(t, folder)
			theirs, ours := filepath.Join(dir, "theirs.wim"), filepath.Join(dir, "ours.wim")
			verb := "append"
			if seed == 0 {
				verb = "capture"
			}
			name := fmt.Sprint("image ", seed+1)
			wimtest.MustRun(t, dir, wimtest.Wimlib, append([]string{verb, folder, theirs, name}, options...)...)
			captureScan(t, folder, ours, scan, &write.Options{}, seed > 0)
			n := int(seed + 1)
			want, got := details(t, dir, theirs, n), details(t, dir, ours, n)
			if len(got) != len(want) {
				t.Fatalf("%d entries, want %d", len(got), len(want))
			}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%s\nwant %s", got[i], want[i])
				}
			}
			if want, got := told(t, dir, theirs, n), told(t, dir, ours, n); !slices.Equal(got, want) {
				t.Errorf("XML %q\nwant %q", got, want)
			}
		})
	}
}
