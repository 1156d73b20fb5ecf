package verify_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing/fstest"

	"wimscope/wim"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/verify"
	"wimscope/wim/write"
)

// Verify an archive in which one byte is wrong: the report names the files that it damages.
func ExampleRun() {
	file := notes()
	file.b[bytes.Index(file.b, []byte("first"))] ^= 1
	a := must(wim.Open([]wim.Part{file.part("notes.wim")}, nil))

	report, err := verify.Run(context.Background(), a, nil, 2, nil)
	if err != nil {
		fmt.Println(err) // there is no report: a file cannot be read
		return
	}
	fmt.Println(report.Verdict, "of", report.Blobs, "blobs and metadata resources")
	for _, d := range report.Damaged {
		fmt.Println("damaged:", d.Uses[0].Path)
	}
	// Output:
	// damaged of 3 blobs and metadata resources
	// damaged: /read.me
}

// notes returns an archive of a folder.
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
