package archivetest

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
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
func ourDetails(im *wim.Image) []detail {
	var list []detail
	const layout = "Mon Jan 02 15:04:05 2006 UTC"
	for n := range wim.Node(im.Len()) {
		d := detail{path: im.Path(n)}
		add := func(key, format string, args ...any) { d.lines = append(d.lines, key+"="+fmt.Sprintf(format, args...)) }
		add("Short Name", "%q", im.ShortName(n))
		add("Attributes", "0x%08x", im.Attributes(n))
		if b := im.Security(n); b != nil {
			add("Security Descriptor", "%x", b)
		}
		add("Creation Time", "%s", im.Created(n).Time().Format(layout))
		add("Last Write Time", "%s", im.Modified(n).Time().Format(layout))
		add("Last Access Time", "%s", im.Accessed(n).Time().Format(layout))
		reparse := im.Attributes(n)&format.AttrReparsePoint != 0
		if reparse {
			add("Reparse Tag", "0x%x", im.ReparseTag(n))
		}
		add("Link Group ID", "0x%016x", im.HardLinkGroup(n))
		add("Link Count", "%d", im.HardLinkCount(n))
		if u, ok := im.Items(n).UnixData(); ok {
			add("UNIX Data", "uid:%d gid:%d mode:0%o rdev:0x%x", u.UID, u.GID, u.Mode, u.Rdev)
		}
		ids := im.Items(n).ObjectID()
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

func CompareDetails(t *testing.T, im *wim.Image, name string) {
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

func OpenFile(t testing.TB, name string) *wim.Image {
	t.Helper()
	a, err := wim.Open(OpenFiles(t, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	return im
}
