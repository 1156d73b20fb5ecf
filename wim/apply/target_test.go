package apply_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/apply"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
)

// placeTarget is a Target in memory that goes by places, with Rules. It logs what is done, in order.
type placeTarget struct {
	im    *wim.Image
	files map[string]string // by path; folders end in a slash
	paths map[extract.Place]string
	log   []string
	open  int // files that are open now
	most  int // at a time
	fail  string
}

func (p *placeTarget) Name(n wim.Node) bool { return !strings.HasPrefix(p.im.Name(n), "no") }

func (p *placeTarget) Kind(n wim.Node) (extract.EntryKind, string, bool, error) {
	switch name := p.im.Name(n); {
	case p.im.IsDir(n):
		return extract.EntryDir, "", false, nil
	case name == "pipe":
		return extract.EntrySpecial, "", false, nil
	case name == "wrong":
		return 0, "", false, errors.New("a wrong link")
	case format.IsLinkTag(p.im.ReparseTag(n)):
		return extract.EntrySymlink, "to " + name, false, nil
	default:
		return extract.EntryFile, "", name == "secret", nil
	}
}

// at returns the path of a place. The folders above it must be there.
func (p *placeTarget) at(x extract.Place) string {
	if x.Node == x.Base {
		return ""
	}
	if path, ok := p.paths[x]; ok {
		return path
	}
	folder := ""
	if up := x.Folder(p.im); up != (extract.Place{}) {
		folder = p.at(up) + "/"
		if _, ok := p.files[folder]; !ok {
			panic("no folder " + folder)
		}
	}
	p.paths[x] = folder + p.im.Name(x.Node)
	return p.paths[x]
}

func (p *placeTarget) do(what string, e *extract.Entry) error {
	p.log = append(p.log, what+" "+p.at(e.At))
	if p.fail != "" && strings.HasSuffix(p.log[len(p.log)-1], p.fail) {
		return errors.New("failed")
	}
	return nil
}

func (p *placeTarget) Make(e *extract.Entry) error {
	if e.Kind == extract.EntrySpecial {
		p.files[p.at(e.At)] = "special"
		return p.do("special", e)
	}
	p.files[p.at(e.At)+"/"] = ""
	return p.do("folder", e)
}

func (p *placeTarget) Create(e *extract.Entry) (apply.File, error) {
	p.open++
	p.most = max(p.most, p.open)
	return &placeFile{p: p, e: e}, p.do("create", e)
}

func (p *placeTarget) Link(e *extract.Entry) error {
	first, ok := p.files[p.at(e.First)]
	if !ok {
		return fmt.Errorf("%s is not complete", p.at(e.First))
	}
	p.files[p.at(e.At)] = first
	return p.do("link", e)
}

func (p *placeTarget) Symlink(e *extract.Entry) error {
	p.files[p.at(e.At)] = e.Target
	return p.do("symlink", e)
}

func (p *placeTarget) SetMeta(e *extract.Entry) error { return p.do("meta", e) }

// placeFile is a file of a placeTarget.
type placeFile struct {
	p *placeTarget
	e *extract.Entry
	b []byte
}

func (f *placeFile) WriteAt(b []byte, off int64) (int, error) {
	if off != int64(len(f.b)) {
		return 0, fmt.Errorf("%d bytes at %d, of %d", len(b), off, len(f.b))
	}
	f.b = append(f.b, b...)
	return len(b), nil
}

func (f *placeFile) Close() error {
	f.p.open--
	f.p.files[f.p.at(f.e.At)] = string(f.b)
	return f.p.do("close", f.e)
}

func (f *placeFile) Abort() error {
	f.p.open--
	return f.p.do("abort", f.e)
}

// toPlaces extracts a selection of image 1 to a placeTarget.
func toPlaces(t *testing.T, a *wim.Archive, sel extract.Selection, fail string) (*placeTarget, *apply.Folder, *extract.Plan, error) {
	t.Helper()
	p := &placeTarget{im: sel.Image, files: map[string]string{}, paths: map[extract.Place]string{}, fail: fail}
	plan, err := extract.New(a, sel, &extract.Options{
		Form: extract.OutputFolder, Placing: extract.ByPlace(p), PieceSize: 64 << 10,
		Damaged: func(list []extract.Entry, why string) error {
			return fmt.Errorf("%d entries of %s: %s", len(list), sel.Image.Name(list[0].At.Node), why)
		},
	})
	if err != nil {
		return p, nil, nil, err
	}
	f := apply.To(p)
	_, err = apply.Run(context.Background(), plan, f, &shard.Options{Workers: 2})
	if err != nil {
		err = errors.Join(err, f.Abort())
	}
	return p, f, plan, err
}

