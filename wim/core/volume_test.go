package core

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

// detail is what "wimlib-imagex dir --detailed" tells of an entry: lines without what is not of the entry itself.
type detail struct {
	path  string
	lines []string
}

// wimlibDetails parses the listing of image 1 of an archive.
func wimlibDetails(t *testing.T, name string) []detail {
	t.Helper()
	out := wimtest.MustRun(t, ".", wimtest.Wimlib, "dir", name, "1", "--detailed")
	var list []detail
	sc := bufio.NewScanner(bytes.NewReader(out))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		key, value, _ := strings.Cut(sc.Text(), "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch key {
		case "Full Path":
			list = append(list, detail{path: strings.Trim(value, `"`)})
			continue
		case "Short Name", "Attributes", "Security Descriptor", "Creation Time", "Last Write Time", "Last Access Time", "Reparse Tag",
			"Link Group ID", "Link Count", "Hash", "Uncompressed size", "UNIX Data", "Object ID", "Birth Volume ID", "Birth Object ID", "Domain ID":
			value = key + "=" + value
		default:
			if !strings.HasSuffix(key, ":") {
				continue // which attributes are set, in words; where the content lies
			}
			value = key
		}
		d := &list[len(list)-1]
		d.lines = append(d.lines, value)
	}
	return list
}

// ourDetails tells the same of a loaded image.
func ourDetails(im *Image) []detail {
	var list []detail
	const layout = "Mon Jan 02 15:04:05 2006 UTC"
	for n := range Node(im.Len()) {
		d := detail{path: im.Path(n)}
		add := func(key, format string, args ...any) { d.lines = append(d.lines, key+"="+fmt.Sprintf(format, args...)) }
		add("Short Name", "%q", im.ShortName(n))
		add("Attributes", "0x%08x", im.Attributes(n))
		if b := im.SecurityBytes(n); b != nil {
			add("Security Descriptor", "%x", b)
		}
		add("Creation Time", "%s", im.Created(n).Time().Format(layout))
		add("Last Write Time", "%s", im.Modified(n).Time().Format(layout))
		add("Last Access Time", "%s", im.Accessed(n).Time().Format(layout))
		reparse := im.Attributes(n)&format.AttrReparsePoint != 0
		if reparse {
			add("Reparse Tag", "0x%x", im.ReparseTag(n))
		}
		add("Link Group ID", "0x%016x", im.LinkGroup(n))
		add("Link Count", "%d", im.LinkCount(n))
		if u, ok := im.UnixData(n); ok {
			add("UNIX Data", "uid:%d gid:%d mode:0%o rdev:0x%x", u.UID, u.GID, u.Mode, u.Rdev)
		}
		ids := im.ObjectIDBytes(n)
		for i, key := range []string{"Object ID", "Birth Volume ID", "Birth Object ID", "Domain ID"} {
			if len(ids) >= 16*i+16 {
				add(key, "0x%x", ids[16*i:16*i+16])
			}
		}
		stream := func(title string, h format.Hash, size int64) {
			d.lines = append(d.lines, title)
			add("Hash", "0x%v", h)
			add("Uncompressed size", "%d bytes", size)
		}
		streams := im.Streams(n)
		for _, s := range streams {
			if s.Kind == format.StreamReparse {
				stream("Reparse point stream:", s.Hash, s.Size)
			}
		}
		if !reparse || !im.Hash(n).IsZero() {
			stream("Unnamed data stream:", im.Hash(n), im.Size(n))
		}
		for _, s := range streams {
			if s.Kind == format.StreamNamed {
				stream(fmt.Sprintf("Named data stream %q:", s.Name), s.Hash, s.Size)
			}
		}
		list = append(list, d)
	}
	return list
}

