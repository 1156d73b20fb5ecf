package apply_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/hack-pad/hackpadfs"
	"github.com/hack-pad/hackpadfs/mem"

	"wimscope/wim"
	"wimscope/wim/apply"
	"wimscope/wim/draft"
	"wimscope/wim/extract"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/write"
)

// ExampleRun extracts an image to a folder.
func ExampleRun() {
	a := must(wim.Open([]wim.Part{notes()}, nil))
	p := must(extract.New(a, extract.Selection{Image: must(a.Image(1))}, &extract.Options{Form: extract.OutputFolder}))
	target := must(mem.NewFS())
	folder := apply.New(target, nil)
	problems := must(apply.Run(context.Background(), p, folder, &shard.Options{Workers: 2}))
	fmt.Println("files:", folder.Files, "problems:", len(problems))
	err := hackpadfs.WalkDir(target, ".", func(path string, d hackpadfs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Printf("%s: %s\n", path, must(fs.ReadFile(target, path)))
		}
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// files: 2 problems: 0
	// docs/one.txt: It was a dark night.
	// read.me: first
}

// notes returns an archive that contains a folder.
func notes() wim.Part {
	folder := fstest.MapFS{"read.me": {Data: []byte("first")}, "docs/one.txt": {Data: []byte("It was a dark night.")}}
	d, _, err := draft.Scan(nil, folder, ".", nil)
	b, file := write.New(), &memory{}
	must(b.AddDraft(must(d, err), &write.Image{Name: "notes"}))
	p := must(b.PlanWrite(&write.Options{Codec: format.LZX}))
	must(write.Run(context.Background(), p, p.FilesOf(folder), file, nil))
	return wim.Part{Name: "notes.wim", R: bytes.NewReader(file.b), Size: int64(len(file.b))}
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
