package extract_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
	"wimscope/wim/wimtest/jobtest"
)

// damagedLinks returns archives with a file and a link "link" of each kind, whose data do not match their SHA-1.
func damagedLinks() map[string][]byte {
	list := map[string][]byte{}
	for name, e := range map[string]*wimtest.HandEntry{
		"symbolic link": wimtest.SymlinkEntry("link", `\??\C:\wrong`, false),
		"relative":      wimtest.SymlinkEntry("link", `file`, true),
		"junction":      wimtest.JunctionEntry("link", `\??\C:\wrong`),
		"WSL":           {Name: "link", Attrs: format.AttrReparsePoint, Tag: format.TagLxSymlink, Data: []byte("\x02\x00\x00\x00/mnt/c")},
	} {
		e.Hash = [20]byte{1, 2, 3}
		list[name] = wimtest.One(wimtest.Folder("", wimtest.TextFile("file", "text"), e)).Bytes()
	}
	return list
}

// TestDamagedLinks checks that a link whose data do not match their SHA-1 has no target, is not extracted, and is reported
// with its path.
func TestDamagedLinks(t *testing.T) {
	for name, b := range damagedLinks() {
		a := archivetest.MustOpen(t, b)
		im, err := a.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := im.Lookup("/link")
		var sum *blobs.ChecksumError
		if l, err := im.Link(n); l != (wim.Link{}) || !errors.As(err, &sum) || sum.What != "reparse data" || sum.Want != (format.Hash{1, 2, 3}) || sum.Off == 0 {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
		if to, ok := im.Resolve(n); ok {
			t.Errorf("%s: it leads to %s", name, im.Path(to))
		}
		if target, err := im.FS().ReadLink("link"); target != "" || !errors.Is(err, format.ErrChecksum) {
			t.Errorf("%s: ReadLink gives %q, %v", name, target, err)
		}
		if _, err := fs.ReadFile(im.FS(), "link"); !errors.Is(err, format.ErrChecksum) {
			t.Errorf("%s: ReadFile gives %v", name, err)
		}
		for _, form := range []extract.Form{extract.OutputZIP, extract.OutputTAR, extract.OutputFolder} {
			for _, recover := range []bool{false, true} {
				o := &extract.Options{Form: form, Recover: recover}
				p, err := extract.New(a, extract.Selection{Image: im}, o)
				if err != nil {
					t.Fatal(err)
				}
				list, links := p.Skipped, 0
				if recover {
					list, links = p.Noted, 1
				}
				if p.Damaged != 1 || p.Links != links || list.Count != 1 || list.List[0].Path != "/link" || list.List[0].Reason != "damaged" ||
					!recover && !strings.Contains(list.List[0].Detail, "SHA-1") {
					t.Errorf("%s as %s, recovery %v: %d damaged, %d links, left out %+v, noted %+v", name, form, recover, p.Damaged, p.Links, p.Skipped, p.Noted)
				}
				if form == extract.OutputFolder {
					continue
				}
				_, out, _ := jobtest.Extract(t, a, im, o)
				var tree map[string]string
				if form == extract.OutputZIP {
					tree = jobtest.ZipTree(t, out)
				} else {
					tree = jobtest.TarTree(t, out)
				}
				if _, there := tree["link"]; there != recover || tree["file"] != "text" {
					t.Errorf("%s as %s, recovery %v: %q", name, form, recover, tree)
				}
			}
		}
	}
}

// TestMissingLinkData checks that a link whose data are in no open file is reported as missing.
func TestMissingLinkData(t *testing.T) {
	h := wimtest.One(wimtest.Folder("", wimtest.SymlinkEntry("link", "file", true)))
	h.Blobs = nil
	a := archivetest.MustOpen(t, h.Bytes())
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := im.Link(1); !errors.Is(err, blobs.ErrMissing) {
		t.Error(err)
	}
	p, err := extract.New(a, extract.Selection{Image: im}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Damaged != 0 || p.Skipped.Count != 1 || p.Skipped.List[0].Reason != "missing" {
		t.Errorf("%+v", p.Skipped)
	}
}

// TestReparseSizeGuard checks that reparse data longer than Windows allows are rejected without reading them, even if they
// begin like a link and match their SHA-1. Data of the maximum length are read.
func TestReparseSizeGuard(t *testing.T) {
	for _, size := range []int{format.MaxReparseData, format.MaxReparseData + 1, 8 << 20} {
		data := append(wimtest.SymlinkData("file", "file", true), make([]byte, size)...)[:size]
		b := wimtest.One(wimtest.Folder("", wimtest.TextFile("file", "x"), &wimtest.HandEntry{Name: "link", Attrs: format.AttrReparsePoint, Tag: format.TagSymlink, Data: data})).Bytes()
		r := &archivetest.ReadCounter{R: bytes.NewReader(b)}
		a, err := wim.Open([]blobs.Part{{Name: "large", R: r, Size: int64(len(b))}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		im, err := a.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := im.Lookup("/link")
		r.N = 0
		l, err := im.Link(n)
		if size <= format.MaxReparseData {
			if err != nil || l.Target != "file" {
				t.Errorf("%d bytes: %+v, %v", size, l, err)
			}
			continue
		}
		var large *format.TooLargeError
		if !errors.As(err, &large) || large.Need != int64(size) || l != (wim.Link{}) || r.N != 0 {
			t.Errorf("%d bytes: %+v, %v, after reading %d bytes", size, l, err, r.N)
		}
		p, err := extract.New(a, extract.Selection{Image: im}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p.Links != 0 || p.Skipped.Count != 1 || p.Skipped.List[0].Reason != "too-large" {
			t.Errorf("%d bytes: %d links, left out %+v", size, p.Links, p.Skipped)
		}
	}
}

// TestReadChecked checks that reading a whole blob in order reports damage; part of a blob has no hash.
func TestReadChecked(t *testing.T) {
	text := strings.Repeat("content ", 1000)
	b := wimtest.One(wimtest.Folder("", wimtest.TextFile("file", text))).Bytes()
	b[bytes.Index(b, []byte(text))+5000] ^= 1
	a := archivetest.MustOpen(t, b)
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := im.Lookup("/file")
	if got, err := a.Store().ReadBlob(im.Hash(n), 1<<20); !errors.Is(err, format.ErrChecksum) || len(got) != len(text) {
		t.Errorf("ReadBlob gives %d bytes, %v", len(got), err)
	}
	if got, err := a.Store().ReadBlob(im.Hash(n), int64(len(text)-1)); !errors.Is(err, format.ErrTooLarge) || got != nil {
		t.Errorf("ReadBlob gives %d bytes, %v", len(got), err)
	}
	if _, err := fs.ReadFile(im.FS(), "file"); !errors.Is(err, format.ErrChecksum) {
		t.Errorf("ReadFile: %v", err)
	}
	r, err := a.Store().OpenBlob(im.Hash(n))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := io.ReadAll(r); !errors.Is(err, format.ErrChecksum) || len(got) != len(text) {
			t.Errorf("Read gives %d bytes, %v", len(got), err)
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Seek(10, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err != nil {
		t.Errorf("a part: %v", err)
	}
	if _, err := r.ReadAt(make([]byte, 8), 0); err != nil {
		t.Errorf("a part: %v", err)
	}
}