func compareDetails(t *testing.T, im *Image, name string) {
	t.Helper()
	want, got := wimlibDetails(t, name), ourDetails(im)
	byPath := func(a, b detail) int { return strings.Compare(a.path, b.path) }
	slices.SortFunc(want, byPath)
	slices.SortFunc(got, byPath)
	if len(got) != len(want) {
		t.Fatalf("%d entries, wimlib has %d", len(got), len(want))
	}
	for i := range want {
		if got[i].path != want[i].path {
			t.Fatalf("entry %d is %q, of wimlib %q", i, got[i].path, want[i].path)
		}
		g, w := slices.Clone(got[i].lines), slices.Clone(want[i].lines)
		if strings.Join(g, "\n") != strings.Join(w, "\n") {
			t.Errorf("%s:\n%s\nwimlib has\n%s", want[i].path, strings.Join(g, "\n"), strings.Join(w, "\n"))
		}
	}
}

func TestAgainstWimlib(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	dir := t.TempDir()
	t.Run("folder", func(t *testing.T) {
		from := testFolder(t)
		if err := os.Remove(filepath.Join(from, `back\slash`)); err != nil { // its path is told otherwise
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(from, "␛")); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, "folder.wim")
		wimtest.MustRun(t, ".", wimtest.Wimlib, "capture", from, name, "--unix-data", "--compress=none")
		compareDetails(t, openFile(t, name), name)
	})
	t.Run("hand-made", func(t *testing.T) {
		root, security := wimtest.WindowsTree()
		name := filepath.Join(dir, "hand.wim")
		if err := os.WriteFile(name, wimtest.One(root, security...).Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		compareDetails(t, openFile(t, name), name)
	})
}

func openFile(t testing.TB, name string) *Image {
	t.Helper()
	a, err := Open(openFiles(t, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// What Linux folders cannot hold goes through a volume: wimlib writes the hand-made tree to an NTFS image, streams
// are added by ntfscp, and wimlib captures it again.
func TestNTFSVolume(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib, wimtest.MkNTFS, wimtest.NTFSCopy)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	root, security := wimtest.WindowsTree()
	for name, b := range map[string][]byte{"hand.wim": wimtest.One(root, security...).Bytes(), "volume": nil, "stream": []byte("a stream by ntfscp\n"), "big": bytes.Repeat([]byte("big"), 100000)} {
		if err := os.WriteFile(at(name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(at("volume"), 16<<20); err != nil {
		t.Fatal(err)
	}
	wimtest.MustRun(t, dir, wimtest.MkNTFS, "-F", "-Q", "-q", "-s", "512", "-p", "0", "-H", "255", "-S", "63", "volume")
	wimtest.MustRun(t, dir, wimtest.Wimlib, "apply", "hand.wim", "1", "volume")
	wimtest.MustRun(t, dir, wimtest.NTFSCopy, "-f", "-N", "added", "volume", "stream", "/sub/inner.txt")
	wimtest.MustRun(t, dir, wimtest.NTFSCopy, "-f", "volume", "big", "/sub/big.bin")
	wimtest.MustRun(t, dir, wimtest.Wimlib, "capture", "volume", "made.wim", "--compress=none")

	im := openFile(t, at("made.wim"))
	compareDetails(t, im, at("made.wim"))
	if err := fstest.TestFS(im.FS(), "sub/inner.txt", "sub/big.bin", "streams.bin", "relative link", "junction"); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"sub/inner.txt:added": "a stream by ntfscp\n", "streams.bin:Zone.Identifier": "[ZoneTransfer]\r\nZoneId=3\r\n", "streams.bin:empty": "",
		"relative link": "inside\n", "junction/inner.txt": "inside\n",
	} {
		if got, err := im.FS().ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
	long, _ := im.Lookup("/A Long File Name.txt")
	if im.ShortName(long) != "ALONGF~1.TXT" || im.LinkCount(long) != 2 || im.Modified(long) != format.Filetime(133594672891234567) {
		t.Errorf("short name %q, %d links, modified %v", im.ShortName(long), im.LinkCount(long), im.Modified(long))
	}
	if sd := im.Security(long); sd == nil || sd.SDDL() != "O:BAG:SYD:(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)" {
		t.Errorf("security %v", sd)
	}
	object, _ := im.Lookup("/object.id")
	if id := im.ObjectID(object); id != "{09060300-0f0c-1512-181b-1e2124272a2d}" {
		t.Errorf("object id %s", id)
	}
}
