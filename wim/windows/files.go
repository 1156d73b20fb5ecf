package windows

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"wimscope/wim"
	"wimscope/wim/blobs"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/internal/sha1"
)

// windowsFolder is a tree that may hold Windows. Its methods prefer an exact match to one that ignores case.
type windowsFolder interface {
	folders() []string // names of the folders in the root
	has(path string) bool
	// open opens the content of a file. It returns format.ErrNotFound if there is none or it is empty.
	open(path string) (*windowsFile, error)
}

// windowsFile is an open file. close may be nil.
type windowsFile struct {
	io.ReaderAt
	size  int64
	close func() error
}

// errUnread reports a file in a solid resource, which would take long to unpack.
var errUnread = errors.New("not read, because it is in a solid resource")

// draftWindows is the tree of a draft.
type draftWindows struct {
	d        *draft.Draft
	sources  []fs.FS
	archives []*wim.Archive
}

func (t draftWindows) folders() (names []string) {
	for _, n := range t.d.Children(t.d.Root()) {
		if t.d.IsDir(n) {
			names = append(names, t.d.Name(n))
		}
	}
	return names
}

func (t draftWindows) has(path string) bool {
	_, ok := t.d.Lookup(path, true)
	return ok
}

func (t draftWindows) open(path string) (*windowsFile, error) {
	n, ok := t.d.Lookup(path, true)
	if !ok {
		return nil, format.ErrNotFound
	}
	for _, s := range t.d.Streams(n) {
		if s.Kind == format.StreamData && s.Content >= 0 {
			return t.content(t.d.Content(s.Content))
		}
	}
	return nil, format.ErrNotFound
}

// content opens a content in memory, a file or an archive.
func (t draftWindows) content(c draft.Content) (*windowsFile, error) {
	if len(c.Bytes) > 0 {
		return &windowsFile{ReaderAt: strings.NewReader(string(c.Bytes)), size: c.Size}, nil
	}
	if c.Source >= 0 {
		f, err := draft.OpenSource(t.sources, c)
		if err != nil {
			return nil, err
		}
		if !f.Anywhere() {
			f.Close()
			return nil, errors.New("random access is not supported")
		}
		return &windowsFile{f, f.Size(), f.Close}, nil
	}
	err := error(&blobs.MissingError{Hash: c.Hash})
	for _, a := range t.archives {
		var f *windowsFile
		if f, err = openWindowsFile(a, c.Hash, false, true); err == nil {
			return f, nil
		}
	}
	return nil, err
}

// imageWindows is the tree of an image. If checked is set, files are compared with their hashes before they are used.
type imageWindows struct {
	*wim.Image
	checked bool
}

func (t imageWindows) folders() (names []string) {
	first, count := t.Children(0)
	for n := first; n < first+wim.Node(count); n++ {
		if t.IsDir(n) {
			names = append(names, t.Name(n))
		}
	}
	return names
}

func (t imageWindows) has(path string) bool {
	_, ok := t.Lookup(path)
	return ok
}

func (t imageWindows) open(path string) (*windowsFile, error) {
	n, ok := t.Lookup(path)
	if !ok || t.IsDir(n) || t.Hash(n).IsZero() {
		return nil, format.ErrNotFound
	}
	return openWindowsFile(t.Archive(), t.Hash(n), true, t.checked)
}

// openWindowsFile opens a blob of an archive. It returns errUnread for one in a solid resource unless solid is set.
func openWindowsFile(a *wim.Archive, h format.Hash, solid, checked bool) (*windowsFile, error) {
	r, err := a.Store().OpenBlob(h)
	if err != nil {
		return nil, err
	}
	if r.Solid() && !solid {
		return nil, errUnread
	}
	if checked {
		d := sha1.New()
		if _, err := io.Copy(d, io.NewSectionReader(r, 0, r.Size())); err != nil {
			return nil, err
		}
		if sum := d.Sum(); format.Hash(sum) != h {
			return nil, fmt.Errorf("is damaged: %w", format.ErrChecksum)
		}
	}
	return &windowsFile{ReaderAt: r, size: r.Size()}, nil
}
