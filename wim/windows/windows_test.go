package windows_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/windows"
	"wimscope/wim/write"
	"wimscope/wim/xmldoc"
)

// windowsFS returns a file system with the files of w.
func windowsFS(files map[string][]byte) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, b := range files {
		fsys[name] = &fstest.MapFile{Data: b, Mode: 0o644, ModTime: time.Unix(1e9, 0)}
	}
	return fsys
}

// captured returns a Builder with an image of a file system, with its XML document filled.
func captured(t testing.TB, fsys fs.FS) (*write.Builder, *windows.Info) {
	t.Helper()
	d, _, err := draft.Scan(nil, fsys, ".", &draft.ScanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e := write.New()
	index, err := e.AddDraft(d, &write.Image{Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	return e, e.FillWindows(index, fsys)
}

// writeArchive writes an archive and opens it.
func writeArchive(t testing.TB, e *write.Builder, o *write.Options, sources ...fs.FS) ([]byte, *wim.Archive) {
	t.Helper()
	p, err := e.PlanWrite(o)
	if err != nil {
		t.Fatal(err)
	}
	var out archivetest.MemFile
	if _, err := write.Run(context.Background(), p, p.FilesOf(sources...), &out, nil); err != nil {
		t.Fatal(err)
	}
	a, err := wim.Open([]blobs.Part{{Name: "a.wim", R: bytes.NewReader(out.B), Size: int64(len(out.B))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out.B, a
}

// elements returns everything below an IMAGE element as paths and texts.
func element(n *xmldoc.Node, path string, out *[]string) {
	for _, c := range n.Children {
		if c.Name == "" {
			*out = append(*out, path+"="+c.Text)
			continue
		}
		element(c, strings.TrimPrefix(path+"/"+c.Name, "/"), out)
	}
}

func elements(n *xmldoc.Node) string {
	var out []string
	element(n, "", &out)
	return strings.Join(out, "\n")
}

const windows10XML = `WINDOWS/SYSTEMROOT=WINDOWS
WINDOWS/ARCH=9
WINDOWS/EDITIONID=Professional
WINDOWS/INSTALLATIONTYPE=Client
WINDOWS/PRODUCTNAME=Windows 10 Pro
WINDOWS/VERSION/MAJOR=10
WINDOWS/VERSION/MINOR=0
WINDOWS/VERSION/BUILD=19045
WINDOWS/VERSION/SPBUILD=1130
WINDOWS/VERSION/SPLEVEL=1
WINDOWS/PRODUCTTYPE=WinNT
WINDOWS/PRODUCTSUITE=Terminal Server
WINDOWS/HAL=acpiapic
WINDOWS/LANGUAGES/LANGUAGE=en-US
WINDOWS/LANGUAGES/DEFAULT=en-US
NAME=one
FLAGS=Professional
DISPLAYNAME=Windows 10 Pro
DISPLAYDESCRIPTION=Windows 10 Pro`

func TestFillWindows(t *testing.T) {
	fsys := windowsFS(wimtest.Windows10().Files())
	e, w := captured(t, fsys)
	if w == nil || len(w.Problems) > 0 {
		t.Fatalf("%+v", w)
	}
	if got := elements(e.ImageElement(1)); got != windows10XML {
		t.Errorf("got\n%s\nwant\n%s", got, windows10XML)
	}
	if got := []string{w.Root, w.Build, w.UBR, w.Branch, w.Lab}; !slices.Equal(got, []string{"/Windows", "10.0.19045.3803", "3803", "vb_release", "19041.1.amd64fre.vb_release.191206-1406"}) {
		t.Errorf("got %q", got)
	}
	if e, w := captured(t, fstest.MapFS{"Windows/System32/other": {Data: []byte("x")}}); w != nil || elements(e.ImageElement(1)) != "NAME=one" {
		t.Errorf("no Windows: %+v, %s", w, elements(e.ImageElement(1)))
	}
}

// TestWindowsElsewhere reads the branch of an older Windows from its lab string, and a control set that Select names.
func TestWindowsElsewhere(t *testing.T) {
	w := &wimtest.Windows{
		Software: wimtest.WindowsSoftware(wimtest.HiveText("CurrentVersion", "6.1"), wimtest.HiveText("CurrentBuild", "7601"), wimtest.HiveText("BuildLab", "7601.win7sp1_rtm.101119-1850")),
		System:   wimtest.WindowsSystem(3, "0407", []string{"de-DE"}),
	}
	e, got := captured(t, windowsFS(w.Files()))
	if got.Build != "6.1.7601" || got.Branch != "win7sp1_rtm" || got.Lab != "7601.win7sp1_rtm.101119-1850" || len(got.Problems) > 0 {
		t.Errorf("%+v", got)
	}
	if s := e.ImageElement(1).Content("WINDOWS", "LANGUAGES", "DEFAULT"); s != "de-DE" {
		t.Errorf("default language %q", s)
	}
}

// TestServicePackBuild checks that a document may have the update build revision as service pack build, whether or not the kernel has the
// same.
func TestServicePackBuild(t *testing.T) {
	for _, kernel := range []bool{true, false} {
		tree := wimtest.Windows10()
		if !kernel {
			tree.Kernel = [4]uint16{}
		}
		fsys := windowsFS(tree.Files())
		e, _ := captured(t, fsys)
		e.ImageElement(1).SetContent("3803", "WINDOWS", "VERSION", "SPBUILD")
		_, a := writeArchive(t, e, nil, fsys)
		w, err := windows.Of(a, 1, true)
		if err != nil || len(w.Problems) > 0 || (w.Kernel != "") != kernel {
			t.Fatalf("%+v, %v", w, err)
		}
		if d := w.Differences(a.ImageElement(1)); len(d) > 0 {
			t.Errorf("kernel=%v: %+v", kernel, d)
		}
	}
}

// TestWindowsProblems checks that texts that XML cannot hold and files without random access are left out and reported.
func TestWindowsProblems(t *testing.T) {
	bad := wimtest.Windows10()
	values := bad.Software.Keys[1].Keys[1].Keys[0].Values
	for i := range values {
		switch values[i].Name {
		case "ProductName":
			values[i] = wimtest.HiveText("ProductName", "a\x01b")
		case "EditionID":
			values[i].Data = []byte{'x', 0, 0, 0xd8, 'y', 0, 0, 0}
		}
	}
	e, w := captured(t, windowsFS(bad.Files()))
	if n := e.ImageElement(1); n.Content("WINDOWS", "PRODUCTNAME") != "" || n.Child("FLAGS") != nil || n.Content("WINDOWS", "VERSION", "BUILD") != "19045" {
		t.Errorf("%s", elements(n))
	}
	if len(w.Problems) != 5 || !strings.Contains(w.Problems[0].Error(), "/Windows/System32/config/SOFTWARE") {
		t.Errorf("%q", w.Problems)
	}
	e, w = captured(t, onceFS{windowsFS(wimtest.Windows10().Files())})
	if len(w.Problems) != 3 || e.ImageElement(1).Content("WINDOWS", "SYSTEMROOT") != "WINDOWS" {
		t.Errorf("%q", w.Problems)
	}
}

// onceFS has files that can only be read from start to end.
type onceFS struct{ fs.FS }

func (f onceFS) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if d, ok := file.(fs.ReadDirFile); ok {
		return d, err
	}
	return struct{ fs.File }{file}, err
}

// largeWindows returns a Windows with a SOFTWARE hive of more than 3 MB.
func largeWindows() map[string][]byte {
	w := wimtest.Windows10()
	classes := w.Software.Keys[0]
	for range 200 {
		classes.Keys = append(classes.Keys, wimtest.HivePath("class", nil, wimtest.HiveValue{Name: "x", Type: 3, Data: wimtest.Noise.Make(rand.New(rand.NewPCG(1, 2)), 16000)}))
	}
	return w.Files()
}

// countingAt counts the bytes read.
type countingAt struct {
	r *bytes.Reader
	n int64
}

func (c *countingAt) ReadAt(b []byte, off int64) (int, error) {
	c.n += int64(len(b))
	return c.r.ReadAt(b, off)
}

// TestWindowsInArchives checks that a hive in an archive is read chunk by chunk on request, and that an update does not read one in a
// solid resource, and keeps the document's facts.
func TestWindowsInArchives(t *testing.T) {
	files := largeWindows()
	fsys := windowsFS(files)
	for _, o := range []write.Options{{Codec: format.XPRESS}, {Codec: format.XPRESS, Solid: true, SolidCodec: format.LZX, SolidChunkSize: 1 << 18}} {
		e, _ := captured(t, fsys)
		e.ImageElement(1).Drop("WINDOWS")
		b, _ := writeArchive(t, e, &o, fsys)
		c := &countingAt{r: bytes.NewReader(b)}
		a, err := wim.Open([]blobs.Part{{Name: "a.wim", R: c, Size: int64(len(b))}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		im, err := a.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		before := c.n
		w, err := windows.Of(a, 1, false)
		if err != nil || w.Build != "10.0.19045.3803" || w.Kernel != "10.0.19041.3803" || len(w.Problems) > 0 {
			t.Fatalf("%+v, %v", w, err)
		}
		if read := c.n - before; read > int64(len(b))/2 {
			t.Errorf("solid=%v: %d of %d bytes were read", o.Solid, read, len(b))
		}

		d, err := draft.Of(im)
		if err != nil {
			t.Fatal(err)
		}
		change, err := write.Of(a)
		if err == nil {
			err = change.SetDraft(1, d, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		before = c.n
		w = change.FillWindows(1)
		if o.Solid {
			if len(w.Problems) != 3 || c.n != before || change.ImageElement(1).Content("WINDOWS", "ARCH") != "" {
				t.Errorf("solid: %d bytes were read, %q", c.n-before, w.Problems)
			}
			change.ImageElement(1).SetContent("5", "WINDOWS", "ARCH")
			if w = change.FillWindows(1); len(w.Problems) != 0 || change.ImageElement(1).Content("WINDOWS", "ARCH") != "5" {
				t.Errorf("solid: %q", w.Problems)
			}
		} else if len(w.Problems) != 0 || change.ImageElement(1).Content("WINDOWS", "VERSION", "BUILD") != "19045" {
			t.Errorf("%q", w.Problems)
		}
	}
}

// TestWindowsDamaged checks that nothing from a damaged hive gets into a document.
func TestWindowsDamaged(t *testing.T) {
	fsys := windowsFS(wimtest.Windows10().Files())
	e, _ := captured(t, fsys)
	b, _ := writeArchive(t, e, nil, fsys)
	at := bytes.Index(b, wimtest.HiveText("", "Professional").Data)
	b[at] = 'p'
	a, err := wim.Open([]blobs.Part{{Name: "a.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := windows.Of(a, 1, true)
	if err != nil || len(w.Problems) != 1 || !strings.Contains(w.Problems[0].Error(), "SOFTWARE: is damaged") || !errors.Is(w.Problems[0], format.ErrChecksum) || w.Build != "" {
		t.Errorf("%+v, %v", w, err)
	}
	if _, err := windows.Of(a, 2, true); !errors.Is(err, format.ErrNotFound) {
		t.Error(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	d, err := draft.Of(im)
	if err != nil {
		t.Fatal(err)
	}
	e = write.New()
	e.UseContents(a)
	if _, err := e.AddDraft(d, nil); err != nil {
		t.Fatal(err)
	}
	if w := e.FillWindows(1); len(w.Problems) != 1 || e.ImageElement(1).Child("WINDOWS", "EDITIONID") != nil || e.ImageElement(1).Child("WINDOWS", "ARCH") == nil {
		t.Errorf("%+v", w)
	}
}

// TestRepairWindows checks that values that Microsoft's programs take from other sources, and names that people choose, are accepted.
// What is missing or wrong is repaired, after which there are no differences.
func TestRepairWindows(t *testing.T) {
	fsys := windowsFS(wimtest.Windows10().Files())
	e, _ := captured(t, fsys)
	_, a := writeArchive(t, e, nil, fsys)
	w, err := windows.Of(a, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	// As in an install.wim by Microsoft.
	microsoft := `<IMAGE INDEX="1"><NAME>x</NAME><WINDOWS><ARCH>9</ARCH><PRODUCTNAME>Microsoft® Windows® Operating System</PRODUCTNAME><EDITIONID>Professional</EDITIONID>` +
		`<INSTALLATIONTYPE>Client</INSTALLATIONTYPE><HAL>acpiapic</HAL><PRODUCTTYPE>WinNT</PRODUCTTYPE><PRODUCTSUITE>Terminal Server</PRODUCTSUITE>` +
		`<LANGUAGES><LANGUAGE>en-us</LANGUAGE><DEFAULT>en-US</DEFAULT></LANGUAGES><VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>19041</BUILD><SPBUILD>3803</SPBUILD>` +
		`<SPLEVEL>1</SPLEVEL><BRANCH>vb_release</BRANCH></VERSION><SYSTEMROOT>WINDOWS</SYSTEMROOT></WINDOWS><FLAGS>Mine</FLAGS><DISPLAYNAME>Mine</DISPLAYNAME>` +
		`<DISPLAYDESCRIPTION>Mine</DISPLAYDESCRIPTION></IMAGE>`
	for _, tt := range []struct {
		name, old, new string
		want           string
	}{
		{name: "right"},
		{name: "no display name", old: "<DISPLAYNAME>Mine</DISPLAYNAME>", want: "DISPLAYNAME [] [Windows 10 Pro]"},
		{name: "processor", old: "<ARCH>9", new: "<ARCH>12", want: "WINDOWS/ARCH [12] [9]"},
		{name: "build", old: "19041", new: "18362", want: "WINDOWS/VERSION/BUILD [18362] [19045]"},
		{name: "a language more", old: "<DEFAULT>", new: "<LANGUAGE>de-DE</LANGUAGE><DEFAULT>", want: "WINDOWS/LANGUAGES/LANGUAGE [en-us de-DE] [en-US]"},
		{name: "no languages", old: "<LANGUAGES><LANGUAGE>en-us</LANGUAGE><DEFAULT>en-US</DEFAULT></LANGUAGES>", want: "WINDOWS/LANGUAGES/LANGUAGE [] [en-US]\nWINDOWS/LANGUAGES/DEFAULT [] [en-US]"},
		{name: "twice", old: "<ARCH>9</ARCH>", new: "<ARCH>9</ARCH><ARCH>0</ARCH>", want: "WINDOWS/ARCH [9 0] [9]"},
		{name: "empty", old: "Professional", want: "WINDOWS/EDITIONID [] [Professional]"},
	} {
		doc, err := xmldoc.Parse([]byte(strings.Replace(microsoft, tt.old, tt.new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		image := doc.Root()
		var got []string
		for _, c := range w.Repair(image) {
			got = append(got, c.Path+" ["+strings.Join(c.Old, " ")+"] ["+strings.Join(c.Values, " ")+"]")
		}
		if s := strings.Join(got, "\n"); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, s, tt.want)
		}
		if rest := w.Differences(image); len(rest) != 0 {
			t.Errorf("%s: after the repair %+v", tt.name, rest)
		}
	}
}

func TestLanguageName(t *testing.T) {
	for hex, want := range map[string]string{
		"0409": "en-US", "409": "en-US", "0x0407": "de-DE", " 0C0A": "es-ES", "040A": "es-ES_tradnl", "7c92": "ku-Arab-IQ", "0000": "en-US",
		"10409": "en-US", "fffffffffffffffff0409": "en-US", "007f": "", "ffff": "", "": "", "x": "", "0x": "",
	} {
		if got := windows.LanguageName(hex); got != want {
			t.Errorf("%q: got %q, want %q", hex, got, want)
		}
	}
	if n := strings.Count(windows.LanguageNames, " ") - 1; n != 451 {
		t.Errorf("%d languages", n)
	}
}

// FuzzWindows reads facts from arbitrary files. Reading takes a limited time and never fails; its result can be written to a document
// and read again, after which there is nothing to repair.
func FuzzWindows(f *testing.F) {
	files := wimtest.Windows10().Files()
	f.Add(files["Windows/System32/kernel32.dll"], files["Windows/System32/config/SOFTWARE"], files["Windows/System32/config/SYSTEM"])
	f.Fuzz(func(t *testing.T, kernel, software, system []byte) {
		fsys := windowsFS(map[string][]byte{
			"Windows/System32/kernel32.dll": kernel, "Windows/System32/config/SOFTWARE": software, "Windows/System32/config/SYSTEM": system,
		})
		e, w := captured(t, fsys)
		if w == nil || len(w.Fields) == 0 {
			t.Fatal("no Windows was found")
		}
		doc, err := xmldoc.Parse([]byte((&xmldoc.Doc{Nodes: []*xmldoc.Node{e.ImageElement(1)}}).Pretty()))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range w.Differences(doc.Root()) {
			if strings.TrimSpace(strings.Join(d.Values, "")) == strings.Join(d.Values, "") {
				t.Errorf("%+v", d)
			}
		}
	})
}
