package extract_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/find"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/shard"
	"wimscope/wim/verify"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// TestExtractSamples compares a ZIP of each sample with the files that it should have, and checks that what is left out is
// reported.
func TestExtractSamples(t *testing.T) {
	for _, s := range wimtest.Samples() {
		if s.Outcome != wimtest.Opens && s.Outcome != wimtest.NeedsOthers || len(s.Files) == 0 {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			a, err := wim.Open(archivetest.SampleParts(s.Parts), &blobs.Options{References: archivetest.SampleParts(s.Refs)})
			if err != nil {
				t.Fatal(err)
			}
			im, err := a.Image(1)
			if err != nil {
				t.Fatal(err)
			}
			p, b, _ := jobtest.Extract(t, a, im, &extract.Options{Streams: true})
			got := jobtest.ZipTree(t, b)
			for path, want := range s.Files {
				if g, ok := got[path[1:]]; !ok || g != want {
					t.Errorf("%s: got %.60q, want %.60q; skipped: %v", path, g, want, p.Skipped)
				}
			}
			if len(s.Refs) == 0 {
				return
			}
			alone, err := wim.Open(archivetest.SampleParts(s.Parts), nil)
			if err != nil {
				t.Fatal(err)
			}
			if im, err = alone.Image(1); err != nil {
				t.Fatal(err)
			}
			if p, _, _ = jobtest.Extract(t, alone, im, nil); p.Skipped.Count == 0 || p.Skipped.List[0].Reason != "missing" {
				t.Errorf("without its references: skipped %+v", p.Skipped)
			}
		})
	}
}

// bigArchive has blobs that are split into pieces. They are stored uncompressed: what matters is how pieces fit together.
func bigArchive(solid bool) []byte {
	big := func(n int, seed byte) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = seed + byte(i>>8) ^ byte(i*7)
		}
		return string(b)
	}
	root := wimtest.Folder("",
		wimtest.TextFile("small", "small"),
		wimtest.TextFile("big", big(5<<19+12345, 1)),
		wimtest.TextFile("same as big", big(5<<19+12345, 1)),
		wimtest.TextFile("middle", big(3<<20, 2)),
		wimtest.TextFile("other", big(3<<20+1, 3)))
	h := wimtest.One(root)
	if !solid {
		return h.Bytes()
	}
	var data []byte
	var blobs []wimtest.HandSolidBlob
	for _, b := range h.Blobs {
		blobs = append(blobs, wimtest.HandSolidBlob{HandBlob: *b, Off: int64(len(data)), Size: int64(len(b.Data))})
		data = append(data, b.Data...)
	}
	h.Blobs, h.Solid = nil, []wimtest.HandSolid{{Bytes: data, ChunkSize: 1 << 18, Blobs: blobs}}
	return h.Bytes()
}

// TestLargeContents verifies and extracts blobs larger than a shard, intact and damaged.
func TestLargeContents(t *testing.T) {
	for _, solid := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "solid"}[solid], func(t *testing.T) {
			b := bigArchive(solid)
			a, err := wim.Open([]blobs.Part{{Name: "big", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r := jobtest.Verify(t, a, 2); !r.OK {
				t.Errorf("not found good:\n%s", r.Text())
			}
			if solid && cutPieces(t, a) < 4 {
				t.Error("no content is hashed by halves")
			}
			im, err := a.Image(1)
			if err != nil {
				t.Fatal(err)
			}
			want := jobtest.ImageTree(t, a, im)
			const cut = 1 << 20
			p, out, damaged := jobtest.Extract(t, a, im, &extract.Options{PieceSize: cut})
			jobtest.DiffTrees(t, "ZIP", jobtest.ZipTree(t, out), want)
			if len(damaged) > 0 {
				t.Errorf("damaged: %v", damaged)
			}
			if p.NumShards() < 8 {
				t.Errorf("%d shards: nothing was cut", p.NumShards())
			}
			_, out, _ = jobtest.Extract(t, a, im, &extract.Options{Form: extract.OutputTAR, PieceSize: cut})
			jobtest.DiffTrees(t, "TAR", jobtest.TarTree(t, out), want)

			// A damaged blob in the middle, which others overwrite, and one at the end, where the output is truncated.
			for _, path := range []string{"/big", "/other"} {
				t.Run("damaged"+strings.ReplaceAll(path, "/", " "), func(t *testing.T) { damagedLargeContent(t, solid, path, want, cut) })
			}
		})
	}
}

