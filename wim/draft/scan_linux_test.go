package draft

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wimscope/wim/config"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

// nativeFS is a folder with the facts that Linux has; top is the folder's path on the machine.
type nativeFS struct {
	fs.ReadLinkFS
	top string
}

func NewNativeFS(top string) *nativeFS { return &nativeFS{os.DirFS(top).(fs.ReadLinkFS), top} }

func (n *nativeFS) FileFacts(name string, want FactsWanted) (f Facts, _ error) {
	st, p := want.Info.Sys().(*syscall.Stat_t), filepath.Join(n.top, name)
	stamp := func(t syscall.Timespec) format.Filetime {
		return format.Filetime(uint64(int64(t.Sec)+format.FiletimeUnixSeconds)*format.FiletimePerSecond + uint64(t.Nsec)/100)
	}
	f = Facts{
		Device: uint64(st.Dev), Inode: uint64(st.Ino), Links: uint64(st.Nlink),
		Accessed: stamp(st.Atim), Modified: stamp(st.Mtim),
		Sparse: st.Blocks < (st.Size+511)/512,
	}
	if want.Unix {
		f.Unix = &format.UnixData{UID: st.Uid, GID: st.Gid, Mode: st.Mode, Rdev: uint32(st.Rdev)}
		names := make([]byte, 1<<16)
		k, err := syscall.Listxattr(p, names)
		if err != nil || st.Mode&syscall.S_IFMT == syscall.S_IFLNK {
			return f, nil
		}
		for name := range bytes.SplitSeq(bytes.TrimRight(names[:k], "\x00"), []byte{0}) {
			v := make([]byte, 1<<16)
			if k, err := syscall.Getxattr(p, string(name), v); err == nil && len(name) > 0 {
				f.Xattrs = append(f.Xattrs, format.Xattr{Name: string(name), Value: v[:k]})
			}
		}
	}
	return f, nil
}

func (n *nativeFS) LinkInside(root, target string) (string, bool) {
	want, err := os.Stat(filepath.Join(n.top, root))
	if err != nil {
		return "", false
	}
	for at := 0; at < len(target); {
		for at < len(target) && target[at] == '/' {
			at++
		}
		if at == len(target) {
			break
		}
		for at < len(target) && target[at] != '/' {
			at++
		}
		have, err := os.Stat(target[:at])
		if err != nil {
			break
		}
		if os.SameFile(want, have) {
			return target[at:], true
		}
	}
	return "", false
}

// hashAll reads the draft's contents, sets their hashes, and returns the bytes by hash.
func hashAll(t testing.TB, d *Draft, fsys fs.FS) map[format.Hash][]byte {
	t.Helper()
	all := map[format.Hash][]byte{}
	for id, c := range d.Contents() {
		b := c.Bytes
		if c.Path != "" {
			var err error
			if b, err = fs.ReadFile(fsys, c.Path); err != nil {
				t.Fatal(err)
			}
		}
		h := format.Hash(sha1.Sum(b))
		if c.Known && c.Hash != h {
			t.Fatalf("%s has hash %v, want %v", c.Path, h, c.Hash)
		}
		d.SetHash(ContentID(id), h)
		all[h] = b
	}
	return all
}

// handArchive returns an archive of a draft and the bytes of its contents.
func handArchive(t testing.TB, d *Draft, contents map[format.Hash][]byte) []byte {
	t.Helper()
	meta, err := d.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	refs := map[format.Hash]uint32{}
	for id, n := range d.References() {
		refs[d.Contents()[id].Hash] += uint32(n)
	}
	a := &wimtest.HandArchive{Metadata: []wimtest.HandMeta{{Data: meta, RefCount: 1}}}
	for h, n := range refs {
		if n > 0 {
			a.Blobs = append(a.Blobs, &wimtest.HandBlob{Data: contents[h], Hash: h, RefCount: n})
		}
	}
	slices.SortFunc(a.Blobs, func(x, y *wimtest.HandBlob) int { return bytes.Compare(x.Hash[:], y.Hash[:]) })
	return a.Bytes()
}

