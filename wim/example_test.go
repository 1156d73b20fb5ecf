package wim_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing/fstest"

	"wimscope/wim"
)

// must ends an example that cannot go on.
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

// notes is an archive with one image.
func notes() *memory {
	folder := fstest.MapFS{
		"read.me":       {Data: []byte("first")},
		"docs/one.txt":  {Data: []byte(strings.Repeat("Not as it was. ", 1000))},
		"docs/copy.txt": {Data: []byte(strings.Repeat("Not as it was. ", 1000))},
	}
	ctx, b, file := context.Background(), wim.New(), &memory{}
	must(b.AddDraft(must(b.Scan(ctx, folder, nil)), &wim.DraftInfo{Name: "notes"}))
	must(b.Write(ctx, file, &wim.WriteOptions{Codec: wim.LZX}, nil))
	return file
}

// An archive is opened, and an image of it is a file system as any other.
func ExampleOpen() {
	a := must(wim.Open(notes().part("notes.wim")))
	for _, i := range a.Images() {
		fmt.Println(i.Index, i.Name, i.Files, "files")
	}
	files := must(a.Image(1)).FS()
	fmt.Println(string(must(fs.ReadFile(files, "read.me"))))
	fmt.Println(must(fs.Glob(files, "docs/*.txt")))
	// Output:
	// 1 notes 3 files
	// first
	// [docs/copy.txt docs/one.txt]
}

// A byte of an archive is wrong: the report says of which files.
func ExampleVerify() {
	file := notes()
	at := bytes.Index(file.b, []byte("first"))
	file.b[at] ^= 1
	report := must(wim.Verify(context.Background(), must(wim.Open(file.part("notes.wim"))), nil))
	fmt.Println(report.OK, report.Blobs, "contents")
	for _, d := range report.Damaged {
		fmt.Println(d.Uses[0].Path, "is damaged")
	}
	// Output:
	// false 3 contents
	// /read.me is damaged
}

// An image becomes a ZIP archive.
func ExampleZip() {
	a := must(wim.Open(notes().part("notes.wim")))
	out := &memory{}
	size, damaged, err := wim.Zip(context.Background(), a, must(a.Image(1)), out, &wim.Run{Workers: 2})
	if err != nil || len(damaged) > 0 {
		fmt.Println(err, damaged)
		return
	}
	for _, f := range must(zip.NewReader(bytes.NewReader(out.b), size)).File {
		fmt.Println(f.Name, f.UncompressedSize64)
	}
	// Output:
	// docs/ 0
	// read.me 5
	// docs/copy.txt 15000
	// docs/one.txt 15000
}

// A folder is captured to a new archive, and another one added to it in place.
func ExampleBuilder() {
	ctx := context.Background()
	file := must(os.CreateTemp("", "*.wim"))
	defer os.Remove(file.Name())
	defer file.Close()

	b := wim.New()
	draft := must(b.Scan(ctx, fstest.MapFS{"docs/read.me": {Data: []byte("first")}}, nil))
	must(b.AddDraft(draft, &wim.DraftInfo{Name: "one"}))
	must(b.Write(ctx, file, &wim.WriteOptions{Codec: wim.XPRESS}, nil))

	part := func() wim.Part {
		return wim.Part{Name: "both.wim", R: file, Size: must(file.Stat()).Size()}
	}
	b = must(wim.Change(must(wim.Open(part()))))
	draft = must(b.Scan(ctx, fstest.MapFS{"read.me": {Data: []byte("first")}, "more.txt": {Data: []byte("second")}}, nil))
	must(b.AddDraft(draft, &wim.DraftInfo{Name: "two"}))
	fmt.Println(must(b.Append(ctx, file, nil, nil)).Contents, "contents")
	for _, i := range must(wim.Open(part())).Images() {
		fmt.Println(i.Index, i.Name, i.Files)
	}
	// Output:
	// 2 contents
	// 1 one 1
	// 2 two 2
}

// An archive is made as a set of parts that fit somewhere.
func ExampleBuilder_Split() {
	folder := fstest.MapFS{}
	for i := range 8 {
		data := make([]byte, 10_000)
		for k := range data {
			data[k] = byte(k * k * (i + 1) / 7)
		}
		folder[fmt.Sprintf("file%d", i)] = &fstest.MapFile{Data: data}
	}
	ctx, b := context.Background(), wim.New()
	must(b.AddDraft(must(b.Scan(ctx, folder, nil)), nil))
	var parts []*memory
	report := must(b.Split(ctx, 30_000, func(int) (io.WriterAt, error) {
		parts = append(parts, &memory{})
		return parts[len(parts)-1], nil
	}, nil, nil))
	fmt.Println(len(parts), "parts,", report.Contents, "contents")
	set := make([]wim.Part, len(parts))
	for i, p := range parts {
		set[i] = p.part(fmt.Sprintf("set%d.swm", i+1))
	}
	fmt.Println(must(wim.Open(set...)).Images()[0].Files, "files")
	// Output:
	// 4 parts, 8 contents
	// 8 files
}
