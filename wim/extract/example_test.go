package extract_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing/fstest"

	"wimscope/wim"
	"wimscope/wim/draft"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/write"
)

// ExampleRun extracts an image to a ZIP.
func ExampleRun() {
	a := must(wim.Open([]wim.Part{notes().part("notes.wim")}, nil))
	p, err := extract.New(a, extract.Selection{Image: must(a.Image(1))}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	file := &memory{}
	out := extract.NewZIP(file)
	damaged, err := extract.Run(context.Background(), p, out, &shard.Options{Workers: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	size := must(out.Finish())
	fmt.Println("damaged files left out:", len(damaged))
	for _, f := range must(zip.NewReader(bytes.NewReader(file.b), size)).File {
		fmt.Println(f.Name, f.UncompressedSize64)
	}
	// Output:
	// damaged files left out: 0
	// docs/ 0
	// read.me 5
	// docs/copy.txt 21000
	// docs/one.txt 21000
}

// notes returns an archive that contains a folder.
func notes() *memory {
	folder := fstest.MapFS{
		"read.me":       {Data: []byte("first")},
		"docs/one.txt":  {Data: []byte(strings.Repeat("It was a dark night. ", 1000))},
		"docs/copy.txt": {Data: []byte(strings.Repeat("It was a dark night. ", 1000))},
	}
	d, _, err := draft.Scan(nil, folder, ".", nil)
	b, file := write.New(), &memory{}
	must(b.AddDraft(must(d, err), &write.Image{Name: "notes"}))
	p := must(b.PlanWrite(&write.Options{Codec: format.LZX}))
	must(write.Run(context.Background(), p, p.FilesOf(folder), file, nil))
	return file
}

// must panics on an error.
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
