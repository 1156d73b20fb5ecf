package write

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"wimscope/wim"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/wimtest"
	"wimscope/wim/wimtest/archivetest"
)

// run runs a plan of drafts whose contents are files.
func run(t testing.TB, p *Plan, files map[string][]byte, w io.WriterAt, o *shard.Options) *Report {
	t.Helper()
	r, err := Run(context.Background(), p, memContents{func() *Plan { return p }, files}, w, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// plainTrees returns trees without symbolic links, and drafts of them.
func plainTrees(seeds ...uint64) []*wimtest.Tree {
	var list []*wimtest.Tree
	for _, s := range seeds {
		list = append(list, wimtest.Random(s, &wimtest.TreeOptions{Plain: true}))
	}
	return list
}

// builderOf returns a Builder with drafts of trees.
func builderOf(t testing.TB, files map[string][]byte, trees ...*wimtest.Tree) *Builder {
	t.Helper()
	e := New()
	for k, tree := range trees {
		if _, err := e.AddDraft(treeDraft(t, tree, files, fmt.Sprintf("t%d", k)), &Image{Name: fmt.Sprint("n", k), Created: 133_000_000_000_000_000}); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// archiveOf writes an archive of trees.
func archiveOf(t testing.TB, o *Options, trees ...*wimtest.Tree) []byte {
	t.Helper()
	files := map[string][]byte{}
	b, _ := write(t, builderOf(t, files, trees...), o, files, 2)
	return b
}

func editing(t testing.TB, b []byte) *Builder {
	t.Helper()
	e, err := Of(archivetest.OpenWritten(t, b))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fileBuilder returns a Builder of one image with files.
func fileBuilder(t testing.TB, files map[string][]byte) *Builder {
	t.Helper()
	e := New()
	if _, err := e.AddDraft(fileDraft(t, files), nil); err != nil {
		t.Fatal(err)
	}
	return e
}

func fileDraft(t testing.TB, files map[string][]byte) *draft.Draft {
	t.Helper()
	d := draft.New()
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		id := d.AddContent(draft.Content{Size: int64(len(files[name])), Path: name})
		if _, err := d.Add(0, draft.Entry{Name: path.Base(name), Attributes: format.AttrArchive, Streams: []draft.Stream{{Content: id}}}); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func sameAsFiles(t testing.TB, a *wim.Archive, files map[string][]byte) {
	t.Helper()
	im, err := a.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	if im.Len() != len(files)+1 {
		t.Errorf("%d entries, want %d", im.Len(), len(files)+1)
	}
	for name, data := range files {
		n, ok := im.Lookup(path.Base(name))
		if !ok {
			t.Errorf("%s is not there", name)
			continue
		}
		if got, err := io.ReadAll(contentReader(t, a, im.Hash(n))); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s is another one: %d bytes, %v", name, len(got), err)
		}
	}
}

// sameFiles compares what another program extracted with a tree.
func sameFiles(t testing.TB, dir string, tree *wimtest.Tree) {
	t.Helper()
	for _, e := range tree.Entries {
		if e.Kind != wimtest.File {
			continue
		}
		if got, err := os.ReadFile(filepath.Join(dir, e.Path)); err != nil || !bytes.Equal(got, e.Data) {
			t.Errorf("%d bytes of %q, want %d: %v", len(got), e.Path, len(e.Data), err)
		}
	}
}

// liveFile is a file that is read while it is written.
type liveFile struct {
	archivetest.MemFile
	w *writes
}

func (l *liveFile) WriteAt(b []byte, off int64) (int, error) {
	l.w.WriteAt(b, off)
	return l.MemFile.WriteAt(b, off)
}

func (l *liveFile) ReadAt(b []byte, off int64) (int, error) {
	return bytes.NewReader(l.B).ReadAt(b, off)
}

func (l *liveFile) Truncate(size int64) error {
	l.B = l.B[:size]
	return l.w.Truncate(size)
}

func openHas(t testing.TB, b []byte, h format.Hash) bool {
	t.Helper()
	_, ok := archivetest.OpenWritten(t, b).Store().Blob(h)
	return ok
}
