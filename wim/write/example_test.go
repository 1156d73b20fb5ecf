package write_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand"
	"os"
	"testing/fstest"

	"wimscope/wim"
	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/wim/write"
)

// Capture a folder to a new archive. A folder on disk is os.DirFS(path).
func ExampleRun() {
	folder := fstest.MapFS{"read.me": {Data: []byte("first")}, "docs/read.me": {Data: []byte("first")}}
	d, _, err := draft.Scan(nil, folder, ".", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	b := write.New()
	must(b.AddDraft(d, &write.Image{Name: "notes", Description: "two files"}))
	p := must(b.PlanWrite(&write.Options{Codec: format.LZX, Integrity: true}))

	file := &memory{} // or an *os.File
	report := must(write.Run(context.Background(), p, p.FilesOf(folder), file, &shard.Options{Workers: 2}))
	fmt.Println(report.Contents, "content for two files")
	// Output:
	// 1 content for two files
}

// Append a folder to an archive in place. Until its last write, which replaces the header, the file is the archive that it was.
func ExampleBuilder_PlanAppend() {
	file := must(os.CreateTemp("", "*.wim"))
	defer os.Remove(file.Name())
	defer file.Close()
	capture(fstest.MapFS{"docs/read.me": {Data: []byte("first")}}, file)

	b := must(write.Of(open(file)))
	folder := fstest.MapFS{"read.me": {Data: []byte("first")}, "more.txt": {Data: []byte("second")}}
	d, _, err := draft.Scan(nil, folder, ".", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	must(b.AddDraft(d, &write.Image{Name: "two"}))
	p := must(b.PlanAppend(nil)) // compressed like the archive
	must(write.Run(context.Background(), p, p.FilesOf(folder), file, nil))

	for _, i := range open(file).Images() {
		fmt.Println(i.Index, i.Name, i.Files)
	}
	// Output:
	// 1 one 1
	// 2 two 2
}

// Split an archive into parts of at most 30,000 bytes.
func ExampleRunSplit() {
	folder := fstest.MapFS{}
	random := rand.New(rand.NewSource(1))
	for i := range 8 {
		data := make([]byte, 10_000)
		random.Read(data)
		folder[fmt.Sprint("file", i)] = &fstest.MapFile{Data: data}
	}
	whole := &memory{}
	capture(folder, whole)

	b := must(write.Of(must(wim.Open([]wim.Part{whole.part("whole.wim")}, nil))))
	p := must(b.PlanSplit(30_000, false, nil))
	var parts []*memory
	must(write.RunSplit(context.Background(), p, p.FilesOf(), func(int) (io.WriterAt, error) {
		parts = append(parts, &memory{})
		return parts[len(parts)-1], nil
	}, nil))

	var set []wim.Part
	for i, m := range parts {
		set = append(set, m.part(fmt.Sprintf("whole%d.swm", i+1)))
	}
	fmt.Println(len(set), "parts,", must(wim.Open(set, nil)).Images()[0].Files, "files")
	// Output:
	// 4 parts, 8 files
}

// capture writes an archive of a folder.
func capture(folder fstest.MapFS, file io.WriterAt) {
	d, _, err := draft.Scan(nil, folder, ".", nil)
	b := write.New()
	must(b.AddDraft(must(d, err), &write.Image{Name: "one"}))
	p := must(b.PlanWrite(&write.Options{Codec: format.XPRESS}))
	must(write.Run(context.Background(), p, p.FilesOf(folder), file, nil))
}

// open opens an archive on disk.
func open(file *os.File) *wim.Archive {
	size := must(file.Stat()).Size()
	return must(wim.Open([]wim.Part{{Name: file.Name(), R: file, Size: size}}, nil))
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