// damagedLargeContent damages one blob of bigArchive and checks that an output contains nothing of it, except with Recover.
func damagedLargeContent(t *testing.T, solid bool, path string, good map[string]string, cut int64) {
	b := bigArchive(solid)
	open := func() (*wim.Archive, *wim.Image) {
		a, err := wim.Open([]blobs.Part{{Name: "bad", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		im, err := a.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		return a, im
	}
	a, im := open()
	n, ok := im.Lookup(path)
	if !ok {
		t.Fatalf("no %s", path)
	}
	info, _ := a.Store().Blob(im.Hash(n))
	b[a.Store().Stored(info).Off+a.Store().Stored(info).SolidOff+info.Size/2] ^= 1
	a, im = open()
	left := maps.Clone(good)
	count := 0
	for p := range good {
		if m, _ := im.Lookup(p); im.Hash(m) == info.Hash {
			delete(left, p)
			count++
		}
	}
	if r := jobtest.Verify(t, a, 2); len(r.Damaged) != 1 || r.Damaged[0].Count != count {
		t.Errorf("want one damaged content with %d paths:\n%s", count, r.Text())
	}
	for _, form := range []extract.Form{extract.OutputZIP, extract.OutputTAR} {
		tree := map[extract.Form]func(testing.TB, []byte) map[string]string{extract.OutputZIP: jobtest.ZipTree, extract.OutputTAR: jobtest.TarTree}[form]
		p, out, damaged := jobtest.Extract(t, a, im, &extract.Options{Form: form, PieceSize: cut})
		jobtest.DiffTrees(t, string(form), tree(t, out), left)
		if len(damaged) != count || damaged[0].Marked {
			t.Errorf("%s: damaged entries %+v, want %d that are not there", form, damaged, count)
		}
		if form == extract.OutputZIP {
			checkZIPGaps(t, out)
		}
		_, whole, damaged := jobtest.Extract(t, a, im, &extract.Options{Form: form, Recover: true, PieceSize: cut})
		got := tree(t, whole)
		if len(damaged) != count || !damaged[0].Marked || len(got) != len(good) {
			t.Errorf("%s: recovering gives %d entries and %d damaged ones, want %d and %d", form, len(got), len(damaged), len(good), count)
		}
		if int64(len(whole)) != p.OutSize || len(out) >= len(whole)-count*int(info.Size)+1 {
			t.Errorf("%s: %d bytes with what is damaged, %d without, %d planned", form, len(whole), len(out), p.OutSize)
		}
	}
}

// checkZIPGaps checks that a ZIP's entries are contiguous: dropped blobs leave no gap.
func checkZIPGaps(t testing.TB, b []byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	for _, f := range z.File {
		if int(at)+30 > len(b) || binary.LittleEndian.Uint32(b[at:]) != 0x04034b50 {
			t.Fatalf("no entry at 0x%x", at)
		}
		data, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		if want := at + 30 + int64(binary.LittleEndian.Uint16(b[at+26:])) + int64(binary.LittleEndian.Uint16(b[at+28:])); data != want {
			t.Errorf("%s has its bytes at 0x%x, and the one before it ends at 0x%x", f.Name, data, at)
		}
		at = data + int64(f.CompressedSize64)
	}
	if int(at)+4 > len(b) || binary.LittleEndian.Uint32(b[at:]) != 0x02014b50 {
		t.Errorf("no directory at 0x%x, where the entries end", at)
	}
}

// cutPieces counts the pieces of a verification that are not whole blobs.
func cutPieces(t testing.TB, a *wim.Archive) int {
	t.Helper()
	p, err := verify.New(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range p.NumShards() {
		s, err := p.Shard(i)
		if err != nil {
			t.Fatal(err)
		}
		for _, sp := range s.Spans {
			for j := range sp.Pieces {
				if !sp.Pieces[j].Whole() {
					n++
				}
			}
		}
	}
	return n
}

// TestRecover checks that damaged files are left out or, with Recover, written with zeros for unreadable bytes, and marked.
func TestRecover(t *testing.T) {
	v := archivetest.Variant(t, "LZX 32K")
	m := archivetest.MakeVariant(t, v, 5)
	b, err := os.ReadFile(m.First)
	if err != nil {
		t.Fatal(err)
	}
	open := func() (*wim.Archive, *wim.Image) {
		a, err := wim.Open([]blobs.Part{{Name: "x", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		im, err := a.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		return a, im
	}
	a, im := open()
	good := jobtest.ImageTree(t, a, im)
	// A blob of several chunks, the second of which becomes noise.
	victim := int32(-1)
	for i := range a.Store().NBlobs {
		if r := a.Store().ResourceOf(&a.Store().Records[i]); r.Form == blobs.FormChunked && r.Chunks() > 2 {
			victim = int32(i)
		}
	}
	if victim < 0 {
		t.Fatal("there is no content of several chunks")
	}
	res := a.Store().ResourceOf(&a.Store().Records[victim])
	refs, err := a.Store().ReadChunks(&res, 0, res.Chunks())
	if err != nil {
		t.Fatal(err)
	}
	for i := range refs[1].Packed {
		b[refs[1].Off+i] = 0xff
	}
	a, im = open()
	paths := map[string]bool{}
	im.EachStream(0, wim.Node(im.Len()), func(n wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
		if h == a.Store().Records[victim].Hash {
			paths[im.Path(n)[1:]] = true
		}
		return true
	})
	_, out, damaged := jobtest.Extract(t, a, im, nil)
	if len(damaged) != len(paths) {
		t.Errorf("%d entries are damaged, want %d", len(damaged), len(paths))
	}
	got := jobtest.ZipTree(t, out)
	for p := range good {
		if _, ok := got[p]; ok == paths[p] {
			t.Errorf("%s: there: %v, damaged: %v", p, ok, paths[p])
		}
	}
	_, out, damaged = jobtest.Extract(t, a, im, &extract.Options{Recover: true})
	got = jobtest.ZipTree(t, out)
	for _, e := range damaged {
		if !e.Marked {
			t.Errorf("%s is not marked", e.Path)
		}
	}
	for p, want := range good {
		if paths[p] {
			want = want[:32768] + strings.Repeat("\x00", 32768) + want[65536:]
		}
		if got[p] != want {
			t.Errorf("%s: other bytes than could be had", p)
		}
	}
}

// TestExtractSelection checks which entries are selected, their paths, and what is left out.
func TestExtractSelection(t *testing.T) {
	root := wimtest.Folder("",
		wimtest.Folder("Windows", wimtest.Folder("WinSxS", wimtest.TextFile("x.dll", "x")), wimtest.TextFile("win.ini", "i"), wimtest.TextFile("a.txt", "a")),
		wimtest.TextFile("Name", "1"), wimtest.TextFile("name", "2"), wimtest.TextFile("con", "3"))
	b := wimtest.One(root).Bytes()
	a, err := wim.Open([]blobs.Part{{Name: "x", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	node := func(p string) wim.Node {
		n, ok := im.Lookup(p)
		if !ok {
			t.Fatalf("no %s", p)
		}
		return n
	}
	for _, c := range []struct {
		name    string
		sel     extract.Selection
		o       extract.Options
		want    string
		refused string
	}{
		{"all", extract.Selection{}, extract.Options{}, "Name Windows/ Windows/WinSxS/ Windows/WinSxS/x.dll Windows/a.txt Windows/win.ini con name", ""},
		{"folder", extract.Selection{Roots: []wim.Node{node("/Windows")}, Base: node("/Windows")}, extract.Options{}, "WinSxS/ WinSxS/x.dll a.txt win.ini", ""},
		{"skip", extract.Selection{Skip: []*find.PathGlob{find.NewPathGlob("/Windows/WinSxS", true)}}, extract.Options{}, "Name Windows/ Windows/a.txt Windows/win.ini con name", ""},
		{"one file", extract.Selection{Roots: []wim.Node{node("/Windows/a.txt")}, Base: node("/Windows")}, extract.Options{}, "a.txt", ""},
		{"Windows folder", extract.Selection{}, extract.Options{Form: extract.OutputFolder, Platform: ntname.PlatformWindows},
			"Name Windows/ Windows/WinSxS/ Windows/a.txt", "/Windows/WinSxS/x.dll:name-extension /Windows/win.ini:name-extension /con:name-device /name:case-twin"},
		{"Linux folder", extract.Selection{}, extract.Options{Form: extract.OutputFolder, Platform: ntname.PlatformLinux},
			"Name Windows/ Windows/WinSxS/ Windows/WinSxS/x.dll Windows/a.txt Windows/win.ini name", "/con:name-device"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.sel.Image = im
			p, err := extract.New(a, c.sel, &c.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range p.NumShards() {
				s, err := p.Entries(i)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range s {
					for _, e := range x.Entries {
						if e.Kind == extract.EntryDir {
							e.Path += "/"
						}
						got = append(got, e.Path)
					}
				}
			}
			if g := strings.Join(sorted(got), " "); g != c.want {
				t.Errorf("got  %s\nwant %s", g, c.want)
			}
			var refused []string
			for _, x := range p.Refused.List {
				refused = append(refused, x.Path+":"+x.Reason)
			}
			if g := strings.Join(sorted(refused), " "); g != c.refused {
				t.Errorf("refused %s\nwant    %s", g, c.refused)
			}
		})
	}
	raw, err := extract.New(a, extract.Selection{Image: im, Roots: []wim.Node{node("/Windows/a.txt")}}, &extract.Options{Form: extract.OutputRaw})
	if err != nil || raw.OutSize != 1 || raw.Name != "a.txt" || raw.NumShards() != 1 {
		t.Errorf("raw: %+v, %v", raw, err)
	}
}

func sorted(list []string) []string {
	out := append([]string(nil), list...)
	for i := range out {
		for j := i; j > 0 && out[j] < out[j-1]; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// TestExtractAgainstWimlib compares a ZIP with the files that wimlib applies.
func TestExtractAgainstWimlib(t *testing.T) {
	v := archivetest.Variant(t, "LZMS solid, two images")
	m := archivetest.MakeVariant(t, v, 12)
	dir := filepath.Join(t.TempDir(), "applied")
	wimtest.MustRun(t, t.TempDir(), wimtest.Wimlib, "apply", m.First, "1", dir)
	want := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			want[path.Clean(filepath.ToSlash(rel))+"/"] = ""
		case d.Type()&os.ModeSymlink != 0:
			target, err := os.Readlink(p)
			want[rel] = "-> " + strings.TrimPrefix(target, dir)
			return err
		default:
			b, err := os.ReadFile(p)
			want[rel] = string(b)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a := archivetest.OpenMade(t, v, m)
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := extract.New(a, extract.Selection{Image: im}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sink := &archivetest.MemFile{}
	out := extract.NewZIP(sink)
	if damaged, err := extract.Run(context.Background(), p, out, &shard.Options{Workers: 2}); err != nil || len(damaged) > 0 {
		t.Fatal(err, damaged)
	}
	if _, err := out.Finish(); err != nil {
		t.Fatal(err)
	}
	got := jobtest.ZipTree(t, sink.B)
	for p, w := range want {
		g := got[p]
		if g != w && !(strings.HasPrefix(w, "-> /") && strings.HasPrefix(g, "-> ")) {
			t.Errorf("%s: got %.60q, want %.60q", p, g, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
}

// TestExtractLinks checks that absolute targets in the image become relative to the link, and that others are kept and
// noted.
func TestExtractLinks(t *testing.T) {
	link := func(name, target string, notFixed bool) *wimtest.HandEntry {
		return &wimtest.HandEntry{Name: name, Attrs: 0x400, Tag: wimtest.TagSymlink, Data: wimtest.SymlinkData(`\??\`+target, target, false), NotFixed: notFixed}
	}
	rooted := &wimtest.HandEntry{Name: "rooted", Attrs: 0x400, Tag: wimtest.TagSymlink, Data: wimtest.SymlinkData(`\no\where`, `\no\where`, true)}
	volume := &wimtest.HandEntry{Name: "volume", Attrs: 0x410, Tag: wimtest.TagJunction,
		Data: wimtest.JunctionData(`\??\Volume{12345678-0000-0000-0000-000000000000}\`, "")}
	b := wimtest.One(wimtest.Folder("",
		wimtest.Folder("ProgramData", wimtest.TextFile("x", "x")),
		wimtest.Folder("Users",
			link("All Users", `C:\ProgramData`, true),
			link("gone", `C:\gone\for good`, false),
			link("other", `D:\Data`, true),
			rooted, link("share", `UNC\server\share`, true), volume))).Bytes()
	a, err := wim.Open([]blobs.Part{{Name: "x", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"ProgramData/": "", "ProgramData/x": "x", "Users/": "",
		"Users/All Users": "-> ../ProgramData", "Users/gone": "-> ../gone/for good", "Users/other": "-> D:/Data", "Users/rooted": "-> ../no/where",
		"Users/share": "-> //server/share", "Users/volume": "-> //?/Volume{12345678-0000-0000-0000-000000000000}/",
	}
	for _, form := range []extract.Form{extract.OutputZIP, extract.OutputTAR} {
		p, out, _ := jobtest.Extract(t, a, im, &extract.Options{Form: form})
		if form == extract.OutputZIP {
			jobtest.DiffTrees(t, "ZIP", jobtest.ZipTree(t, out), want)
		} else {
			jobtest.DiffTrees(t, "TAR", jobtest.TarTree(t, out), want)
		}
		var noted []extract.Problem
		for _, name := range []string{"other", "share", "volume"} {
			noted = append(noted, extract.Problem{Image: 1, Path: "/Users/" + name, Reason: "link", Detail: want["Users/"+name][3:]})
		}
		if p.Links != 6 || p.Noted.Count != 3 || !slices.Equal(p.Noted.List, noted) {
			t.Errorf("%s: %d links, noted %+v", form, p.Links, p.Noted)
		}
		if p.Skipped.Count != 0 {
			t.Errorf("%s: left out %+v", form, p.Skipped)
		}
	}
}

// TestOutputNotCut checks that Finish reports a sink without Truncate if a dropped blob was at the end of the output.
func TestOutputNotCut(t *testing.T) {
	for name, out := range map[string]extract.Output{
		"ZIP": extract.NewZIP(struct{ io.WriterAt }{&archivetest.MemFile{}}), "TAR": extract.NewTAR(struct{ io.WriterAt }{&archivetest.MemFile{}}),
	} {
		data := make([]byte, 3<<20)
		first := extract.SegmentEntries{{Entries: []extract.Entry{{Path: "a", Size: 4 << 20}}, Len: 3 << 20}}
		if err := out.Segment(data, first, []uint32{0}); err != nil {
			t.Fatal(name, err)
		}
		last := extract.SegmentEntries{{Off: 3 << 20, Len: 1 << 20, Last: true, Drop: true}}
		if err := out.Segment(data[:1<<20], last, []uint32{0}); err != nil {
			t.Fatal(name, err)
		}
		if _, err := out.Finish(); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want ErrUnsupported", name, err)
		}
	}
}
