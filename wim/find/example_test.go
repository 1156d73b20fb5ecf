package find_test

import (
	"bytes"
	"context"
	"fmt"
	"testing/fstest"

	"wimscope/wim"
	"wimscope/wim/draft"
	"wimscope/wim/find"
	"wimscope/wim/format"
	"wimscope/wim/write"
)

// Search an image. A program that has other work to do in between calls Step with a smaller budget.
func ExampleIn() {
	im := must(twoImages().Image(2))
	search := find.In(im, find.NewQuery("docs/*.txt"))
	for search.Step(10_000, func(n wim.Node) bool {
		fmt.Println(im.Path(n))
		return true
	}) {
	}
	// Output:
	// /docs/new.txt
	// /docs/old.txt
}

// Find out which files have the same content.
func ExampleUses() {
	im := must(twoImages().Image(2))
	n, _ := im.Lookup("docs/old.txt")
	find.Uses(im, im.Hash(n), 0, im.Len(), func(n wim.Node, _ format.StreamKind, _ string) bool {
		fmt.Println(im.Path(n))
		return true
	})
	// Output:
	// /copy.of.old
	// /docs/old.txt
}

// Compare two images.
func ExampleDiff() {
	a := twoImages()
	before, after := must(a.Image(1)), must(a.Image(2))
	find.Diff(before, after, func(c find.Change) bool {
		im, n := after, c.New
		if c.Kind == find.Removed {
			im, n = before, c.Old
		}
		fmt.Println(c.Kind, im.Path(n), c.What)
		return true
	})
	// Output:
	// added /copy.of.old []
	// added /docs/new.txt []
	// changed /read.me [content]
}

// twoImages returns an archive of a folder before and after some changes.
func twoImages() *wim.Archive {
	folders := []fstest.MapFS{
		{"read.me": {Data: []byte("first")}, "docs/old.txt": {Data: []byte("a long story")}},
		{"read.me": {Data: []byte("second")}, "docs/old.txt": {Data: []byte("a long story")}, "copy.of.old": {Data: []byte("a long story")},
			"docs/new.txt": {Data: []byte("news")}},
	}
	b, file := write.New(), &memory{}
	for i, folder := range folders {
		d, _, err := draft.Scan(nil, folder, ".", &draft.ScanOptions{Source: i})
		must(b.AddDraft(must(d, err), nil))
	}
	p := must(b.PlanWrite(nil))
	must(write.Run(context.Background(), p, p.FilesOf(folders[0], folders[1]), file, nil))
	return must(wim.Open([]wim.Part{file.part("two.wim")}, nil))
}

// must stops an example that cannot continue.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// memory is a file in memory.
type memory struct{ b []byte }

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if n := int(off) + len(p); n > len(m.b) {
		m.b = append(m.b, make([]byte, n-len(m.b))...)
	}
	return copy(m.b[off:], p), nil
}

func (m *memory) part(name string) wim.Part {
	return wim.Part{Name: name, R: bytes.NewReader(m.b), Size: int64(len(m.b))}
}