// Steady sets access times that reading does not change.
func Steady(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, de fs.DirEntry, err error) error {
		if err != nil || de.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := de.Info()
		if err != nil {
			return err
		}
		read, modified := time.Date(2105, 1, 2, 3, 4, 5, 600, time.UTC), info.ModTime()
		if strconv.IntSize == 32 { // the system's calls end in 2038 there
			read = read.AddDate(-68, 0, 0)
			modified = time.Unix(modified.Unix()&(1<<30-1), int64(modified.Nanosecond()))
		}
		return os.Chtimes(p, read, modified)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ScanFolder makes a folder with what random trees lack.
func ScanFolder(t *testing.T, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	must(os.MkdirAll(at("sub/deeper"), 0o755))
	must(os.WriteFile(at("sub/file"), []byte("hello"), 0o640))
	must(os.Link(at("sub/file"), at("other name")))
	must(os.WriteFile(at("empty"), nil, 0o600))
	must(os.Link(at("empty"), at("sub/empty too")))
	must(os.Symlink("sub", at("to folder")))
	must(os.Symlink("sub/file", at("to file")))
	must(os.Symlink(dir, at("to root")))
	must(os.Symlink(dir+"/", at("to root with slash")))
	must(os.Symlink(strings.ReplaceAll(dir, "/", "//")+"//sub//file", at("to file, inside")))
	must(os.Symlink("/usr/lib", at("outside")))
	must(os.Symlink(`odd\target/x`, at("odd link")))
	must(os.Link(at("odd link"), at("odd link again")))
	must(os.WriteFile(at(`back\slash`), []byte("y"), 0o644))
	must(os.WriteFile(at("␛0041"), []byte("z"), 0o644))
	must(syscall.Mkfifo(at("pipe"), 0o644))
	must(os.WriteFile(at("excluded.tmp"), []byte("tmp"), 0o644))
	must(os.MkdirAll(at("Windows/CSC/in"), 0o755))
	must(os.WriteFile(at("Windows/CSC/in/file"), []byte("c"), 0o644))
	if err := syscall.Setxattr(at("sub/file"), "user.colour", []byte("blue"), 0); err != nil && !errors.Is(err, syscall.ENOTSUP) {
		t.Fatal(err)
	}
}

// TestScanAgainstWimlib checks that folders captured by wimlib and scanned by us give the same trees, to the last field.
func TestScanAgainstWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	// wimlib counts another name of a link as a hard link, although it writes a separate link.
	linkedLink := int64(0)
	try := func(t *testing.T, dir, tree string, o *ScanOptions, options ...string) {
		t.Helper()
		Steady(t, tree)
		name := filepath.Join(dir, "a.wim")
		wimtest.MustRun(t, dir, wimtest.Wimlib, append([]string{"capture", tree, name, "--compress=none"}, options...)...)
		im := archivetest.OpenFile(t, name)
		want, err := Of(im)
		if err != nil {
			t.Fatal(err)
		}
		fsys := NewNativeFS(tree)
		got, report, err := Scan(nil, fsys, ".", o)
		if err != nil {
			t.Fatal(err)
		}
		contents := hashAll(t, got, fsys)
		for _, d := range []*Draft{want, got} { // reading a link changes its time
			for i := range d.inodes {
				if d.inodes[i].attributes&format.AttrReparsePoint != 0 {
					d.inodes[i].accessed = 0
				}
			}
		}
		if err := sameTrees(want, got); err != nil {
			t.Error(err)
		}
		stats, info := got.Stats(), im.Info()
		if int64(stats.Dirs) != info.Dirs || int64(stats.Files) != info.Files || stats.TotalBytes != info.Bytes || stats.HardLinkBytes != info.HardLinkBytes-linkedLink {
			t.Errorf("%+v, wimlib counts %d folders, %d files, %d bytes, %d of links", stats, info.Dirs, info.Files, info.Bytes, info.HardLinkBytes)
		}
		if of := want.Stats(); of != stats {
			t.Errorf("%+v, of wimlib's image %+v", stats, of)
		}
		if report.Dirs != stats.Dirs || report.Files+report.Links != stats.Files {
			t.Errorf("report %+v of %+v", report, stats)
		}
		ours := filepath.Join(dir, "ours.wim")
		if err := os.WriteFile(ours, handArchive(t, got, contents), 0o644); err != nil {
			t.Fatal(err)
		}
		wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", ours)
		for _, n := range []string{"theirs", "ours"} {
			args := []string{"apply", filepath.Join(dir, map[string]string{"theirs": "a.wim", "ours": "ours.wim"}[n]), filepath.Join(dir, n)}
			if o.UnixData {
				args = append(args, "--unix-data")
			}
			wimtest.MustRun(t, dir, wimtest.Wimlib, args...)
		}
		a, err := wimtest.Snap(filepath.Join(dir, "theirs"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := wimtest.Snap(filepath.Join(dir, "ours"))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range wimtest.Diff(a, b, wimtest.Usual) {
			if !strings.Contains(line, "leads to") { // absolute ones lead to either folder
				t.Error(line)
			}
		}
	}
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("random ", seed), func(t *testing.T) {
			dir := t.TempDir()
			tree := filepath.Join(dir, "tree")
			if err := wimtest.Random(seed, nil).Write(tree); err != nil {
				t.Fatal(err)
			}
			if seed%2 == 0 {
				try(t, dir, tree, &ScanOptions{UnixData: true, Config: config.DefaultCapture()}, "--unix-data")
			} else {
				try(t, dir, tree, &ScanOptions{})
			}
		})
	}
	text := "[ExclusionList]\n*.TMP\n/Windows\n[ExclusionException]\n\\Windows\\CSC\\in\n"
	for _, c := range []struct {
		name    string
		o       ScanOptions
		options []string
	}{
		{"plain", ScanOptions{Config: config.DefaultCapture()}, nil},
		{"Unix data", ScanOptions{Config: config.DefaultCapture(), UnixData: true}, []string{"--unix-data"}},
		{"norpfix", ScanOptions{NoRPFix: true}, []string{"--norpfix", "--config=/dev/null"}},
		{"config", ScanOptions{}, []string{"--config=config.ini"}},
		{"at a time", ScanOptions{Config: config.DefaultCapture(), UnixData: true, Parallel: 8}, []string{"--unix-data"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			tree := filepath.Join(dir, "tree")
			ScanFolder(t, tree)
			linkedLink = 64
			if err := os.WriteFile(filepath.Join(dir, "config.ini"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if c.name == "config" {
				var err error
				if c.o.Config, err = config.ParseCapture([]byte(text)); err != nil {
					t.Fatal(err)
				}
				c.o.Config.Exact = true
			}
			try(t, dir, tree, &c.o, c.options...)
		})
	}
	t.Run("dereference", func(t *testing.T) {
		linkedLink = 0
		dir := t.TempDir()
		tree := filepath.Join(dir, "tree")
		if err := os.MkdirAll(filepath.Join(tree, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tree, "sub", "file"), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, l := range [][2]string{{"sub", "copy"}, {"sub/file", "file"}, {"/etc/hostname", "host"}} {
			if err := os.Symlink(l[0], filepath.Join(tree, l[1])); err != nil {
				t.Fatal(err)
			}
		}
		// A followed link and its target share an inode, which wimlib writes as hard links; so do we. It does not do this for folders.
		if err := os.Remove(filepath.Join(tree, "file")); err != nil {
			t.Fatal(err)
		}
		try(t, dir, tree, &ScanOptions{Dereference: true}, "--dereference")
		for name, to := range map[string]string{"loop": "..", "self": "."} {
			if err := os.Symlink(to, filepath.Join(tree, "sub", name)); err != nil {
				t.Fatal(err)
			}
		}
		_, r, err := Scan(nil, NewNativeFS(tree), ".", &ScanOptions{Dereference: true, Problem: func(string, error) error { return nil }})
		if err != nil || len(r.Skipped) != 4 || !errors.Is(r.Skipped[0].Err, ErrTree) {
			t.Errorf("a loop of links: %v, %+v", err, r)
		}
	})
}

// openCounter records which files are opened.
type openCounter struct {
	*nativeFS
	opened []string
}

func (o *openCounter) Open(name string) (fs.File, error) {
	o.opened = append(o.opened, name)
	return o.nativeFS.Open(name)
}

func (o *openCounter) ReadDir(name string) ([]fs.DirEntry, error) {
	return fs.ReadDir(o.nativeFS, name)
}
func (o *openCounter) Stat(name string) (fs.FileInfo, error) { return fs.Stat(o.nativeFS, name) }

// coarseFS has only names, sizes, and times to the millisecond.
type coarseFS struct{ fs.FS }

type coarseInfo struct{ fs.FileInfo }

func (i coarseInfo) ModTime() time.Time { return i.FileInfo.ModTime().Truncate(time.Millisecond) }

type coarseEntry struct{ fs.DirEntry }

func (e coarseEntry) Info() (fs.FileInfo, error) {
	i, err := e.DirEntry.Info()
	return coarseInfo{i}, err
}

func (c coarseFS) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(c.FS, name)
	files := list[:0]
	for _, e := range list {
		if e.Type()&fs.ModeSymlink == 0 { // a browser shows none
			files = append(files, coarseEntry{e})
		}
	}
	return files, err
}

// TestScanUpdateOf scans a folder with an older image of it: exactly the files that did not change get their hashes from the image,
// whichever program made it.
func TestScanUpdateOf(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := wimtest.Random(0, nil).Write(tree); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(tree, name) }
	for _, n := range []string{"kept", "touched", "grown", "edited", "gone", "becomes a folder", "Case"} {
		if err := os.WriteFile(at(n), []byte(n+" "), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", "tree", "a.wim", "--compress=none")
	im := archivetest.OpenFile(t, filepath.Join(dir, "a.wim"))
	change := func(name string, f func() error) {
		t.Helper()
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	later := time.Now().Add(time.Hour)
	info, err := os.Stat(at("edited"))
	if err != nil {
		t.Fatal(err)
	}
	change("touched", func() error { return os.Chtimes(at("touched"), later, later) })
	change("grown", func() error {
		if err := os.WriteFile(at("grown"), []byte("grown more"), 0o644); err != nil {
			return err
		}
		return os.Chtimes(at("grown"), info.ModTime(), info.ModTime())
	})
	change("edited", func() error {
		if err := os.WriteFile(at("edited"), []byte("Edited "), 0o644); err != nil {
			return err
		}
		return os.Chtimes(at("edited"), info.ModTime(), info.ModTime().Add(100)) // 100 ns: the least that is seen
	})
	change("gone", func() error { return os.Rename(at("gone"), at("renamed")) })
	change("folder", func() error { return os.Remove(at("becomes a folder")) })
	change("folder", func() error { return os.Mkdir(at("becomes a folder"), 0o755) })
	change("Case", func() error { return os.Rename(at("Case"), at("case")) })
	change("new", func() error { return os.WriteFile(at("new"), []byte("new"), 0o644) })

	fsys := &openCounter{nativeFS: NewNativeFS(tree)}
	d, report, err := Scan(nil, fsys, ".", &ScanOptions{UpdateOf: im})
	if err != nil {
		t.Fatal(err)
	}
	if len(fsys.opened) > 0 {
		t.Errorf("files are opened: %q", fsys.opened)
	}
	var unknown []string
	for id, refs := range d.References() {
		if c := d.Contents()[id]; refs > 0 && !c.Known {
			unknown = append(unknown, c.Path)
		}
	}
	slices.Sort(unknown)
	if want := []string{"case", "edited", "grown", "new", "renamed", "touched"}; !slices.Equal(unknown, want) {
		t.Errorf("files to read: %q, want %q", unknown, want)
	}
	if report.Unchanged < 20 {
		t.Errorf("%d unchanged files", report.Unchanged)
	}
	hashAll(t, d, fsys) // tells if a known hash is wrong
	wimtest.MustRun(t, dir, wimtest.Wimlib, "append", "tree", "a.wim", "second", "--update-of=1")
	want, err := archivetest.OpenFile(t, filepath.Join(dir, "a.wim")).Archive().Image(2)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Of(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Draft{w, d} {
		for i := range d.inodes {
			d.inodes[i].accessed = 0
		}
	}
	if err := sameTrees(w, d); err != nil {
		t.Error(err)
	}

	// A browser has times in milliseconds.
	tree2 := coarseFS{os.DirFS(tree)}
	for step, fewer := range map[format.Filetime]bool{0: true, 10_000: false} {
		_, r, err := Scan(nil, tree2, ".", &ScanOptions{UpdateOf: im, TimeStep: step, Parallel: 4})
		if err != nil {
			t.Fatal(err)
		}
		// Neither hard links nor changes within a millisecond can be detected there.
		if r.Unchanged < report.Unchanged != fewer {
			t.Errorf("%d unchanged files in steps of %d, exactly %d", r.Unchanged, step, report.Unchanged)
		}
	}

	// A folder that was captured to another path, and an unrelated image.
	for target, unchanged := range map[string]int{"/": report.Unchanged, "nowhere": 0} {
		_, r, err := Scan(nil, fsys, ".", &ScanOptions{UpdateOf: im, Target: target})
		if err != nil || r.Unchanged != unchanged {
			t.Errorf("%s: %d unchanged, want %d: %v", target, r.Unchanged, unchanged, err)
		}
	}
	if d, r, err := Scan(nil, fsys, "kept", &ScanOptions{UpdateOf: im, Target: "/kept"}); err != nil || r.Unchanged != 1 || !d.Contents()[0].Known {
		t.Errorf("a single file: %+v, %v", r, err)
	}
}

// TestRebuiltArchive checks that wimlib reports the same about an archive after its metadata were written again.
func TestRebuiltArchive(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib, wimtest.MkNTFS, wimtest.NTFSCopy)
	dir := t.TempDir()
	rebuild := func(t *testing.T, from, to string) *Draft {
		t.Helper()
		im := archivetest.OpenFile(t, from)
		d, err := Of(im)
		if err != nil {
			t.Fatal(err)
		}
		contents := map[format.Hash][]byte{}
		for _, c := range d.Contents() {
			b, err := im.Archive().Store().OpenBlob(c.Hash)
			if err != nil {
				t.Fatal(err)
			}
			if contents[c.Hash], err = io.ReadAll(io.NewSectionReader(b, 0, b.Size())); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(to, handArchive(t, d, contents), 0o644); err != nil {
			t.Fatal(err)
		}
		wimtest.MustRun(t, dir, wimtest.Wimlib, "verify", to)
		archivetest.CompareDetails(t, archivetest.OpenFile(t, to), to)
		return d
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	t.Run("hand-made", func(t *testing.T) {
		root, security := wimtest.WindowsTree()
		if err := os.WriteFile(at("hand.wim"), wimtest.One(root, security...).Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		rebuild(t, at("hand.wim"), at("hand2.wim"))
	})
	t.Run("volume", func(t *testing.T) {
		first, err := wimtest.NewNTFS(at("first.ntfs"), 8)
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Fill(wimtest.Random(8, &wimtest.TreeOptions{Plain: true})); err != nil {
			t.Fatal(err)
		}
		if err := first.Capture(at("first.wim"), "first", "--compress=none"); err != nil {
			t.Fatal(err)
		}
		want := rebuild(t, at("first.wim"), at("again.wim"))
		second, err := wimtest.NewNTFS(at("second.ntfs"), 8)
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Apply(at("again.wim"), 1, ""); err != nil {
			t.Fatal(err)
		}
		if err := second.Capture(at("second.wim"), "second", "--compress=none"); err != nil {
			t.Fatal(err)
		}
		got, err := Of(archivetest.OpenFile(t, at("second.wim")))
		if err != nil {
			t.Fatal(err)
		}
		if err := sameTrees(want, got); err != nil {
			t.Error(err)
		}
	})
}
