package wim_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hack-pad/hackpadfs"
	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/ntname"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

func TestFSOfFolder(t *testing.T) {
	im := archivetest.Capture(t, archivetest.OddFolder(t), "--unix-data")
	fsys := im.FS()
	if err := fstest.TestFS(fsys, "a/file.txt", "a/File.txt", "a/deep/er/big", "empty", "Ordner mit Umläuten äöü/日本語 😀.txt",
		"colon:in:name", "back␛005Cslash", " space ", "trailing.", "␛241B", "hard link", "link", "loop", "dangling", "fifo"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"a/file.txt": "hello\n", "a/File.txt": "twin\n", "link": "hello\n", "a/up": "", "through": strings.Repeat("0123456789abcdef", 9000),
		"absolute": strings.Repeat("0123456789abcdef", 9000), "dirlink/er/big": strings.Repeat("0123456789abcdef", 9000),
		"self/self/self/a/file.txt": "hello\n", "back␛005Cslash": "b", "colon:in:name": "c",
	} {
		if got, err := fs.ReadFile(fsys, name); err != nil || string(got) != want {
			t.Errorf("ReadFile(%q) = %.20q, %v", name, got, err)
		}
	}
	for name, want := range map[string]string{
		"link": "a/file.txt", "a/up": "../empty", "dangling": "no/where", "loop": "loop", "absolute": "a/deep/er/big", "outside": "../../../../etc/passwd",
	} {
		if got, err := fs.ReadLink(fsys, name); err != nil || got != want {
			t.Errorf("ReadLink(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
	for name, want := range map[string]fs.FileMode{
		"a/file.txt": 0o751 | fs.ModeSetuid, "a": fs.ModeDir | 0o755, "fifo": fs.ModeNamedPipe | 0o600, "link": 0o751 | fs.ModeSetuid, "dirlink": fs.ModeDir | 0o755,
		"dangling": fs.ModeSymlink | 0o777, "loop1": fs.ModeSymlink | 0o777,
	} {
		if st, err := fs.Stat(fsys, name); err != nil || st.Mode() != want {
			t.Errorf("Stat(%q): %v, %v, want mode %v", name, st, err, want)
		}
	}
	if st, err := fs.Stat(fsys, "a/file.txt"); err != nil || !st.ModTime().Equal(time.Date(1999, 12, 31, 23, 59, 59, 123456700, time.UTC)) {
		t.Errorf("modified %v, %v", st.ModTime(), err)
	}
	f, _ := im.Lookup("/a/file.txt")
	if got := im.HardLinks(f); len(got) != 2 || im.Path(got[0]) != "/hard link" || got[1] != f {
		t.Errorf("links of a/file.txt are %v", got)
	}
}

func TestFSErrors(t *testing.T) {
	im := archivetest.Capture(t, archivetest.OddFolder(t))
	fsys := im.FS()
	read := func(name string) error {
		_, err := fsys.ReadFile(name)
		return err
	}
	for _, tt := range []struct {
		name string
		err  error
		want error
	}{
		{"missing", read("missing"), fs.ErrNotExist},
		{"below a file", read("a/file.txt/x"), hackpadfs.ErrNotDir},
		{"other case", read("A/file.txt"), fs.ErrNotExist},
		{"invalid path", read("/a"), hackpadfs.ErrInvalid},
		{"dot dot", read("a/../a"), hackpadfs.ErrInvalid},
		{"folder", read("a"), hackpadfs.ErrIsDir},
		{"dangling link", read("dangling"), fs.ErrNotExist},
		{"loop", read("loop"), fs.ErrNotExist},
		{"below a loop", read("loop1/x"), fs.ErrNotExist},
		{"link that leaves the image", read("outside"), fs.ErrNotExist},
		{"ReadDir of a file", func() error { _, err := fsys.ReadDir("empty"); return err }(), hackpadfs.ErrNotDir},
		{"ReadLink of a file", func() error { _, err := fsys.ReadLink("empty"); return err }(), hackpadfs.ErrInvalid},
		{"Sub of a file", func() error { _, err := fsys.Sub("empty"); return err }(), hackpadfs.ErrNotDir},
		{"write", hackpadfs.WriteFullFile(fsys, "new", nil, 0o666), hackpadfs.ErrNotImplemented},
		{"remove", hackpadfs.Remove(fsys, "empty"), hackpadfs.ErrNotImplemented},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, tt.err, tt.want)
		}
		if pe := new(fs.PathError); !errors.As(tt.err, &pe) {
			t.Errorf("%s: error %v is not a PathError", tt.name, tt.err)
		}
	}
	f, err := fsys.Open("a/file.txt")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for _, err := range []error{
		f.Close(),
		func() error { _, err := f.Read(nil); return err }(),
		func() error { _, err := f.Stat(); return err }(),
		func() error { _, err := f.(io.Seeker).Seek(0, 0); return err }(),
	} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestFSOfWindowsTree(t *testing.T) {
	root, security := wimtest.WindowsTree()
	im := archivetest.OpenHand(t, root, security...)
	fsys := im.FS()
	if err := fstest.TestFS(fsys, "sub/inner.txt", "streams.bin", "relative link", "junction", "app link"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"streams.bin:Zone.Identifier": "[ZoneTransfer]\r\nZoneId=3\r\n", "streams.bin:empty": "", "relative link": "inside\n",
		"absolute link/inner.txt": "inside\n", "junction/inner.txt": "inside\n",
	} {
		if got, err := fs.ReadFile(fsys, name); err != nil || string(got) != want {
			t.Errorf("ReadFile(%q) = %q, %v", name, got, err)
		}
	}
	if _, err := fsys.Open("streams.bin:none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing stream: %v", err)
	}
	if got, err := fsys.ReadLink("junction"); err != nil || got != "sub" {
		t.Errorf("ReadLink(junction) = %q, %v", got, err)
	}
	sub, err := fsys.Sub("sub")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(sub, "inner.txt"); err != nil {
		t.Error(err)
	}
	st, err := fsys.Stat("streams.bin")
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := st.Sys().(wim.FSEntry); !ok || e.Image != im || im.Path(e.Node) != "/streams.bin" {
		t.Errorf("Sys is %v", st.Sys())
	}
	for path, want := range map[string]wim.Link{
		"/relative link": {Kind: "symlink", Target: `sub\inner.txt`, Substitute: `sub\inner.txt`, Rel: true, Found: true},
		"/absolute link": {Kind: "symlink", Target: `C:\sub`, Substitute: `\??\C:\sub`, Found: true},
		"/junction":      {Kind: "junction", Target: `C:\sub`, Substitute: `\??\C:\sub`, Found: true},
		"/app link":      {},
		"/streams.bin":   {},
	} {
		n, _ := im.Lookup(path)
		got, _ := im.Link(n)
		if got.Found {
			if target := im.Path(got.Node); !strings.HasPrefix(target, "/sub") {
				t.Errorf("%s: target %s", path, target)
			}
			got.Node = 0
		}
		if got != want {
			t.Errorf("%s is %+v, want %+v", path, got, want)
		}
	}
}

// TestFSOfOddNames checks that names that differ only in what is escaped remain distinct, and that every stored name can be opened.
func TestFSOfOddNames(t *testing.T) {
	raw := [][]uint16{{0xd800}, {0xdc00, 'x'}, {'a', '/', 'b'}, {0x241b, 'D', '8', '0', '0'}, {0xfffd}, {'.', '.', '.'}, {0x202e}, {0xfeff}, {1}, {'c', ':', 's'}}
	root := wimtest.Folder("")
	for _, r := range raw {
		root.Children = append(root.Children, &wimtest.HandEntry{RawName: r, Data: []byte(ntname.Escape(r))})
	}
	root.Children = append(root.Children, &wimtest.HandEntry{Name: "c", Data: []byte("c"), Streams: []wimtest.HandStream{{Name: "s", Data: []byte("stream")}, {Name: "t", Data: []byte("t")}}})
	im := archivetest.OpenHand(t, root)
	var want []string
	for _, r := range raw {
		want = append(want, ntname.Escape(r))
	}
	if err := fstest.TestFS(im.FS(), want...); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(want, "c") {
		if got, err := fs.ReadFile(im.FS(), name); err != nil || string(got) != name {
			t.Errorf("ReadFile(%q) = %q, %v", name, got, err)
		}
	}
	// A file takes precedence over a stream.
	if got, _ := fs.ReadFile(im.FS(), "c:s"); string(got) != "c:s" {
		t.Errorf("c:s is %q", got)
	}
	if got, _ := fs.ReadFile(im.FS(), "c:t"); string(got) != "t" {
		t.Errorf("c:t is %q", got)
	}
}

// TestFSMissingContent checks that the files of a delta archive whose content is elsewhere are listed and cannot be opened.
func TestFSMissingContent(t *testing.T) {
	im := archivetest.OpenHand(t, wimtest.Folder("", &wimtest.HandEntry{Name: "f", Hash: [20]byte{1, 2, 3}}))
	n, _ := im.Lookup("f")
	if !im.Missing(n) || im.Size(n) != 0 {
		t.Errorf("missing %v, size %d", im.Missing(n), im.Size(n))
	}
	if _, err := im.FS().Open("f"); !errors.Is(err, blobs.ErrMissing) {
		t.Errorf("Open: %v", err)
	}
	if list, err := im.FS().ReadDir("."); err != nil || len(list) != 1 {
		t.Errorf("ReadDir: %v, %v", list, err)
	}
}

func TestRelativePath(t *testing.T) {
	for _, tt := range [][3]string{
		{"/", "/a", "a"}, {"/a", "/a", "."}, {"/a/b", "/a/c/d", "../c/d"}, {"/a/b", "/", "../.."}, {"/", "/", "."}, {"/ab", "/a", "../a"},
	} {
		if got := wim.RelativePath(tt[0], tt[1]); got != tt[2] {
			t.Errorf("from %s to %s: %q, want %q", tt[0], tt[1], got, tt[2])
		}
	}
}

func TestListOrder(t *testing.T) {
	at := func(name string, size int, modified uint64) *wimtest.HandEntry {
		return &wimtest.HandEntry{Name: name, Data: bytes.Repeat([]byte{1}, size), Modified: modified, Attrs: 0x20 + uint32(size)%2}
	}
	im := archivetest.OpenHand(t, wimtest.Folder("", at("b.txt", 5, 3), at("A.zip", 1, 9), wimtest.Folder("zdir"), at("c", 7, 1), wimtest.Folder("Adir.x"), at("a2.TXT", 5, 2)))
	for _, tt := range []struct {
		order wim.Order
		desc  bool
		want  string
	}{
		{wim.ByName, false, "Adir.x zdir A.zip a2.TXT b.txt c"},
		{wim.ByName, true, "zdir Adir.x c b.txt a2.TXT A.zip"},
		{wim.BySize, false, "Adir.x zdir A.zip a2.TXT b.txt c"},
		{wim.BySize, true, "Adir.x zdir c a2.TXT b.txt A.zip"},
		{wim.ByModified, false, "Adir.x zdir c a2.TXT b.txt A.zip"},
		{wim.ByType, false, "Adir.x zdir c a2.TXT b.txt A.zip"},
		{wim.ByType, true, "Adir.x zdir A.zip a2.TXT b.txt c"},
	} {
		var got []string
		for _, n := range im.List(0, tt.order, tt.desc, nil) {
			got = append(got, im.Name(n))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("order %d, descending %v: %s, want %s", tt.order, tt.desc, s, tt.want)
		}
	}
	only := im.List(0, wim.ByName, false, func(n wim.Node) bool { return strings.HasSuffix(im.Name(n), ".txt") })
	if len(only) != 1 || im.Name(only[0]) != "b.txt" {
		t.Errorf("filtered: %v", only)
	}
	if !slices.IsSorted(im.List(0, wim.ByModified, false, func(wim.Node) bool { return false })) {
		t.Error("empty list")
	}
}