func openOne(t *testing.T, b []byte) (*wim.Archive, *wim.Image) {
	t.Helper()
	a, err := wim.Open([]blobs.Part{{Name: "a.wim", R: bytes.NewReader(b), Size: int64(len(b))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	return a, im
}

// TestPlaces extracts by places every sample that opens.
func TestPlaces(t *testing.T) {
	parts := func(list []wimtest.SamplePart) (out []blobs.Part) {
		for _, p := range list {
			out = append(out, blobs.Part{Name: p.Name, R: bytes.NewReader(p.Bytes), Size: int64(len(p.Bytes))})
		}
		return out
	}
	for _, s := range wimtest.Samples() {
		if s.Outcome != wimtest.Opens || len(s.Files) == 0 {
			continue
		}
		a, err := wim.Open(parts(s.Parts), &blobs.Options{References: parts(s.Refs)})
		if err != nil {
			t.Fatal(err)
		}
		im, err := a.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		p, _, _, err := toPlaces(t, a, extract.Selection{Image: im}, "")
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		for path, want := range s.Files {
			if got, ok := p.files[strings.TrimPrefix(path, "/")]; !ok || got != want {
				t.Errorf("%s: %s is %q (%v), want %q", s.Name, path, got, ok, want)
			}
		}
	}
}

// TestPlaceOrder checks the order of all that a target does.
func TestPlaceOrder(t *testing.T) {
	large := bytes.Repeat([]byte("not quite zeros "), 20<<10)
	file := func(name string, data []byte, link uint64) *wimtest.HandEntry {
		return &wimtest.HandEntry{Name: name, Data: data, Link: link}
	}
	junction := wimtest.SymlinkEntry("junction", `dir`, true)
	b := wimtest.One(wimtest.Folder("",
		wimtest.Folder("dir", file("large", large, 1), file("large 2", large, 1), wimtest.Folder("sub", file("twin", large, 0))), junction,
		wimtest.Folder("nothing", file("below", large, 0)), file("pipe", nil, 4), file("pipe 2", nil, 4), file("secret", []byte("raw"), 0), file("small", []byte("s"), 0),
		wimtest.Folder("z"),
	)).Bytes()
	a, im := openOne(t, b)
	p, f, plan, err := toPlaces(t, a, extract.Selection{Image: im}, "")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(`folder ;folder dir;folder dir/sub;special pipe;create secret;close secret;meta secret;folder z;link pipe 2;create dir/large;`+
		`create dir/sub/twin;close dir/sub/twin;meta dir/sub/twin;close dir/large;meta dir/large;link dir/large 2;create small;close small;meta small;`+
		`symlink junction;meta junction;meta z;meta dir/sub;meta dir;meta `, ";")
	if !slices.Equal(p.log, want) {
		t.Errorf("done:\n%q, want\n%q", p.log, want)
	}
	if p.most != 2 || f.Files != 6 || f.Bytes != int64(2*len(large)+1) || f.Lost != (apply.Lost{}) {
		t.Errorf("%d files of %d bytes, %d open at a time, lost %+v", f.Files, f.Bytes, p.most, f.Lost)
	}
	if plan.Refused.Count != 2 || p.files["dir/large 2"] != string(large) || p.files["dir/sub/twin"] != string(large) || p.files["secret"] != "" {
		t.Errorf("refused %+v", plan.Refused)
	}

	// Errors end the extraction; what is incomplete is removed.
	for fail, last := range map[string]string{
		"folder dir/sub": "folder dir/sub", "close dir/sub/twin": "abort dir/large", "link pipe 2": "link pipe 2", "symlink junction": "symlink junction", "meta z": "meta z",
	} {
		p, _, _, err := toPlaces(t, a, extract.Selection{Image: im}, fail)
		if err == nil || p.open != 0 || p.log[len(p.log)-1] != last {
			t.Errorf("%s fails: %v, %q, %d files open", fail, err, p.log, p.open)
		}
	}
	b[bytes.LastIndex(b, []byte("not quite"))] ^= 1
	a, im = openOne(t, b)
	p, _, _, err = toPlaces(t, a, extract.Selection{Image: im}, "")
	if err == nil || !strings.Contains(err.Error(), "3 entries of large: ") || p.open != 0 || !slices.Equal(p.log[len(p.log)-2:], []string{"abort dir/large", "abort dir/sub/twin"}) {
		t.Errorf("damaged: %v, %q", err, p.log)
	}
	junction.Name = "wrong"
	a, im = openOne(t, wimtest.One(wimtest.Folder("", junction)).Bytes())
	if p, _, _, err = toPlaces(t, a, extract.Selection{Image: im}, ""); err == nil || len(p.log) > 0 {
		t.Errorf("a wrong link: %v, %q", err, p.log)
	}
}

// TestDeepPlaces extracts a path that is longer than any path in an output.
func TestDeepPlaces(t *testing.T) {
	name := strings.Repeat("long ", 50)
	e := wimtest.TextFile("file", "text")
	const levels = 700
	for range levels {
		e = wimtest.Folder(name, e)
	}
	a, im := openOne(t, wimtest.One(wimtest.Folder("", e)).Bytes())
	bottom := wim.Node(im.Len() - 1)
	twice := extract.Selection{Image: im}
	twice.SetRoots([]wim.Node{bottom, bottom}, []wim.Node{0, im.Parent(bottom)})
	for i, sel := range []extract.Selection{{Image: im}, twice} {
		p, _, plan, err := toPlaces(t, a, sel, "")
		path := strings.Repeat(name+"/", levels) + "file"
		if err != nil || plan.Skipped.Count > 0 || p.files[path] != "text" || i > 0 && p.files["file"] != "text" {
			t.Errorf("%v, left out %d, %d entries", err, plan.Skipped.Count, len(p.files))
		}
	}
}
