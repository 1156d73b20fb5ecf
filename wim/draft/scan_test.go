package draft

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hack-pad/hackpadfs"
	"github.com/hack-pad/hackpadfs/mem"
	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/config"
	"wimscope/wim/format"
	"wimscope/wim/ntname"
	"wimscope/wim/wimtest/handtree"
)

// factsFS is a map of files with facts and links.
type factsFS struct {
	fstest.MapFS
	facts map[string]Facts
	want  FactsWanted // of the last call
}

func (f *factsFS) FileFacts(name string, want FactsWanted) (Facts, error) {
	f.want = want
	if want.Info.Name() != path.Base(name) {
		return Facts{}, fs.ErrInvalid
	}
	if name == "bad facts" {
		return Facts{}, fs.ErrPermission
	}
	return f.facts[name], nil
}

func (f *factsFS) LinkInside(root, target string) (string, bool) {
	return strings.CutPrefix(target, "/top")
}

func TestScanFacts(t *testing.T) {
	when := time.Date(2020, 1, 2, 3, 4, 5, 600, time.UTC)
	f := &factsFS{MapFS: fstest.MapFS{
		"file":         {Data: []byte("text"), ModTime: when},
		"sub/same":     {Data: []byte("text"), ModTime: when},
		"sub/streams":  {Data: []byte("main"), ModTime: when},
		"sub/link":     {Data: []byte("/top/file"), Mode: fs.ModeSymlink},
		"sub/outside":  {Data: []byte("/else"), Mode: fs.ModeSymlink},
		"sub/raw":      {Data: []byte("secret"), ModTime: when},
		"junction":     {Mode: fs.ModeDir | fs.ModeIrregular},
		"pipe":         {Mode: fs.ModeNamedPipe},
		"empty":        {},
		"a\\b":         {Data: []byte("x")},
		"x.tmp":        {Data: []byte("x")},
		"packed.zip":   {Data: []byte("zip")},
		"bad facts":    {Data: []byte("x")},
		"junction/not": {Data: []byte("x")},
	}, facts: map[string]Facts{
		"file":     {Device: 1, Inode: 2, Links: 2, Created: 11, Accessed: 12, Modified: 13, Attributes: format.AttrArchive | format.AttrHidden, ShortName: "FILE~1", Security: []byte("sd"), ObjectID: make([]byte, 64), Unix: &format.UnixData{UID: 5}},
		"sub/same": {Device: 1, Inode: 2, Links: 2, ShortName: "SAME~1"},
		"sub/streams": {Device: 1, Inode: 3, Links: 1, Sparse: true, Xattrs: []format.Xattr{{Name: "EA", Value: []byte("v")}},
			Streams: []FileStream{{"s", 3}, {"none", 0}}},
		"sub/raw":  {Attributes: format.AttrEncrypted},
		"junction": {Attributes: format.AttrDirectory | format.AttrReparsePoint, ReparseTag: format.TagMountPoint, ReparseData: []byte("data")},
	}}
	config, err := config.ParseCapture([]byte("[ExclusionList]\n*.tmp\n[CompressionExclusionList]\n*.zip"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Scan(nil, f, ".", nil); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "bad facts") {
		t.Errorf("the first problem: %v", err)
	}
	calls := 0
	d, r, err := Scan(func(int64, int) error { calls++; return nil }, f, ".", &ScanOptions{
		Config: config, Source: 4, Problem: func(string, error) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/", "/a␛005Cb", "/empty", "/file", "/junction", "/packed.zip", "/sub/", "/sub/link", "/sub/outside", "/sub/raw", "/sub/same", "/sub/streams"}
	if got := draftPaths(d); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if r.Excluded != 1 || len(r.Skipped) != 2 || r.Skipped[0].Path != "bad facts" || !errors.Is(&r.Skipped[1], ErrFileType) || r.Fixed != 1 ||
		!slices.Equal(r.Outside, []string{"sub/outside"}) || r.Dirs != 2 || r.Links != 3 || r.Files != 7 || calls == 0 {
		t.Errorf("report %+v after %d calls", r, calls)
	}
	node := func(p string) Node {
		n, ok := d.Lookup(p, false)
		if !ok {
			t.Fatalf("%s is missing", p)
		}
		return n
	}
	if e := d.Entry(node("file")); e.Created != 11 || e.Accessed != 12 || e.Modified != 13 || e.Attributes != format.AttrArchive|format.AttrHidden ||
		e.ShortName != "FILE~1" || string(e.Security) != "sd" || len(e.ObjectID) != 64 || e.Unix != nil || d.Links(node("file")) != 2 {
		t.Errorf("file: %+v", e)
	}
	if e := d.Entry(node("sub/same")); !d.SameFile(node("file"), node("sub/same")) || e.ShortName != "SAME~1" || e.Attributes != format.AttrArchive|format.AttrHidden {
		t.Errorf("its other name: %+v", e)
	}
	e := d.Entry(node("sub/streams"))
	if e.Attributes != format.AttrSparse || len(e.Streams) != 3 || e.Streams[1].Name != "s" || e.Streams[2].Content != NoContent || len(e.Xattrs) != 1 {
		t.Errorf("streams: %+v", e)
	}
	if c := d.Contents()[e.Streams[1].Content]; c.Path != "sub/streams" || c.Stream != "s" || c.Size != 3 || c.Source != 4 || c.ModTime != format.FiletimeOf(when) {
		t.Errorf("named stream: %+v", c)
	}
	if e := d.Entry(node("sub/raw")); len(e.Streams) != 1 || e.Streams[0].Kind != format.StreamRaw {
		t.Errorf("encrypted: %+v", e)
	}
	if e := d.Entry(node("junction")); e.ReparseTag != format.TagMountPoint || d.IsDir(node("junction")) || len(e.Streams) != 1 {
		t.Errorf("junction: %+v", e)
	}
	if e := d.Entry(node("sub/link")); e.NotFixed || string(d.Contents()[e.Streams[0].Content].Bytes[12:24]) != string(handtree.U16(`\??\C:`)) {
		t.Errorf("link: %+v", e)
	}
	for _, c := range d.Contents() {
		if c.Unpacked != (c.Path == "packed.zip") {
			t.Errorf("%s is compressed: %v", c.Path, !c.Unpacked)
		}
	}
	if f.want != (FactsWanted{Security: true, Info: f.want.Info}) {
		t.Errorf("facts wanted %+v", f.want)
	}

	// The file has changed and must be read. The other files are unchanged in the image.
	for id, c := range d.Contents() {
		if !c.Known {
			d.SetHash(ContentID(id), handtree.HashOf(c.Path+c.Stream))
		}
	}
	old := reload(t, d)
	if _, r, err := Scan(nil, f, "sub", &ScanOptions{UpdateOf: old, Target: "/sub"}); err != nil || r.Unchanged != 0 {
		t.Errorf("contents that no archive has count as known: %+v, %v", r, err)
	}
	if d, _, err := Scan(nil, f, "file", nil); err != nil || d.IsDir(0) || d.Len() != 1 {
		t.Errorf("a single file: %v", err)
	} else {
		if _, err := d.Metadata(); !errors.Is(err, ErrNotDir) {
			t.Errorf("a file as an image: %v", err)
		}
		into := New()
		if _, err := into.Graft("x/renamed", d, nil); err != nil || !slices.Equal(draftPaths(into), []string{"/", "/x/", "/x/renamed"}) {
			t.Errorf("%v: %q", err, draftPaths(into))
		}
	}
	stop := errors.New("stop")
	if _, _, err := Scan(func(int64, int) error { return stop }, f, ".", &ScanOptions{Problem: func(string, error) error { return nil }}); err != stop {
		t.Errorf("a stopped scan: %v", err)
	}
}

// rawFS is a tree whose listings may be invalid. It has only names, sizes and times.
type rawFS struct {
	top   string // where it all is
	lists map[string][]fs.DirEntry
	errs  map[string]error // of listings, which may have entries all the same
}

type rawEntry struct {
	name string
	mode fs.FileMode
	size int64
	err  error // of Info
}

func (e *rawEntry) Name() string               { return e.name }
func (e *rawEntry) IsDir() bool                { return e.mode.IsDir() }
func (e *rawEntry) Type() fs.FileMode          { return e.mode.Type() }
func (e *rawEntry) Info() (fs.FileInfo, error) { return e, e.err }
func (e *rawEntry) Size() int64                { return e.size }
func (e *rawEntry) Mode() fs.FileMode          { return e.mode }
func (e *rawEntry) ModTime() time.Time         { return time.Time{} }
func (e *rawEntry) Sys() any                   { return nil }

func (r *rawFS) Open(name string) (fs.File, error) { return nil, fs.ErrPermission }
func (r *rawFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == r.top {
		name = "."
	}
	name = strings.TrimPrefix(name, r.top+"/")
	return r.lists[name], r.errs[name]
}
func (r *rawFS) Stat(name string) (fs.FileInfo, error) {
	return &rawEntry{name: name, mode: fs.ModeDir}, nil
}

// TestScanProblems checks that whatever cannot be stored is reported and skipped, or ends the scan.
func TestScanProblems(t *testing.T) {
	vanished, denied := fs.ErrNotExist, fs.ErrPermission
	file := func(name string, size int64) *rawEntry { return &rawEntry{name: name, size: size} }
	f := &rawFS{lists: map[string][]fs.DirEntry{
		".": {
			file("kept", 5), file(".", 1), file("..", 1), file("a/b", 1), file("", 1), file("nul\x00", 1), file("latin \xfc", 1),
			file(strings.Repeat("n", 32768), 1), file("negative", -1), &rawEntry{name: "gone", err: vanished},
			&rawEntry{name: "half", mode: fs.ModeDir}, &rawEntry{name: "shut", mode: fs.ModeDir}, &rawEntry{name: "link", mode: fs.ModeSymlink},
			file("excluded \xfc.tmp", 1), &rawEntry{name: "odd", mode: fs.ModeIrregular},
			file("twin", 2), file("🗜", 3), file("twin", 4), &rawEntry{name: "\xed\xa0\xbd\xed\xb7\x9c", mode: fs.ModeDir},
		},
		"half":                     {file("first", 1)},
		"\xed\xa0\xbd\xed\xb7\x9c": {file("not to be looked at", 1)},
	}, errs: map[string]error{"half": vanished, "shut": denied}}
	c, err := config.ParseCapture([]byte("[ExclusionList]\n*.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]error{
		".": ntname.ErrInvalid, "..": ntname.ErrInvalid, "a/b": ntname.ErrInvalid, "": ntname.ErrInvalid, "nul\x00": ntname.ErrInvalid, "latin \xfc": ntname.ErrInvalid, strings.Repeat("n", 32768): ntname.ErrInvalid,
		"negative": nil, "gone": vanished, "half": vanished, "shut": denied, "link": nil, "odd": ErrFileType, "twin": ErrExists, "🗜": ErrExists,
	}
	for top, parallel := range map[string]int{".": 0, "the/top": 7} {
		f.top = top
		told := map[string]error{}
		o := &ScanOptions{Config: c, When: 77, Parallel: parallel, Problem: func(path string, err error) error {
			if told[path] != nil {
				t.Errorf("%q is reported twice", path)
			}
			told[path] = err
			return nil
		}}
		d, r, err := Scan(nil, f, top, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := draftPaths(d); !slices.Equal(got, []string{"/", "/half/", "/half/first", "/kept", "/shut/", "/twin", "/🗜"}) {
			t.Errorf("%q", got)
		}
		if n, _ := d.Lookup("twin", false); d.Streams(n)[0].Size != 2 {
			t.Error("a duplicate name is stored")
		}
		if n, _ := d.Lookup("half", false); d.Entry(n).Modified != 77 || d.Entry(n).Created != 77 {
			t.Error("a folder without times does not get those of When")
		}
		if len(r.Skipped) != len(want) || len(told) != len(want)-1 || r.Excluded != 1 || r.Dirs != 3 || r.Files != 4 || r.Links != 0 {
			t.Errorf("%d problems, %d calls, want %d; report %+v", len(r.Skipped), len(told), len(want), r)
		}
		for _, p := range r.Skipped {
			if w, ok := want[p.Path]; !ok || !errors.Is(&p, w) && w != nil || p.Path != "odd" && told[p.Path] == nil {
				t.Errorf("%q: %v, want %v", p.Path, p.Err, w)
			}
		}
		stop := errors.New("stop")
		for path := range told {
			o.Problem = func(p string, err error) error {
				if p == path {
					return stop
				}
				return nil
			}
			if _, _, err := Scan(nil, f, top, o); err != stop {
				t.Errorf("stopped at %q: %v", path, err)
			}
		}
		o.Problem = nil
		var sp *ScanProblem
		if _, _, err := Scan(nil, f, top, o); !errors.As(err, &sp) || sp.Path != "." || !errors.Is(err, ntname.ErrInvalid) {
			t.Errorf("the first problem without Problem: %v", err)
		}
	}
}

// endlessFS has a folder in each folder.
type endlessFS struct{ rawFS }

func (endlessFS) ReadDir(string) ([]fs.DirEntry, error) {
	return []fs.DirEntry{&rawEntry{name: "d", mode: fs.ModeDir}}, nil
}

// TestScanLimits checks that an endless tree is scanned to the depth that readers accept, and that an entry whose type changed is skipped.
func TestScanLimits(t *testing.T) {
	d, r, err := Scan(nil, &endlessFS{}, ".", &ScanOptions{Problem: func(string, error) error { return nil }})
	if err != nil || d.Len() != wim.MaxTreeDepth+1 || len(r.Skipped) != 1 || !errors.Is(r.Skipped[0].Err, ErrTree) {
		t.Errorf("%d entries, %d problems: %v", d.Len(), len(r.Skipped), err)
	}
	if back := reload(t, d); back.Len() != d.Len() {
		t.Errorf("%d entries are read", back.Len())
	}
	types := map[uint32]fs.FileMode{
		0o100644: 0, 0o040755: fs.ModeDir, 0o120777: fs.ModeSymlink, 0o010644: fs.ModeNamedPipe, 0o020600: fs.ModeDevice | fs.ModeCharDevice,
	}
	for unix := range types {
		for is, mode := range types {
			f := &factsFS{MapFS: fstest.MapFS{"x": {Mode: mode}}, facts: map[string]Facts{"x": {Unix: &format.UnixData{Mode: unix}}}}
			_, _, err := Scan(nil, f, ".", &ScanOptions{UnixData: true})
			pipes := unix < 0o040000 && is < 0o040000 // are not told apart
			if same := unix == is || pipes; same == errors.Is(err, blobs.ErrChanged) || same != (err == nil) {
				t.Errorf("%v with Unix mode %o: %v", mode, unix, err)
			}
		}
	}
}

// slowFS delays every call and counts concurrent calls.
type slowFS struct {
	*bigFS
	now, most atomic.Int32
}

type slowEntry struct {
	fs.DirEntry
	f *slowFS
}

func (e slowEntry) Info() (fs.FileInfo, error) {
	e.f.wait()
	return e.DirEntry.Info()
}

func (f *slowFS) wait() {
	n := f.now.Add(1)
	for most := f.most.Load(); n > most && !f.most.CompareAndSwap(most, n); most = f.most.Load() {
	}
	time.Sleep(100 * time.Microsecond)
	f.now.Add(-1)
}

func (f *slowFS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.wait()
	list, err := f.bigFS.ReadDir(name)
	slow := make([]fs.DirEntry, len(list))
	for i, e := range list {
		slow[i] = slowEntry{e, f}
	}
	return slow, err
}

// TestScanParallel checks that a parallel scan gives the same draft, makes no more concurrent calls than Parallel, and none after its end.
func TestScanParallel(t *testing.T) {
	f := &slowFS{bigFS: newBigFS(40, 25)}
	want, _, err := Scan(nil, f.bigFS, ".", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := Scan(nil, f, ".", &ScanOptions{Parallel: 8})
	if err != nil {
		t.Fatal(err)
	}
	if err := sameTrees(want, got); err != nil {
		t.Error(err)
	}
	if !slices.EqualFunc(want.Contents(), got.Contents(), func(a, b Content) bool { return a.Path == b.Path }) {
		t.Error("the order of contents differs")
	}
	if most := f.most.Load(); most < 2 || most > 8 {
		t.Errorf("%d concurrent calls", most)
	}
	stop := errors.New("stop")
	last := 0
	if _, _, err = Scan(func(_ int64, n int) error {
		if last = n; n == 0 {
			return nil
		}
		return stop
	}, f, ".", &ScanOptions{Parallel: 8}); err != stop || last == 0 {
		t.Errorf("a scan stopped after %d entries: %v", last, err)
	}
	if f.now.Load() != 0 {
		t.Error("calls after the end of the scan")
	}
}

// TestScanHackpad scans a file system of hackpadfs, like the folders in a browser.
func TestScanHackpad(t *testing.T) {
	f, err := mem.NewFS()
	if err != nil {
		t.Fatal(err)
	}
	if err := hackpadfs.MkdirAll(f, "top/sub", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"top/file": "text", "top/sub/empty": "", "top/sub/\u241b": "escape"} {
		if err := hackpadfs.WriteFullFile(f, name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d, r, err := Scan(nil, f, "top", &ScanOptions{Parallel: 4})
	if err != nil {
		t.Fatal(err)
	}
	if got := draftPaths(d); !slices.Equal(got, []string{"/", "/file", "/sub/", "/sub/empty", "/sub/\u241b241B"}) || r.Bytes != 10 {
		t.Errorf("%q, report %+v", got, r)
	}
	for _, c := range d.Contents() {
		if b, err := fs.ReadFile(f, c.Path); err != nil || int64(len(b)) != c.Size {
			t.Errorf("%s: %d bytes, %v", c.Path, len(b), err)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		name string
		want []uint16
	}{
		{"a", []uint16{'a'}},
		{"\xed\xa0\x80x", []uint16{0xd800, 'x'}},
		{"\xed\xbf\xbf", []uint16{0xdfff}},
		{"🗜", []uint16{0xd83d, 0xdddc}},
		{"\ufffd", []uint16{0xfffd}},
		{"\xff", nil},
		{"a\xed\xa0", nil},
		{"\xed\xa0x", nil},
	} {
		got, err := ntname.FromUnix(c.name)
		if !slices.Equal(got, c.want) || (err != nil) != (c.want == nil) || err != nil && !errors.Is(err, ntname.ErrInvalid) {
			t.Errorf("%q: %x, %v, want %x", c.name, got, err, c.want)
		}
	}
	if _, err := format.SymlinkData(strings.Repeat("x", 5000), false); !errors.Is(err, ntname.ErrInvalid) {
		t.Errorf("a target that is too long: %v", err)
	}
}
